package serve

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/snapshot"
)

func TestRankOf(t *testing.T) {
	t.Parallel()
	p := snapshot.Named{
		ID: "0d1b-44", UserPrincipalName: "Anna.Berg@contoso.example", DisplayName: "Anna Berg", Department: "Sales",
		SID: "S-1-5-21-7", ADName: "anna.berg@corp.example", SAMAccountName: "aberg", EntraSID: "S-1-5-21-8",
	}
	for wanted, want := range map[string]int{
		"anna.berg@contoso.example": 0, "anna.berg@corp.example": 0, "aberg": 0, "0d1b-44": 0, "s-1-5-21-7": 0, "s-1-5-21-8": 0,
		"anna berg": 1, "anna": 1, "ab": 1, "berg": 2, "contoso": 2,
		"0d1b": -1, "s-1-5-21": -1, "sales": -1, "anna  berg": -1, "x": 2, "%": -1,
	} {
		if got := rankOf(&p, wanted); got != want {
			t.Errorf("%q: rank %d, want %d", wanted, got, want)
		}
	}
	if got := rankOf(&snapshot.Named{}, ""); got != -1 {
		t.Errorf("somebody without names: rank %d", got)
	}
}

// TestExact: the function "exact" returns a person only if no other person has the same name.
func TestExact(t *testing.T) {
	t.Parallel()
	anna, other := match{snapshot.Named{ID: "a", SAMAccountName: "anna"}, 0}, match{snapshot.Named{ID: "b", SAMAccountName: "anna"}, 0}
	near := match{snapshot.Named{ID: "c", SAMAccountName: "annamaria"}, 1}
	for name, tt := range map[string]struct {
		found []match
		want  string
	}{
		"one":      {[]match{anna, near}, "a"},
		"two":      {[]match{anna, other}, ""},
		"none":     {[]match{near}, ""},
		"nobody":   {nil, ""},
		"repeated": {[]match{anna, anna}, "a"},
	} {
		got := ""
		if only := exact(tt.found); only != nil {
			got = only.Key()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
