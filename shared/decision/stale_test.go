package decision

import (
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
)

// The function "stalled" seals a run that read all accounts of both directories. Nobody logged on to Active Directory
// in the last 30 days, so its dates cannot be trusted.
func stalled(t *testing.T, w world) *Run {
	t.Helper()
	w.entra = append(w.entra, accountOf("busy", 1))
	w.ad = append(w.ad, directory.ADUser{SID: "S-busy", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(30)})
	r := w.seal(t)
	if f := r.Feeds[directory.AD]; f.State != plan.Unhealthy || f.Incomplete != (w.feeds[directory.AD] != nil) {
		t.Fatalf("the feed of Active Directory is %+v", f)
	}
	return r
}

// An account that is mastered in Entra ID again keeps its SID. If all accounts of Active Directory were read, and none
// has this SID, the person has no account there, even if the dates of Active Directory cannot be trusted. If a part of
// the list is missing, nobody knows.
func TestNoAccountWhileDatesAreStale(t *testing.T) {
	t.Parallel()
	many := &plan.Baseline{Run: "earlier", Read: daysAgo(1), Freshness: directory.Freshness{Sampled: 60, WithActivity: 1}}
	for name, tc := range map[string]struct {
		before *plan.Baseline
		want   directory.Presence
	}{"all were read": {nil, directory.NoAccount}, "a part is missing": {many, directory.NotRead}} {
		converted := directory.EntraUser{ID: "id-converted", SID: "S-77", UserPrincipalName: "converted@x.example", LastSuccessful: daysAgo(400), Created: daysAgo(900)}
		r := stalled(t, world{entra: []directory.EntraUser{converted}, feeds: [2]*plan.Baseline{directory.AD: tc.before}})
		var h directory.Accounts
		if err := r.Read(t.Context(), 0, &h); err != nil {
			t.Fatal(err)
		}
		for p := range h.Join() {
			if p.ID() == "id-converted" && p.ADState != tc.want {
				t.Errorf("%s: state %v, %q; want %v", name, p.ADState, p.Doubt, tc.want)
			}
			if p.ID() == "S-busy" && p.ADState != directory.Present {
				t.Errorf("%s: an account that was read has the state %v", name, p.ADState)
			}
		}
	}
}
