package world

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// calmNights is the number of nights without faults at the end of a story. The product must finish its changes in these
// nights.
const calmNights = 6

// The method "settle" ends the story. It ends all faults, and all turns: temporary changes of the company, such as a
// renamed group. It then simulates the calm nights, after which no change may be unfinished. At last, it restores all
// licenses that were taken.
func (w *World) settle() {
	for _, t := range w.kinds {
		if _, out := w.out[t.kind]; out {
			w.mend(t)
		}
	}
	w.reunite()
	w.box.Company.SetReports(sandbox.Reports{})
	if w.premises != nil {
		w.premises.Calm()
	}
	if w.synced { // with a fast sync, a change ends in its own night, so the last night leaves no change unfinished
		w.box.Company.SetSyncDelay(calmSync)
	}
	w.observeAll()
	var last plan.Plan
	for range calmNights {
		w.night++
		w.calmDay()
		if w.waiting != "" {
			w.apply(w.waiting, false)
			w.waiting = ""
		}
		switch last = w.plan(); {
		case last.Verdict == plan.Hold && last.Overridable:
			w.accepted(last)
			w.apply(last.Run, true)
		case last.Run != "" && last.Verdict != plan.Hold:
			w.apply(last.Run, false)
		}
	}
	for _, b := range last.Pending {
		w.hear(judge.Event{What: judge.Lose, At: w.clock.Now(), Person: b.User, License: w.policy.own(b.License),
			Text: fmt.Sprintf("run %s began it, and it is still open: %s", b.Run, b.Reason)})
	}
	w.restoreAll()
}

// calmDay simulates a day without events. People use their licenses.
func (w *World) calmDay() {
	w.clock.pass(day)
	for i := range w.people {
		if h := &w.people[i]; h.id != "" && h.daily > 0.1 {
			w.use(i, throw(w.options.Seed, "use", w.night, i), w.clock.Now().Add(-time.Hour))
		}
	}
	w.endLeaves()
	w.show()
}

// restoreAll restores every run in w.runs, the last run first. This list lacks the runs for a single person. So
// restoreAll also restores by name each person who still lacks a license, except in a deployment. It is a fault if a
// license that was taken is not held again at the end. The method "missing" has the exceptions.
func (w *World) restoreAll() {
	began := w.clock.Now()
	for _, run := range slices.Backward(w.runs) {
		w.restore(run)
	}
	w.finish()
	if missing := w.missing(began); len(missing) > 0 && !w.serverless {
		for _, of := range missing {
			w.commands.call("restore", w.upn(of.person), "--yes")
		}
		w.finish()
	}
	for _, of := range w.missing(began) {
		w.hear(judge.Event{What: judge.Lose, At: w.clock.Now(), Person: w.people[of.person].id, License: of.license,
			Text: "taken on " + w.taken[of].Format(time.DateOnly) + ", and never restored"})
	}
}

// The method "finish" makes and applies more plans. These plans finish the changes that the restores left pending.
func (w *World) finish() {
	for range 4 {
		w.clock.pass(10 * time.Minute)
		w.apply(w.plan().Run, false)
	}
}

// The method "missing" returns the licenses that were taken and not given again. It omits people who can no longer hold
// the license, for example because their account was replaced. It also omits licenses that were taken after the time
// "began": the plans of the method "finish" may take them, and nobody restores them.
func (w *World) missing(began time.Time) (all []holding) {
	for _, of := range slices.SortedFunc(maps.Keys(w.taken), func(a, b holding) int {
		return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(a.license, b.license))
	}) {
		p, h := w.box.Company.Truth(of.person), w.people[of.person]
		_, lostGroup := w.out[map[string]string{e3: e3Again, citrix: citrixAgain}[of.license]]
		gone := lostGroup || p.EntraID == "" || of.license == citrix && p.SID == "" || of.license == premium && (p.SID == "" || h.split) || w.touched[of.person]
		held := map[string]bool{e3: len(p.E3) > 0, citrix: len(p.Citrix) > 0, salesforce: w.inApp(of.person), copilot: len(p.Copilot) > 0, premium: w.holdsPremium(of.person, p), exchange: w.holdsExchange(of.person, p)}[of.license]
		if !held && !gone && !h.nowhere && !w.taken[of].After(began) {
			all = append(all, of)
		}
	}
	return all
}
