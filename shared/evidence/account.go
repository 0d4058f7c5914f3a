package evidence

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
)

// AD reads an account of Active Directory. ReadPerson asks every domain controller for the last logon. If the last
// logon is uncertain, ReadPerson returns the account together with a directory.PartialLogonError. If IDLESEAT_AD_BASE
// or IDLESEAT_AD_FILTER leaves the account out, ReadPerson returns it together with directory.ErrLeftOut. MemberOf
// answers for such an account, too. MemberOf returns directory.ErrNoGroup if the group does not exist, and
// directory.ErrNoPerson if the domain has no account with the SID.
type AD interface {
	ReadPerson(ctx context.Context, sid string) (directory.ADUser, error)
	MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error)
}

// Account is an account in Active Directory.
type Account struct {
	User *directory.ADUser // nil if no account has the SID, or if LeftOut has it
	// LeftOut is the account with the SID if IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves it out. Rules ignore its
	// values and use its groups and its kind. A change that has begun can be finished with it.
	LeftOut *directory.ADUser
	// Partial says why the last logon is uncertain. It is nil if the last logon is certain.
	Partial *directory.PartialLogonError
	Belonging
}

// ReadAccount reads an account and its membership in the groups of the questions. It also reads the groups of an
// account that the settings leave out or that was not found, because groups may list such accounts. It ignores groups
// of Entra ID. If it returns an error, only the field Partial is valid.
func ReadAccount(ctx context.Context, ad AD, sid string, questions []directory.Question) (a Account, err error) {
	user, err := ad.ReadPerson(ctx, sid)
	a.Partial, _ = errors.AsType[*directory.PartialLogonError](err)
	switch {
	case err == nil, a.Partial != nil: // with a PartialLogonError, the account was read nevertheless
		a.User = &user
	case errors.Is(err, directory.ErrLeftOut):
		a.LeftOut = &user
	case !errors.Is(err, directory.ErrNoPerson):
		return a, err
	}
	if err := a.Ask(ctx, ad, sid, questions); err != nil {
		return Account{Partial: a.Partial}, err
	}
	return a, nil
}

// Ask reads the membership of the account with the SID in the groups of the questions, and adds the keys of the groups
// to In. If a group does not exist, Ask adds its key to Unreadable. It ignores groups of Entra ID.
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
