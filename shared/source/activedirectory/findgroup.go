package activedirectory

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// FindGroup reads a group by its DN or by its objectGUID, in the form of directory.GroupByGUID. The objectGUID also
// finds a renamed or moved group. The ID of the result is the current DN. The error is directory.ErrNoGroup if there is
// no such group.
func (d *Directory) FindGroup(ctx context.Context, name string) (directory.Group, error) {
	var found directory.Group
	err := d.ask(ctx, func(s *session) error {
		g, err := s.group(name)
		if err != nil {
			return err
		}
		found = directory.Group{
			Ref: directory.GroupRef{Source: directory.AD, Name: name}, ID: g.dn, Name: g.dn, Created: g.created, SID: g.sid,
			GUID: strings.TrimSuffix(strings.TrimPrefix(g.guid, "<GUID="), ">"),
		}
		return nil
	})
	return found, err
}

// FindGroup works like Directory.FindGroup, in all domains.
func (f *Forest) FindGroup(ctx context.Context, name string) (directory.Group, error) {
	d, err := f.domainOfGroup(ctx, name)
	if err != nil {
		return directory.Group{}, err
	}
	return d.FindGroup(ctx, name)
}

// domainOfGroup returns the domain of a group. A DN names the domain. For a GUID, every domain is asked.
func (f *Forest) domainOfGroup(ctx context.Context, name string) (*Directory, error) {
	if len(f.domains) == 1 || !directory.IsGroupGUID(name) {
		return f.domainAt(name)
	}
	for _, d := range f.domains {
		switch _, err := d.FindGroup(ctx, name); {
		case err == nil:
			return d, nil
		case !errors.Is(err, directory.ErrNoGroup):
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: %q is in none of the domains of IDLESEAT_AD_BASE", errNoGroup, name)
}

var errEnough = errors.New("enough was found")

// GroupsWith returns the DNs of at most "most" groups of the domain whose common name contains the text "part", in any
// letter case. It finds only groups that the account of idleseat may see.
func (d *Directory) GroupsWith(ctx context.Context, part string, most int) (dns []string, err error) {
	err = d.ask(ctx, func(s *session) error {
		dns = nil
		base, err := s.home()
		if err != nil {
			return err
		}
		name := "(cn=*" + ldap.EscapeFilter(part) + "*)"
		if part == "" {
			name = "(cn=*)"
		}
		filter := "(&(objectCategory=group)" + name + ")"
		err = s.pages("look for groups", base, filter, []string{"1.1"}, func(e *ldap.Entry) error {
			if len(dns) == most {
				return errEnough
			}
			dns = append(dns, e.DN)
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
	return dns, err
}

// GroupsWith works like Directory.GroupsWith, in all domains.
func (f *Forest) GroupsWith(ctx context.Context, part string, most int) (dns []string, err error) {
	for _, d := range f.domains {
		more, err := d.GroupsWith(ctx, part, most-len(dns))
		if err != nil {
			return nil, err
		}
		if dns = append(dns, more...); len(dns) >= most {
			break
		}
	}
	return dns, nil
}
