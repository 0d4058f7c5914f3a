package apply

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func (b *bench) notedAs(t *testing.T, s runs.Status) {
	t.Helper()
	r := b.results(t)
	r.Set(runs.ResultOf(&changeBo, s, ""))
	if err := runs.PutResults(t.Context(), b.Store, "entra-0001", &r); err != nil {
		t.Fatal(err)
	}
}

// TestNotedAsOverAndOpen: the stored result of a change is final, but the ledger has the change as open. A call of
// apply believes the ledger and finishes the change. It checks the plan first, as for any other change.
func TestNotedAsOverAndOpen(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		then func(*bench)
		is   error  // error of Check and of Apply; nil: the change is finished
		want string // part of the error
	}{
		"open":                       {func(*bench) {}, nil, ""},
		"another tenant":             {func(b *bench) { b.entra.tenant = "other" }, runs.ErrRefused, "Graph answered for other"},
		"the ledger cannot be read":  {func(b *bench) { b.Store = brokenStore{b.Store, "", "ledger/"} }, errDown, "down"},
		"the tenant cannot be asked": {func(b *bench) { b.entra.fail = map[string]error{"Tenant": errDown} }, errDown, "down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			b.entra.fail = map[string]error{changeEXO: errDown}
			b.apply(t, runs.Pending, "did not go through")
			b.logged(t, changeBo, "open")
			b.entra.fail, b.entra.calls = nil, nil
			b.notedAs(t, runs.Kept)
			tc.then(b)
			checked := b.Check(t.Context(), Request{Run: "run"})
			r, applied := b.Apply(t.Context(), Request{Run: "run"})
			for of, err := range map[string]error{"Check": checked, "Apply": applied} {
				if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s: %v, want %v", of, err, tc.is)
				}
			}
			if tc.is != nil {
				b.wrote(t)
				return
			}
			if b.wrote(t, changeEXO); r.Count(runs.Done) != 1 {
				t.Errorf("%+v", r)
			}
			b.logged(t, changeBo, "done")
		})
	}
}

// TestBatchThatIsOver: a call for a final batch returns the results and writes nothing. A call for the whole plan then
// fails.
func TestBatchThatIsOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.apply(t, runs.Done, "")
	r, err := b.Apply(t.Context(), Request{Run: "run", Batch: "entra-0001"})
	if err != nil || r.Count(runs.Done) != 1 || len(r.Results) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := b.Check(t.Context(), Request{Run: "run"}); !errors.Is(err, runs.ErrRefused) || !strings.Contains(fmt.Sprint(err), "every change of the plan is final already") {
		t.Errorf("%v", err)
	}
	b.wrote(t, changeEXO)
}

// TestPlanOfNothing: if a plan has no changes, apply refuses the plan and gives this reason, even if the plan has no
// batch.
func TestPlanOfNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Verdict = nil, plan.Nothing })
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, runs.ErrRefused) || !strings.Contains(fmt.Sprint(err), "the plan changes nothing") {
		t.Errorf("%v", err)
	}
	b.untouched(t)
}

// TestOverrideThatIsNotKnown: if an override cannot be read or recorded, apply writes nothing.
func TestOverrideThatIsNotKnown(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(store.Store) store.Store{
		"cannot be read":  func(s store.Store) store.Store { return blindStore{s, "history/overrides/run.json"} },
		"cannot be noted": func(s store.Store) store.Store { return brokenStore{s, "history/overrides/", ""} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			hash := b.plan(t, func(p *plan.Plan) { p.Verdict, p.Overridable, p.Changes = plan.Hold, true, []plan.Change{changeBo} })
			b.Store = broken(b.Store)
			if r, err := b.Apply(t.Context(), Request{Run: "run", Override: hash}); !errors.Is(err, errDown) || r != nil {
				t.Errorf("%+v, %v", r, err)
			}
			b.untouched(t)
		})
	}
}

// TestProductThatTheRunDoesNotKnow: the tenant lacks a product that the policy names. Without it, the rules cannot be
// evaluated, so apply refuses a plan that takes licenses. A plan of restores needs no rules, so apply accepts it.
func TestProductThatTheRunDoesNotKnow(t *testing.T) {
	t.Parallel()
	for restores, is := range map[string]bool{"": true, "r0": false} {
		b := newBench(t, changeBo)
		begin, err := snapshot.GetBegin(t.Context(), b.Store, "run")
		if err != nil {
			t.Fatal(err)
		}
		begin.SKUs = slices.DeleteFunc(begin.SKUs, func(s directory.SKU) bool { return s.PartNumber == "VISIO" })
		if err := store.PutJSON(t.Context(), b.Store, "runs/run/begin.json", begin); err != nil {
			t.Fatal(err)
		}
		b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{changeBo}, restores })
		if err := b.Check(t.Context(), Request{Run: "run"}); (err != nil) != is || is && !strings.Contains(err.Error(), "VISIO") {
			t.Errorf("restores %q: %v", restores, err)
		}
		b.untouched(t)
	}
}

// TestBatchThatStops: if people cannot be read or results cannot be stored, the call ends before the later batches.
func TestBatchThatStops(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(*bench){
		"people cannot be read":  func(b *bench) { b.entra.fail = map[string]error{"ReadPeople #1": errDown} },
		"results cannot be kept": func(b *bench) { b.Store = brokenStore{b.Store, "results/entra-0001", ""} },
		"what is left to people cannot be kept": func(b *bench) {
			b.entra.users["id-bo"].LastSuccessful = daysAgo(0)
			b.Store = brokenStore{b.Store, "results/entra-0001/", ""}
		},
		"the plan's first is one": func(b *bench) { b.entra.fail = map[string]error{"ReadPeople id-bo": errDown} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo, freeDora)
			then(b)
			r, err := b.Apply(t.Context(), Request{Run: "run"})
			if !errors.Is(err, errDown) || r.Of(&freeDora) != nil || len(b.ad.writes()) > 0 {
				t.Errorf("%+v, %v, wrote %v", r, err, b.ad.writes())
			}
			b.logged(t, freeDora, "")
		})
	}
}

// TestLicenseGroupsAreReadAgain: apply reads an Entra group again only if the plan changes the group. A group that is
// gone, or whose name is ambiguous, cannot be used. In place of a group that is gone, a restore uses the group that has
// the name in the policy now.
func TestLicenseGroupsAreReadAgain(t *testing.T) {
	t.Parallel()
	const withoutGroup = "  bare:   {sku: BARE}\n"
	rules := strings.Replace(text, "  citrix: {group", withoutGroup+"  citrix: {group", 1)
	for name, tc := range map[string]struct {
		changes  []plan.Change
		restores string
		fail     map[string]error
		is       error
		id       string // object id of the E3 group after the groups were read again
		why      string // the reason why the group cannot be read
	}{
		"as it was":                          {[]plan.Change{changeBo, moveAnna}, "", nil, nil, "g-e3", ""},
		"gone":                               {[]plan.Change{moveAnna}, "", map[string]error{"FindGroup g-e3": directory.ErrNoGroup}, nil, "g-e3", directory.ErrNoGroup.Error()},
		"several of its name":                {[]plan.Change{moveAnna}, "", map[string]error{"FindGroup g-e3": directory.ErrAmbiguousGroup}, nil, "g-e3", directory.ErrAmbiguousGroup.Error()},
		"cannot be read":                     {[]plan.Change{moveAnna}, "", map[string]error{"FindGroup g-e3": errDown}, errDown, "g-e3", ""},
		"cannot be read, and not needed":     {[]plan.Change{changeBo, freeDora}, "", map[string]error{"FindGroup g-e3": errDown}, nil, "g-e3", ""},
		"gone, in a restore":                 {[]plan.Change{moveAnna}, "r0", map[string]error{"FindGroup g-e3": directory.ErrNoGroup}, nil, "LIC-E3", ""},
		"gone, and its name, in a restore":   {[]plan.Change{moveAnna}, "r0", map[string]error{"FindGroup g-e3": directory.ErrNoGroup, "FindGroup LIC-E3": directory.ErrNoGroup}, nil, "g-e3", directory.ErrNoGroup.Error()},
		"gone, its name cannot be asked":     {[]plan.Change{moveAnna}, "r0", map[string]error{"FindGroup g-e3": directory.ErrNoGroup, "FindGroup LIC-E3": errDown}, errDown, "g-e3", ""},
		"there, and its name is asked of no": {[]plan.Change{moveAnna}, "r0", map[string]error{"FindGroup LIC-E3": errDown}, nil, "g-e3", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, rules, tc.changes...)
			b.entra.fail = tc.fail
			j := b.jobOf(t)
			j.batches, j.plan.Restores = j.plan.Batches(), tc.restores
			ref := *j.run.Policy.LicenseNamed("e3").Group
			if err := j.readGroups(t.Context()); !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Errorf("%v, want %v", err, tc.is)
			}
			if g := j.run.Tenant.Groups[ref]; g.ID != tc.id || g.Unreadable != tc.why || g.Ref != ref {
				t.Errorf("%+v", g)
			}
			b.wrote(t)
		})
	}
}

// TestProductsOfARestore: a restore uses the products that the tenant has now, because the run may know older products.
// If the tenant lists no product, the restore uses the run's products.
func TestProductsOfARestore(t *testing.T) {
	t.Parallel()
	now := []directory.SKU{{ID: "sku-e3-2027", PartNumber: "SPE_E3"}}
	for name, tc := range map[string]struct {
		restores string
		skus     []directory.SKU
		want     string // skuId of E3
	}{
		"a restore":                {"r0", now, "sku-e3-2027"},
		"a restore, of no product": {"r0", nil, "sku-e3"},
		"no restore":               {"", now, "sku-e3"},
	} {
		b := newBench(t, changeBo)
		b.entra.skus = tc.skus
		j := b.jobOf(t)
		j.batches, j.results, j.plan.Restores = j.plan.Batches(), &runs.Results{}, tc.restores
		if err := j.check(t.Context(), Request{Run: "run"}); err != nil || j.run.Tenant.SKUIDs["SPE_E3"] != tc.want {
			t.Errorf("%s: %q, %v; want %q", name, j.run.Tenant.SKUIDs["SPE_E3"], err, tc.want)
		}
	}
}

// TestPeopleAreReadOnce: a call reads a person once for all changes. It does not ask Entra ID about a person without an
// account in Entra ID.
func TestPeopleAreReadOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, freeAnna, changeBo, freeEgon)
	if _, err := b.jobOf(t).accounts(t.Context(), []plan.Change{moveAnna, freeAnna, changeBo, freeEgon}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(b.entra.calls)
	if d := cmp.Diff([]string{"GroupsOf id-anna", "GroupsOf id-bo", "ReadPeople id-anna,id-bo"}, b.entra.calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if n := b.ad.count["ReadPerson"]; n != 1 {
		t.Errorf("%d accounts were read", n)
	}
}

// TestEvidenceAgesInTheQueue: two people are read together, and the first change takes longer than evidenceAge. Apply
// then reads the second person again before it begins the second change, because this person may have come back.
func TestEvidenceAgesInTheQueue(t *testing.T) {
	t.Parallel()
	for took, readings := range map[time.Duration]int{evidenceAge: 1, evidenceAge + time.Second: 2} {
		other := changeBo
		other.User = "id-cleo"
		b := newBench(t, changeBo, other)
		b.entra.users["id-cleo"] = &directory.EntraUser{ID: "id-cleo", UsageLocation: "SE", LastSuccessful: idle, Assignments: []directory.Assignment{{SKU: "sku-e3", State: "Active"}}}
		b.Progress = func(done, _ int) {
			if done == 1 {
				b.now = b.now.Add(took)
				b.entra.users["id-cleo"].LastSuccessful = b.now
			}
		}
		r, err := b.Apply(t.Context(), Request{Run: "run"})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.entra.count["ReadPeople"]; got != readings {
			t.Errorf("after %s: read %d times, want %d", took, got, readings)
		}
		if x := r.Of(&other); readings == 2 && (x.Status != runs.Kept || x.Note != "signed in 0 hours ago" && !strings.HasPrefix(x.Note, "signed in")) {
			t.Errorf("%+v", x)
		}
		if readings == 2 {
			b.logged(t, other, "")
			b.wrote(t, changeEXO)
		}
	}
}
