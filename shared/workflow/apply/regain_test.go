package apply

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func (b *bench) moveOf(t *testing.T, e ledger.Intent, holds ...directory.Assignment) *move {
	t.Helper()
	b.entra.users["id-bo"].Assignments = holds
	u := *b.entra.users["id-bo"]
	u.Assignments = slices.Clone(holds)
	return &move{job: b.jobOf(t), entry: &ledger.Entry{Seq: 1, Intent: e}, change: &plan.Change{User: "id-bo"}, person: &directory.Person{Entra: &u, EntraState: directory.Present}}
}

// TestRegain: the product comes back with the same service plans. The person loses the product that the change gave,
// unless the person had it before.
func TestRegain(t *testing.T) {
	t.Parallel()
	e3, exo := directory.Assignment{SKU: "sku-e3", State: "Active"}, directory.Assignment{SKU: "sku-exo", State: "Active"}
	with := func(a directory.Assignment, change func(*directory.Assignment)) directory.Assignment {
		change(&a)
		return a
	}
	off := with(e3, func(a *directory.Assignment) { a.DisabledPlans = []string{"yammer"} })
	byGroup := func(a directory.Assignment) directory.Assignment {
		return with(a, func(a *directory.Assignment) { a.Group = "g" })
	}
	for name, tc := range map[string]struct {
		before []directory.Assignment
		target string
		now    []directory.Assignment
		fail   map[string]error
		calls  []string
		want   []directory.Assignment // assignments after the call
		shown  bool
		is     error
	}{
		"changed":                   {[]directory.Assignment{e3}, "sku-exo", []directory.Assignment{exo}, nil, []string{"ChangeLicenses id-bo +sku-e3 -sku-exo"}, []directory.Assignment{e3}, true, nil},
		"removed":                   {[]directory.Assignment{e3}, "", nil, nil, []string{"ChangeLicenses id-bo +sku-e3"}, []directory.Assignment{e3}, true, nil},
		"had the target, too":       {[]directory.Assignment{e3, exo}, "sku-exo", []directory.Assignment{exo}, nil, []string{"ChangeLicenses id-bo +sku-e3"}, []directory.Assignment{exo, e3}, true, nil},
		"had the target first":      {[]directory.Assignment{exo, e3}, "sku-exo", []directory.Assignment{exo}, nil, []string{"ChangeLicenses id-bo +sku-e3"}, []directory.Assignment{exo, e3}, true, nil},
		"had the target by a group": {[]directory.Assignment{e3, byGroup(exo)}, "sku-exo", []directory.Assignment{byGroup(exo), exo}, nil, []string{"ChangeLicenses id-bo +sku-e3 -sku-exo"}, []directory.Assignment{byGroup(exo), e3}, true, nil},
		"with plans off":            {[]directory.Assignment{off}, "sku-exo", []directory.Assignment{exo}, nil, []string{"ChangeLicenses id-bo +sku-e3 -sku-exo"}, []directory.Assignment{off}, true, nil},
		"held by a group, too":      {[]directory.Assignment{with(off, func(a *directory.Assignment) { a.Group = "g" }), e3}, "", nil, nil, []string{"ChangeLicenses id-bo +sku-e3"}, []directory.Assignment{e3}, true, nil},
		"the ledger has nothing":    {nil, "sku-exo", []directory.Assignment{exo}, nil, []string{"ChangeLicenses id-bo +sku-e3 -sku-exo"}, []directory.Assignment{e3}, true, nil},
		"the successor is gone": {[]directory.Assignment{e3}, "sku-exo", nil, map[string]error{"ChangeLicenses #1": directory.ErrNotHeld},
			[]string{"ChangeLicenses id-bo +sku-e3 -sku-exo", "ChangeLicenses id-bo +sku-e3"}, []directory.Assignment{e3}, true, nil},
		"refused": {[]directory.Assignment{e3}, "sku-exo", []directory.Assignment{exo}, map[string]error{"ChangeLicenses #1": errDown},
			[]string{"ChangeLicenses id-bo +sku-e3 -sku-exo"}, []directory.Assignment{exo}, false, errDown},
		"read back fails": {[]directory.Assignment{e3}, "sku-exo", []directory.Assignment{exo}, map[string]error{"ReadLicenses #1": errDown},
			[]string{"ChangeLicenses id-bo +sku-e3 -sku-exo"}, []directory.Assignment{e3}, false, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			m := b.moveOf(t, ledger.Intent{Person: "id-bo", SKU: "sku-e3", TargetSKU: tc.target, Before: ledger.Holding{Assignments: tc.before}}, tc.now...)
			b.entra.fail = tc.fail
			shown, err := m.regain(t.Context())
			if shown != tc.shown || !errors.Is(err, tc.is) {
				t.Errorf("shown %t, %v", shown, err)
			}
			if d := cmp.Diff(tc.calls, b.entra.writes()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.want, b.entra.users["id-bo"].Assignments); d != "" {
				t.Errorf("holds (-want +got):\n%s", d)
			}
		})
	}
	for name, held := range map[string][]directory.Assignment{"nothing shows": {}, "the successor is there still": {e3, exo}} {
		b := newBench(t, changeBo)
		b.entra.slow = true
		m := b.moveOf(t, ledger.Intent{Person: "id-bo", SKU: "sku-e3", TargetSKU: "sku-exo"}, held...)
		if shown, err := m.regain(t.Context()); shown || err != nil {
			t.Errorf("%s: shown %t, %v", name, shown, err)
		}
	}
}

// The function "returns" makes a bench on which an operator restores a direct license to Bo. Run r0 took it.
func returns(t *testing.T, taken time.Time, holds ...directory.Assignment) (*bench, plan.Change) {
	t.Helper()
	c := changeBo
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	b := newBench(t, c)
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
	b.entra.users["id-bo"].Assignments = holds
	e, err := ledger.In(b.Store).Begin(t.Context(), ledger.Intent{
		Person: "id-bo", License: "e3", Run: "r0", Rule: "m365", To: "exo", Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo", At: taken,
		Before: ledger.Holding{Assignments: []directory.Assignment{{SKU: "sku-e3", State: "Active"}}},
	}, nil)
	if err == nil {
		err = ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: taken})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b, c
}

// TestDirectWayBack: a restore assigns a product directly again. Until directory.Settling after the product was taken,
// reads may be out of date, so the restore writes even if they show the product. Later, it writes only if they do not.
func TestDirectWayBack(t *testing.T) {
	t.Parallel()
	const give = "ChangeLicenses id-bo +sku-e3 -sku-exo"
	e3, exo := directory.Assignment{SKU: "sku-e3", State: "Active"}, directory.Assignment{SKU: "sku-exo", State: "Active"}
	broken := directory.Assignment{SKU: "sku-e3", State: "Error", Error: "CountViolation"}
	long, now := daysAgo(10), asOf.Add(time.Hour)
	for name, tc := range map[string]struct {
		taken  time.Time
		holds  []directory.Assignment
		fail   map[string]error
		slow   bool
		writes []string
		want   runs.Status
		note   string
		logged string
	}{
		"missing":                    {long, []directory.Assignment{exo}, nil, false, []string{give}, runs.Done, "", "done"},
		"held, long ago":             {long, []directory.Assignment{e3}, nil, false, nil, runs.Done, "", "done"},
		"held, a moment ago":         {now.Add(-directory.Settling + time.Second), []directory.Assignment{e3, exo}, nil, false, []string{give}, runs.Pending, "given again at once", "open"},
		"held, just settled":         {now.Add(-directory.Settling), []directory.Assignment{e3, exo}, nil, false, nil, runs.Done, "", "done"},
		"held in error":              {long, []directory.Assignment{broken}, nil, false, nil, runs.Pending, "", "open"},
		"does not show":              {long, []directory.Assignment{exo}, nil, true, []string{give}, runs.Pending, "", "open"},
		"refused for good":           {long, []directory.Assignment{exo}, map[string]error{give: refusal("no seat")}, false, []string{give}, runs.Failed, "no seat", "failed"},
		"did not go through":         {long, []directory.Assignment{exo}, map[string]error{give: errDown}, false, []string{give}, runs.Pending, "down", "open"},
		"not answered, but made":     {long, []directory.Assignment{exo}, map[string]error{"lost " + give: errDown}, false, []string{give}, runs.Done, "", "done"},
		"refused, held a moment ago": {now.Add(-time.Minute), []directory.Assignment{e3}, map[string]error{give: refusal("no seat")}, false, []string{give}, runs.Failed, "no seat", "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := returns(t, tc.taken, tc.holds...)
			b.entra.fail, b.entra.slow = tc.fail, tc.slow
			if err := tc.fail["lost "+give]; err != nil {
				b.entra.lost = map[string]error{give: err}
			}
			b.apply(t, tc.want, tc.note)
			b.wrote(t, tc.writes...)
			b.logged(t, c, tc.logged)
		})
	}
}

// TestWayBackOfAnEarlierVersion: an intent of an earlier version lacks the time at which the license was taken. Reads
// therefore count as out of date for the time directory.Settling after the restore began.
func TestWayBackOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	e3, exo := directory.Assignment{SKU: "sku-e3", State: "Active"}, directory.Assignment{SKU: "sku-exo", State: "Active"}
	for name, tc := range map[string]struct {
		since  time.Duration // time since the intent
		writes []string
		want   runs.Status
		logged string
	}{
		"a moment ago": {directory.Settling - time.Second, []string{"ChangeLicenses id-bo +sku-e3 -sku-exo"}, runs.Pending, "open"},
		"settled":      {directory.Settling, nil, runs.Done, "done"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := returns(t, daysAgo(10), e3, exo)
			last, err := ledger.In(b.Store).Latest(t.Context(), "id-bo", "e3")
			if err != nil {
				t.Fatal(err)
			}
			in := last.Intent
			in.Run, in.RestoreOf, in.Rule, in.At = "run", "r0", plan.RestoreRule, b.now.Add(-tc.since)
			if _, err := ledger.In(b.Store).Begin(t.Context(), in, last); err != nil {
				t.Fatal(err)
			}
			b.apply(t, tc.want, "")
			b.wrote(t, tc.writes...)
			b.logged(t, c, tc.logged)
		})
	}
}

// TestBeginningTheWayBack: a restore of run r0 begins only if the ledger proves that the license is still as run r0
// left it. This is not so if another run has restored it, is restoring it, or has taken it again.
func TestBeginningTheWayBack(t *testing.T) {
	t.Parallel()
	exo := directory.Assignment{SKU: "sku-exo", State: "Active"}
	entry := func(run, back string, o ledger.Outcome) func(*testing.T, *bench) {
		return func(t *testing.T, b *bench) {
			last, err := ledger.In(b.Store).Latest(t.Context(), "id-bo", "e3")
			if err != nil {
				t.Fatal(err)
			}
			e, err := ledger.In(b.Store).Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "e3", Run: run, RestoreOf: back, Rule: plan.RestoreRule, At: daysAgo(5)}, last)
			if err == nil && o != "" {
				err = ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: o, At: daysAgo(5)})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tc := range map[string]struct {
		then func(*testing.T, *bench)
		want runs.Status
		note string
	}{
		"as it was left":         {func(*testing.T, *bench) {}, runs.Done, ""},
		"a restore failed since": {entry("r1", "r0", ledger.Failed), runs.Done, ""},
		"on its way back": {func(t *testing.T, b *bench) {
			entry("r1", "r0", "")(t, b)
			p := &plan.Plan{Run: "r1"}
			p.Bind()
			if err := errors.Join(snapshot.PutBegin(t.Context(), b.Store, &snapshot.Begin{Run: "r1", Policy: text, Partitions: 1}), snapshot.Seal(t.Context(), b.Store, &snapshot.Manifest{Run: "r1"}), runs.PutPlan(t.Context(), b.Store, p, noDecisions)); err != nil {
				t.Fatal(err)
			}
		}, runs.Refused, "another run's change is still open: run r1 since"},
		"on its way back by a lost run": {entry("r1", "r0", ""), runs.Failed, "the ledger has the product \"\" for e3, and the policy and the tenant have \"sku-e3\"; it is not given; restore again"},
		"restored":                      {entry("r1", "r0", ledger.Done), runs.Refused, "another run's change is still open, or was: run r1 has restored it"},
		"taken again":                   {entry("r1", "", ledger.Done), runs.Refused, "it is no longer as run r0 left it; look at the ledger"},
		"being taken again":             {entry("r1", "", ""), runs.Refused, "it is no longer as run r0 left it; look at the ledger"},
		"somebody restored it":          {entry("r1", "", ledger.Restored), runs.Refused, "it is no longer as run r0 left it; look at the ledger"},
		"the ledger has nothing":        {func(t *testing.T, b *bench) { b.Store = without{b.Store, "ledger/"} }, runs.Refused, "it is no longer as run r0 left it; look at the ledger"},
		"the older one cannot be read": {func(t *testing.T, b *bench) {
			entry("r1", "r0", ledger.Failed)(t, b)
			b.Store = blindStore{b.Store, "ledger/id-bo/e3/000001.json"}
		}, runs.Pending, "nothing was done: read the ledger"},
		"its plan cannot be read":        {func(_ *testing.T, b *bench) { b.Store = blindStore{b.Store, "runs/r0/plan.json"} }, runs.Pending, "nothing was done: "},
		"the intent is not written":      {func(_ *testing.T, b *bench) { b.Store = brokenStore{b.Store, "ledger/", ""} }, runs.Pending, "nothing was done: write the intent"},
		"another run begins beside":      {func(t *testing.T, b *bench) { b.Store = &lateStore{b.Store, func() { entry("r1", "r0", "")(t, b) }} }, runs.Refused, "another run's change is still open: run r1"},
		"the plan has expired":           {func(t *testing.T, b *bench) { b.at(asOf.Add(2 * plan.Lifetime)) }, "", ""},
		"another change of it is open":   {func(t *testing.T, b *bench) { b.begun(t, "id-bo", "visio", "e3") }, runs.Refused, "another run's change is still open"},
		"a change of another is damaged": {func(t *testing.T, b *bench) { b.damage(t, "ledger/id-bo/visio/000001.json") }, runs.Done, ""},
		"the target's is damaged":        {func(t *testing.T, b *bench) { b.damage(t, "ledger/id-bo/exo/000001.json") }, runs.Refused, "ledger/id-bo/exo/000001.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := returns(t, daysAgo(10), exo)
			tc.then(t, b)
			if tc.want == "" {
				if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, runs.ErrRefused) {
					t.Errorf("%v", err)
				}
			} else {
				b.apply(t, tc.want, tc.note)
				elsewhere := slices.Contains([]string{"on its way back", "restored", "another run begins beside"}, name)
				if r := b.results(t).Results[0]; r.Elsewhere != elsewhere {
					t.Errorf("restored by another run: %t", r.Elsewhere)
				}
			}
			if wrote := len(b.entra.writes()) > 0; wrote != (tc.want == runs.Done) {
				t.Errorf("wrote %v", b.entra.writes())
			}
		})
	}
}

// TestWhatADamagedChangeMayShare: a license is to be restored, and the ledger entry of another license of the person is
// damaged. The rules show whether the unknown change could also have taken or given a license of the restore.
func TestWhatADamagedChangeMayShare(t *testing.T) {
	t.Parallel()
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		license, to, damaged string
		want                 bool
	}{
		"no rule shares one":        {"visio", "", "e3", false},
		"a rule gives the restored": {"exo", "", "e3", true},
		"a rule gives the target":   {"visio", "exo", "e3", true},
		"it is the target":          {"citrix", "lite", "lite", true},
		"it is another":             {"citrix", "lite", "visio", false},
	} {
		m := &move{job: &job{run: &decision.Run{Policy: p}}, change: &plan.Change{License: tc.license, To: tc.to}}
		if got := m.mayShare(tc.damaged); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

type without struct {
	store.Store
	prefix string
}

func (s without) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	if strings.HasPrefix(prefix, s.prefix) {
		return func(func(string, error) bool) {}
	}
	return s.Store.List(ctx, prefix)
}

func (b *bench) damage(t *testing.T, key string) {
	t.Helper()
	if err := store.PutBytes(t.Context(), b.Store, key, []byte("{")); err != nil {
		t.Fatal(err)
	}
}
