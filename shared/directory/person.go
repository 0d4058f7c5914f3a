// Package directory holds people, accounts and license assignments in plain
// types, joins the Entra ID half of a person to the Active Directory half, and
// names every field a policy may read. It does no I/O and knows no clock.
package directory

import (
	"slices"
	"time"
)

// Flag is a boolean that may not have been read.
type Flag uint8

// The states of a Flag. The zero value is Unset: the directory did not say.
const (
	Unset Flag = iota
	No
	Yes
)

// FlagOf turns a boolean that was read into a Flag.
func FlagOf(b bool) Flag {
	if b {
		return Yes
	}
	return No
}

// String is yes, no, or nothing when the flag is unset.
func (f Flag) String() string {
	switch f {
	case Yes:
		return "yes"
	case No:
		return "no"
	default:
		return ""
	}
}

// ParseFlag reads what String writes.
func ParseFlag(s string) (f Flag, ok bool) {
	switch s {
	case "yes":
		return Yes, true
	case "no":
		return No, true
	default:
		return Unset, s == ""
	}
}

// ExtensionAttributes are the values of extensionAttribute1 to 15, in order.
type ExtensionAttributes [15]string

// EntraUser is one user object of Microsoft Entra ID. Dates are UTC; the zero
// time means that the account was read and has no such date.
//
// The tags are the table of fields, see Property: a new text of Graph is one line here.
type EntraUser struct {
	ID                string `field:"id" read:"always"`
	UserPrincipalName string `field:"userPrincipalName" read:"always"`
	DisplayName       string `field:"displayName" read:"always"`
	Mail              string `field:"mail"`
	UserType          string `field:"userType" read:"always"`
	Department        string `field:"department" read:"always"`
	EmployeeType      string `field:"employeeType"`
	EmployeeID        string `field:"employeeId"`
	JobTitle          string `field:"jobTitle"`
	CompanyName       string `field:"companyName"`
	OfficeLocation    string `field:"officeLocation"`
	Country           string `field:"country"`
	UsageLocation     string `field:"usageLocation" read:"always"`
	Enabled           Flag   `field:"accountEnabled" read:"always"`
	Type              string `source:"@odata.type" column:"odata_type" read:"always"` // of what derives from user; empty: a user
	IdentityParentID  string `field:"identityParentId" read:"always"`                 // of an agent: the identity that it acts for
	// MailboxKind is the recipient type by the mailbox usage report; empty: a user's,
	// or not told.
	MailboxKind string

	Created            time.Time `field:"created" source:"createdDateTime" meaning:"creation" read:"always"`
	LastInteractive    time.Time `field:"lastInteractiveSignIn" source:"signInActivity/lastSignInDateTime" meaning:"activity" read:"always"`
	LastNonInteractive time.Time `field:"lastNonInteractiveSignIn" source:"signInActivity/lastNonInteractiveSignInDateTime" meaning:"activity" read:"always"`
	LastSuccessful     time.Time `field:"lastSuccessfulSignIn" source:"signInActivity/lastSuccessfulSignInDateTime" meaning:"activity" read:"always"`
	Hired              time.Time `field:"hired" source:"employeeHireDate"` // may lie in the future
	PasswordChanged    time.Time `field:"passwordChanged" source:"lastPasswordChangeDateTime"`
	// DatesInDoubt: a sign-in date lies in the future, so a clock is wrong and
	// no sign-in date of this account says anything.
	DatesInDoubt bool `column:"dates_in_doubt" read:"always"`
	// DatesLost is when one of this account's sign-in dates was first missing, or
	// earlier than Past knows it, as far as is known. Zero: no date is lost. Until the
	// dates are back nobody knows when the account was last used.
	DatesLost time.Time
	Past      Past

	// Synced tells that the account is mastered on premises
	// (onPremisesSyncEnabled is true), so an AD account should exist.
	Synced      bool   `field:"onPremisesSyncEnabled" read:"always"`
	SID         string `source:"onPremisesSecurityIdentifier" column:"sid" read:"always"`
	ImmutableID string `source:"onPremisesImmutableId" column:"immutable_id" read:"always"` // base64 of the anchor's raw bytes
	SAMAccount  string `source:"onPremisesSamAccountName" column:"sam_account_name" read:"always"`

	Extension   ExtensionAttributes `field:"extensionAttribute" source:"onPremisesExtensionAttributes/extensionAttribute"`
	Assignments []Assignment
	// Uses is what usage reports tell of the account, one for each signal that a rule
	// reads and whose report has the account.
	Uses []Use
}

// Assignment is one path by which a user holds a product: directly or through
// one group (licenseAssignmentStates of Microsoft Graph).
type Assignment struct {
	SKU           string   `json:"sku"`             // skuId
	Group         string   `json:"group,omitempty"` // assignedByGroup; empty: assigned directly
	State         string   `json:"state,omitempty"` // Active, ActiveWithError, Disabled, Error
	Error         string   `json:"error,omitempty"` // CountViolation, …; empty when there is none
	DisabledPlans []string `json:"disabledPlans,omitempty"`
	// Updated is when the state of the path last changed (lastUpdatedDateTime): when
	// the license was given, or processed again since. Zero: not known.
	Updated time.Time `json:"updated,omitzero"`
}

// Active tells whether the path gives the license now.
func (a Assignment) Active() bool { return a.State == "Active" || a.State == "ActiveWithError" }

// ADUser is one user object of Active Directory. Dates are UTC; the zero time
// means that the object was read and has no such date. The tags are as in EntraUser.
type ADUser struct {
	SID               string `source:"objectSid" column:"sid" read:"always"` // as S-1-5-21-…
	GUID              string `source:"objectGUID" read:"always"`             // base64 of its raw bytes
	ConsistencyGUID   string `source:"mS-DS-ConsistencyGuid" column:"consistency_guid" read:"always"`
	DN                string `field:"distinguishedName" source:"" read:"always"` // everybody who sees the object sees its name
	SAMAccount        string `field:"sAMAccountName" column:"sam_account_name" read:"always"`
	UserPrincipalName string `field:"userPrincipalName" read:"always"`
	DisplayName       string `field:"displayName"`
	Mail              string `field:"mail"`
	Department        string `field:"department"`
	EmployeeType      string `field:"employeeType"`
	EmployeeID        string `field:"employeeID" read:"always"`
	Title             string `field:"title"`
	Company           string `field:"company"`
	Office            string `field:"physicalDeliveryOfficeName"`
	Country           string `field:"co"`
	RecipientType     string `field:"msExchRecipientTypeDetails" read:"always"` // empty where Exchange's schema is not
	Enabled           Flag   `field:"accountEnabled" source:"userAccountControl" read:"always"`

	Created time.Time `field:"created" source:"whenCreated" meaning:"creation" read:"always"`
	// LastLogonTimestamp is the replicated date, up to 14 days late. In fresh
	// evidence it is the newest of it and of lastLogon on every controller.
	LastLogonTimestamp time.Time `field:"lastLogonTimestamp" meaning:"activity" read:"always"`
	PasswordSet        time.Time `field:"passwordSet" source:"pwdLastSet"` // zero also where it must be changed at the next logon
	Expires            time.Time `field:"expires" source:"accountExpires"` // zero: never
	DatesInDoubt       bool      `column:"dates_in_doubt" read:"always"`   // as in EntraUser, of logons
	DatesLost          time.Time // as in EntraUser, of logons
	// Unreadable are the LDAP names of attributes that came without a value and may
	// have one: the account that reads has no right to see it.
	Unreadable []string
	Past       Past

	Extension ExtensionAttributes `field:"extensionAttribute"`
}

// Hides tells whether an attribute, by its LDAP name, may not be read of the account.
func (a *ADUser) Hides(attribute string) bool { return slices.Contains(a.Unreadable, attribute) }

// LogOnBy gives the account a last logon that is proven without its own date, which
// may be hidden.
func (a *ADUser) LogOnBy(latest time.Time) {
	a.LastLogonTimestamp = latest
	a.Unreadable = slices.DeleteFunc(slices.Clone(a.Unreadable), func(name string) bool { return name == lastLogonTimestamp })
}

// lastLogonTimestamp is the LDAP name of the replicated date.
const lastLogonTimestamp = "lastLogonTimestamp"

// Presence says what is known of one half of a person.
type Presence uint8

// The states of a half. Only Present gives values; NoAccount alone proves that
// the person cannot hold a license of that source.
const (
	NotRead       Presence = iota // the source is absent, down or unreadable
	Present                       // the account was read
	NoAccount                     // the source was read whole, and the person has no account in it
	Missing                       // an account should be there and is not: out of scope or deleted
	Contradictory                 // the halves disagree, or two accounts claim one key
)

// Person is one human: an Entra account, an AD account, or both joined.
type Person struct {
	Entra      *EntraUser
	AD         *ADUser
	EntraState Presence
	ADState    Presence
	Doubt      string // why a half is Missing or Contradictory, in a sentence
	// Converted: Entra ID masters the account itself now. The account still carries a
	// SID of Active Directory, where no account has that SID.
	Converted bool

	// claimed is the account of Active Directory that the Entra account claims, also
	// when the two contradict each other.
	claimed       *ADUser
	contradiction Contradiction // that this reading shows

	// License is the skuId of the license that a rule is being asked about; empty: none,
	// or one of Active Directory.
	License string

	// Stale names why the dates of a signal cannot be trusted in this run; "": they can.
	Stale [Signals]string
	// Memberships are the keys of the named groups the person belongs to.
	Memberships []string
	// Unreadable are the keys of named groups that could not be read.
	Unreadable []string
}

// ID is the key of the person in plans and in the ledger: the Entra object id, or the
// SID of somebody who exists in Active Directory only. It is empty when neither half of
// the person was read.
func (p *Person) ID() string {
	switch {
	case p.Entra != nil:
		return p.Entra.ID
	case p.AD != nil:
		return p.AD.SID
	}
	return ""
}

// SID is the person's security identifier, empty for somebody whom no Active
// Directory knows.
func (p *Person) SID() string {
	switch {
	case p.AD != nil:
		return p.AD.SID
	case p.Entra != nil:
		return p.Entra.SID
	}
	return ""
}

// LoggedOnBy is the person as if the last logon to Active Directory, which is
// not known, had been at the latest instant that it can have been.
func (p *Person) LoggedOnBy(latest time.Time) *Person {
	as := *p
	as.Stale[AD] = ""
	if p.AD != nil {
		account := *p.AD
		account.LogOnBy(latest)
		as.AD = &account
	}
	return &as
}

// ActiveBy is the person as if all accounts had last been used at an instant,
// where they were not used later. What is not known stays so.
func (p *Person) ActiveBy(at time.Time) *Person {
	as := *p
	if p.Entra != nil {
		account := *p.Entra
		for _, date := range []*time.Time{&account.LastInteractive, &account.LastNonInteractive, &account.LastSuccessful} {
			if date.Before(at) {
				*date = at
			}
		}
		account.Uses = usedBy(account.Uses, at)
		as.Entra = &account
	}
	if p.AD != nil {
		account := *p.AD
		if account.LastLogonTimestamp.Before(at) {
			account.LastLogonTimestamp = at
		}
		as.AD = &account
	}
	return &as
}

// UserPrincipalName is the Entra name, or the AD name of somebody who exists
// in Active Directory only.
func (p *Person) UserPrincipalName() string {
	switch {
	case p.Entra != nil:
		return p.Entra.UserPrincipalName
	case p.AD == nil:
		return ""
	case p.AD.UserPrincipalName != "":
		return p.AD.UserPrincipalName
	}
	return p.AD.SAMAccount
}

// State is what is known of the half of a source.
func (p *Person) State(s Source) Presence {
	if s == AD {
		return p.ADState
	}
	return p.EntraState
}
