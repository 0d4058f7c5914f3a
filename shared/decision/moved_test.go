package decision

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

const parts = 3

// The method "readAll" reads the accounts in their partitions, and writes the table of each partition.
func (r *Run) readAll(t *testing.T, entra ...directory.EntraUser) map[string]directory.EntraUser {
	t.Helper()
	found := map[string]directory.EntraUser{}
	for n := range r.Begin.Partitions {
		h := accountsIn(nil)
		for _, u := range entra {
			if directory.Partition(u.PartitionKey(), r.Begin.Partitions) == n {
				h.Entra = append(h.Entra, u)
			}
		}
		if err := r.recall(t.Context(), h, r.lastReadings(), r.Begin.Read, false); err != nil {
			t.Fatal(err)
		}
		if err := r.Remember(t.Context(), n, h); err != nil {
			t.Fatal(err)
		}
		for _, u := range h.Entra {
			found[u.ID] = u
		}
	}
	return found
}

// The function "sidIn" returns a SID that puts an account into a partition.
func sidIn(partition int) string {
	for i := 0; ; i++ {
		if sid := fmt.Sprint("S-1-5-21-", i); directory.Partition(sid, parts) == partition {
			return sid
		}
	}
}

// An account gets, loses or changes its SID, and belongs to another partition. Its dates are compared with the entry in
// the table of its former partition.
func TestAccountMoves(t *testing.T) {
	t.Parallel()
	own := directory.Partition("a", parts)
	other, third := sidIn((own+1)%parts), sidIn((own+2)%parts)
	for name, tc := range map[string]struct {
		sids []string // the SID of each night; "-" means that the night lacks the account
		seen bool     // whether the series of readings that saw the account goes on
	}{
		"it gets a SID":                   {[]string{"", other}, true},
		"it loses its SID":                {[]string{other, ""}, true},
		"it gets another SID":             {[]string{other, third}, true},
		"it goes there and back":          {[]string{other, third, other}, true},
		"it is missed and moves":          {[]string{"", "-", other}, false},
		"it moves, is missed and is back": {[]string{other, third, "-", other}, false},
		"it stays where it is":            {[]string{other, other}, true},
		"it is new with a SID":            {[]string{"-", other}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := world{partitions: parts, entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
			r.Begin.Read = asOf
			knows, last := false, len(tc.sids)-1
			for night, sid := range tc.sids {
				if night > 0 {
					r = r.nextNight(night)
				}
				a := directory.EntraUser{ID: "a", SID: sid, Created: daysAgo(900), LastInteractive: daysAgo(5)}
				if night == last {
					a.LastInteractive = daysAgo(400)
				}
				people := []directory.EntraUser{accountOf("busy", 1), a}
				if sid == "-" {
					people = people[:1]
				}
				found := r.readAll(t, people...)["a"]
				if night == last && (found.DatesLost.IsZero() == knows || found.Past.SeenOnce(r.Begin.Read) == tc.seen) {
					t.Errorf("lost since %s, seen since %s", found.DatesLost, found.Past.Seen)
				}
				knows = knows || sid != "-"
			}
		})
	}
}

// Other tables are read only for an account that its own table lacks, and that existed at the last reading.
func TestTablesThatAreSearched(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		created time.Time
		tables  int
	}{
		"an old account": {daysAgo(900), parts},
		"of unknown age": {time.Time{}, parts},
		"a new account":  {asOf.Add(time.Hour), 1},
	} {
		r := world{partitions: parts, entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
		r.Begin.Read = asOf
		r.readAll(t, accountOf("busy", 1))
		next := r.nextNight(1)
		counted := failing.Nth(next.store, 0)
		next.store = counted
		h := accountsIn([]directory.EntraUser{{ID: "a", Created: tc.created, LastInteractive: daysAgo(1)}})
		if err := next.recall(t.Context(), h, next.lastReadings(), next.Begin.Read, false); err != nil {
			t.Fatal(err)
		}
		keys := counted.Keys()
		slices.Sort(keys)
		if tables := slices.Compact(keys); len(tables) != tc.tables {
			t.Errorf("%s: the run reads %v", name, tables)
		}
	}
}

// A table of the last run is lost for good. It may have had the entry of an account that its own table lacks, so the
// account is forgotten, and not new.
func TestMovedFromALostTable(t *testing.T) {
	t.Parallel()
	own := directory.Partition("a", parts)
	r := world{partitions: parts, entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
	r.Begin.Read = asOf
	r.readAll(t, directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(1)})
	s := r.store.(*store.Memory)
	objects := s.Objects()
	maps.DeleteFunc(objects, func(key string, _ []byte) bool {
		return key == fmt.Sprintf("runs/run/known/%04d.gz", own) || strings.Contains(key, "manifest")
	})
	s.Become(objects)
	next := r.nextNight(1)
	h := accountsIn([]directory.EntraUser{{ID: "a", SID: sidIn((own + 1) % parts), Created: daysAgo(900), LastInteractive: daysAgo(400)}})
	if err := next.recall(t.Context(), h, next.lastReadings(), next.Begin.Read, false); err != nil {
		t.Fatal(err)
	}
	if got := h.Entra[0].Past.ForgottenBy; got != "run" || h.Entra[0].Past.Forgotten.IsZero() || len(next.Losses()) != 1 {
		t.Errorf("forgotten by %q, losses %q", got, next.Losses())
	}
}
