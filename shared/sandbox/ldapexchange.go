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
	Target string // the account of a bind, the base and filter of a search, or the DN of a modify
	Single bool   // whether a search asks for one object by its DN

	// The fields below change how a search is answered. Their zero values change nothing.

	// Person returns which attributes of a person's object are hidden, and by how much its logon dates are too old.
	// Filters are evaluated on the object with these changes.
	Person func(dn string) (hidden []string, behind time.Duration)
	// Page returns which of the found entries are sent, and in which order. found is the number of entries, and the
	// result has their indices.
	Page func(found int) []int
	// Result is a result code that is sent after the entries instead of success. No cookie is then sent.
	Result  int
	Message string

	// Wait is called before the last message is sent. It may be nil.
	Wait func()
	// Lost breaks all connections instead of sending the last message.
	Lost bool

	s     *ldapServer
	conn  *ldapConn
	m     message
	serve func(*Exchange)

	bind   bindRequest // the decoded request, for a bind
	search *searchRequest
	modify *modifyRequest
}

// answer carries out an operation, or hands it to the function of Meddle.
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

// Refuse answers with a result code (RFC 4511, appendix A) without carrying out the operation.
func (x *Exchange) Refuse(code int, message string) {
	x.s.record(&Request{Method: x.Method, Template: x.Target, Status: code})
	x.end(nil, code, message)
}

// Drop breaks all connections to the controller, as a restart does.
func (x *Exchange) Drop() { x.s.drop() }

// lastAnswers maps the tag of a request to the tag of the message that ends its answer. If a request is missing, the
// tag of that message is the request's tag plus one.
var lastAnswers = map[ber.Tag]ber.Tag{ldap.ApplicationSearchRequest: ldap.ApplicationSearchResultDone}

// end sends left, the remaining bytes of the answer, and then the last message. If Lost is set, it breaks all
// connections instead of sending the last message.
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

// telling returns a person's object in which the attributes hidden are hidden and the logon dates are older by behind.
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
