// Package plan turns verdicts into changes. It finds the route by which each person holds a license, and it judges the
// health of the feeds. It keeps the changes within the limits of the policy, longest idle first. It binds the result by
// a hash. It does no I/O.
package plan

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Decision is the verdict of one rule on one holder of its license, with the evidence for it. It is one line of
// runs/<run>/decisions/<partition>.jsonl.gz.
type Decision struct {
	User              string            `json:"user"`
	SID               string            `json:"sid,omitempty"` // empty: no account in Active Directory is known
	UserPrincipalName string            `json:"userPrincipalName"`
	Rule              string            `json:"rule"`
	License           string            `json:"license"`
	To                string            `json:"to,omitempty"`
	Outcome           policy.Outcome    `json:"outcome"`
	Reason            string            `json:"reason"`
	IdleSince         time.Time         `json:"idleSince,omitzero"` // zero: the person was never active, or it is unknown
	Created           time.Time         `json:"created,omitzero"`
	Via               Via               `json:"via,omitempty"`
	Refused           string            `json:"refused,omitempty"` // why nothing is done now
	Evidence          []policy.Evidence `json:"evidence,omitempty"`
	// FirstReading is true when the verdict rests on what no run of an earlier day has seen.
	FirstReading bool `json:"firstReading,omitempty"`
	// Seat is the license of which the change takes a seat. It is empty when the change takes none.
	Seat string `json:"seat,omitempty"`
	// SavesNothing is why the change frees no paid seat. It is empty when the change frees one.
	SavesNothing string `json:"savesNothing,omitempty"`
	// Notice is true when the change is only announced. A later run makes it.
	Notice bool `json:"notice,omitempty"`
	// Mailbox is true when the content of the mailbox must be known to fit the new license.
	Mailbox bool `json:"mailbox,omitempty"`
	// Blocked is true when sign-in is blocked. The mailbox must then be known to be a user's.
	Blocked bool `json:"blocked,omitempty"`
	// RestoreOf is the run that took the license from a person who is active again since. The license is restored
	// unless Refused says why not.
	RestoreOf string `json:"back,omitempty"`
	// Pending is the run that began to change the license and has not ended the change.
	Pending string `json:"pending,omitempty"`
	// Place is the position of the rule in the policy, from 0.
	Place int `json:"place,omitempty"`
	// After is the idle date of an earlier rule's change of the same person. The present change must come after that
	// change. After is zero when the order is right without it.
	After time.Time `json:"after,omitzero"`
	// Setbacks is the number of runs in a row that could not make the change.
	Setbacks int `json:"setbacks,omitempty"`
	// HeldAgain is the run that took a license which somebody else restored to the person.
	HeldAgain string `json:"again,omitempty"`
}

// Planned reports whether the decision is a change that can be carried out.
func (d *Decision) Planned() bool {
	return d.Refused == "" && (d.Outcome == policy.Reclaim || d.RestoreOf != "")
}

// Tally counts the verdicts of one rule.
type Tally struct {
	Rule      string `json:"rule"`
	Holders   int    `json:"holders"` // people known to hold the license
	Keep      int    `json:"keep"`
	Reclaim   int    `json:"reclaim"`
	Undecided int    `json:"undecided"`
	Exempt    int    `json:"exempt"`
	// Asked counts the holders for whom the rule's condition "for" is known to hold.
	Asked int `json:"asked"`
	// Empty counts the holders without a value for an attribute, by attribute. It has the attributes that the rule's
	// conditions read.
	Empty map[string]int `json:"empty,omitempty"`
}

// Ask counts a holder if the rule asks about the person. It also counts the attributes that have no value.
func (t *Tally) Ask(asked directory.Flag, empty iter.Seq[string]) {
	if asked == directory.Yes {
		t.Asked++
	}
	for name := range empty {
		t.empty(name, 1)
	}
}

func (t *Tally) empty(name string, n int) {
	if t.Empty == nil {
		t.Empty = map[string]int{}
	}
	t.Empty[name] += n
}

// Told describes the empty attributes, as in "employeeType in 481 of 481".
func (t *Tally) Told() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(t.Empty)) {
		parts = append(parts, fmt.Sprintf("%s in %d of %d", name, t.Empty[name], t.Holders))
	}
	return strings.Join(parts, ", ")
}

// Count adds one verdict.
func (t *Tally) Count(outcome policy.Outcome, holder directory.Flag) {
	if holder == directory.Yes {
		t.Holders++
	}
	switch outcome {
	case policy.Keep:
		t.Keep++
	case policy.Reclaim:
		t.Reclaim++
	case policy.Undecided:
		t.Undecided++
	case policy.Exempt:
		t.Exempt++
	}
}

// Add adds the counts of another partition.
func (t *Tally) Add(o Tally) {
	t.Holders += o.Holders
	t.Keep += o.Keep
	t.Reclaim += o.Reclaim
	t.Undecided += o.Undecided
	t.Exempt += o.Exempt
	t.Asked += o.Asked
	for name, n := range o.Empty {
		t.empty(name, n)
	}
}

// Change is one license that is taken, exchanged or restored.
type Change struct {
	User              string     `json:"user"`
	SID               string     `json:"sid,omitempty"` // empty: no account in Active Directory is known
	UserPrincipalName string     `json:"userPrincipalName"`
	Rule              string     `json:"rule"`
	License           string     `json:"license"`
	To                string     `json:"to,omitempty"`
	Via               Via        `json:"via"`
	Reason            string     `json:"reason"`
	IdleSince         *time.Time `json:"idleSince"` // null: the person never signed in
	MonthlySaving     float64    `json:"monthlySaving"`
	// SavesNothing is why no seat becomes free. MonthlySaving then counts no price for the seat.
	SavesNothing string `json:"savesNothing,omitempty"`
	// RestoreOf is the run whose change is undone. It is empty for a change that takes a license.
	RestoreOf string `json:"back,omitempty"`
	// FirstReading is as in Decision.
	FirstReading bool `json:"firstReading,omitempty"`
}

// Begun is a change that an earlier run began and did not end.
type Begun struct {
	User              string    `json:"user"`
	UserPrincipalName string    `json:"userPrincipalName,omitempty"`
	Rule              string    `json:"rule"`
	License           string    `json:"license"`
	To                string    `json:"to,omitempty"`
	Run               string    `json:"run"`
	Since             time.Time `json:"since"`
	Reason            string    `json:"reason"` // why the change has not ended
}

// Verdict is the gate's judgement of a plan.
type Verdict string

// These are the verdicts: apply the plan, have it approved, hold it for a safety check, or there is nothing to do.
const (
	Apply   Verdict = "apply"
	Review  Verdict = "review"
	Hold    Verdict = "hold"
	Nothing Verdict = "nothing"
)

// Counts counts people (Users) and verdicts, one for each rule and holder.
type Counts struct {
	Users     int `json:"users"`
	Keep      int `json:"keep"`
	Reclaim   int `json:"reclaim"`
	Undecided int `json:"undecided"`
	Exempt    int `json:"exempt"`
}

// Plan is the bound part of runs/<run>/plan.json. It has everything but the lists of refused and undecided people,
// which may be longer than memory.
type Plan struct {
	Run      string      `json:"run"`
	AsOf     time.Time   `json:"asOf"`
	Tenant   string      `json:"tenant"`
	Mode     policy.Mode `json:"mode"`
	PlanHash string      `json:"planHash"`
	// Hashed are the members that PlanHash covers. It is empty in plans of format 1, see hash.go.
	Hashed      []string        `json:"hashed,omitempty"`
	Verdict     Verdict         `json:"verdict"`
	HoldReasons []string        `json:"holdReasons"`
	Counts      Counts          `json:"counts"`
	Deferred    int             `json:"deferred"`
	Sources     map[string]Feed `json:"sources"`
	Changes     []Change        `json:"changes"`
	// Notices are changes that are announced. A later run makes them.
	Notices []Change `json:"notices,omitempty"`

	// Rules counts the verdicts of each rule, in the policy's order.
	Rules []Tally `json:"rules,omitempty"`
	// Notes are further facts about the plan, a sentence each.
	Notes []string `json:"notes,omitempty"`

	MonthlySaving float64 `json:"monthlySaving"`
	Currency      string  `json:"currency"`

	// Restores is the run whose changes this plan restores. It is empty for a plan that takes licenses.
	Restores string `json:"restores,omitempty"`
	// Resumes are earlier runs with changes that are not finished. Applying this plan finishes those changes first, by
	// their own rules.
	Resumes []string `json:"resumes,omitempty"`
	// Pending lists the changes of these runs.
	Pending []Begun `json:"pending,omitempty"`
	// Unreadable says what cannot be restored because its ledger entries cannot be believed.
	Unreadable []string `json:"unreadable,omitempty"`
	// FirstRun is true when the store has no earlier run and no changes in its ledger.
	FirstRun bool `json:"firstRun,omitempty"`
	// Matches counts the people whom each rule matched. MatchHash is the SHA-256 of who they are, in hex. An override
	// accepts exactly these people.
	Matches   map[string]int `json:"matches,omitempty"`
	MatchHash string         `json:"matchHash,omitempty"`
	// Kinds counts the accounts that are not people, by kind.
	Kinds map[string]int `json:"kinds,omitempty"`
	// Overridable is true when the limits alone hold the plan.
	Overridable  bool      `json:"overridable"`
	ManifestHash string    `json:"manifestHash"`
	PolicyHash   string    `json:"policyHash"`
	Tool         string    `json:"tool"`
	Created      time.Time `json:"created"` // time of the real clock
	Expires      time.Time `json:"expires"`
}

// Notice stands in place of the target of a change that is only announced.
const Notice Via = "notice"

// RestoreRule is the name that stands in place of the rule in a change that restores.
const RestoreRule = "restore"

// Lifetime is how long a plan may be applied after it was made.
const Lifetime = 72 * time.Hour
