package activedirectory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-ldap/ldap/v3/gssapi"
	"github.com/jcmturner/gokrb5/v8/client"
	krb5 "github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/krberror"
)

// The method "kerberos" returns a client that signs in with the keytab. The path of the realm's configuration is in
// KRB5_CONFIG, as for other Kerberos programs.
func (c Config) kerberos() (*client.Client, error) {
	file := cmp.Or(os.Getenv("KRB5_CONFIG"), "/etc/krb5.conf")
	realms, err := krb5.Load(file)
	if err != nil {
		return nil, fmt.Errorf("read the Kerberos configuration %s (KRB5_CONFIG): %w", file, err)
	}
	keys, err := keytab.Load(c.Keytab)
	if err != nil {
		return nil, fmt.Errorf("read the keytab named in IDLESEAT_AD_KEYTAB: %w", err)
	}
	user, realm, _ := strings.Cut(c.Bind, "@")
	// Active Directory accepts Kerberos FAST only with armor. The client has no armor, so it must not use FAST.
	return client.NewWithKeytab(user, strings.ToUpper(realm), keys, realms, client.DisablePAFXFAST(true)), nil
}

// bindByTicket authenticates with a Kerberos ticket for the controller. The ticket does not protect the connection,
// because TLS already does.
func (s *session) bindByTicket() error {
	host, err := s.rootDSE("dnsHostName") // the attribute is readable before the bind
	if err != nil {
		return err
	}
	service, who := "ldap/"+host, s.directory.bind
	if err := s.ticket(service); err != nil {
		return s.refusedKeys(s.fault(fmt.Sprintf("get a Kerberos ticket of %s for %s", who, service), err))
	}
	return s.operation("bind by Kerberos as "+who, func() error {
		return s.conn.GSSAPIBind(&gssapi.Client{Client: s.directory.kerberos}, service, "")
	})
}

// The method "ticket" gets a ticket into the cache of the library. The library takes no context. If the session's
// context ends first, ticket returns at once, and the library stops by itself a few seconds later.
func (s *session) ticket(service string) error {
	return within(s.ctx, s.directory.timeout, func() {}, func(ctx context.Context) error {
		done := make(chan error, 1)
		go func() {
			_, _, err := s.directory.kerberos.GetServiceTicket(service)
			done <- err
		}()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// refusedKeys returns err. If the realm rejected the keys, it marks err so that no other controller is asked: the keys
// are the same on every controller, and each attempt counts towards a lockout of the account.
func (s *session) refusedKeys(err error) error {
	if refused, ok := errors.AsType[krberror.Krberror](err); ok && refused.RootCause == krberror.KDCError && s.ctx.Err() == nil {
		if f, ok := errors.AsType[*fault](err); ok {
			f.elsewhere = false
		}
	}
	return err
}
