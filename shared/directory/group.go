package directory

import (
	"slices"
	"strings"
	"time"
)

// GroupRef is the name of a group in a policy: the display name or object id in Entra ID, or the DN in Active
// Directory.
type GroupRef struct {
	Source Source `json:"source"`
	Name   string `json:"name"`
}

// String returns the reference for operators, such as "entra:LIC-M365-E3".
func (r GroupRef) String() string { return r.Source.String() + ":" + r.Name }

// Key returns the key of the group's members in a snapshot, such as "entra:LIC-M365-E3". If "direct" is set, these are
// only the members that the group itself lists. The key ignores letter case for Active Directory.
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

// Question asks for the members of a group. If Direct is set, it asks for those that the group itself lists.
type Question struct {
	Ref    GroupRef
	Direct bool
}

// Key returns the key under which a snapshot has these members.
func (q Question) Key() string { return q.Ref.Key(q.Direct) }

// PrimaryKey returns the key for the people whose primary group is this Active Directory group. A group does not list
// such people as members.
func (r GroupRef) PrimaryKey() string { return "ad/primary:" + strings.ToLower(r.Name) }

// NestedKey returns the key for the people who belong to this Active Directory group through a group inside it. They
// remain members after they are removed from the group itself.
func (r GroupRef) NestedKey() string { return "ad/nested:" + strings.ToLower(r.Name) }

// Group is what a run reads about a group before it reads people. The members are not in it.
type Group struct {
	Ref            GroupRef `json:"ref"`
	ID             string   `json:"id"`             // the Entra object id, or the DN in Active Directory
	Name           string   `json:"name,omitempty"` // displayName
	Dynamic        bool     `json:"dynamic,omitempty"`
	Synced         bool     `json:"synced,omitempty"`         // mastered on premises
	RoleAssignable bool     `json:"roleAssignable,omitempty"` // a write needs a right that idleseat must not have
	Restricted     bool     `json:"restricted,omitempty"`     // in a restricted management administrative unit (isManagementRestricted)
	MailEnabled    bool     `json:"mailEnabled,omitempty"`    // mail-enabled and no Microsoft 365 group, so only Exchange can change the members
	Grants         []string `json:"grants,omitempty"`         // skuIds that the group assigns to its members
	Reduced        []string `json:"reduced,omitempty"`        // skuIds in Grants for which the group switches off some service plans
	Off            []string `json:"off,omitempty"`            // ids of the service plans that are switched off
	Hidden         bool     `json:"hidden,omitempty"`         // visibility is HiddenMembership; memberOf omits the group if the application lacks Member.Read.Hidden
	Unseen         bool     `json:"unseen,omitempty"`         // the group is hidden and gives a license, and this application cannot read the members
	Unreadable     string   `json:"unreadable,omitempty"`     // why the group could not be read; empty if it was read
	// Doubt means that the group may not be the one that earlier runs read under this name. Unreadable then has the
	// reason, and an operator must look at the group before anything changes.
	Doubt bool `json:"doubt,omitempty"`
	// Note is a sentence for the plan about how the group was found, or empty.
	Note string `json:"note,omitempty"`
	// GUID is the objectGUID in Active Directory, with dashes, which stays when the DN changes. It is empty in objects
	// of older versions.
	GUID string `json:"guid,omitempty"`
	// SID is the objectSid of an Active Directory group, or the onPremisesSecurityIdentifier of a synced Entra group.
	SID string `json:"sid,omitempty"`
	// Created is whenCreated in Active Directory. It is zero in objects of older versions.
	Created time.Time `json:"created,omitzero"`
}

// GroupByGUID returns the name "<GUID=…>", which Active Directory accepts in place of a DN (MS-ADTS 3.1.1.3.1.2.4). It
// returns dn if guid is empty.
func GroupByGUID(guid, dn string) string {
	if guid == "" {
		return dn
	}
	return byGUID + guid + ">"
}

const byGUID = "<GUID="

// IsGroupGUID reports whether the name has the form of GroupByGUID.
func IsGroupGUID(name string) bool { return strings.HasPrefix(name, byGUID) }

// SKU is a product to which the tenant subscribes (subscribedSkus of Graph).
type SKU struct {
	ID         string `json:"id"`
	PartNumber string `json:"partNumber"`
	Enabled    int    `json:"enabled"`  // seats paid for
	Consumed   int    `json:"consumed"` // seats taken
	// Plans has the service plans that matter to the policy. It is valid only if PlansRead is set.
	Plans     []ServicePlan `json:"plans,omitempty"`
	PlansRead bool          `json:"plansRead,omitempty"`
}

// ServicePlan is a part of a product (servicePlanInfo of Graph), which an assignment may switch off.
type ServicePlan struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SKUIDs returns the skuId of each product, by the names that a policy may use: the skuId itself, and the part number
// if only this product has it. Two products may share a part number (azure-docs#108975: Microsoft_Teams_Premium).
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

// SameName returns the skuIds of the products with this part number, or nil for "".
func SameName(skus []SKU, partNumber string) (ids []string) {
	for _, s := range skus {
		if s.PartNumber == partNumber && partNumber != "" {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// Member is an object in the member list of an Entra group. A list omits objects of types that are never users. It
// includes an object of an unknown type, which can be a newer kind of user.
type Member struct {
	ID     string
	SID    string // onPremisesSecurityIdentifier; empty for a cloud account
	Hidden bool   // listed in a group that hides its members
	Direct bool   // listed in the group itself, not in a nested group
}

// MemberOf reports whether the person belongs to the group with this GroupRef.Key. It is Unset if the members of the
// group or the person's account in s were not read, or if Active Directory hides the person's primary group.
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
