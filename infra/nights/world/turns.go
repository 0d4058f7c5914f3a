package world

import (
	"time"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// The type "turn" is a change of the company, such as a renamed group. It begins on one day, and most turns end some
// days later.
type turn struct {
	kind   string
	about  string  // the object that the turn changes; two active turns never change the same object
	chance float64 // probability per day
	days   int     // duration in days
	// The field "closes" is the license that cannot be changed during the turn. Empty means no license.
	closes string
	out    func(*World)
	back   func(*World)
}

func regroup(name string, x sandbox.GroupChange) func(*World) {
	return func(w *World) { w.box.Company.ChangeGroup(name, x) }
}

func regroupAD(x sandbox.ADGroupChange) func(*World) {
	return func(w *World) { w.box.Company.ChangeADGroup(groupCitrix, x) }
}

// forGood is the number of days of a turn that does not end.
const forGood = 10_000

func stays(*World) {}

// The names of turns that do not end. Code elsewhere in the package asks whether they have begun.
const (
	exemptAgain = "the exempt group is made again"
	e3Again     = "the group of E3 is made again"
	citrixAgain = "the group of Citrix is made again"
)

// The constant "swapped" names a turn: the Citrix group moves to another DN, and the group groupOnPrem moves to the
// former DN of the Citrix group.
const swapped = "another group has the DN of the group of Citrix"

// The variable "turns" contains the kinds of turns. Most turns end well within judge.Patience (30 days).
var turns = []turn{
	{"the group of E3 is renamed", groupE3, 0.004, 2, "", regroup(groupE3, sandbox.GroupChange{Name: "LIC-M365-E3-old"}), regroup(groupE3, sandbox.GroupChange{})},
	{"the group of E3 gives a second product", groupE3, 0.004, 3, e3, regroup(groupE3, sandbox.GroupChange{More: []string{"AAD_PREMIUM_P2"}}), regroup(groupE3, sandbox.GroupChange{})},
	{"the members of the group of E3 are hidden", groupE3, 0.003, 2, "", regroup(groupE3, sandbox.GroupChange{Hidden: true}), regroup(groupE3, sandbox.GroupChange{})},
	{"the target's group is deleted", groupTarget, 0.003, 2, e3, regroup(groupTarget, sandbox.GroupChange{Deleted: true}), regroup(groupTarget, sandbox.GroupChange{})},
	{"the target's group becomes dynamic", groupTarget, 0.002, 2, e3, regroup(groupTarget, sandbox.GroupChange{Rule: `user.department -eq "Nowhere"`}), regroup(groupTarget, sandbox.GroupChange{})},
	{"the exempt group is renamed", "LIC-Exempt", 0.004, 2, "", regroup("LIC-Exempt", sandbox.GroupChange{Name: "LIC-Exempt-2"}), regroup("LIC-Exempt", sandbox.GroupChange{})},
	{"the exempt group is deleted", "LIC-Exempt", 0.003, 1, "", regroup("LIC-Exempt", sandbox.GroupChange{Deleted: true}), regroup("LIC-Exempt", sandbox.GroupChange{})},
	{"the exempt group is hidden", "LIC-Exempt", 0.004, 2, "", regroup("LIC-Exempt", sandbox.GroupChange{Hidden: true}), regroup("LIC-Exempt", sandbox.GroupChange{})},
	{"the exempt group cannot be read", "LIC-Exempt", 0.004, 2, "", regroup("LIC-Exempt", sandbox.GroupChange{Hidden: true, Denied: true}), regroup("LIC-Exempt", sandbox.GroupChange{})},
	{"the nested exempt group is emptied", "LIC-Exempt-Leave", 0.002, 3, "", regroup("LIC-Exempt-Leave", sandbox.GroupChange{Emptied: true}), regroup("LIC-Exempt-Leave", sandbox.GroupChange{})},
	{"the group of Citrix is moved", groupCitrix, 0.004, 2, citrix, regroupAD(sandbox.ADGroupChange{DN: "CN=Citrix Users,OU=Moved," + sandbox.BaseDN}), regroupAD(sandbox.ADGroupChange{})},
	{"the group of Citrix is deleted", groupCitrix, 0.002, 1, citrix, regroupAD(sandbox.ADGroupChange{Deleted: true}), regroupAD(sandbox.ADGroupChange{})},
	{swapped, groupCitrix, 0.01, 2, citrix, swap, swapBack},
	{"seats of the target run out", "seats", 0.006, 4, e3,
		func(w *World) {
			_, used := w.box.Company.Seats("EXCHANGESTANDARD")
			w.box.Company.SetSeats("EXCHANGESTANDARD", used)
		},
		func(w *World) { w.box.Company.SetSeats("EXCHANGESTANDARD", w.seats()) }},
	{"the domain's clock is minutes ahead", "clock", 0.01, 1, "", adClock(7 * time.Minute), adClock(0)},
	{"the domain's clock is days behind", "clock", 0.004, 1, "", adClock(-3 * day), adClock(0)},
	{exemptAgain, "LIC-Exempt", 0.002, forGood, "", regroup("LIC-Exempt", sandbox.GroupChange{ID: "60000000-0000-4000-8000-00000000a9a1"}), stays},
	{e3Again, groupE3, 0.001, forGood, "", regroup(groupE3, sandbox.GroupChange{ID: "60000000-0000-4000-8000-00000000a9a2"}), stays},
	{citrixAgain, groupCitrix, 0.001, forGood, "", regroupAD(sandbox.ADGroupChange{Remade: 1}), stays},
	{"the rule for E3 waits longer", "rule e3", 0.004, 6, "", func(w *World) { w.span(e3, 75) }, func(w *World) { w.span(e3, 60) }},
	{"the rule for Citrix waits longer", "rule citrix", 0.004, 6, "", func(w *World) { w.span(citrix, 120) }, func(w *World) { w.span(citrix, 90) }},
}

// The method "seats" returns a number of seats that is more than a company ever needs.
func (w *World) seats() int { return 10 * w.options.People }

func adClock(ahead time.Duration) func(*World) {
	return func(w *World) { w.box.Company.SetADClock(ahead) }
}

// The method "turns" begins and ends the turns of the day.
func (w *World) turns() {
	changed := false
	for _, t := range w.kinds {
		since, out := w.out[t.kind]
		switch {
		case out && w.night-since >= t.days:
			w.mend(t)
			changed = true
		case !out && !w.clashes(t) && w.happens(t.kind, -1, t.chance):
			w.out[t.kind] = w.night
			t.out(w)
			changed = true
		}
	}
	if changed {
		w.observeAll()
	}
}

func (w *World) mend(t turn) {
	if t.days == forGood {
		return
	}
	w.logf("no longer: %s", t.kind)
	delete(w.out, t.kind)
	t.back(w)
}

// The constant "learnt" is the first night in which a turn may change the Citrix group. By then the product has read
// the group, and recognizes it by its objectGUID. From this night on, a script may also remove members of the exempt
// group, because the product knows how many there were.
const learnt = 10

// The method "clashes" reports whether a turn must not begin now, because an active turn changes the same object.
// Before the night "learnt", it also returns true for a turn of the Citrix group and for the turn cutKind.
func (w *World) clashes(t turn) bool {
	if (t.about == groupCitrix || t.kind == cutKind) && w.night < learnt {
		return true
	}
	for _, other := range w.kinds {
		if _, out := w.out[other.kind]; out && other.about == t.about {
			return true
		}
	}
	return false
}

// The method "closed" reports whether the product cannot change a license now, because of an active turn.
func (w *World) closed(license string) bool {
	for _, t := range w.kinds {
		if _, out := w.out[t.kind]; out && (t.closes == license || t.kind == swapped && license == premium) {
			return true
		}
	}
	return false
}

func (w *World) observeAll() {
	for i := range w.people {
		if w.people[i].id != "" {
			w.observe(i)
		}
	}
}
