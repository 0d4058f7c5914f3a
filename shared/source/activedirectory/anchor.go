package activedirectory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// FindAnchor returns the SID of the person whose account in Entra ID has the onPremisesImmutableId. It looks in the
// whole domain, because the bases and the filter may leave the account out, and asks all controllers. The error is
// directory.ErrNoPerson only if no controller can have such an account, and directory.ErrAmbiguousPerson if two people
// have the id.
func (d *Directory) FindAnchor(ctx context.Context, immutableID string, anchor directory.Anchor) (sid string, err error) {
	doing, filter := fmt.Sprintf("look for the account with the immutable id %q", immutableID), anchorFilter(immutableID, anchor)
	if filter == "" {
		return "", fmt.Errorf("%s: %w", doing, directory.ErrNoPerson)
	}
	domain, answers, err := d.everywhere(ctx, func(a *answer) {
		a.err = d.do(ctx, a.controller, func(s *session) (err error) {
			a.user.SID, err = s.anchored(doing, filter)
			return err
		})
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", doing, err)
	}
	for _, a := range answers {
		switch {
		case errors.Is(a.err, directory.ErrAmbiguousPerson):
			return "", a.err
		case a.err != nil:
		case sid != "" && a.user.SID != sid:
			return "", fmt.Errorf("%s: %w", doing, directory.ErrAmbiguousPerson)
		default:
			sid = a.user.SID
		}
	}
	if sid == "" {
		_, err = domain.nobody(answers, d.now())
	}
	return sid, err
}

// anchorFilter returns a filter for the accounts whose anchor attribute has the immutable id, or "" if no account can
// have it.
func anchorFilter(immutableID string, anchor directory.Anchor) string {
	values, filter := anchor.Search(immutableID), ""
	for _, attribute := range slices.Sorted(maps.Keys(values)) {
		filter += "(" + attribute + "="
		for _, b := range values[attribute] {
			filter += fmt.Sprintf(`\%02x`, b)
		}
		filter += ")"
	}
	return filter
}

// The method "anchored" returns the SID of the only person on this controller who matches one of the filters. The error
// is directory.ErrNoPerson if nobody matches, and directory.ErrAmbiguousPerson if several people match.
func (s *session) anchored(doing, filters string) (sid string, err error) {
	base, err := s.home()
	if err != nil {
		return "", err
	}
	err = s.pages(doing, base, "(&"+isPerson+"(|"+filters+"))", []string{"objectSid"}, func(e *ldap.Entry) (err error) {
		if sid != "" {
			return s.fault(doing, directory.ErrAmbiguousPerson)
		}
		if sid, err = SID(e.GetEqualFoldRawAttributeValue("objectSid")); err != nil {
			return s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(e.DN), err))
		}
		return nil
	})
	if err == nil && sid == "" {
		err = s.fault(doing, directory.ErrNoPerson)
	}
	return sid, err
}
