package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// memberCount returns the number of values of the attribute member. The caller must hold the lock.
func (c *Company) memberCount(g int) int { return len(c.nestedInAD(g)) + len(c.adMembers(g)) }

func (c *Company) nestedInAD(g int) []int {
	return slices.DeleteFunc(slices.Clone(c.group(g).nested), func(n int) bool { return !c.group(n).inAD() })
}

// memberDNs returns the values of the attribute member from index "from" to index "to", both included.
func (c *Company) memberDNs(g, from, to int) (dns []string) {
	nested, people := c.nestedInAD(g), c.adMembers(g)
	for n := from; n <= to && n < len(nested)+len(people); n++ {
		if n < len(nested) {
			dns = append(dns, c.group(nested[n]).dn)
		} else {
			i := int(people[n-len(nested)])
			dns = append(dns, c.adUser(i, c.profile(i)).DN)
		}
	}
	return dns
}

// The method "extended" adds the GUID and the SID of each object to its DN, in hexadecimal. Windows does so if the
// control LDAP_SERVER_EXTENDED_DN_OID has no value (MS-ADTS 3.1.1.3.4.1.5).
func (c *Company) extended(dns []string) (long []string) {
	for _, dn := range dns {
		if e := c.entryOf(dn); e != nil {
			dn = fmt.Sprintf("<GUID=%x>;<SID=%x>;%s", e.get("objectGUID")[0], e.get("objectSid")[0], dn)
		}
		long = append(long, dn)
	}
	return long
}

// membersAsked returns at most 1,500 of the requested values of the attribute member. If the group has more, the name
// of the attribute contains the range, such as "member;range=0-1499".
func (c *Company) membersAsked(g int, all bool, asked []string) (attrs []attribute) {
	from, to, ranged, wanted := 0, maxValues-1, false, all
	for _, name := range asked {
		if strings.EqualFold(name, "member") {
			wanted = true
		} else if low, high, isRange := memberRange(name); isRange {
			from, to, ranged, wanted = low, min(high, low+maxValues-1), true, true
		}
	}
	count := c.memberCount(g)
	switch {
	case !wanted || from >= count:
		return nil
	case !ranged && count <= maxValues:
		return []attribute{{"member", c.memberDNs(g, 0, count-1)}}
	case to >= count-1:
		return []attribute{{fmt.Sprintf("member;range=%d-*", from), c.memberDNs(g, from, count-1)}}
	case !ranged: // Active Directory adds an empty attribute to show that values are missing
		return []attribute{{"member", nil}, {fmt.Sprintf("member;range=0-%d", to), c.memberDNs(g, 0, to)}}
	default:
		return []attribute{{fmt.Sprintf("member;range=%d-%d", from, to), c.memberDNs(g, from, to)}}
	}
}

// memberRange parses an attribute name of the form "member;range=a-b". The part b may be a star.
func memberRange(name string) (low, high int, ok bool) {
	const prefix = "member;range="
	if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
		return 0, 0, false
	}
	a, b, _ := strings.Cut(name[len(prefix):], "-")
	low, lowErr := strconv.Atoi(a)
	high, highErr := strconv.Atoi(b)
	if b == "*" {
		high, highErr = low+maxValues-1, nil
	}
	return low, high, lowErr == nil && highErr == nil && low >= 0 && high >= low
}

// The method "modify" changes members of groups. It refuses all other changes.
func (s *ldapServer) modify(x *Exchange) {
	s.c.ready()
	seen, diagnostic := &Request{Method: "MODIFY", Template: x.modify.DN}, ""
	err := error(errNotBound)
	if x.conn.isBound() {
		err = s.c.modifyMembers(x.modify)
	}
	var refused *ldapError
	if errors.As(err, &refused) {
		seen.Status, diagnostic = refused.code, refused.message
	}
	s.record(seen)
	x.end(nil, seen.Status, diagnostic)
}

type memberWrite struct {
	person int
	in     bool
}

// modifyMembers makes all changes of a request or none. Errors are of type *ldapError.
func (c *Company) modifyMembers(m *modifyRequest) error {
	if k := c.at; k != nil {
		return k.modifyMembers(m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	g, writes, err := c.allWrites(m)
	for _, x := range writes {
		c.setMember(g, x.person, x.in)
	}
	return err
}

// allWrites checks a request and splits it into single writes of a group. The caller must hold the lock.
func (c *Company) allWrites(m *modifyRequest) (g int, writes []memberWrite, err error) {
	e := c.entryOf(m.DN)
	if e == nil {
		return 0, nil, noSuchObject(m.DN)
	}
	if e.group < 0 {
		return 0, nil, &ldapError{ldap.LDAPResultInsufficientAccessRights, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0"}
	}
	permissive := false
	for _, control := range m.Controls {
		permissive = permissive || control.GetControlType() == permissiveModify
	}
	for _, change := range m.Changes {
		more, err := c.memberWrites(e.group, change, permissive)
		if err != nil {
			return 0, nil, err
		}
		writes = append(writes, more...)
	}
	return e.group, writes, nil
}

// memberWrites checks one change of a request and splits it into single writes.
func (c *Company) memberWrites(g int, change modification, permissive bool) (writes []memberWrite, err error) {
	in := change.operation == ldap.AddAttribute
	if !strings.EqualFold(change.attribute, "member") || !in && change.operation != ldap.DeleteAttribute {
		return nil, unwilling("The simulated company adds and deletes values of member only.")
	}
	if len(change.values) == 0 {
		return nil, &ldapError{ldap.LDAPResultProtocolError, "values of member expected"}
	}
	for _, dn := range change.values {
		e := c.entryOf(dn)
		switch {
		case e == nil:
			return nil, noSuchObject(dn)
		case e.person < 0:
			return nil, unwilling("The simulated company adds and deletes people only.")
		case c.isMember(g, e.person, c.profile(e.person)) != in:
			writes = append(writes, memberWrite{e.person, in})
		case permissive:
		case in:
			return nil, &ldapError{ldap.LDAPResultEntryAlreadyExists, "00000562: UpdErr: DSID-031A122A, problem 6005 (ENTRY_EXISTS), data 0"}
		default:
			return nil, unwilling("00000561: SvcErr: DSID-031A1254, problem 5003 (WILL_NOT_PERFORM), data 0")
		}
	}
	return writes, nil
}
