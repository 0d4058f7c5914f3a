package draft

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// Entra is the part of Microsoft Entra ID that Read needs.
type Entra interface {
	Tenant(ctx context.Context) (id string, skus []directory.SKU, err error)
	Subscriptions(ctx context.Context) ([]directory.Subscription, error)
	LicenseGroups(ctx context.Context) ([]directory.Group, error)
	FindGroup(ctx context.Context, nameOrID string) (directory.Group, error)
	CountPeople(ctx context.Context) (int, error)
	ListPeople(ctx context.Context, cursor string, page func(people []directory.EntraUser, next string) error) error
}

// ActiveDirectory is the part of Active Directory that Read needs.
type ActiveDirectory interface {
	ListFull(ctx context.Context, rests []string, each func(directory.ADUser) error) (*directory.Watermark, error)
	GroupsWith(ctx context.Context, part string, most int) (dns []string, err error)
}

// errEnough ends the reading of a list after MostPeople people.
var errEnough = errors.New("enough people were read")

// Read reads a tenant. The parameter "ad" is nil if Active Directory is not set up. Read calls "progress" with the
// number of people that it has read from a source.
//
// Read fails if it cannot read the tenant's id and products, or if ctx ends. If another reading fails, a field whose
// name ends in Unread has the reason.
func Read(ctx context.Context, entra Entra, ad ActiveDirectory, progress func(s directory.Source, people, total int)) (*Seen, error) {
	s := &Seen{People: newPeople(), Trials: map[string]bool{}, AD: AD{Configured: ad != nil, Domains: tally{}}}
	var err error
	if s.Tenant, s.SKUs, err = entra.Tenant(ctx); err != nil {
		return nil, fmt.Errorf("read what the tenant has: %w", err)
	}
	s.TrialsUnread = unread(s.subscriptions(ctx, entra))
	s.People.Unread = unread(s.people(ctx, entra, progress))
	s.GroupsUnread = unread(s.groups(ctx, entra))
	if ad != nil {
		s.AD.Unread = unread(s.AD.people(ctx, ad, progress))
		s.AD.Citrix, err = ad.GroupsWith(ctx, "Citrix", mostCitrix)
		s.AD.CitrixUnread = unread(err)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("read what the tenant has: %w", context.Cause(ctx))
	}
	return s, nil
}

const mostCitrix = 20

func unread(err error) string {
	if err == nil || errors.Is(err, errEnough) {
		return ""
	}
	return err.Error()
}

// The method "subscriptions" finds the products of which the tenant has only a trial.
func (s *Seen) subscriptions(ctx context.Context, entra Entra) error {
	all, err := entra.Subscriptions(ctx)
	paid := map[string]bool{}
	for _, one := range all {
		if one.Trial {
			s.Trials[one.SKU] = true
		} else {
			paid[one.SKU] = true
		}
	}
	maps.DeleteFunc(s.Trials, func(sku string, _ bool) bool { return paid[sku] })
	return err
}

func (s *Seen) people(ctx context.Context, entra Entra, progress func(directory.Source, int, int)) error {
	if total, err := entra.CountPeople(ctx); err == nil {
		s.People.Total = total
	}
	return entra.ListPeople(ctx, "", func(people []directory.EntraUser, _ string) error {
		for i := range people {
			if s.People.Read == MostPeople {
				return errEnough
			}
			s.People.add(&people[i])
		}
		progress(directory.Entra, s.People.Read, min(s.People.Total, MostPeople))
		if s.People.Read == MostPeople {
			return errEnough
		}
		return nil
	})
}

// The method "groups" reads the groups that give licenses. In some tenants, Graph does not list all of them. So the
// method also reads the groups that give licenses to the people who were read.
func (s *Seen) groups(ctx context.Context, entra Entra) error {
	list, err := entra.LicenseGroups(ctx)
	s.Groups = list
	for _, id := range slices.Sorted(maps.Keys(s.People.GroupIDs)) {
		if slices.ContainsFunc(s.Groups, func(g directory.Group) bool { return g.ID == id }) || len(s.Groups) >= mostDifferent {
			continue
		}
		g, failed := entra.FindGroup(ctx, id)
		if failed != nil {
			err = errors.Join(err, failed)
			break // all other groups would probably fail for the same reason
		}
		s.Groups = append(s.Groups, g)
	}
	return err
}

func (s *AD) people(ctx context.Context, ad ActiveDirectory, progress func(directory.Source, int, int)) error {
	_, err := ad.ListFull(ctx, []string{"lastLogonTimestamp"}, func(u directory.ADUser) error {
		if s.Read == MostPeople {
			return errEnough
		}
		s.add(&u)
		progress(directory.AD, s.Read, 0)
		return nil
	})
	return err
}
