package sandbox

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type graph struct {
	c      *Company
	serial atomic.Uint64 // number of requests so far, for request ids

	mu     sync.Mutex
	single limiter // for reads of signInActivity of a single user
	list   limiter // for lists with signInActivity
}

func newGraph(c *Company) *graph {
	return &graph{c: c,
		single: limiter{allowed: 10, per: time.Minute},
		list:   limiter{allowed: c.options.ListLimit, per: 10 * time.Second}}
}

// The type "answer" is an answer without an error. Status 202, 204 and 302 have no body.
type answer struct {
	status   int
	body     []byte
	location string // target of a redirect
}

func ok(body []byte) answer { return answer{status: http.StatusOK, body: body} }

var noContent = answer{status: http.StatusNoContent}

// The type "route" is a supported path with its supported query options.
type route struct {
	method, template string
	options          string
	serve            func(*graph, *query) (answer, error)
}

var routes = []route{
	{"GET", "/users", "$select $top $filter $count $skiptoken", (*graph).listUsers},
	{"GET", "/users/{id}", "$select", (*graph).getUser},
	{"GET", "/users/{id}/memberOf", "$select $top $skiptoken", (*graph).memberOf},
	{"GET", "/users/{id}/transitiveMemberOf", "$select $top $skiptoken", (*graph).transitiveMemberOf},
	{"GET", "/users/{id}/licenseDetails", "", (*graph).licenseDetails},
	{"GET", "/users/{id}/manager", "$select", (*graph).manager},
	{"POST", "/users/{id}/sendMail", "", (*graph).sendMail},
	{"POST", "/users/{id}/assignLicense", "", (*graph).assignLicense},
	{"POST", "/users/{id}/reprocessLicenseAssignment", "", (*graph).reprocessLicenses},
	{"GET", "/organization", "$select", (*graph).organization},
	{"GET", "/subscribedSkus", "", (*graph).subscribedSkus},
	{"GET", "/directory/subscriptions", "", (*graph).directorySubscriptions},
	{"GET", "/reports/getMailboxUsageDetail(period='D7')", "", (*graph).mailboxUsage},
	{"GET", "/reports/getOffice365ActiveUserDetail(period='D180')", "", (*graph).activeUsers},
	{"GET", "/copilot/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')", "$format", (*graph).copilotUsage},
	{"GET", "/groups", "$select $top $filter $skiptoken", (*graph).listGroups},
	{"GET", "/groups/{id}", "$select", (*graph).getGroup},
	{"GET", "/groups/{id}/members", "$select $top $skiptoken", (*graph).listMembers},
	{"POST", "/groups/{id}/members/$ref", "", (*graph).addMember},
	{"DELETE", "/groups/{id}/members/{id}/$ref", "", (*graph).removeMember},
	{"DELETE", "/groups/{id}/members/{id}", "", (*graph).deleteUser},
}

var betaRoutes = []route{
	{"GET", "/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')", "$format", (*graph).copilotUsage},
}

// The prefixes of the paths in the variables routes and betaRoutes.
const version, beta = "/v1.0", "/beta"

// The function "match" returns the route of a request and the ids in the path. The route is nil if no route matches.
func match(r *http.Request) (*route, []string) {
	path, inVersion := strings.CutPrefix(r.URL.EscapedPath(), version)
	table := routes
	if !inVersion {
		if path, inVersion = strings.CutPrefix(path, beta); !inVersion {
			return nil, nil
		}
		table = betaRoutes
	}
	parts := strings.Split(path, "/")
	for n := range table {
		if ids, matched := table[n].fits(r.Method, parts); matched {
			return &table[n], ids
		}
	}
	return nil, nil
}

func (r *route) fits(method string, parts []string) (ids []string, matched bool) {
	want := strings.Split(r.template, "/")
	if method != r.method || len(want) != len(parts) {
		return nil, false
	}
	for n, w := range want {
		part, err := url.PathUnescape(parts[n])
		switch {
		case err != nil:
			return nil, false
		case w == "{id}" && part != "" && part[0] != '$':
			ids = append(ids, part)
		case w != part:
			return nil, false
		}
	}
	return ids, true
}

// ServeHTTP answers a request. Errors have the form of Graph's errors.
func (g *graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == downloads:
		g.c.download(w, r, g.c.mailboxReport)
		return
	case usageFileAt(r.URL.Path) != nil:
		g.c.download(w, r, g.c.usageReport)
		return
	}
	g.c.advance()
	now := g.c.now()
	serial := g.serial.Add(1)
	id := requestID(serial)
	client := r.Header.Get("client-request-id")
	if client == "" {
		client = id
	}
	w.Header().Set("request-id", id)
	w.Header().Set("client-request-id", client)
	w.Header().Set("Date", now.Format(http.TimeFormat))
	a, err := g.answer(r, replica{g.c, serial})
	if err != nil {
		var refused *graphError
		if !errors.As(err, &refused) {
			refused = &graphError{status: http.StatusInternalServerError, code: "InternalServerError", message: err.Error()}
		}
		for name, values := range refused.header {
			w.Header()[name] = values
		}
		a = answer{status: refused.status, body: refused.envelope(now, id, client)}
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	} else if a.status != http.StatusNoContent && a.status != http.StatusAccepted {
		w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have closed the connection
}

func (g *graph) answer(r *http.Request, from replica) (answer, error) {
	rt, ids := match(r)
	if rt == nil {
		return answer{}, &graphError{status: http.StatusNotFound, code: "Request_ResourceNotFound",
			message: "Resource not found for the segment of " + r.Method + " " + r.URL.EscapedPath() + "."}
	}
	q, err := readQuery(r, rt, ids)
	if err != nil {
		return answer{}, err
	}
	q.replica = from
	return rt.serve(g, q)
}

func (g *graph) limit(l *limiter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := l.take(g.c.now()); wait > 0 {
		return tooMany(wait)
	}
	return nil
}

const maxBody = 1 << 20

// readBody decodes the JSON object in a request. Like real Graph, it rejects a body that does not match its
// Content-Encoding.
func readBody(r *http.Request, into any) error {
	if kind := r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return badRequest("A content type of application/json is required, not %q.", kind)
	}
	body := io.Reader(http.MaxBytesReader(nil, r.Body, maxBody))
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return badRequest("Error: Invalid Data.")
		}
		body = io.LimitReader(unpacked, maxBody)
	}
	b, err := io.ReadAll(body)
	if err != nil || json.Unmarshal(b, into) != nil {
		return badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return nil
}
