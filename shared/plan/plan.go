// Package plan turns verdicts into changes: it finds by which way each person
// holds a license, judges the health of the feeds, keeps the changes within
// the limits of the policy, longest idle first, and binds the result by a
// hash. It does no I/O.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Decision is the verdict of one rule on one holder of its license, with what
// it rested on. It is one line of runs/<run>/decisions/<partition>.jsonl.gz.
type Decision struct {
	User              string            `json:"user"`
	SID               string            `json:"sid,omitempty"` // empty: not known to Active Directory
	UserPrincipalName string            `json:"userPrincipalName"`
	Rule              string            `json:"rule"`
	License           string            `json:"license"`
	To                string            `json:"to,omitempty"`
	Outcome           policy.Outcome    `json:"outcome"`
	Reason            string            `json:"reason"`
	IdleSince         time.Time         `json:"idleSince,omitzero"` // zero: never, or not known
	Created           time.Time         `json:"created,omitzero"`
	Via               Via               `json:"via,omitempty"`
	Refused           string            `json:"refused,omitempty"` // why nothing is done now
	Evidence          []policy.Evidence `json:"evidence,omitempty"`
	// FirstReading: the verdict rests on what no run of an earlier day has seen.
	FirstReading bool `json:"firstReading,omitempty"`
	// Seat is the license of which the change takes a seat; empty: of none.
	Seat string `json:"seat,omitempty"`
	// SavesNothing is why the change frees no seat that is paid for; empty: it frees one.
	SavesNothing string `json:"savesNothing,omitempty"`
	// Notice: the change is announced, and made by a later run.
	Notice bool `json:"notice,omitempty"`
	// Mailbox: what the mailbox holds must be known to fit the new license.
	Mailbox bool `json:"mailbox,omitempty"`
	// Blocked: sign-in is blocked, so that the mailbox must be known to be a user's.
	Blocked bool `json:"blocked,omitempty"`
	// Back is the run that took the license from a person who is active again
	// since. It is given back, unless Refused says why not.
	RestoreOf string `json:"back,omitempty"`
	// Pending is the run that began to change the license and has not ended it.
	Pending string `json:"pending,omitempty"`
	// Place is that of the rule in the policy, from 0.
	Place int `json:"place,omitempty"`
	// After is how long the person has been idle by an earlier rule whose change comes
	// first. It is zero when the order is right without it.
	After time.Time `json:"after,omitzero"`
	// Setbacks is how many runs in a row could not make the change.
	Setbacks int `json:"setbacks,omitempty"`
	// Again is the run that took a license which the person holds again, by
	// somebody else's doing.
	HeldAgain string `json:"again,omitempty"`
}

// Planned tells whether the decision is a change that can be carried out.
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
	// Empty are, by attribute, the holders whose account has no value of what the
	// rule's conditions read.
	Empty map[string]int `json:"empty,omitempty"`
}

// Ask adds whether the rule asks a holder, and the attributes that have no value.
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

// Told says what is empty, "employeeType in 481 of 481".
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

// Change is one license to be changed.
type Change struct {
	User              string     `json:"user"`
	SID               string     `json:"sid,omitempty"` // empty: not known to Active Directory
	UserPrincipalName string     `json:"userPrincipalName"`
	Rule              string     `json:"rule"`
	License           string     `json:"license"`
	To                string     `json:"to,omitempty"`
	Via               Via        `json:"via"`
	Reason            string     `json:"reason"`
	IdleSince         *time.Time `json:"idleSince"` // null: never signed in
	MonthlySaving     float64    `json:"monthlySaving"`
	// SavesNothing is why no seat comes free, so that MonthlySaving has no price of one.
	SavesNothing string `json:"savesNothing,omitempty"`
	// Back is the run whose change is put back; empty for one that takes.
	RestoreOf string `json:"back,omitempty"`
	// FirstReading is that of the decision.
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
	Reason            string    `json:"reason"` // why it is not ended
}

// Verdict is what the gate says of a plan.
type Verdict string

// The verdicts: apply it, have it approved, held by a safety check, or nothing
// to do.
const (
	Apply   Verdict = "apply"
	Review  Verdict = "review"
	Hold    Verdict = "hold"
	Nothing Verdict = "nothing"
)

// Counts are people, and verdicts (one per rule and holder).
type Counts struct {
	Users     int `json:"users"`
	Keep      int `json:"keep"`
	Reclaim   int `json:"reclaim"`
	Undecided int `json:"undecided"`
	Exempt    int `json:"exempt"`
}

// Plan is the bound part of runs/<run>/plan.json: everything but the lists of
// refused and undecided people, which may be longer than memory.
type Plan struct {
	Run         string          `json:"run"`
	AsOf        time.Time       `json:"asOf"`
	Tenant      string          `json:"tenant"`
	Mode        policy.Mode     `json:"mode"`
	PlanHash    string          `json:"planHash"`
	Verdict     Verdict         `json:"verdict"`
	HoldReasons []string        `json:"holdReasons"`
	Counts      Counts          `json:"counts"`
	Deferred    int             `json:"deferred"`
	Sources     map[string]Feed `json:"sources"`
	Changes     []Change        `json:"changes"`
	// Notices are changes that are announced, to be made by a later run.
	Notices []Change `json:"notices,omitempty"`

	// Rules are the verdicts of each rule, in the policy's order.
	Rules []Tally `json:"rules,omitempty"`
	// Notes are what else should be known of the plan, a sentence each.
	Notes []string `json:"notes,omitempty"`

	MonthlySaving float64 `json:"monthlySaving"`
	Currency      string  `json:"currency"`

	// Restores is the run whose changes this plan puts back; empty for a plan
	// that takes.
	Restores string `json:"restores,omitempty"`
	// Resumes are earlier runs with changes that are not finished. Whoever applies
	// this plan goes on with those first, by their own rules.
	Resumes []string `json:"resumes,omitempty"`
	// Pending are the changes of these runs, one by one.
	Pending []Begun `json:"pending,omitempty"`
	// Unreadable is why something cannot be put back: what the ledger has of it
	// cannot be believed.
	Unreadable []string `json:"unreadable,omitempty"`
	// FirstRun: the store knows no earlier run, nor what became of licenses.
	FirstRun bool `json:"firstRun,omitempty"`
	// Matches are how many people each rule matched, and MatchHash is the SHA-256 of
	// who they are, in hex: those whom an override accepts.
	Matches   map[string]int `json:"matches,omitempty"`
	MatchHash string         `json:"matchHash,omitempty"`
	// Kinds are how many accounts are no people, by their kind.
	Kinds map[string]int `json:"kinds,omitempty"`
	// Overridable tells that a hold comes from the limits alone.
	Overridable  bool      `json:"overridable"`
	ManifestHash string    `json:"manifestHash"`
	PolicyHash   string    `json:"policyHash"`
	Tool         string    `json:"tool"`
	Created      time.Time `json:"created"` // by the real clock
	Expires      time.Time `json:"expires"`
}

// Notice is the way of a change that is announced only.
const Notice Via = "notice"

// RestoreRule stands in a change that puts back, in place of a rule.
const RestoreRule = "restore"

// Lifetime is how long a plan may be applied after it was made.
const Lifetime = 72 * time.Hour

// Hash is the SHA-256, in hex, of the plan's canonical body: what would be
// done, from which data, by which policy and tool, in which tenant, and whether
// the gate let it pass.
func (p *Plan) Hash() string {
	pending := slices.Clone(p.Pending)
	for i := range pending {
		pending[i].Reason = "" // it may change while the plan is made again
	}
	body, err := json.Marshal(struct {
		Changes                                []Change
		AsOf                                   time.Time
		ManifestHash, PolicyHash, Tenant, Tool string
		Verdict                                Verdict
		Overridable                            bool
		Restores                               string         `json:",omitempty"`
		Resumes                                []string       `json:",omitempty"`
		Pending                                []Begun        `json:",omitempty"`
		Notices                                []Change       `json:",omitempty"`
		Matches                                map[string]int `json:",omitempty"`
		MatchHash                              string         `json:",omitempty"`
	}{p.Changes, p.AsOf.UTC(), p.ManifestHash, p.PolicyHash, p.Tenant, p.Tool, p.Verdict, p.Overridable, p.Restores, p.Resumes, pending, p.Notices, p.Matches, p.MatchHash})
	if err != nil {
		panic(fmt.Sprintf("plan body of plain values cannot be encoded: %v", err)) // unreachable
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
