package apply

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestAlteredIntent: apply refuses an open intent that differs from the plan or the policy of its run, and writes
// nothing.
func TestAlteredIntent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change plan.Change
		alter  func(*ledger.Intent)
		field  string
	}{
		"source":        {moveAnna, func(in *ledger.Intent) { in.Source = "g-mfa" }, `"g-mfa" as source`},
		"target":        {moveAnna, func(in *ledger.Intent) { in.Target = "g-admins" }, `"g-admins" as target`},
		"no target":     {moveAnna, func(in *ledger.Intent) { in.Target = "" }, `"" as target`},
		"product":       {moveAnna, func(in *ledger.Intent) { in.SKU = "sku-e5" }, `"sku-e5" as sku`},
		"given product": {changeBo, func(in *ledger.Intent) { in.TargetSKU = "sku-e5" }, `"sku-e5" as targetSku`},
		"to":            {moveAnna, func(in *ledger.Intent) { in.To = "visio" }, `"visio" as to`},
		"rule":          {moveAnna, func(in *ledger.Intent) { in.Rule = "visio" }, `"visio" as rule`},
		"way":           {moveAnna, func(in *ledger.Intent) { in.Via = "ad-group" }, `"ad-group" as via`},
		"group of AD":   {freeEgon, func(in *ledger.Intent) { in.Source = "CN=Domain Admins,DC=corp" }, `"CN=Domain Admins,DC=corp" as source`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change, changeBo)
			b.entra.in["g-mfa"] = []string{"id-anna"}
			in := ledger.Intent{Person: tc.change.User, SID: tc.change.SID, License: tc.change.License, To: tc.change.To, Run: "run", Rule: tc.change.Rule, Via: string(tc.change.Via), At: asOf}
			switch tc.change.Via {
			case plan.EntraGroup:
				in.Source, in.Target, in.SKU, in.TargetSKU = "g-e3", "g-exo", "sku-e3", "sku-exo"
			case plan.Direct:
				in.SKU, in.TargetSKU = "sku-e3", "sku-exo"
			default:
				in.Source = citrixDN
			}
			tc.alter(&in)
			if _, err := ledger.In(b.Store).Begin(t.Context(), in, nil); err != nil {
				t.Fatal(err)
			}
			r, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil {
				t.Fatal(err)
			}
			got := r.Of(&tc.change)
			if got.Status != runs.Refused || !strings.Contains(got.Note, "the ledger object ledger/"+tc.change.User+"/"+tc.change.License+"/000001.json has "+tc.field) {
				t.Errorf("%+v", got)
			}
			for _, call := range append(b.entra.writes(), b.ad.writes()...) {
				if tc.change.User == "id-bo" || !strings.Contains(call, "id-bo") {
					t.Errorf("wrote %s", call)
				}
			}
		})
	}
}

// The function "restores" returns a bench with a plan that restores a license to Anna, as an operator asked. Run r0
// took this license. The function "alter" can change the ledger entry of r0.
func restores(t *testing.T, alter func(*ledger.Intent)) *bench {
	t.Helper()
	c := moveAnna
	c.Rule, c.RestoreOf, c.MonthlySaving = plan.RestoreRule, "r0", -35
	b := newBench(t, c)
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
	b.entra.in = members{"g-exo": {"id-anna"}, "g-mfa": {"id-anna"}}
	b.follow()
	in := ledger.Intent{
		Person: "id-anna", License: "e3", Run: "r0", Rule: "m365", To: "exo", Via: "entra-group", Source: "g-e3", Target: "g-exo", SKU: "sku-e3", TargetSKU: "sku-exo", At: daysAgo(10),
		Before: ledger.Holding{Assignments: []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Active"}}, InGroups: []string{"g-e3"}},
	}
	alter(&in)
	e, err := ledger.In(b.Store).Begin(t.Context(), in, nil)
	if err == nil {
		err = ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: daysAgo(10)})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) until(t *testing.T) runs.Result {
	t.Helper()
	for range 5 {
		r, err := b.Apply(t.Context(), Request{Run: "run"})
		if err != nil {
			t.Fatal(err)
		}
		if x := r.Results[0]; x.Status != runs.Pending || x.Retry {
			return x
		}
		b.follow()
	}
	t.Fatal("it waits for ever")
	return runs.Result{}
}

// TestWayBack: a restore gives a license through the group that the person left or through the policy's present group.
// It uses no other group, whatever the ledger says.
func TestWayBack(t *testing.T) {
	t.Parallel()
	left := "RemoveMember g-exo id-anna"
	tests := map[string]struct {
		alter  func(*ledger.Intent)
		now    func(*bench)
		want   runs.Status
		note   string
		writes []string
	}{
		"as it was":        {nil, nil, runs.Done, "", []string{"AddMember g-e3 id-anna", left}},
		"another group":    {func(in *ledger.Intent) { in.Source = "g-admins" }, nil, runs.Done, "restored by the group entra:LIC-E3, since g-admins cannot: it is not one that the policy names for it", []string{"AddMember g-e3 id-anna", left}},
		"made again":       {func(in *ledger.Intent) { in.Source = "g-gone" }, nil, runs.Done, "since g-gone cannot", []string{"AddMember g-e3 id-anna", left}},
		"another target":   {func(in *ledger.Intent) { in.Target = "g-mfa" }, nil, runs.Done, "still in the group g-mfa, which the policy does not name for exo", []string{"AddMember g-e3 id-anna"}},
		"another product":  {func(in *ledger.Intent) { in.SKU = "sku-exo" }, nil, runs.Refused, `the ledger has the product "sku-exo" for e3`, nil},
		"another way":      {func(in *ledger.Intent) { in.Via = "ad-group" }, nil, runs.Refused, "held by the way ad-group", nil},
		"unknown way":      {func(in *ledger.Intent) { in.Via = "notice" }, nil, runs.Refused, "unknown way", nil},
		"empty before":     {func(in *ledger.Intent) { in.Before = ledger.Holding{} }, nil, runs.Done, "", []string{"AddMember g-e3 id-anna", left}},
		"dynamic by now":   {nil, func(b *bench) { b.entra.dynamic = "g-e3" }, runs.Refused, "is dynamic", nil},
		"gives no license": {nil, func(b *bench) { delete(b.entra.grants, "g-e3") }, runs.Refused, "does not grant SPE_E3", nil},
		"gives more":       {nil, func(b *bench) { b.Entra = granting{b.entra, []string{"sku-e3", "sku-e5"}} }, runs.Refused, "grants 2 products at once", nil},
		"both gone":        {func(in *ledger.Intent) { in.Source = "g-gone" }, func(b *bench) { b.entra.dynamic = "g-e3" }, runs.Refused, "neither the group g-gone can restore e3", nil},
		"not planned":      {nil, func(b *bench) { b.leaves(t, "id-bo") }, runs.Refused, "the plan of run r0 has no such change, so the ledger object ledger/id-anna/e3/000001.json is not believed", nil},
		"planned":          {nil, func(b *bench) { b.leaves(t, "id-anna") }, runs.Done, "", []string{"AddMember g-e3 id-anna", left}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.alter == nil {
				tc.alter = func(*ledger.Intent) {}
			}
			b := restores(t, tc.alter)
			if tc.now != nil {
				tc.now(b)
			}
			got := b.until(t)
			if got.Status != tc.want || !strings.Contains(got.Note, tc.note) {
				t.Errorf("%s: %s, want %s with %q", got.Status, got.Note, tc.want, tc.note)
			}
			b.wrote(t, tc.writes...)
			if held := len(b.entra.users["id-anna"].Assignments); tc.want == runs.Done && held == 0 {
				t.Error("done, and nothing is held")
			}
		})
	}
}

func (b *bench) leaves(t *testing.T, user string) {
	t.Helper()
	if err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: "r0", Touches: []history.Touch{{User: user, License: "e3"}}}, true); err != nil {
		t.Fatal(err)
	}
}

type granting struct {
	*fakeEntra
	skus []string
}

func (g granting) FindGroup(ctx context.Context, id string) (directory.Group, error) {
	found, err := g.fakeEntra.FindGroup(ctx, id)
	if id == "g-e3" {
		found.Grants = g.skus
	}
	return found, err
}

// TestForgedCompletion: a completion in the ledger does not prove that a license was restored. Only a read proves it.
func TestForgedCompletion(t *testing.T) {
	t.Parallel()
	b := restores(t, func(*ledger.Intent) {})
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil || r.Results[0].Status != runs.Pending {
		t.Fatalf("%+v, %v", r, err)
	}
	e, err := ledger.In(b.Store).Latest(t.Context(), "id-anna", "e3")
	if err != nil || e.Completion != nil {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done}); err != nil {
		t.Fatal(err)
	}
	b.apply(t, runs.Pending, "reading does not show it; if that stays so, move what closes ledger/id-anna/e3/000002.json out of the store")
	b.follow()
	b.apply(t, runs.Done, "")
}

func TestBegunByARunThatIsGone(t *testing.T) {
	t.Parallel()
	c := moveAnna
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	for name, source := range map[string]string{"its own groups": "g-e3", "another group": "g-admins"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c)
			b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
			b.entra.in = members{"g-exo": {"id-anna"}}
			b.follow()
			in := ledger.Intent{
				Person: "id-anna", License: "e3", Run: "r0", Rule: "m365", To: "exo", Via: "entra-group", Source: source, Target: "g-exo", SKU: "sku-e3", TargetSKU: "sku-exo", At: daysAgo(1),
				Before: ledger.Holding{Assignments: []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Active"}}, InGroups: []string{"g-e3"}},
			}
			if _, err := ledger.In(b.Store).Begin(t.Context(), in, nil); err != nil {
				t.Fatal(err)
			}
			got := b.until(t)
			if source == "g-admins" {
				if got.Status != runs.Refused {
					t.Errorf("%+v", got)
				}
				b.wrote(t)
				return
			}
			if got.Status != runs.Done {
				t.Errorf("%+v", got)
			}
			b.wrote(t, "AddMember g-e3 id-anna", "RemoveMember g-exo id-anna")
			b.logged(t, c, "given back")
			if left := maps.Collect(maps.All(b.entra.in)); len(left["g-e3"]) != 1 || len(left["g-exo"]) != 0 {
				t.Errorf("members: %v", left)
			}
		})
	}
}
