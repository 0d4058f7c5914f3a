package samba

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Console runs a bash script on the controller of URLs[i], as an administrator does. In the script, Samba's tools find
// the controller's files in Debian's folders, and replicating controllers have their host names. The script gets the
// environment of the test and the variables in "env". Console returns all output. An exit status other than 0 is an
// error.
func (d *Domain) Console(ctx context.Context, i int, script string, env ...string) (string, error) {
	c := d.controllers[i]
	const enter = `mount --bind "$0/etc" /etc/samba && mount --bind "$0/private" /var/lib/samba/private && exec bash -c "$1"`
	args := []string{"sh", "-c", enter, c.dir, script}
	var cmd *exec.Cmd
	if c.network == nil {
		cmd = exec.CommandContext(ctx, "unshare", append([]string{"--mount"}, args...)...)
	} else {
		cmd = c.network.command(ctx, args[0], args[1:]...)
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("on the controller %s: %w: %s", filepath.Base(c.dir), err, out)
	}
	return string(out), nil
}

// Renew gives the controller of URLs[i] a new certificate, and restarts the controller. The certificate expires at
// "ends". If "ends" is zero, it expires in a week.
func (d *Domain) Renew(ctx context.Context, i int, ends time.Time) error {
	if err := d.ca.issue(d.controllers[i], ends); err != nil {
		return err
	}
	d.Stop(i)
	return d.Restart(ctx, i)
}

// Restart starts the controller of URLs[i] after Stop.
func (d *Domain) Restart(ctx context.Context, i int) error { return d.controllers[i].start(ctx) }
