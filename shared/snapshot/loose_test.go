package snapshot

import (
	"fmt"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

// TestLooseAccounts: some people's Entra accounts have no SID, and most of these are in other partitions than the
// Active Directory accounts of the same people. Join must not report that such a person has no Entra account.
func TestLooseAccounts(t *testing.T) {
	t.Parallel()
	const people, partitions = 40, 7
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC)
	b := &Begin{Run: "run", Partitions: partitions}
	var readings [2]Reading
	for _, src := range []directory.Source{directory.Entra, directory.AD} {
		w, err := NewWriter(s, b, src, "1", now)
		if err != nil {
			t.Fatal(err)
		}
		for i := range people {
			sid, guid := fmt.Sprintf("S-1-5-21-1-2-3-%d", 1000+i), fmt.Sprintf("guid-%d", i)
			switch {
			case src == directory.AD:
				err = w.AddAD(&directory.ADUser{SID: sid, GUID: "object-" + guid, ConsistencyGUID: guid})
			case i%4 == 0: // synced, without a SID
				err = w.AddEntra(&directory.EntraUser{ID: "id-" + guid, ImmutableID: guid, Synced: true})
			case i%4 == 1: // only in Active Directory
			default:
				err = w.AddEntra(&directory.EntraUser{ID: "id-" + guid, ImmutableID: guid, SID: sid, Synced: true})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if readings[src], err = w.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	m := &Manifest{Run: "run", Readings: readings}
	count := map[directory.Presence]int{} // number of people in Active Directory, by the state of their Entra account
	for n := range partitions {
		var h directory.Accounts
		if err := m.Read(t.Context(), s, n, &h); err != nil {
			t.Fatal(err)
		}
		for p := range h.Join() {
			if p.AD != nil {
				count[p.EntraState]++
			}
		}
	}
	// Join sees both accounts of a person only if they are in the same partition. By chance, some of these people have
	// both in one partition.
	if alone := count[directory.NoAccount]; alone != people/4 {
		t.Errorf("%d people are taken for known to Active Directory alone, want %d: %v", alone, people/4, count)
	}
	if count[directory.Missing] == 0 {
		t.Errorf("nobody lies in another partition, so this shows nothing: %v", count)
	}
}
