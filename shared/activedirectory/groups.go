package activedirectory

import (
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// ListMembers hands on the SIDs of the people in a group: those it lists itself
// (direct), or also those in groups within it. Those who have it as primary
// group are not among them, since Active Directory does not list them either.
// directory.ErrNoGroup means that there is no group of that DN.
func (d *Directory) ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error {
	return d.ask(ctx, func(s *session) error {
		// A wrong DN would look like an empty group.
		group, err := s.group(groupDN)
		if err != nil {
			return err
		}
		doing := fmt.Sprintf("list members of %q", group.dn)
		return s.people(doing, memberOf(group.dn, direct), []string{"objectSid"}, func(e *ldap.Entry) error {
			sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid"))
			if err != nil {
				return s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(e.DN), err))
			}
			s.committed = true
			return each(sid)
		})
	})
}

// MemberOf tells whether a person is in a group: listed in it (direct), or also
// by way of other groups. It is directory.ErrNoGroup or directory.ErrNoPerson
// when one of both is not there.
func (d *Directory) MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error) {
	var member bool
	err := d.ask(ctx, func(s *session) error {
		group, err := s.group(groupDN)
		if err != nil {
			return err
		}
		person, _, err := s.person(sid, sidFilter(sid))
		if err != nil {
			return err
		}
		member, err = s.isMember(person.DN, group.dn, direct)
		return err
	})
	return member, err
}
