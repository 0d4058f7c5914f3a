// Package story tells what idleseat knows about one person: the values that were read, what each rule says and why,
// when that turns, what would change it, and what was ever done to the person's licenses. It reads stored objects
// only. All answers come from the code that decides: decision for the verdicts, ledger and history for the past.
package story

import (
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy"
)

// Story is everything about one person.
type Story struct {
	Run               string    `json:"run"`  // the run whose snapshot and policy the verdicts rest on; empty if the person is in none
	AsOf              time.Time `json:"asOf"` // the time as of which the rules were evaluated
	Read              time.Time `json:"read"` // when the run began to read
	Now               time.Time `json:"now"`  // when the story was told
	User              string    `json:"user"` // the key in plans and in the ledger: object id in Entra ID, or SID
	SID               string    `json:"sid,omitempty"`
	UserPrincipalName string    `json:"userPrincipalName"`
	DisplayName       string    `json:"displayName,omitempty"`
	Department        string    `json:"department,omitempty"`
	Kind              string    `json:"kind,omitempty"`         // directory.AccountKinds
	KindEvidence      string    `json:"kindEvidence,omitempty"` // what shows the kind; empty for a person
	Doubt             string    `json:"doubt,omitempty"`        // why the accounts cannot be joined, or why one is missing
	Profile           []Value   `json:"profile"`
	Answers           []Answer  `json:"answers"` // of every rule, in the order of the policy
	Ledger            []License `json:"ledger"`  // what runs did, by license

	mode     policy.Mode // of the run's policy
	exempted string      // the condition of the policy's exemptions in words
	twins    string      // the names of all accounts with the same SID, as they follow sameSID
}

// Value is one attribute of the person.
type Value struct {
	policy.Fact
	Source string    `json:"source"`        // where it was read, in words
	Read   time.Time `json:"read,omitzero"` // when it was read; zero if it was not
	// Days is how many days, as the calendar counts them, a date lay in the past as of the run. It is nil for anything but a known date.
	Days *int `json:"days,omitempty"`
}

// State is the shortest true sentence about one license of the person.
type State string

// The states. The first five come from the ledger and are as of now; the others are what the rule says.
const (
	Damaged   State = "damaged"   // the ledger cannot be believed
	Pending   State = "pending"   // a run has begun to change the license and has not finished
	Taken     State = "taken"     // a run took it, and the person does not have it again as far as is known
	Announced State = "announced" // a run announced that it will take the license
	GivenBack State = "givenBack" // a run gave it back after the data were read
	Cooling   State = "cooling"   // given back so lately that no rule takes it
	Exempt    State = "exempt"
	Undecided State = "undecided"
	Refused   State = "refused" // the rule matches, and something forbids the change
	Idle      State = "idle"    // the rule matches, and the license can be taken
	Return    State = "return"  // the person is active again, and the license can be given back
	Kept      State = "kept"
	NotHeld   State = "notHeld"
)

// Answer is what one rule says about the person.
type Answer struct {
	decision.Answer
	State State `json:"state"`
	// Says is State with its reason, as one sentence.
	Says string `json:"says"`
	// Decisive lists the parts of the rule that settle the verdict.
	Decisive []*policy.Node `json:"decisive,omitempty"`
	// Change says what would change the verdict.
	Change string `json:"change,omitempty"`
	// Codes name the causes of an undecided verdict or a refusal. They stay the same when the words change.
	Codes []string `json:"codes,omitempty"`
	// Remedies are the keys of reason.Remedies that resolve an undecided verdict or a refusal.
	Remedies []string `json:"remedies,omitempty"`
	// Do lists what an operator can do, with commands.
	Do []string `json:"do,omitempty"`
}

// License is the past of one license.
type License struct {
	License string `json:"license"`
	// State is what holds now according to the ledger. It is empty if no change stands.
	State history.State `json:"state,omitempty"`
	Since time.Time     `json:"since,omitzero"`
	Run   string        `json:"run,omitempty"`
	// HeldAgain means that the person has the license again, although no run gave it back.
	HeldAgain bool `json:"heldAgain,omitempty"`
	// CoolsUntil is when a license that was given back can be taken again if the person stays away.
	CoolsUntil time.Time `json:"coolsUntil,omitzero"`
	// Undo is the command that gives the license back. It is empty if there is nothing to undo.
	Undo string `json:"undo,omitempty"`
	// Finish is the command that finishes a pending change.
	Finish string `json:"finish,omitempty"`
	// Damaged says why the ledger cannot be believed. It is empty if it can.
	Damaged string  `json:"damaged,omitempty"`
	Entries []Entry `json:"entries"` // oldest first

	undo []string // the words of Undo, without flags
}

// Entry is one change in the ledger.
type Entry struct {
	Seq        int       `json:"seq"`
	Run        string    `json:"run"`
	Rule       string    `json:"rule"`
	To         string    `json:"to,omitempty"`
	Via        string    `json:"via"`
	Reason     string    `json:"reason"`
	Began      time.Time `json:"began"`
	ApprovedBy string    `json:"approvedBy,omitempty"`
	RestoreOf  string    `json:"back,omitempty"`     // the run whose change this one restores
	Outcome    string    `json:"outcome,omitempty"`  // ledger.Outcome; empty while the change is pending
	Ended      time.Time `json:"ended,omitzero"`     // zero while the change is pending
	Note       string    `json:"note,omitempty"`     // of the outcome, and how a restore differs from what was taken
	IdleSince  time.Time `json:"idleSince,omitzero"` // zero if the person was never active
	Saving     float64   `json:"monthlySaving,omitempty"`
	Damaged    string    `json:"damaged,omitempty"` // set alone, for an object that cannot be believed
}
