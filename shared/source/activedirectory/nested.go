package activedirectory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// ListPrimary calls the function "each" with the SIDs of the people whose primary group is the group.
func (d *Directory) ListPrimary(ctx context.Context, groupDN string, each func(sid string) error) error {
	return d.ask(ctx, func(s *session) error {
		group, err := s.group(groupDN)
		if err != nil {
			return err
		}
		return s.primary([]string{group.sid}, func(sid string) error {
			s.committed = true
			return each(sid)
		})
	})
}

// ListNested calls the function "each" with the SIDs of the people who belong to a group through a nested group that
// the account can see. They stay in the group even if the group's own list no longer has them.
func (d *Directory) ListNested(ctx context.Context, groupDN string, each func(sid string) error) error {
	return d.ask(ctx, func(s *session) error {
		group, err := s.group(groupDN)
		if err != nil {
			return err
		}
		nested, err := s.groupsWithin(group)
		if err != nil {
			return err
		}
		once, all := map[string]bool{}, []string{}
		first := func(sid string) error {
			if once[sid] {
				return nil
			}
			once[sid], s.committed = true, true
			return each(sid)
		}
		for _, sid := range slices.Sorted(maps.Keys(nested)) {
			inner, err := s.group(nested[sid])
			if err != nil {
				return err
			}
			within, _, err := s.walk(inner, false, first)
			if err != nil {
				return err
			}
			all = append(all, within...)
		}
		if len(all) == 0 {
			return nil
		}
		return s.primary(all, first)
	})
}

// groupsWithin returns the nested groups that are direct members of the group and lie in the controller's domain. A key
// of the map is the SID of a nested group, and the value is its DN. The map lacks groups that the account of idleseat
// cannot see.
func (s *session) groupsWithin(g *group) (map[string]string, error) {
	doing, nested := fmt.Sprintf("look for groups in %q", g.dn), map[string]string{}
	base, err := s.home()
	if err != nil {
		return nil, err
	}
	err = s.pages(doing, base, "(&(objectClass=group)"+memberOf(g.dn, true)+")", []string{"objectSid"}, func(e *ldap.Entry) error {
		sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid"))
		if err != nil {
			return s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(e.DN), err))
		}
		nested[sid] = e.DN
		return nil
	})
	return nested, err
}

// listedPeople calls the function "each" with the SIDs of the members that a group lists. It leaves out the nested
// groups that the account can see. It passes the SID of any other nested group, which matches no person. The result has
// the members from outside the domain.
func (s *session) listedPeople(g *group, each func(sid string) error) (outside []outsider, err error) {
	nested, err := s.groupsWithin(g)
	if err != nil {
		return nil, err
	}
	return s.listed(g, func(sid string) error {
		if _, group := nested[sid]; group {
			return nil
		}
		return each(sid)
	})
}

// The method "primary" calls the function "each" with the SIDs of the people whose primary group is one of the groups,
// wherever in the domain their accounts lie.
func (s *session) primary(groups []string, each func(sid string) error) error {
	const doing = "list people by their primary group"
	base, err := s.home()
	if err != nil {
		return err
	}
	filter := ""
	for _, sid := range groups {
		filter += "(primaryGroupID=" + sid[strings.LastIndexByte(sid, '-')+1:] + ")"
	}
	return s.pages(doing, base, "(&"+isPerson+"(|"+filter+"))", []string{"objectSid"}, func(e *ldap.Entry) error {
		sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid"))
		if err != nil {
			return s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(e.DN), err))
		}
		return each(sid)
	})
}
