package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/infra/nights/weather"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// The method "work" makes the product do the work of a night: apply a plan that was approved late, make a plan, and
// apply the new plan. Events happen between the plan and the apply.
func (w *World) work() {
	if w.night > 0 { // the first night is calm, because the product needs a good reading with which it compares later readings
		p := w.weather.Plan(w.night, 1)
		p.Kinds = append(p.Kinds, w.weather.Spell(w.night)...)
		w.begin(p)
	}
	if kinds := w.weather.Tonight(); len(kinds) > 0 {
		w.logf("weather: %v", kinds)
	}
	w.show()
	defer w.begin(weather.Plan{})
	if w.waiting != "" {
		w.apply(w.waiting, false)
		w.waiting = ""
	}
	p := w.plan()
	switch {
	case p.Run == "":
	case p.Verdict == plan.Hold:
		w.onHold(p)
	case w.happens("the approval comes a day late", -1, 0.05):
		w.waiting = p.Run
	default:
		w.approved(p, false)
	}
}

// The method "begin" starts the faults of a night in the product's process and in the processes of the relays. The
// argument lists these faults. With an empty list, all faults end.
func (w *World) begin(p weather.Plan) {
	w.weather.Begin(p)
	if w.nearby != nil {
		w.nearby.Begin(p)
	}
}

// The method "approved" applies a plan up to 90 minutes after the plan was made. Events may happen before and after the
// apply.
func (w *World) approved(p plan.Plan, override bool) {
	w.clock.pass(time.Duration(throw(w.options.Seed, "approval", w.night).IntN(90)) * time.Minute)
	w.meanwhile(p)
	w.breaks()
	w.apply(p.Run, override)
	w.byTheWay()
	w.strange()
}

// The method "meanwhile" sometimes makes people in a plan sign in, or changes them in other ways, before the apply. The
// product must notice this.
func (w *World) meanwhile(p plan.Plan) {
	for i := range w.people {
		id := w.people[i].id
		if id == "" || !slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.User == id }) {
			continue
		}
		if w.happens("logs on before the write", i, 0.05) {
			w.logOn(i)
		}
		if w.happens("signs in before the write", i, 0.05) {
			w.use(i, throw(w.options.Seed, "sign-in", w.night, i), w.clock.Now())
		}
		if w.happens("exempted before the write", i, 0.02) {
			w.except(i, true)
		}
		if w.happens("blocked before the write", i, 0.02) {
			w.box.Company.SetEnabled(i, false)
			w.observe(i)
		}
		w.regroupedBeforeWrite(i)
		w.losesExchange(i)
	}
	w.show()
	w.clock.pass(judge.Slack + time.Second)
}

// byTheWay sometimes makes administrators restore a run or evaluate one person.
func (w *World) byTheWay() {
	if len(w.runs) > 0 && w.happens("a run is restored", -1, 0.01) {
		d := throw(w.options.Seed, "which run", w.night)
		w.restore(w.runs[d.IntN(len(w.runs))])
	}
	for i := range w.people {
		// A script has removed the people in w.gone from the exempt group. A run for one person does not list the
		// members of groups, so it cannot know of this loss (docs/policy.md). The administrators ask for no such run.
		if upn := w.upn(i); !w.serverless && upn != "" && !w.gone[i] && w.happens("one person is asked about", i, 0.0005) {
			w.one(i, upn)
		}
	}
}

// The method "restore" restores a run on behalf of an operator.
func (w *World) restore(run string) {
	w.operate(true)
	defer w.operate(false)
	w.tool.restore(run)
}

func (w *World) operate(wished bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wished = wished
}

// The method "one" runs the command reevaluate --apply for one person. If the command prints no results, for example
// because it was killed, nobody knows which removals it announced. The method then tells the judge that the command
// announced the removal of each license of the person.
func (w *World) one(i int, upn string) {
	began := w.clock.Now()
	for _, license := range w.licenses() {
		w.hear(judge.Event{What: judge.Planned, At: w.clock.Now(), Person: w.people[i].id, License: license})
		w.hear(judge.Event{What: judge.Accepted, At: w.clock.Now(), Person: w.people[i].id, License: license})
	}
	out, _, _ := w.commands.call("reevaluate", upn, "--apply", "--format", "json")
	var r runs.Results
	if json.Unmarshal(out, &r) == nil {
		w.announced(began, r.Run, r, false)
		return
	}
	for _, license := range w.licenses() {
		w.hear(judge.Event{What: judge.Told, At: began, Person: w.people[i].id, License: license})
	}
}

// The method "plan" makes a plan and tells the judge the verdict and the changes of the plan.
func (w *World) plan() plan.Plan {
	p, err := w.tool.plan(w.accepts())
	verdict, reasons := string(p.Verdict), p.HoldReasons
	if verdict == "" && err != nil {
		verdict, reasons = judge.Failed, []string{err.Error()}
	}
	w.story.Verdicts[verdict]++
	w.remembersHold(p)
	w.hear(judge.Event{What: judge.Night, At: w.clock.Now(), Text: verdict, Reasons: reasons, Unread: w.unread(p)})
	if p.Verdict != plan.Hold {
		w.planned(p)
	}
	w.changing = w.changing[:0]
	for _, c := range p.Changes {
		if i, known := w.number(c.User); known {
			w.changing = append(w.changing, i)
		}
	}
	w.notices[p.Run], w.hashes[p.Run] = p.Notices, p.PlanHash
	w.logf("plan %s: %s, %d changes, %d announced, %d pending, held by %q", p.Run, verdict, len(p.Changes), len(p.Notices), len(p.Pending), reasons)
	return p
}

// The method "unread" returns the licenses whose rules read a directory that was not healthy in the run. The rule for
// Citrix reads Active Directory, the rule for Entra ID P2 reads both directories, and the other rules read Entra ID.
func (w *World) unread(p plan.Plan) (licenses []string) {
	for _, license := range w.licenses() {
		source := "entra"
		if license == citrix {
			source = "ad"
		}
		if p.Sources[source].State != plan.Healthy || license == premium && p.Sources["ad"].State != plan.Healthy {
			licenses = append(licenses, license)
		}
	}
	return licenses
}

// The method "planned" tells the judge which removals a plan contains. It includes removals that an earlier run began,
// and that the plan finishes.
func (w *World) planned(p plan.Plan) {
	for _, b := range p.Pending {
		if b.Rule != plan.RestoreRule {
			w.about(b.User, judge.Event{What: judge.Planned, At: w.clock.Now(), License: b.License})
		}
	}
	for _, c := range p.Changes {
		if c.RestoreOf == "" {
			w.about(c.User, judge.Event{What: judge.Planned, At: w.clock.Now(), License: c.License})
		}
	}
}

// The method "about" tells the judge an event about a person. The parameter "user" is the product's key of the person.
// The event may name the license as the policy names it now or named it before. The judge gets the world's own name.
func (w *World) about(user string, e judge.Event) {
	e.License = w.policy.own(e.License)
	if i, known := w.number(user); known {
		e.Person = w.people[i].id
		w.hear(e)
	}
}

// The method "number" returns the index of the person whose key in the product is "user", and false if there is no such
// person.
func (w *World) number(user string) (int, bool) {
	i := slices.IndexFunc(w.people, func(h human) bool { return h.id != "" && (h.id == user || h.told.sid == user) })
	return i, i >= 0
}

// The method "apply" applies a run again and again until no change is pending, but at most six times. If "run" is
// empty, it does nothing.
func (w *World) apply(run string, override bool) {
	if run == "" {
		return
	}
	w.runs = append(w.runs, run)
	for round := range 6 {
		began := w.clock.Now()
		r, refused, err := w.tool.apply(run, w.hashes[run], override)
		ended := refused && round > 0 // an earlier call finished, but the answer to the earlier call was lost
		w.announced(began, run, r, ended || err != nil && !refused)
		w.logf("apply %s: %s, %v", run, counts(r), err)
		for _, x := range r.Results {
			if x.Status == runs.Failed || x.Status == runs.Kept {
				w.logf("  %s %s %s: %s", x.User, x.License, x.Status, x.Note)
			}
		}
		if r.Count(runs.Pending) == 0 {
			return
		}
		if round == 0 {
			w.pending(r)
		}
		w.clock.pass(5 * time.Minute)
	}
}

// The method "announced" tells the judge which removals an apply has announced, and which changes are pending. If
// "unknown" is set, nobody knows what the apply announced, and the judge counts all notices of the plan as announced.
// All announcements get the time at which the apply began. If the machine was frozen during the apply, nobody knows the
// true time.
func (w *World) announced(began time.Time, run string, r runs.Results, unknown bool) {
	for _, x := range r.Results {
		if x.Status == runs.Announced {
			w.about(x.User, judge.Event{What: judge.Told, At: began, License: x.License})
		}
		w.about(x.User, judge.Event{What: judge.Pending, At: w.clock.Now(), License: x.License, Holds: x.Status == runs.Pending})
		if x.Status == runs.Pending && strings.HasPrefix(x.Note, "left the source group") {
			w.about(x.User, judge.Event{What: judge.Freed, At: w.clock.Now(), License: x.License})
		}
	}
	w.ended(r)
	if unknown {
		for _, c := range w.notices[run] {
			w.about(c.User, judge.Event{What: judge.Told, At: began, License: c.License})
		}
	}
}

// The function "counts" returns the number of changes by status, as text.
func counts(r runs.Results) string {
	var parts []string
	for _, s := range []runs.Status{runs.Done, runs.Announced, runs.Pending, runs.Kept, runs.Refused, runs.Failed} {
		if n := r.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, n))
		}
	}
	return strings.Join(parts, ", ")
}
