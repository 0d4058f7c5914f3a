// Package samba starts a real, temporary Active Directory domain for tests: the domain controller of Debian's Samba
// packages, on a loopback address of its own. A test chooses the people and groups, including their dates of creation
// and last logon. A domain can have several controllers, either copies that do not know each other or two that
// replicate on request. The package needs Linux and root. Nothing is left behind after the test.
package samba

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Names that are the same in every domain.
const (
	Base     = "DC=corp,DC=example,DC=test"
	NetBIOS  = "CORP"
	PeopleOU = "OU=People," + Base // every domain has this unit for people
	GroupsOU = "OU=Groups," + Base // every domain has this unit for groups
	realm    = "corp.example.test"
	password = "Passw0rd!Adm"
)

// ErrMissing is the error if this machine cannot run Samba. The message says what is missing.
var ErrMissing = errors.New("a Samba domain cannot be started here")

// Person is an account to create. Its DN must lie in an existing organizational unit. Samba chooses SID and GUID. The
// fifteen extension attributes are not in its schema and must be empty.
type Person struct {
	directory.ADUser
	Password  string      // empty: the person cannot log on
	LastLogon []time.Time // last logon on each controller, in the order of Domain.URLs; zero: none
}

// Group is a group to create. Members are DNs that are created before it.
type Group struct {
	DN      string
	Members []string
}

// Options describe a domain.
type Options struct {
	People      []Person
	Groups      []Group
	LDIF        []string // further records, one in each text, added last
	Controllers int      // number of copies; 0 means one

	// CertificateEnds is when the controllers' certificates expire. Zero: in a week.
	CertificateEnds time.Time

	// Replicating makes two controllers that know each other. Each has a Kerberos server. The second joins after the
	// seed.
	Replicating bool
}

// Domain is a running domain.
type Domain struct {
	URLs         []string // one ldaps:// URL for each controller
	Base         string
	Admin        string // user principal name of the administrator
	AdminDN      string
	PasswordFile string // holds the administrator's password
	CAFile       string // the CA of the controllers' certificates
	KRB5Config   string // configuration of the realm, with Replicating
	NameServer   string // address of a DNS server that knows the controllers, with Replicating

	dir         string
	controllers []*controller
	network     *network    // nil without Replicating
	names       *nameServer // nil without Replicating
	ca          *authority
}

// Start makes a domain, seeds it, and starts its controllers. It first installs Samba if necessary and possible. It
// returns once all controllers accept connections. If it fails, it removes what it made.
func Start(ctx context.Context, o Options) (*Domain, error) {
	if err := install(ctx); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "idleseat-samba-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for a Samba domain: %w", err)
	}
	d := &Domain{
		Base: Base, Admin: "Administrator@" + realm, AdminDN: "CN=Administrator,CN=Users," + Base,
		PasswordFile: filepath.Join(dir, "password"), CAFile: filepath.Join(dir, "ca.pem"), dir: dir,
	}
	if err := d.build(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start a Samba domain: %w", err), d.Close())
	}
	return d, nil
}

func (d *Domain) build(ctx context.Context, o Options) error {
	if err := os.WriteFile(d.PasswordFile, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	d.ca = ca
	if err := os.WriteFile(d.CAFile, ca.pem(), 0o600); err != nil {
		return err
	}
	if o.Replicating {
		return d.buildReplicating(ctx, o, ca)
	}
	for i := range max(1, o.Controllers) {
		c := &controller{name: "dc1", dir: filepath.Join(d.dir, fmt.Sprintf("dc%d", i+1))}
		if err := d.prepare(ctx, c, o, i); err != nil {
			return err
		}
		if err := ca.issue(c, o.CertificateEnds); err != nil {
			return err
		}
		d.controllers = append(d.controllers, c)
		d.URLs = append(d.URLs, "ldaps://"+c.address)
	}
	for _, c := range d.controllers {
		if err := c.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the database of controller i. The first is provisioned and seeded, and the others are copies of it
// with last logons of their own.
func (d *Domain) prepare(ctx context.Context, c *controller, o Options, i int) error {
	if i == 0 {
		if err := c.provision(ctx); err != nil {
			return err
		}
		return c.seed(ctx, o)
	}
	if err := c.cloneOf(ctx, d.controllers[0]); err != nil {
		return err
	}
	return c.load(ctx, lastLogons(o.People, i))
}

// Permit adds an access control entry, given in SDDL, to an object on the first controller, as an administrator
// would.
func (d *Domain) Permit(ctx context.Context, dn, ace string) error {
	c := d.controllers[0]
	_, err := run(ctx, "samba-tool", "dsacl", "set", "--objectdn="+dn, "--sddl="+ace,
		"-H", filepath.Join(c.dir, "private", "sam.ldb"), "--configfile="+c.conf())
	return err
}

// Stop stops controller i of URLs. The others continue.
func (d *Domain) Stop(i int) { d.controllers[i].stop() }

// Close ends every controller and removes the domain's files.
func (d *Domain) Close() error {
	for _, c := range d.controllers {
		c.stop()
	}
	if d.names != nil {
		d.names.close()
	}
	return os.RemoveAll(d.dir)
}
