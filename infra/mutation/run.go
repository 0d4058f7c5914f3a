package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The type "test" is a top-level test. Took is its duration, and Reached has the numbers of the mutants whose code it
// runs. Both are measured without a mutant.
type test struct {
	Name    string
	Took    time.Duration
	Reached []int
}

// The method "learn" runs each test of the suite alone, without a mutant. It stores the duration and the reached
// mutants of the tests. If a later run has the same test binary, it reads them and runs nothing.
func (w *workshop) learn(s *suite) error {
	known := filepath.Join(w.dir, s.sum+".json")
	if b, err := os.ReadFile(known); err == nil {
		return json.Unmarshal(b, &s.tests)
	}
	if err := w.turn(0); err != nil {
		return err
	}
	out, err := s.command("-test.list", ".").Output()
	if err != nil {
		return fmt.Errorf("list the tests of %s: %w", s.pkg, err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		if !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Fuzz") && !strings.HasPrefix(name, "Example") {
			continue
		}
		t, err := w.try(s, name)
		if err != nil {
			return err
		}
		if t != nil {
			s.tests = append(s.tests, *t)
		}
	}
	slices.SortStableFunc(s.tests, func(a, b test) int { return int(a.Took - b.Took) })
	b, err := json.Marshal(s.tests)
	if err != nil {
		return err
	}
	return os.WriteFile(known, b, 0o644)
}

// The constant "slowest" is the maximum time of a test without a mutant. A slower test never runs on a mutant.
const slowest = 30 * time.Second

// The method "try" runs a test without a mutant. It returns nil if the test fails, is too slow, or reaches no mutant.
func (w *workshop) try(s *suite, name string) (*test, error) {
	if err := w.turn(0); err != nil {
		return nil, err
	}
	begun := time.Now()
	failed, out := s.run([]string{name}, slowest)
	t := &test{Name: name, Took: time.Since(begun)}
	if failed {
		fmt.Fprintf(os.Stderr, "%s %s fails without any mutant, and is left out\n%s\n", s.pkg, name, tail(out))
		return nil, nil
	}
	var err error
	if t.Reached, err = w.reached(); err != nil || len(t.Reached) == 0 {
		return nil, err
	}
	return t, nil
}

func tail(out []byte) []byte {
	const most = 2000
	return out[max(0, len(out)-most):]
}

func (s *suite) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.binary, args...)
	cmd.Dir = s.dir
	return cmd
}

// The method "run" runs the named tests, and reports whether one of them fails. Tests that do not end within the given
// time count as failed.
func (s *suite) run(names []string, within time.Duration) (failed bool, output []byte) {
	cmd := s.command("-test.run", "^("+strings.Join(names, "|")+")$", "-test.failfast", "-test.timeout", (within + 5*time.Second).String())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the signal at the end also reaches the children of the process
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return true, []byte(err.Error())
	}
	late := time.AfterFunc(within, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err := cmd.Wait()
	late.Stop()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return true, []byte(err.Error())
	}
	return err != nil, out.Bytes()
}

// The method "kills" reports whether a test of the suite fails with the mutant. Only tests that reach the mutant run,
// the fastest first. When the sum of their times without a mutant would exceed "budget", slower tests are left out.
func (w *workshop) kills(m *mutant, s *suite, budget time.Duration) (bool, error) {
	if err := w.turn(m.id); err != nil {
		return false, err
	}
	const patience, least = 10, 5 * time.Second
	for _, r := range s.rounds(m.id, budget) {
		if failed, _ := s.run(r.names, max(patience*r.took, least)); failed {
			return true, nil
		}
	}
	return false, nil
}

type round struct {
	names []string
	took  time.Duration
}

// The method "rounds" divides the tests that reach a mutant into rounds. Each round is one process. The first round is
// short, because most mutants die in it. Each later round may take several times as long as those before it.
func (s *suite) rounds(id int, budget time.Duration) []round {
	const short, times = 100 * time.Millisecond, 4
	var rounds []round
	var all time.Duration
	bound := short
	for _, t := range s.tests {
		if _, reaches := slices.BinarySearch(t.Reached, id); !reaches || all+t.Took > budget {
			continue
		}
		if all += t.Took; len(rounds) == 0 || all > bound {
			rounds = append(rounds, round{})
			bound = max(bound, all) * times
		}
		r := &rounds[len(rounds)-1]
		r.names, r.took = append(r.names, t.Name), r.took+t.Took
	}
	return rounds
}
