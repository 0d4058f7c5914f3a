package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Exchange is one operation on Active Directory, into which a test can inject faults.
type Exchange struct {
	Method string // "BIND", "SEARCH" or "MODIFY"
	Target string // for a bind the account, for a search the base and the filter, for a modify the DN
	Single bool   // whether a search asks for one object by its DN

	// Person, Page, Result and Message change the answer to a search. Wait and Lost change the answer to any
	// operation. Their zero values change nothing.

	// Person returns the faults of one person's object in the answer: the attributes that are hidden, and the duration by
	// which the logon dates are too old. Filters see the changed object.
	Person func(dn string) (hidden []string, behind time.Duration)
	// Page selects and orders the entries of the answer. The argument "found" is the number of found entries. The
	// result has indices of these entries.
	Page func(found int) []int
	// Result is the result code that follows the entries in place of success. The answer then has no cookie.
	Result  int
	Message string

	// Wait is called before the last message of the answer is sent. It may be nil.
	Wait func()
	// Lost closes all connections in place of sending the last message.
	Lost bool

	s     *ldapServer
	conn  *ldapConn
	m     message
	serve func(*Exchange)

	bind   bindRequest // decoded request of a bind
	search *searchRequest
	modify *modifyRequest
}

// The method "answer" carries out an operation, or passes it to the function that Meddle has set.
func (s *ldapServer) answer(conn *ldapConn, m message) {
	x := &Exchange{s: s, conn: conn, m: m}
	var err error
	switch m.op.Tag {
	case ldap.ApplicationBindRequest:
		x.bind, err = readBind(m)
		x.Method, x.Target, x.serve = "BIND", x.bind.name, s.bind
	case ldap.ApplicationSearchRequest:
		if x.search, err = readSearch(m); err == nil {
			x.Target, x.Single = x.search.BaseDN+" "+x.search.Filter, x.search.Scope == ldap.ScopeBaseObject
		}
		x.Method, x.serve = "SEARCH", s.search
	case ldap.ApplicationModifyRequest:
		x.modify, err = readModify(m)
		x.Method, x.Target, x.serve = "MODIFY", x.modify.DN, s.modify
	case ldap.ApplicationAbandonRequest: // LDAP has no answer to this request
		return
	default:
		s.record(&Request{Method: "OTHER", Status: ldap.LDAPResultUnwillingToPerform})
		x.end(nil, ldap.LDAPResultUnwillingToPerform, "The simulated company does not take this operation.")
		return
	}
	before := s.before.Load()
	switch {
	case err != nil:
		x.end(nil, ldap.LDAPResultProtocolError, err.Error())
	case before != nil:
		(*before)(x)
	default:
		x.Serve()
	}
}

// Serve carries out the operation.
func (x *Exchange) Serve() { x.serve(x) }

// Refuse answers with a result code (RFC 4511, appendix A), and does not carry out the operation.
func (x *Exchange) Refuse(code int, message string) {
	x.s.record(&Request{Method: x.Method, Template: x.Target, Status: code})
	x.end(nil, code, message)
}

// Drop closes all connections to the controller, as a restart does.
func (x *Exchange) Drop() { x.s.drop() }

// lastAnswers maps the tag of a request to the tag of the message that ends the answer. For other requests, it is the
// request's tag plus one.
var lastAnswers = map[ber.Tag]ber.Tag{ldap.ApplicationSearchRequest: ldap.ApplicationSearchResultDone}

// The method "end" sends the rest of the answer, which is in "left", and then the last message. If Lost is set, it
// closes all connections in place of the last message.
func (x *Exchange) end(left []byte, code int, diagnostic string, controls ...ldap.Control) {
	if x.Lost || x.Wait != nil {
		x.conn.write(left)
		left = nil
	}
	if x.Lost {
		x.Drop()
		return
	}
	if x.Wait != nil {
		x.Wait()
	}
	tag, other := lastAnswers[x.m.op.Tag]
	if !other {
		tag = x.m.op.Tag + 1
	}
	x.conn.write(appendResult(left, x.m.id, tag, code, diagnostic, controls))
}

// The method "telling" returns a copy of a person's object with more hidden attributes. The logon dates of the copy
// are earlier by "behind".
func (e *entry) telling(hidden []string, behind time.Duration) *entry {
	if len(hidden) == 0 && behind == 0 {
		return e
	}
	other := *e // the original may be cached
	other.hidden = append(lowered(hidden), e.hidden...)
	other.attrs = slices.Clone(e.attrs)
	for n, a := range other.attrs {
		if name := strings.ToLower(a.name); name != "lastlogon" && name != "lastlogontimestamp" {
			continue
		}
		if ticks, err := strconv.ParseInt(a.values[0], 10, 64); err == nil && ticks > 0 {
			other.attrs[n].values = []string{strconv.FormatInt(ticks-int64(behind/100), 10)}
		}
	}
	return &other
}
