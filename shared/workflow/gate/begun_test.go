package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// newer stands for a run that a newer version of idleseat made.
const newer = "newer"

// TestOpenChangesOfEarlierRuns: the plan lists the changes that earlier runs began and did not finish, each with the
// reason why it is not finished. A run for one person lists only the changes of that person.
func TestOpenChangesOfEarlierRuns(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		user  string // person whom the run is for: id, or id and SID; empty: everybody
		spoil string // key of the object that is damaged, or the constant "newer"
		want  []string
		lost  string // part of the note about a run that cannot go on
	}{
		"for one by the SID": {"id-dan dan", "", []string{"dan: begun, and nothing is known of it since"}, ""},
		"for everybody":      {"", "", []string{"ann: the relay is silent", "dan: begun, and nothing is known of it since"}, ""},
		"for one of them":    {"dan", "", []string{"dan: begun, and nothing is known of it since"}, ""},
		"for somebody else":  {"eve", "", nil, ""},
		"results are gone":   {"", "runs/earlier/results/entra-0001.json", []string{"ann: begun, and nothing is known of it since", "dan: begun, and nothing is known of it since"}, ""},
		"the plan is broken": {"", "runs/earlier/plan.json", []string{"ann: it waits for a restore", "dan: it waits for a restore"}, `its plan cannot be read: read the plan of run earlier: damaged object "runs/earlier/plan.json"`},
		"its data are lost":  {"", "runs/earlier/manifest.json", []string{"ann: it waits for a restore", "dan: it waits for a restore"}, `its data cannot be read: `},
		"newer version":      {"", newer, []string{"ann: it waits for a restore", "dan: it waits for a restore"}, `its data cannot be read: policy of run earlier:14:1: unknown key "later"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store.Store(&store.Memory{})
			old := earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"dan": "", "ann": "", "bob": ledger.Done})
			putResults(t, s, old)
			goesOn(t, s, "earlier")
			if tc.spoil == newer {
				earlier.Newer(t, s, "earlier")
			} else if tc.spoil != "" {
				if err := store.PutBytes(t.Context(), s, tc.spoil, []byte("{")); err != nil {
					t.Fatal(err)
				}
			}
			e := quiet()
			e.user = tc.user
			if id, sid, both := strings.Cut(tc.user, " "); tc.user != "" {
				if !both {
					sid = "S-" + id
				}
				e.partitions[0] = []plan.Decision{{User: id, SID: sid, Rule: "m365", License: "e3"}}
			}
			e.taken = []ledger.Intent{{Person: "zoe", License: "e3", Run: "r9", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)}} // any entry: only with one, putInto makes the digest of earlier runs
			e.putInto(t, s)
			p, err := Run(t.Context(), s, "run", clock)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range p.Pending {
				reason, _, _ := strings.Cut(b.Reason, ": its ")
				got = append(got, b.User+": "+reason)
				if b.Run != "earlier" || b.License != "e3" || b.To != "exo" || b.UserPrincipalName != b.User+"@x.example" || !b.Since.Equal(asOf) {
					t.Errorf("%+v", b)
				}
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			resumes := []string{"earlier"}
			if tc.want == nil || tc.lost != "" {
				resumes = nil
			}
			if d := cmp.Diff(resumes, p.Resumes); d != "" {
				t.Errorf("resumes (-want +got):\n%s", d)
			}
			noted := slices.ContainsFunc(p.Notes, func(n string) bool {
				return strings.HasPrefix(n, "run earlier cannot finish what it began: "+tc.lost) && strings.HasSuffix(n, "; `idleseat restore --run earlier` rolls that back by the ledger")
			})
			if noted != (tc.lost != "") {
				t.Errorf("notes %q", p.Notes)
			}
		})
	}
}

// TestOrderOfOpenChanges: two plans of the same data must be the same, so the plan lists the unfinished changes of
// earlier runs in a fixed order.
func TestOrderOfOpenChanges(t *testing.T) {
	t.Parallel()
	s := store.Store(&store.Memory{})
	var want []string
	for _, one := range []struct {
		run   string
		users []string
	}{{"r1", []string{"bob", "dan", "fay"}}, {"r2", []string{"ann", "cid", "eve"}}} {
		for _, user := range one.users {
			for _, license := range []string{"citrix", "e3"} {
				if _, err := ledger.In(s).Begin(t.Context(), ledger.Intent{Person: user, License: license, Run: one.run, Rule: "m365", Via: "direct", At: asOf}, nil); err != nil {
					t.Fatal(err)
				}
				want = append(want, strings.Join([]string{one.run, user, license}, " "))
			}
		}
	}
	var err error
	e := quiet()
	if e.history, err = history.MakeDigest(t.Context(), s, "run", asOf); err != nil {
		t.Fatal(err)
	}
	e.putInto(t, s)
	p, err := Run(t.Context(), s, "run", clock)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range p.Pending {
		got = append(got, strings.Join([]string{b.Run, b.User, b.License}, " "))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWhatIsLost(t *testing.T) {
	t.Parallel()
	j := inDoubt(t, func(j *judgement) {
		j.Begin.Lost, j.sum.Lost = []string{"plan of r1 is damaged"}, []string{"a part of r2 is damaged"}
		j.lost = map[string]error{"r4": errDown, "r3": errDown}
	})
	want := []string{
		"plan of r1 is damaged; what it found under the names of the policy is not known, and an older run's list counts",
		"memory of an earlier run is lost: a part of r2 is damaged",
		"run r3 cannot finish what it began: down; `idleseat restore --run r3` rolls that back by the ledger",
		"run r4 cannot finish what it began: down; `idleseat restore --run r4` rolls that back by the ledger",
	}
	if d := cmp.Diff(want, j.losses()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := inDoubt(t, nil).losses(); len(got) != 0 {
		t.Errorf("a run that read everything lost %q", got)
	}
}

func putResults(t *testing.T, s store.Store, p *plan.Plan) {
	t.Helper()
	said := &runs.Results{Run: p.Run, PlanHash: p.PlanHash}
	for i := range p.Changes {
		note := ""
		if p.Changes[i].User == "ann" {
			note = "the relay is silent"
		}
		said.Set(runs.ResultOf(&p.Changes[i], runs.Pending, note))
	}
	if err := runs.PutResults(t.Context(), s, "entra-0001", said); err != nil {
		t.Fatal(err)
	}
}

// TestHeldNightGoesBack: a scheduled run whose plan is on hold finishes only changes that return a license. If there
// are none, it ends at once.
func TestHeldNightGoesBack(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"", "dan", "cid", "dan, asked for"} {
		back, _, asked := strings.Cut(how, ", ")
		s := store.Store(&store.Memory{})
		old := earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": "", "dan": ""})
		goesOn(t, s, "earlier")
		book := ledger.In(s)
		dan, err := book.Latest(t.Context(), "dan", "e3")
		switch {
		case err == nil && asked:
			err = history.Stop(t.Context(), s, "earlier", "dan", "mine", clock)
		case err == nil && back == "dan":
			_, err = book.RollBack(t.Context(), dan, ledger.Mark{Outcome: ledger.RolledBack, Why: "signed in"})
		}
		if err != nil {
			t.Fatal(err)
		}
		want := Batches{Entra: []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Back}}, AD: []Batch{}}
		if back == "cid" { // a restore that another run has begun
			again := earlier.Run(t, s, "again", nil)
			again.Changes = []plan.Change{{User: "cid", License: "e3", Via: plan.Direct, Rule: plan.RestoreRule, RestoreOf: "r9"}}
			again.Bind()
			_, err := book.Begin(t.Context(), ledger.Intent{Person: "cid", License: "e3", Run: "again", Rule: plan.RestoreRule, RestoreOf: "r9", Via: "direct", At: asOf}, nil)
			planned := &history.Planned{Run: "again", Touches: []history.Touch{{User: "cid", License: "e3"}}}
			if err := errors.Join(err, runs.PutPlan(t.Context(), s, again, runs.Nobody), history.PutPlanned(t.Context(), s, planned, true)); err != nil {
				t.Fatal(err)
			}
			goesOn(t, s, "again")
			want.Entra[0].Run, want.Entra[0].PlanHash = "again", again.PlanHash
		}
		e := quiet()
		e.partitions[0], e.scheduled = []plan.Decision{reclaim("a", 70)}, true
		e.text, e.tallies[0].Reclaim = enforced(text), 11
		e.taken = []ledger.Intent{{Person: "zoe", License: "e3", Run: "r9", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)}} // any entry: only with one, putInto makes the digest of earlier runs
		e.putInto(t, s)
		steps := stepsOn(s)
		out := steps.gated(t, false)
		if back == "" {
			if out.Go || out.Unapproved || out.Verdict != plan.Hold {
				t.Errorf("nothing returns: %+v", out)
			}
			continue
		}
		if d := cmp.Diff(want, out.Batches); d != "" || !out.Go || out.Verdict != plan.Hold || sum(out.Resumed) != 1 {
			t.Fatalf("%s: goes on %t, %s, resumes %v, batches (-want +got):\n%s", back, out.Go, out.Verdict, out.Resumed, d)
		}
		last, err := book.Latest(t.Context(), back, "e3")
		if err != nil || book.Complete(t.Context(), last, ledger.Completion{Outcome: ledger.RolledBack}) != nil {
			t.Fatal(err)
		}
		out, err = steps.Do(t.Context(), StepInput{Op: "settle", Run: "run", Unapproved: out.Unapproved})
		if err != nil || out.Go || sum(out.Resumed) != 1 || out.Resumed[runs.Kept] != 1 || steps.told(t, out).Notice.Outcome != Held {
			t.Errorf("%s, returned: %+v, %v", back, out, err)
		}
	}
}

// TestEveryNightGoesBackFirst: a night that is not on hold first finishes changes that return a license, in batches of
// their own. No fault of another change can stop them. If the earlier run began only such changes, it gets no further
// batch.
func TestEveryNightGoesBackFirst(t *testing.T) {
	t.Parallel()
	for _, begun := range []map[string]ledger.Outcome{{"ann": "", "dan": ""}, {"dan": ""}} {
		nightGoesBackFirst(t, begun)
	}
}

func nightGoesBackFirst(t *testing.T, begun map[string]ledger.Outcome) {
	t.Helper()
	s := store.Store(&store.Memory{})
	old := earlier.Run(t, s, "earlier", begun)
	goesOn(t, s, "earlier")
	if err := history.Stop(t.Context(), s, "earlier", "dan", "mine", clock); err != nil {
		t.Fatal(err)
	}
	e := quiet()
	e.partitions[0], e.scheduled, e.text = []plan.Decision{reclaim("a", 70)}, true, enforced(text)
	e.taken = []ledger.Intent{{Person: "zoe", License: "e3", Run: "r9", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)}} // any entry: only with one, putInto makes the digest of earlier runs
	e.putInto(t, s)
	steps := stepsOn(s)
	out := steps.gated(t, false)
	want := []Batch{
		{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Back},
		{Run: "run", PlanHash: out.PlanHash, Batch: "entra-0001"},
		{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Begun},
	}[:1+len(begun)]
	if d := cmp.Diff(want, out.Batches.Entra); d != "" || out.Verdict != plan.Apply || sum(out.Resumed) != len(begun) {
		t.Errorf("%s, resumes %v, batches (-want +got):\n%s", out.Verdict, out.Resumed, d)
	}
	out, err := steps.Do(t.Context(), StepInput{Op: "settle", Run: "run", Round: 1})
	if err != nil || cmp.Diff(want, out.Batches.Entra) != "" || sum(out.Resumed) != len(begun) {
		t.Errorf("the next round: %+v, %v", out, err)
	}
	steps.Policy = func(context.Context) (string, error) {
		return strings.Replace(e.text, "mode: enforce", "mode: audit", 1), nil
	}
	out, err = steps.Do(t.Context(), StepInput{Op: "settle", Run: "run", Round: 2})
	if err != nil || slices.ContainsFunc(out.Batches.Entra, func(b Batch) bool { return b.Scope == runs.Back }) {
		t.Errorf("the policy is in mode audit by now: %+v, %v", out, err)
	}
}

// TestFaultedNightGoesBack: a scheduled run cannot be evaluated, so it is on hold. It still finishes the changes of
// earlier runs that return a license.
func TestFaultedNightGoesBack(t *testing.T) {
	t.Parallel()
	fault := Failure{"E", "for good"}
	for name, in := range map[string]StepInput{
		"a partition": {Op: "gate", Run: "run", Evaluated: []Evaluated{{Failure: &fault}}},
		"all":         {Op: "hold", Run: "run", Failure: fault},
	} {
		for _, scheduled := range []bool{false, true} {
			s := store.Store(&store.Memory{})
			old := earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": "", "dan": ""})
			goesOn(t, s, "earlier")
			if err := history.Stop(t.Context(), s, "earlier", "dan", "mine", clock); err != nil {
				t.Fatal(err)
			}
			e := quiet()
			e.text, e.scheduled = enforced(text), scheduled
			e.taken = []ledger.Intent{{Person: "zoe", License: "e3", Run: "r9", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)}} // any entry: only with one, putInto makes the digest of earlier runs
			e.putInto(t, s)
			out, err := stepsOn(s).Do(t.Context(), in)
			if err != nil || out.Go != scheduled || out.Verdict != plan.Hold || out.Begun != 2 || out.Changes != 0 {
				t.Fatalf("%s, scheduled %t: %+v, %v", name, scheduled, out, err)
			}
			if !scheduled {
				continue
			}
			want := Batches{Entra: []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Back}}, AD: []Batch{}}
			if d := cmp.Diff(want, out.Batches); d != "" || !out.Unapproved || out.Resumed[runs.Pending] != 1 {
				t.Errorf("%s: %+v, batches (-want +got):\n%s", name, out, d)
			}
		}
	}
}
