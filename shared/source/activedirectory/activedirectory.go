// Package activedirectory reads people and their last logons from the domain controllers of an Active Directory domain,
// and reads and changes the members of groups. It uses LDAP over TLS. If it cannot read something, it returns an error
// and no empty result. With an empty result, a wrong group name would look like a group without members, and people on
// a stalled controller would look as if they never logged on.
package activedirectory

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/client"
)

// Directory is one domain. It is safe for concurrent use, because concurrent calls use separate connections.
type Directory struct {
	configured []controller
	forest     []string // DNS names of all configured domains; empty if only one domain is configured
	dnsDomain  string   // DNS domain in which controllers are found if no controller is configured
	bases      []string // DNs; if empty, the base is read from each controller
	people     string   // filter for all people, without the outer "(&" and ")"
	bind       string
	password   string
	kerberos   *client.Client // used instead of a password; nil without a keytab
	caFile     string
	tls        *tls.Config
	dialer     net.Dialer
	timeout    time.Duration
	now        func() time.Time

	pool pool

	mu         sync.Mutex
	domain     *domain // the result of the last reading; nil before the first reading
	domainRead time.Time

	schemaMu sync.Mutex
	guards   map[string]guard // by attribute in lower case; read by the method schema; nil before the first reading

	nestingMu sync.Mutex
	nestings  map[string]nesting // cached nested groups, by GUID of the group; filled by the method within

	// The fields below are used only if the configuration has several domains of one forest.
	entranceMu   sync.Mutex
	entrances    []controller // the last result of the method entrance
	entrancesGot time.Time
	sid          string // empty before the first reading
}

// New checks the configuration and reads the files that it names. It does not connect. The function "now" returns the
// current time, which the package compares with dates from a controller.
func New(cfg Config, now func() time.Time) (*Directory, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &Directory{
		bases: cfg.bases(), people: isPerson + cfg.Filter, dnsDomain: cfg.dnsDomain(),
		bind: cfg.Bind, caFile: cfg.CAFile, timeout: cfg.Timeout, now: now,
	}
	if d.timeout == 0 {
		d.timeout = defaultTimeout
	}
	for _, u := range cfg.URLs {
		c, err := parseController(u)
		if err != nil {
			return nil, err
		}
		d.configured = append(d.configured, c)
	}
	var errTLS, errPassword error
	d.tls, errTLS = cfg.tls()
	if cfg.Keytab != "" {
		d.kerberos, errPassword = cfg.kerberos()
	} else {
		d.password, errPassword = cfg.password()
	}
	if err := errors.Join(errTLS, errPassword); err != nil {
		return nil, err
	}
	return d, nil
}
