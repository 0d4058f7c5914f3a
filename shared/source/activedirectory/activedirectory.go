// Package activedirectory reads people and their last logons from the domain controllers of an Active Directory
// domain, and reads and changes the members of groups. It uses LDAP over TLS. Whatever the package cannot read is an
// error, never an empty result, because a wrong group name, a stalled controller or a malformed entry must not look
// like a person who never logged on.
package activedirectory

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/client"
)

// Directory is one domain. It is safe for concurrent use: each call has connections of its own while it runs. A
// connection that stays idle for keepIdle is closed.
type Directory struct {
	configured []controller
	shared     bool     // the configured controllers belong to several domains
	dnsDomain  string   // DNS domain in which controllers are found when none is configured
	bases      []string // DNs; empty: each controller's own base
	people     string   // filter for all people, without the outer "(&" and ")"
	bind       string
	password   string
	kerberos   *client.Client // instead of a password; nil without a keytab
	caFile     string
	tls        *tls.Config
	dialer     net.Dialer
	timeout    time.Duration
	now        func() time.Time

	pool pool

	mu         sync.Mutex
	domain     *domain // as last read; nil before the first reading
	domainRead time.Time

	schemaMu sync.Mutex
	guards   map[string]guard // by attribute, see schema; nil before the first reading

	nestingMu sync.Mutex
	nestings  map[string]nesting // cached nested groups, by group; see within

	// The fields below are used only if the forest has several configured domains.
	entranceMu   sync.Mutex
	entrances    []controller // the controllers that the method entrance last returned
	entrancesGot time.Time
	sid          string // empty before the first reading
}

// New checks the configuration and reads the files that it names, but does not connect. Dates that a controller
// returns are compared with now.
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
