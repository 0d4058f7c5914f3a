package history

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// An operator chose the changes of a plan from the plan of an earlier run. The chosen plan is refused if a third plan
// is newer than that earlier plan, or if one of the two runs is restored.
func TestAdmitChoice(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	const from, between, run, later = "20261129T010000Z-00000000", "20261129T013000Z-00000000", "20261129T020000Z-00000000", "20261129T023000Z-00000000"
	for name, tc := range map[string]struct {
		newer, withdrawn string
		want             string
	}{
		"alone":                        {},
		"a newer plan":                 {newer: later, want: "the plan of run " + later + " superseded it"},
		"a plan newer than the source": {newer: between, want: "the plan of run " + between + " superseded it"},
		"its own run is restored":      {withdrawn: run, want: "run back restores it, so it cannot be applied again; plan a new run"},
		"the other run is restored":    {withdrawn: from, want: "run back restores what run " + from + " took"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store.Memory{}
			if err := PutPlanned(t.Context(), s, &Planned{Run: from}, true); err != nil {
				t.Fatal(err)
			}
			if tc.newer != "" {
				if err := PutPlanned(t.Context(), s, &Planned{Run: tc.newer}, true); err != nil {
					t.Fatal(err)
				}
			}
			if tc.withdrawn != "" {
				if err := Withdraw(t.Context(), s, tc.withdrawn, "back", now); err != nil {
					t.Fatal(err)
				}
			}
			b := &snapshot.Begin{Run: run, Policy: "text", Choice: &snapshot.Choice{From: from}}
			p := &plan.Plan{Run: run, PlanHash: "hash", PolicyHash: b.PolicyHash(), Mode: policy.Review, Verdict: plan.Review, Expires: now.Add(time.Hour)}
			_, refusal, err := Admit(t.Context(), s, p, b, Request{Policy: "text", Left: 1}, now)
			if err != nil || (refusal == "") != (tc.want == "") || !strings.Contains(refusal, tc.want) {
				t.Errorf("refused %q, %v, want %q", refusal, err, tc.want)
			}
		})
	}
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	b := &snapshot.Begin{Run: "20261129T020000Z-00000000", Policy: "text"}
	for name, tc := range map[string]struct {
		plan    func(*plan.Plan)
		request func(*Request)
		want    string
	}{
		"as it is":                  {want: ""},
		"audit":                     {plan: func(p *plan.Plan) { p.Mode = policy.Audit }, want: "mode audit"},
		"audit, a restore":          {plan: func(p *plan.Plan) { p.Mode, p.Restores = policy.Audit, "old" }},
		"nothing":                   {plan: func(p *plan.Plan) { p.Verdict = plan.Nothing }, want: "changes nothing"},
		"nothing but what hangs":    {plan: func(p *plan.Plan) { p.Verdict, p.Resumes = plan.Nothing, []string{"old"} }},
		"nothing hangs":             {plan: func(p *plan.Plan) { p.Verdict, p.Resumes = plan.Nothing, []string{"old"} }, request: func(r *Request) { r.Left = 0 }, want: "changes nothing"},
		"another policy":            {plan: func(p *plan.Plan) { p.PolicyHash = "other" }, want: "/begin.json has now; plan again"},
		"another snapshot":          {request: func(r *Request) { r.ManifestHash = "other" }, want: "/manifest.json describes now; plan again"},
		"nobody knows the snapshot": {plan: func(p *plan.Plan) { p.PolicyHash, p.ManifestHash = "x", "y" }, request: func(r *Request) { r.ManifestHash = "" }},
		"another plan":              {request: func(r *Request) { r.Approved = "other" }, want: "what was approved is the plan other"},
		"another override":          {request: func(r *Request) { r.Override = "other" }, want: "--override-limits names other"},
		"held":                      {plan: func(p *plan.Plan) { p.Verdict, p.Overridable, p.HoldReasons = plan.Hold, true, []string{"too many"} }, want: "the plan is held: too many; to apply this very plan all the same: --override-limits hash"},
		"held, overridden":          {plan: func(p *plan.Plan) { p.Verdict, p.Overridable = plan.Hold, true }, request: func(r *Request) { r.Override = "hash" }},
		"held for good":             {plan: func(p *plan.Plan) { p.Verdict, p.HoldReasons = plan.Hold, []string{"a dead feed"} }, request: func(r *Request) { r.Override = "hash" }, want: "the plan is held: a dead feed"},
		"all final":                 {request: func(r *Request) { r.Left = 0 }, want: "final already"},
		"policy changed":            {request: func(r *Request) { r.Policy = "other" }, want: "the policy has changed"},
		"expired":                   {plan: func(p *plan.Plan) { p.Expires = now.Add(-time.Second) }, want: "the plan expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &plan.Plan{Run: b.Run, PlanHash: "hash", PolicyHash: b.PolicyHash(), ManifestHash: "manifest", Mode: policy.Review, Verdict: plan.Review, Expires: now.Add(time.Hour)}
			in := Request{Approved: "hash", ManifestHash: "manifest", Policy: "text", Left: 1}
			if tc.plan != nil {
				tc.plan(p)
			}
			if tc.request != nil {
				tc.request(&in)
			}
			a, refusal, err := Admit(t.Context(), &store.Memory{}, p, b, in, now)
			if err != nil || (refusal == "") != (tc.want == "") || !strings.Contains(refusal, tc.want) || refusal == "" && a.Closed != "" {
				t.Errorf("%+v, refused %q, %v, want %q", a, refusal, err, tc.want)
			}
		})
	}
}

// TestHeldInADeployment: the refusal of a held plan names the command of the deployment that made the run.
func TestHeldInADeployment(t *testing.T) {
	t.Parallel()
	b := &snapshot.Begin{Run: "R", Policy: "text", Deployment: "our seats"}
	p := &plan.Plan{Run: "R", PlanHash: "H", Mode: policy.Review, Verdict: plan.Hold, Overridable: true, HoldReasons: []string{"too many"}}
	_, refusal, err := Admit(t.Context(), &store.Memory{}, p, b, Request{Approved: "H", Left: 1}, time.Now())
	if want := "the plan is held: too many; to apply this very plan all the same: idleseat approve R H --override-limits --aws 'our seats'"; refusal != want || err != nil {
		t.Errorf("%q, %v, want %q", refusal, err, want)
	}
}
