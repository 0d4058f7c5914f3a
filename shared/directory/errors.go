package directory

import (
	"errors"
	"time"
)

// The errors that readers of both sources return and that callers must tell apart with errors.Is.
var (
	ErrNoPerson        = errors.New("no such person")
	ErrAmbiguousPerson = errors.New("more than one user of that name")
	ErrNoGroup         = errors.New("no such group")
	ErrAmbiguousGroup  = errors.New("more than one group of that name")
	// ErrHidden: the group, or a group in it, hides its members.
	ErrHidden = errors.New("the members are hidden")
)

// ErrCursor is returned when the directory no longer knows a place in a list. The caller must read the list from its
// start.
var ErrCursor = errors.New("the place in the list is no longer known")

// ErrNotHeld is returned for a change that would take a license which the person does not hold. The change did nothing.
// When the answer to an earlier write was lost, ErrNotHeld is a sign that the earlier write succeeded.
var ErrNotHeld = errors.New("the license to be taken is not held")

// ErrUncertain is returned with the answer to a repeated write. That answer does not prove whether the first try
// succeeded.
var ErrUncertain = errors.New("an earlier try may have been made although nothing said so")

// Settling is how long reads may show the state before a write. Microsoft gives no bound. Clients recorded from seconds
// to a few minutes (terraform-provider-azuread#283, #793, PR#1918).
const Settling = 5 * time.Minute

// ErrDeferred is returned for a write that was handed to another process, which makes it later. A read shows when it is
// made.
var ErrDeferred = errors.New("handed over, not made yet")

// PartialLogonError is returned with people who were read although their last logon is not known. Either some
// controllers did not answer, or the domain does not keep the date.
type PartialLogonError struct {
	Controllers []string // URLs of the controllers that were not asked, where they have one
	Err         error    // the reason for each controller

	// Latest is the latest instant at which the person can have logged on, by what the other controllers prove. It is
	// the replicated date plus the largest lag of that date. It is zero when nothing is proven.
	Latest time.Time
}

func (e *PartialLogonError) Error() string {
	if len(e.Controllers) == 0 {
		return "the last logon is not known: " + e.Err.Error()
	}
	return "lastLogon was not read from every controller: " + e.Err.Error()
}

// Unwrap returns the reasons.
func (e *PartialLogonError) Unwrap() error { return e.Err }

// UnreadError is the error of a source that could not be read to its end. It has the text of Err.
type UnreadError struct{ Err error }

func (e *UnreadError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *UnreadError) Unwrap() error { return e.Err }

// Refusal is the error of a write that the directory refused for a reason of its own. The person keeps what they had.
// Another try will not help.
type Refusal struct {
	Reason string // in words for people
	Err    error
}

func (e *Refusal) Error() string { return e.Reason + ": " + e.Err.Error() }

// Unwrap returns the directory's own answer.
func (e *Refusal) Unwrap() error { return e.Err }
