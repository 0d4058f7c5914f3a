package directory

import (
	"slices"
	"strings"
	"time"
)

// GroupRef names a group the way a policy does. An Entra group has a display name or an object id. An Active Directory
// group has a distinguished name.
type GroupRef struct {
	Source Source `json:"source"`
	Name   string `json:"name"`
}

// String returns the reference as an operator reads it, for example "entra:LIC-M365-E3".
func (r GroupRef) String() string { return r.Source.String() + ":" + r.Name }

// Key identifies a question about membership in a snapshot: all members of the group, or, with direct, only the members
// that the group itself lists. Names of Active Directory are compared without case.
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

// Question asks who belongs to a group. With Direct, it asks who is listed in the group itself.
type Question struct {
	Ref    GroupRef
	Direct bool
}

// Key returns GroupRef.Key of the question.
func (q Question) Key() string { return q.Ref.Key(q.Direct) }

// PrimaryKey returns the key of the people whose primary group is this group of Active Directory. They are in the
// group, but no list of members contains them.
func (r GroupRef) PrimaryKey() string { return "ad/primary:" + strings.ToLower(r.Name) }

// NestedKey returns the key of the people who are in this group of Active Directory through a group in it. They stay in
// it when they leave the group itself.
func (r GroupRef) NestedKey() string { return "ad/nested:" + strings.ToLower(r.Name) }

// Group is what a run read of a group that the policy names. It is read before the people, and has no members.
type Group struct {
	Ref            GroupRef `json:"ref"`
	ID             string   `json:"id"`             // Entra object id; the DN for Active Directory
	Name           string   `json:"name,omitempty"` // displayName
	Dynamic        bool     `json:"dynamic,omitempty"`
	Synced         bool     `json:"synced,omitempty"`         // mastered on premises
	RoleAssignable bool     `json:"roleAssignable,omitempty"` // writing it needs a right that idleseat must not have
	Restricted     bool     `json:"restricted,omitempty"`     // in a restricted management administrative unit (isManagementRestricted)
	MailEnabled    bool     `json:"mailEnabled,omitempty"`    // only Exchange can write it, unless it is a Microsoft 365 group
	Grants         []string `json:"grants,omitempty"`         // skuIds that the group gives to its members
	Reduced        []string `json:"reduced,omitempty"`        // the products of Grants that the group gives with service plans switched off
	Off            []string `json:"off,omitempty"`            // ids of the service plans that are switched off
	Hidden         bool     `json:"hidden,omitempty"`         // HiddenMembership: memberOf leaves it out without Member.Read.Hidden
	Unreadable     string   `json:"unreadable,omitempty"`     // why the group could not be read; membership is then unknown
	// Doubt: the group is Unreadable because it may not be the group that earlier runs read. An operator has to look at
	// it before anything changes.
	Doubt bool `json:"doubt,omitempty"`
	// Note is what the plan says about how the group was found. Empty: nothing.
	Note string `json:"note,omitempty"`
	// GUID is the objectGUID in Active Directory, with dashes. It names the group even when the DN changes. Created is
	// its whenCreated. Both are empty in objects of older versions.
	GUID string `json:"guid,omitempty"`
	// SID is the objectSid of a group of Active Directory, or the onPremisesSecurityIdentifier of a group of Entra ID
	// that is synced from there. Equal SIDs show which two groups are the same.
	SID     string    `json:"sid,omitempty"`
	Created time.Time `json:"created,omitzero"`
}

// GroupByGUID returns a name by objectGUID that Active Directory accepts in place of a DN (MS-ADTS 3.1.1.3.1.2.4). It
// returns dn when the GUID is not known.
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
	// Plans are the product's service plans that matter to the policy. They are valid when PlansRead is set.
	Plans     []ServicePlan `json:"plans,omitempty"`
	PlansRead bool          `json:"plansRead,omitempty"`
}

// ServicePlan is a part of a product that may be switched off (servicePlanInfo of Graph).
type ServicePlan struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SKUIDs returns the skuId for every name that a policy may give to a product. The names are the skuId itself, and the
// part number when only one product has it. Two products may share a part number (azure-docs#108975:
// Microsoft_Teams_Premium).
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

// SameName returns the skuIds of all products with this part number. It returns none for "".
func SameName(skus []SKU, partNumber string) (ids []string) {
	for _, s := range skus {
		if s.PartNumber == partNumber && partNumber != "" {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// Member is an object that an Entra group lists. It may not be a person: an object of an unknown type may be a newer
// kind of user.
type Member struct {
	ID     string
	SID    string // onPremisesSecurityIdentifier, empty for a cloud account
	Hidden bool   // listed in a group that hides its members
	Direct bool   // listed in the group itself, not in one within it
}

// MemberOf returns whether the person belongs to the group with this GroupRef.Key. It returns Unset when the group, or
// the person's account in that source, is not known.
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
