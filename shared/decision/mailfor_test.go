package decision

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestMailFor(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit func(*directory.Person)
		why  string
	}{
		"a person":          {func(*directory.Person) {}, ""},
		"only in AD":        {func(p *directory.Person) { p.Entra, p.AD = nil, &directory.ADUser{Mail: "a@x.example"} }, "in Active Directory alone"},
		"blocked":           {func(p *directory.Person) { p.Entra.Enabled = directory.No }, "sign-in is blocked"},
		"unknown":           {func(p *directory.Person) { p.Entra.Enabled = directory.Unset }, "sign-in is blocked"},
		"a guest":           {func(p *directory.Person) { p.Entra.UserType = "guest" }, "not a person's (userType is Guest)"},
		"an agent":          {func(p *directory.Person) { p.Entra.IdentityParentID = "x" }, "not a person's"},
		"a shared mailbox":  {func(p *directory.Person) { p.Entra.MailboxKind = "Shared" }, "not a person's"},
		"a room":            {func(p *directory.Person) { p.Entra.MailboxKind = "RoomMailbox" }, "not a person's"},
		"a room in AD":      {func(p *directory.Person) { p.AD = &directory.ADUser{RecipientType: "16"} }, "not a person's"},
		"no address":        {func(p *directory.Person) { p.Entra.Mail = "" }, "no mail address"},
		"no address at all": {func(p *directory.Person) { p.Entra.Mail = "anna" }, "not a plain one"},
		"two addresses":     {func(p *directory.Person) { p.Entra.Mail = "a@x.example, b@x.example" }, "not a plain one"},
		"a name":            {func(p *directory.Person) { p.Entra.Mail = "Anna <a@x.example>" }, "not a plain one"},
		"a second head":     {func(p *directory.Person) { p.Entra.Mail = "a@x.example\r\nBcc: b@x.example" }, "not a plain one"},
	} {
		p := &directory.Person{Entra: &directory.EntraUser{ID: "a", Mail: "anna@x.example", UserType: "Member", Enabled: directory.Yes}}
		tc.edit(p)
		address, why := MailFor(p)
		if (why == "") != (tc.why == "") || !strings.Contains(why, tc.why) || (address == "") != (why != "") {
			t.Errorf("%s: %q, %q", name, address, why)
		}
	}
}
