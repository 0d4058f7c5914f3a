package directory

import "errors"

// What readers of both sources answer and callers must tell apart, with
// errors.Is.
var (
	ErrNoPerson        = errors.New("no such person")
	ErrAmbiguousPerson = errors.New("more than one user of that name")
	ErrNoGroup         = errors.New("no such group")
	ErrAmbiguousGroup  = errors.New("more than one group of that name")
)

// UnaskedError comes with a person who was read although some controllers
// could not be asked: the last logon is then unknown.
type UnaskedError struct {
	Controllers []string // URLs
	Err         error    // why, for each of them
}

func (e *UnaskedError) Error() string {
	return "lastLogon was not read from every controller: " + e.Err.Error()
}

// Unwrap gives the reasons.
func (e *UnaskedError) Unwrap() error { return e.Err }

// Refusal is a write that the directory refused for a reason of its own: the
// person has what they had, and trying again will not help.
type Refusal struct {
	Reason string // as a person understands it
	Err    error
}

func (e *Refusal) Error() string { return e.Reason + ": " + e.Err.Error() }

// Unwrap gives the directory's own answer.
func (e *Refusal) Unwrap() error { return e.Err }
