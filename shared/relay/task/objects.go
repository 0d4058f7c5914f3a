package task

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

const (
	maxBatch = 10_000 // people or changes of one object
	maxName  = 1024   // bytes of a name: Active Directory's userPrincipalName has at most 1024 characters
)

var sid = regexp.MustCompile(`^S-1(-[0-9]{1,15}){2,15}$`)

// People is the input of ReadCandidates: by SID, or by the name that an
// operator gave (userPrincipalName, SID or sAMAccountName).
type People struct {
	SIDs  []string `json:"sids"`
	Names []string `json:"names,omitempty"`
}

// ParsePeople reads a list and refuses a wrong one as a whole.
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

// Evidence answers ReadCandidates: the people of the list by SID, then those by
// name, in its order.
type Evidence struct {
	Run    string    `json:"run"`
	Batch  string    `json:"batch"`
	Read   time.Time `json:"read"` // when the reading began
	People []Account `json:"people"`
	Groups []string  `json:"groups,omitempty"` // keys of the groups that were asked about
	// Unreadable are the keys of those that are not there.
	Unreadable []string `json:"unreadable,omitempty"`
	// Found are the groups as they are now, by the DN or GUID that was asked about.
	// Relays before that do not tell.
	Found map[string]directory.Group `json:"found,omitempty"`
	// Sample holds the replicated last logons of as many accounts as the message
	// asks for, zero for none, by which the feed is judged; Unsampled is why
	// they are not known.
	Sample    []time.Time `json:"sample,omitempty"`
	Unsampled string      `json:"unsampled,omitempty"`
}

// Account is what was read of a person. Without User the person has no account
// there, unless Failed says why it could not be read.
type Account struct {
	SID     string            `json:"sid,omitempty"`
	Name    string            `json:"name,omitempty"` // that was asked for, instead of a SID
	User    *directory.ADUser `json:"user,omitempty"`
	Unasked string            `json:"unasked,omitempty"` // why the last logon is not known for certain
	Latest  time.Time         `json:"latest,omitzero"`   // then the latest it can have been, as far as is proven
	Failed  string            `json:"failed,omitempty"`
	Groups  []string          `json:"groups,omitempty"` // keys of the message's groups the person is in
	Seen    *Seen             `json:"seen,omitempty"`   // for the removals that rest on this
}

// Action is what a change does to the list of a group.
type Action string

// The actions.
const (
	Add    Action = "add"
	Remove Action = "remove"
)

// Changes is the input of WriteMembers. They are made in order.
type Changes struct {
	Changes []Change `json:"changes"`
	// Groups are those that the evidence was asked about, by which Seen is compared.
	Groups []Group `json:"groups,omitempty"`
}

// Change is wanted of one person's membership of one group.
type Change struct {
	ID     string `json:"id"`
	SID    string `json:"sid"`
	GUID   string `json:"guid"`  // base64 of objectGUID: the account must still be that one
	Group  string `json:"group"` // DN
	Action Action `json:"action"`
	// After names an earlier change of the list without which this one is not
	// made: nobody leaves a group before they are in the next one.
	After string `json:"after,omitempty"`
	// Seen is the state in which the account of a removal must still be; nil: not
	// compared.
	Seen *Seen `json:"seen,omitempty"`
}

// ParseChanges reads a list and refuses a wrong one as a whole.
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

// Outcome is what became of a change.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"    // the group, read again, is as wanted
	Refused Outcome = "refused" // as the directory stands, trying again will not help
	Missing Outcome = "missing" // nobody has the SID, or the account is another one
	Skipped Outcome = "skipped" // the change it follows was not done
	Failed  Outcome = "failed"  // could not be made or not be proven; may be tried again
	// Outdated: nothing was written, since the account is no longer as the evidence
	// had it. The rule has to be asked again.
	Outdated Outcome = "outdated"
)

// Results answers WriteMembers: each change of the list, in its order.
type Results struct {
	Run     string   `json:"run"`
	Batch   string   `json:"batch"`
	Results []Result `json:"results"`
}

// Result is what became of one change. A change that was made by a worker who
// died before it could say so is Done, and Before is then as wanted already.
type Result struct {
	ID      string    `json:"id"`
	GUID    string    `json:"guid"` // of the change
	Outcome Outcome   `json:"outcome"`
	Before  bool      `json:"before"` // a member when read first
	After   bool      `json:"after"`  // a member when read last
	Note    string    `json:"note,omitempty"`
	At      time.Time `json:"at"`
}
