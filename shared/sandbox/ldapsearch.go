package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// The controls that the sandbox supports.
const (
	pagingControl    = ldap.ControlTypePaging
	showDeleted      = ldap.ControlTypeMicrosoftShowDeleted // accepted without effect; the recycle bin appears empty
	permissiveModify = "1.2.840.113556.1.4.1413"
	extendedDN       = "1.2.840.113556.1.4.529"
)

// The limits MaxPageSize and MaxValRange of Active Directory.
const (
	maxEntries = 1000
	maxValues  = 1500
)

type search struct {
	c        *Company
	m        *searchRequest
	base     *entry // nil: the rootDSE
	where    *condition
	paging   *ldap.ControlPaging // nil: unpaged
	people   []int               // the people who can match, if the field "only" is set; found by condition.only
	only     bool
	access   bool            // whether the search requests access control lists without the audit part
	extended bool            // whether the search requests member DNs with GUID and SID
	from     int             // position at which to start
	sent     int             // number of entries on earlier pages
	below    string          // DN of base in lower case
	wants    map[string]bool // whether the search requests an attribute; a key is a name in the schema; filled by the method "requested"

	told func(dn string) (hidden []string, behind time.Duration) // the faults that Exchange.Person sets; nil: no faults
}

func (s *ldapServer) search(x *Exchange) {
	s.c.ready()
	seen := &Request{Method: "SEARCH", Template: x.search.BaseDN, Target: x.search.Filter}
	var page [][]byte
	var answer []byte
	var controls []ldap.Control
	found, err := s.prepare(x.conn, x.search)
	if err == nil {
		found.told = x.Person
		controls, err = found.run(func(e *entry, attrs []attribute) {
			if x.Page != nil {
				page = append(page, appendEntry(nil, x.m.id, e.dn, attrs))
				return
			}
			answer = x.conn.full(appendEntry(answer, x.m.id, e.dn, attrs))
		})
		if x.Page != nil {
			for _, n := range x.Page(len(page)) {
				answer = x.conn.full(append(answer, page[n]...))
			}
		}
	}
	if err == nil && x.Result != 0 {
		err, controls = &ldapError{x.Result, x.Message}, nil
	}
	diagnostic := ""
	if refused, isRefused := errors.AsType[*ldapError](err); isRefused {
		seen.Status, diagnostic = refused.code, refused.message
	}
	s.record(seen)
	x.end(answer, seen.Status, diagnostic, controls...)
}

// The method "full" writes the collected messages of an answer if they have at least fullAnswer bytes. It returns the
// bytes that are not written yet.
func (c *ldapConn) full(answer []byte) []byte {
	if len(answer) < fullAnswer {
		return answer
	}
	c.write(answer)
	return answer[:0]
}

// fullAnswer is how many bytes of an answer the server collects before it writes them, because a write for each entry
// is slow.
const fullAnswer = 16 << 10

// The method "prepare" checks a search. Errors are of type *ldapError.
func (s *ldapServer) prepare(conn *ldapConn, m *searchRequest) (*search, error) {
	x := &search{c: s.c, m: m, wants: map[string]bool{}}
	if err := x.controls(); err != nil {
		return nil, err
	}
	root := m.BaseDN == "" && m.Scope == ldap.ScopeBaseObject
	if !root && !conn.isBound() {
		return nil, errNotBound
	}
	s.c.mu.RLock()
	defer s.c.mu.RUnlock()
	if !root {
		if x.base = s.c.entryOf(m.BaseDN); x.base == nil {
			return nil, noSuchObject(m.BaseDN)
		}
		x.below = strings.ToLower(x.base.dn)
	}
	var err error
	if x.where, err = s.c.parseCondition(m.Filter); err != nil {
		return nil, err
	}
	x.people, x.only = x.where.only(s.c)
	return x, nil
}

func (x *search) controls() error {
	for _, control := range x.m.Controls {
		switch known := control.(type) {
		case *ldap.ControlPaging:
			x.paging = known
			if known.PagingSize == 0 {
				return unwilling("A page of no entries is not answered.")
			}
			if len(known.Cookie) > 0 {
				if _, err := fmt.Sscanf(string(known.Cookie), "%d %d", &x.from, &x.sent); err != nil || x.from < 0 {
					return unwilling("The cookie of the page is not one of this server.")
				}
			}
		case *ldap.ControlString:
			if known.ControlType == descriptorFlags {
				flags := []byte(known.ControlValue)
				x.access = len(flags) > 0 && flags[len(flags)-1]&systemAuditFlag == 0
				continue
			}
			if known.ControlType == extendedDN {
				x.extended = true
				continue
			}
			if known.Criticality && known.ControlType != permissiveModify {
				return &ldapError{ldap.LDAPResultUnavailableCriticalExtension, "unknown control " + known.ControlType}
			}
		}
	}
	return nil
}

// The method "run" calls "send" for each found entry. At the end of a page, it returns a cookie. It fails with
// sizeLimitExceeded if the client's size limit is reached, or if an unpaged search finds more than maxEntries entries.
func (x *search) run(send func(*entry, []attribute)) ([]ldap.Control, error) {
	room := maxEntries
	if x.paging != nil {
		room = min(room, int(x.paging.PagingSize))
	}
	n := 0
	for at := x.from; ; at++ {
		e, attrs, more := x.at(at)
		if !more {
			return x.page(""), nil
		}
		if e == nil {
			continue
		}
		if limit := int(x.m.SizeLimit); limit > 0 && x.sent+n == limit {
			return nil, &ldapError{ldap.LDAPResultSizeLimitExceeded, "size limit exceeded"}
		}
		if n == room {
			if x.paging == nil {
				return nil, &ldapError{ldap.LDAPResultSizeLimitExceeded, "size limit exceeded"}
			}
			return x.page(fmt.Sprintf("%d %d", at, x.sent+n)), nil
		}
		send(e, attrs)
		n++
	}
}

func (x *search) page(cookie string) []ldap.Control {
	if x.paging == nil {
		return nil
	}
	return []ldap.Control{&ldap.ControlPaging{Cookie: []byte(cookie)}}
}

// The method "at" examines one position of a search: first the fixed objects, then the people. A search with base
// scope has only position 0. The result "found" is nil if the object does not match. The result "more" is false after
// the last position.
func (x *search) at(position int) (found *entry, attrs []attribute, more bool) {
	x.c.mu.RLock()
	defer x.c.mu.RUnlock()
	var e *entry
	switch {
	case x.m.Scope == ldap.ScopeBaseObject && position > 0:
		return nil, nil, false
	case x.m.Scope == ldap.ScopeBaseObject && x.base == nil:
		e = x.c.rootDSE()
	case x.m.Scope == ldap.ScopeBaseObject:
		e = x.base
	case position < len(x.c.fixed):
		e = x.c.fixed[position]
	default:
		i, more := x.person(position - len(x.c.fixed))
		if !more {
			return nil, nil, false
		}
		t := x.c.profile(i)
		if !x.c.inAD(i, t) {
			return nil, nil, true
		}
		e = x.c.personEntry(i, t)
	}
	if x.told != nil && e.person >= 0 {
		e = e.telling(x.told(e.dn))
	}
	if e.gone || !x.inScope(e) || !x.where.matches(x.c, e) {
		return nil, nil, true
	}
	attrs = x.selected(e)
	for n, a := range attrs {
		if x.extended && strings.HasPrefix(a.name, "member") {
			attrs[n].values = x.c.extended(a.values)
		}
	}
	if x.access && slices.ContainsFunc(x.m.Attributes, func(want string) bool { return strings.EqualFold(want, descriptorAttribute) }) {
		attrs = append(attrs, attribute{descriptorAttribute, []string{e.descriptor()}})
	}
	return e, attrs, true
}

func (x *search) person(n int) (int, bool) {
	if x.only {
		if n >= len(x.people) {
			return 0, false
		}
		return x.people[n], true
	}
	return n, n < x.c.Size()
}

// inScope reports whether an object is in the scope of the search. The configuration is a separate naming context, so
// a search of the domain does not find it, although its DN ends with the DN of the domain.
func (x *search) inScope(e *entry) bool {
	if x.m.Scope == ldap.ScopeBaseObject {
		return true
	}
	if e.config != x.base.config || e.inSchema() != x.base.inSchema() {
		return false
	}
	child := e.parent == x.below
	if x.m.Scope == ldap.ScopeSingleLevel {
		return child
	}
	return child || e.dn == x.base.dn || strings.HasSuffix(e.parent, ","+x.below)
}

// inSchema reports whether an object is in the schema, which is a separate naming context.
func (e *entry) inSchema() bool { return strings.HasSuffix(e.dn, schemaDN) }

// The constant "constructed" is an attribute that the server computes. A search must request it by name.
const constructed = "allowedAttributesEffective"

// The method "selected" returns the requested attributes with their names in the schema.
func (x *search) selected(e *entry) (attrs []attribute) {
	m := x.m
	all := len(m.Attributes) == 0 || slices.Contains(m.Attributes, "*")
	for _, a := range e.attrs {
		if e.hides(a.name) || a.name == "tokenGroups" && !slices.Contains(m.Attributes, a.name) {
			continue
		}
		if all && a.name != constructed || x.requested(a.name) {
			attrs = append(attrs, a)
		}
	}
	if e.group >= 0 && !e.hides("member") {
		attrs = append(attrs, x.c.membersAsked(e.group, all, m.Attributes)...)
	}
	if m.TypesOnly {
		for n := range attrs {
			attrs[n].values = nil
		}
	}
	return attrs
}

// The method "requested" reports whether the search requests an attribute by name. It compares the names once for each
// search, because most searches return hundreds of entries with the same attributes.
func (x *search) requested(name string) bool {
	wanted, known := x.wants[name]
	if !known {
		wanted = slices.ContainsFunc(x.m.Attributes, func(want string) bool { return strings.EqualFold(name, want) })
		x.wants[name] = wanted
	}
	return wanted
}
