package activedirectory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// The method "ask" calls the function "f" with a session on the first controller that can be reached. After an error,
// it continues with the next controller if that one may answer without this error. It does not continue after f has
// passed data to the caller or has written to a controller.
func (d *Directory) ask(ctx context.Context, f func(*session) error) error {
	controllers, err := d.bootstrap(ctx)
	if err != nil {
		return err
	}
	var unreachable faults
	for _, c := range controllers {
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

// The method "bootstrap" returns the controllers to ask first: the configured ones, or all controllers of the domain
// from DNS (MS-ADTS 6.3.2.3). By default, all have the same priority (Microsoft Learn, "LdapSrvPriority"), so each call
// may reach another controller, in any site (RFC 2782).
func (d *Directory) bootstrap(ctx context.Context) ([]controller, error) {
	if len(d.configured) > 0 && len(d.forest) > 0 {
		return d.entrance(ctx)
	}
	if len(d.configured) > 0 {
		return d.configured, nil
	}
	name := "_ldap._tcp.dc._msdcs." + d.dnsDomain
	var found []controller
	err := within(ctx, d.timeout, func() {}, func(ctx context.Context) error {
		_, records, err := d.resolver().LookupSRV(ctx, "", "", name)
		for _, r := range records {
			found = append(found, byName(strings.TrimSuffix(r.Target, ".")))
		}
		return err
	})
	if err == nil && len(found) == 0 {
		err = errors.New("it lists none")
	}
	if err != nil {
		return nil, fmt.Errorf("look for controllers of %s in DNS (%s): %w; or name them in IDLESEAT_AD_URLS", d.dnsDomain, name, err)
	}
	return found, nil
}

func (d *Directory) resolver() *net.Resolver {
	if d.dialer.Resolver != nil {
		return d.dialer.Resolver
	}
	return net.DefaultResolver
}

// The method "do" calls the function "f" on one controller, over an idle or a new connection. If the idle connection is
// broken, it calls f once more over a new one. An address may lead to different controllers at different times. If it
// leads to the wrong one now, the method connects to the name of the right controller over LDAPS.
func (d *Directory) do(ctx context.Context, c controller, f func(*session) error) error {
	direct := byName(c.name)
	s := d.pool.take(c)
	if s == nil && c.name != "" {
		s = d.pool.take(direct)
	}
	if s != nil {
		s.ctx, s.committed, s.root = ctx, false, nil
		err := s.run(f)
		if !s.lost.Load() || s.committed || ctx.Err() != nil {
			return err
		}
	}
	err := d.dial(ctx, c, f)
	if errors.Is(err, errOtherController) && !strings.EqualFold(c.host, c.name) {
		if failed := d.dial(ctx, direct, f); failed != nil {
			return faults{err, failed}
		}
		return nil
	}
	return err
}

func (d *Directory) dial(ctx context.Context, c controller, f func(*session) error) error {
	s := &session{ctx: ctx, directory: d, controller: c, bases: d.bases}
	if err := s.connect(); err != nil {
		return err
	}
	if err := s.bind(); err != nil {
		s.conn.Close()
		return err
	}
	return s.run(f)
}

var errOtherController = errors.New("it led to another controller")

// The method "isNamed" returns an error if the connection leads to another controller than the one with the name
// s.controller.name. The name of a domain and the address of a load balancer may lead to another controller on every
// connection. The dnsHostName of the rootDSE shows which one it is (Microsoft Learn, "RootDSE (AD Schema)"). A
// certificate does not, because the certificates of Microsoft's template Kerberos Authentication also have the name of
// the domain.
func (s *session) isNamed() error {
	name := s.controller.name
	if name == "" {
		return nil
	}
	if s.host == "" {
		if _, err := s.rootDSE("dnsHostName"); err != nil {
			return err
		}
	}
	if strings.EqualFold(s.host, name) {
		return nil
	}
	return s.fault("reach "+name, fmt.Errorf("%w, %s; in IDLESEAT_AD_URLS name each controller by its own name, or none",
		errOtherController, clean(s.host)))
}

// The method "run" calls the function "f" over a bound connection. If f succeeds, it returns the connection to the
// pool.
func (s *session) run(f func(*session) error) error {
	err := s.isNamed()
	if err == nil {
		err = s.findBase()
	}
	if err == nil {
		err = f(s)
	}
	if err != nil || s.ctx.Err() != nil {
		s.conn.Close()
		return err
	}
	s.directory.pool.put(s)
	return nil
}

// The method "connect" opens a TLS connection, either directly or with StartTLS. If the controller rejects StartTLS,
// connect sends nothing more.
func (s *session) connect() error {
	hangUp := func() {
		if s.raw != nil {
			s.raw.Close()
		}
	}
	err := within(s.ctx, s.directory.timeout, func() {}, func(ctx context.Context) (err error) {
		s.raw, err = s.directory.dialer.DialContext(ctx, "tcp", s.controller.addr)
		return err
	})
	if err != nil {
		return s.fault("connect", err)
	}
	config := s.directory.tls.Clone()
	config.ServerName = s.controller.host
	err = within(s.ctx, s.directory.timeout, hangUp, func(ctx context.Context) error {
		if s.controller.startTLS {
			if err := startTLS(s.raw); err != nil {
				return err
			}
		}
		secured := tls.Client(s.raw, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return err
		}
		s.ahead = readAhead(secured)
		s.conn = ldap.NewConn(s.ahead, true)
		s.conn.Start()
		return nil
	})
	if err != nil {
		hangUp()
		return s.fault("connect", err)
	}
	return nil
}

// startTLS requests TLS on a new connection (RFC 4511 4.14). It does not use the function of the LDAP library, which
// loses the reason why a certificate was rejected.
func startTLS(conn net.Conn) error {
	const messageID, oid = 1, "1.3.6.1.4.1.1466.20037"
	ask := ber.NewSequence("LDAPMessage")
	ask.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, messageID, "messageID"))
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "extendedReq")
	request.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, oid, "requestName"))
	ask.AppendChild(request)
	if _, err := conn.Write(ask.Bytes()); err != nil {
		return err
	}
	answer, err := ber.ReadPacket(conn)
	if err != nil {
		return err
	}
	return ldap.GetLDAPError(answer)
}

// The method "bind" authenticates. After a wrong password, no other controller is asked, because the password is the
// same on every controller, and each attempt counts towards a lockout of the account.
func (s *session) bind() error {
	if s.directory.kerberos != nil {
		return s.bindByTicket()
	}
	err := s.operation("bind as "+s.directory.bind, func() error {
		return s.conn.Bind(s.directory.bind, s.directory.password)
	})
	if fault, ok := errors.AsType[*fault](err); ok && s.ctx.Err() == nil {
		fault.elsewhere = !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials)
	}
	return err
}
