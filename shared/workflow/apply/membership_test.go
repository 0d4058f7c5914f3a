package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// Anna and Bo have a seat in an application through an Entra group.
var (
	freeApp = plan.Change{User: "id-anna", Rule: "app", License: "salesforce", Via: plan.EntraGroup, IdleSince: &idle}
	moveApp = plan.Change{User: "id-anna", Rule: "app-lite", License: "salesforce", To: "salesforce-lite", Via: plan.EntraGroup, IdleSince: &idle}
)

func appBench(t *testing.T, c plan.Change) *bench {
	t.Helper()
	rule := "  - {name: app, license: salesforce, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}\n"
	if c.To != "" {
		rule = "  - {name: app-lite, license: salesforce, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo: salesforce-lite}}\n"
	}
	b := newBenchOf(t, strings.Replace(text, "exempt:", `  salesforce: {group: {entra: APP-Salesforce}, model: user}
  salesforce-lite: {group: {entra: APP-Lite}, model: user}
exempt:`, 1)+rule, c)
	b.entra.in["g-app"] = []string{"id-anna", "id-bo"}
	return b
}

// TestMembershipIsTheLicense: membership in an Entra group is a seat. The seat counts as taken when the group no longer
// lists the person.
func TestMembershipIsTheLicense(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change plan.Change
		edit   func(*bench)
		status runs.Status
		note   string
		writes []string
	}{
		"taken":          {freeApp, nil, runs.Done, "", []string{"RemoveMember g-app id-anna"}},
		"moved":          {moveApp, nil, runs.Done, "", []string{"AddMember g-applite id-anna", "RemoveMember g-app id-anna"}},
		"in by a group":  {freeApp, func(b *bench) { b.entra.in["g-app"], b.entra.nested = nil, members{"g-app": {"id-anna"}} }, runs.Kept, "", nil},
		"read late":      {freeApp, func(b *bench) { b.entra.stale = b.entra.in.clone() }, runs.Pending, "Graph accepted the change but still shows the member", []string{"RemoveMember g-app id-anna"}},
		"joined late":    {moveApp, func(b *bench) { b.entra.stale = b.entra.in.clone() }, runs.Pending, "it does not show the person", []string{"AddMember g-applite id-anna"}},
		"used again":     {freeApp, func(b *bench) { b.entra.users["id-anna"].LastSuccessful = asOf }, runs.Kept, "", nil},
		"dynamic by now": {freeApp, func(b *bench) { b.entra.dynamic = "g-app" }, runs.Refused, "is dynamic", nil},
		"gives products": {freeApp, func(b *bench) { b.entra.grants["g-app"] = "sku-e3" }, runs.Refused, "grants a product of Microsoft 365 besides", nil},
		"target refuses": {moveApp, func(b *bench) { b.entra.fail = fails("AddMember g-applite id-anna") }, runs.Failed, "no", []string{"AddMember g-applite id-anna"}},
		"source refuses": {moveApp, func(b *bench) { b.entra.fail = fails("RemoveMember g-app id-anna") }, runs.Failed, "no", []string{"AddMember g-applite id-anna", "RemoveMember g-app id-anna", "RemoveMember g-applite id-anna"}},
		"members unseen": {freeApp, func(b *bench) {
			b.entra.hidden = "g-app"
			b.entra.fail = map[string]error{"ListMembers g-app": directory.ErrHidden}
		}, runs.Kept, "undecided", nil},
		"hidden by now": {freeApp, func(b *bench) { b.entra.hidden = "g-app" }, runs.Kept, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := appBench(t, tc.change)
			if tc.edit != nil {
				tc.edit(b)
			}
			results, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil {
				t.Fatal(err)
			}
			got := results.Results[0]
			if got.Status != tc.status || !strings.Contains(got.Note, tc.note) {
				t.Errorf("%s %q, want %s %q", got.Status, got.Note, tc.status, tc.note)
			}
			if d := cmp.Diff(tc.writes, b.entra.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
}

func fails(call string) map[string]error { return map[string]error{call: refusal("no")} }

// TestMembershipShowsLate: after the write of a change, reads show the old membership for some time. The change stays
// pending until a read shows the new one, and apply does not write again.
func TestMembershipShowsLate(t *testing.T) {
	t.Parallel()
	b := appBench(t, freeApp)
	b.entra.stale = b.entra.in.clone()
	for _, want := range []runs.Status{runs.Pending, runs.Pending, runs.Done} {
		results, err := b.Apply(t.Context(), Request{Run: "run"})
		if err != nil {
			t.Fatal(err)
		}
		if got := results.Results[0]; got.Status != want {
			t.Fatalf("%s %q, want %s", got.Status, got.Note, want)
		}
		if b.now = b.now.Add(time.Minute); want == runs.Pending && len(b.entra.writes()) > 1 {
			t.Errorf("writes %q", b.entra.writes())
		}
		if b.entra.count["DirectGroups"] > 4 {
			b.entra.stale = nil
		}
	}
}

// TestSomebodyGivesTheSeatBack: Graph accepted the write that takes a seat. Reads still show the seat at a time when
// they must show the write. Somebody has probably given the seat back, so the change is rolled back.
func TestSomebodyGivesTheSeatBack(t *testing.T) {
	t.Parallel()
	b := appBench(t, freeApp)
	b.entra.stale = b.entra.in.clone()
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(directory.Settling + time.Minute)
	results, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	if got := results.Results[0]; got.Status != runs.Kept && got.Status != runs.Pending {
		t.Errorf("%s %q", got.Status, got.Note)
	}
	if want := []string{"RemoveMember g-app id-anna", "AddMember g-app id-anna"}; cmp.Diff(want, b.entra.writes()) != "" {
		t.Errorf("writes %q, want %q: what was restored is theirs", b.entra.writes(), want)
	}
}
