package activedirectory

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// Who is in a group is asked of the group, since memberOf of a person may be hidden
// and then looks like "in no group". A group whose members may not be read says so.

// hiddenError is why the members of a group, or the primary group of a person, are not
// known. It is directory.ErrNoGroup to callers: membership is unknown.
type hiddenError struct{ what string }

func (e *hiddenError) Error() string {
	return "the account of idleseat may not read " + e.what + ": give it the right to"
}

// Is makes the error directory.ErrNoGroup.
func (e *hiddenError) Is(target error) bool { return target == directory.ErrNoGroup }

// ListMembers hands on the SIDs of the members of a group. With direct these are the
// members that the group lists itself. Otherwise the members of groups within it are
// added. People whose primary group is one of these groups are added, too: Active
// Directory does not list them. directory.ErrNoGroup means that there is no group of
// that DN, or that the account may not read who is in it.
func (d *Directory) ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error {
	return d.ask(ctx, func(s *session) error {
		// A wrong DN would look like an empty group.
		group, err := s.group(groupDN)
		if err != nil {
			return err
		}
		once := map[string]bool{}
		within, err := s.walk(group, direct, func(sid string) error {
			if !direct && once[sid] { // whom one group lists, it lists once
				return nil
			}
			if !direct {
				once[sid] = true
			}
			s.committed = true
			return each(sid)
		})
		if err != nil {
			return err
		}
		return s.primary(within, func(sid string) error {
			if once[sid] {
				return nil
			}
			s.committed = true
			return each(sid)
		})
	})
}

// walk hands on the SIDs that a group lists, and (direct is false) those that groups
// within it list. It gives the SIDs of all these groups.
func (s *session) walk(g *group, direct bool, each func(sid string) error) (within []string, err error) {
	within = []string{g.sid}
	for queue := []*group{g}; len(queue) > 0; queue = queue[1:] {
		if direct {
			return within, s.listedPeople(queue[0], each)
		}
		var sids []string
		err := s.listed(queue[0], func(sid string) error {
			sids = append(sids, sid)
			return nil
		})
		if err != nil {
			return nil, err
		}
		nested, err := s.groupsAmong(queue[0], sids)
		if err != nil {
			return nil, err
		}
		for _, sid := range sids {
			if _, group := nested[sid]; group {
				continue
			}
			if err := each(sid); err != nil {
				return nil, err
			}
		}
		for _, dn := range slices.Sorted(maps.Values(nested)) {
			inner, err := s.group(dn)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(within, inner.sid) {
				within, queue = append(within, inner.sid), append(queue, inner)
			}
		}
	}
	return within, nil
}

// listed hands on the SIDs of the values of member that are of the session's own domain.
// Contacts and the like have none.
func (s *session) listed(g *group, each func(sid string) error) error {
	doing, some := fmt.Sprintf("list members of %q", g.dn), false
	own, err := s.ownPrefix()
	if err != nil {
		return err
	}
	err = s.values(doing, g.dn, "member", func(value string) error {
		some = true
		sid, _, err := s.extended(value)
		if err != nil || !strings.HasPrefix(sid, own) {
			return err
		}
		return each(sid)
	})
	if err == nil && !some && !g.shown {
		return s.fault(doing, &hiddenError{fmt.Sprintf("member of the group %q", clean(g.dn))})
	}
	return err
}

// ownPrefix is what the SIDs of the domain's accounts begin with.
func (s *session) ownPrefix() (string, error) {
	e, err := s.domainObject("objectSid")
	if err != nil {
		return "", err
	}
	sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid"))
	if err != nil {
		return "", s.fault("read the domain's objectSid", err)
	}
	return sid + "-", nil
}

// extended reads a DN as extendedDN has it written: the SID, where the object has one,
// and the plain DN.
func (s *session) extended(value string) (sid, dn string, err error) {
	_, rest, _ := strings.Cut(value, ">;")
	id, dn, two := strings.Cut(rest, ">;")
	sid, isSID := strings.CutPrefix(id, "<SID=")
	switch {
	case !strings.HasPrefix(value, "<GUID="):
		return "", "", s.fault("list members", fmt.Errorf("%w %q: it should begin with its GUID", errEntry, clean(value)))
	case !two:
		return "", rest, nil
	case !isSID:
		return "", dn, nil
	case strings.HasPrefix(sid, "S-"): // Samba writes it out, Windows in hexadecimal
		return sid, dn, nil
	}
	raw, err := hex.DecodeString(sid)
	if err == nil {
		sid, err = SID(raw)
	}
	if err != nil {
		return "", "", s.fault("list members", fmt.Errorf("%w %q: %w", errEntry, clean(value), err))
	}
	return sid, dn, nil
}

// groupsAmong gives the DNs, by SID, of the groups among the members of a group. A member of the
// group's own domain that cannot be seen may be a group, with members that are not known.
func (s *session) groupsAmong(g *group, sids []string) (dns map[string]string, err error) {
	const atOnce = 200 // well below the size of a filter that a controller takes
	base, err := s.home()
	if err != nil {
		return nil, err
	}
	doing := fmt.Sprintf("look for groups within %q", g.dn)
	dns = map[string]string{}
	for some := range slices.Chunk(sids, atOnce) {
		filter, unseen := "", len(some)
		for _, sid := range some {
			filter += sidFilter(sid)
		}
		err := s.pages(doing, base, "(|"+filter+")", []string{"objectClass", "objectSid"}, func(e *ldap.Entry) error {
			unseen--
			if slices.ContainsFunc(e.GetEqualFoldAttributeValues("objectClass"), func(c string) bool { return strings.EqualFold(c, "group") }) {
				sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid"))
				if err != nil {
					return s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(e.DN), err))
				}
				dns[sid] = e.DN
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if unseen > 0 {
			return nil, s.fault(doing, &hiddenError{fmt.Sprintf("%d members of the group %q, which may be groups", unseen, clean(g.dn))})
		}
	}
	return dns, nil
}

// MemberOf tells whether a person is in a group: listed in it (direct), or also by way
// of other groups; and by primary group. It is directory.ErrNoGroup or
// directory.ErrNoPerson when one of both is not there, and directory.ErrNoGroup also
// when the account may not read who is in it.
func (d *Directory) MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error) {
	var member bool
	err := d.ask(ctx, func(s *session) error {
		group, err := s.group(groupDN)
		if err != nil {
			return err
		}
		person, e, err := s.person(sid, sidFilter(sid))
		if err != nil {
			return err
		}
		if member, err = s.lists(group, person.DN, direct); err != nil || member {
			return err
		}
		rid := e.GetEqualFoldAttributeValue("primaryGroupID")
		if rid == "" {
			return s.fault("read the primary group", &hiddenError{fmt.Sprintf("primaryGroupID of %q", clean(person.DN))})
		}
		within := []string{group.sid}
		if !direct {
			if within, err = s.within(group); err != nil {
				return err
			}
		}
		// A primary group is of the account's own domain.
		member = slices.Contains(within, person.SID[:strings.LastIndexByte(person.SID, '-')+1]+rid)
		return nil
	})
	return member, err
}

// lists tells whether a group lists an object itself, or (direct is false) by way of
// groups within it.
func (s *session) lists(g *group, dn string, direct bool) (bool, error) {
	doing, rule := fmt.Sprintf("read whether %q is in group %q", dn, g.dn), "member="
	if !direct {
		rule = "member:" + inChain + ":="
	}
	found, err := s.search(doing, g.guid, ldap.ScopeBaseObject, "("+rule+ldap.EscapeFilter(dn)+")", []string{"1.1"})
	switch {
	case err != nil:
		return false, err
	case len(found.Entries) == 0 && !g.shown:
		return false, s.fault(doing, &hiddenError{fmt.Sprintf("member of the group %q", clean(g.dn))})
	}
	return len(found.Entries) > 0, nil
}

// nesting is which groups are within one, with itself, and when that was read.
type nesting struct {
	sids []string
	read time.Time
}

// within are the SIDs of a group and of those within it, all of which show their
// members. It is believed for listAge: a batch of people asks for it again and again.
func (s *session) within(g *group) ([]string, error) {
	d := s.directory
	d.nestingMu.Lock()
	known, has := d.nestings[g.guid]
	d.nestingMu.Unlock()
	if has && d.now().Sub(known.read) < listAge {
		return known.sids, nil
	}
	sids, err := s.walk(g, false, func(string) error { return nil })
	if err != nil {
		return nil, err
	}
	d.nestingMu.Lock()
	defer d.nestingMu.Unlock()
	if d.nestings == nil {
		d.nestings = map[string]nesting{}
	}
	d.nestings[g.guid] = nesting{sids, d.now()}
	return sids, nil
}
