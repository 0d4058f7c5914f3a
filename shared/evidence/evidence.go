// Package evidence reads one person from every source. Collecting one person, the last look before a write, and the
// relay read by it alike. What to read comes as plain values, since the relay holds no rules. Whatever could not be
// read, or may be hidden, is unknown in the result and never a "no".
package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Entra is what evidence asks of Microsoft Entra ID.
type Entra interface {
	FindPerson(ctx context.Context, upnOrID string) (directory.EntraUser, error)
	FindGroup(ctx context.Context, nameOrID string) (directory.Group, error)
	ListMembers(ctx context.Context, group directory.Group, cursor string, page func(members []directory.Member, next string) error) error
	GroupsOf(ctx context.Context, userID string) (ids []string, err error)     // also through other groups
	DirectGroups(ctx context.Context, userID string) (ids []string, err error) // that list the person themselves
}

// NamedAD finds accounts of Active Directory by name, too.
type NamedAD interface {
	AD
	FindPerson(ctx context.Context, name string) (directory.ADUser, error)
}

// Person is what was read of one person.
type Person struct {
	Entra  *directory.EntraUser // nil: none was found
	Groups Belonging            // of Entra ID
	AD     *Account             // nil: Active Directory was not asked
	// Failed is why Active Directory could not be read. Then everything in it is unknown.
	Failed error
}

// Find looks for a person by a name that an operator gave: in Entra ID, and from there in Active Directory by SID, or
// the other way round for somebody whom only Active Directory knows by the name. ad is nil where it is not set up.
// Nobody of that name in either source is directory.ErrNoPerson. Groups are not asked about yet.
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

// InEntra looks in Entra ID for a person of whom only the account in Active Directory is known. An account of the same
// name counts when it carries the same SID, or no SID and an immutable id that fits. Nil: there is none.
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

// ReadAD reads the person's account in Active Directory and which groups it is in.
func (p *Person) ReadAD(ctx context.Context, ad AD, sid string, questions []directory.Question) {
	a, err := ReadAccount(ctx, ad, sid, questions)
	p.AD, p.Failed = &a, err
}

// Latest is the latest instant that a last logon which could not be read may have, as far as that is proven. It is zero
// when the last logon is known, or nothing is proven.
func (p *Person) Latest() (at time.Time) {
	if p.AD == nil || p.Failed != nil || p.AD.Partial == nil {
		return at
	}
	return p.AD.Partial.Latest
}

// Accounts is the person as the only one of a partition, to be joined. A source that was not read is
// directory.NotRead there.
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
