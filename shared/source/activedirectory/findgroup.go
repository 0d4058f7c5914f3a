package activedirectory

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// FindGroup reads a group by its DN or by directory.GroupByGUID, which still finds a group that was renamed or moved.
// The ID of the result is the current DN. FindGroup returns directory.ErrNoGroup if there is no such group.
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

// FindGroup finds a group in all domains, as Directory.FindGroup does.
func (f *Forest) FindGroup(ctx context.Context, name string) (directory.Group, error) {
	d, err := f.domainOfGroup(ctx, name)
	if err != nil {
		return directory.Group{}, err
	}
	return d.FindGroup(ctx, name)
}

// domainOfGroup returns the domain of a group. A DN names the domain; for a GUID, every domain is asked.
func (f *Forest) domainOfGroup(ctx context.Context, name string) (*Directory, error) {
	if len(f.domains) == 1 || !strings.HasPrefix(name, "<GUID=") {
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
	return nil, fmt.Errorf("%w: %q is in none of the domains of IDLESEAT_AD_BASE", directory.ErrNoGroup, name)
}
