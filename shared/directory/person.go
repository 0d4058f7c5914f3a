// Package directory defines people, accounts and license assignments. It joins a person's accounts in Entra ID and in
// Active Directory, and names the fields that a policy may read. It does no I/O and reads no clock.
package directory

import (
	"slices"
	"time"
)

// Flag is a boolean that may be unknown.
type Flag uint8

// The states of a Flag. Unset means that the directory did not say.
const (
	Unset Flag = iota
	No
	Yes
)

// FlagOf returns Yes or No.
func FlagOf(b bool) Flag {
	if b {
		return Yes
	}
	return No
}

// String returns "yes", "no", or "" for Unset.
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

// ParseFlag is the inverse of String. The result "ok" is false if String never returns s.
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

// ExtensionAttributes has extensionAttribute1 to extensionAttribute15, in order.
type ExtensionAttributes [15]string

// EntraUser is a user object of Microsoft Entra ID. Dates are in UTC. A zero date means that Graph has no value, for
// example because the user never signed in. DatesInDoubt and DatesLost say when a date is unknown.
//
// The file table.go explains the tags. A field that only policies use has no tag "read". To add a text property of
// Graph, add one line here. Tests then fail and say where else the property must be named, such as in documents.
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
	PreferredLanguage string `field:"preferredLanguage"`
	Enabled           Flag   `field:"accountEnabled" read:"always"`
	Type              string `source:"@odata.type" column:"odata_type" read:"always"` // the type that Graph sends for a subtype of user, such as an agent; empty for a plain user
	IdentityParentID  string `field:"identityParentId" read:"always"`                 // for an agent, the identity for which the agent acts
	// MailboxKind is the recipient type from the mailbox usage report. It is empty for a user's mailbox, and if the
	// report lacks the account.
	MailboxKind string

	Created            time.Time `field:"created" source:"createdDateTime" meaning:"creation" read:"always"`
	LastInteractive    time.Time `field:"lastInteractiveSignIn" source:"signInActivity/lastSignInDateTime" meaning:"activity" read:"always"`
	LastNonInteractive time.Time `field:"lastNonInteractiveSignIn" source:"signInActivity/lastNonInteractiveSignInDateTime" meaning:"activity" read:"always"`
	LastSuccessful     time.Time `field:"lastSuccessfulSignIn" source:"signInActivity/lastSuccessfulSignInDateTime" meaning:"activity" read:"always"`
	Hired              time.Time `field:"hired" source:"employeeHireDate" read:"always"` // may lie in the future
	// HiredInDoubt means that the account has no hire date in a reading that lost many hire dates. The hire date is then
	// unknown.
	HiredInDoubt    bool
	PasswordChanged time.Time `field:"passwordChanged" source:"lastPasswordChangeDateTime"`
	// DatesInDoubt means that a sign-in date is in the future, so that no sign-in date of the account is trusted.
	DatesInDoubt bool `column:"dates_in_doubt" read:"always"`
	// DatesLost is the first reading in which a sign-in date was missing or earlier than in Past, or zero. While a date
	// is lost, the last use is unknown.
	DatesLost time.Time
	Past      Past

	// Synced means that the account is mastered on premises (onPremisesSyncEnabled), so Active Directory should have an
	// account of the same person.
	Synced      bool   `field:"onPremisesSyncEnabled" read:"always"`
	SID         string `source:"onPremisesSecurityIdentifier" column:"sid" read:"always"`
	ImmutableID string `source:"onPremisesImmutableId" column:"immutable_id" read:"always"` // the anchor, usually as base64 of raw bytes
	SAMAccount  string `source:"onPremisesSamAccountName" column:"sam_account_name" read:"always"`

	Extension   ExtensionAttributes `field:"extensionAttribute" source:"onPremisesExtensionAttributes/extensionAttribute"`
	Assignments []Assignment
	// Uses has one entry for each usage report that a rule reads and that lists the account.
	Uses []Use
}

// Assignment is one way in which a user holds a product: directly, or through one group (licenseAssignmentStates of
// Graph).
type Assignment struct {
	SKU           string   `json:"sku"`             // skuId
	Group         string   `json:"group,omitempty"` // assignedByGroup; empty if assigned directly
	State         string   `json:"state,omitempty"` // Active, ActiveWithError, Disabled or Error
	Error         string   `json:"error,omitempty"` // CountViolation, …; empty if there is none
	DisabledPlans []string `json:"disabledPlans,omitempty"`
	// Updated is when the license was assigned or last reprocessed (lastUpdatedDateTime), or zero.
	Updated time.Time `json:"updated,omitzero"`
}

// Active reports whether the assignment gives the license now.
func (a Assignment) Active() bool { return a.State == "Active" || a.State == "ActiveWithError" }

// ADUser is a user object of Active Directory. Dates are in UTC. A zero date means that the directory has no value,
// unless Unreadable lists the attribute. The date is then unknown, as it is with DatesInDoubt and DatesLost. The file
// table.go explains the tags.
type ADUser struct {
	SID               string `source:"objectSid" column:"sid" read:"always"` // in text form: S-1-5-21-…
	GUID              string `source:"objectGUID" read:"always"`             // base64 of the raw bytes
	ConsistencyGUID   string `source:"mS-DS-ConsistencyGuid" column:"consistency_guid" read:"always"`
	DN                string `field:"distinguishedName" source:""` // every object has a DN, so the directory cannot hide the DN
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
	RecipientType     string `field:"msExchRecipientTypeDetails" read:"always"` // empty if the forest lacks the Exchange schema
	Enabled           Flag   `field:"accountEnabled" source:"userAccountControl" read:"always"`

	Created time.Time `field:"created" source:"whenCreated" meaning:"creation" read:"always"`
	// LastLogonTimestamp is the replicated date, up to 14 days late. When a single person is read again, it is the
	// newest of this date and of lastLogon on every controller.
	LastLogonTimestamp time.Time `field:"lastLogonTimestamp" meaning:"activity" read:"always"`
	PasswordSet        time.Time `field:"passwordSet" source:"pwdLastSet"`               // also zero when the password must be changed at the next logon
	Expires            time.Time `field:"expires" source:"accountExpires" read:"always"` // zero: never
	DatesInDoubt       bool      `column:"dates_in_doubt" read:"always"`                 // a logon lies in the future, so no logon date of the account is trusted
	DatesLost          time.Time // the first reading in which the logon date was missing or earlier than in Past; zero if no date is lost
	// Unreadable has the LDAP names of attributes with an unknown value. Either the directory sent no value, and the
	// account of idleseat may lack the right to see it, or domain controllers give different values (Agree).
	Unreadable []string
	Past       Past

	Extension ExtensionAttributes `field:"extensionAttribute"`
}

// Hides reports whether the value of the attribute with this LDAP name is not known.
func (a *ADUser) Hides(attribute string) bool { return slices.Contains(a.Unreadable, attribute) }

// LogOnBy sets the last logon to "latest" and marks it as readable, even if the directory hides the date.
func (a *ADUser) LogOnBy(latest time.Time) {
	a.LastLogonTimestamp = latest
	a.Unreadable = slices.DeleteFunc(slices.Clone(a.Unreadable), func(name string) bool { return name == lastLogonTimestamp })
}

const lastLogonTimestamp = "lastLogonTimestamp"

// OnPremises reports whether the person may also have an account in Active Directory. This is also possible if the
// Entra account is not synced now. A conversion leaves its SID ("Configure User Source of Authority",
// learn.microsoft.com). Other tools than Entra Connect set the immutable id alone. An earlier run may have read both
// accounts together.
func (u *EntraUser) OnPremises() bool {
	return u.Synced || u.SID != "" || u.ImmutableID != "" || !u.Past.Joined.IsZero()
}

// Presence says what is known about an account of a person.
type Presence uint8

// The states of an account. Only a Present account has values. Only NoAccount proves that the person cannot hold a
// license from the source.
const (
	NotRead       Presence = iota // the source is not configured, down or unreadable
	Present                       // the account was read
	NoAccount                     // the source was read in full and has no account for the person
	Missing                       // the account may exist, but was not found or could not be matched
	Contradictory                 // the accounts contradict each other or did before, or earlier facts are lost
)

// Person is one human: an Entra account, an AD account, or both joined.
type Person struct {
	Entra      *EntraUser
	AD         *ADUser
	EntraState Presence
	ADState    Presence
	Doubt      string // a sentence that says why an account is Missing or Contradictory
	// Converted means that the account was once synced from Active Directory and is now mastered in Entra ID. It still
	// has a SID, but Active Directory has no account with it.
	Converted bool

	// LeftOut is the account in Active Directory if IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves it out, and a reading of
	// one person found it by its SID. AD is then nil. The account counts only for the kind of the person.
	LeftOut *ADUser

	sought, silent bool // Accounts.Sought and Accounts.Silent

	// claimed is the Active Directory account to which the Entra account points, or nil. It is also set if the two
	// accounts contradict each other.
	claimed       *ADUser
	contradiction Contradiction // the contradiction that this reading shows
	forgotten     bool          // an account of the person has a Past.ForgottenBy

	// License is the skuId of the license for which a rule is evaluated. It is empty outside an evaluation, and for a
	// license of Active Directory.
	License string

	// Stale says why the dates of a signal cannot be trusted in this run, or is empty.
	Stale [Signals]string
	// Memberships has the GroupRef.Keys of the person's groups, among those whose members the run read.
	Memberships []string
	// Unreadable has the keys of the groups whose members the run could not read.
	Unreadable []string
}

// ID returns the key of the person in plans and in the ledger: the Entra object id or, without an Entra account, the
// SID. It returns "" if no account was read.
func (p *Person) ID() string {
	switch {
	case p.Entra != nil:
		return p.Entra.ID
	case p.AD != nil:
		return p.AD.SID
	}
	return ""
}

// SID returns the SID of the account in Active Directory or else of the Entra account, or "".
func (p *Person) SID() string {
	switch {
	case p.AD != nil:
		return p.AD.SID
	case p.Entra != nil:
		return p.Entra.SID
	}
	return ""
}

// LoggedOnBy returns a copy whose last logon to Active Directory is "latest", and is trusted. The argument is the
// latest possible logon. If a rule takes a license even from the copy, the license is certainly unused.
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

// WithLeftOut returns a copy with the account LeftOut in place of AD, or p itself if there is no such account. It is for
// what the account shows about the kind.
func (p *Person) WithLeftOut() *Person {
	if p.LeftOut == nil {
		return p
	}
	as := *p
	as.AD, as.ADState = p.LeftOut, Present
	return &as
}

// ActiveBy returns a copy of the person as if they had been active at the given time. This time replaces earlier and
// missing dates of use. Later and unknown dates stay. With the copy, a rule shows whether the person has been idle
// since that time, for example since a restore or the end of a leave.
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

// UserPrincipalName returns the userPrincipalName in Entra ID, or else in Active Directory, or else the sAMAccountName.
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

// State returns what is known about the person's account in s.
func (p *Person) State(s Source) Presence {
	if s == AD {
		return p.ADState
	}
	return p.EntraState
}
