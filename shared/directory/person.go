// Package directory holds people, accounts and license assignments in plain
// types, joins the Entra ID half of a person to the Active Directory half, and
// names every field a policy may read. It does no I/O and knows no clock.
package directory

import (
	"encoding/json"
	"fmt"
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

// MarshalText writes yes, no, or nothing when the flag is unset.
func (f Flag) MarshalText() ([]byte, error) {
	switch f {
	case Yes:
		return []byte("yes"), nil
	case No:
		return []byte("no"), nil
	default:
		return nil, nil
	}
}

// UnmarshalText reads what MarshalText writes.
func (f *Flag) UnmarshalText(b []byte) error {
	switch string(b) {
	case "yes":
		*f = Yes
	case "no":
		*f = No
	case "":
		*f = Unset
	default:
		return fmt.Errorf("flag is %q, not yes or no", b)
	}
	return nil
}

// ExtensionAttributes are the values of extensionAttribute1 to 15, in order.
type ExtensionAttributes [15]string

// MarshalJSON writes a list without the empty ones at its end: most people
// have few of the fifteen, and a snapshot holds a million people.
func (e ExtensionAttributes) MarshalJSON() ([]byte, error) {
	n := len(e)
	for n > 0 && e[n-1] == "" {
		n--
	}
	return json.Marshal(e[:n])
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *ExtensionAttributes) UnmarshalJSON(b []byte) error {
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	if len(list) > len(e) {
		return fmt.Errorf("%d extension attributes, there are %d", len(list), len(e))
	}
	*e = ExtensionAttributes{}
	copy(e[:], list)
	return nil
}

// EntraUser is one user object of Microsoft Entra ID. Dates are UTC; the zero
// time means that the account was read and has no such date. The JSON names
// are the columns of a snapshot.
type EntraUser struct {
	ID                string `json:"id"`
	UserPrincipalName string `json:"upn,omitempty"`
	DisplayName       string `json:"name,omitempty"`
	Mail              string `json:"mail,omitempty"`
	UserType          string `json:"userType,omitempty"`
	Department        string `json:"department,omitempty"`
	EmployeeType      string `json:"employeeType,omitempty"`
	EmployeeID        string `json:"employeeId,omitempty"`
	JobTitle          string `json:"jobTitle,omitempty"`
	CompanyName       string `json:"companyName,omitempty"`
	OfficeLocation    string `json:"officeLocation,omitempty"`
	Country           string `json:"country,omitempty"`
	UsageLocation     string `json:"usageLocation,omitempty"`
	Enabled           Flag   `json:"enabled,omitempty"`

	Created            time.Time `json:"created,omitzero"`
	LastInteractive    time.Time `json:"lastInteractive,omitzero"`
	LastNonInteractive time.Time `json:"lastNonInteractive,omitzero"`
	LastSuccessful     time.Time `json:"lastSuccessful,omitzero"`

	// Synced tells that the account is mastered on premises
	// (onPremisesSyncEnabled is true), so an AD account should exist.
	Synced      bool   `json:"synced,omitempty"`
	SID         string `json:"sid,omitempty"`         // onPremisesSecurityIdentifier
	ImmutableID string `json:"immutableId,omitempty"` // onPremisesImmutableId, base64 of the anchor's raw bytes
	SAMAccount  string `json:"sam,omitempty"`         // onPremisesSamAccountName

	Extension   ExtensionAttributes `json:"ext,omitzero"`
	Assignments []Assignment        `json:"licenses,omitempty"`
}

// Assignment is one path by which a user holds a product: directly or through
// one group (licenseAssignmentStates of Microsoft Graph).
type Assignment struct {
	SKU           string   `json:"sku"`             // skuId
	Group         string   `json:"group,omitempty"` // assignedByGroup; empty: assigned directly
	State         string   `json:"state,omitempty"` // Active, ActiveWithError, Disabled, Error
	Error         string   `json:"error,omitempty"` // CountViolation, …; empty when there is none
	DisabledPlans []string `json:"disabledPlans,omitempty"`
}

// Active tells whether the path gives the license now.
func (a Assignment) Active() bool { return a.State == "Active" || a.State == "ActiveWithError" }

// ADUser is one user object of Active Directory. Dates are UTC; the zero time
// means that the object was read and has no such date.
type ADUser struct {
	SID               string `json:"sid"`  // objectSid as S-1-5-21-…
	GUID              string `json:"guid"` // base64 of objectGUID's raw bytes
	ConsistencyGUID   string `json:"anchor,omitempty"`
	DN                string `json:"dn,omitempty"`
	SAMAccount        string `json:"sam,omitempty"`
	UserPrincipalName string `json:"upn,omitempty"`
	DisplayName       string `json:"name,omitempty"`
	Mail              string `json:"mail,omitempty"`
	Department        string `json:"department,omitempty"`
	EmployeeType      string `json:"employeeType,omitempty"`
	EmployeeID        string `json:"employeeId,omitempty"`
	Title             string `json:"title,omitempty"`
	Company           string `json:"company,omitempty"`
	Office            string `json:"office,omitempty"`
	Country           string `json:"country,omitempty"`
	Enabled           Flag   `json:"enabled,omitempty"`

	Created time.Time `json:"created,omitzero"` // whenCreated
	// LastLogonTimestamp is the replicated date, up to 14 days late. In fresh
	// evidence it is the newest of it and of lastLogon on every controller.
	LastLogonTimestamp time.Time `json:"lastLogonTimestamp,omitzero"`

	Extension ExtensionAttributes `json:"ext,omitzero"`
}

// Anchor is what Entra Connect keeps as onPremisesImmutableId: the base64 of
// mS-DS-ConsistencyGuid when that is set, else of objectGUID.
func (a *ADUser) Anchor() string {
	if a.ConsistencyGUID != "" {
		return a.ConsistencyGUID
	}
	return a.GUID
}

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

	// Stale names why activity dates of a source cannot be trusted in this
	// run ("" when they can), by Source.
	Stale [2]string
	// Memberships are the keys of the named groups the person belongs to.
	Memberships []string
	// Unreadable are the keys of named groups that could not be read.
	Unreadable []string
}

// ID is the key of the person in plans and in the ledger: the Entra object id,
// or the SID of somebody who exists in Active Directory only.
func (p *Person) ID() string {
	if p.Entra != nil {
		return p.Entra.ID
	}
	return p.AD.SID
}

// UserPrincipalName is the Entra name, or the AD name of somebody who exists
// in Active Directory only.
func (p *Person) UserPrincipalName() string {
	if p.Entra != nil {
		return p.Entra.UserPrincipalName
	}
	if p.AD.UserPrincipalName != "" {
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
