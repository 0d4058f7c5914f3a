// Package story collects what the stored objects say about one person: the values, the answer and reason of each rule,
// the events that would change the answer, and the changes of the person's licenses. The verdicts come from package
// decision, and the past from the packages ledger and history.
package story

import (
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy"
)

// Story is what the stored objects say about one person.
type Story struct {
	Run               string    `json:"run"`  // the run of the verdicts; empty if no snapshot has the person
	AsOf              time.Time `json:"asOf"` // the time for which the rules were evaluated
	Read              time.Time `json:"read"` // when the run began to read
	Now               time.Time `json:"now"`  // when the story was made
	User              string    `json:"user"` // the key in plans and in the ledger: object id in Entra ID, or SID
	SID               string    `json:"sid,omitempty"`
	UserPrincipalName string    `json:"userPrincipalName"`
	DisplayName       string    `json:"displayName,omitempty"`
	Department        string    `json:"department,omitempty"`
	Kind              string    `json:"kind,omitempty"`         // one of directory.AccountKinds
	KindEvidence      string    `json:"kindEvidence,omitempty"` // the evidence for the kind; empty for a person
	Doubt             string    `json:"doubt,omitempty"`        // why the join fails, or why an account is missing
	Profile           []Value   `json:"profile"`
	Answers           []Answer  `json:"answers"` // one answer for every rule, in the order of the policy
	Ledger            []License `json:"ledger"`  // the changes that runs made, by license

	mode     policy.Mode // the mode in the policy of the run
	exempted string      // the condition in the policy's exemptions, in words
	twins    string      // the names of all accounts with the same SID
}

// Value is one attribute of the person.
type Value struct {
	policy.Fact
	Source string    `json:"source"`        // the name of the source in words
	Read   time.Time `json:"read,omitzero"` // when the value was read; zero if it was not read
	// Days is the number of calendar days from a date to the run. It is nil if the value is unknown or is no date.
	Days *int `json:"days,omitempty"`
}

// State is the state of one license of the person.
type State string

// The states. The first five come from the ledger, and may be newer than the run. The others come from the rule.
const (
	Damaged   State = "damaged"   // an entry of the ledger is damaged
	Pending   State = "pending"   // a run has begun to change the license and has not finished
	Taken     State = "taken"     // a run took the license, and the person is not known to have it again
	Announced State = "announced" // a run announced that it will take the license
	GivenBack State = "givenBack" // a run restored the license after the reading
	Cooling   State = "cooling"   // the license was restored or given in exchange lately, so no rule takes it
	Exempt    State = "exempt"
	Undecided State = "undecided"
	Refused   State = "refused" // the rule matches, and something forbids the change
	Idle      State = "idle"    // the rule matches, and the license can be taken
	Return    State = "return"  // the person is active again, and the license is to be restored unless Refused is set
	Kept      State = "kept"
	NotHeld   State = "notHeld"
)

// Answer is the answer of one rule about the person.
type Answer struct {
	decision.Answer
	State State `json:"state"`
	// Says is one sentence with the state and its reason.
	Says string `json:"says"`
	// Decisive lists the parts of the rule that settle the verdict.
	Decisive []*policy.Node `json:"decisive,omitempty"`
	// Change says which event or value would change the verdict.
	Change string `json:"change,omitempty"`
	// Codes are the codes of the causes of an undecided verdict or of a refusal. A code stays the same when the words
	// of a reason change.
	Codes []string `json:"codes,omitempty"`
	// Remedies are the keys of the remedies for the causes (reason.Remedies).
	Remedies []string `json:"remedies,omitempty"`
	// Do lists the actions that an operator can take, with commands.
	Do []string `json:"do,omitempty"`
}

// License is the past of one license.
type License struct {
	License string `json:"license"`
	// State is the present state according to the ledger. It is empty if no change of the license has an effect now.
	State history.State `json:"state,omitempty"`
	Since time.Time     `json:"since,omitzero"`
	Run   string        `json:"run,omitempty"`
	// HeldAgain means that the person has the license again, but no run restored it.
	HeldAgain bool `json:"heldAgain,omitempty"`
	// CoolsUntil is the time from which a rule may take a restored license again.
	CoolsUntil time.Time `json:"coolsUntil,omitzero"`
	// Undo is the command that restores the license. It is empty if there is nothing to restore.
	Undo string `json:"undo,omitempty"`
	// Finish is the command that finishes a pending change. A deployment needs no such command.
	Finish string `json:"finish,omitempty"`
	// Damaged says which object of the ledger is damaged, or is empty.
	Damaged string  `json:"damaged,omitempty"`
	Entries []Entry `json:"entries"` // oldest first

	undo  []string      // the arguments of the command in Undo, without flags
	item  *history.Item // the state; nil if there is none
	named string        // the name that the run's policy gives the license; empty if no snapshot has the person
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
	RestoreOf  string    `json:"back,omitempty"`     // the run whose change this entry restores; empty if this entry is no restore
	Outcome    string    `json:"outcome,omitempty"`  // a ledger.Outcome; empty while the change is pending
	Ended      time.Time `json:"ended,omitzero"`     // zero while the change is pending
	Note       string    `json:"note,omitempty"`     // a note about the outcome; for a restore, how the restore differs from the original change
	IdleSince  time.Time `json:"idleSince,omitzero"` // zero if the person was never active
	Saving     float64   `json:"monthlySaving,omitempty"`
	Damaged    string    `json:"damaged,omitempty"` // only this member is set if the object is damaged
}
