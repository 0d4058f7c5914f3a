package world

import (
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// live lets a day pass: people use what they have, some stop, some come back, and the
// help desk gives licenses back by hand.
func (w *World) live() {
	d := throw(w.options.Seed, "day", w.night)
	began := w.clock.Now()
	w.clock.pass(day + time.Duration(d.Int64N(int64(2*time.Hour))) - time.Hour)
	for i := range w.people {
		h := &w.people[i]
		for _, at := range h.late {
			w.box.Company.SignInAt(i, at)
			w.Used(h.id, at, w.clock.Now(), e3)
		}
		h.late = nil
		if h.daily > 0.1 && w.happens("leaves", i, 0.004) {
			h.daily = 0
		}
		if h.daily == 0 && w.happens("comes back", i, 0.001) {
			h.daily = 0.5
		}
		if d := throw(w.options.Seed, "use", w.night, i); d.chance(h.daily) {
			w.use(i, d, began.Add(time.Duration(d.Int64N(int64(w.clock.Now().Sub(began))))))
			w.helpDesk(i)
		}
	}
}

// use lets somebody sign in at an instant and log on now.
func (w *World) use(i int, d dice, at time.Time) {
	p := w.box.Company.Person(i)
	if p.Entra != nil && p.Entra.Enabled == directory.Yes {
		if d.IntN(5) == 0 {
			w.people[i].late = append(w.people[i].late, at) // shown a day later
		} else {
			w.box.Company.SignInAt(i, at)
			w.Used(w.people[i].id, at, w.clock.Now(), e3)
		}
	}
	if p.AD != nil && d.IntN(3) > 0 {
		w.logOn(i)
	}
}

func (w *World) logOn(i int) {
	w.box.Company.LogOn(i)
	now := w.clock.Now().Truncate(time.Second)
	w.Used(w.people[i].id, now, now, citrix)
}

// helpDesk gives back by hand what somebody who is at work has lost.
func (w *World) helpDesk(i int) {
	h, p := &w.people[i], w.box.Company.Person(i)
	if h.wanted[citrix] && p.AD != nil && !inCitrix(p) && w.happens("help desk gives Citrix", i, 0.5) {
		w.byHand(func() { w.box.Company.SetMember(i, "Citrix Users", true) })
	}
	none := p.Entra != nil && !slices.ContainsFunc(p.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == skuE3 })
	if h.wanted[e3] && none && w.happens("help desk gives E3", i, 0.17) {
		w.byHand(func() { w.box.Company.SetMember(i, "LIC-M365-E3", true) })
	}
}

// byHand lets somebody else than the tool act.
func (w *World) byHand(act func()) {
	w.acts = somebodyElse
	act()
	w.acts = theTool
}

// named tells whether the policy exempts somebody by name.
func (w *World) named(upn string) bool {
	_, rest, _ := strings.Cut(w.policy, "exempt:")
	rest, _, _ = strings.Cut(rest, "limits:")
	return strings.Contains(rest, upn)
}

// except exempts somebody by name, as an administrator does on request.
func (w *World) except(i int) {
	p := w.box.Company.Person(i)
	if p.Entra == nil || w.named(p.Entra.UserPrincipalName) {
		return
	}
	w.policy = strings.Replace(w.policy, "users:  [", "users:  ["+p.Entra.UserPrincipalName+", ", 1)
	w.publish()
	w.observe(i)
}

// saw judges what happens in the company, at the moment it happens.
func (w *World) saw(e sandbox.Event) {
	if e.Person >= len(w.people) {
		return
	}
	h := &w.people[e.Person]
	license := ""
	switch {
	case e.Group == "LIC-M365-E3", e.SKU == skuE3 && w.moving == e.Person:
		license = e3
	case e.Group == "Citrix Users":
		license = citrix
	}
	if e.What != sandbox.LicenseGained && e.What != sandbox.LicenseLost {
		w.moving = -1
	}
	switch e.What {
	case sandbox.LicensesAssigned:
		w.moving = e.Person
	case sandbox.MemberAdded, sandbox.LicenseGained:
		if license != "" {
			w.story.Given++
			w.Given(h.id, license, e.At, e.At)
		}
	case sandbox.MemberRemoved, sandbox.LicenseLost:
		switch {
		case license == "":
		case w.acts == somebodyElse:
			w.Released(h.id, license)
		default:
			w.story.Removed++
			w.Removed(h.id, license, e.At)
		}
		if e.LostMailbox {
			w.Mailbox(h.id, e.At, 1, 0)
		}
	}
}
