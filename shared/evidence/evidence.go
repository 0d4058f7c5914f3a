// Package evidence reads one person from every source. Collecting one person, the reading before a write, and the relay
// use it. Its input is plain values, because the relay holds no rules. What could not be read, or may be hidden, is
// unknown in the result, and never a "no".
package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Entra is what evidence needs from Microsoft Entra ID.
type Entra interface {
	FindPerson(ctx context.Context, upnOrID string) (directory.EntraUser, error)
	FindGroup(ctx context.Context, nameOrID string) (directory.Group, error)
	ListMembers(ctx context.Context, group directory.Group, cursor string, page func(members []directory.Member, next string) error) error
	GroupsOf(ctx context.Context, userID string) (ids []string, err error)     // also through other groups
	DirectGroups(ctx context.Context, userID string) (ids []string, err error) // only groups that list the person directly
}

// NamedAD also finds accounts of Active Directory by name.
type NamedAD interface {
	AD
	FindPerson(ctx context.Context, name string) (directory.ADUser, error)
}

// Person is what was read of one person.
type Person struct {
	Entra  *directory.EntraUser // nil: not found
	Groups Belonging            // groups of Entra ID
	AD     *Account             // nil: Active Directory was not asked
	// Failed says why Active Directory could not be read. Everything in it is then unknown.
	Failed error
}

// Find finds a person by a name from an operator. It looks in Entra ID, and then in Active Directory by the SID. When
// only Active Directory knows the name, it looks there first and then in Entra ID. ad is nil when Active Directory is
// not configured. The error is directory.ErrNoPerson when no source knows the name. Find does not read groups.
func Find(ctx context.Context, entra Entra, ad NamedAD, name string, anchor directory.Anchor) (*Person, error) {
	u, err := entra.FindPerson(ctx, name)
	if err == nil {
		p := &Person{Entra: &u}
		if u.SID != "" && ad != nil {
			p.ReadAD(ctx, ad, u.SID, nil)
		}
		return p, nil
	}
	if !errors.Is(err, directory.ErrNoPerson) || ad == nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	account, err := ad.FindPerson(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read %q, whom Entra ID does not know: %w", name, err)
	}
	p := new(Person)
	p.ReadAD(ctx, ad, account.SID, nil)
	if p.Entra, err = InEntra(ctx, entra, &account, anchor); err != nil {
		return nil, fmt.Errorf("read %q: %w", account.UserPrincipalName, err)
	}
	return p, nil
}

// InEntra finds the Entra account of a person who was found in Active Directory. An account with the same name counts
// when it has the same SID, or no SID and an immutable id that fits. It returns nil when there is none.
func InEntra(ctx context.Context, entra Entra, account *directory.ADUser, anchor directory.Anchor) (*directory.EntraUser, error) {
	if account == nil || account.UserPrincipalName == "" {
		return nil, nil
	}
	u, err := entra.FindPerson(ctx, account.UserPrincipalName)
	switch {
	case errors.Is(err, directory.ErrNoPerson):
		return nil, nil
	case err != nil:
		return nil, err
	case u.SID == account.SID, u.SID == "" && anchor.Fits(u.ImmutableID, account):
		return &u, nil
	}
	return nil, nil
}

// ReadAD reads the person's account in Active Directory, and which groups it is in.
func (p *Person) ReadAD(ctx context.Context, ad AD, sid string, questions []directory.Question) {
	a, err := ReadAccount(ctx, ad, sid, questions)
	p.AD, p.Failed = &a, err
}

// Latest returns the latest instant at which the person can have logged on, when the last logon could not be read. It
// is zero when the last logon is known, or when nothing is proven.
func (p *Person) Latest() (at time.Time) {
	if p.AD == nil || p.Failed != nil || p.AD.Partial == nil {
		return at
	}
	return p.AD.Partial.Latest
}

// Accounts returns a partition with only this person, for Join. A source that was not read has the state
// directory.NotRead.
func (p *Person) Accounts(anchor directory.Anchor) *directory.Accounts {
	h := &directory.Accounts{Memberships: map[string][]string{}, Anchor: anchor}
	h.Unreadable = append(h.Unreadable, p.Groups.Unreadable...)
	if p.Entra != nil {
		h.Entra, h.EntraState = []directory.EntraUser{*p.Entra}, directory.Present
		h.Memberships[p.Entra.ID] = p.Groups.In
	}
	if p.AD == nil {
		return h
	}
	if p.AD.Partial != nil {
		h.Stale[directory.AD] = p.AD.Partial.Error()
	}
	if p.Failed != nil {
		return h
	}
	h.ADState = directory.Present
	if u := p.AD.User; u != nil {
		h.AD, h.Memberships[u.SID] = []directory.ADUser{*u}, p.AD.In
		h.Unreadable = append(h.Unreadable, p.AD.Unreadable...)
	}
	return h
}
