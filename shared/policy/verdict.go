package policy

import (
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Outcome is the result of a rule for a license of a person.
type Outcome uint8

// The outcomes. NotHolder is no verdict: the person does not hold the license.
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
	Holder  directory.Flag
	// Asked says whether the condition "for" holds. It is Unset for people who are exempt or do not hold the license.
	Asked directory.Flag
	// Reason is a short sentence for people. AskAll leaves it empty for a verdict to keep, which almost everybody gets.
	// For such a verdict, Ask sets it only if the person is in grace. Judge.Reason finds it on demand.
	Reason string
	// Unknowns names the values that made the verdict undecided.
	Unknowns []string
	// IdleSince is the newest known activity in the condition "when", or zero. It is never the horizon of a report,
	// which moves from day to day and is no activity.
	IdleSince time.Time
	// InGrace means that without grace the verdict would be Reclaim or Undecided. The verdict is Keep.
	InGrace bool
	// ByAccount means that the verdict is Exempt because of exempt.when or the kind of the account, and not because of
	// a name or a group.
	ByAccount bool
	// ExemptOpen means that it is unknown whether the person is exempt.
	ExemptOpen bool
	// NoDate means that the verdict is Reclaim and that an activity date in the condition "when" has no value.
	NoDate bool
}
