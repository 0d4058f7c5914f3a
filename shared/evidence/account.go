package evidence

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
)

// AD has the methods of Active Directory that this package needs to read an account. ReadPerson asks every domain
// controller for the last logon. If the last logon is uncertain, ReadPerson returns the account together with a
// directory.PartialLogonError. If the settings leave the account out, ReadPerson returns it together with
// directory.ErrLeftOut. MemberOf answers for such an account, too. It returns directory.ErrNoGroup if the group does
// not exist, and directory.ErrNoPerson if the domain has no account with the SID.
type AD interface {
	ReadPerson(ctx context.Context, sid string) (directory.ADUser, error)
	MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error)
}

// Account is an account in Active Directory.
type Account struct {
	User *directory.ADUser // nil if no account has the SID, or if LeftOut has it
	// LeftOut is the account with the SID if the settings leave it out. Its values do not count for rules. Its groups
	// count, and a change that was begun can be finished with it.
	LeftOut *directory.ADUser
	// The field Partial gives the reason why the last logon is uncertain. It is nil if the last logon is certain.
	Partial *directory.PartialLogonError
	Belonging
}

// ReadAccount reads an account. For each group in the list "questions", it finds out whether the account belongs to the
// group, also if the settings leave the account out: a list of members has such accounts, too. It ignores questions
// about groups of other sources. If ReadAccount returns an error, only the field Partial of the account is valid.
func ReadAccount(ctx context.Context, ad AD, sid string, questions []directory.Question) (a Account, err error) {
	user, err := ad.ReadPerson(ctx, sid)
	a.Partial, _ = errors.AsType[*directory.PartialLogonError](err)
	switch {
	case errors.Is(err, directory.ErrLeftOut):
		a.LeftOut = &user
	case errors.Is(err, directory.ErrNoPerson):
	case err != nil && a.Partial == nil:
		return a, err
	default: // with a PartialLogonError, the account was read nevertheless
		a.User = &user
	}
	if err := a.Ask(ctx, ad, sid, questions); err != nil {
		return Account{Partial: a.Partial}, err
	}
	return a, nil
}

// Ask finds out for each group in the list "questions" whether the account with the SID belongs to the group. It
// ignores questions about groups of other sources.
func (a *Account) Ask(ctx context.Context, ad AD, sid string, questions []directory.Question) error {
	for _, q := range questions {
		if q.Ref.Source != directory.AD {
			continue
		}
		member, err := ad.MemberOf(ctx, sid, q.Ref.Name, q.Direct)
		switch {
		case errors.Is(err, directory.ErrNoPerson) && a.User == nil && a.LeftOut == nil:
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
