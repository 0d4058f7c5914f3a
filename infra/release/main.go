// Command release builds the files of a release: archives of the programs for each target, the zips of the Lambda
// functions, a list of the modules of each binary (SBOM, CycloneDX), and the checksums of all files. On each machine
// and in each folder, the same sources give the same bytes: go.mod names the toolchain, the environment of the builds
// is fixed, and archives have a fixed date.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

func main() {
	out := flag.String("out", "dist/release", "the folder for the files; it must be empty or missing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := fromHere(ctx, *out, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// fromHere builds the targets from the sources in the working folder. If this program was built by another toolchain
// than go.mod names, it returns an error, because the bytes would differ.
func fromHere(ctx context.Context, out string, targets []string, log io.Writer) error {
	version, err := os.ReadFile("VERSION")
	if err != nil {
		return err
	}
	toolchain, err := pinned(ctx)
	if err != nil {
		return err
	}
	if runtime.Version() != toolchain {
		return fmt.Errorf("go.mod names the toolchain %s, and this is %s: make release takes the right one", toolchain, runtime.Version())
	}
	r := release{root: ".", version: strings.TrimSpace(string(version)), out: out, programs: programs, log: log}
	return r.make(ctx, targets)
}

func pinned(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, "go", "mod", "edit", "-json").Output()
	if err != nil {
		return "", fmt.Errorf("read go.mod: %w", err)
	}
	var mod struct{ Toolchain string }
	if err := json.Unmarshal(text, &mod); err != nil || mod.Toolchain == "" {
		return "", errors.Join(err, errors.New("go.mod names no toolchain"))
	}
	return mod.Toolchain, nil
}

// The type "program" is a command of the release.
type program struct {
	name    string   // name of the binary, and first part of the names of its archives
	source  string   // folder of its main package
	systems []string // GOOS of each system for which the program is released
	// The field "files" has the paths of the files that are packed with the binary, by system. The key "" is for all
	// systems.
	files map[string][]string
}

// The variable "programs" has the released programs. The relay is released only for Linux, because the repository
// starts it as a service only there, with a systemd unit.
var programs = []program{
	{"idleseat", "functions/idleseat", []string{"linux", "darwin", "windows"}, map[string][]string{
		"":      {"LICENSE", "infra/policy.yaml", "infra/policy_test.yaml"},
		"linux": {"infra/night/idleseat.env.example", "infra/night/idleseat.service", "infra/night/idleseat.timer"},
	}},
	{"idleseat-relay", "functions/relay", []string{"linux"}, map[string][]string{
		"": {"LICENSE", "infra/relay/aws-config.example", "infra/relay/idleseat-relay.service", "infra/relay/policy.json", "infra/relay/relay.env.example"},
	}},
}

type release struct {
	root, version, out string
	programs           []program
	log                io.Writer
}

// The method "make" builds the targets, and then writes SHA256SUMS. A target is SYSTEM/ARCHITECTURE or lambda. The
// builds run in sequence, because each compiles Microsoft's Graph SDK and needs the whole machine.
func (r release) make(ctx context.Context, targets []string) error {
	if len(targets) == 0 {
		return errors.New("no targets: name some, such as linux/amd64, windows/arm64 or lambda")
	}
	for _, target := range targets {
		if err := r.check(target); err != nil {
			return err
		}
	}
	if entries, err := os.ReadDir(r.out); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: a file of an earlier release would get into this one. Remove the folder", r.out)
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	for _, target := range targets {
		fmt.Fprintf(r.log, "%s\n", target)
		build := r.programsFor
		if target == lambda {
			build = r.functions
		}
		if err := build(ctx, target); err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
	}
	return writeSums(r.out)
}

func (r release) check(target string) error {
	system, arch, _ := strings.Cut(target, "/")
	known := slices.ContainsFunc(r.programs, func(p program) bool { return slices.Contains(p.systems, system) })
	if target == lambda || known && (arch == "amd64" || arch == "arm64") {
		return nil
	}
	return fmt.Errorf("unknown target %q: it is linux, darwin or windows, a slash, and amd64 or arm64; or lambda", target)
}

func (r release) programsFor(ctx context.Context, target string) error {
	system, arch, _ := strings.Cut(target, "/")
	for _, p := range r.programs {
		if !slices.Contains(p.systems, system) {
			continue
		}
		scratch, err := os.MkdirTemp("", "idleseat-release-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(scratch)
		binary := filepath.Join(scratch, p.name)
		if system == "windows" {
			binary += ".exe"
		}
		if err := r.compile(ctx, p.source, binary, system, arch); err != nil {
			return err
		}
		title := fmt.Sprintf("%s_%s_%s_%s", p.name, r.version, system, arch)
		licenses := filepath.Join(scratch, licensesName)
		if err := r.writeLicenses(ctx, p.source, system, arch, nil, licenses); err != nil {
			return err
		}
		if err := r.pack(title, binary, licenses, append(slices.Clone(p.files[""]), p.files[system]...)); err != nil {
			return err
		}
		if err := writeBOM(binary, p.name, r.version, filepath.Join(r.out, title+".cdx.json")); err != nil {
			return err
		}
	}
	return nil
}
