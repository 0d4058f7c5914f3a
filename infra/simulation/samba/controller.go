package samba

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

var (
	//go:embed smb.conf
	smbConf string
	//go:embed provision.py
	provisionPy string

	confTemplate = template.Must(template.New("smb.conf").Parse(smbConf))
)

// The variable "ports" has the ports on which Samba's servers listen. Samba cannot use others, so each controller needs
// its own address.
var ports = []string{"88", "135", "389", "464", "636", "3268", "3269"}

const patience = 30 * time.Second

// The type "controller" is a domain controller: a Samba process and its folder.
type controller struct {
	dir     string
	name    string // NetBIOS name, lower case
	address string
	network *network      // nil: no replication partners
	stdin   io.Closer     // Samba ends when its standard input is closed
	ended   chan struct{} // closed when the process has ended
	group   int           // process group
}

func (c *controller) configure() error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	c.address = address
	return c.writeConf()
}

func (c *controller) writeConf() error {
	services := "ldap"
	if c.network != nil {
		services = "rpc ldap cldap kdc drepl kcc"
	}
	var conf bytes.Buffer
	err := confTemplate.Execute(&conf, map[string]string{
		"Dir": c.dir, "Address": c.address, "Realm": realm, "Domain": NetBIOS, "Name": strings.ToUpper(c.name), "Services": services,
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.conf()), 0o700); err != nil {
		return err
	}
	return os.WriteFile(c.conf(), conf.Bytes(), 0o600)
}

func (c *controller) conf() string { return filepath.Join(c.dir, "etc", "smb.conf") }

func (c *controller) host() string { return c.name + "." + realm }

func (c *controller) provision(ctx context.Context) error {
	if err := c.configure(); err != nil {
		return err
	}
	_, err := run(ctx, python, "-c", provisionPy, c.dir, c.address, realm, NetBIOS, password)
	return err
}

// The method "cloneOf" copies the database of the controller "first", which must not have run yet.
func (c *controller) cloneOf(ctx context.Context, first *controller) error {
	if _, err := run(ctx, "cp", "-a", first.dir, c.dir); err != nil {
		return err
	}
	return c.configure()
}

// The method "start" starts the controller and waits until it accepts connections.
func (c *controller) start(ctx context.Context) error {
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	// In interactive mode, Samba ends when its standard input is closed. This happens even if the test is killed. When
	// Samba ends, it signals its whole process group. So Samba must not be in the process group of the test.
	cmd := c.network.command(context.Background(), "samba", "-s", c.conf(), "-i", "-M", "single", "-d", "1 dsdb_group_json_audit:5")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.stdin, c.ended, c.group = stdin, make(chan struct{}), cmd.Process.Pid
	go func() {
		_ = cmd.Wait() // the log contains the reason why Samba ended
		close(c.ended)
	}()
	return c.await(ctx)
}

func (c *controller) listens() error {
	ports := []string{"636"}
	if c.network != nil {
		ports = append(ports, "135", "88")
	}
	for _, port := range ports {
		conn, err := net.Dial("tcp", net.JoinHostPort(c.address, port))
		if err != nil {
			return err
		}
		conn.Close()
	}
	return nil
}

func (c *controller) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if c.listens() == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-c.ended:
			return fmt.Errorf("samba on %s ended: %s", c.address, c.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("samba on %s does not listen: %w: %s", c.address, ctx.Err(), c.lastWords())
		}
	}
}

func (c *controller) lastWords() string {
	log, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-1000):])
}

// The method "stop" stops the process and waits for its end. It does nothing if the controller does not run.
func (c *controller) stop() {
	if c.stdin == nil {
		return
	}
	c.stdin.Close()
	c.stdin = nil
	select {
	case <-c.ended:
	case <-time.After(patience):
		_ = syscall.Kill(-c.group, syscall.SIGKILL) // the process may have ended in the meantime
		<-c.ended
	}
}

// freeAddress returns a loopback address on which all of Samba's ports are free. The address is random, so that test
// runs at the same time get different addresses.
func freeAddress() (string, error) {
	var err error
	for range 20 {
		var b [3]byte
		rand.Read(b[:])
		address := net.IPv4(127, 1+b[0]%254, b[1], 1+b[2]%254).String()
		if err = portsFree(address, ports...); err == nil {
			return address, nil
		}
		if errors.Is(err, os.ErrPermission) {
			break
		}
	}
	return "", fmt.Errorf("find a free loopback address: %w", err)
}

func portsFree(address string, ports ...string) error {
	for _, port := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(address, port))
		if err != nil {
			return err
		}
		l.Close()
	}
	return nil
}

// The function "run" runs a program to its end, and returns the output. If the program fails, the error contains the
// last 1000 bytes of the output.
func run(ctx context.Context, name string, args ...string) (string, error) {
	return output(exec.CommandContext(ctx, name, args...))
}

func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, out[max(0, len(out)-1000):])
	}
	return string(out), nil
}
