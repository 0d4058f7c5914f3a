package directory

import (
	"errors"
	"fmt"
	"time"
)

// The errors of the readers of both sources, for errors.Is.
var (
	ErrNoPerson = errors.New("no such person")
	// ErrLeftOut wraps ErrNoPerson. An account has the SID, but IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves it out. A
	// reader returns this error together with the account, because groups may list the account.
	ErrLeftOut         = fmt.Errorf("%w within IDLESEAT_AD_BASE and IDLESEAT_AD_FILTER", ErrNoPerson)
	ErrAmbiguousPerson = errors.New("more than one user of that name")
	ErrNoGroup         = errors.New("no such group")
	ErrAmbiguousGroup  = errors.New("more than one group of that name")
	// ErrHidden means that the group, or one nested in it, hides its members.
	ErrHidden = errors.New("the members are hidden")
	// ErrNotListed means that the directory does not list the groups that give licenses. Such groups may still exist.
	ErrNotListed = errors.New("the directory does not list the groups that give licenses")
)

// ErrCursor means that the directory no longer accepts a paging cursor. The caller must read the list from the start.
var ErrCursor = errors.New("the place in the list is no longer known")

// ErrNotHeld means that the person does not hold the license that a change would take. The change had no effect. If the
// answer to an earlier write was lost, that write probably took the license.
var ErrNotHeld = errors.New("the license to be taken is not held")

// ErrUncertain means that it is unknown whether a write took effect: its answer was lost, and a repetition does not
// show whether the first attempt succeeded.
var ErrUncertain = errors.New("an earlier try may have been made although nothing said so")

// Settling is how long reads may still show the old state after a write. Microsoft gives no limit. Clients have seen
// seconds to a few minutes (terraform-provider-azuread#283, #793, PR#1918).
const Settling = 5 * time.Minute

// Replicating is how long a write in Active Directory may take to reach every domain controller. Each call may use
// another controller. A site link replicates every 180 minutes by default (Microsoft Learn, "Determining the
// Interval"), and the way between two sites often leads over two site links.
const Replicating = 6 * time.Hour

// ErrDeferred means that another process will make the write later. Only a later read shows that the write is done.
var ErrDeferred = errors.New("handed over, not made yet")

// PartialLogonError is returned together with an account whose last logon is uncertain: domain controllers did not
// answer, or the domain does not store the date.
type PartialLogonError struct {
	Controllers []string // URLs of the controllers that did not answer; "without a name" stands for a controller without a URL
	Err         error    // the reason for each controller

	// Latest is the latest possible logon: the replicated date, plus the interval in which further logons do not change
	// that date. It is zero if no such time is known, for example because a controller that does not answer may not
	// have replicated its changes.
	Latest time.Time
}

func (e *PartialLogonError) Error() string {
	if len(e.Controllers) == 0 {
		return "the last logon is not known: " + e.Err.Error()
	}
	return "lastLogon was not read from every controller: " + e.Err.Error()
}

// Unwrap returns Err.
func (e *PartialLogonError) Unwrap() error { return e.Err }

// UnreadError wraps the error of a source that could not be read to its end, and gives this failure its own exit
// status.
type UnreadError struct{ Err error }

func (e *UnreadError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *UnreadError) Unwrap() error { return e.Err }

// Refusal is the error of a write that the directory refused. The person's licenses are unchanged, and a repeated write
// would be refused, too.
type Refusal struct {
	Reason string // in words for people
	Err    error
}

func (e *Refusal) Error() string { return e.Reason + ": " + e.Err.Error() }

// Unwrap returns the directory's own answer.
func (e *Refusal) Unwrap() error { return e.Err }
