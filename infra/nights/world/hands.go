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

// The method "pending" sometimes makes people sign in, exempts them, or changes their groups while their change is
// pending.
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

// The method "breaks" sometimes makes Graph break connections, stall, or answer with status 502 during an apply. The
// product then cannot know whether a write was carried out.
func (w *World) breaks() {
	if len(w.changing) > 0 && w.happens("Graph breaks while a plan is applied", -1, 0.1) {
		w.begin(weather.Plan{
			Night: w.night, Often: 0.35,
			Kinds: slices.Concat(w.weather.Tonight(), []weather.Kind{weather.GraphReset, weather.Graph502, weather.GraphStalled}),
		})
	}
}

// The method "stopped" makes people sign in while the product's process is frozen for hours. When the process
// continues, it must not make the changes that it decided before.
func (w *World) stopped() {
	for _, i := range w.changing {
		if w.happens("signs in while the tool is stopped", i, 0.7) {
			w.use(i, throw(w.options.Seed, "stopped", w.night, i), w.clock.Now())
		}
	}
	w.show()
}

// The method "remembersHold" counts the plans in a row that are on hold for a reason that nobody can override. A night
// without a plan changes nothing, because the administrator remembers the hold.
func (w *World) remembersHold(p plan.Plan) {
	switch {
	case p.Verdict == "":
	case p.Verdict == plan.Hold && !p.Overridable:
		w.held++
	default:
		w.held = 0
	}
}

// The constant "patient" is how many plans in a row must be on hold, for a reason that nobody can override, before an
// administrator acts. The administrator then accepts unhealthy feeds, or corrects names in the policy.
const patient = 3

// The method "accepts" reports whether an administrator accepts unhealthy feeds in this night. A feed is all dates of
// one kind in a run, such as all sign-in dates. An administrator does so only after several nights on hold, in a night
// without faults, and while no temporary change of the company is active.
func (w *World) accepts() bool {
	for _, t := range w.kinds {
		if _, out := w.out[t.kind]; out && t.days != forGood {
			return false
		}
	}
	return w.held >= patient && len(w.weather.Tonight()) == 0 && w.happens("an administrator accepts the sources", -1, 1)
}

// onHold does what an administrator does about a plan on hold. The administrator may first correct names in the policy.
// Sometimes the administrator tries to apply the plan as it is, and the product must refuse. If only the limits put the
// plan on hold, the administrator often overrides them.
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

// The method "accepted" tells the judge that an administrator overrides the limits of a plan. It sends an event for
// each license of each person that is unused for longer than the idle period. An override also accepts the removal of
// such a license if the removal is not announced yet, or if the person is in a grace period.
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

// The method "wave" makes many people leave on one day, as when a company closes a site. They work until this day, so
// their licenses all become idle in one night. In 35 % of the companies, there are two such days: before night 0, and
// before one of the nights 8 to 17. When the second group becomes idle, an administrator may just have accepted the
// removals of the first group.
func (w *World) wave() {
	d := throw(w.options.Seed, "waves")
	if !d.chance(0.35) || w.night != 0 && w.night != 8+d.IntN(10) || !w.happens("many leave at once", -1, 1) {
		return
	}
	share := 0.3 // share of the people who still work
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

// The function "swap" moves the Citrix group to another DN, and then moves groupOnPrem to the DN that the Citrix group
// had.
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
