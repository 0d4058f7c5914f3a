package decision

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// A date appears that an earlier reading should have shown. The dates of the account are in doubt until a reading of
// another night shows no further such date.
func TestDatesComeLate(t *testing.T) {
	t.Parallel()
	type reading struct {
		at          time.Duration // since the first night
		date        int           // in days before the first night; none for no date
		late        bool
		acceptFeeds bool
	}
	const none, day, again = -1000, 24 * time.Hour, 10 * time.Minute
	for name, tc := range map[string]struct {
		source   directory.Source
		readings []reading
	}{
		"a date in place of none":         {directory.Entra, []reading{{0, none, false, false}, {day, 100, true, false}}},
		"a later one":                     {directory.Entra, []reading{{0, 400, false, false}, {day, 100, true, false}}},
		"the same data ten minutes later": {directory.Entra, []reading{{0, 400, false, false}, {day, 100, true, false}, {day + again, 100, true, false}, {2 * day, 100, false, false}}},
		"nearly a night later":            {directory.Entra, []reading{{0, 400, false, false}, {day, 100, true, false}, {day + 19*time.Hour, 100, true, false}, {day + 20*time.Hour, 100, false, false}}},
		"one late date after the other":   {directory.Entra, []reading{{0, 400, false, false}, {day, 200, true, false}, {2 * day, 100, true, false}, {3 * day, 100, false, false}}},
		"a use since the last reading":    {directory.Entra, []reading{{0, 400, false, false}, {day, -1, false, false}}},
		"within the lag":                  {directory.Entra, []reading{{0, 400, false, false}, {day, 2, false, false}}},
		"after the lag":                   {directory.Entra, []reading{{0, 400, false, false}, {day, 3, true, false}}},
		"a use since a longer pause":      {directory.Entra, []reading{{0, 400, false, false}, {30 * day, -9, false, false}}},
		"it goes back and comes back":     {directory.Entra, []reading{{0, 100, false, false}, {day, 400, false, false}, {2 * day, 100, false, false}}},
		"it stays older for months":       {directory.Entra, []reading{{0, 100, false, false}, {day, 400, false, false}, {95 * day, 400, false, false}, {96 * day, 400, false, false}}},
		"an operator accepts it":          {directory.Entra, []reading{{0, 400, false, false}, {day, 100, true, false}, {day + again, 100, false, true}, {day + 2*again, 100, false, false}}},
		"of Active Directory":             {directory.AD, []reading{{0, 400, false, false}, {day, 100, true, false}, {2 * day, 100, false, false}}},
		"there, within the lag":           {directory.AD, []reading{{0, 400, false, false}, {day, 13, false, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			for i, x := range tc.readings {
				if i > 0 {
					r = night(r, "run-"+x.at.String(), asOf.Add(x.at))
				}
				r.Begin.AcceptFeeds = x.acceptFeeds
				date := daysAgo(x.date)
				if x.date == none {
					date = time.Time{}
				}
				h := accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastNonInteractive: daysAgo(500)}})
				field, _ := directory.FieldNamed("entra.lastActivity")
				if tc.source == directory.AD {
					h = accountsIn(nil, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: date})
					field, _ = directory.FieldNamed("ad.lastLogonTimestamp")
				} else {
					h.Entra[0].LastInteractive = date
				}
				for p := range r.read(t, h).Join() {
					if late := p.DatesLate(tc.source); !late.IsZero() != x.late || x.late && field.Of(p).State != directory.Unknown {
						t.Errorf("after %s: late on %s, %+v", x.at, late, field.Of(p))
					}
				}
			}
		})
	}
}

// Just before a change, a person is read again. A date that comes late then is in doubt, and so is one that came late in
// the reading of everybody.
func TestLateDateBeforeAChange(t *testing.T) {
	t.Parallel()
	read := func(days int) *directory.Accounts {
		return accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(days)}},
			directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(days)})
	}
	got := map[string][]bool{}
	for name, days := range map[string][3]int{"as in the plan": {400, 400, 400}, "then": {400, 400, 100}, "in the plan": {400, 100, 100}} {
		r := firstNight(t)
		r.read(t, read(days[0]))
		r = r.nextNight(1)
		r.read(t, read(days[1]))
		h := read(days[2])
		if err := r.Recall(t.Context(), h, r.Begin.Read.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		got[name] = []bool{!h.Entra[0].Past.Late.IsZero(), !h.AD[0].Past.Late.IsZero()}
	}
	// The controllers may show a logon that the replicated date rightly lacks.
	want := map[string][]bool{"as in the plan": {false, false}, "then": {true, false}, "in the plan": {true, true}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("late in Entra ID and in Active Directory (-want +got):\n%s", d)
	}
}
