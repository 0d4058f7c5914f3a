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

// The package reads membership from the group, and not from a person's memberOf. A hidden memberOf looks empty, as if
// the person belonged to no group. A group shows whether its members are hidden.

// hiddenError is the error if the account may not see the members of a group, or a person's primary group. It matches
// directory.ErrNoGroup, which means to callers that membership is unknown.
type hiddenError struct{ what string }

func (e *hiddenError) Error() string {
	return "the account of idleseat may not read " + e.what + ": give it the right to"
}

// Is reports whether target is directory.ErrNoGroup.
func (e *hiddenError) Is(target error) bool { return target == directory.ErrNoGroup }

// ListMembers calls the function "each" with the SIDs of the members of a group. If the argument "direct" is set, the
// members are the people whom the group itself lists, and the people whose primary group is the group. Otherwise, the
// members of nested groups are included, and the people whose primary group is a nested group. Active Directory does
// not list people as members of their primary group. The error is directory.ErrNoGroup if no group has the DN, if the
// account may not read the group's members, or if a nested group may belong to a domain that is not configured.
func (d *Directory) ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error {
	_, err := d.members(ctx, groupDN, direct, each)
	return err
}

// The method "members" works like ListMembers. The result has the SIDs of the members from other configured domains,
// which the function "each" does not get. They are those of the lists that members reads for its own domain, so that a
// nested group whose memberOf is hidden counts for them, too.
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

// The method "walk" calls the function "each" with the SIDs of the members that a group lists. Unless direct is set,
// walk also passes the SIDs of the members that nested groups list. The result has the SID of the group and, unless
// direct is set, the SIDs of the nested groups. The result "outside" has the members from outside the domain, which
// walk does not pass.
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
// returns the members from outside the domain. It skips contacts and other objects without a SID.
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

// ownPrefix returns the common prefix of the SIDs of all accounts of the domain.
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

// groupsAmong returns the DNs of the groups that are members of a group, by SID. The argument "sids" has the SIDs of
// the members in the session's domain. The result "unseen" is the number of members that the account cannot see. Such a
// member may be a group with further members.
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
// the bases or the filter leave out. The error is directory.ErrNoPerson if the person does not exist. The error is
// directory.ErrNoGroup if the group does not exist, or if the account may not read the members of the group.
//
// If direct is set and the argument "groupDN" comes from directory.GroupByGUID, MemberOf also answers for a group that
// no read finds. For a deleted group, the result is false. For a group that the account may not see, the person's
// memberOf and primary group decide.
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

// The type "nesting" has the SIDs of a group and its nested groups, and the time at which the SIDs were read.
type nesting struct {
	sids []string
	read time.Time
}

// The method "within" returns the SIDs of a group and its nested groups. It fails if one of these groups hides its
// members. The result is cached for listAge, because a batch of people needs the result many times.
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
// primaryGroupID. A primary group belongs to the same domain as the account, so its SID begins like the account's SID.
func primaryGroupOf(sid, rid string) string { return sid[:strings.LastIndexByte(sid, '-')+1] + rid }
