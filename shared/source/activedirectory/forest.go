package activedirectory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Forest has the configured domains of one forest, most often a single domain. It is safe for concurrent use.
type Forest struct{ domains []*Directory }

// NewForest works like New, for every configured domain.
func NewForest(cfg Config, now func() time.Time) (*Forest, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	f := &Forest{}
	for _, of := range cfg.byDomain() {
		d, err := New(of, now)
		if err != nil {
			return nil, err
		}
		f.domains = append(f.domains, d)
	}
	if len(f.domains) > 1 {
		var names []string
		for _, d := range f.domains {
			names = append(names, d.dnsDomain)
		}
		for _, d := range f.domains {
			d.forest = names
		}
	}
	return f, nil
}

// Close closes idle connections. The forest remains usable.
func (f *Forest) Close() {
	for _, d := range f.domains {
		d.pool.close()
	}
}

// ListPeople calls Directory.ListPeople for every domain.
func (f *Forest) ListPeople(ctx context.Context, each func(directory.ADUser) error) error {
	return f.list(func(d *Directory) error { return d.ListPeople(ctx, each) })
}

// The method "list" calls the function "of" with each domain. It goes on after a *directory.PartialLogonError, and
// returns that error after the last domain. Any other error ends it.
func (f *Forest) list(of func(*Directory) error) error {
	var partial error
	for _, d := range f.domains {
		err := of(d)
		if _, only := errors.AsType[*directory.PartialLogonError](err); only {
			partial = errors.Join(partial, err)
		} else if err != nil {
			return err
		}
	}
	return partial
}

// ListFull works like Directory.ListFull. For several domains the watermark is nil, because a watermark is valid for
// only one controller.
func (f *Forest) ListFull(ctx context.Context, rests []string, each func(directory.ADUser) error) (*directory.Watermark, error) {
	if len(f.domains) == 1 {
		return f.domains[0].ListFull(ctx, rests, each)
	}
	return nil, f.list(func(d *Directory) error {
		_, err := d.ListFull(ctx, rests, each)
		return err
	})
}

// ListChanges works like Directory.ListChanges. For several domains the error is directory.ErrNoWatermark.
func (f *Forest) ListChanges(ctx context.Context, since directory.Watermark, rests []string, present func(sid, dn string) error, changed func(directory.ADUser) error) (directory.Watermark, error) {
	if len(f.domains) > 1 {
		return directory.Watermark{}, fmt.Errorf("%w: there are %d domains, and each has changes of its own", directory.ErrNoWatermark, len(f.domains))
	}
	return f.domains[0].ListChanges(ctx, since, rests, present, changed)
}

// FindPerson works like Directory.FindPerson, in all domains. The error is directory.ErrAmbiguousPerson if two domains
// have the name.
func (f *Forest) FindPerson(ctx context.Context, name string) (found directory.ADUser, err error) {
	none, known := error(nil), false
	for _, d := range f.domains {
		u, err := d.FindPerson(ctx, name)
		switch {
		case errors.Is(err, directory.ErrLeftOut): // the name is a SID, which only one domain has
			return u, err
		case errors.Is(err, directory.ErrNoPerson):
			none = err
		case err != nil:
			return found, err
		case known && u.SID != found.SID:
			return found, fmt.Errorf("read person %q: %w: in %s too; name the domain, as CORP\\anna", name, directory.ErrAmbiguousPerson, d.dnsDomain)
		default:
			found, known = u, true
		}
	}
	if !known {
		return found, none
	}
	return found, nil
}

// FindAnchor works like Directory.FindAnchor, in all domains.
func (f *Forest) FindAnchor(ctx context.Context, immutableID string, anchor directory.Anchor) (found string, err error) {
	none := error(nil)
	for _, d := range f.domains {
		sid, err := d.FindAnchor(ctx, immutableID, anchor)
		switch {
		case errors.Is(err, directory.ErrNoPerson):
			none = err
		case err != nil:
			return "", err
		case found != "":
			return "", fmt.Errorf("%w: two domains have an account with the immutable id %q", directory.ErrAmbiguousPerson, immutableID)
		default:
			found = sid
		}
	}
	if found == "" {
		return "", none
	}
	return found, nil
}

// ReadPerson works like Directory.ReadPerson, in the person's domain.
func (f *Forest) ReadPerson(ctx context.Context, sid string) (directory.ADUser, error) {
	d, err := f.domainOf(ctx, sid)
	if err != nil {
		return directory.ADUser{}, fmt.Errorf("read person %q: %w", sid, err)
	}
	return d.ReadPerson(ctx, sid)
}

// domainOf returns the domain that issued a SID. A forest with one domain returns this domain without a check. The
// error is directory.ErrNoPerson if none of the domains issued the SID. If the SID of a domain could not be read, the
// error is that of the read.
func (f *Forest) domainOf(ctx context.Context, sid string) (*Directory, error) {
	if len(f.domains) == 1 {
		return f.domains[0], nil
	}
	var unread error
	for _, d := range f.domains {
		own, err := d.ownSID(ctx)
		if err != nil {
			unread = errors.Join(unread, err)
		} else if strings.HasPrefix(sid, own+"-") {
			return d, nil
		}
	}
	if unread != nil {
		return nil, unread
	}
	return nil, fmt.Errorf("%w: its SID is of none of the %d domains", directory.ErrNoPerson, len(f.domains))
}

func (f *Forest) domainAt(dn string) (*Directory, error) {
	if len(f.domains) == 1 {
		return f.domains[0], nil
	}
	name := domainName(dn)
	for _, d := range f.domains {
		if d.dnsDomain == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%w: %q is in none of the domains of IDLESEAT_AD_BASE", directory.ErrNoGroup, dn)
}

// CanWrite works like Directory.CanWrite.
func (f *Forest) CanWrite(ctx context.Context, groupDN string) (bool, error) {
	d, err := f.domainAt(groupDN)
	if err != nil {
		return false, err
	}
	return d.CanWrite(ctx, groupDN)
}
