// Package plan turns verdicts of rules into changes of licenses. It finds out in which way each person holds a license,
// and whether the activity dates of each source can be trusted. If the policy allows fewer changes than the rules ask
// for, it keeps the changes of the people who are idle longest. A hash over the plan shows later whether the plan was
// altered. The package does no I/O.
package plan

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Decision is the verdict of one rule on one person, with the evidence: one line of
// runs/<run>/decisions/<partition>.jsonl.gz.
type Decision struct {
	User              string            `json:"user"`
	SID               string            `json:"sid,omitempty"` // empty if no account of the person has a SID
	UserPrincipalName string            `json:"userPrincipalName"`
	Rule              string            `json:"rule"`
	License           string            `json:"license"`
	To                string            `json:"to,omitempty"`
	Outcome           policy.Outcome    `json:"outcome"`
	Reason            string            `json:"reason"`
	IdleSince         time.Time         `json:"idleSince,omitzero"` // zero if the person was never active or the last activity is unknown
	Created           time.Time         `json:"created,omitzero"`
	Via               Via               `json:"via,omitempty"`
	Refused           string            `json:"refused,omitempty"` // why no change is made now; empty if nothing prevents the change
	Evidence          []policy.Evidence `json:"evidence,omitempty"`
	// FirstReading means that the verdict rests on a missing activity date of an account that was first seen less than
	// 20 hours ago. The date may be missing by mistake, and no reading on an earlier day confirms that there is none.
	FirstReading bool `json:"firstReading,omitempty"`
	// Seat is the license whose free seat the change needs. It is empty if the change needs no seat.
	Seat string `json:"seat,omitempty"`
	// SavesNothing says why the change frees no paid seat. It is empty if the change frees one.
	SavesNothing string `json:"savesNothing,omitempty"`
	// Notice means that the change is only announced. A later run makes it.
	Notice bool `json:"notice,omitempty"`
	// Mailbox means that the change may be made only if the content of the mailbox is known to fit the new license.
	Mailbox bool `json:"mailbox,omitempty"`
	// Blocked means that Mailbox is set and that sign-in is blocked or not known to be allowed. The mailbox must then
	// also be known to belong to a user, because it may be a shared, room or equipment mailbox.
	Blocked bool `json:"blocked,omitempty"`
	// RestoreOf is the run that took the license from a person who has returned. The license is restored unless
	// Refused says why not.
	RestoreOf string `json:"back,omitempty"`
	// TakenAs is the id of the person in the ledger (see Change). It is set only if RestoreOf is set.
	TakenAs string `json:"takenAs,omitempty"`
	// Pending is the run that began to change the license and has not finished, or "".
	Pending string `json:"pending,omitempty"`
	// Place is the index of the rule in the policy.
	Place int `json:"place,omitempty"`
	// An earlier rule may also change a license of the person. If the idle time on which that change rests begins later
	// than that of this change, After is its begin. The plan orders this change by After, so this change stays behind
	// the other one. Otherwise After is zero.
	After time.Time `json:"after,omitzero"`
	// Setbacks is the number of consecutive runs, up to now, that tried the change and failed.
	Setbacks int `json:"setbacks,omitempty"`
	// HeldAgain is the run that took the license, if the person holds it again although no run restored it.
	HeldAgain string `json:"again,omitempty"`
	// Payer says who pays for the license. It is nil for a restore, and if the decision makes no change.
	Payer *directory.Payer `json:"payer,omitempty"`
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
	// ExemptByAccount counts the holders who are exempt because of exempt.when or the kind of their account.
	ExemptByAccount int `json:"exemptByAccount,omitempty"`
	// ExemptHolders counts the exempt people who are known to hold the license. It is zero in plans of older versions.
	ExemptHolders int `json:"exemptHolders,omitempty"`
	// ExemptUnknown counts the people whose exemption is unknown, among those who hold or may hold the license.
	ExemptUnknown int `json:"exemptUnknown,omitempty"`
	// Asked is the number of holders who are known to meet the rule's condition "for".
	Asked int `json:"asked"`
	// UndecidedHolders counts the undecided verdicts on people who are known to hold the license. (Undecided also
	// counts people who only may hold it.) UndecidedAsked counts those of UndecidedHolders who are known to meet the
	// condition "for". Both are zero in plans of older versions.
	UndecidedHolders int `json:"undecidedHolders,omitempty"`
	UndecidedAsked   int `json:"undecidedAsked,omitempty"`
	// Empty has the number of holders without a value, for each attribute that the rule's conditions read.
	Empty map[string]int `json:"empty,omitempty"`
}

// NotRead stands for a number of holders in a report if nobody knows who holds the license.
const NotRead = "not read"

// Unread reports whether the holders were not read, because the source of the license was not set up or not read. The
// verdicts are then about people who may hold the license, and Holders is 0.
func (t *Tally) Unread() bool { return t.Holders == 0 && t.Undecided+t.Exempt > 0 }

// ToldHolders returns the numbers of Holders and of Asked as texts.
func (t *Tally) ToldHolders() (holders, asked string) {
	if t.Unread() {
		return NotRead, NotRead
	}
	return strconv.Itoa(t.Holders), strconv.Itoa(t.Asked)
}

// Ask adds one holder to Asked and Empty. The flag "asked" says whether the holder meets the rule's condition "for".
// The sequence "empty" has the attributes without a value.
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

// Told describes the attributes for which holders have no value, as in "employeeType in 481 of 481".
func (t *Tally) Told() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(t.Empty)) {
		parts = append(parts, fmt.Sprintf("%s in %d of %d", name, t.Empty[name], t.Holders))
	}
	return strings.Join(parts, ", ")
}

// Count adds one verdict. The flag "holder" says whether the person holds the license, and "asked" whether the person
// meets the condition "for".
func (t *Tally) Count(outcome policy.Outcome, holder, asked directory.Flag) {
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
		if holder == directory.Yes {
			t.UndecidedHolders++
		}
		if holder == directory.Yes && asked == directory.Yes {
			t.UndecidedAsked++
		}
	case policy.Exempt:
		t.Exempt++
		if holder == directory.Yes {
			t.ExemptHolders++
		}
	}
}

// Add adds the counts in o to t. The people are evaluated in parts, and each part has its own counts.
func (t *Tally) Add(o Tally) {
	t.Holders += o.Holders
	t.Keep += o.Keep
	t.Reclaim += o.Reclaim
	t.Undecided += o.Undecided
	t.Exempt += o.Exempt
	t.ExemptByAccount += o.ExemptByAccount
	t.ExemptHolders += o.ExemptHolders
	t.ExemptUnknown += o.ExemptUnknown
	t.Asked += o.Asked
	t.UndecidedHolders += o.UndecidedHolders
	t.UndecidedAsked += o.UndecidedAsked
	for name, n := range o.Empty {
		t.empty(name, n)
	}
}

// Change is one license that is taken, exchanged, restored or announced.
type Change struct {
	User              string     `json:"user"`
	SID               string     `json:"sid,omitempty"` // empty if no account of the person has a SID
	UserPrincipalName string     `json:"userPrincipalName"`
	Rule              string     `json:"rule"`
	License           string     `json:"license"`
	To                string     `json:"to,omitempty"`
	Via               Via        `json:"via"`
	Reason            string     `json:"reason"`
	IdleSince         *time.Time `json:"idleSince"` // null if the person was never active or the last date is unknown
	MonthlySaving     float64    `json:"monthlySaving"`
	// SavesNothing says why no seat becomes free. MonthlySaving then does not include the price of the seat.
	SavesNothing string `json:"savesNothing,omitempty"`
	// RestoreOf is the run that took the license which this change restores. It is empty for a change that takes a
	// license.
	RestoreOf string `json:"back,omitempty"`
	// TakenAs is the id of the person in the ledger, the record of all changes, if it differs from User. The id of a
	// person changes when the account in Entra ID is new, but the license in Active Directory stays the same. Otherwise
	// TakenAs is empty.
	TakenAs string `json:"takenAs,omitempty"`
	// FirstReading means that the change rests on a missing activity date that no earlier day confirms (see Decision).
	FirstReading bool `json:"firstReading,omitempty"`
	// Payer says who pays for the license. It is nil for a restore, and in plans of older versions.
	Payer *directory.Payer `json:"payer,omitempty"`
}

// Person returns the id under which the ledger has the license of the change.
func (c *Change) Person() string { return cmp.Or(c.TakenAs, c.User) }

// Begun is a change that an earlier run began but did not finish.
type Begun struct {
	User              string    `json:"user"`
	UserPrincipalName string    `json:"userPrincipalName,omitempty"`
	Rule              string    `json:"rule"`
	License           string    `json:"license"`
	To                string    `json:"to,omitempty"`
	Run               string    `json:"run"`
	Since             time.Time `json:"since"`
	Reason            string    `json:"reason"` // why the change is not finished
	// Back means that the change gives the license back to the person: as a restore, as a rollback, or because an
	// operator has asked to restore the license.
	Back bool `json:"back,omitempty"`
}

// Returning returns those runs in p.Resumes that have an unfinished change which gives a license back.
func (p *Plan) Returning() (names []string) {
	for _, run := range p.Resumes {
		if slices.ContainsFunc(p.Pending, func(b Begun) bool { return b.Run == run && b.Back }) {
			names = append(names, run)
		}
	}
	return names
}

// Stuck returns the changes among Pending whose runs are not in Resumes, so that no call finishes them together with
// this plan. In mode audit these are all changes. In another mode, these are the changes of runs that cannot go on.
func (p *Plan) Stuck() []Begun {
	return slices.DeleteFunc(slices.Clone(p.Pending), func(b Begun) bool { return slices.Contains(p.Resumes, b.Run) })
}

// Verdict says whether a plan may be applied.
type Verdict string

// The verdicts: apply the plan, ask for approval, put the plan on hold because of a safety check, or do nothing.
const (
	Apply   Verdict = "apply"
	Review  Verdict = "review"
	Hold    Verdict = "hold"
	Nothing Verdict = "nothing"
)

// Counts has the number of people in Users, and the numbers of verdicts in the other fields. There is one verdict for
// each rule and holder.
type Counts struct {
	Users     int `json:"users"`
	Keep      int `json:"keep"`
	Reclaim   int `json:"reclaim"`
	Undecided int `json:"undecided"`
	Exempt    int `json:"exempt"`
}

// Plan is the part of runs/<run>/plan.json that a process has in memory as a whole. The object also has lists of
// refused, undecided and returned people, which may be larger than memory.
type Plan struct {
	Run      string      `json:"run"`
	AsOf     time.Time   `json:"asOf"`
	Tenant   string      `json:"tenant"`
	Mode     policy.Mode `json:"mode"`
	PlanHash string      `json:"planHash"`
	// Hashed lists the members that PlanHash covers. It is empty in plans of format 1, whose hash covers the members
	// of the type format1.
	Hashed      []string        `json:"hashed,omitempty"`
	Verdict     Verdict         `json:"verdict"`
	HoldReasons []string        `json:"holdReasons"`
	Counts      Counts          `json:"counts"`
	Deferred    int             `json:"deferred"`
	Sources     map[string]Feed `json:"sources"`
	Changes     []Change        `json:"changes"`
	// Notices are changes that this plan only announces. A later run makes them.
	Notices []Change `json:"notices,omitempty"`

	// Rules counts the verdicts of each rule, in the order of the policy.
	Rules []Tally `json:"rules,omitempty"`
	// Notes are further facts about the plan, one sentence each.
	Notes []string `json:"notes,omitempty"`

	MonthlySaving float64 `json:"monthlySaving"`
	Currency      string  `json:"currency"`

	// Restores is the run whose changes this plan restores. It is empty for a plan that takes licenses.
	Restores string `json:"restores,omitempty"`
	// RestoresUser is set if the plan restores the licenses of one person only. It is the object id or the SID of the
	// person. If the newest run does not show the person, it is the name that the operator gave.
	RestoresUser string `json:"restoresUser,omitempty"`
	// Resumes lists earlier runs with unfinished changes. When this plan is applied, these changes are finished first,
	// by the policies of their own runs.
	Resumes []string `json:"resumes,omitempty"`
	// Pending lists the unfinished changes of earlier runs.
	Pending []Begun `json:"pending,omitempty"`
	// Unreadable lists the licenses that cannot be restored because their ledger entries are damaged.
	Unreadable []string `json:"unreadable,omitempty"`
	// FirstRun means that the store has no earlier run and no changes in its ledger.
	FirstRun bool `json:"firstRun,omitempty"`
	// Matches has the number of people whom each rule matched. MatchHash is the SHA-256, in hex, of a list of these
	// people. If an operator applies the plan in spite of its limits (an override), exactly these people are accepted.
	Matches   map[string]int `json:"matches,omitempty"`
	MatchHash string         `json:"matchHash,omitempty"`
	// Kinds counts the accounts that are not people, by kind, such as "room" or "service".
	Kinds map[string]int `json:"kinds,omitempty"`
	// Chosen is set if an operator chose the changes from the plan of another run.
	Chosen *Chosen `json:"chosen,omitempty"`
	// Overridable means that the plan is on hold only because of the limits, so an operator may apply it all the same.
	Overridable  bool      `json:"overridable"`
	ManifestHash string    `json:"manifestHash"`
	PolicyHash   string    `json:"policyHash"`
	Tool         string    `json:"tool"`
	Created      time.Time `json:"created"` // by the clock of the machine
	Expires      time.Time `json:"expires"`
}

// Chosen names the other plan from which an operator chose the changes of this plan.
type Chosen struct {
	From     string `json:"from"`     // the run of the other plan
	PlanHash string `json:"planHash"` // the hash of the other plan
	LeftOut  int    `json:"leftOut"`  // changes of the other plan that the operator left out
	// Lifted describes the limits that put the other plan on hold, but not this plan, because the operator chose few
	// enough changes.
	Lifted []string `json:"lifted,omitempty"`
}

// Notice is the value of Change.Via if the change is only announced. It names no target, so nobody holds a license in
// it.
const Notice Via = "notice"

// RestoreRule is the name of the rule in a change that restores a license. The policy has no such rule.
const RestoreRule = "restore"

// Lifetime is how long a plan may be applied after it is made.
const Lifetime = 72 * time.Hour
