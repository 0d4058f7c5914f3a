package activedirectory

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const defaultTimeout = 30 * time.Second

// The ports of the global catalog. New rejects them. The global catalog lacks lastLogon, so every person would look
// like a person who never logged on.
const globalCatalog, globalCatalogPlain = "3269", "3268"

// Config has the addresses of a domain and the account that reads the domain. The tags name the environment variables.
type Config struct {
	URLs         []string      `env:"IDLESEAT_AD_URLS"`          // controllers in the order of use, ldaps://host[:port], or ldap://host[:port] for StartTLS; if empty, DNS finds the controllers
	Base         string        `env:"IDLESEAT_AD_BASE"`          // DN below which people are; several DNs, of one domain or of several domains of a forest, are separated by ";"; if empty, the controller's defaultNamingContext
	Filter       string        `env:"IDLESEAT_AD_FILTER"`        // further LDAP filter that people must match
	Bind         string        `env:"IDLESEAT_AD_BIND"`          // account of the bind: DN, user principal name or DOMAIN\name; user@REALM with a keytab
	PasswordFile string        `env:"IDLESEAT_AD_PASSWORD_FILE"` // file with one line, the password of the account
	Keytab       string        `env:"IDLESEAT_AD_KEYTAB"`        // file with the Kerberos keys of the account, used instead of a password; the servers of the realm are in KRB5_CONFIG or /etc/krb5.conf
	CAFile       string        `env:"IDLESEAT_AD_CA"`            // PEM certificates of the domain's CA; if empty, the certificates of the system
	Timeout      time.Duration `env:"IDLESEAT_AD_TIMEOUT"`       // timeout of each connection and each operation; 0 means 30 s
}

// Configured reports whether any setting except the timeout is set. Without a setting, the installation does not use
// Active Directory.
func (c Config) Configured() bool {
	return len(c.URLs) > 0 || c.Base != "" || c.Filter != "" || c.Bind != "" || c.PasswordFile != "" || c.Keytab != "" || c.CAFile != ""
}

// bareHost matches a host without a scheme, such as dc1.corp.example.
var bareHost = regexp.MustCompile(`^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?$`)

// Validate returns every fault of the configuration that can be found without a file or a connection.
func (c Config) Validate() error {
	var faults []error
	for i, u := range c.URLs {
		if bareHost.MatchString(u) && !strings.Contains(strings.Join(c.URLs, ","), "@") {
			faults = append(faults, fmt.Errorf("IDLESEAT_AD_URLS: %q has no ldaps:// before it; write ldaps://%s", u, u))
		} else if _, err := parseController(u); err != nil {
			// The value may contain a password, so the message omits it.
			faults = append(faults, fmt.Errorf("IDLESEAT_AD_URLS, address %d: %w", i+1, err))
		}
	}
	if len(c.URLs) == 0 && c.dnsDomain() == "" {
		faults = append(faults, errors.New("IDLESEAT_AD_URLS is empty, and neither IDLESEAT_AD_BASE nor IDLESEAT_AD_BIND tells in which domain to look for controllers: name one, as ldaps://dc1.corp.example"))
	}
	if err := c.validateBases(); err != nil {
		faults = append(faults, err)
	}
	if _, err := ldap.CompileFilter(c.Filter); c.Filter != "" && err != nil {
		faults = append(faults, fmt.Errorf("IDLESEAT_AD_FILTER %q is no LDAP filter, like (employeeType=*): %w", c.Filter, err))
	}
	if c.Bind == "" {
		faults = append(faults, errors.New(`IDLESEAT_AD_BIND is empty: name the account to bind as, like CORP\idleseat`))
	}
	if err := c.validateSecret(); err != nil {
		faults = append(faults, err)
	}
	if c.Timeout < 0 {
		faults = append(faults, fmt.Errorf("IDLESEAT_AD_TIMEOUT %v is negative: give a duration like 30s", c.Timeout))
	}
	return errors.Join(faults...)
}

func (c Config) validateSecret() error {
	user, realm, _ := strings.Cut(c.Bind, "@")
	switch {
	case c.PasswordFile == "" && c.Keytab == "":
		return errors.New("IDLESEAT_AD_PASSWORD_FILE is empty: name the file that holds the account's password, or a keytab in IDLESEAT_AD_KEYTAB")
	case c.PasswordFile != "" && c.Keytab != "":
		return errors.New("IDLESEAT_AD_PASSWORD_FILE and IDLESEAT_AD_KEYTAB are both set: leave one empty")
	case c.Keytab != "" && (user == "" || realm == ""):
		return fmt.Errorf("IDLESEAT_AD_BIND %q does not tell the realm, which a keytab needs: name the account like idleseat@CORP.EXAMPLE", c.Bind)
	default:
		return nil
	}
}

func (c Config) bases() (bases []string) {
	for base := range strings.SplitSeq(c.Base, ";") {
		if base = strings.TrimSpace(base); base != "" {
			bases = append(bases, base)
		}
	}
	return bases
}

// validateBases checks that each base is a DN in a domain. A base must not lie below another base of the same domain,
// because people would be read twice. It may lie below a base of the parent domain, because two domains have different
// people.
func (c Config) validateBases() error {
	var parsed []*ldap.DN
	bases := c.bases()
	for _, base := range bases {
		dn, err := ldap.ParseDN(base)
		if err != nil {
			return fmt.Errorf("IDLESEAT_AD_BASE %q is not a distinguished name, like DC=corp,DC=example: %w", base, err)
		}
		for k, other := range parsed {
			sameDomain := domainName(base) == domainName(bases[k])
			if sameDomain && (dn.EqualFold(other) || dn.AncestorOfFold(other) || other.AncestorOfFold(dn)) {
				return fmt.Errorf("IDLESEAT_AD_BASE: %q and %q hold the same people; leave one out", bases[k], base)
			}
		}
		if domainName(base) == "" {
			return fmt.Errorf("IDLESEAT_AD_BASE %q names no domain; it should end like DC=corp,DC=example", base)
		}
		parsed = append(parsed, dn)
	}
	return nil
}

func (c Config) byDomain() []Config {
	var all []Config
	for _, base := range c.bases() {
		i := slices.IndexFunc(all, func(of Config) bool { return of.dnsDomain() == domainName(base) })
		if i < 0 {
			of := c
			of.Base = base
			all = append(all, of)
			continue
		}
		all[i].Base += ";" + base
	}
	if len(all) == 0 {
		return []Config{c}
	}
	return all
}

// dnsDomain returns the DNS name of the domain, or "". It finds the name in a base, or else in the DN or the user
// principal name of idleseat's account.
func (c Config) dnsDomain() string {
	for _, dn := range append(c.bases(), c.Bind) {
		if name := domainName(dn); name != "" {
			return name
		}
	}
	_, suffix, _ := strings.Cut(c.Bind, "@")
	return strings.ToLower(suffix)
}

// domainName returns corp.example for a DN below DC=corp,DC=example, or "".
func domainName(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return ""
	}
	var labels []string
	for _, rdn := range parsed.RDNs {
		if a := rdn.Attributes[0]; strings.EqualFold(a.Type, "DC") {
			labels = append(labels, strings.ToLower(a.Value))
		}
	}
	return strings.Join(labels, ".")
}

func domainDN(name string) string { return "DC=" + strings.ReplaceAll(name, ".", ",DC=") }

// The type "controller" describes one domain controller.
type controller struct {
	url      string // the configured address, for messages
	host     string
	addr     string // host:port
	startTLS bool   // the connection starts without TLS and must switch to TLS before any other request
	// The field "name" is the dNSHostName of the controller. A session asks no other controller, even if the address
	// leads to several. If the name is empty, any controller will do.
	name string
	// The field "invocation" is the raw invocationId, the identity of the controller's copy of the directory. An empty
	// value means that the identity is unknown.
	invocation string
}

func byName(host string) controller {
	return controller{url: "ldaps://" + host, host: host, addr: net.JoinHostPort(host, ldap.DefaultLdapsPort), name: host}
}

func parseController(address string) (controller, error) {
	address = strings.TrimSpace(address)
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return controller{}, errors.New("not of the form ldaps://host or ldaps://host:port (or ldap:// for StartTLS)")
	}
	port, known := map[string]string{"ldaps": ldap.DefaultLdapsPort, "ldap": ldap.DefaultLdapPort}[u.Scheme]
	if !known {
		return controller{}, fmt.Errorf("%s:// is refused: only ldaps:// and ldap:// with StartTLS keep the password and the answers secret", u.Scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if port == globalCatalog || port == globalCatalogPlain {
		return controller{}, fmt.Errorf("port %s is the global catalog, which does not know lastLogon: leave the port out", port)
	}
	return controller{url: address, host: u.Hostname(), addr: net.JoinHostPort(u.Hostname(), port), startTLS: u.Scheme == "ldap"}, nil
}

// The method "tls" returns the settings for TLS. The certificate of a controller must be valid for the name of the
// host.
func (c Config) tls() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate that IDLESEAT_AD_CA names: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("IDLESEAT_AD_CA: %s holds no PEM certificate, which begins with -----BEGIN CERTIFICATE-----", c.CAFile)
	}
	return conf, nil
}

// The method "password" reads the password file. It rejects an empty password, because LDAP treats a bind without a
// password as anonymous: it succeeds, and the searches after it find nothing.
func (c Config) password() (string, error) {
	b, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("cannot read the password file that IDLESEAT_AD_PASSWORD_FILE names: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" || strings.ContainsAny(password, "\r\n\x00") {
		return "", fmt.Errorf("IDLESEAT_AD_PASSWORD_FILE: %s must hold the password and nothing else, on one line", c.PasswordFile)
	}
	return password, nil
}
