package activedirectory

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// AddMember adds a person to the list of a group. It succeeds if the group already lists the person. The argument
// "personGUID" is the objectGUID in base64: a write reaches the person even after a rename, and nobody else with the
// same name. The error is directory.ErrNoGroup, directory.ErrNoPerson, or a *directory.Refusal, for example if the
// group is the person's primary group.
func (d *Directory) AddMember(ctx context.Context, groupDN, personGUID string) error {
	return d.setMember(ctx, groupDN, personGUID, true)
}

// RemoveMember removes a person from the list of a group. It succeeds if the person is not in the group. The error is a
// *directory.Refusal if the person stays in the group through another group or as primary group, or if the directory
// does not allow the change. The other errors, and the argument "personGUID", are those of AddMember.
func (d *Directory) RemoveMember(ctx context.Context, groupDN, personGUID string) error {
	return d.setMember(ctx, groupDN, personGUID, false)
}

// CanWrite reports whether the account may change the members of a group. The error is directory.ErrNoGroup if no group
// has the DN.
func (d *Directory) CanWrite(ctx context.Context, groupDN string) (bool, error) {
	var may bool
	err := d.ask(ctx, func(s *session) error {
		g, err := s.group(groupDN)
		if err == nil {
			may = g.mayAdd
		}
		return err
	})
	return may, err
}

func (d *Directory) setMember(ctx context.Context, groupDN, personGUID string, member bool) error {
	return d.ask(ctx, func(s *session) error {
		g, err := s.group(groupDN)
		if err != nil {
			return err
		}
		p, err := s.principal(personGUID)
		if err != nil {
			return err
		}
		if p.primaryGroup == g.sid {
			return refusal(fmt.Errorf("%q has %q as primary group", p.dn, g.dn),
				"the group is the account's primary group, which is not kept as a list of members; give the account another primary group first")
		}
		listed, err := s.lists(g, p.dn, true)
		if err != nil {
			return err
		}
		if listed == member {
			return s.notNested(p, g, member)
		}
		if err := directory.Permit(ctx); err != nil { // the reads above may have taken long
			return err
		}
		err = s.modify(g, p, member)
		switch {
		case ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights):
			return refusal(err, "the account of idleseat may not write this group of Active Directory")
		case isAlready(err):
			return s.already(g, p, member, err)
		default:
			return err
		}
	})
}

func refusal(err error, reason string) error { return &directory.Refusal{Reason: reason, Err: err} }

type principal struct {
	dn           string
	guid         string // <GUID=…>
	primaryGroup string // SID of the primary group of the account
}

func (s *session) principal(guid string) (*principal, error) {
	doing := fmt.Sprintf("read the account with objectGUID %q", guid)
	raw, err := base64.StdEncoding.DecodeString(guid)
	if err != nil {
		return nil, s.fault(doing, fmt.Errorf("%w: it is not base64", directory.ErrNoPerson))
	}
	p := &principal{}
	if p.guid, err = guidDN(raw); err != nil {
		return nil, s.fault(doing, fmt.Errorf("%w: %w", directory.ErrNoPerson, err))
	}
	attributes := []string{"objectClass", "objectSid", "primaryGroupID"}
	found, err := s.search(doing, p.guid, ldap.ScopeBaseObject, "(objectClass=*)", attributes)
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultReferral):
		return nil, s.fault(doing, directory.ErrNoPerson)
	case err != nil:
		return nil, err
	case len(found.Entries) != 1:
		return nil, s.fault(doing, directory.ErrNoPerson)
	}
	e := found.Entries[0]
	p.dn = e.DN
	switch {
	case hasClass(e, "foreignSecurityPrincipal"):
		return nil, refusal(fmt.Errorf("%q is a foreign security principal", p.dn), "the account belongs to another forest; change its membership by hand")
	case !hasClass(e, "user"):
		return nil, s.fault(doing, fmt.Errorf("%w: %q is no user", directory.ErrNoPerson, clean(p.dn)))
	}
	if sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid")); err == nil {
		p.primaryGroup = primaryGroupOf(sid, e.GetEqualFoldAttributeValue("primaryGroupID"))
	}
	return p, nil
}

// notNested is called if the group's own list of members needs no change. It returns a refusal if the person should
// leave the group but is in it through another group.
func (s *session) notNested(p *principal, g *group, wanted bool) error {
	if wanted {
		return nil
	}
	nested, err := s.lists(g, p.dn, false)
	if err == nil && nested {
		return refusal(fmt.Errorf("%q is in a group within %q", p.dn, g.dn),
			"the account is in the group by way of another group only; change that one by hand")
	}
	return err
}

// The method "modify" adds a person to a group's own list of members, or removes the person from it. If the connection
// breaks, it is unknown whether the change was made, and no other controller is asked.
func (s *session) modify(g *group, p *principal, member bool) error {
	change := ldap.NewModifyRequest(g.guid, nil)
	doing := fmt.Sprintf("remove %q from group %q", p.dn, g.dn)
	if member {
		change.Add("member", []string{p.guid})
		doing = fmt.Sprintf("add %q to group %q", p.dn, g.dn)
	} else {
		change.Delete("member", []string{p.guid})
	}
	s.committed = true
	return s.operation(doing, func() error { return s.conn.Modify(change) })
}

// isAlready reports whether the error of a write may mean that no change was necessary. Controllers return 68 or 20 if
// the person is a member already, 53 or 16 if the person is not, and 32 if the person was deleted. The code 53 has
// other meanings, too, so the method "already" then reads the group.
func isAlready(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultEntryAlreadyExists, ldap.LDAPResultAttributeOrValueExists,
		ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultNoSuchObject)
}

// The method "already" handles an error for which isAlready is true. It returns the refusal if a read shows that the
// change is still needed.
func (s *session) already(g *group, p *principal, wanted bool, refused error) error {
	doing := fmt.Sprintf("read %q", p.dn)
	_, err := s.search(doing, p.guid, ldap.ScopeBaseObject, "(objectClass=*)", []string{"1.1"})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return s.fault(doing, directory.ErrNoPerson)
	}
	member := false
	if err == nil {
		member, err = s.lists(g, p.dn, true)
	}
	switch {
	case err != nil:
		return faults{refused, err}
	case member != wanted:
		return refused
	default:
		return s.notNested(p, g, wanted)
	}
}
