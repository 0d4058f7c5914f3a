package directory

import (
	"slices"
	"strings"
	"time"
)

// GroupRef names a group as a policy does: an Entra group by display name or
// object id, an Active Directory group by distinguished name.
type GroupRef struct {
	Source Source `json:"source"`
	Name   string `json:"name"`
}

// String is the reference as an operator reads it, "entra:LIC-M365-E3".
func (r GroupRef) String() string { return r.Source.String() + ":" + r.Name }

// Key identifies a question about membership in a snapshot: the members of the
// group, or (direct) only those listed in the group itself. AD names compare
// without regard to case.
func (r GroupRef) Key(direct bool) string {
	name := r.Name
	if r.Source == AD {
		name = strings.ToLower(name)
	}
	if direct {
		return r.Source.String() + "/direct:" + name
	}
	return r.Source.String() + ":" + name
}

// PrimaryKey is the key of the people whose primary group is this group of Active
// Directory. They are in it, and no list of members holds them.
func (r GroupRef) PrimaryKey() string { return "ad/primary:" + strings.ToLower(r.Name) }

// NestedKey is the key of the people who are in the group of Active Directory by way of
// a group within it. When they leave the group itself, they stay in it.
func (r GroupRef) NestedKey() string { return "ad/nested:" + strings.ToLower(r.Name) }

// Group is what a run read of a group named in the policy before it read
// people. Members are not in it.
type Group struct {
	Ref            GroupRef `json:"ref"`
	ID             string   `json:"id"`             // Entra object id; the DN for Active Directory
	Name           string   `json:"name,omitempty"` // displayName
	Dynamic        bool     `json:"dynamic,omitempty"`
	Synced         bool     `json:"synced,omitempty"`         // mastered on premises
	RoleAssignable bool     `json:"roleAssignable,omitempty"` // needs a right idleseat must not have
	Restricted     bool     `json:"restricted,omitempty"`     // in a restricted management administrative unit (isManagementRestricted)
	MailEnabled    bool     `json:"mailEnabled,omitempty"`    // written by Exchange only, unless a Microsoft 365 group
	Grants         []string `json:"grants,omitempty"`         // skuIds the group gives to its members
	Reduced        []string `json:"reduced,omitempty"`        // those of Grants that it gives with service plans switched off
	Off            []string `json:"off,omitempty"`            // ids of the service plans that it gives switched off
	Hidden         bool     `json:"hidden,omitempty"`         // HiddenMembership: memberOf leaves it out without Member.Read.Hidden
	Unreadable     string   `json:"unreadable,omitempty"`     // why it could not be read; membership is then unknown
	// Doubt: the group is Unreadable, because it may not be the one that earlier runs
	// read. Somebody has to look before anything is changed.
	Doubt bool `json:"doubt,omitempty"`
	// Note is what the plan says of how it was found; empty: nothing.
	Note string `json:"note,omitempty"`
	// GUID is the objectGUID in Active Directory, written with dashes: it names the
	// group whatever its DN becomes. Created is its whenCreated. Both are not known
	// (empty, zero) in objects of older versions.
	GUID string `json:"guid,omitempty"`
	// SID is the objectSid in Active Directory, and onPremisesSecurityIdentifier of a group
	// of Entra ID that is synced from there: it tells which group is which.
	SID     string    `json:"sid,omitempty"`
	Created time.Time `json:"created,omitzero"`
}

// GroupByGUID is how a group of Active Directory is named by its objectGUID wherever a
// DN is asked for (MS-ADTS 3.1.1.3.1.2.4); dn when that is not known.
func GroupByGUID(guid, dn string) string {
	if guid == "" {
		return dn
	}
	return "<GUID=" + guid + ">"
}

// SKU is a product the tenant subscribes to (subscribedSkus of Graph).
type SKU struct {
	ID         string `json:"id"`
	PartNumber string `json:"partNumber"`
	Enabled    int    `json:"enabled"`  // seats paid for
	Consumed   int    `json:"consumed"` // seats taken
	// Plans are its service plans that matter to the policy, if PlansRead.
	Plans     []ServicePlan `json:"plans,omitempty"`
	PlansRead bool          `json:"plansRead,omitempty"`
}

// ServicePlan is a part of a product that may be switched off (servicePlanInfo of
// Graph).
type ServicePlan struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SKUIDs are the skuIds by every name that a policy may give to a product: the
// skuId itself, and the part number where only one product has it
// (azure-docs#108975: Microsoft_Teams_Premium is that of two).
func SKUIDs(skus []SKU) map[string]string {
	ids := make(map[string]string, 2*len(skus))
	for _, s := range skus {
		ids[s.ID] = s.ID
		if len(SameName(skus, s.PartNumber)) == 1 {
			ids[s.PartNumber] = s.ID
		}
	}
	return ids
}

// SameName are the skuIds of all products with a part number; none for "".
func SameName(skus []SKU, partNumber string) (ids []string) {
	for _, s := range skus {
		if s.PartNumber == partNumber && partNumber != "" {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// Member is somebody listed in an Entra group. It is not proven to be a person:
// whatever is of no known type may be a kind of user that came later.
type Member struct {
	ID     string
	SID    string // onPremisesSecurityIdentifier, empty for a cloud account
	Hidden bool   // listed in a group whose membership is hidden
	Direct bool   // listed in the group itself, not in one within it
}

// MemberOf answers whether the person belongs to a named group, by the key of
// GroupRef.Key. The answer is Unset when the group or the person's half in
// that source is not known.
func (p *Person) MemberOf(s Source, key string) Flag {
	if slices.Contains(p.Memberships, key) {
		return Yes
	}
	if slices.Contains(p.Unreadable, key) || s == AD && p.AD != nil && p.AD.Hides("primaryGroupID") {
		return Unset
	}
	switch p.State(s) {
	case Present, NoAccount:
		return No
	default:
		return Unset
	}
}
