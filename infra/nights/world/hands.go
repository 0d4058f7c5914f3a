package world

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/infra/nights/weather"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The method "pending" makes events happen to people whose change is pending.
func (w *World) pending(r runs.Results) {
	for _, x := range r.Results {
		i, known := w.number(x.User)
		if !known || x.Status != runs.Pending {
			continue
		}
		if w.happens("signs in while it is pending", i, 0.1) {
			w.use(i, throw(w.options.Seed, "pending", w.night, i), w.clock.Now())
		}
		if w.happens("exempted while it is pending", i, 0.02) {
			w.except(i, true)
		}
		w.regroupedWhilePending(i, w.policy.own(x.License))
	}
	w.show()
}

// The method "breaks" sometimes makes Graph close connections during an apply. The product then cannot know whether a
// write was carried out.
func (w *World) breaks() {
	if len(w.changing) > 0 && w.happens("Graph breaks while a plan is applied", -1, 0.1) {
		w.begin(weather.Plan{
			Night: w.night, Often: 0.35,
			Kinds: slices.Concat(w.weather.Tonight(), []weather.Kind{weather.GraphReset, weather.Graph502, weather.GraphStalled}),
		})
	}
}

// The method "stopped" makes events happen while the product's process is frozen for hours.
func (w *World) stopped() {
	for _, i := range w.changing {
		if w.happens("signs in while the tool is stopped", i, 0.7) {
			w.use(i, throw(w.options.Seed, "stopped", w.night, i), w.clock.Now())
		}
	}
	w.show()
}

// onHold handles a plan on hold, as an administrator does. The administrator may first correct names in the policy. The
// administrator sometimes applies the plan without an override, and the product must refuse this apply. If the plan can
// be overridden, the administrator often overrides the limits.
func (w *World) onHold(p plan.Plan) {
	w.correct(p)
	if w.happens("an administrator applies a held plan", -1, 0.3) {
		w.apply(p.Run, false)
	}
	if p.Overridable && w.happens("an administrator overrides the limits", -1, 0.8) {
		w.accepted(p)
		w.approved(p, true)
	}
}

// The method "accepted" tells the judge that an administrator accepts the removals of a plan beyond the limits. The
// judge receives an event for each license that a person has not used within the idle period. These licenses include
// licenses whose removal must still be announced, and licenses of people whose grace period is not over.
func (w *World) accepted(p plan.Plan) {
	w.planned(p)
	now := w.clock.Now()
	for i := range w.people {
		id, truth := w.people[i].id, w.box.Company.Truth(i)
		last := map[string]time.Time{e3: truth.LastSignIn, citrix: truth.LastLogon, salesforce: truth.LastSignIn, copilot: truth.LastSignIn, premium: truth.LastSignIn, exchange: truth.LastSignIn}
		for _, license := range w.licenses() {
			last := last[license]
			if idle := time.Duration(w.policy.idle[license]) * day; id != "" && now.Sub(last) > idle {
				w.hear(judge.Event{What: judge.Accepted, At: now, Person: id, License: license})
			}
		}
	}
}

// The method "wave" makes many people leave on one day, as when a company closes a site. The people work until this
// day, so all their licenses become idle in one night. In 35 % of the companies, there are two waves of similar size.
// The first wave is before night 0, and the second wave is before one of the nights 8 to 17. The licenses of the second
// wave become idle soon after an administrator may have accepted the removals of the first wave.
func (w *World) wave() {
	d := throw(w.options.Seed, "waves")
	if !d.chance(0.35) || w.night != 0 && w.night != 8+d.IntN(10) || !w.happens("many leave at once", -1, 1) {
		return
	}
	share := 0.3 // share of the remaining people
	if w.night > 0 {
		share = 0.43
	}
	for i := range w.people {
		if d := throw(w.options.Seed, "wave", w.night, i); d.chance(share) && w.people[i].daily > 0.1 {
			w.use(i, d, w.clock.Now())
			w.people[i].daily = 0
		}
	}
}

// The function "swap" moves the Citrix group to another DN, and moves groupOnPrem to the former DN of the Citrix group.
func swap(w *World) {
	w.box.Company.ChangeADGroup(groupCitrix, sandbox.ADGroupChange{DN: "CN=Citrix Users,OU=Swapped," + sandbox.BaseDN})
	w.box.Company.ChangeADGroup(groupOnPrem, sandbox.ADGroupChange{DN: sandbox.CitrixGroup})
}

func swapBack(w *World) {
	w.box.Company.ChangeADGroup(groupOnPrem, sandbox.ADGroupChange{})
	w.box.Company.ChangeADGroup(groupCitrix, sandbox.ADGroupChange{})
}

// groupOnPrem is a group in both directories. It gives E3. In a company with a synced group of Entra ID P2, it gives
// Entra ID P2 instead.
const groupOnPrem = "LIC-E3-OnPrem"
