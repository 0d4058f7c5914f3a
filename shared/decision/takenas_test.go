package decision

import (
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
)

// The ledger may have a taken license under another id than the person's present one, such as the SID or a former
// object id. The restore of this license then has that id in TakenAs.
func TestTakenUnderAnotherId(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]string{"id-p": "", "S-1-5-21-7": "S-1-5-21-7", "id-gone": "id-gone"} {
		u := accountOf("p", 5)
		u.SID, u.Synced, u.ImmutableID = "S-1-5-21-7", true, "g7"
		w := world{
			entra: []directory.EntraUser{u, accountOf("busy", 1)},
			ad:    []directory.ADUser{{SID: "S-1-5-21-7", GUID: "g7", LastLogonTimestamp: daysAgo(5)}, {SID: "S-1-5-21-9", GUID: "g9", LastLogonTimestamp: daysAgo(1)}},
			past:  []any{&history.Item{User: user, SID: "S-1-5-21-7", License: "citrix", State: history.Taken, Run: "r0", Rule: "citrix", Via: plan.ADGroup, Began: daysAgo(30), At: daysAgo(30)}},
		}
		got := w.seal(t).asked(t, "citrix")
		if got.RestoreOf != "r0" || got.User != "id-p" || got.TakenAs != want {
			t.Errorf("%s: restore of %q for %q, taken as %q: %+v", user, got.RestoreOf, got.User, got.TakenAs, got)
		}
	}
}
