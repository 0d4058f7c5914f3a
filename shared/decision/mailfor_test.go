package decision

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy"
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
		"a comment":         {func(p *directory.Person) { p.Entra.Mail = "anna@x.example()" }, "not a plain one"},
		"quoted":            {func(p *directory.Person) { p.Entra.Mail = `"anna, bo"@x.example` }, "not a plain one"},
		"a group of people": {func(p *directory.Person) { p.Entra.Mail = "all:a@x.example;" }, "not a plain one"},
		"spaces around":     {func(p *directory.Person) { p.Entra.Mail = " anna@x.example " }, "not a plain one"},
		"a line break":      {func(p *directory.Person) { p.Entra.Mail = "anna@x.example\r\n" }, "not a plain one"},
		"a folded line":     {func(p *directory.Person) { p.Entra.Mail = "anna\r\n @x.example" }, "not a plain one"},
		"an address in <>":  {func(p *directory.Person) { p.Entra.Mail = "<a@x.example>" }, "not a plain one"},
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

// The rule asks for a notice before a change. Without the section notices in the policy, the plan announces the change,
// and nobody gets a mail. With that section, only a mail counts as an announcement, and the change waits while no mail
// can be sent.
func TestAnnouncedByMail(t *testing.T) {
	t.Parallel()
	idle := daysAgo(100)
	alone := &history.Item{User: "id-p", License: "e3", To: "exo", State: history.Announced, Run: "r0", Rule: "m365", At: daysAgo(20), IdleSince: &idle}
	announced := *alone
	announced.ByMail = true
	for name, tc := range map[string]struct {
		mail    bool // whether the policy sends mails
		address string
		past    []any
		notice  bool
		refused string
	}{
		"by mail":                            {true, "p@x.example", nil, true, ""},
		"by mail, without an address":        {true, "", nil, true, "cannot be announced by mail: the account has no mail address"},
		"in the plan alone":                  {false, "", nil, true, ""},
		"announced, and the address is gone": {true, "", []any{&announced}, false, ""},
		"announced in the ledger alone":      {true, "p@x.example", []any{alone}, true, ""},
		"announced before the mails":         {false, "", []any{alone}, false, ""},
		"announced, and no mails any more":   {false, "", []any{&announced}, false, ""},
	} {
		w := holder(tc.past...)
		w.policy = replaceOnce(t, text, "{changeTo: exo}", "{changeTo: exo, notice: 14}")
		if tc.mail {
			w.policy += "notices: {from: licenses@x.example}\n"
		}
		w.entra[0].Mail = tc.address
		if got := w.seal(t).asked(t, "m365"); got.Notice != tc.notice || got.Refused != tc.refused || got.Outcome != policy.Reclaim {
			t.Errorf("%s: %s, notice %t, refused %q", name, got.Outcome, got.Notice, got.Refused)
		}
	}
}
