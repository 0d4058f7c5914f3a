package directory

import (
	"errors"
	"time"
)

// What readers of both sources answer and callers must tell apart, with
// errors.Is.
var (
	ErrNoPerson        = errors.New("no such person")
	ErrAmbiguousPerson = errors.New("more than one user of that name")
	ErrNoGroup         = errors.New("no such group")
	ErrAmbiguousGroup  = errors.New("more than one group of that name")
	// ErrHidden: a group, or one in it, shows nobody who is in it.
	ErrHidden = errors.New("the members are hidden")
)

// ErrCursor is returned for a place in a list that the directory does not know
// any more: the list must be read from its start.
var ErrCursor = errors.New("the place in the list is no longer known")

// ErrNotHeld answers a change that would take a license which the person does not hold.
// Such a change did nothing. When the answer to an earlier write was lost, ErrNotHeld
// is a sign that the earlier write was made.
var ErrNotHeld = errors.New("the license to be taken is not held")

// ErrUncertain comes with the answer to a repeated write. The answer to the first try
// does not tell whether the write was made.
var ErrUncertain = errors.New("an earlier try may have been made although nothing said so")

// Settling is how long reads may go on to show what was before a write. Microsoft
// gives no bound; clients recorded seconds to a few minutes
// (terraform-provider-azuread#283, #793, PR#1918).
const Settling = 5 * time.Minute

// ErrDeferred answers a write that was handed to somebody else, who makes it
// later. Reading shows when it is made.
var ErrDeferred = errors.New("handed over, not made yet")

// PartialLogonError comes with people who were read although their last logon is
// not known: some controllers could not be asked, or the domain does not keep
// the date.
type PartialLogonError struct {
	Controllers []string // URLs of those not asked, as far as they have any
	Err         error    // why, for each of them

	// Latest is the latest instant at which the person can have logged on, as
	// far as is proven without those controllers: the replicated date plus the
	// time by which it may be behind. It is zero when nothing is proven.
	Latest time.Time
}

func (e *PartialLogonError) Error() string {
	if len(e.Controllers) == 0 {
		return "the last logon is not known: " + e.Err.Error()
	}
	return "lastLogon was not read from every controller: " + e.Err.Error()
}

// Unwrap gives the reasons.
func (e *PartialLogonError) Unwrap() error { return e.Err }

// Refusal is a write that the directory refused for a reason of its own: the
// person has what they had, and trying again will not help.
type Refusal struct {
	Reason string // as a person understands it
	Err    error
}

func (e *Refusal) Error() string { return e.Reason + ": " + e.Err.Error() }

// Unwrap gives the directory's own answer.
func (e *Refusal) Unwrap() error { return e.Err }
