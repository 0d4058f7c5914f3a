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
	maxBatch = 10_000 // people or changes in one object
	maxName  = 1024   // bytes of a name; a userPrincipalName of Active Directory has at most 1024 characters
)

var sid = regexp.MustCompile(`^S-1(-[0-9]{1,15}){2,15}$`)

// People is the input of ReadCandidates. It lists people by SID, or by the name that an operator gave
// (userPrincipalName, SID or sAMAccountName).
type People struct {
	SIDs  []string `json:"sids"`
	Names []string `json:"names,omitempty"`
}

// ParsePeople reads a list. It refuses the whole list for one fault.
func ParsePeople(text []byte) (*People, error) {
	p := new(People)
	if err := decode(text, p); err != nil {
		return nil, fmt.Errorf("not a list of people: %w", err)
	}
	return p, p.check()
}

func (p *People) check() error {
	if n := len(p.SIDs) + len(p.Names); n > maxBatch {
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
	return nil
}

// Evidence answers ReadCandidates. It has the people of the list by SID, then those by name, in the order of the list.
type Evidence struct {
	Run    string    `json:"run"`
	Batch  string    `json:"batch"`
	Read   time.Time `json:"read"` // when the reading began
	People []Account `json:"people"`
	Groups []string  `json:"groups,omitempty"` // keys of the groups in question
	// Unreadable are the keys of groups that are missing.
	Unreadable []string `json:"unreadable,omitempty"`
	// Found has the groups as they are now, by the DN or GUID of the message. Relays of older versions leave it out.
	Found map[string]directory.Group `json:"found,omitempty"`
	// Sample holds the replicated last logons of as many accounts as the message asks for. The feed is judged by it. An
	// account without a last logon has a zero time. Unsampled is why there is no sample.
	Sample    []time.Time `json:"sample,omitempty"`
	Unsampled string      `json:"unsampled,omitempty"`
}

// Account is the reading of one person. A nil User means that the person has no account in Active Directory. With a
// Failed it means that the account could not be read.
type Account struct {
	SID          string            `json:"sid,omitempty"`
	Name         string            `json:"name,omitempty"` // the name in the question, instead of a SID
	User         *directory.ADUser `json:"user,omitempty"`
	PartialLogon string            `json:"unasked,omitempty"` // why the last logon is not known for certain
	Latest       time.Time         `json:"latest,omitzero"`   // the latest possible last logon, as far as it is proven
	Failed       string            `json:"failed,omitempty"`
	Groups       []string          `json:"groups,omitempty"` // keys of the message's groups that the person is in
	Seen         *Seen             `json:"seen,omitempty"`   // state of the account, for removals that rest on this reading
}

// Action is what a change does to the member list of a group.
type Action string

// These are the actions.
const (
	Add    Action = "add"
	Remove Action = "remove"
)

// Changes is the input of WriteMembers. The relay makes the changes in order.
type Changes struct {
	Changes []Change `json:"changes"`
	// Groups are the groups of the evidence. The relay needs them to compare Seen.
	Groups []Group `json:"groups,omitempty"`
}

// Change is a change of one person's membership of one group.
type Change struct {
	ID     string `json:"id"`
	SID    string `json:"sid"`
	GUID   string `json:"guid"`  // base64 of the objectGUID that the account must still have
	Group  string `json:"group"` // DN of the group
	Action Action `json:"action"`
	// After names an earlier change of the list that must succeed before this one is made. So nobody leaves a group
	// before joining the next one.
	After string `json:"after,omitempty"`
	// Seen is the state that the account of a removal must still have. It is not compared when nil.
	Seen *Seen `json:"seen,omitempty"`
}

// ParseChanges reads a list. It refuses the whole list for one fault.
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

// Outcome is how a change ended.
type Outcome string

// These are the outcomes.
const (
	Done    Outcome = "done"    // a second reading of the group showed the change
	Refused Outcome = "refused" // another try fails while the directory stays unchanged
	Missing Outcome = "missing" // no account has the SID, or another account has it
	Skipped Outcome = "skipped" // the change named by After was not done
	Failed  Outcome = "failed"  // the change could not be made or proven; another try may succeed
	// Outdated means that nothing was written, because the account no longer agrees with the evidence. The rule must be
	// asked again.
	Outdated Outcome = "outdated"
)

// Results answers WriteMembers: the results of the changes, in their order.
type Results struct {
	Run     string   `json:"run"`
	Batch   string   `json:"batch"`
	Results []Result `json:"results"`
}

// Result is the result of one change. A worker may die after it made a change and before it reported the result. The
// next worker then reports Done, with a Before that is already the wanted state.
type Result struct {
	ID      string    `json:"id"`
	GUID    string    `json:"guid"` // GUID of the change
	Outcome Outcome   `json:"outcome"`
	Before  bool      `json:"before"` // the first read showed the person as a member
	After   bool      `json:"after"`  // the last read showed the person as a member
	Note    string    `json:"note,omitempty"`
	At      time.Time `json:"at"`
}
