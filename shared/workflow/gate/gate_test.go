package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The function "busy" returns a run whose two partitions together have more changes than perRun allows.
func busy() evaluated {
	e := quiet()
	never := reclaim("never", 0)
	never.IdleSince, never.Created, never.Reason = time.Time{}, asOf.AddDate(0, 0, -400), "never signed in"
	never.Rule, never.License, never.To, never.Via = "citrix", "citrix", "", plan.ADGroup
	refused := reclaim("refused", 500)
	refused.Via, refused.Refused = "", `held "twice"`
	undecided := plan.Decision{User: "undecided", UserPrincipalName: "<u>@x.example", Rule: "citrix", License: "citrix", Outcome: policy.Undecided, Reason: "not read"}
	exempt := plan.Decision{User: "exempt", Rule: "m365", License: "e3", Outcome: policy.Exempt, Reason: "exempt: is listed"}
	e.partitions = [][]plan.Decision{{reclaim("b", 70), refused, undecided, reclaim("c", 65)}, {never, exempt, reclaim("a", 200)}}
	e.tallies = [2]plan.Tally{{Rule: "m365", Holders: 100, Keep: 95, Reclaim: 4, Exempt: 1}, {Rule: "citrix", Holders: 40, Keep: 38, Reclaim: 1, Undecided: 1}}
	return e
}

func TestRun(t *testing.T) {
	t.Parallel()
	s := busy().put(t)
	got, err := Run(t.Context(), s, "run", clock)
	if err != nil {
		t.Fatal(err)
	}
	ago := func(n int) *time.Time { d := asOf.AddDate(0, 0, -n); return &d }
	want := &plan.Plan{
		Run: "run", AsOf: asOf, Tenant: tenant, Mode: policy.Review, Verdict: plan.Review, HoldReasons: []string{}, Tool: "v1", Currency: "SEK",
		Counts: plan.Counts{Users: 100, Keep: 133, Reclaim: 5, Undecided: 1, Exempt: 1}, Deferred: 1, MonthlySaving: 18 + 35 + 35,
		Sources: map[string]plan.Feed{"entra": {State: plan.Healthy}, "ad": {State: plan.Healthy}},
		Changes: []plan.Change{
			{User: "never", UserPrincipalName: "never@x.example", Rule: "citrix", License: "citrix", Via: plan.ADGroup, Reason: "never signed in", MonthlySaving: 18},
			{User: "a", UserPrincipalName: "a@x.example", Rule: "m365", License: "e3", To: "exo", Via: plan.Direct, Reason: "200 days", IdleSince: ago(200), MonthlySaving: 35},
			{User: "b", UserPrincipalName: "b@x.example", Rule: "m365", License: "e3", To: "exo", Via: plan.Direct, Reason: "70 days", IdleSince: ago(70), MonthlySaving: 35},
		},
		Rules:   []plan.Tally{{Rule: "m365", Holders: 100, Keep: 95, Reclaim: 4, Exempt: 1}, {Rule: "citrix", Holders: 40, Keep: 38, Reclaim: 1, Undecided: 1}},
		Created: clock, Expires: clock.Add(72 * time.Hour), Matches: map[string]int{"m365": 4, "citrix": 1}, FirstRun: true,
	}
	hashes := cmpopts.IgnoreFields(plan.Plan{}, "PlanHash", "Hashed", "MatchHash", "ManifestHash", "PolicyHash")
	if d := cmp.Diff(want, got, hashes); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
	for name, hash := range map[string]string{"plan": got.PlanHash, "manifest": got.ManifestHash, "policy": got.PolicyHash} {
		if len(hash) != 64 {
			t.Errorf("hash of the %s is %q", name, hash)
		}
	}
	kept, err := runs.GetPlan(t.Context(), s, "run")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, kept); d != "" {
		t.Errorf("plan.json (-planned +kept):\n%s", d)
	}
}

func TestRunAgainGivesTheSamePlan(t *testing.T) {
	t.Parallel()
	s := busy().put(t)
	first, err := Run(t.Context(), s, "run", clock)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Run(t.Context(), s, "run", clock.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, second, cmpopts.IgnoreFields(plan.Plan{}, "Created", "Expires")); d != "" {
		t.Errorf("plans (-first +second):\n%s", d)
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	one := []plan.Decision{reclaim("a", 70)}
	mode := func(m string) func(*evaluated) {
		return func(e *evaluated) {
			e.text, e.partitions[0] = strings.Replace(text, "mode: review", "mode: "+m, 1), one
		}
	}
	down := func(s directory.Source) snapshot.Reading { return snapshot.Reading{Source: s, Failed: "no route"} }
	tests := map[string]struct {
		change      func(*evaluated)
		want        plan.Verdict
		reasons     []string
		overridable bool
	}{
		"review":                       {mode("review"), plan.Review, nil, false},
		"enforce":                      {mode("enforce"), plan.Apply, nil, false},
		"audit":                        {mode("audit"), plan.Apply, nil, false},
		"nothing":                      {func(*evaluated) {}, plan.Nothing, nil, false},
		"ten of a hundred":             {func(e *evaluated) { e.partitions[0], e.tallies[0].Reclaim = one, 10 }, plan.Review, nil, false},
		"above the percent":            {func(e *evaluated) { e.partitions[0], e.tallies[0].Reclaim = one, 11 }, plan.Hold, []string{"rule m365 matches 11 of 100"}, true},
		"above the count":              {func(e *evaluated) { e.partitions[0], e.tallies[1].Reclaim, e.tallies[1].Holders = one, 21, 9999 }, plan.Hold, []string{"rule citrix matches 21"}, true},
		"both rules above":             {func(e *evaluated) { e.tallies[0].Reclaim, e.tallies[1].Reclaim = 21, 11 }, plan.Hold, []string{"rule m365", "rule citrix"}, true},
		"AD down, Entra gives changes": {func(e *evaluated) { e.partitions[0], e.ad = one, down(directory.AD) }, plan.Review, nil, false},
		"AD down, no changes":          {func(e *evaluated) { e.ad = down(directory.AD) }, plan.Hold, []string{"source ad is unhealthy: no route"}, false},
		"both stalled": {func(e *evaluated) { e.entra.Newest, e.ad.Newest = asOf.AddDate(0, 0, -20), asOf.AddDate(0, 0, -20) }, plan.Hold,
			[]string{"source entra is unhealthy", "source ad is unhealthy"}, false},
		"AD absent, no changes":   {func(e *evaluated) { e.ad = snapshot.Reading{Source: directory.AD, Absent: true} }, plan.Nothing, nil, false},
		"one person, AD down":     {func(e *evaluated) { e.ad, e.user = down(directory.AD), "a" }, plan.Nothing, nil, false},
		"one person, above limit": {func(e *evaluated) { e.user, e.tallies[0].Reclaim = "a", 11 }, plan.Hold, []string{"rule m365"}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := quiet()
			tc.change(&e)
			p, err := Run(t.Context(), e.put(t), "run", clock)
			if err != nil {
				t.Fatal(err)
			}
			if p.Verdict != tc.want || p.Overridable != tc.overridable || len(p.HoldReasons) != len(tc.reasons) || p.HoldReasons == nil {
				t.Fatalf("verdict %s, overridable %t, because %q; want %+v", p.Verdict, p.Overridable, p.HoldReasons, tc)
			}
			for i, want := range tc.reasons {
				if !strings.Contains(p.HoldReasons[i], want) {
					t.Errorf("reason %q, want %q", p.HoldReasons[i], want)
				}
			}
			if p.Changes == nil || len(p.Changes) != len(e.partitions[0]) {
				t.Errorf("changes %v of a plan to %s", p.Changes, p.Verdict)
			}
		})
	}
}

// TestNoPlanFromLess: a run that was evaluated only in part gets no plan.
func TestNoPlanFromLess(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		store func(*testing.T) store.Store
		run   string
		is    error
	}{
		"no such run": {func(t *testing.T) store.Store { return quiet().put(t) }, "other", snapshot.ErrUnknownRun},
		"a damaged partition": {func(t *testing.T) store.Store {
			s := busy().put(t)
			if err := store.PutBytes(t.Context(), s, "runs/run/decisions/0001.jsonl.gz", []byte("half")); err != nil {
				t.Fatal(err)
			}
			return s
		}, "run", store.ErrDamaged},
		"another run's manifest": {func(t *testing.T) store.Store {
			s := quiet().put(t)
			if err := store.PutBytes(t.Context(), s, "runs/run/manifest.json", []byte(`{"run":"other"}`)); err != nil {
				t.Fatal(err)
			}
			return s
		}, "run", store.ErrDamaged},
		"plan.json cannot be written": {func(t *testing.T) store.Store { return brokenStore{busy().put(t), "plan.json"} }, "run", errDown},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tc.store(t)
			if _, err := Run(t.Context(), s, tc.run, clock); !errors.Is(err, tc.is) {
				t.Errorf("error %v, want %v", err, tc.is)
			}
			if _, err := runs.GetPlan(t.Context(), s, tc.run); !errors.Is(err, runs.ErrNoPlan) {
				t.Errorf("there is a plan all the same: %v", err)
			}
		})
	}
	if _, err := Run(t.Context(), brokenStore{busy().put(t), "changes.csv"}, "run", clock); !errors.Is(err, errDown) || !strings.Contains(fmt.Sprint(err), "changes") {
		t.Errorf("changes.csv cannot be written: %v", err)
	}
}
