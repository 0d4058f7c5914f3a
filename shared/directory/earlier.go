package directory

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Earlier is what earlier runs found under the names that the policy uses. A later run uses Earlier to follow a renamed
// object, and to notice that somebody deleted an object and created it again.
type Earlier struct {
	// Read is when the run that left the object read its data. Objects of older versions lack it.
	Read   time.Time               `json:"read,omitzero"`
	Groups map[string]EarlierGroup `json:"groups,omitempty"` // by GroupRef.Key(false)
	// Members maps the key of a group (GroupRef.Key) to the number of its members in the last reading that was trusted.
	Members map[string]int `json:"members,omitempty"`
	// Left maps the key of a group that lost many members since then to the number of members that it has left. A run for
	// one person lists no group, and learns from Left that the group is in doubt.
	Left map[string]int `json:"left,omitempty"`
	// Exempt has the holders who were exempt in the last reading that was trusted, by EarlierExempt.Asks. A run with
	// another policy adds its own counts.
	Exempt map[string]EarlierExempt `json:"exempt,omitempty"`
	// ExemptLeft has an entry for counts in Exempt that are far smaller since then: how many holders accounts exempt still.
	// A run for one person learns from ExemptLeft that exemptions are in doubt.
	ExemptLeft map[string]int `json:"exemptLeft,omitempty"`
	// People maps a name in exempt.users or exempt.leave, in lower case, to the accounts that were found for the name.
	People map[string][]EarlierPerson `json:"people,omitempty"`
}

// EarlierPerson is an account that was found for a name in the policy.
type EarlierPerson struct {
	ID   string    `json:"id,omitempty"`  // the Entra object id; empty if only Active Directory has the account
	SID  string    `json:"sid,omitempty"` // empty if the account has no SID
	Name string    `json:"name"`          // the last known name of the account
	Seen time.Time `json:"seen"`
}

// Person reports whether p has the given Entra object id or the given SID.
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
	// Replaced means that an operator accepts the group that now has the name in the policy, even if it is a different
	// group.
	Replaced bool `json:"-"`
}

// EarlierExempt counts the holders of a license who were exempt.
type EarlierExempt struct {
	Asks      string `json:"asks"`      // what the counts depend on: the license, exempt.when and the kinds
	Holders   int    `json:"holders"`   // everybody who held the license
	Exempt    int    `json:"exempt"`    // because of any exemption
	ByAccount int    `json:"byAccount"` // because of exempt.when or the kind of the account
	Undecided int    `json:"undecided"`
}

// Lost reports whether many holders who were exempt because of their accounts are no longer exempt for any reason. A
// holder who is undecided now loses nothing. Lost does not deduct the holders who are gone, because runs take the license
// from people who are not exempt. It does not know whether exempt holders are gone too, so an operator must look.
func (e EarlierExempt) Lost(now EarlierExempt) bool {
	return e.fewer(now, max(0, now.Undecided-e.Undecided))
}

// Fewer is like Lost, but also counts holders who may be undecided only. Such counts do not replace the trusted ones.
func (e EarlierExempt) Fewer(now EarlierExempt) bool { return e.fewer(now, 0) }

// The method "fewer" compares the counts, except for the given number of holders. If somebody changed the policy, the
// counts are not compared.
func (e EarlierExempt) fewer(now EarlierExempt, except int) bool {
	lost := min(e.ByAccount-now.ByAccount, e.Exempt-now.Exempt)
	return e.Asks == now.Asks && tooMany(lost-except, e.ByAccount)
}

// The function "tooMany" reports whether a loss is too large for one day.
func tooMany(lost, of int) bool { return lost > mayLose(of) }

func mayLose(of int) int { return max(fewLeave, of/10) }

// Group returns what earlier runs found for ref, or nil if they found nothing.
func (e *Earlier) Group(ref GroupRef) *EarlierGroup {
	if e == nil {
		return nil
	}
	if g, known := e.Groups[ref.Key(false)]; known {
		return &g
	}
	return nil
}

// Follow notes the id of a group to which the policy refers. If earlier runs knew the group by another name, they also
// know it by this one. Otherwise a doubt about the group would end when the policy names the same group in another way,
// for example by its id.
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

// severalMembers is the smallest size of a group at which a sudden loss of all members is suspicious.
const severalMembers = 3

// fewLeave is the number of people whom an exemption may lose from one run to the next, however few it has.
const fewLeave = 5

// Shrunk reports whether a group lost so many members since the last trusted reading that the cause may be a fault. The
// argument "now" is the current number of members, and the result "before" is the number in the last trusted reading.
func (e *Earlier) Shrunk(q Question, now int) (before int, shrunk bool) {
	if e == nil {
		return 0, false
	}
	return e.Members[q.Key()], now < e.Least(q)
}

// Least returns the smallest number of members with which a group is not in doubt. A group that protects people, through
// nested groups, too, may lose fewLeave members or a tenth of them. A group that gives a license (Question.Direct) may
// lose all but one, because runs take members out of it, and nobody whom it lost holds the license.
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
