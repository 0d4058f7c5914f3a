package command

import (
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/source/entra"
)

// The method "remedy" returns advice that follows an error message, or "". The advice names commands and flags. Other
// packages cannot give it in their errors, because they are independent of the command line.
func (a *Process) remedy(err error) string {
	var signIn *entra.SignInError
	var stop interruptedError
	switch {
	case errors.As(err, &stop):
		if a.verbose && stop.cause != nil {
			return "\n" + stop.cause.Error()
		}
		return ""
	case errors.As(err, &signIn) && a.verbose:
		return "\n" + signIn.Detail()
	case errors.As(err, &signIn):
		return "; --verbose shows what each way to sign in answered"
	case errors.Is(err, runs.ErrNoPlan):
		return "; `idleseat runs` lists those of the store"
	case errors.Is(err, directory.ErrNoPerson):
		return "; use a userPrincipalName, object id, SID or account name"
	}
	return ""
}
