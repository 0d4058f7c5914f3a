package samba

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The type "network" has the host names and the Kerberos realm of replicating controllers. Only their processes see the
// file "hosts" as /etc/hosts. The machine's own /etc/hosts does not change.
type network struct {
	hosts string // file that replaces /etc/hosts
	krb5  string // file for KRB5_CONFIG
}

func newNetwork(dir string) *network {
	return &network{hosts: filepath.Join(dir, "hosts"), krb5: filepath.Join(dir, "krb5.conf")}
}

// The method "command" returns a command whose process sees the host names of n. If n is nil, the process sees those of
// the machine.
func (n *network) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if n == nil {
		return exec.CommandContext(ctx, name, args...)
	}
	const script = `mount --bind "$0" /etc/hosts && exec "$@"`
	cmd := exec.CommandContext(ctx, "unshare", append([]string{"--mount", "sh", "-c", script, n.hosts, name}, args...)...)
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+n.krb5)
	return cmd
}

func (n *network) run(ctx context.Context, name string, args ...string) (string, error) {
	return output(n.command(ctx, name, args...))
}

// The method "write" writes the file of host names and the Kerberos configuration for the controllers. Replication
// partners look up a controller as GUID._msdcs.REALM, so each controller whose GUID is known also gets this name.
func (n *network) write(controllers ...*controller) error {
	hosts, kdcs := "127.0.0.1 localhost\n", ""
	for i, c := range controllers {
		names := c.host() + " " + c.name
		if i == 0 {
			names += " " + realm
		}
		if guid, err := c.invocation(); err == nil {
			names += " " + guid + "._msdcs." + realm
		}
		hosts += c.address + " " + names + "\n"
		kdcs += "  kdc = " + c.address + "\n"
	}
	if err := os.WriteFile(n.hosts, []byte(hosts), 0o600); err != nil {
		return err
	}
	conf := "[libdefaults]\n default_realm = %[1]s\n dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n" +
		" dns_canonicalize_hostname = false\n[realms]\n %[1]s = {\n%[2]s }\n"
	return os.WriteFile(n.krb5, fmt.Appendf(nil, conf, strings.ToUpper(realm), kdcs), 0o600)
}

// The method "invocation" returns the objectGUID of the controller's nTDSDSA object. Replication partners find the
// controller by this GUID.
func (c *controller) invocation() (string, error) {
	settings := "CN=NTDS Settings,CN=" + strings.ToUpper(c.name) + ",CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration," + Base
	out, err := run(context.Background(), "ldbsearch", "-H", filepath.Join(c.dir, "private", "sam.ldb"), "--configfile="+c.conf(),
		"-s", "base", "-b", settings, "objectGUID")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if guid, ok := strings.CutPrefix(line, "objectGUID: "); ok {
			return strings.TrimSpace(guid), nil
		}
	}
	return "", fmt.Errorf("%s has no objectGUID", settings)
}

// buildReplicating creates and starts the first controller with the people and groups. It then joins the second
// controller to the domain, and starts it.
func (d *Domain) buildReplicating(ctx context.Context, o Options, ca *authority) error {
	d.network = newNetwork(d.dir)
	first := &controller{name: "dc1", dir: filepath.Join(d.dir, "dc1"), network: d.network}
	second := &controller{name: "dc2", dir: filepath.Join(d.dir, "dc2"), network: d.network}
	d.KRB5Config = d.network.krb5
	if err := first.provision(ctx); err != nil {
		return err
	}
	if err := first.seed(ctx, o); err != nil {
		return err
	}
	var err error
	if second.address, err = freeAddress(); err != nil {
		return err
	}
	for _, c := range []*controller{first, second} {
		if err := d.network.write(first, second); err != nil {
			return err
		}
		if c == second {
			if err := c.join(ctx, first); err != nil {
				return err
			}
			if err := d.network.write(first, second); err != nil {
				return err
			}
		}
		// With Kerberos, clients find a controller by the service names in the account of the controller.
		if _, err := d.network.run(ctx, "samba_spnupdate", "-s", c.conf()); err != nil {
			return err
		}
		if err := ca.issue(c, o.CertificateEnds); err != nil {
			return err
		}
		d.controllers = append(d.controllers, c)
		d.URLs = append(d.URLs, "ldaps://"+c.address)
		if err := c.start(ctx); err != nil {
			return err
		}
	}
	if d.names, err = serveNames(d.controllers); err != nil {
		return err
	}
	d.NameServer = d.names.conn.LocalAddr().String()
	// The second controller has written its service names only into its own database. Replicate copies them to the
	// first controller.
	return d.Replicate(ctx)
}

func (c *controller) join(ctx context.Context, first *controller) error {
	// The name of the account must have the domain, because Samba cannot look up the domain without winbindd.
	_, err := c.network.run(ctx, "samba-tool", "domain", "join", realm, "DC", "-s", "/dev/null", "--targetdir="+c.dir,
		"-U", NetBIOS+`\Administrator`, "--password="+password, "--server="+first.host(), "--dns-backend=NONE",
		"--option=workgroup="+NetBIOS, "--option=netbios name="+strings.ToUpper(c.name),
		"--option=interfaces="+c.address+"/8", "--option=bind interfaces only=yes")
	if err != nil {
		return err
	}
	return c.writeConf()
}

// Replicate copies the changes of the second controller to the first controller. Both must be running.
func (d *Domain) Replicate(ctx context.Context) error {
	to, from := d.controllers[0], d.controllers[1]
	_, err := d.network.run(ctx, "samba-tool", "drs", "replicate", to.host(), from.host(), Base,
		"-U", NetBIOS+`\Administrator`, "--password="+password, "--configfile="+to.conf())
	return err
}
