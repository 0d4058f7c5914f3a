package evidence

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
)

// AD is what evidence needs from Active Directory about an account. ReadPerson reads the last logon from every domain
// controller. It returns a directory.PartialLogonError together with an account whose last logon is not certain. The
// error of MemberOf is directory.ErrNoGroup when the group does not exist.
type AD interface {
	ReadPerson(ctx context.Context, sid string) (directory.ADUser, error)
	MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error)
}

// Account is an account of Active Directory.
type Account struct {
	User *directory.ADUser // nil: no account has the SID
	// Partial says why the last logon is not certain. Nil: it is certain.
	Partial *directory.PartialLogonError
	Belonging
}

// ReadAccount reads an account, and finds out which of the groups in question it is in. It ignores questions about
// groups of other sources. After an error only Partial is known.
func ReadAccount(ctx context.Context, ad AD, sid string, questions []directory.Question) (a Account, err error) {
	user, err := ad.ReadPerson(ctx, sid)
	a.Partial, _ = errors.AsType[*directory.PartialLogonError](err)
	switch {
	case a.Partial != nil: // the account was read nevertheless
	case errors.Is(err, directory.ErrNoPerson):
		return a, nil
	case err != nil:
		return a, err
	}
	a.User = &user
	if err := a.Ask(ctx, ad, questions); err != nil {
		return Account{Partial: a.Partial}, err
	}
	return a, nil
}

// Ask finds out which of the groups in question the account is in.
func (a *Account) Ask(ctx context.Context, ad AD, questions []directory.Question) error {
	for _, q := range questions {
		if q.Ref.Source != directory.AD {
			continue
		}
		member, err := ad.MemberOf(ctx, a.User.SID, q.Ref.Name, q.Direct)
		switch {
		case errors.Is(err, directory.ErrNoGroup):
			a.Unreadable = append(a.Unreadable, q.Key())
		case err != nil:
			return err
		case member:
			a.In = append(a.In, q.Key())
		}
	}
	return nil
}
