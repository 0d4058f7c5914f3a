package directory

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Earlier is what earlier runs found under the names in the policy. By it, a later run follows a renamed object, and
// notices that an object was deleted and created again.
type Earlier struct {
	// Read is when the run that left the object read its data. Objects of older versions lack it.
	Read   time.Time               `json:"read,omitzero"`
	Groups map[string]EarlierGroup `json:"groups,omitempty"` // by GroupRef.Key(false)
	// Members has the number of members in the last reading that was trusted, by GroupRef.Key.
	Members map[string]int `json:"members,omitempty"`
	// Left has the number of members that are left in a group that lost many since then, by GroupRef.Key. A run for one
	// person, which lists no group, learns from it that the group is in doubt.
	Left map[string]int `json:"left,omitempty"`
	// Exempt has the exempt holders in the last reading that was trusted, by EarlierExempt.Asks. A run with another
	// policy adds its own counts.
	Exempt map[string]EarlierExempt `json:"exempt,omitempty"`
	// ExemptLeft has the number of holders whom accounts still exempt, for counts in Exempt that are far smaller since
	// then. A run for one person learns from it that exemptions are in doubt.
	ExemptLeft map[string]int `json:"exemptLeft,omitempty"`
	// ExemptLost has the counts in Exempt that put a run on hold (EarlierExempt.Lost). Only a reading in which they are
	// back ends the doubt. In a later reading, other holders may be unknown, or nobody may be readable.
	ExemptLost map[string]bool `json:"exemptLost,omitempty"`
	// People has the accounts that were found for a name in exempt.users or exempt.leave, by this name in lower case.
	People map[string][]EarlierPerson `json:"people,omitempty"`
}

// EarlierPerson is an account that was found for a name in the policy.
type EarlierPerson struct {
	ID   string    `json:"id,omitempty"`  // the Entra object id; empty if only Active Directory has the account
	SID  string    `json:"sid,omitempty"` // empty if the account has no SID
	Name string    `json:"name"`          // the last known name of the account
	Seen time.Time `json:"seen"`
}

// Person reports whether p has the given Entra object id or SID.
func (p *EarlierPerson) Person(id, sid string) bool {
	return p.ID != "" && p.ID == id || p.SID != "" && p.SID == sid
}

// EarlierGroup is a group that an earlier run found. ID is the object id or the objectGUID.
type EarlierGroup struct {
	ID     string    `json:"id"`
	Run    string    `json:"run"`
	At     time.Time `json:"at"`
	Hidden bool      `json:"hidden,omitempty"` // the group, or a group nested in it, hides its members
	// Replaced means that an operator accepts the group that has the name now, even if it is another one.
	Replaced bool `json:"-"`
}

// EarlierExempt counts the exempt holders of a license.
type EarlierExempt struct {
	Asks      string `json:"asks"`              // what the counts depend on: the license, exempt.when and the kinds
	Holders   int    `json:"holders"`           // everybody who held the license
	Exempt    int    `json:"exempt"`            // because of any exemption
	ByAccount int    `json:"byAccount"`         // because of exempt.when or the kind of the account
	Unknown   int    `json:"unknown,omitempty"` // who may be exempt; objects of older versions lack the number
}

// Lost reports whether many holders who were exempt by account are no longer exempt for any reason. A holder who may be
// exempt now loses nothing. Holders who are gone are not deducted, because runs take the license from people who are
// not exempt. Exempt holders may be gone, too, so an operator must look.
func (e EarlierExempt) Lost(now EarlierExempt) bool {
	return e.fewer(now, max(0, now.Unknown-e.Unknown))
}

// Fewer is like Lost, but also counts holders who may still be exempt. Such counts do not replace the trusted ones.
func (e EarlierExempt) Fewer(now EarlierExempt) bool { return e.fewer(now, 0) }

// The method "fewer" compares the counts, except for the given number of holders. After a change of the policy, it
// returns false.
func (e EarlierExempt) fewer(now EarlierExempt, except int) bool {
	lost := min(e.ByAccount-now.ByAccount, e.Exempt-now.Exempt)
	return e.Asks == now.Asks && tooMany(lost-except, e.ByAccount)
}

// The function "tooMany" reports whether a loss is too large for one day.
func tooMany(lost, of int) bool { return lost > mayLose(of) }

func mayLose(of int) int { return max(fewLeave, of/10) }

// Group returns what earlier runs found for ref, or nil.
func (e *Earlier) Group(ref GroupRef) *EarlierGroup {
	if e == nil {
		return nil
	}
	if g, known := e.Groups[ref.Key(false)]; known {
		return &g
	}
	return nil
}

// Follow notes the id of a group of the policy. What earlier runs found for this group under another name then holds
// under this one, too. Otherwise a doubt about the group would end when the policy names it in another way, for example
// by its id.
func (e *Earlier) Follow(ref GroupRef, id string) {
	own := e.Group(ref)
	if e == nil || id == "" || own != nil && own.ID != id {
		return
	}
	from, last := ref, EarlierGroup{}
	if own != nil {
		last = *own
	}
	for _, key := range slices.Sorted(maps.Keys(e.Groups)) {
		name, same := strings.CutPrefix(key, ref.Source.String()+":")
		if g := e.Groups[key]; same && g.ID == id && g.At.After(last.At) {
			from.Name, last = name, g
		}
	}
	if from == ref {
		return
	}
	e.Groups[ref.Key(false)] = last
	for _, direct := range []bool{false, true} {
		for _, counts := range []map[string]int{e.Members, e.Left} {
			if n, known := counts[from.Key(direct)]; known {
				counts[ref.Key(direct)] = n
			}
		}
	}
}

// severalMembers is the smallest size of a group whose loss of all members is suspicious.
const severalMembers = 3

// fewLeave is how many people an exemption may lose from one run to the next, however few it has.
const fewLeave = 5

// Shrunk reports whether a group lost so many members since the last trusted reading that this may be a fault. The
// argument "now" is the present number of members, and the result "before" is the earlier one.
func (e *Earlier) Shrunk(q Question, now int) (before int, shrunk bool) {
	if e == nil {
		return 0, false
	}
	return e.Members[q.Key()], now < e.Least(q)
}

// Least returns the smallest number of members with which a group is not in doubt. A group that protects people may
// lose fewLeave members or a tenth of them. A group that gives a license (Question.Direct) may lose all but one,
// because runs take members out of it, and nobody whom it lost holds the license.
func (e *Earlier) Least(q Question) (least int) {
	if e == nil {
		return 0
	}
	before := e.Members[q.Key()]
	if before >= severalMembers {
		least = 1
	}
	if !q.Direct {
		least = max(least, before-mayLose(before))
	}
	return least
}
