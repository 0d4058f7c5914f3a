package world

import (
	"cmp"
	"slices"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The type "human" is a person and the person's habits.
type human struct {
	id       string  // the product's key of the person; empty: not hired yet
	daily    float64 // probability of a use per day
	wanted   map[string]bool
	kind     sandbox.Kind
	nowhere  bool // whether the usage location is missing
	agent    bool
	governed bool // whether an identity-governance tool gives the person the licenses on its list
	hidden   bool // whether attributes of the account cannot be read
	split    bool // whether the accounts are no longer linked
	teams    bool // whether the person used Teams without a sign-in
	told     standing
}

// The type "standing" has the facts about a person that the world has told the judge so far. The world tells the judge
// a fact only if it differs from these.
type standing struct {
	exempt, enabled      bool
	sid                  string
	outside, stuck, held map[string]bool
}

// The method "arrive" tells the judge that a person exists. It is called for the first people of the company, for a
// hired person, and for an account that was created again with another id.
func (w *World) arrive(i int) {
	p, h := w.box.Company.Truth(i), &w.people[i]
	if !p.Exists {
		return
	}
	h.id = cmp.Or(p.EntraID, p.SID)
	h.told = standing{enabled: true, sid: p.SID, outside: map[string]bool{}, stuck: map[string]bool{}, held: map[string]bool{}}
	w.hear(judge.Event{What: judge.Hired, At: p.Made, Person: h.id, Holds: h.kind != sandbox.SharedMailbox && !h.agent})
	if !p.LastSignIn.IsZero() {
		w.signedIn(judge.Event{At: p.LastSignIn, Person: h.id})
	}
	if !p.LastLogon.IsZero() {
		w.used(judge.Event{At: p.LastLogon, Person: h.id, License: citrix})
	}
	w.tell(i, p, p.Made)
}

// The method "observe" compares a person with what the judge knows, and tells the judge the differences. It is called
// after each event that the product did not cause.
func (w *World) observe(i int) {
	p, h, now := w.box.Company.Truth(i), &w.people[i], w.clock.Now()
	switch {
	case h.id == "":
		w.arrive(i)
		return
	case !p.Exists, p.EntraID != "" && p.EntraID != h.id:
		for license := range h.told.held {
			w.holds(h, license, false, now)
		}
		w.arrive(i)
		return
	case p.SID != "" && h.told.sid != "" && p.SID != h.told.sid:
		w.hear(judge.Event{What: judge.Remade, At: now, Person: h.id, License: citrix})
	}
	w.tell(i, p, now)
}

func (w *World) tell(i int, p sandbox.Truth, at time.Time) {
	h := &w.people[i]
	if p.SID != "" {
		h.told.sid = p.SID
	}
	if exempt := w.exempt(i, p); exempt != h.told.exempt {
		h.told.exempt = exempt
		w.hear(judge.Event{What: judge.Exempted, At: at, Person: h.id, Holds: exempt})
	}
	if p.Enabled != h.told.enabled {
		h.told.enabled = p.Enabled
		w.hear(judge.Event{What: judge.Enabled, At: at, Person: h.id, Holds: p.Enabled})
	}
	w.state(judge.Outside, h, h.told.outside, map[string]bool{e3: w.outsideE3(i, p), citrix: p.SID == "" || w.contradictory(i, p) || h.hidden || w.blind()}, at)
	w.state(judge.Stuck, h, h.told.stuck, map[string]bool{e3: w.closed(e3) || w.stuckE3(i, p), citrix: w.closed(citrix) || stuckCitrix(p) || w.unproven(i)}, at)
	w.holds(h, e3, len(p.E3) > 0 || w.waits[place{i, groupE3}] || w.waits[place{i, groupLab}], at)
	w.holds(h, citrix, len(p.Citrix) > 0, at)
	w.tellApps(i, p, at)
	w.tellExchange(i, p, at)
}

// For each license, the method "state" compares a fact about a person with what the judge knows, and tells the judge if
// they differ. The map "told" has what the judge knows, by license. The map "now" has the true values.
func (w *World) state(what judge.What, h *human, told, now map[string]bool, at time.Time) {
	for _, license := range w.licenses() {
		if now, about := now[license]; about && now != told[license] {
			told[license] = now
			w.hear(judge.Event{What: what, At: at, Person: h.id, License: license, Holds: now})
		}
	}
}

// The method "holds" tells the judge whether a person holds a license, unless the judge already knows this.
func (w *World) holds(h *human, license string, held bool, at time.Time) {
	if held == h.told.held[license] {
		return
	}
	h.told.held[license] = held
	what := judge.Released
	if held {
		what = judge.Holding
	}
	w.hear(judge.Event{What: what, At: at, Person: h.id, License: license})
}

// The method "exempt" reports whether a person is exempt now: as a guest, by the policy, or by an exempt group.
func (w *World) exempt(i int, p sandbox.Truth) bool {
	if p.EntraID == "" {
		return false
	}
	if p.Guest || w.policy.exempts(i, w.clock.Now()) {
		return true
	}
	return w.inExemptGroup(i)
}

// inExemptGroup reports whether a person is in an exempt group, directly or through a nested group. A person whom a
// script removed by mistake still counts as a member. A group that is renamed or deleted still counts, too: the
// administrators restore it, and its members must lose no license meanwhile.
func (w *World) inExemptGroup(i int) bool {
	c := w.box.Company
	_, again := w.out[exemptAgain] // the exempt group that was made again has no nested groups
	return c.InGroup(i, groupExempt) || w.gone[i] || !again && c.InGroup(i, "LIC-Exempt-Leave")
}

// The method "upn" returns the user principal name, by which a policy identifies a person. It returns "" if the person
// has no account in Entra ID.
func (w *World) upn(i int) string {
	if p := w.box.Company.Person(i); p.Entra != nil {
		return p.Entra.UserPrincipalName
	}
	return ""
}

// The method "contradictory" reports whether a person has two accounts that do not match: the anchor of the Entra
// account names another account. This is true for people of kind WrongAnchor until one of their accounts is replaced.
func (w *World) contradictory(i int, p sandbox.Truth) bool {
	return w.people[i].kind == sandbox.WrongAnchor && p.EntraID != "" && p.SID != "" && !w.touched[i]
}

// outsideE3 reports whether the rule for E3 does not cover a person. It also returns true if the product cannot know
// whether the rule covers the person.
func (w *World) outsideE3(i int, p sandbox.Truth) bool {
	h := &w.people[i]
	if p.EntraID == "" || !p.Enabled || p.Role != "Employee" || w.contradictory(i, p) && !w.blind() {
		return true
	}
	return (p.SID == "" || w.blind()) && h.kind != sandbox.CloudOnly && !h.split && !h.teams && p.LastSignIn.IsZero() // without a sign-in, the rule needs the age of the accounts, and the product cannot know this age
}

// The method "stuckE3" reports whether the product cannot safely take E3 from a person. It can take E3 only if the
// person holds E3 in exactly one way. A direct license is safe only if the person has a usage location. A rule that
// removes E3 must leave Exchange Online for the mailbox.
func (w *World) stuckE3(i int, p sandbox.Truth) bool {
	if len(p.E3) != 1 || w.awaitsE3(i, p) || w.mailboxes && len(p.Exchange) == 0 {
		return true
	}
	way := p.E3[0].Group
	return way == "" && w.people[i].nowhere || way != "" && way != groupE3 && !(w.several && way == groupLab)
}

// stuckCitrix reports whether the product cannot take Citrix from a person, because the person is not a direct member
// of the Citrix group. Other ways to hold Citrix do not matter.
func stuckCitrix(p sandbox.Truth) bool {
	return !slices.Contains(p.Citrix, sandbox.Way{Group: groupCitrix})
}
