package sandbox

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jimlambrt/gldap"
)

// The account that idleseat binds as, and the only domain controller.
const (
	bindAccount    = "svc-idleseat"
	bindDN         = "CN=" + bindAccount + ",OU=Service Accounts," + BaseDN
	controllerHost = "dc1." + dnsDomain
)

// ldapServer answers LDAP as a domain controller does.
type ldapServer struct {
	c        *Company
	password string
	record   func(*Request)
	address  string

	before atomic.Pointer[func(*Exchange)] // see Sandbox.Meddle
	server *gldap.Server
	ended  chan error // of the server's Run

	mu    sync.Mutex
	bound map[int]bool      // connections that have bound
	conns map[net.Conn]bool // connections that were open at some time
}

func startLDAP(c *Company, certificate tls.Certificate, password string, record func(*Request)) (*ldapServer, error) {
	s := &ldapServer{c: c, password: password, record: record, ended: make(chan error, 1),
		bound: map[int]bool{}, conns: map[net.Conn]bool{}}
	listening := listeningLog{hclog.NewNullLogger(), make(chan net.Addr, 1)}
	var err error
	s.server, err = gldap.NewServer(gldap.WithLogger(listening), gldap.WithOnClose(s.forget))
	if err != nil {
		return nil, fmt.Errorf("make LDAP server of simulated company: %w", err)
	}
	mux, err := s.mux()
	if err == nil {
		err = s.server.Router(mux)
	}
	if err != nil {
		return nil, fmt.Errorf("route LDAP of simulated company: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, GetConfigForClient: s.remember}
	go func() { s.ended <- s.server.Run("127.0.0.1:0", gldap.WithTLSConfig(config)) }()
	select {
	case a := <-listening.addr:
		s.address = a.String()
		return s, nil
	case err := <-s.ended:
		return nil, fmt.Errorf("listen for LDAP of simulated company: %w", err)
	}
}

func (s *ldapServer) mux() (*gldap.Mux, error) {
	mux, err := gldap.NewMux()
	if err != nil {
		return nil, err
	}
	if err := mux.Bind(s.exchanged(s.bind)); err != nil {
		return nil, err
	}
	if err := mux.Search(s.exchanged(s.search)); err != nil {
		return nil, err
	}
	if err := mux.Modify(s.exchanged(s.modify)); err != nil {
		return nil, err
	}
	return mux, mux.DefaultRoute(s.refuse)
}

// listeningLog catches the address: gldap tells it to its log only.
type listeningLog struct {
	hclog.Logger
	addr chan net.Addr
}

func (l listeningLog) Info(_ string, args ...any) {
	for _, a := range args {
		if addr, isAddr := a.(net.Addr); isAddr {
			l.addr <- addr
		}
	}
}

// remember keeps a connection to be closed in the end: gldap's own Stop waits
// for clients to leave.
func (s *ldapServer) remember(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[hello.Conn] = true
	return nil, nil
}

func (s *ldapServer) forget(connection int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bound, connection)
}

// close stops the server. Connections still open are closed, again and again
// as some may be between their handshake and being remembered.
func (s *ldapServer) close() error {
	stopped := make(chan error, 1)
	go func() { stopped <- s.server.Stop() }()
	for {
		s.mu.Lock()
		for c := range s.conns {
			_ = c.Close() // most are closed already
		}
		s.mu.Unlock()
		select {
		case err := <-stopped:
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// bind checks the password. Without a name and password the connection stays
// anonymous, as in Active Directory.
func (s *ldapServer) bind(x *Exchange) {
	r := x.r
	m, err := r.GetSimpleBindMessage()
	if err != nil {
		return
	}
	answer := r.NewBindResponse(gldap.WithResponseCode(gldap.ResultSuccess))
	code := gldap.ResultSuccess
	granted := m.Password != "" && s.knows(m.UserName) && string(m.Password) == s.password
	if !granted && m.Password != "" {
		code = gldap.ResultInvalidCredentials
		answer.SetDiagnosticMessage("80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4563")
	}
	answer.SetResultCode(code)
	s.mu.Lock()
	s.bound[r.ConnectionID()] = granted
	s.mu.Unlock()
	s.record(&Request{Method: "BIND", Template: m.UserName, Status: code})
	x.end(answer)
}

// knows tells whether a name is one of the three an account may bind by.
func (s *ldapServer) knows(name string) bool {
	for _, n := range []string{bindDN, bindAccount + "@" + dnsDomain, `CORP\` + bindAccount} {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func (s *ldapServer) isBound(r *gldap.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bound[r.ConnectionID()]
}

// refuse answers every other operation.
func (s *ldapServer) refuse(w *gldap.ResponseWriter, r *gldap.Request) {
	application := gldap.ApplicationExtendedResponse
	if _, err := r.GetAddMessage(); err == nil {
		application = gldap.ApplicationAddResponse
	} else if _, err := r.GetDeleteMessage(); err == nil {
		application = gldap.ApplicationDelResponse
	}
	s.record(&Request{Method: "OTHER", Status: gldap.ResultUnwillingToPerform})
	_ = w.Write(r.NewResponse(gldap.WithApplicationCode(application), gldap.WithResponseCode(gldap.ResultUnwillingToPerform),
		gldap.WithDiagnosticMessage("The simulated company does not take this operation.")))
}

// ldapError is a result of LDAP that is not a success.
type ldapError struct {
	code    int
	message string
}

func (e *ldapError) Error() string { return fmt.Sprintf("LDAP result %d: %s", e.code, e.message) }

func unwilling(format string, a ...any) *ldapError {
	return &ldapError{gldap.ResultUnwillingToPerform, fmt.Sprintf(format, a...)}
}

func noSuchObject(dn string) *ldapError {
	return &ldapError{gldap.ResultNoSuchObject, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of: " + dn}
}

var errNotBound = &ldapError{gldap.ResultOperationsError,
	"000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563"}
