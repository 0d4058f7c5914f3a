package apply

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// TestQuestionsToTheRelay: the relay must read every Active Directory group that a change needs, by name and by
// objectGUID. Each group is in the request once.
func TestQuestionsToTheRelay(t *testing.T) {
	t.Parallel()
	rules := strings.Replace(text, "exempt: {groups: [{entra: LIC-Exempt}]}", `exempt: {groups: [{entra: LIC-Exempt}, {ad: "CN=Exempt,DC=corp"}]}`, 1)
	rules = strings.Replace(rules, "  citrix: {group", "  bare:   {sku: BARE}\n  citrix: {group", 1)
	b := newBenchOf(t, rules, freeDora)
	b.reread(t, citrixGUID)
	j := b.jobOf(t)
	exempt, citrix, lite := protocol.Group{DN: "CN=Exempt,DC=corp"}, protocol.Group{DN: citrixDN, Direct: true}, protocol.Group{DN: liteDN, Direct: true}
	byGUID := func(guid string) protocol.Group {
		return protocol.Group{DN: directory.GroupByGUID(guid, ""), Direct: true}
	}
	if d := cmp.Diff([]protocol.Group{exempt, citrix, lite, byGUID(citrixGUID)}, sorted(j.asked(t))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	j.run.Begin.Former = map[string]directory.Group{"citrix": {GUID: citrixGUID}, "lite": {GUID: otherGUID}}
	if d := cmp.Diff([]protocol.Group{exempt, citrix, lite, byGUID(citrixGUID), byGUID(otherGUID)}, sorted(j.asked(t))); d != "" {
		t.Errorf("in a restore (-want +got):\n%s", d)
	}
}

func (j *job) asked(t *testing.T) []protocol.Group {
	t.Helper()
	groups, err := j.questions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

func sorted(groups []protocol.Group) (all []protocol.Group) {
	for _, dn := range []string{"CN=Exempt,DC=corp", citrixDN, liteDN, directory.GroupByGUID(citrixGUID, ""), directory.GroupByGUID(otherGUID, "")} {
		for _, g := range groups {
			if g.DN == dn {
				all = append(all, g)
			}
		}
	}
	if len(all) != len(groups) {
		return groups
	}
	return all
}

// TestWhomTheRelayIsAskedAbout: the relay must read the people of the batch who have an Active Directory account and a
// change that is not final. It reads each of them once.
func TestWhomTheRelayIsAskedAbout(t *testing.T) {
	t.Parallel()
	liteDora := freeDora
	liteDora.Rule, liteDora.License = "citrix-lite", "lite"
	boSynced := changeBo
	boSynced.SID = "S-1-5-21-2"
	for name, tc := range map[string]struct {
		changes []plan.Change
		batch   string
		change  func(*testing.T, relayed)
		want    []string // SIDs in the request; nil: no request
	}{
		"two changes of one, and another": {[]plan.Change{freeDora, liteDora, freeEgon}, "ad-0001", nil, []string{"S-1-5-21-4", "S-1-5-21-5"}},
		"one is over":                     {[]plan.Change{freeDora, freeEgon}, "ad-0001", func(t *testing.T, r relayed) { r.over(t, "ad-0001", freeDora) }, []string{"S-1-5-21-5"}},
		"all are over":                    {[]plan.Change{freeDora}, "ad-0001", func(t *testing.T, r relayed) { r.over(t, "ad-0001", freeDora) }, nil},
		"of Entra, known to both":         {[]plan.Change{boSynced, freeDora}, "entra-0001", nil, []string{"S-1-5-21-2"}},
		"of Entra alone":                  {[]plan.Change{changeBo, freeDora}, "entra-0001", nil, nil},
		"no change and no reading there":  {[]plan.Change{boSynced}, "entra-0001", func(t *testing.T, r relayed) { r.withAD(t, false, boSynced) }, nil},
		"no change, but it was read":      {[]plan.Change{boSynced}, "entra-0001", func(t *testing.T, r relayed) { r.withAD(t, true, boSynced) }, []string{"S-1-5-21-2"}},
		"without a relay":                 {[]plan.Change{freeDora}, "ad-0001", func(_ *testing.T, r relayed) { r.Steps.Relay = false }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRelayed(t, newBench(t, tc.changes...))
			if tc.change != nil {
				tc.change(t, r)
			}
			before := BatchState{Run: "run", Batch: tc.batch, Ask: true, Input: "x", Sample: 9, Groups: []protocol.Group{{DN: "y"}}, Evidence: &protocol.Ending{}, Written: &protocol.Ending{Answer: protocol.Answer{Key: "w2"}}, Results: []string{"w1"}}
			got, err := r.Do(t.Context(), StepInput{Op: "prepare", Batch: before})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"w1", "w2"}, got.Results); d != "" || got.Evidence != nil || got.Written != nil || got.Restores {
				t.Errorf("%+v, results (-want +got):\n%s", got, d)
			}
			if got.Ask != (tc.want != nil) || (got.Input == "") == got.Ask || (got.Sample == 0) == got.Ask || (len(got.Groups) == 0) == got.Ask || got.Groups == nil {
				t.Fatalf("%+v", got)
			}
			if !got.Ask {
				return
			}
			var people protocol.People
			if err := store.GetJSON(t.Context(), r.bench.Store, got.Input, &people); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, people.SIDs); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func (r relayed) over(t *testing.T, batch string, c plan.Change) {
	t.Helper()
	p, err := runs.GetPlan(t.Context(), r.bench.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	said := &runs.Results{Run: "run", PlanHash: p.PlanHash}
	said.Set(runs.ResultOf(&c, runs.Done, ""))
	if err := runs.PutResults(t.Context(), r.bench.Store, batch, said); err != nil {
		t.Fatal(err)
	}
}

// withAD replaces the run's manifest and its plan. The parameter "read" says whether the run read Active Directory.
func (r relayed) withAD(t *testing.T, read bool, changes ...plan.Change) {
	t.Helper()
	m := &snapshot.Manifest{Run: "run"}
	m.Readings[directory.AD] = snapshot.Reading{Source: directory.AD, Absent: !read, Freshness: directory.Freshness{Sampled: 9, WithActivity: 9, Newest: asOf}}
	if err := store.PutJSON(t.Context(), r.bench.Store, "runs/run/manifest.json", m); err != nil {
		t.Fatal(err)
	}
	r.bench.plan(t, func(p *plan.Plan) { p.Changes = changes })
}

// TestStepsOfARestore: the steps of a restore succeed although the policy cannot be read. The step "prepare" records in
// the state that the run is a restore, so the step "change" need not read the policy either.
func TestStepsOfARestore(t *testing.T) {
	t.Parallel()
	back := freeDora
	back.Rule, back.RestoreOf = plan.RestoreRule, "r0"
	r := newRelayed(t, newBench(t, back))
	r.bench.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{back}, "r0" })
	for name, tc := range map[string]struct {
		restores string
		is       error
	}{"a restore": {"r0", nil}, "another plan": {"", errDown}} {
		r.bench.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{back}, tc.restores })
		r.Steps.Policy = func(ctx context.Context) (string, error) { return "", errDown }
		got, err := r.Do(t.Context(), StepInput{Op: "prepare", Batch: BatchState{Run: "run", Batch: "ad-0001"}})
		if !errors.Is(err, tc.is) || err == nil && !got.Restores {
			t.Errorf("prepare %s: %+v, %v", name, got, err)
		}
		_, err = r.Do(t.Context(), StepInput{Op: "change", Batch: BatchState{Run: "run", Batch: "ad-0001", Restores: tc.restores != ""}})
		if errors.Is(err, errDown) != (tc.is != nil) {
			t.Errorf("change %s: %v", name, err)
		}
	}
	r.bench.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{back} })
	r.Steps.Policy = func(context.Context) (string, error) { return "no policy: [", nil }
	if _, err := r.Do(t.Context(), StepInput{Op: "prepare", Batch: BatchState{Run: "run", Batch: "ad-0001"}}); err == nil {
		t.Error("a policy in force that cannot be read is none")
	}
}

func TestWhatTheRelayBroughtCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRelayed(t, newBench(t, freeDora))
	state := BatchState{Run: "run", Batch: "ad-0001", Evidence: &protocol.Ending{Answer: protocol.Answer{Key: "gone"}}}
	if _, err := r.Do(t.Context(), StepInput{Op: "change", Batch: state}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("evidence: %v", err)
	}
	r.put(t, "there", protocol.Evidence{Read: r.now})
	state.Evidence.Key, state.Results = "there", []string{"gone"}
	if _, err := r.Do(t.Context(), StepInput{Op: "change", Batch: state}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("results of writes: %v", err)
	}
}

// TestMostTries: a batch requests its changes from the relay at most MostTries times. Its state has the number of these
// requests.
func TestMostTries(t *testing.T) {
	t.Parallel()
	for tries, asks := range map[int]bool{0: true, MostTries - 1: true, MostTries: false} {
		r := newRelayed(t, newBench(t, freeDora, freeEgon))
		state := r.step(t, "prepare", &BatchState{Run: "run", Batch: "ad-0001", Tries: tries})
		groups := state.Groups
		state.Evidence = &protocol.Ending{Answer: protocol.Answer{Key: r.bring(t, state)}}
		state = r.step(t, "change", state)
		if state.Ask != asks || (state.Input != "") != asks || state.Counts[runs.Pending] != 2 {
			t.Errorf("after %d tries: %+v", tries, state)
		}
		if !asks {
			continue
		}
		if state.Tries != tries+1 {
			t.Errorf("%d tries", state.Tries)
		}
		var list protocol.Changes
		if err := store.GetJSON(t.Context(), r.bench.Store, state.Input, &list); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(groups, list.Groups); d != "" || len(list.Changes) != 2 {
			t.Errorf("%d changes, groups (-want +got):\n%s", len(list.Changes), d)
		}
	}
}

// TestOverriddenBatch: apply makes the changes of a plan on hold if an operator overrode the limits.
func TestOverriddenBatch(t *testing.T) {
	t.Parallel()
	for override, want := range map[bool]runs.Status{true: runs.Done, false: runs.Pending} {
		r := newRelayed(t, newBench(t, changeBo))
		hash := r.bench.plan(t, func(p *plan.Plan) {
			p.Changes, p.Verdict, p.HoldReasons, p.Overridable = []plan.Change{changeBo}, plan.Hold, []string{"limit"}, true
		})
		state := BatchState{Run: "run", Batch: "entra-0001", PlanHash: hash, Override: override, Evidence: &protocol.Ending{Absent: true}}
		_, err := r.Do(t.Context(), StepInput{Op: "change", Batch: state})
		if errors.Is(err, runs.ErrRefused) == override {
			t.Errorf("override %t: %v", override, err)
		}
		r.is(t, want, "")
	}
}
