package policy

import (
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Outcome is what a rule says about a person's license.
type Outcome uint8

// The outcomes. NotHolder is no verdict: the person does not hold the license.
const (
	NotHolder Outcome = iota
	Keep
	Reclaim
	Undecided // something relevant is not known; the license is kept
	Exempt
)

var outcomes = [...]string{NotHolder: "notHolder", Keep: "keep", Reclaim: "reclaim", Undecided: "undecided", Exempt: "exempt"}

// String returns the word in reports and golden people.
func (o Outcome) String() string {
	if int(o) >= len(outcomes) {
		return fmt.Sprintf("outcome %d", o)
	}
	return outcomes[o]
}

// MarshalText writes the word.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the word.
func (o *Outcome) UnmarshalText(b []byte) error {
	for i, word := range outcomes {
		if word == string(b) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("unknown outcome %q%s", b, didYouMean(string(b), outcomes[:]))
}

// Verdict is a rule's answer about a person.
type Verdict struct {
	Outcome Outcome
	// Holder says whether the person holds the license. Unset: not known.
	Holder directory.Flag
	// Asked says whether the rule asks the person. It does not ask people who are exempt or do not hold the license.
	Asked directory.Flag
	// Reason is a short sentence for people. It is empty for a plain keep, because almost everybody gets one.
	// Judge.Reason then makes it on demand.
	Reason string
	// Unknowns are the attributes that made the verdict undecided.
	Unknowns []string
	// IdleSince is the newest known activity among the dates that the rule's condition reads. The horizon of a report is
	// no activity, and does not move it. It is zero when there is none or none is known.
	IdleSince time.Time
	// NoDate: the condition of a reclaim read a date of activity that has no value.
	NoDate bool
}
