package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Exchange is one operation of Active Directory. Faults can be injected into it.
type Exchange struct {
	Method string // "BIND", "SEARCH" or "MODIFY"
	Target string // the account, the base and the filter, or the DN
	Single bool   // a search for one object by its name

	// The fields below alter a search that is carried out. Their zero values change nothing.

	// Person returns the hidden attributes of a person's object, and by how much its dates of logons are late. Filters
	// see the same.
	Person func(dn string) (hidden []string, behind time.Duration)
	// Page returns which of the found entries, numbered from 0, are sent, and in what order.
	Page func(found int) []int
	// Result is the result code after the entries. It replaces success, and no cookie is sent.
	Result  int
	Message string

	// Wait is called before the last answer is sent. nil: nothing is called.
	Wait func()
	// Lost breaks the connections instead of sending the last answer.
	Lost bool

	s     *ldapServer
	conn  *ldapConn
	m     message
	serve func(*Exchange)

	bind   bindRequest // the decoded bind request
	search *searchRequest
	modify *modifyRequest
}

// answer carries out an operation, after the faults that are injected before it.
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

// Serve carries the operation out.
func (x *Exchange) Serve() { x.serve(x) }

// Refuse answers with a result (RFC 4511, appendix A) and carries out nothing.
func (x *Exchange) Refuse(code int, message string) {
	x.s.record(&Request{Method: x.Method, Template: x.Target, Status: code})
	x.end(nil, code, message)
}

// Drop breaks all connections to the controller, like a restart.
func (x *Exchange) Drop() { x.s.drop() }

// lastAnswers are the tags of the answers that end a request.
var lastAnswers = map[ber.Tag]ber.Tag{ldap.ApplicationSearchRequest: ldap.ApplicationSearchResultDone}

// end sends the remaining bytes and the last answer, unless the answer is to be lost.
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

// telling returns a person's object with the faults of this search: hidden attributes and late dates.
func (e *entry) telling(hidden []string, behind time.Duration) *entry {
	if len(hidden) == 0 && behind == 0 {
		return e
	}
	other := *e // later questions use the cached object
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
