package ledger

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
)

// TestAbsences: an absence begins with the first reading that lacks the account and ends with the first that has it.
// Each absence in each directory has marks of its own, and no mark is written twice.
func TestAbsences(t *testing.T) {
	t.Parallel()
	l, s := open(t)
	e := begun(t, l)
	day := func(n int) time.Time { return e.At.AddDate(0, 0, n) }
	for _, step := range []struct {
		day   int
		in    directory.Source
		gone  bool
		since int // of a reading that lacks the account
	}{
		{1, directory.Entra, false, 0}, // nothing is written
		{2, directory.Entra, true, 2}, {3, directory.Entra, true, 2},
		{4, directory.AD, true, 4}, {5, directory.AD, false, 0}, // of the other directory
		{6, directory.Entra, true, 2}, {7, directory.Entra, false, 0}, {8, directory.Entra, false, 0},
		{9, directory.Entra, true, 9}, {10, directory.Entra, false, 0}, {11, directory.Entra, true, 11}, {12, directory.Entra, true, 11},
	} {
		if !step.gone {
			page, err := l.Of(t.Context(), e.Person)
			if err == nil {
				err = page.SeenAgain(t.Context(), e, step.in, day(step.day))
			}
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		if since, err := l.Missed(t.Context(), e, step.in, day(step.day)); err != nil || !since.Equal(day(step.since)) {
			t.Errorf("day %d: missed since %v, %v; want day %d", step.day, since, err, step.since)
		}
	}
	var marks []string
	for key, err := range s.List(t.Context(), layout.Person(e.Person)) {
		if err != nil {
			t.Fatal(err)
		}
		if _, mark, is := strings.Cut(key, "000001."); is && mark != "json" {
			marks = append(marks, mark)
		}
	}
	slices.Sort(marks)
	want := []string{"ad-gone.json", "ad-seen-again.json", "entra-gone-2.json", "entra-gone-3.json", "entra-gone.json", "entra-seen-again-2.json", "entra-seen-again.json"}
	if d := cmp.Diff(want, marks); d != "" {
		t.Errorf("marks (-want +got):\n%s", d)
	}
	if _, err := l.Latest(t.Context(), e.Person, e.License); err != nil {
		t.Errorf("an entry with marks of absences: %v", err)
	}
}
