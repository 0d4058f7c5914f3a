package directory

import "time"

// Earlier is what earlier runs found under the names that the policy uses. A later run uses it to follow a renamed
// object, and to notice that an object was deleted and created again.
type Earlier struct {
	Groups map[string]EarlierGroup `json:"groups,omitempty"` // by GroupRef.Key(false)
	// Members maps the GroupRef.Key of a group to the number of members in the last list of its members that was
	// trusted.
	Members map[string]int `json:"members,omitempty"`
	// People holds the accounts that were found for a name in exempt.users or exempt.leave, by that name in lower case.
	People map[string][]EarlierPerson `json:"people,omitempty"`
}

// EarlierPerson is an account that was found for a name in the policy.
type EarlierPerson struct {
	ID   string    `json:"id,omitempty"`  // the Entra object id
	SID  string    `json:"sid,omitempty"` // empty if Active Directory has no such account
	Name string    `json:"name"`          // the last known name of the account
	Seen time.Time `json:"seen"`
}

// Person reports whether the account has this id or this SID.
func (p *EarlierPerson) Person(id, sid string) bool {
	return p.ID != "" && p.ID == id || p.SID != "" && p.SID == sid
}

// EarlierGroup is a group that an earlier run found. ID is the object id in Entra ID, or the objectGUID in Active
// Directory.
type EarlierGroup struct {
	ID     string    `json:"id"`
	Run    string    `json:"run"`
	At     time.Time `json:"at"`
	Hidden bool      `json:"hidden,omitempty"` // the group, or a group nested in it, hides its members
	// Replaced means that an operator accepts the group that has the name now, even if it is a different group.
	Replaced bool `json:"-"`
}

// Group returns what is known about a group, or nil if nothing is known.
func (e *Earlier) Group(ref GroupRef) *EarlierGroup {
	if e == nil {
		return nil
	}
	if g, known := e.Groups[ref.Key(false)]; known {
		return &g
	}
	return nil
}

// severalMembers is the smallest size of a group whose sudden emptiness looks wrong.
const severalMembers = 3

// Emptied reports whether the group had several members before and has none now.
func (e *Earlier) Emptied(key string, now int) (before int, emptied bool) {
	if e == nil {
		return 0, false
	}
	before = e.Members[key]
	return before, before >= severalMembers && now == 0
}
