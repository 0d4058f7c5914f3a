package decision

import (
	"net/mail"

	"github.com/idleseat/idleseat/shared/directory"
)

// MailFor returns the address for notices, or why no mail may be sent. A change that must be announced then waits,
// because nobody would read the notice.
func MailFor(p *directory.Person) (address, why string) {
	const waits = "cannot be announced by mail: "
	kind, evidence := p.Kind()
	switch {
	case p.Entra == nil:
		return "", waits + "the person is known in Active Directory alone, and no address is read there"
	case kind != directory.KindPerson:
		return "", waits + "the account is not a person's (" + evidence + ")"
	case p.Entra.Enabled != directory.Yes:
		return "", waits + "sign-in is blocked, so nobody reads the mail"
	case p.Entra.Mail == "":
		return "", waits + "the account has no mail address"
	case !plainAddress(p.Entra.Mail):
		return "", waits + "its mail address is not a plain one"
	}
	return p.Entra.Mail, ""
}

// plainAddress reports whether text is one mail address without a name (RFC 5322, addr-spec).
func plainAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text // everything but the address alone parses to another text
}
