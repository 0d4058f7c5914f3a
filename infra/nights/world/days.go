package world

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/infra/nights/weather"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The method "live" simulates a day. People use their licenses, and events happen to people and to the company.
func (w *World) live() {
	d := throw(w.options.Seed, "day", w.night)
	began := w.clock.Now()
	w.clock.pass(day + time.Duration(d.Int64N(int64(2*time.Hour))) - time.Hour)
	w.replication()
	for i := range w.people {
		w.changes(i)
		w.governance(i)
		h := &w.people[i]
		if h.id == "" {
			continue
		}
		w.logOnCutOff(i)
		if d := throw(w.options.Seed, "use", w.night, i); w.comesBack(i, began) || d.chance(h.daily) {
			w.use(i, d, began.Add(time.Duration(d.Int64N(int64(w.clock.Now().Sub(began))))))
			w.helpDesk(i)
			w.helpDeskApps(i)
			w.helpDeskExchange(i)
		}
	}
	w.wave()
	w.turns()
	w.tonightsReports()
	w.renames()
	w.endLeaves()
	if w.mailboxes { // a person who has lost one of two licenses for a mailbox must keep the other, and the judge must know this
		w.observeAll()
	}
}

// The method "use" makes a person sign in to Entra ID at the time "at". In two of three cases, the person also logs on
// to Active Directory now. Without an enabled account, nothing happens.
func (w *World) use(i int, d dice, at time.Time) {
	p := w.box.Company.Truth(i)
	if !p.Exists || !p.Enabled {
		return
	}
	if p.EntraID != "" && at.After(p.Made) {
		s := sandbox.SignIn{At: at, How: []sandbox.How{sandbox.Interactive, sandbox.NonInteractive, sandbox.Interactive | sandbox.NonInteractive}[d.IntN(3)]}
		if w.weather.HasSpell() && throw(w.options.Seed, "one way", i).chance(0.5) { // the other date gets old, and a spell may show it alone
			s.How = sandbox.NonInteractive
		}
		shown := w.clock.Now()
		if d.IntN(5) == 0 {
			s.Shown = at.Add(time.Duration(d.Int64N(int64(day))))
			if s.Shown.After(shown) {
				shown = s.Shown
			}
		}
		w.box.Company.SignInAs(i, s)
		w.signedIn(judge.Event{At: at, Shown: shown, Person: w.people[i].id})
	}
	if p.SID != "" && d.IntN(3) > 0 {
		w.logOn(i)
	}
}

func (w *World) logOn(i int) {
	if w.box.Company.Truth(i).SID == "" {
		return
	}
	if w.dcs != nil {
		w.logOnNearby(i)
		return
	}
	w.box.Company.LogOn(i)
	w.used(judge.Event{At: w.clock.Now().Truncate(time.Second), Person: w.people[i].id, License: citrix})
}

// The method "used" stores that a person used a license. The judge hears of the use when a directory shows it; see the
// method "show".
func (w *World) used(e judge.Event) {
	e.What = judge.Used
	w.unshown = append(w.unshown, e)
}

// The method "show" tells the judge about each use of a license that a directory shows by now. In a night with the
// fault of older dates, the directory shows no new use.
func (w *World) show() {
	w.showLogons()
	now := w.clock.Now()
	older := map[string]bool{}
	for _, kind := range w.weather.Tonight() {
		older[hides[kind]] = true
	}
	older[salesforce], older[premium], older[exchange] = older[e3], older[e3], older[e3] // these rules read the same dates as the rule for E3
	w.unshown = slices.DeleteFunc(w.unshown, func(e judge.Event) bool {
		if older[e.License] || e.Shown.After(now) {
			return false
		}
		if len(w.hidden) > 0 && w.hidden[e.License] && e.Shown.Before(now) {
			e.Shown = now
		}
		w.hear(e)
		return true
	})
	w.hidden = older
}

// The map "hides" has the two faults that make the dates of a directory older, each with the license whose rule reads
// these dates.
var hides = map[weather.Kind]string{weather.GraphDatesOlder: e3, weather.LDAPDatesOlder: citrix}

// The method "lacks" reports whether a person lacks E3 or Citrix although the company wants the person to have the
// license.
func (w *World) lacks(i int) (inE3, inCitrix bool) {
	p, wanted := w.box.Company.Truth(i), w.people[i].wanted
	inE3 = wanted[e3] && p.EntraID != "" && len(p.E3) == 0
	inCitrix = wanted[citrix] && !w.closed(citrix) && p.SID != "" && len(p.Citrix) == 0
	return inE3, inCitrix
}

// The method "governance" simulates an identity-governance tool. For the people whom this tool manages, it restores
// lost memberships of the groups of E3 and Citrix every day, even if a person does not use the licenses.
func (w *World) governance(i int) {
	if !w.people[i].governed {
		return
	}
	inE3, inCitrix := w.lacks(i)
	if inCitrix && w.happens("the governance tool re-adds to Citrix", i, 1) {
		w.box.Company.SetMember(i, groupCitrix, true)
	}
	if inE3 && w.happens("the governance tool re-adds to E3", i, 1) {
		w.box.Company.SetMember(i, groupE3, true)
	}
}

// helpDesk sometimes gives a lost license back to a working person, as a help desk does.
func (w *World) helpDesk(i int) {
	inE3, inCitrix := w.lacks(i)
	if inCitrix && w.happens("the help desk gives Citrix", i, 0.5) {
		w.box.Company.SetMember(i, groupCitrix, true)
	}
	switch {
	case !inE3:
		return
	case w.happens("the help desk gives E3 by group", i, 0.12):
		w.box.Company.SetMember(i, groupE3, true)
	case w.happens("the help desk gives E3 directly", i, 0.05):
		w.box.Company.AssignDirectly(i, "SPE_E3")
	}
	w.observe(i)
}
