package decision

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// A license counts as restored in two cases: a run restored it, or somebody else did so. In the second case, a run took
// the license, and the person holds it in a reading that must already show this change.
func TestWhenALicenseWasRestored(t *testing.T) {
	t.Parallel()
	r := world{entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
	read := r.Begin.Read
	for name, tc := range map[string]struct {
		past   history.Item
		holder directory.Flag
		at     time.Time // zero: not restored
	}{
		"restored":                          {history.Item{State: history.Restored, At: daysAgo(3)}, directory.Yes, daysAgo(3)},
		"announced after a restore":         {history.Item{State: history.Announced, At: daysAgo(1), HeldSince: daysAgo(9)}, directory.Yes, daysAgo(9)},
		"announced":                         {history.Item{State: history.Announced, At: daysAgo(1)}, directory.Yes, time.Time{}},
		"taken":                             {history.Item{State: history.Taken, At: daysAgo(3)}, directory.No, time.Time{}},
		"taken, and not known":              {history.Item{State: history.Taken, At: daysAgo(3)}, directory.Unset, time.Time{}},
		"taken, and held":                   {history.Item{State: history.Taken, At: daysAgo(3)}, directory.Yes, asOf},
		"taken a moment ago":                {history.Item{State: history.Taken, At: read.Add(-directory.Settling)}, directory.Yes, time.Time{}},
		"taken, and the reads have settled": {history.Item{State: history.Taken, At: read.Add(-directory.Settling - time.Second)}, directory.Yes, asOf},
		"in Active Directory, not settled":  {history.Item{State: history.Taken, Via: plan.ADGroup, At: read.Add(-directory.Replicating)}, directory.Yes, time.Time{}},
		"in Active Directory, settled":      {history.Item{State: history.Taken, Via: plan.ADGroup, At: read.Add(-directory.Replicating - time.Second)}, directory.Yes, asOf},
		"open":                              {history.Item{State: history.Open, At: daysAgo(3)}, directory.Yes, time.Time{}},
	} {
		g, is := r.restored(tc.holder, &tc.past, asOf)
		if is == tc.at.IsZero() || !g.at.Equal(tc.at) || is != (g.how != "") {
			t.Errorf("%s: %t, %+v; want %s", name, is, g, tc.at)
		}
		all := r.allGiven(&plan.Decision{User: "id-a", License: "e3"}, tc.holder, &tc.past, asOf)
		if (len(all) == 1) == tc.at.IsZero() {
			t.Errorf("%s: all %+v", name, all)
		}
	}
	if all := r.allGiven(&plan.Decision{User: "id-a", License: "e3"}, directory.Yes, nil, asOf); len(all) != 0 {
		t.Errorf("without a past: %+v", all)
	}
}

func TestGivenAsAnother(t *testing.T) {
	t.Parallel()
	r := world{entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
	for name, tc := range map[string]struct {
		item history.Item
		how  string // the beginning
	}{
		"restored as another":        {history.Item{License: "old", State: history.Restored, At: daysAgo(3)}, "restored on 2026-11-20 as old"},
		"restored by its name":       {history.Item{License: "e3", State: history.Restored, At: daysAgo(3)}, ""},
		"exchanged for another":      {history.Item{License: "e3", To: "old", State: history.Taken, At: daysAgo(4)}, "perhaps given on 2026-11-19 as old"},
		"exchanged for one it names": {history.Item{License: "old", To: "exo", State: history.Taken, At: daysAgo(4)}, ""},
		"given in place of another":  {history.Item{License: "old", To: "e3", State: history.Taken, At: daysAgo(4)}, "given on 2026-11-19 in place of old, which the policy no longer names"},
		"removed":                    {history.Item{License: "old", State: history.Taken, At: daysAgo(4)}, ""},
		"open":                       {history.Item{License: "old", To: "old", State: history.Open, At: daysAgo(4)}, ""},
	} {
		g, is := r.asAnother(&plan.Decision{License: "e3"}, &tc.item)
		if is != (tc.how != "") || !strings.HasPrefix(g.how, tc.how) || is && !g.at.Equal(tc.item.At) {
			t.Errorf("%s: %t, %+v", name, is, g)
		}
	}
}

// The method Each returns an error for a line that is neither a decision nor a summary. Summaries of several partitions
// may have the same sentence about a lost table, and Each returns this sentence once.
func TestEachLine(t *testing.T) {
	t.Parallel()
	r := world{partitions: 3}.seal(t)
	for n, lost := range [][]string{{"one", "two"}, {"two"}, {"three", "one"}} {
		put(t, r, n, plan.Decision{User: "id-a"}, Summary{People: 1, Tallies: tallies(1), Lost: lost})
	}
	sum, err := r.Each(t.Context(), func(*plan.Decision) error { return nil })
	if got := strings.Join(sum.Lost, " "); err != nil || got != "one two three" {
		t.Errorf("lost %q, %v", got, err)
	}
	if err := store.PutLines(t.Context(), r.store, layout.Decisions("run", 1), func(emit func(any) error) error {
		return errors.Join(emit(map[string]any{"other": 1}), emit(map[string]any{"summary": Summary{Tallies: tallies(1)}}))
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Each(t.Context(), func(*plan.Decision) error { return nil }); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a line that is no decision: %v", err)
	}
}
