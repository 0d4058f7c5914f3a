package activedirectory

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// defaultTimeout bounds a connection and an operation when Config does not.
const defaultTimeout = 30 * time.Second

// globalCatalog is the port of the forest's catalog, which holds some
// attributes of everybody. lastLogon is not among them: everybody would look
// as if they had not logged on there.
const globalCatalog = "3269"

// Config says how to reach a domain and as whom. The tags name the environment
// variables.
type Config struct {
	URLs         []string      `env:"IDLESEAT_AD_URLS"`          // controllers, ldaps://host or ldaps://host:port, asked in this order
	Base         string        `env:"IDLESEAT_AD_BASE"`          // DN below which people are; empty: the controller's defaultNamingContext
	Bind         string        `env:"IDLESEAT_AD_BIND"`          // account to bind as: DN, user principal name or DOMAIN\name
	PasswordFile string        `env:"IDLESEAT_AD_PASSWORD_FILE"` // holds the account's password on one line
	CAFile       string        `env:"IDLESEAT_AD_CA"`            // PEM certificates of the domain's CA; empty: the system's
	Timeout      time.Duration `env:"IDLESEAT_AD_TIMEOUT"`       // bound of each connection and each operation; 0 is 30 s
}

// Configured tells whether anything of the domain was set. When nothing was,
// Active Directory is no source of this installation.
func (c Config) Configured() bool {
	return len(c.URLs) > 0 || c.Base != "" || c.Bind != "" || c.PasswordFile != "" || c.CAFile != ""
}

// Validate reports every fault of the configuration that can be seen without
// opening a file or a connection.
func (c Config) Validate() error {
	var faults []error
	if len(c.URLs) == 0 {
		faults = append(faults, errors.New("IDLESEAT_AD_URLS is empty: name a domain controller, as ldaps://dc1.corp.example"))
	}
	for i, u := range c.URLs {
		if _, err := parseController(u); err != nil {
			// The value is not shown: it may hold a password.
			faults = append(faults, fmt.Errorf("IDLESEAT_AD_URLS, address %d: %w", i+1, err))
		}
	}
	if _, err := ldap.ParseDN(c.Base); err != nil {
		faults = append(faults, fmt.Errorf("IDLESEAT_AD_BASE %q is not a distinguished name, like DC=corp,DC=example: %w", c.Base, err))
	}
	if c.Bind == "" {
		faults = append(faults, errors.New(`IDLESEAT_AD_BIND is empty: name the account to bind as, like CORP\idleseat`))
	}
	if c.PasswordFile == "" {
		faults = append(faults, errors.New("IDLESEAT_AD_PASSWORD_FILE is empty: name the file that holds the account's password"))
	}
	if c.Timeout < 0 {
		faults = append(faults, fmt.Errorf("IDLESEAT_AD_TIMEOUT %v is negative: give a duration like 30s", c.Timeout))
	}
	return errors.Join(faults...)
}

// controller is one domain controller.
type controller struct {
	url  string // as configured, for messages
	addr string // host:port
}

func parseController(address string) (controller, error) {
	address = strings.TrimSpace(address)
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return controller{}, errors.New("not of the form ldaps://host or ldaps://host:port")
	}
	if u.Scheme != "ldaps" {
		return controller{}, fmt.Errorf("%s:// is refused: only ldaps:// keeps the password and the answers secret", u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = ldap.DefaultLdapsPort
	}
	if port == globalCatalog {
		return controller{}, errors.New("port 3269 is the global catalog, which does not know lastLogon: leave the port out")
	}
	return controller{url: address, addr: net.JoinHostPort(u.Hostname(), port)}, nil
}

// tls is the configuration of every connection: the host's name is verified
// against the certificate.
func (c Config) tls() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA named in IDLESEAT_AD_CA: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the CA named in IDLESEAT_AD_CA: %s holds no PEM certificate", c.CAFile)
	}
	return conf, nil
}

// password reads the password file. An empty password is refused, since LDAP
// takes it for an anonymous bind, which succeeds and then reads nothing.
func (c Config) password() (string, error) {
	b, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read the password named in IDLESEAT_AD_PASSWORD_FILE: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" || strings.ContainsAny(password, "\r\n\x00") {
		return "", fmt.Errorf("read the password named in IDLESEAT_AD_PASSWORD_FILE: %s must hold the password and nothing else, on one line", c.PasswordFile)
	}
	return password, nil
}
