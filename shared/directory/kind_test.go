package directory

import (
	"strings"
	"testing"
	"time"
)

// TestKindThatOnlyActiveDirectoryShows: the account of a shared mailbox is blocked in Entra ID, and nothing there shows
// the kind. The kind is open while the account in Active Directory may show another one.
func TestKindThatOnlyActiveDirectoryShows(t *testing.T) {
	t.Parallel()
	blocked := EntraUser{ID: "e", SID: "S-1", ImmutableID: "g", Synced: true, Enabled: No}
	shared := ADUser{SID: "S-1", GUID: "g", RecipientType: "34359738368"}
	user, hidden := shared, shared
	user.RecipientType, hidden.RecipientType, hidden.Unreadable = "2147483648", "", []string{"msExchRecipientTypeDetails"}
	knew := func(u *EntraUser) { u.Past.Joined = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }
	converted := func(u *EntraUser) { u.Synced = false }
	for name, tc := range map[string]struct {
		reading Accounts
		entra   func(*EntraUser) // nil: the account is synced, and no run read both accounts
		kind    string
		open    bool
	}{
		"read":                           {Accounts{ADState: Present, AD: []ADUser{shared}}, nil, KindShared, false},
		"not set up":                     {Accounts{}, nil, KindPerson, false},
		"not set up any more":            {Accounts{}, knew, KindPerson, true},
		"silent":                         {Accounts{Silent: true}, nil, KindPerson, true},
		"silent, converted":              {Accounts{Silent: true}, converted, KindPerson, true},
		"silent, enabled":                {Accounts{Silent: true}, func(u *EntraUser) { u.Enabled = Yes }, KindPerson, false},
		"silent, of Entra ID alone":      {Accounts{Silent: true}, func(u *EntraUser) { *u = EntraUser{ID: "e", Enabled: No} }, KindPerson, false},
		"not listed":                     {Accounts{ADState: Present}, knew, KindPerson, false},
		"sought, and not shown any more": {Accounts{ADState: Present, Sought: true}, knew, KindPerson, true},
		"sought, and never shown":        {Accounts{ADState: Present, Sought: true}, nil, KindPerson, false},
		"left out":                       {Accounts{ADState: Present, Sought: true, LeftOut: &shared}, nil, KindShared, false},
		"left out, converted":            {Accounts{ADState: Present, Sought: true, LeftOut: &shared}, converted, KindShared, false},
		"left out, of a user":            {Accounts{ADState: Present, Sought: true, LeftOut: &user}, knew, KindPerson, false},
		"left out, its type is hidden":   {Accounts{ADState: Present, Sought: true, LeftOut: &hidden}, nil, KindPerson, true},
	} {
		u := blocked
		if tc.entra != nil {
			tc.entra(&u)
		}
		tc.reading.EntraState, tc.reading.Entra = Present, []EntraUser{u}
		for p := range tc.reading.Join() {
			kind, evidence := p.Kind()
			if kind != tc.kind || p.KindOpen() != tc.open {
				t.Errorf("%s: %s, open %t; want %s, %t", name, kind, p.KindOpen(), tc.kind, tc.open)
			}
			if said := strings.HasSuffix(evidence, " leaves out"); said != (kind == KindShared && p.LeftOut != nil) {
				t.Errorf("%s: evidence %q", name, evidence)
			}
		}
	}
}
