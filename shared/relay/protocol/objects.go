package protocol

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

const (
	maxBatch = 10_000 // people or changes per object
	maxName  = 1024   // bytes per name; a userPrincipalName of Active Directory has at most 1024 characters
)

var sid = regexp.MustCompile(`^S-1(-[0-9]{1,15}){2,15}$`)

// People is the input of ReadCandidates. Names lists people by a name that an operator typed: the userPrincipalName,
// the SID or the sAMAccountName. ImmutableIDs lists people by the onPremisesImmutableId of an account in Entra ID
// without a SID. Anchor says from which attribute the immutable ids are made.
type People struct {
	SIDs         []string         `json:"sids"`
	Names        []string         `json:"names,omitempty"`
	ImmutableIDs []string         `json:"immutableIds,omitempty"`
	Anchor       directory.Anchor `json:"anchor,omitempty"`
}

// ParsePeople parses a list of people. It rejects the whole list for a single fault.
func ParsePeople(text []byte) (*People, error) {
	p := new(People)
	if err := decode(text, p); err != nil {
		return nil, fmt.Errorf("not a list of people: %w", err)
	}
	return p, p.check()
}

func (p *People) check() error {
	if n := len(p.SIDs) + len(p.Names) + len(p.ImmutableIDs); n > maxBatch {
		return fmt.Errorf("%d people, more than %d", n, maxBatch)
	}
	for i, s := range p.SIDs {
		if !sid.MatchString(s) {
			return fmt.Errorf("person %d: %.40q is not a SID", i, s)
		}
	}
	for i, s := range p.Names {
		if s == "" || len(s) > maxName {
			return fmt.Errorf("name %d is empty or longer than %d bytes", i, maxName)
		}
	}
	for i, s := range p.ImmutableIDs {
		if s == "" || len(s) > maxName {
			return fmt.Errorf("immutable id %d is empty or longer than %d bytes", i, maxName)
		}
	}
	return nil
}

// Evidence is the answer to ReadCandidates: the present state of some people, by which the cloud decides on changes.
// The accounts are in the order of People: first the people listed by SID, then the people listed by name, then those
// listed by immutable id.
type Evidence struct {
	Run    string    `json:"run"`
	Batch  string    `json:"batch"`
	Read   time.Time `json:"read"` // when the reading started
	People []Account `json:"people"`
	Groups []string  `json:"groups,omitempty"` // keys of the groups in the message, without those in Failed
	// Failed says why license groups could not be read, by the key of the group. Older versions of the relay do not
	// send it.
	Failed map[string]string `json:"failed,omitempty"`
	// Unreadable has the keys of the groups that do not exist or hide their members.
	Unreadable []string `json:"unreadable,omitempty"`
	// Gone has the keys of the groups that were named by objectGUID and that no read finds.
	Gone []string `json:"gone,omitempty"`
	// Found has the current state of each group, by the DN or GUID in the message. Older versions of the relay do not
	// send it.
	Found map[string]directory.Group `json:"found,omitempty"`
	// Empty has the keys of the groups with too few people: none, or fewer than Group.Least. People in nested groups
	// count. License groups are left out. Older versions of the relay do not send it.
	Empty []string `json:"empty,omitempty"`
	// Sample has the replicated last logons of some accounts. They show whether the directory still has current dates.
	// A zero time means no last logon. If there is no sample, Unsampled says why.
	Sample    []time.Time `json:"sample,omitempty"`
	Unsampled string      `json:"unsampled,omitempty"`
}

// Undate prepares evidence for changes that only give licenses back. It sets Read to "asked", the time at which the
// cloud asked for the evidence, so a wrong clock of the relay does no harm. It also removes what the relay has seen of
// each account (Seen), so a new logon of the person does not stop the change.
func (e *Evidence) Undate(asked time.Time) {
	e.Read = asked
	for i := range e.People {
		e.People[i].Seen = nil // a rollback removes the person from a group even after a new logon
	}
}

// Account is what the relay read about one person. If Failed is set, the account could not be read. If Failed is empty
// and User and LeftOut are nil, the person has no account in Active Directory.
type Account struct {
	SID          string            `json:"sid,omitempty"`
	ImmutableID  string            `json:"immutableId,omitempty"` // the immutable id in People; SID is empty if nobody has it
	Name         string            `json:"name,omitempty"`        // the name in People; empty for a person whom People lists by SID
	User         *directory.ADUser `json:"user,omitempty"`
	LeftOut      *directory.ADUser `json:"leftOut,omitempty"` // the account if the settings of the relay leave it out; User is then nil
	PartialLogon string            `json:"unasked,omitempty"` // why the last logon is uncertain; empty if it is certain
	Latest       time.Time         `json:"latest,omitzero"`   // the latest possible time of the last logon; zero if unknown
	Failed       string            `json:"failed,omitempty"`
	Groups       []string          `json:"groups,omitempty"` // keys of groups in the message; the person belongs to these groups
	Seen         *Seen             `json:"seen,omitempty"`   // the state of the account; the cloud copies Seen into each removal that it decides on this reading
}

// Action is what a change does to the list of members of a group.
type Action string

// The actions.
const (
	Add    Action = "add"
	Remove Action = "remove"
)

// Changes is the input of WriteMembers. The relay makes the changes in the order of the list.
type Changes struct {
	Changes []Change `json:"changes"`
	// Groups are the groups of the evidence. The relay reads the memberships in them again, to compare the account
	// with Seen.
	Groups []Group `json:"groups,omitempty"`
}

// Change is a change of one person's membership in one group.
type Change struct {
	ID     string `json:"id"`
	SID    string `json:"sid"`
	GUID   string `json:"guid"`  // objectGUID in base64; the account with the SID must still have the same objectGUID
	Group  string `json:"group"` // DN
	Action Action `json:"action"`
	// After is the id of an earlier change that must succeed before the relay makes this change, or "". A person
	// therefore never leaves one group before joining the next.
	After string `json:"after,omitempty"`
	// Seen is the state that the account must still have when the person is removed. If it is nil, the relay does not
	// compare the state.
	Seen *Seen `json:"seen,omitempty"`
}

// ParseChanges parses a list of changes. It rejects the whole list for a single fault.
func ParseChanges(text []byte) (*Changes, error) {
	c := new(Changes)
	if err := decode(text, c); err != nil {
		return nil, fmt.Errorf("not a list of changes: %w", err)
	}
	return c, c.check()
}

func (c *Changes) check() error {
	if len(c.Changes) > maxBatch {
		return fmt.Errorf("%d changes, more than %d", len(c.Changes), maxBatch)
	}
	seen := make(map[string]bool, len(c.Changes))
	for i, g := range c.Groups {
		if g.DN == "" {
			return fmt.Errorf("group %d has no DN", i)
		}
	}
	for i, one := range c.Changes {
		if err := one.check(seen); err != nil {
			return fmt.Errorf("change %d: %w", i, err)
		}
		seen[one.ID] = true
	}
	return nil
}

func (c *Change) check(earlier map[string]bool) error {
	guid, err := base64.StdEncoding.DecodeString(c.GUID)
	switch {
	case !name.MatchString(c.ID):
		return fmt.Errorf("id %.40q cannot be the id of a change", c.ID)
	case earlier[c.ID]:
		return fmt.Errorf("id %q is there twice", c.ID)
	case !sid.MatchString(c.SID):
		return fmt.Errorf("%.40q is not a SID", c.SID)
	case err != nil || len(guid) != 16:
		return fmt.Errorf("%.40q is not the base64 of an objectGUID", c.GUID)
	case c.Group == "":
		return errors.New("no group")
	case c.Action != Add && c.Action != Remove:
		return fmt.Errorf("action %.40q is neither add nor remove", c.Action)
	case c.After != "" && !earlier[c.After]:
		return fmt.Errorf("it is to follow %.40q, which is no earlier change", c.After)
	}
	return nil
}

// Outcome says how a change ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"    // a read of the group shows the change, which may have been made earlier
	Refused Outcome = "refused" // the directory refused the change; another try fails, too, unless something in the directory changes
	Missing Outcome = "missing" // the account that has the SID of the change now has another GUID
	Skipped Outcome = "skipped" // the change named in After was not done
	Failed  Outcome = "failed"  // the change could not be made or could not be confirmed; another try may succeed
	// Outdated means that the account differs from the evidence, and that nothing was written. The rule must be
	// evaluated again.
	Outdated Outcome = "outdated"
)

// Results is the answer to WriteMembers, in the order of the changes.
type Results struct {
	Run     string   `json:"run"`
	Batch   string   `json:"batch"`
	Results []Result `json:"results"`
}

// Result is the result of one change. If a worker makes a change and dies before it reports the result, the next
// worker reports Done, with Before equal to After.
type Result struct {
	ID      string    `json:"id"`
	GUID    string    `json:"guid"` // the GUID of the change
	Outcome Outcome   `json:"outcome"`
	Before  bool      `json:"before"` // whether the person was a member at the first read
	After   bool      `json:"after"`  // whether the person was a member at the last read
	Note    string    `json:"note,omitempty"`
	At      time.Time `json:"at"`
}
