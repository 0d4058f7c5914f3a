package apply

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/runs"
)

// severalGroups returns a bench in which two groups give E3. Anna holds E3 through the second group.
func severalGroups(t *testing.T) *bench {
	t.Helper()
	b := newBenchOf(t, strings.Replace(text, "group: {entra: LIC-E3}}", "groups: [{entra: LIC-E3}, {entra: LIC-E3-More}]}", 1), moveAnna)
	b.entra.in["g-e3"], b.entra.in["g-e3more"] = nil, []string{"id-anna"}
	b.entra.grants["g-e3more"] = "sku-e3"
	b.entra.follow()
	return b
}

// TestOneOfSeveralGroups: a person holds a product through one of several groups. Apply removes the person from this
// group. A restore uses this group, too, or another group of the license if this group cannot give the license any
// more.
func TestOneOfSeveralGroups(t *testing.T) {
	t.Parallel()
	b := severalGroups(t)
	for _, want := range []runs.Status{runs.Pending, runs.Pending, runs.Done} {
		results, err := b.Apply(t.Context(), Request{Run: "run"})
		if err != nil {
			t.Fatal(err)
		}
		if got := results.Results[0]; got.Status != want {
			t.Fatalf("%s %q, want %s", got.Status, got.Note, want)
		}
		b.entra.follow()
	}
	if d := cmp.Diff([]string{"AddMember g-exo id-anna", "RemoveMember g-e3more id-anna"}, b.entra.writes()); d != "" {
		t.Errorf("writes (-want +got):\n%s", d)
	}
	e, err := ledger.In(b.Store).Latest(t.Context(), "id-anna", "e3")
	if err != nil || e.Source != "g-e3more" {
		t.Fatalf("%+v, %v", e, err)
	}
	in, note, refusal, err := b.jobOf(t).wayBack(t.Context(), e.Intent)
	if in.Source != "g-e3more" || note != "" || refusal != "" || err != nil {
		t.Errorf("restored by %s, %q, refused %q, %v", in.Source, note, refusal, err)
	}
	b.entra.dynamic = "g-e3more" // the first group of the policy can still give the license
	j := b.jobOf(t)
	for ref, g := range j.run.Tenant.Groups {
		if g.Dynamic = g.ID == "g-e3more"; g.Dynamic {
			j.run.Tenant.Groups[ref] = g
		}
	}
	in, note, refusal, err = j.wayBack(t.Context(), e.Intent)
	if in.Source != "g-e3" || !strings.Contains(note, "restored by the group entra:LIC-E3") || refusal != "" || err != nil {
		t.Errorf("restored by %s, %q, refused %q, %v", in.Source, note, refusal, err)
	}
}

// TestGivenInAnotherWayMeanwhile: while a change waits for its target group, somebody gives the product in another way,
// too. Leaving the source group would then free nothing, so the change is rolled back.
func TestGivenInAnotherWayMeanwhile(t *testing.T) {
	t.Parallel()
	back := []string{"AddMember g-exo id-anna", "RemoveMember g-exo id-anna"}
	for name, tc := range map[string]struct {
		give   func(b *bench)
		status runs.Status
		writes []string
	}{
		"nobody":           {func(*bench) {}, runs.Pending, []string{"AddMember g-exo id-anna", "RemoveMember g-e3more id-anna"}},
		"by another group": {func(b *bench) { b.entra.in["g-e3"] = []string{"id-anna"} }, runs.Kept, back},
		"directly": {func(b *bench) {
			anna := b.entra.users["id-anna"]
			anna.Assignments = append(anna.Assignments, directory.Assignment{SKU: "sku-e3", State: "Active"})
		}, runs.Kept, back},
		"directly, another product": {func(b *bench) {
			anna := b.entra.users["id-anna"]
			anna.Assignments = append(anna.Assignments, directory.Assignment{SKU: "sku-other", State: "Active"})
		}, runs.Pending, []string{"AddMember g-exo id-anna", "RemoveMember g-e3more id-anna"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := severalGroups(t)
			b.apply(t, runs.Pending, "joined")
			tc.give(b)
			b.entra.follow()
			note := ""
			if tc.status == runs.Kept {
				note = "meanwhile held in another way, too"
			}
			b.apply(t, tc.status, note)
			b.wrote(t, tc.writes...)
		})
	}
}

// TestBothOfSeveralGroups: a person holds a product through two groups. Leaving one group frees nothing, so apply does
// nothing.
func TestBothOfSeveralGroups(t *testing.T) {
	t.Parallel()
	b := severalGroups(t)
	b.entra.in["g-e3"] = []string{"id-anna"}
	b.entra.follow()
	results, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	if got := results.Results[0]; got.Status != runs.Refused || !strings.Contains(got.Note, "held through 2 groups at once") {
		t.Errorf("%s %q", got.Status, got.Note)
	}
	if w := b.entra.writes(); len(w) > 0 {
		t.Errorf("writes %q", w)
	}
}
