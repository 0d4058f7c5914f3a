package activedirectory

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// The type "outsider" is a member of a group. The SID of the member is from another domain than the group.
type outsider struct {
	sid, dn string
	group   string // DN of the group that lists the member
}

// outsideError means that a member is from outside the domain, and that people whom no reading lists may belong to the
// group through this member. The error matches directory.ErrNoGroup, so callers treat the membership as unknown.
type outsideError struct{ text string }

func (e *outsideError) Error() string { return e.text }

func (e *outsideError) Is(target error) bool { return target == directory.ErrNoGroup }

// foreignSID is the least number of dashes in the SID of an account or a group: S-1-5-21, three numbers of the domain,
// and one of the account (MS-DTYP 2.4.2.4). The well-known SIDs of many accounts, such as S-1-5-11 (Authenticated
// Users), are shorter.
const foreignSID = 7

// A member of a group may itself be a group of another domain, with people of the configured domains in it. noneWithin
// returns an error if this is possible. It looks up the members of domains that are not configured in the global
// catalog. It skips members of another forest, whose groups have only accounts of that forest, and members of
// configured domains, which Forest.listMembers reads. A well-known SID, such as Authenticated Users, is also an error.
func (s *session) noneWithin(outside []outsider) error {
	home, err := s.home()
	if err != nil {
		return err
	}
	own, open := domainName(home), map[string]outsider{}
	for _, m := range outside {
		name := domainName(m.dn)
		if name != own && !slices.Contains(s.directory.forest, name) {
			open[m.sid] = m
		}
		if name == own && strings.Count(m.sid, "-") < foreignSID {
			return m.unknown(s, "it stands for accounts that no list names; take it out of the group, or name another group in the policy")
		}
	}
	if len(open) == 0 {
		return nil
	}
	why := ""
	if err := s.askCatalog(open); err != nil {
		why = fmt.Sprintf(" (%v)", err)
	}
	if len(open) == 0 {
		return nil
	}
	m := open[slices.Min(slices.Collect(maps.Keys(open)))]
	return m.unknown(s, fmt.Sprintf("it may be a group with further members%s; name its domain in IDLESEAT_AD_BASE, too, as %s;%s",
		why, home, domainDN(domainName(m.dn))))
}

func (m outsider) unknown(s *session, why string) error {
	return s.fault("list members", &outsideError{fmt.Sprintf("who is in the group %q is not known because of its member %q: %s", clean(m.group), clean(m.dn), why)})
}

// The map "open" has members of a group, by SID. askCatalog deletes each member that cannot have people of another
// domain within it. It reads the members in the global catalog, which has every object of the forest (Microsoft Learn,
// "Binding to the Global Catalog"). A controller does not show objects of another domain.
func (s *session) askCatalog(open map[string]outsider) error {
	const doing = "look up members of other domains"
	return s.directory.do(s.ctx, s.controller.catalog(), func(c *session) error {
		for some := range slices.Chunk(slices.Sorted(maps.Keys(open)), atOnce) {
			filter := ""
			for _, sid := range some {
				filter += sidFilter(sid)
			}
			err := c.pages(doing, "", "(|"+filter+")", []string{"objectClass", "objectSid", "groupType"}, func(e *ldap.Entry) error {
				sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid"))
				if err == nil && !holdsOthers(e) {
					delete(open, sid)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// holdsOthers reports whether an object may have accounts of another domain within it. A global group has accounts and
// global groups of its own domain only (Microsoft Learn, "Active Directory security groups", group scope).
func holdsOthers(e *ldap.Entry) bool {
	const global = 0x2 // GROUP_TYPE_ACCOUNT_GROUP (MS-ADTS 2.2.12)
	if hasClass(e, "user") {
		return false
	}
	kind, err := strconv.Atoi(e.GetEqualFoldAttributeValue("groupType"))
	return err != nil || kind&global == 0
}

func (c controller) catalog() controller {
	scheme, port := "ldaps://", globalCatalog
	if c.startTLS {
		scheme, port = "ldap://", globalCatalogPlain
	}
	addr := net.JoinHostPort(c.host, port)
	return controller{url: scheme + addr, host: c.host, addr: addr, startTLS: c.startTLS}
}
