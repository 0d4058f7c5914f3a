package samba

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// The constant "python" is the interpreter that has Samba's modules on Debian. The python3 in PATH may be another one.
const python = "/usr/bin/python3"

// The constant "probe" is a Python program that fails if a part of Samba that a domain controller needs is missing.
const probe = `import os, samba.provision, samba.param as p
os.stat(p.setup_dir() + "/provision.ldif")
os.stat(p.modules_dir() + "/ldb/samba_dsdb.so")`

var packages = []string{"samba", "samba-dsdb-modules", "samba-ad-provision", "ldb-tools"}

// The function "install" installs Samba if necessary. It returns an error if this machine cannot run a domain
// controller.
func install(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("%w: it needs Linux, this is %s", ErrMissing, runtime.GOOS)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: it needs root, for LDAP's ports", ErrMissing)
	}
	// Tests of several packages run at the same time, but only one process may install. The lock is on the existing
	// folder for temporary files, so no lock file remains.
	lock, err := os.Open(os.TempDir())
	if err != nil {
		return fmt.Errorf("lock the installation of Samba: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the installation of Samba: %w", err)
	}
	lacks := lacking(ctx)
	if lacks == nil {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%w: %w; install the programs of Debian's %q", ErrMissing, lacks, packages)
	}
	if err := aptInstall(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	if lacks := lacking(ctx); lacks != nil {
		return fmt.Errorf("%w: %w, although %q were installed", ErrMissing, lacks, packages)
	}
	return nil
}

// The function "lacking" returns an error that names a missing part of Samba. It returns nil if Samba is complete.
func lacking(ctx context.Context) error {
	for _, program := range []string{"samba", "samba-tool", "ldbmodify", python} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	if _, err := run(ctx, python, "-c", probe); err != nil {
		return errors.New("there are no Python modules, provisioning data or database modules of Samba")
	}
	return nil
}

func aptInstall(ctx context.Context) error {
	if _, err := run(ctx, "apt-get", "update", "-qq"); err != nil {
		return err
	}
	args := []string{"DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends"}
	_, err := run(ctx, "env", append(args, packages...)...)
	return err
}
