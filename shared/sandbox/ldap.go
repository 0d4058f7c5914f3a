package sandbox

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// The account that idleseat uses to bind, and the DNS name of the only domain controller.
const (
	bindAccount    = "svc-idleseat"
	bindDN         = "CN=" + bindAccount + ",OU=Service Accounts," + BaseDN
	controllerHost = "dc1." + dnsDomain
)

type ldapServer struct {
	c        *Company
	password string
	record   func(*Request)
	address  string

	before   atomic.Pointer[func(*Exchange)] // see Sandbox.Meddle
	silent   atomic.Bool                     // see Sandbox.Reach
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	conns  map[*tls.Conn]bool // the open connections
	closed bool
}

func startLDAP(c *Company, certificate tls.Certificate, password string, record func(*Request)) (*ldapServer, error) {
	s := &ldapServer{c: c, password: password, record: record, conns: map[*tls.Conn]bool{}}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	var err error
	if s.listener, err = tls.Listen("tcp", "127.0.0.1:0", config); err != nil {
		return nil, fmt.Errorf("listen for LDAP of simulated company: %w", err)
	}
	s.address = s.listener.Addr().String()
	s.serving.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return // the listener is closed
			}
			if secured := conn.(*tls.Conn); s.open(secured) { // tls.Listen returns a listener that accepts only this type
				s.serving.Go(func() { s.serve(secured) })
			}
		}
	})
	return s, nil
}

// The method "open" registers a connection, so that "close" can close it. The result is false if the server is already
// closed.
func (s *ldapServer) open(conn *tls.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.silent.Load() {
		_ = conn.NetConn().Close()
		return false
	}
	s.conns[conn] = true
	return true
}

func (s *ldapServer) close() error {
	err := s.listener.Close()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.drop()
	s.serving.Wait()
	return err
}

// The method "drop" closes all open connections without a TLS shutdown.
func (s *ldapServer) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.NetConn().Close() // the client may have closed the connection already
		delete(s.conns, conn)
	}
}

type ldapConn struct {
	net.Conn
	mu    sync.Mutex
	bound bool
}

func (c *ldapConn) isBound() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bound
}

// The method "write" writes whole messages. It ignores errors, because the client may have closed the connection.
func (c *ldapConn) write(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.Write(b)
}

// The method "serve" answers the requests on a connection, several at the same time.
func (s *ldapServer) serve(raw *tls.Conn) {
	var answering sync.WaitGroup
	defer answering.Wait()
	defer func() {
		_ = raw.Close() // the client may have closed the connection already
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, raw)
	}()
	conn, r := &ldapConn{Conn: raw}, bufio.NewReader(raw)
	for {
		p, err := ber.ReadPacket(r)
		if err != nil {
			return
		}
		m, err := readMessage(p)
		if err != nil || m.op.Tag == ldap.ApplicationUnbindRequest {
			return
		}
		answering.Go(func() { s.answer(conn, m) })
	}
}

// The method "bind" checks the password. As in real Active Directory, a bind without a password succeeds, and the
// connection stays anonymous.
func (s *ldapServer) bind(x *Exchange) {
	code, diagnostic, b := ldap.LDAPResultSuccess, "", x.bind
	granted := b.simple && b.password != "" && s.knows(b.name) && b.password == s.password
	switch {
	case !b.simple:
		code = ldap.LDAPResultAuthMethodNotSupported
	case !granted && b.password != "":
		code = ldap.LDAPResultInvalidCredentials
		diagnostic = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4563"
	}
	x.conn.mu.Lock()
	x.conn.bound = granted
	x.conn.mu.Unlock()
	s.record(&Request{Method: "BIND", Template: b.name, Status: code})
	x.end(nil, code, diagnostic)
}

// The method "knows" accepts the three names of the account that idleseat uses to bind.
func (s *ldapServer) knows(name string) bool {
	for _, n := range []string{bindDN, bindAccount + "@" + dnsDomain, `CORP\` + bindAccount} {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// ldapError is an LDAP result other than success.
type ldapError struct {
	code    int
	message string
}

func (e *ldapError) Error() string { return fmt.Sprintf("LDAP result %d: %s", e.code, e.message) }

func unwilling(format string, a ...any) *ldapError {
	return &ldapError{ldap.LDAPResultUnwillingToPerform, fmt.Sprintf(format, a...)}
}

func noSuchObject(dn string) *ldapError {
	return &ldapError{ldap.LDAPResultNoSuchObject, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of: " + dn}
}

var errNotBound = &ldapError{ldap.LDAPResultOperationsError,
	"000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563"}
