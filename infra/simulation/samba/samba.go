// Package samba starts a real, temporary Active Directory domain for tests. Each domain controller is Debian's Samba on
// its own loopback address. A test chooses the people and groups, with their creation dates and last logons. A domain
// can have several controllers. They are either copies that do not know each other, or two that replicate on request.
// The package needs Linux and root.
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

// Names and the administrator's password, which are the same in all domains.
const (
	Base     = "DC=corp,DC=example,DC=test"
	NetBIOS  = "CORP"
	PeopleOU = "OU=People," + Base // organizational unit for people in every domain
	GroupsOU = "OU=Groups," + Base // organizational unit for groups in every domain
	realm    = "corp.example.test"
	password = "Passw0rd!Adm"
)

// ErrMissing is in the error of Start if this machine cannot run Samba. The error says why.
var ErrMissing = errors.New("a Samba domain cannot be started here")

// Person is an account to create. The organizational unit in its DN must exist. Samba chooses the SID and the GUID. The
// fifteen extension attributes of Exchange must be empty, because Samba's schema does not have them.
type Person struct {
	directory.ADUser
	Password  string      // empty: the person cannot log on
	LastLogon []time.Time // last logon at each controller, in the order of Domain.URLs; zero: no logon
}

// Group is a group to create. Members are the DNs of people, and of groups before this one in Options.Groups.
type Group struct {
	DN      string
	Members []string
}

// Options describe a domain.
type Options struct {
	People      []Person
	Groups      []Group
	LDIF        []string // additional records, one in each string, which are loaded after the people and groups
	Controllers int      // number of controllers that do not replicate: the first one and copies of it; 0 means one

	// CertificateEnds is when the certificates of the controllers expire. Zero means in a week.
	CertificateEnds time.Time

	// Replicating creates two controllers that replicate, each with a Kerberos server. The second one joins the domain
	// after the people and groups are loaded.
	Replicating bool
}

// Domain is a running domain.
type Domain struct {
	URLs         []string // one ldaps:// URL for each controller
	Base         string
	Admin        string // user principal name of the administrator
	AdminDN      string
	PasswordFile string // contains the administrator's password
	CAFile       string // the CA of the controllers' certificates
	KRB5Config   string // Kerberos configuration of the realm; only with Replicating
	NameServer   string // address of a DNS server with the names of the controllers; only with Replicating

	dir         string
	controllers []*controller
	network     *network    // nil without Replicating
	names       *nameServer // nil without Replicating
	ca          *authority
}

// Start creates a domain, loads the people and groups, and starts the controllers. It installs Samba if it is missing.
// It returns when all controllers accept connections. After a failure, no process and no file is left.
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

// The method "prepare" creates the database of controller i. The first controller gets the people and groups. Each
// other controller is a copy of the first, with its own last logons.
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

// Permit adds an access control entry, in SDDL, to the object with the DN "dn" on the first controller, as an
// administrator does.
func (d *Domain) Permit(ctx context.Context, dn, ace string) error {
	c := d.controllers[0]
	_, err := run(ctx, "samba-tool", "dsacl", "set", "--objectdn="+dn, "--sddl="+ace,
		"-H", filepath.Join(c.dir, "private", "sam.ldb"), "--configfile="+c.conf())
	return err
}

// Stop stops the controller of URLs[i]. The other controllers continue.
func (d *Domain) Stop(i int) { d.controllers[i].stop() }

// Close stops all controllers and removes the files of the domain.
func (d *Domain) Close() error {
	for _, c := range d.controllers {
		c.stop()
	}
	if d.names != nil {
		d.names.close()
	}
	return os.RemoveAll(d.dir)
}
