package directory

import "time"

// Earlier is what earlier runs found under the names that policies use. With it a later run follows a renamed object,
// and sees that an object was deleted and created again.
type Earlier struct {
	Groups map[string]EarlierGroup `json:"groups,omitempty"` // groups by GroupRef.Key(false)
	// Members is the number of members that a group had when its list was last believed. The key is GroupRef.Key.
	Members map[string]int `json:"members,omitempty"`
	// People are the accounts that were found under a name in exempt.users or exempt.leave. The key is the name in
	// lower case.
	People map[string][]EarlierPerson `json:"people,omitempty"`
}

// EarlierPerson is an account that was found under a name of the policy.
type EarlierPerson struct {
	ID   string    `json:"id,omitempty"`  // Entra object id
	SID  string    `json:"sid,omitempty"` // empty: Active Directory has no such account
	Name string    `json:"name"`          // the name that the account last had
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
	Hidden bool      `json:"hidden,omitempty"` // the group, or a group in it, hides its members
	// Replaced: an operator accepts the group that has the name now.
	Replaced bool `json:"-"`
}

// Group returns what is known of a group, or nil when nothing is known.
func (e *Earlier) Group(ref GroupRef) *EarlierGroup {
	if e == nil {
		return nil
	}
	if g, known := e.Groups[ref.Key(false)]; known {
		return &g
	}
	return nil
}

// severalMembers is the number of members from which on a group that is suddenly empty looks wrong.
const severalMembers = 3

// Emptied reports whether the group had several members before and has none now.
func (e *Earlier) Emptied(key string, now int) (before int, emptied bool) {
	if e == nil {
		return 0, false
	}
	before = e.Members[key]
	return before, before >= severalMembers && now == 0
}
