package activedirectory

import (
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
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
		doing := fmt.Sprintf("list members of %q", group)
		return s.pages(doing, s.base, "(&"+isPerson+memberOf(group, direct)+")", []string{"objectSid"}, func(e *ldap.Entry) error {
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
		member, err = s.isMember(person.DN, group, direct)
		return err
	})
	return member, err
}

// AddMember lists a user in a group. Somebody who is in it already stays in it,
// which is no error. It is directory.ErrNoGroup or directory.ErrNoPerson when
// one of both is not there, and a *directory.Refusal when the account may not.
func (d *Directory) AddMember(ctx context.Context, groupDN, userDN string) error {
	return d.setMember(ctx, groupDN, userDN, true)
}

// RemoveMember takes a user off a group's list. Somebody who is not in it stays
// out of it, which is no error. It is directory.ErrNoGroup or
// directory.ErrNoPerson when one of both is not there, and a *directory.Refusal
// when the account may not.
func (d *Directory) RemoveMember(ctx context.Context, groupDN, userDN string) error {
	return d.setMember(ctx, groupDN, userDN, false)
}

func (d *Directory) setMember(ctx context.Context, groupDN, userDN string, member bool) error {
	return d.ask(ctx, func(s *session) error {
		group, err := s.group(groupDN)
		if err != nil {
			return err
		}
		if userDN == "" {
			return s.fault("write group "+groupDN, directory.ErrNoPerson)
		}
		err = s.modify(group, userDN, member)
		switch {
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax):
			return s.fault(fmt.Sprintf("write %q to group %q", userDN, group), directory.ErrNoPerson)
		case ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights):
			return &directory.Refusal{Reason: "the account of idleseat may not write this group of Active Directory", Err: err}
		case isAlready(err):
			return s.already(group, userDN, member, err)
		default:
			return err
		}
	})
}

// modify changes the group's list. Whether a broken connection came before or
// after the change cannot be known, so no other controller is asked instead.
func (s *session) modify(groupDN, userDN string, member bool) error {
	change := ldap.NewModifyRequest(groupDN, nil)
	doing := fmt.Sprintf("remove %q from group %q", userDN, groupDN)
	if member {
		change.Add("member", []string{userDN})
		doing = fmt.Sprintf("add %q to group %q", userDN, groupDN)
	} else {
		change.Delete("member", []string{userDN})
	}
	s.committed = true
	return s.operation(doing, func() error { return s.conn.Modify(change) })
}

// isAlready tells whether a result may mean that there was nothing to change.
// Controllers differ: 68 or 20 for a member added twice, 53 or 16 for one who
// is not there. 53 has other meanings too.
func isAlready(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultEntryAlreadyExists, ldap.LDAPResultAttributeOrValueExists,
		ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultNoSuchAttribute)
}

// already reads whether the refused change is needed at all.
func (s *session) already(groupDN, userDN string, wanted bool, refused error) error {
	member, err := s.isMember(userDN, groupDN, true)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return s.fault(fmt.Sprintf("read %q", userDN), directory.ErrNoPerson)
	case err != nil:
		return faults{refused, err}
	case member != wanted:
		return refused
	default:
		return nil
	}
}
