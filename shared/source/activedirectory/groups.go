package activedirectory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// The package reads membership from the group and not from a person's memberOf. A hidden memberOf looks like no
// membership. A group shows whether its members are hidden.

// hiddenError means that the account may not see the members of a group, or a person's primary group. It matches
// directory.ErrNoGroup, which means to callers that membership is unknown.
type hiddenError struct{ what string }

func (e *hiddenError) Error() string {
	return "the account of idleseat may not read " + e.what + ": give it the right to"
}

func (e *hiddenError) Is(target error) bool { return target == directory.ErrNoGroup }

// ListMembers calls the function "each" with the SIDs of the members of a group. If "direct" is set, these are the
// people whom the group lists, and the people whose primary group it is. (Active Directory does not list the latter.)
// Otherwise, the members of nested groups are included. The error is directory.ErrNoGroup if there is no such group, if
// the account may not read its members, or if a nested group may belong to a domain that is not configured.
func (d *Directory) ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error {
	_, err := d.members(ctx, groupDN, direct, each)
	return err
}

// The method "members" works like ListMembers. It also returns the SIDs of the members from other configured domains,
// which the function "each" does not get.
func (d *Directory) members(ctx context.Context, groupDN string, direct bool, each func(sid string) error) (foreign []string, err error) {
	err = d.ask(ctx, func(s *session) error {
		// Without this check, a wrong DN would look like an empty group.
		group, err := s.group(groupDN)
		if err != nil {
			return err
		}
		once := map[string]bool{}
		within, outside, err := s.walk(group, direct, func(sid string) error {
			if !direct && once[sid] { // the list of a single group has no repetitions
				return nil
			}
			if !direct {
				once[sid] = true
			}
			s.committed = true
			return each(sid)
		})
		if err == nil && !direct {
			err = s.noneWithin(outside)
		}
		if err != nil {
			return err
		}
		foreign = s.foreign(outside)
		return s.primary(within, func(sid string) error {
			if once[sid] {
				return nil
			}
			s.committed = true
			return each(sid)
		})
	})
	return foreign, err
}

// The method "walk" calls the function "each" with the SIDs of the members that a group lists. The result "within" has
// the SID of the group. Unless direct is set, walk also passes the members of nested groups, and "within" has the SIDs
// of these groups. The result "outside" has the members from outside the domain, which walk does not pass.
func (s *session) walk(g *group, direct bool, each func(sid string) error) (within []string, outside []outsider, err error) {
	within = []string{g.sid}
	for queue := []*group{g}; len(queue) > 0; queue = queue[1:] {
		if direct {
			outside, err = s.listedPeople(queue[0], each)
			return within, outside, err
		}
		var sids []string
		others, err := s.listed(queue[0], func(sid string) error {
			sids = append(sids, sid)
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		outside = append(outside, others...)
		nested, unseen, err := s.groupsAmong(queue[0].dn, sids)
		if err == nil && unseen > 0 {
			err = s.fault("list members", hiddenMembers(unseen, queue[0].dn))
		}
		if err != nil {
			return nil, nil, err
		}
		for _, sid := range sids {
			if _, group := nested[sid]; group {
				continue
			}
			if err := each(sid); err != nil {
				return nil, nil, err
			}
		}
		for _, dn := range slices.Sorted(maps.Values(nested)) {
			inner, err := s.group(dn)
			if err != nil {
				return nil, nil, err
			}
			if !slices.Contains(within, inner.sid) {
				within, queue = append(within, inner.sid), append(queue, inner)
			}
		}
	}
	return within, outside, nil
}

// The method "listed" calls the function "each" with the SIDs of the group's members in the session's own domain. It
// returns the members from outside, and skips objects without a SID.
func (s *session) listed(g *group, each func(sid string) error) (outside []outsider, err error) {
	doing, some := fmt.Sprintf("list members of %q", g.dn), false
	own, err := s.ownPrefix()
	if err != nil {
		return nil, err
	}
	err = s.values(doing, g.dn, "member", func(value string) error {
		some = true
		sid, dn, err := s.extended(value)
		switch {
		case err != nil || sid == "":
			return err
		case !strings.HasPrefix(sid, own):
			outside = append(outside, outsider{sid, dn, g.dn})
			return nil
		}
		return each(sid)
	})
	if err == nil && !some && !g.shown {
		err = s.fault(doing, &hiddenError{fmt.Sprintf("member of the group %q", clean(g.dn))})
	}
	return outside, err
}

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

// atOnce is the number of SIDs in one filter, well below the limit of a controller for the size of a filter.
const atOnce = 200

// groupsAmong returns the DNs, with the SIDs as keys, of the groups among the members with the given SIDs. The result
// "unseen" is the number of members that the account cannot see. Such a member may be a group with further members.
func (s *session) groupsAmong(groupDN string, sids []string) (dns map[string]string, unseen int, err error) {
	base, err := s.home()
	if err != nil {
		return nil, 0, err
	}
	doing := fmt.Sprintf("look for groups within %q", groupDN)
	dns = map[string]string{}
	for some := range slices.Chunk(sids, atOnce) {
		filter := ""
		for _, sid := range some {
			filter += sidFilter(sid)
		}
		unseen += len(some)
		err := s.pages(doing, base, "(|"+filter+")", []string{"objectClass", "objectSid"}, func(e *ldap.Entry) error {
			unseen--
			if hasClass(e, "group") {
				sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid"))
				if err != nil {
					return s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(e.DN), err))
				}
				dns[sid] = e.DN
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return dns, unseen, nil
}

func hiddenMembers(n int, groupDN string) error {
	return &hiddenError{fmt.Sprintf("%d members of the group %q, which may be groups", n, clean(groupDN))}
}

// MemberOf reports whether a group lists a person. Unless direct is set, membership through nested groups counts, too.
// A primary group always counts. The account may lie anywhere in the domain, because a group may list an account that
// the bases or the filter leave out. The error is directory.ErrNoPerson if the person does not exist. It is
// directory.ErrNoGroup if the group does not exist, or if the account may not read its members.
//
// If direct is set and "groupDN" comes from directory.GroupByGUID, MemberOf also answers for a group that no read
// finds. For a deleted group, the result is false. For a group that the account may not see, the person's memberOf and
// primary group decide.
func (d *Directory) MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error) {
	var member bool
	err := d.ask(ctx, func(s *session) error {
		group, err := s.group(groupDN)
		if direct && isUnseen(err, groupDN) {
			member, err = s.unseenLists(groupDN, sid)
			return err
		}
		if err != nil {
			return err
		}
		person, e, err := s.anyone(sid)
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
		member = slices.Contains(within, primaryGroupOf(person.SID, rid))
		return nil
	})
	return member, err
}

// The method "lists" reports whether a group lists an object. Unless direct is set, membership through nested groups
// counts, too.
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

type nesting struct {
	sids []string
	read time.Time
}

// The method "within" returns the SIDs of a group and its nested groups. It fails if one of them hides its members. The
// result is cached for listAge, because a batch of people needs it many times.
func (s *session) within(g *group) ([]string, error) {
	d := s.directory
	d.nestingMu.Lock()
	known, has := d.nestings[g.guid]
	d.nestingMu.Unlock()
	if has && d.now().Sub(known.read) < listAge {
		return known.sids, nil
	}
	sids, outside, err := s.walk(g, false, func(string) error { return nil })
	if err == nil {
		err = s.noneWithin(outside)
	}
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

// primaryGroupOf returns the SID of the primary group of an account. The parameter "rid" is the account's
// primaryGroupID. A primary group belongs to the same domain as the account.
func primaryGroupOf(sid, rid string) string { return sid[:strings.LastIndexByte(sid, '-')+1] + rid }
