package samba

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Dial connects to the controller with the given URL, but does not bind. It trusts only the domain's certificate
// authority.
func (d *Domain) Dial(url string) (*ldap.Conn, error) {
	ca, err := os.ReadFile(d.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA of the domain: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return ldap.DialURL(url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
}

// Administrator connects to the controller with the given URL and binds as the domain's administrator.
func (d *Domain) Administrator(url string) (*ldap.Conn, error) {
	password, err := os.ReadFile(d.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("read the administrator's password: %w", err)
	}
	conn, err := d.Dial(url)
	if err != nil {
		return nil, err
	}
	if err := conn.Bind(d.Admin, strings.TrimSpace(string(password))); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}
