package evidence

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
)

// AD has the methods of Active Directory that this package needs to read an account. ReadPerson asks every domain
// controller for the last logon. If the last logon is uncertain, ReadPerson returns the account together with a
// directory.PartialLogonError. MemberOf returns directory.ErrNoGroup if the group does not exist.
type AD interface {
	ReadPerson(ctx context.Context, sid string) (directory.ADUser, error)
	MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error)
}

// Account is an account in Active Directory.
type Account struct {
	User *directory.ADUser // nil if no account has the SID
	// The field Partial gives the reason why the last logon is uncertain. It is nil if the last logon is certain.
	Partial *directory.PartialLogonError
	Belonging
}

// ReadAccount reads an account. For each group in the list "questions", it finds out whether the account belongs to the
// group. It ignores questions about groups of other sources. If ReadAccount returns an error, only the field Partial of
// the account is valid.
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

// Ask finds out for each group in the list "questions" whether the account belongs to the group. It ignores questions
// about groups of other sources.
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
