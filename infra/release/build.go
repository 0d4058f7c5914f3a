package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The constant "lambda" is the target for the Lambda functions, which "make functions" packs.
const lambda = "lambda"

// The variable "flags" has the flags of each build. Without them, the bytes of a binary depend on the folder and on the
// state of the repository. Containerfile and Makefile must have the same flags.
var flags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="}

func (r release) compile(ctx context.Context, source, binary, system, arch string) error {
	args := append([]string{"build", "-o", binary}, flags...)
	return r.run(ctx, []string{"GOOS=" + system, "GOARCH=" + arch}, "go", append(args, "./"+source)...)
}

// The method "functions" runs 'make functions', and copies the zips that this makes in the folder dist. Terraform and
// SAM deploy from that folder. For each zip, the method also writes the list of modules and the licenses. The Makefile
// must build for the system, the architecture and the tag that the call of writeLicenses names.
func (r release) functions(ctx context.Context, _ string) error {
	if err := r.run(ctx, nil, "make", "--no-print-directory", "functions"); err != nil {
		return err
	}
	zips, err := filepath.Glob(filepath.Join(r.root, "dist", "*.zip"))
	if err != nil || len(zips) == 0 {
		return errors.Join(err, errors.New("make functions made no zips"))
	}
	for _, from := range zips {
		name := strings.TrimSuffix(filepath.Base(from), ".zip")
		source := filepath.Join(r.root, "functions", name, "main.go")
		if _, err := os.Stat(source); err != nil {
			return fmt.Errorf("%s is of no function of this version; remove it: %w", from, err)
		}
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(r.out, name+".zip"), content, 0o644); err != nil {
			return err
		}
		if err := writeBOM(filepath.Join(r.root, "bin", "functions", name), name, r.version, filepath.Join(r.out, name+".cdx.json")); err != nil {
			return err
		}
		if err := r.writeLicenses(ctx, "functions/"+name, "linux", "arm64", []string{"-tags=lambda.norpc"}, filepath.Join(r.out, name+".licenses.txt")); err != nil {
			return err
		}
	}
	return nil
}

// The method "run" runs a command in the folder of the sources. All settings of Go that could change the output have
// fixed values. Only the caches and the sources of modules are those of this machine.
func (r release) run(ctx context.Context, more []string, name string, args ...string) error {
	return r.runTo(ctx, r.log, more, name, args...)
}

// runTo works like the method "run", but writes the standard output of the command to "out".
func (r release) runTo(ctx context.Context, out io.Writer, more []string, name string, args ...string) error {
	places, err := r.places(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.root, out, r.log
	cmd.Env = append(places, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOENV=off", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
	cmd.Env = append(cmd.Env, more...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// The method "places" returns the environment of this process with two changes. Settings of Go and Make are left out,
// because they could change the output. This machine's settings for caches, for the download of modules and for the
// toolchain are added.
func (r release) places(ctx context.Context) (env []string, err error) {
	text, err := exec.CommandContext(ctx, "go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOTOOLCHAIN").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	settings := map[string]string{}
	if err := json.Unmarshal(text, &settings); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "GO") && !strings.HasPrefix(line, "CGO_") && !strings.HasPrefix(line, "MAKE") {
			env = append(env, line)
		}
	}
	for name, value := range settings {
		env = append(env, name+"="+value)
	}
	return env, nil
}

func writeSums(folder string) error {
	entries, err := os.ReadDir(folder) // sorted by name
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), e.Name())
	}
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), []byte(lines.String()), 0o644)
}
