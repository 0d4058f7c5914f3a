// Package evidence reads one person from each source: for a run for one person, and again before a write. The relay
// uses this package and has no policy, so this package does not depend on the policy. What could not be read, or may be
// hidden, is unknown, and never a "no".
package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Entra has the methods of Microsoft Entra ID that this package needs.
type Entra interface {
	FindPerson(ctx context.Context, upnOrID string) (directory.EntraUser, error)
	FindGroup(ctx context.Context, nameOrID string) (directory.Group, error)
	ListMembers(ctx context.Context, group directory.Group, cursor string, page func(members []directory.Member, next string) error) error
	GroupsOf(ctx context.Context, userID string) (ids []string, err error)     // including nested membership
	DirectGroups(ctx context.Context, userID string) (ids []string, err error) // only groups that list the person directly
}

// NamedAD is an AD that also finds accounts by name.
type NamedAD interface {
	AD
	FindPerson(ctx context.Context, name string) (directory.ADUser, error)
}

// Person has the facts that were read about one person.
type Person struct {
	Entra  *directory.EntraUser // nil if the account was not found
	Groups Belonging            // groups of Entra ID
	AD     *Account             // nil if Active Directory was not asked
	// Failed is the error if Active Directory could not be read. Everything there is then unknown. Otherwise Failed is
	// nil.
	Failed error
}

// Find finds a person by a name that an operator typed. It looks in Entra ID first, and then reads the account in
// Active Directory with the same SID. If only Active Directory has the name, Find looks for the person's Entra account
// (InEntra). The parameter "ad" is nil if Active Directory is not configured. Find returns directory.ErrNoPerson if no
// source has the name. It does not read groups.
func Find(ctx context.Context, entra Entra, ad NamedAD, name string, anchor directory.Anchor) (*Person, error) {
	u, err := entra.FindPerson(ctx, name)
	if err == nil {
		p := &Person{Entra: &u}
		if u.SID != "" && ad != nil {
			p.ReadAD(ctx, ad, u.SID, nil)
		}
		return p, nil
	}
	if errors.Is(err, directory.ErrNoPerson) && ad == nil {
		return nil, fmt.Errorf("%w in Entra ID: %q", directory.ErrNoPerson, name)
	}
	if !errors.Is(err, directory.ErrNoPerson) {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	account, err := ad.FindPerson(ctx, name)
	if errors.Is(err, directory.ErrNoPerson) { // no matter which controller returned the error
		return nil, fmt.Errorf("%w in Entra ID or Active Directory: %q", directory.ErrNoPerson, name)
	}
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

// InEntra returns the Entra account of a person of Active Directory, or nil. The user principal names must be equal,
// and so must the SIDs. If the Entra account has no SID, its onPremisesImmutableId must fit the Active Directory
// account (Anchor.Fits).
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

// ReadAD reads the account in Active Directory, and its membership in the groups of the questions, into AD and Failed.
func (p *Person) ReadAD(ctx context.Context, ad AD, sid string, questions []directory.Question) {
	a, err := ReadAccount(ctx, ad, sid, questions)
	p.AD, p.Failed = &a, err
}

// Latest returns the latest possible time of an uncertain last logon. It is zero if the last logon is certain, if no
// such time is known, or if Active Directory could not be read.
func (p *Person) Latest() (at time.Time) {
	if p.AD == nil || p.Failed != nil || p.AD.Partial == nil {
		return at
	}
	return p.AD.Partial.Latest
}

// Accounts returns the input of directory.Accounts.Join with only this person. A source that was not read has the state
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
	h.ADState, h.Sought, h.LeftOut = directory.Present, true, p.AD.LeftOut
	if u := p.AD.User; u != nil {
		h.AD, h.Memberships[u.SID] = []directory.ADUser{*u}, p.AD.In
	} else if p.Entra != nil { // an account that keeps its SID may be left out of what is read, or groups may still list it
		h.Memberships[p.Entra.ID] = slices.Concat(p.Groups.In, p.AD.In)
	}
	h.Unreadable = append(h.Unreadable, p.AD.Unreadable...)
	return h
}
