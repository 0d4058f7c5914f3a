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

// ListMembers works like Directory.ListMembers, and also finds members from other domains of the forest.
func (f *Forest) ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error {
	d, err := f.domainAt(groupDN)
	if err != nil {
		return err
	}
	if len(f.domains) == 1 {
		return d.ListMembers(ctx, groupDN, direct, each)
	}
	return f.listMembers(ctx, d, groupDN, direct, each, map[string]bool{}, map[string]bool{})
}

// HasMembers reports whether at least "least" people belong to a group, directly or through nested groups. It fails
// like ListMembers.
func (f *Forest) HasMembers(ctx context.Context, groupDN string, least int) (bool, error) {
	members := 0
	err := f.ListMembers(ctx, groupDN, false, func(string) error {
		if members++; members >= least {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return true, nil
	}
	return false, err
}

// ListPrimary works like Directory.ListPrimary. It asks only the domain of the group, because a primary group always
// belongs to the person's own domain.
func (f *Forest) ListPrimary(ctx context.Context, groupDN string, each func(sid string) error) error {
	d, err := f.domainAt(groupDN)
	if err != nil {
		return err
	}
	return d.ListPrimary(ctx, groupDN, each)
}

// ListNested works like Directory.ListNested. It finds only groups of the group's own domain.
func (f *Forest) ListNested(ctx context.Context, groupDN string, each func(sid string) error) error {
	d, err := f.domainAt(groupDN)
	if err != nil {
		return err
	}
	return d.ListNested(ctx, groupDN, each)
}

// listMembers passes each member of the group in the domain d to the function "each", once. If a member is from another
// configured domain, listMembers asks that domain whether the member is a person or a group. The argument "told" has
// the SIDs of the people whom it has passed. The argument "groups" has the SIDs of the groups that it has read.
func (f *Forest) listMembers(ctx context.Context, d *Directory, groupDN string, direct bool, each func(string) error, told, groups map[string]bool) error {
	once := func(sid string) error {
		if told[sid] {
			return nil
		}
		told[sid] = true
		return each(sid)
	}
	foreign, err := d.members(ctx, groupDN, direct, once)
	if err != nil {
		return err
	}
	nested, err := f.groupsAmong(ctx, groupDN, foreign, direct)
	if err != nil {
		return fmt.Errorf("list members of %q: %w", groupDN, err)
	}
	for _, sid := range foreign {
		group, isGroup := nested[sid]
		switch {
		case !isGroup:
			err = once(sid)
		case !direct && !groups[sid]:
			groups[sid] = true
			var home *Directory
			if home, err = f.domainAt(group); err == nil {
				err = f.listMembers(ctx, home, group, direct, each, told, groups)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// groupsAmong returns the DNs, with the SIDs as keys, of the groups among the members from other configured domains.
// Unless direct is set, it fails if a domain does not show a member, because the member may be a group with further
// members.
func (f *Forest) groupsAmong(ctx context.Context, groupDN string, foreign []string, direct bool) (map[string]string, error) {
	byHome, all := map[*Directory][]string{}, map[string]string{}
	for _, sid := range foreign {
		home, err := f.domainOf(ctx, sid)
		switch {
		case err == nil:
			byHome[home] = append(byHome[home], sid)
		case !errors.Is(err, directory.ErrNoPerson):
			return nil, err
		case !direct: // for a time, a group lists an account that moved to another domain under its old SID
			return nil, &outsideError{fmt.Sprintf("the SID %s of a member is of none of the domains: add the member to the group again", sid)}
		}
	}
	for home, sids := range byHome {
		err := home.ask(ctx, func(s *session) error {
			dns, unseen, err := s.groupsAmong(groupDN, sids)
			if err == nil && unseen > 0 && !direct {
				err = s.fault("list members", hiddenMembers(unseen, groupDN))
			}
			maps.Copy(all, dns)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// MemberOf works like Directory.MemberOf. The person and the group may belong to different domains. If no domain shows
// a group with the given objectGUID, only the person's own domain is asked, because idleseat changes a membership only
// within one domain.
func (f *Forest) MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error) {
	at, none := f.domainOfGroup(ctx, groupDN)
	unseen := direct && isUnseen(none, groupDN)
	if none != nil && !unseen {
		return false, none
	}
	home, err := f.domainOf(ctx, sid)
	if err != nil {
		return false, fmt.Errorf("read person %q: %w", sid, err)
	}
	if unseen {
		return home.MemberOf(ctx, sid, groupDN, direct)
	}
	if home == at && (direct || len(f.domains) == 1) {
		return at.MemberOf(ctx, sid, groupDN, direct)
	}
	if _, err := home.FindPerson(ctx, sid); err != nil && !errors.Is(err, directory.ErrLeftOut) {
		return false, err
	}
	if direct {
		foreign, err := at.foreignMembers(ctx, groupDN)
		return slices.Contains(foreign, sid), err
	}
	found := errors.New("found")
	err = f.ListMembers(ctx, groupDN, direct, func(member string) error {
		if member == sid {
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		return true, nil
	}
	return false, err
}

// AddMember works like Directory.AddMember.
func (f *Forest) AddMember(ctx context.Context, groupDN, personGUID string) error {
	return f.setMember(ctx, groupDN, personGUID, (*Directory).AddMember)
}

// RemoveMember works like Directory.RemoveMember.
func (f *Forest) RemoveMember(ctx context.Context, groupDN, personGUID string) error {
	return f.setMember(ctx, groupDN, personGUID, (*Directory).RemoveMember)
}

// setMember changes a group in the domain of the group. It refuses a member of another domain. The group's domain
// stores such a member under another name, and nothing proves that both names mean the same account.
func (f *Forest) setMember(ctx context.Context, groupDN, personGUID string, write func(*Directory, context.Context, string, string) error) error {
	at, err := f.domainOfGroup(ctx, groupDN)
	if err != nil {
		return err
	}
	none := write(at, ctx, groupDN, personGUID)
	if len(f.domains) == 1 || !errors.Is(none, directory.ErrNoPerson) {
		return none
	}
	for _, d := range f.domains {
		if d == at {
			continue
		}
		known, err := d.knows(ctx, personGUID)
		if err != nil {
			return err
		}
		if known {
			return refusal(fmt.Errorf("the account is of %s, the group of %s", d.dnsDomain, at.dnsDomain),
				"the account is of another domain than the group; change its membership by hand")
		}
	}
	return none
}

func (d *Directory) knows(ctx context.Context, guid string) (bool, error) {
	err := d.ask(ctx, func(s *session) error {
		_, err := s.principal(guid)
		return err
	})
	if errors.Is(err, directory.ErrNoPerson) {
		return false, nil
	}
	return err == nil, err
}

// groupWithSID returns the group of the session's domain that has the SID. It returns nil if there is no such group, or
// if the account that idleseat binds with may not read the group.
func (s *session) groupWithSID(doing, sid string, attributes ...string) (group *ldap.Entry, err error) {
	base, err := s.home()
	if err != nil {
		return nil, err
	}
	err = s.pages(doing, base, "(&(objectClass=group)"+sidFilter(sid)+")", attributes, func(e *ldap.Entry) error {
		group = e
		return nil
	})
	return group, err
}

// extendedDN makes a controller return DNs as <GUID=…>;<SID=…>;CN=… (MS-ADTS 3.1.1.3.4.1.5). Its value requests the
// text form.
var extendedDN = ldap.NewControlString("1.2.840.113556.1.4.529", true, "\x30\x03\x02\x01\x01")

// foreignMembers returns the SIDs of the members from other configured domains that a group itself lists.
func (d *Directory) foreignMembers(ctx context.Context, groupDN string) (sids []string, err error) {
	err = d.ask(ctx, func(s *session) error {
		g, err := s.group(groupDN)
		if err != nil {
			return err
		}
		outside, err := s.listed(g, func(string) error { return nil })
		sids = s.foreign(outside)
		return err
	})
	return sids, err
}

// The method "foreign" returns the SIDs of the members from other configured domains. It omits a member from another
// forest, whose DN lies in the session's own domain. See noneWithin for members from domains that are not configured.
func (s *session) foreign(outside []outsider) (sids []string) {
	for _, m := range outside {
		if name := domainName(m.dn); name != s.directory.dnsDomain && slices.Contains(s.directory.forest, name) {
			sids = append(sids, m.sid)
		}
	}
	return sids
}
