package directory

import (
	"slices"
	"strings"
)

// The kinds of accounts. Whatever nothing speaks against is a person.
const (
	KindPerson    = "person"
	KindGuest     = "guest"
	KindAgent     = "agent" // a user that software is, with licenses and a mailbox of its own
	KindShared    = "shared"
	KindRoom      = "room"
	KindEquipment = "equipment"
	KindService   = "service"
	KindUnknown   = "unknown" // of a type that this version does not know
)

// AccountKinds are all kinds.
var AccountKinds = []string{KindPerson, KindGuest, KindAgent, KindShared, KindRoom, KindEquipment, KindService, KindUnknown}

const (
	typeUser  = "#microsoft.graph.user"
	typeAgent = "#microsoft.graph.agentUser" // docs-contrib: v1.0/resources/agentuser.md
)

// Agent tells that the account is an agent's. It never signs in interactively, and
// whether signInActivity tells of its tokens is not documented.
func (u *EntraUser) Agent() bool { return u.Type == typeAgent || u.IdentityParentID != "" }

// Kind is what sort of account the person is, with the evidence for it when it is no
// person.
func (p *Person) Kind() (kind, evidence string) {
	if p.Entra != nil {
		if kind, evidence = p.Entra.kind(); kind != KindPerson {
			return kind, evidence
		}
	}
	if p.AD != nil {
		if kind, evidence = p.AD.kind(); kind != KindPerson {
			return kind, evidence
		}
	}
	return KindPerson, ""
}

// Accounts of Entra Connect and of cloud sync carry this display name (Microsoft
// Entra Connect: accounts and permissions); Teams gives that department to its
// resource accounts (VOSS: device/msteamsonline/CsOnlineApplicationInstance).
const (
	syncAccount     = "On-Premises Directory Synchronization Service Account"
	resourceAccount = "Microsoft Communication Application Instance"
)

func (u *EntraUser) kind() (kind, evidence string) {
	switch {
	case u.Type == typeAgent:
		return KindAgent, "@odata.type is " + u.Type
	case u.Type != "" && u.Type != typeUser:
		return KindUnknown, "@odata.type is " + u.Type
	case u.IdentityParentID != "":
		return KindAgent, "identityParentId is set"
	case u.MailboxKind != "":
		if kind = mailboxKinds[strings.ToLower(strings.TrimSuffix(u.MailboxKind, "Mailbox"))]; kind != "" {
			return kind, "the mailbox usage report says " + u.MailboxKind
		}
	case u.DisplayName == syncAccount:
		return KindService, "displayName is " + syncAccount
	case u.Department == resourceAccount:
		return KindService, "department is " + resourceAccount
	}
	if strings.EqualFold(u.UserType, "Guest") {
		return KindGuest, "userType is Guest"
	}
	return KindPerson, ""
}

// mailboxKinds are the recipient types of the mailbox usage report, in lower case and
// without the ending Mailbox.
var mailboxKinds = map[string]string{"shared": KindShared, "room": KindRoom, "equipment": KindEquipment}

// UserMailbox tells that the report calls a mailbox a user's.
func (m *Mailbox) UserMailbox() bool {
	return slices.Contains([]string{"user", "usermailbox"}, strings.ToLower(m.Kind))
}

// recipientKinds are the values of msExchRecipientTypeDetails that stand for no
// person's mailbox, in this organization and in the cloud (undocumented-features.com:
// "every last msExchRecipientTypeDetails value").
var recipientKinds = map[string]string{
	"4": KindShared, "16": KindRoom, "32": KindEquipment,
	"34359738368": KindShared, "8589934592": KindRoom, "17179869184": KindEquipment,
}

func (u *ADUser) kind() (kind, evidence string) {
	switch kind := recipientKinds[u.RecipientType]; {
	case kind != "":
		return kind, "msExchRecipientTypeDetails is " + u.RecipientType
	case strings.HasPrefix(u.SAMAccount, "MSOL_"): // made by Entra Connect for itself
		return KindService, "sAMAccountName begins with MSOL_"
	}
	return KindPerson, ""
}
