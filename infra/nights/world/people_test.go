package world

import (
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestExemptWhileTheGroupIsAway: a person counts as exempt while the exempt group is deleted or has another name,
// because the group comes back with its members. Otherwise the world could separate the person's two accounts
// meanwhile, and the product could no longer know that the exemption applies to both.
func TestExemptWhileTheGroupIsAway(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change sandbox.GroupChange
		want   bool
	}{
		"as it was": {sandbox.GroupChange{}, true},
		"deleted":   {sandbox.GroupChange{Deleted: true}, true},
		"renamed":   {sandbox.GroupChange{Name: "LIC-Exempt-2"}, true},
		"emptied":   {sandbox.GroupChange{Emptied: true}, false},
	} {
		box, err := sandbox.Start(sandbox.Options{Users: 40, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		w := &World{box: box, policy: &rules{}}
		box.Company.SetMember(1, groupExempt, true)
		box.Company.ChangeGroup(groupExempt, tc.change)
		if got := w.exempt(1, box.Company.Truth(1)); got != tc.want {
			t.Errorf("%s: exempt is %v, want %v", name, got, tc.want)
		}
	}
}
