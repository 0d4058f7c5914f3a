package directory

import (
	"cmp"
	"slices"
	"strings"
)

// The kinds of accounts. An account is KindPerson unless a property shows another kind.
const (
	KindPerson    = "person"
	KindGuest     = "guest"
	KindAgent     = "agent" // a user account of a software agent, with its own licenses and mailbox
	KindShared    = "shared"
	KindRoom      = "room"
	KindEquipment = "equipment"
	KindService   = "service"
	KindUnknown   = "unknown" // an account type that this version does not know
)

// AccountKinds lists all kinds of accounts.
var AccountKinds = []string{KindPerson, KindGuest, KindAgent, KindShared, KindRoom, KindEquipment, KindService, KindUnknown}

const (
	typeUser  = "#microsoft.graph.user"
	typeAgent = "#microsoft.graph.agentUser" // docs-contrib: v1.0/resources/agentuser.md
)

// Agent reports whether the account belongs to a software agent. Agents do not sign in interactively, and Microsoft
// does not document whether signInActivity covers their tokens.
func (u *EntraUser) Agent() bool { return u.Type == typeAgent || u.IdentityParentID != "" }

// Kind returns the kind of the person's accounts and what shows it, such as "userType is Guest". For KindPerson, the
// evidence is empty.
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
	if p.LeftOut != nil {
		if kind, evidence = p.LeftOut.kind(); kind != KindPerson {
			return kind, evidence + ", of an account that IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves out"
		}
	}
	return KindPerson, ""
}

// KindOpen reports whether the real kind may differ from Kind, because KindHidden or KindUnread is true, or because an
// Entra account may exist that was not read. In the last case the kind is not open if Active Directory shows a person's
// mailbox.
func (p *Person) KindOpen() bool {
	return p.KindHidden() || p.KindUnread() || p.Entra == nil && p.EntraState != NoAccount && (p.AD == nil || !personRecipients[p.AD.RecipientType])
}

// KindUnread reports whether the person's account in Active Directory was not read and can show another kind. The
// accounts of shared mailboxes, rooms and equipment are blocked in Entra ID (Microsoft Learn, "About shared
// mailboxes"), so the result is false for an enabled account.
//
// If Active Directory is no longer set up, or does not show the account at all, the result is true only if a recent run
// read both accounts: a company may never let idleseat see its other domains. A reading of everybody cannot distinguish
// an account that IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves out from one that is not shown. So the result is false
// there, and the reading before a write decides.
func (p *Person) KindUnread() bool {
	if p.AD != nil || p.LeftOut != nil || p.Entra == nil || p.Entra.Enabled == Yes {
		return false
	}
	joined := !p.Entra.Past.Joined.IsZero()
	switch p.ADState {
	case NotRead:
		return joined || p.silent && p.Entra.OnPremises()
	case Missing:
		return joined && p.sought
	default:
		return false
	}
}

// KindHidden reports whether the kind depends on the type of the mailbox in Active Directory, and this type is unknown:
// the domain controllers differ, or the account of idleseat may not read it. The kind does not depend on it if Entra ID
// shows another kind than KindPerson.
func (p *Person) KindHidden() bool {
	if ad := cmp.Or(p.AD, p.LeftOut); ad == nil || !ad.Hides("msExchRecipientTypeDetails") {
		return false
	}
	if p.Entra == nil {
		return true
	}
	kind, _ := p.Entra.kind()
	return kind == KindPerson
}

// KindName is the field of a policy for the kind of an account. KindField is the field of Active Directory that shows
// the kind.
const (
	KindName  = "kind"
	KindField = "ad.msExchRecipientTypeDetails"
)

// syncAccount is the display name of the accounts of Entra Connect and of cloud sync (Microsoft, "Microsoft Entra
// Connect: accounts and permissions"). resourceAccount is the department of the resource accounts of Teams (VOSS:
// device/msteamsonline/CsOnlineApplicationInstance).
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

// mailboxKinds maps a recipient type of the mailbox usage report to a kind. The type is in lower case and lacks the
// suffix Mailbox.
var mailboxKinds = map[string]string{"shared": KindShared, "room": KindRoom, "equipment": KindEquipment}

// UserMailbox reports whether the mailbox belongs to a user, according to the mailbox usage report.
func (m *Mailbox) UserMailbox() bool {
	return slices.Contains([]string{"user", "usermailbox"}, strings.ToLower(m.Kind))
}

// recipientKinds maps msExchRecipientTypeDetails to a kind, for mailboxes that belong to no person, on premises and in
// the cloud (undocumented-features.com: "every last msExchRecipientTypeDetails value").
var recipientKinds = map[string]string{
	"4": KindShared, "16": KindRoom, "32": KindEquipment,
	"34359738368": KindShared, "8589934592": KindRoom, "17179869184": KindEquipment,
}

// personRecipients has the msExchRecipientTypeDetails of a person's mailbox, on premises and in the cloud (the source
// is that of recipientKinds).
var personRecipients = map[string]bool{"1": true, "2147483648": true}

func (u *ADUser) kind() (kind, evidence string) {
	switch kind := recipientKinds[u.RecipientType]; {
	case kind != "":
		return kind, "msExchRecipientTypeDetails is " + u.RecipientType
	case strings.HasPrefix(u.SAMAccount, "MSOL_"): // Entra Connect creates this account for its own use
		return KindService, "sAMAccountName begins with MSOL_"
	}
	return KindPerson, ""
}
