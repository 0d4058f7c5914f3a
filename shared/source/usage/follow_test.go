package usage

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// The function "night" reads the report of a day in November 2026. The argument "before" is the table of the night
// before, or nil.
func night(t *testing.T, day string, before *Table, rows string) *Table {
	t.Helper()
	at, err := time.Parse(time.DateOnly, "2026-11-"+day)
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := Read(t.Context(), file(copilotHead+strings.ReplaceAll(copilotRow("bo@x.example", "2026-11-05")+rows, "2026-11-21", "2026-11-"+day)), reportNamed(t, "copilot"), at.Add(50*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if before != nil {
		table.Follow(before)
	}
	text, err := table.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if table, err = Decode(text); err != nil {
		t.Fatal(err)
	}
	return table
}

// TestADayIsNotTakenFromAnybody: a later report lacks a day of activity that an earlier report shows. The person keeps
// the day.
func TestADayIsNotTakenFromAnybody(t *testing.T) {
	t.Parallel()
	type told struct{ Last, Shown string }
	anna := func(last string) string { return copilotRow("anna@x.example", last) }
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	for name, tc := range map[string]struct {
		nights  []string // the rows of the reports of 8, 9 and 10 November
		created time.Time
		want    told
	}{
		"as ever":                      {[]string{anna("2026-11-01"), anna("2026-11-01"), anna("2026-11-01")}, time.Time{}, told{"2026-11-01", ""}},
		"a newer day":                  {[]string{anna("2026-11-01"), anna("2026-11-08")}, time.Time{}, told{"2026-11-08", ""}},
		"never any":                    {[]string{anna(""), anna("")}, time.Time{}, told{"none", ""}},
		"lost":                         {[]string{anna("2026-11-01"), anna("")}, time.Time{}, told{"", "2026-11-01"}},
		"lost for two nights":          {[]string{anna("2026-11-01"), anna(""), anna("")}, time.Time{}, told{"", "2026-11-01"}},
		"an earlier day":               {[]string{anna("2026-11-01"), anna("2026-10-01")}, time.Time{}, told{"", "2026-11-01"}},
		"back again":                   {[]string{anna("2026-11-01"), anna(""), anna("2026-11-01")}, time.Time{}, told{"2026-11-01", ""}},
		"left out for a night":         {[]string{anna("2026-11-01"), "", anna("")}, time.Time{}, told{"", "2026-11-01"}},
		"left out, and as before":      {[]string{anna("2026-11-01"), "", anna("2026-11-01")}, time.Time{}, told{"2026-11-01", ""}},
		"over the span of the report":  {[]string{anna("2026-05-12"), anna("")}, time.Time{}, told{"none", ""}},
		"the last day of the span":     {[]string{anna("2026-05-13"), anna("")}, time.Time{}, told{"", "2026-05-13"}},
		"a day before the account":     {[]string{anna("2026-10-01")}, time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC), told{"", ""}},
		"the day of the account":       {[]string{anna("2026-10-20")}, time.Date(2026, 10, 20, 9, 0, 0, 0, time.UTC), told{"2026-10-20", ""}},
		"another person with the name": {[]string{anna("2026-10-01"), anna("")}, time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC), told{"none", ""}},
		"two rows, and then one":       {[]string{anna("2026-11-01") + anna("2026-11-02"), anna("2026-11-01")}, time.Time{}, told{"2026-11-01", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var table *Table
			for n, rows := range tc.nights {
				table = night(t, []string{"08", "09", "10"}[n], table, rows)
			}
			u := directory.EntraUser{UserPrincipalName: "anna@x.example", Created: tc.created}
			Tables{table}.Tell(&u)
			if len(u.Uses) != 1 {
				t.Fatalf("told %+v", u.Uses)
			}
			got := told{day(u.Uses[0].Last.Time), day(u.Uses[0].Shown)}
			if u.Uses[0].Last.State == directory.None {
				got.Last = "none"
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
