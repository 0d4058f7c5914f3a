package directory

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Earlier has what earlier runs found for the names of groups and people in the policy. From it, a later run finds a
// group or person again after a renaming, and notices that a group was deleted and created again.
type Earlier struct {
	// Read is when the run that stored these facts read the directories. It is zero in facts from older versions.
	Read   time.Time               `json:"read,omitzero"`
	Groups map[string]EarlierGroup `json:"groups,omitempty"` // by GroupRef.Key(false)
	// Members has the number of members in the last reading that was trusted, by GroupRef.Key.
	Members map[string]int `json:"members,omitempty"`
	// Left has the groups that have lost many members since the count in Members. A key is the GroupRef.Key, and the value
	// is the newest number of members. A run for one person does not count members, and learns from Left that the group is
	// in doubt.
	Left map[string]int `json:"left,omitempty"`
	// Exempt has the counts of exempt holders in the last reading that was trusted, by EarlierExempt.Asks. A policy
	// with other exemptions has other keys, so its counts stand beside these.
	Exempt map[string]EarlierExempt `json:"exempt,omitempty"`
	// ExemptLeft has the newest count ByAccount of each entry of Exempt whose own ByAccount is far larger. The keys are
	// the same. A run for one person counts no holders, and learns from ExemptLeft that exemptions are in doubt.
	ExemptLeft map[string]int `json:"exemptLeft,omitempty"`
	// ExemptLost marks the counts in Exempt that put a run on hold (EarlierExempt.Lost). Later runs stay on hold until
	// a reading has about as many exempt holders again, or an operator accepts the data. If holders are only unknown in
	// a later reading, the hold stays.
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
	// Replaced means that an operator accepts the group that has the name now, even if its id is not ID.
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

// Lost reports whether far fewer holders are exempt "now" than in the earlier counts e, both by their accounts
// (ByAccount) and for any reason (Exempt): more than five, and more than a tenth of ByAccount. An additional Unknown
// holder counts as still exempt. The counts cannot tell whether a missing person lost the exemption or the license, so
// an operator must look. A smaller number of Holders does not explain the loss, because runs take the license only from
// people who are not exempt.
func (e EarlierExempt) Lost(now EarlierExempt) bool {
	return e.fewer(now, max(0, now.Unknown-e.Unknown))
}

// Fewer is like Lost, but additional Unknown holders count as no longer exempt. If Fewer returns true, later runs still
// compare with the counts in e, and not with those in "now".
func (e EarlierExempt) Fewer(now EarlierExempt) bool { return e.fewer(now, 0) }

// The method "fewer" reports whether too many holders are no longer exempt. The argument "except" is a number of such
// holders that do not count. If the counts are for different exemptions (Asks), the result is false.
func (e EarlierExempt) fewer(now EarlierExempt, except int) bool {
	lost := min(e.ByAccount-now.ByAccount, e.Exempt-now.Exempt)
	return e.Asks == now.Asks && tooMany(lost-except, e.ByAccount)
}

// The function "tooMany" reports whether more people are lost than may be lost from one run to the next. The parameter
// "of" is their earlier number.
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

// Follow is for a group that the policy now names in another way, for example by its id. It copies the newest facts
// that earlier runs stored about the group with this id to the name in ref. Otherwise a doubt about the group would end
// with the new name.
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

// severalMembers is the number of members from which on the loss of all members is suspicious.
const severalMembers = 3

// fewLeave is how many people a group or an exemption with fewer than 60 people may lose from one run to the next. A
// larger one may lose a tenth.
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
// lose fewLeave members or a tenth, whichever is more, but not its last member. A group that gives a license
// (Question.Direct) may lose all but one: runs take members out of it, and a person who has left it no longer holds the
// license. A group of one or two members may lose all.
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
