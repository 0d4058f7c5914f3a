package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jimlambrt/gldap"
)

// Exchange is one operation of Active Directory, for faults that are put before it.
type Exchange struct {
	Method string // "BIND", "SEARCH" or "MODIFY"
	Target string // whom it is about: the account, the base and the filter, the DN
	Single bool   // a search for one object by its name

	// What becomes of a search that is carried out. The zero values change nothing.

	// Person tells for the object of a person which attributes may not be read, and by
	// how much its dates of logons are behind. Filters see the same.
	Person func(dn string) (hidden []string, behind time.Duration)
	// Page tells which of the entries found, numbered from 0, are sent, in what order.
	Page func(found int) []int
	// Result is told after the entries, in place of success and of the cookie.
	Result  int
	Message string

	// Wait is called before the last answer is sent; nil: nothing is.
	Wait func()
	// Lost breaks the connections in place of the last answer.
	Lost bool

	s     *ldapServer
	w     *gldap.ResponseWriter
	r     *gldap.Request
	serve func(*Exchange)
}

// exchanged lets a fault come before an operation.
func (s *ldapServer) exchanged(serve func(*Exchange)) gldap.HandlerFunc {
	return func(w *gldap.ResponseWriter, r *gldap.Request) {
		x := &Exchange{s: s, w: w, r: r, serve: serve}
		before := s.before.Load()
		if before == nil {
			x.Serve()
			return
		}
		x.describe()
		(*before)(x)
	}
}

func (x *Exchange) describe() {
	if m, err := x.r.GetSearchMessage(); err == nil {
		x.Method, x.Target, x.Single = "SEARCH", m.BaseDN+" "+m.Filter, m.Scope == gldap.BaseObject
	} else if m, err := x.r.GetModifyMessage(); err == nil {
		x.Method, x.Target = "MODIFY", m.DN
	} else if m, err := x.r.GetSimpleBindMessage(); err == nil {
		x.Method, x.Target = "BIND", m.UserName
	}
}

// Serve carries the operation out.
func (x *Exchange) Serve() { x.serve(x) }

// Refuse answers with a result (RFC 4511, appendix A), and carries nothing out.
func (x *Exchange) Refuse(code int, message string) {
	application := map[string]int{"BIND": gldap.ApplicationBindResponse, "SEARCH": gldap.ApplicationSearchResultDone,
		"MODIFY": gldap.ApplicationModifyResponse}[x.Method]
	x.s.record(&Request{Method: x.Method, Template: x.Target, Status: code})
	x.end(x.r.NewResponse(gldap.WithApplicationCode(application), gldap.WithResponseCode(code), gldap.WithDiagnosticMessage(message)))
}

// Drop breaks all connections to the controller, as one that restarts does.
func (x *Exchange) Drop() { x.s.drop() }

// end sends the last answer, or none.
func (x *Exchange) end(answer gldap.Response) {
	if x.Lost {
		x.Drop()
		return
	}
	if x.Wait != nil {
		x.Wait()
	}
	_ = x.w.Write(answer) // a client that left needs no answer
}

// drop closes the connections that are open.
func (s *ldapServer) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close() // many are closed already
		delete(s.conns, c)
	}
}

// telling is a person's object as it tells of its logons tonight.
func (e *entry) telling(hidden []string, behind time.Duration) *entry {
	if len(hidden) == 0 && behind == 0 {
		return e
	}
	other := *e // it is kept for further questions
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
