// Package activedirectory reads people and their last logons from the domain
// controllers of an Active Directory domain, and reads and writes group
// members, by LDAP over TLS. What it could not read is an error, never an empty
// answer: a wrong group name, a controller that stalls or an entry that makes
// no sense must not look like somebody who never logged on.
package activedirectory

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Directory is one domain. Its methods may be used at the same time; each
// opens connections of its own and closes them.
type Directory struct {
	controllers []controller
	base        string // empty: ask each controller for its own
	bind        string
	password    string
	caFile      string
	tls         *tls.Config
	dialer      net.Dialer
	timeout     time.Duration
	now         func() time.Time

	mu         sync.Mutex
	domain     *domain // as last read, nil before
	domainRead time.Time
}

// New checks the configuration and reads the files it names. It does not
// connect.
func New(cfg Config) (*Directory, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &Directory{base: cfg.Base, bind: cfg.Bind, caFile: cfg.CAFile, timeout: cfg.Timeout, now: time.Now}
	if d.timeout == 0 {
		d.timeout = defaultTimeout
	}
	for _, u := range cfg.URLs {
		c, err := parseController(u)
		if err != nil {
			return nil, err
		}
		d.controllers = append(d.controllers, c)
	}
	var errTLS, errPassword error
	d.tls, errTLS = cfg.tls()
	d.password, errPassword = cfg.password()
	if err := errors.Join(errTLS, errPassword); err != nil {
		return nil, err
	}
	return d, nil
}

// ask runs f on the first controller that can be reached. The next one is
// asked only when the fault may be the controller's own and nothing was handed
// on or written yet.
func (d *Directory) ask(ctx context.Context, f func(*session) error) error {
	var unreachable faults
	for _, c := range d.controllers {
		committed := false
		err := d.do(ctx, c, func(s *session) error {
			defer func() { committed = s.committed }()
			return f(s)
		})
		if fault, ok := errors.AsType[*fault](err); committed || !ok || !fault.elsewhere {
			return err
		}
		unreachable = append(unreachable, err)
	}
	return unreachable
}

// do holds a connection to one controller: dial, TLS, bind, f, close.
func (d *Directory) do(ctx context.Context, c controller, f func(*session) error) error {
	s := &session{ctx: ctx, directory: d, controller: c, base: d.base}
	if err := s.connect(); err != nil {
		return err
	}
	defer s.conn.Close()
	if err := s.bind(); err != nil {
		return err
	}
	if err := s.findBase(); err != nil {
		return err
	}
	return f(s)
}

// connect dials and shakes hands.
func (s *session) connect() error {
	err := within(s.ctx, s.directory.timeout, func() {}, func(ctx context.Context) error {
		dialer := tls.Dialer{NetDialer: &s.directory.dialer, Config: s.directory.tls}
		raw, err := dialer.DialContext(ctx, "tcp", s.controller.addr)
		if err != nil {
			return err
		}
		s.raw = raw.(*tls.Conn)
		return nil
	})
	if err != nil {
		return s.fault("connect", err)
	}
	s.conn = ldap.NewConn(s.raw, true)
	s.conn.Start()
	return nil
}

// bind proves who asks. A refused password ends the matter: it is the same on
// every controller, and each further try counts towards locking the account.
func (s *session) bind() error {
	err := s.operation("bind as "+s.directory.bind, func() error {
		return s.conn.Bind(s.directory.bind, s.directory.password)
	})
	if fault, ok := errors.AsType[*fault](err); ok && s.ctx.Err() == nil {
		fault.elsewhere = !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials)
	}
	return err
}
