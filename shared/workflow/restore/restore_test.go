package restore

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

func TestWhatAnEntryMeansForARestore(t *testing.T) {
	t.Parallel()
	since := asOf.AddDate(0, 0, -90)
	entry := func(run, back string, o ledger.Outcome) *ledger.Entry {
		e := &ledger.Entry{Intent: ledger.Intent{Person: "ann", SID: "S-1", UserPrincipalName: "ann@x.example", License: "e3", To: "exo", Run: run, RestoreOf: back, Rule: "m365", Via: "direct", MonthlySaving: 35, IdleSince: &since, At: asOf}}
		if o != "" {
			e.Completion = &ledger.Completion{Outcome: o}
		}
		return e
	}
	put := func(reason string, saving float64) []plan.Change {
		return []plan.Change{{User: "ann", SID: "S-1", UserPrincipalName: "ann@x.example", Rule: plan.RestoreRule, License: "e3", To: "exo", Via: plan.Direct, Reason: reason, IdleSince: &since, MonthlySaving: saving, RestoreOf: "r0"}}
	}
	finish := func(run, back string) []plan.Change {
		c := put("finish what run "+run+" had begun to restore", 35)
		c[0].RestoreOf = back
		return c
	}
	open := func(run string) []plan.Begun {
		return []plan.Begun{{User: "ann", UserPrincipalName: "ann@x.example", Rule: "m365", License: "e3", To: "exo", Run: run, Since: asOf, Reason: "to be restored", Back: true}}
	}
	for name, tc := range map[string]struct {
		entry *ledger.Entry
		user  string
		lost  string // the run that can no longer go on
		want  found
	}{
		"taken":                          {entry("r0", "", ledger.Done), "", "", found{changes: put("restore what run r0 took", -35)}},
		"taken by another run":           {entry("r1", "", ledger.Done), "", "", found{}},
		"restored":                       {entry("r9", "r0", ledger.Done), "", "", found{back: 1}},
		"restored from another run":      {entry("r9", "r1", ledger.Done), "", "", found{}},
		"the restore itself, over":       {entry("r0", "r1", ledger.Done), "", "", found{back: 1}},
		"came to nothing":                {entry("r0", "", ledger.Failed), "", "", found{back: 1}},
		"announced":                      {entry("r0", "", ledger.Announced), "", "", found{back: 1}},
		"restored by somebody":           {entry("r0", "", ledger.Restored), "", "", found{back: 1}},
		"a restore that came to nothing": {entry("r9", "r0", ledger.Failed), "", "", found{back: 1}},
		"begun":                          {entry("r0", "", ""), "", "", found{resumes: []string{"r0"}, pending: open("r0")}},
		"begun, for one person":          {entry("r0", "", ""), "ann", "", found{resumes: []string{"r0"}, pending: open("r0")}},
		"begun, its data are lost":       {entry("r0", "", ""), "", "r0", found{changes: put("roll back what run r0 had begun", 0)}},
		"begun, lost, for one person":    {entry("r0", "", ""), "ann", "r0", found{changes: put("roll back what run r0 had begun", 0)}},
		"begun by another run":           {entry("r1", "", ""), "", "", found{}},
		"on its way back":                {entry("r9", "r0", ""), "", "", found{resumes: []string{"r9"}, pending: open("r9")}},
		"on its way back, lost":          {entry("r9", "r0", ""), "ann", "r0", found{resumes: []string{"r9"}, pending: open("r9")}},
		"on its way back for another":    {entry("r9", "r1", ""), "", "", found{}},
		"the restore itself, begun":      {entry("r0", "r1", ""), "", "", found{resumes: []string{"r0"}, pending: open("r0")}},
		"the restore is lost":            {entry("r9", "r0", ""), "", "r9", found{changes: finish("r9", "r0")}},
		"the restore is lost, for one":   {entry("r9", "r0", ""), "ann", "r9", found{changes: finish("r9", "r0")}},
		"a lost restore, restored":       {entry("r0", "r1", ""), "", "r0", found{changes: finish("r0", "r1")}},
	} {
		var got found
		if err := got.note(tc.entry, Request{Of: "r0", User: tc.user}, func(run string) (bool, error) { return run == tc.lost, nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(tc.want, got, cmp.AllowUnexported(found{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		err := (&found{}).note(tc.entry, Request{Of: "r0", User: tc.user}, func(string) (bool, error) { return false, errDown })
		if asks := tc.entry.Completion == nil && (tc.entry.Run == "r0" || tc.entry.RestoreOf == "r0"); errors.Is(err, errDown) != asks {
			t.Errorf("%s, and the data cannot be looked at: %v", name, err)
		}
	}
}

// TestRestorePlan: the plan of a restore has the mode of the policy. For mode audit, it has the mode review.
func TestRestorePlan(t *testing.T) {
	t.Parallel()
	for mode, want := range map[policy.Mode]struct {
		mode    policy.Mode
		verdict plan.Verdict
	}{policy.Audit: {policy.Review, plan.Review}, policy.Review: {policy.Review, plan.Review}, policy.Enforce: {policy.Enforce, plan.Apply}} {
		s := storeWithRun(t)
		earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done, "bob": ledger.Done, "cid": ""})
		if err := store.PutBytes(t.Context(), s, "ledger/dan/e3/000001.json", []byte("{")); err != nil {
			t.Fatal(err)
		}
		if err := history.PutPlanned(t.Context(), s, &history.Planned{Run: "earlier", Touches: []history.Touch{{User: "bob", License: "e3"}, {User: "ann", License: "e3"}, {User: "cid", License: "e3"}, {User: "dan", License: "e3"}, {User: "eve", License: "e3"}}}, true); err != nil {
			t.Fatal(err)
		}
		in := Request{Of: "earlier", Run: "mine", Policy: strings.Replace(text, "mode: review", "mode: "+string(mode), 1)}
		p, err := Plan(t.Context(), s, in, clock)
		if err != nil {
			t.Fatal(err)
		}
		absent := plan.Feed{State: plan.Absent, Reason: "a restore reads nobody"}
		if d := cmp.Diff(map[string]plan.Feed{"entra": absent, "ad": absent}, p.Sources); d != "" {
			t.Errorf("sources (-want +got):\n%s", d)
		}
		if p.Mode != want.mode || p.Verdict != want.verdict || p.MonthlySaving != -70 || p.Restores != "earlier" || p.PlanHash != p.Hash() || p.HoldReasons == nil {
			t.Errorf("%s: %+v", mode, p)
		}
		if len(p.Unreadable) != 1 || !strings.Contains(p.Unreadable[0], "ledger/dan/e3/000001.json") || !slices.Equal(p.Notes, []string{"not restored: " + p.Unreadable[0]}) {
			t.Errorf("unreadable: %q, notes: %q", p.Unreadable, p.Notes)
		}
		if users(p.Changes) != "bob ann cid" { // without a manifest the run cannot go on, so the restore rolls back the open change of cid
			t.Errorf("changes of %q", users(p.Changes))
		}
		kept, err := runs.GetPlan(t.Context(), s, "mine")
		if d := cmp.Diff(p, kept, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Errorf("%v (-made +kept):\n%s", err, d)
		}
		table, err := store.GetBytes(t.Context(), s, layout.Changes("mine"), 1<<10)
		if lines := strings.Count(string(table), "\n"); err != nil || lines != 4 {
			t.Errorf("changes.csv has %d lines, want its titles and three changes: %v", lines, err)
		}
		left, err := history.GetPlanned(t.Context(), s, "mine")
		if err != nil || len(left.Touches) != 3 {
			t.Errorf("left for later runs: %+v, %v", left, err)
		}
		if newest, err := history.Newest(t.Context(), s, clock); newest != "earlier" || err != nil {
			t.Errorf("the newest run for everybody is %q, %v", newest, err)
		}
		if again, err := Plan(t.Context(), s, in, clock); err != nil || again.PlanHash != p.PlanHash {
			t.Errorf("a repeated step: %+v, %v", again, err)
		}
	}
}

// TestRestoreOfWhatIsUnreadable: the error names ledger entries that cannot be read. It is neither ErrNothing nor
// runs.ErrNoPlan, because these entries may be of the run.
func TestRestoreOfWhatIsUnreadable(t *testing.T) {
	t.Parallel()
	s := storeWithRun(t)
	earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Failed})
	if p, err := Plan(t.Context(), s, Request{Of: "earlier", Run: "mine", Policy: text}, clock); p != nil || !errors.Is(err, ErrNothing) || !strings.HasSuffix(err.Error(), "run earlier took nothing that is not restored already; it is stopped all the same, so its plan cannot be applied any more; plan again to take licenses") {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := Plan(t.Context(), s, Request{Of: "earlier", User: "ann", Run: "mine", Policy: text}, clock); p != nil || !errors.Is(err, ErrNothing) || !strings.Contains(err.Error(), `took nothing of ann that is not restored already; its changes of this person are stopped all the same; other ids of "ann" are not known`) {
		t.Errorf("%+v, %v", p, err)
	}
	if err := store.PutBytes(t.Context(), s, "ledger/ann/e3/000001.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{"earlier", "unlisted"} { // of a run without a list, the ledger alone can say what it took
		p, err := Plan(t.Context(), s, Request{Of: of, Run: "mine", Policy: text}, clock)
		if p != nil || !errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), "ledger/ann/e3/000001.json") {
			t.Errorf("%s: %+v, %v", of, p, err)
		}
	}
	e, err := ledger.In(s).Begin(t.Context(), ledger.Intent{Person: "bob", License: "e3", Run: "unlisted", Rule: "m365", Via: "direct", At: asOf}, nil)
	if err != nil || ledger.In(s).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done}) != nil {
		t.Fatal(err)
	}
	p, err := Plan(t.Context(), s, Request{Of: "unlisted", Run: "mine", Policy: text}, clock)
	if err != nil || users(p.Changes) != "bob" || len(p.Unreadable) != 1 {
		t.Errorf("besides a damaged entry: %+v, %v", p, err)
	}
}

// TestRestoreWithoutThePlan: if the run's plan is missing or damaged, the ledger gives the licenses that the run took.
func TestRestoreWithoutThePlan(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		damaged bool // whether the stored list of the run's licenses is damaged
		of      string
		user    string
		want    string // people whose license is restored
		is      error
	}{
		"gone":                          {false, "earlier", "", "ann bob", nil},
		"damaged":                       {true, "earlier", "", "ann bob", nil},
		"gone, one person":              {false, "earlier", "bob", "bob", nil},
		"gone, one person by name":      {false, "earlier", "Bob@x.example", "bob", nil},
		"gone, somebody unknown":        {false, "earlier", "gil", "", ErrNothing},
		"gone, of another run":          {false, "later", "", "cid", nil},
		"gone, never was":               {false, "never", "", "", runs.ErrNoPlan},
		"damaged, came to nothing":      {true, "nothing", "", "", ErrNothing},
		"damaged, and took nothing":     {true, "never", "", "", ErrNothing},
		"gone, half of it is restored":  {false, "half", "", "eve", nil},
		"no run's name":                 {false, "../x", "", "", runs.ErrNoPlan},
		"came to nothing, and was back": {false, "nothing", "", "", ErrNothing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storeWithRun(t)
			book := ledger.In(s)
			for _, x := range []struct {
				user, run string
				o         ledger.Outcome
			}{{"ann", "earlier", ledger.Done}, {"bob", "earlier", ledger.Done}, {"cid", "later", ledger.Done}, {"dan", "nothing", ledger.Restored}, {"eve", "half", ledger.Done}, {"fay", "half", ledger.Restored}} {
				e, err := book.Begin(t.Context(), ledger.Intent{Person: x.user, UserPrincipalName: x.user + "@x.example", License: "e3", Run: x.run, Rule: "m365", Via: "direct", At: asOf}, nil)
				if err == nil {
					err = book.Complete(t.Context(), e, ledger.Completion{Outcome: x.o})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if tc.damaged {
				if err := store.PutBytes(t.Context(), s, "history/plans/"+tc.of+".json", []byte("{")); err != nil {
					t.Fatal(err)
				}
			}
			p, err := Plan(t.Context(), s, Request{Of: tc.of, User: tc.user, Run: "mine", Policy: text}, clock)
			if !errors.Is(err, tc.is) || (p == nil) != (tc.is != nil) || p != nil && users(p.Changes) != tc.want {
				t.Errorf("%+v, %v; want %q, %v", p, err, tc.want, tc.is)
			}
		})
	}
}
