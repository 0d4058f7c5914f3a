package sandbox

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Sandbox is a company that is served on loopback.
type Sandbox struct {
	GraphURL     string // address of Microsoft Graph including the version
	ADURL        string // address of the first domain controller, ldaps://…
	CAFile       string // certificate of the authority that signed the controller's certificate, as PEM
	Base         string // DN of the domain
	Bind         string // DN of the account that may read objects and change members of groups
	PasswordFile string // file with the account's password
	Company      *Company

	folder    string
	server    *http.Server
	served    chan struct{} // closed when the server has stopped
	graph     http.Handler
	intercept atomic.Pointer[http.Handler]
	ldap      []*ldapServer // one for each controller, by number
	secured   tls.Certificate
	password  string
	before    func(*Exchange) // see Meddle; nil: nothing was set

	mu       sync.Mutex
	requests []*Request
}

// Request is a request that the sandbox received. A test may have injected a fault in place of the answer.
type Request struct {
	Method   string // HTTP method; for LDAP "BIND", "SEARCH", "MODIFY" or "OTHER"
	Template string // such as "/users/{id}", or "" for an unknown path; for LDAP the DN
	Target   string // path and query; for LDAP the filter
	Status   int    // HTTP status, 0 if none was written; for LDAP the result code
	Token    bool   // whether the request had an Authorization header; a request on loopback needs no such header
}

// Start serves a new company on 127.0.0.1 until Close is called.
func Start(o Options) (*Sandbox, error) {
	folder, err := os.MkdirTemp("", "idleseat-sandbox-")
	if err != nil {
		return nil, fmt.Errorf("make folder of simulated company: %w", err)
	}
	c := NewCompany(o)
	s := &Sandbox{Base: BaseDN, Bind: bindDN, Company: c, folder: folder, graph: newGraph(c), served: make(chan struct{}),
		CAFile: filepath.Join(folder, "ca.pem"), PasswordFile: filepath.Join(folder, "password")}
	if err := s.serve(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Sandbox) serve() error {
	var authority []byte
	var err error
	if s.secured, authority, err = selfSigned(); err != nil {
		return err
	}
	s.password = rand.Text()
	if err := os.WriteFile(s.CAFile, authority, 0o600); err != nil {
		return fmt.Errorf("write certificate authority of simulated company: %w", err)
	}
	if err := os.WriteFile(s.PasswordFile, []byte(s.password), 0o600); err != nil {
		return fmt.Errorf("write password of simulated company: %w", err)
	}
	for _, view := range s.Company.views() {
		if err := s.listen(view); err != nil {
			return err
		}
	}
	s.ADURL = s.ADURLs()[0]
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for Graph of simulated company: %w", err)
	}
	s.GraphURL = "http://" + l.Addr().String() + version
	s.Intercept(nil)
	s.server = &http.Server{Handler: http.HandlerFunc(s.serveGraph), ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(l) // returns ErrServerClosed after Close
	}()
	return nil
}

// Close stops both servers and deletes the temporary folder.
func (s *Sandbox) Close() error {
	var errs []error
	if s.server != nil {
		errs = append(errs, s.server.Close())
		<-s.served
	}
	for _, controller := range s.ldap {
		errs = append(errs, controller.close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.folder))...)
}

// Env returns the environment that points idleseat at the company, as NAME=value.
func (s *Sandbox) Env() []string {
	return []string{
		"IDLESEAT_GRAPH_URL=" + s.GraphURL,
		"IDLESEAT_AD_URLS=" + s.ADURL,
		"IDLESEAT_AD_BASE=" + s.Base,
		"IDLESEAT_AD_BIND=" + s.Bind,
		"IDLESEAT_AD_PASSWORD_FILE=" + s.PasswordFile,
		"IDLESEAT_AD_CA=" + s.CAFile,
	}
}

// Intercept puts a handler in front of Graph to inject faults. Intercept(nil) removes it.
func (s *Sandbox) Intercept(before func(next http.Handler) http.Handler) {
	h := s.graph
	if before != nil {
		h = before(h)
	}
	s.intercept.Store(&h)
}

// InterceptLDAP passes each operation on Active Directory to "before", which may call "next" to carry it out.
func (s *Sandbox) InterceptLDAP(before func(next func())) {
	s.Meddle(func(x *Exchange) { before(x.Serve) })
}

// Meddle passes each operation on Active Directory to a function. If the function does nothing, the client gets no
// answer. Meddle(nil) restores normal operation.
func (s *Sandbox) Meddle(with func(*Exchange)) {
	if with == nil {
		with = (*Exchange).Serve
	}
	s.before = with
	for _, controller := range s.ldap {
		controller.before.Store(&with)
	}
}

// Requests returns the requests since Start or ResetRequests, in order.
func (s *Sandbox) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Request, len(s.requests))
	for n, r := range s.requests {
		list[n] = *r
	}
	return list
}

// Count returns the number of recorded requests with a method and a template.
func (s *Sandbox) Count(method, template string) (n int) {
	for _, r := range s.Requests() {
		if r.Method == method && r.Template == template {
			n++
		}
	}
	return n
}

// ResetRequests deletes the recorded requests.
func (s *Sandbox) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

func (s *Sandbox) record(r *Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}

// serveGraph records a request before the answer, so that a client that has the answer finds the request in Requests.
func (s *Sandbox) serveGraph(w http.ResponseWriter, r *http.Request) {
	seen := &Request{Method: r.Method, Target: r.URL.RequestURI(), Token: r.Header.Get("Authorization") != ""}
	if rt, _ := match(r); rt != nil {
		seen.Template = rt.template
	}
	s.record(seen)
	w.Header().Set("Date", s.Company.now().UTC().Format(http.TimeFormat)) // answers with injected faults also need a Date
	(*s.intercept.Load()).ServeHTTP(&statusWriter{ResponseWriter: w, tell: func(status int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		seen.Status = status
	}}, r)
}

// statusWriter reports the status of an answer before the answer is sent.
type statusWriter struct {
	http.ResponseWriter
	tell func(status int)
	told bool
}

func (w *statusWriter) WriteHeader(status int) {
	w.told = true
	w.tell(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if !w.told {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController access to the connection, for injected faults.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
