// Command aloud stands for the command go in "go test", and names each test that was skipped, with its reason. It shows
// the output of failed tests and the result of each package, as go test does. "make test GO='go run ./infra/aloud'"
// uses it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] != "test" {
		fmt.Fprintln(os.Stderr, "usage: aloud test ARGUMENTS, with the arguments of go test")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status, err := run(ctx, ".", os.Stdout, os.Args[2:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "aloud:", err)
		status = max(status, 1)
	}
	os.Exit(status)
}

// The function "run" runs go test in a folder, and returns its exit status.
func run(ctx context.Context, folder string, out io.Writer, args []string) (status int, err error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir, cmd.Stderr = folder, os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("run go test: %w", err)
	}
	told := tell(out, events)
	err = cmd.Wait()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return max(failed.ExitCode(), 1), told
	}
	return 0, errors.Join(told, err)
}

// The type "event" is a line of go test -json.
type event struct{ Action, Package, Test, Output string }

// The type "test" names a test, or a package if Test is empty.
type test struct{ Package, Test string }

// The function "tell" reads the events of go test -json, and writes what a reader needs to know.
func tell(out io.Writer, events io.Reader) error {
	printed := map[test]*strings.Builder{} // the output of tests that have not ended
	var failed error
	write := func(text string) {
		if _, err := io.WriteString(out, text); err != nil && failed == nil {
			failed = err
		}
	}
	for lines := bufio.NewReader(events); ; {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the events of go test: %w", err)
		}
		var e event
		if json.Unmarshal(line, &e) != nil { // no event, but a line for the reader
			write(string(line))
			continue
		}
		of := test{e.Package, e.Test}
		switch {
		case e.Action == "build-output", e.Action == "output" && e.Test == "" && e.Output != "PASS\n":
			write(e.Output)
		case e.Test == "":
		case e.Action == "output":
			if printed[of] == nil {
				printed[of] = &strings.Builder{}
			}
			printed[of].WriteString(e.Output)
		case e.Action == "skip":
			write(fmt.Sprintf("SKIPPED: %s in %s: %s\n", e.Test, e.Package, reason(printed[of])))
			delete(printed, of)
		case e.Action == "fail":
			write(text(printed[of]))
			delete(printed, of)
		case e.Action == "pass":
			delete(printed, of)
		}
	}
	for _, left := range printed { // the process of the tests ended before these tests did
		write(left.String())
	}
	return failed
}

func text(b *strings.Builder) string {
	if b == nil {
		return ""
	}
	return b.String()
}

// The expressions match the lines that go test itself writes about a test, and the place before a message.
var (
	frames = regexp.MustCompile(`(?m)^\s*(=== (RUN|PAUSE|CONT|NAME)|--- SKIP:).*\n?`)
	place  = regexp.MustCompile(`(?m)^\s*\w+\.go:\d+: (SKIPPED: )?`)
)

// The function "reason" returns why a test was skipped, in one line.
func reason(printed *strings.Builder) string {
	said := place.ReplaceAllString(frames.ReplaceAllString(text(printed), ""), "")
	if said = strings.Join(strings.Fields(said), " "); said == "" {
		return "it does not say why"
	}
	return said
}
