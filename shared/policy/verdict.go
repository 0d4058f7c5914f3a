package policy

import (
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Outcome is the result of a rule for a license of a person.
type Outcome uint8

// The outcomes. NotHolder is not a verdict: the person does not hold the license.
const (
	NotHolder Outcome = iota
	Keep
	Reclaim
	Undecided // a value that the rule needs is unknown; the license is kept
	Exempt
)

var outcomes = [...]string{NotHolder: "notHolder", Keep: "keep", Reclaim: "reclaim", Undecided: "undecided", Exempt: "exempt"}

// String returns the word for the outcome in reports and golden people.
func (o Outcome) String() string {
	if int(o) >= len(outcomes) {
		return fmt.Sprintf("outcome %d", o)
	}
	return outcomes[o]
}

// MarshalText returns the word for the outcome.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText parses the word for an outcome.
func (o *Outcome) UnmarshalText(b []byte) error {
	for i, word := range outcomes {
		if word == string(b) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("unknown outcome %q%s", b, didYouMean(string(b), outcomes[:]))
}

// Verdict is the answer of a rule about a person.
type Verdict struct {
	Outcome Outcome
	// Holder says whether the person holds the license. Unset means unknown.
	Holder directory.Flag
	// Asked says whether the rule's condition "for" holds for the person. It is Unset for people who are exempt or do
	// not hold the license.
	Asked directory.Flag
	// Reason is a short sentence for people. AskAll leaves it empty for every verdict to keep, because almost everybody
	// gets such a verdict. Ask sets it for a verdict to keep only if the person has grace. Judge.Reason returns the
	// reason on demand.
	Reason string
	// Unknowns names the attributes that made the verdict undecided.
	Unknowns []string
	// IdleSince is the newest known activity among the dates that the rule's condition reads. It is zero if no activity
	// is known. IdleSince is never the horizon of a report, because a horizon moves from day to day and is not an
	// activity.
	IdleSince time.Time
	// InGrace means that the verdict is Keep only because of a grace. Without the grace the verdict would be Reclaim or
	// Undecided.
	InGrace bool
	// ByAccount means that the verdict is Exempt because of exempt.when or the kind of the account, and not because of a
	// name or a group.
	ByAccount bool
	// NoDate means that the verdict is Reclaim and that the rule's condition "when" read an activity date without a
	// value.
	NoDate bool
}
