package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestKindHidden: only Active Directory shows that an account is a shared, room or equipment mailbox. While idleseat may
// not read that there, the kind is unknown, unless Entra ID shows it.
func TestKindHidden(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	const mayNot = " may not be read: the account of idleseat has no right to see msExchRecipientTypeDetails of this person; grant it to read the attribute"
	const idle = "LastlogonTimestamp.earlierThan(now - days(90))"
	every := "kinds: [" + strings.Join(directory.AccountKinds, ", ") + "]\n"
	hidden := func(p *directory.Person) { p.AD.Unreadable = []string{"msExchRecipientTypeDetails"} }
	shared := func(p *directory.Person) { hidden(p); p.Entra.MailboxKind = "SharedMailbox" }
	for name, tc := range map[string]struct {
		kinds, when string
		change      func(*directory.Person)
		want        Outcome
		reason      string
	}{
		"no value":                       {"", idle, func(*directory.Person) {}, Reclaim, ""},
		"hidden":                         {"", idle, hidden, Undecided, directory.KindField + mayNot},
		"hidden, no account in Entra ID": {"", idle, func(p *directory.Person) { hidden(p); p.Entra, p.EntraState = nil, directory.NoAccount }, Undecided, directory.KindField + mayNot},
		"the report says shared":         {"", idle, shared, Exempt, ""},
		"the same, and rules ask about shared mailboxes":     {"kinds: [person, shared]\n", idle, shared, Reclaim, ""},
		"rules ask about every kind":                         {every, idle, hidden, Reclaim, ""},
		"the rule asks for the kind":                         {every, idle + ` && kind == "person"`, hidden, Undecided, "kind" + mayNot},
		"the rule asks for the kind, and the report says":    {every, idle + ` && kind == "person"`, shared, Keep, ""},
		"the rule asks for the kind, and it has no value":    {every, idle + ` && kind == "person"`, func(*directory.Person) {}, Reclaim, ""},
		"the kind is hidden, and the person was here lately": {"", idle, func(p *directory.Person) { hidden(p); p.AD.LastLogonTimestamp = now }, Keep, ""},
	} {
		p := load(t, tc.kinds+"licenses: {citrix: {group: {ad: 'CN=Citrix,DC=corp'}}}\nrules: [{name: r, license: citrix, when: '"+tc.when+"', then: remove}]\n")
		who := &directory.Person{
			Entra: &directory.EntraUser{ID: "a", SID: "S", Enabled: directory.Yes, Created: ago(900)}, EntraState: directory.Present,
			AD: &directory.ADUser{SID: "S", Enabled: directory.Yes, Created: ago(900), LastLogonTimestamp: ago(100)}, ADState: directory.Present,
			Memberships: []string{p.LicenseNamed("citrix").holders.key},
		}
		tc.change(who)
		v := judge(t, p, now).Ask(p.Rules[0], who)
		if v.Outcome != tc.want || tc.want == Undecided && v.Reason != tc.reason {
			t.Errorf("%s: %s, %q; want %s, %q", name, v.Outcome, v.Reason, tc.want, tc.reason)
		}
	}
}
