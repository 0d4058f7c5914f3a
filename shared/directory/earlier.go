package directory

import "time"

// Earlier is what earlier runs found under the names that policies use, so that a
// later one follows what was renamed and notices what was made again.
type Earlier struct {
	Groups map[string]EarlierGroup `json:"groups,omitempty"` // by GroupRef.Key(false)
	// Members is how many members a group had when it was last believed, by the key
	// of the question (GroupRef.Key).
	Members map[string]int `json:"members,omitempty"`
	// People are whom a name in exempt.users or exempt.leave was found to be, by the
	// name in lower case.
	People map[string][]EarlierPerson `json:"people,omitempty"`
}

// EarlierPerson is an account that a name of the policy was.
type EarlierPerson struct {
	ID   string    `json:"id,omitempty"`  // of Entra ID
	SID  string    `json:"sid,omitempty"` // empty: not known to Active Directory
	Name string    `json:"name"`          // when it was last seen
	Seen time.Time `json:"seen"`
}

// Person tells whether the account is that of an id and a SID.
func (p *EarlierPerson) Person(id, sid string) bool {
	return p.ID != "" && p.ID == id || p.SID != "" && p.SID == sid
}

// EarlierGroup is a group as a run found it: by object id in Entra ID, by objectGUID in
// Active Directory.
type EarlierGroup struct {
	ID     string    `json:"id"`
	Run    string    `json:"run"`
	At     time.Time `json:"at"`
	Hidden bool      `json:"hidden,omitempty"` // it, or a group in it
	// Replaced: an operator takes whatever group has the name now.
	Replaced bool `json:"-"`
}

// Group is what is known of a group; nil when it is not.
func (e *Earlier) Group(ref GroupRef) *EarlierGroup {
	if e == nil {
		return nil
	}
	if g, known := e.Groups[ref.Key(false)]; known {
		return &g
	}
	return nil
}

// severalMembers is how many members a group must have had for its being empty to
// be a sign that something is wrong.
const severalMembers = 3

// Emptied tells that a group which had several members has none now.
func (e *Earlier) Emptied(key string, now int) (before int, emptied bool) {
	if e == nil {
		return 0, false
	}
	before = e.Members[key]
	return before, before >= severalMembers && now == 0
}
