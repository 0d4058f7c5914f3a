package directory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSighting(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	known := func(days ...int) (p Past) {
		for i, n := range days {
			p.Newest[i] = at(n)
		}
		return p
	}
	for name, tc := range map[string]struct {
		entra *EntraUser
		ad    *ADUser
		want  *Sighting
	}{
		"nothing new":            {&EntraUser{ID: "a", LastInteractive: at(3), Past: known(3)}, nil, nil},
		"the same second":        {&EntraUser{ID: "a", LastInteractive: at(3).Add(time.Second / 2), Past: known(3)}, nil, nil},
		"no dates":               {&EntraUser{ID: "a", Past: known(3)}, nil, nil},
		"nobody in Entra ID":     {nil, &ADUser{SID: "s", LastLogonTimestamp: at(6)}, nil},
		"logged on alone":        {&EntraUser{ID: "a", Past: known()}, &ADUser{SID: "s", LastLogonTimestamp: at(6), Past: known(5)}, nil},
		"signed in":              {&EntraUser{ID: "a", LastInteractive: at(4), Past: known(3)}, nil, &Sighting{"a", [3]time.Time{at(4)}, at(9)}},
		"in another way":         {&EntraUser{ID: "a", LastInteractive: at(3), LastNonInteractive: at(5), Past: known(3, 4)}, nil, &Sighting{"a", [3]time.Time{at(3), at(5)}, at(9)}},
		"no reading knew a date": {&EntraUser{ID: "a", LastInteractive: at(4)}, nil, &Sighting{"a", [3]time.Time{at(4)}, at(9)}},
		"another date went back": {&EntraUser{ID: "a", LastInteractive: at(2), LastSuccessful: at(7), Past: known(3, 0, 4)}, nil, &Sighting{"a", [3]time.Time{at(2), {}, at(7)}, at(9)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tc.want, (&Person{Entra: tc.entra, AD: tc.ad}).Sighting(at(9))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
