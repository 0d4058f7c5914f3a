package snapshot

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestEachNamed: EachNamed returns the same people and names from the stored parts of both directories as from the
// tables into which Weave joins these parts.
func TestEachNamed(t *testing.T) {
	t.Parallel()
	_, s, b, _ := seal(t)
	m, _, err := GetManifest(t.Context(), s, "r1")
	check(t, err)
	read := func() (all []Named) {
		var memory Memory
		for n := range b.Partitions {
			check(t, m.EachNamed(t.Context(), s, n, &memory, func(one Named) {
				if one.ID != "" && one.SID != "" { // a row of a table has both accounts of a person
					all = append(all, Named{SID: one.SID, ADName: one.ADName, SAMAccountName: one.SAMAccountName})
					one.SID, one.ADName, one.SAMAccountName = "", "", ""
				}
				all = append(all, one)
			}))
		}
		slices.SortFunc(all, func(a, b Named) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.SID, b.SID)) })
		return all
	}
	ofParts := read()
	check(t, m.Weave(t.Context(), s, b.Partitions))
	if len(m.People) == 0 {
		t.Fatal("nothing was woven")
	}
	ofTables := read()
	if diff := gocmp.Diff(ofParts, ofTables); diff != "" || len(ofTables) != 7 || ofTables[6].UserPrincipalName == "" {
		t.Errorf("%d accounts (-parts +tables):\n%s", len(ofTables), diff)
	}
}
