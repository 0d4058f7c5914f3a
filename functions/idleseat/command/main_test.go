package command

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/memory"
	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// TestMain runs the command in place of the tests if IDLESEAT_TEST_MAIN is 1. So tests can run the command in a
// separate process.
func TestMain(m *testing.M) {
	if names := os.Getenv("IDLESEAT_TEST_NAMES"); names != "" {
		net.DefaultResolver = samba.Resolver(names)
	}
	if os.Getenv("IDLESEAT_TEST_MAIN") == "1" {
		status := Main("", clockFrom(os.LookupEnv))
		if file := os.Getenv("IDLESEAT_TEST_PEAK"); file != "" {
			peak, err := memory.Peak(os.Getpid())
			if err = errors.Join(err, os.WriteFile(file, strconv.AppendInt(nil, peak, 10), 0o600)); err != nil {
				log.Fatal(err)
			}
		}
		os.Exit(status)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800) // at 200 percent, garbage collection takes a fifth of the tests' time
	}
	os.Exit(m.Run())
}

// quickFolder returns a temporary folder. The folder is in memory if there is enough space, because a store on a disk
// waits for the disk after each of thousands of objects.
func quickFolder(t *testing.T) string {
	t.Helper()
	const inMemory, enough = "/dev/shm", 1 << 30
	var place syscall.Statfs_t
	if err := syscall.Statfs(inMemory, &place); err != nil || place.Bavail*uint64(place.Bsize) < enough {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(inMemory, "idleseat-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func clockFrom(variable func(string) (string, bool)) clock.Clock {
	if text, set := variable("IDLESEAT_TEST_AHEAD"); set {
		if ahead, err := time.ParseDuration(text); err == nil {
			return clock.Watch(func() time.Time { return time.Now().Add(ahead) })
		}
	}
	if shared, set := variable(clockVariable); set {
		return clock.Watch(clockOf(shared))
	}
	return clock.Real
}

// The type "shell" runs idleseat commands against one simulated company.
type shell struct {
	t       *testing.T
	company *sandbox.Sandbox
	dir     string // contains policy.yaml and the store
	env     []string
	ahead   *atomic.Int64     // offset of the company's clock from the real clock, in nanoseconds
	clock   *sharedClock      // if set, the company and the commands share this clock, and the field "ahead" has no effect
	apart   bool              // whether commands run in their own processes, in the folder dir
	built   string            // the program that these processes run; empty for the test binary
	waits   clock.Clock       // if set, replaces the clock of commands in this process
	objects store.Store       // if set, replaces the store of commands in this process
	web     http.RoundTripper // if set, the transport with which commands in this process post to webhooks
}

type policyText func(string) string

func newShell(t *testing.T, o sandbox.Options, edit ...policyText) *shell {
	t.Helper()
	return newShellAgo(t, 0, o, edit...)
}

// newShellAgo starts a company whose clock is behind the real time by the argument "ago". A test may advance the clock
// only by this time. If the clock were ahead of the real time, dates would look wrong.
func newShellAgo(t *testing.T, ago time.Duration, o sandbox.Options, edit ...policyText) *shell {
	t.Helper()
	ahead := new(atomic.Int64)
	ahead.Store(int64(-ago))
	if o.Now == nil {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}
	company, err := sandbox.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = company.Close() })
	s := &shell{t: t, company: company, dir: quickFolder(t), ahead: ahead}
	text := string(company.Policy())
	for _, e := range edit {
		text = e(text)
	}
	s.write("policy.yaml", text)
	s.env = append(company.Env(), "IDLESEAT_STORE="+s.path("store"), "IDLESEAT_POLICY="+s.path("policy.yaml"), "IDLESEAT_TEST_MAIN=1", "HOME="+s.dir, "PATH="+os.Getenv("PATH"), "TMPDIR="+s.dir)
	if ago > 0 {
		s.setenv("IDLESEAT_TEST_AHEAD", (-ago).String())
	}
	return s
}

// The function "replace" returns an edit that replaces the text "old". The policy must contain this text.
func replace(t *testing.T, old, new string) policyText {
	return func(text string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("the policy does not contain %q", old)
		}
		return strings.ReplaceAll(text, old, new)
	}
}

func (s *shell) path(name string) string { return filepath.Join(s.dir, name) }

func (s *shell) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shell) setenv(name, value string) { s.env = append(s.env, name+"="+value) }

const day = 24 * time.Hour

// The method "passes" advances the clock by d. Nobody signs in during this time.
func (s *shell) passes(d time.Duration) {
	if s.clock != nil {
		s.clock.pass(d)
		return
	}
	s.setenv("IDLESEAT_TEST_AHEAD", time.Duration(s.ahead.Add(int64(d))).String())
}

// The method "later" advances the clock. All active people sign in and log on again at the new time.
func (s *shell) later(passed time.Duration) {
	ahead := time.Duration(s.ahead.Add(int64(passed)))
	s.setenv("IDLESEAT_TEST_AHEAD", ahead.String())
	busy := s.company.Company
	for i := range busy.Size() {
		if p := busy.Person(i); p.Activity == sandbox.Active && p.Entra != nil {
			busy.SignIn(i)
		}
		if p := busy.Person(i); p.Logon == sandbox.Active && p.AD != nil {
			busy.LogOn(i)
		}
	}
}

type answer struct {
	status int
	out    []byte
	err    string
}

// The method "run" runs a command in this process. If the field "apart" is set, or if libraries read a variable of the
// environment directly, it runs the command in a separate process.
func (s *shell) run(args ...string) answer {
	s.t.Helper()
	if s.apart || slices.ContainsFunc(s.env, ofTheMachine) {
		return s.child(args...)
	}
	variable := func(name string) (value string, set bool) {
		for _, v := range s.env { // the last value wins, as in a child process
			if k, text, _ := strings.Cut(v, "="); k == name {
				value, set = text, true
			}
		}
		return value, set
	}
	var out, errs bytes.Buffer
	a := Process{
		Context: s.t.Context(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Clock: clockFrom(variable), Variable: variable, Environ: func() []string { return s.env }, OpenStore: store.Open, ViewStore: store.OpenReadOnly, Web: s.web, Version: "under test",
	}
	if s.clock != nil {
		a.Clock = s.clock
	}
	if s.waits != nil {
		a.Clock = s.waits
	}
	if s.objects != nil {
		a.OpenStore = func(context.Context, string) (store.Store, error) { return s.objects, nil }
		a.ViewStore = func(context.Context, string) (store.Store, error) { return store.ReadOnly(s.objects), nil }
	}
	return answer{a.Run(args), out.Bytes(), errs.String()}
}

// ofTheMachine reports whether libraries read the variable v directly from the environment. v has the form name=value.
func ofTheMachine(v string) bool {
	return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "AZURE_") || strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "IDLESEAT_TEST_NAMES=") || strings.HasPrefix(v, "KRB5") || strings.HasPrefix(v, "SSL_CERT_FILE=")
}

func (s *shell) child(args ...string) answer {
	s.t.Helper()
	cmd := exec.Command(cmp.Or(s.built, os.Args[0]), args...)
	cmd.Env, cmd.Dir = s.env, s.dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	if strings.Contains(errs.String(), "panic:") || strings.Contains(errs.String(), "goroutine ") {
		s.t.Fatalf("%q panicked:\n%s", args, errs.String())
	}
	return answer{cmd.ProcessState.ExitCode(), out.Bytes(), errs.String()}
}

func (s *shell) want(status int, args ...string) answer {
	s.t.Helper()
	a := s.run(args...)
	if a.status != status {
		s.t.Fatalf("idleseat %s: exit status %d, want %d\nstdout: %.2000s\nstderr: %s", strings.Join(args, " "), a.status, status, a.out, a.err)
	}
	return a
}

// The type "printed" is the output of "plan --format json".
type printed struct {
	plan.Plan
	Refused, Undecided, Returned []listed
}

type listed struct{ User, UserPrincipalName, Rule, License, Reason string }

func (s *shell) plan(status int, args ...string) printed {
	s.t.Helper()
	a := s.want(status, append([]string{"plan", "--format", "json"}, args...)...)
	var p printed
	d := json.NewDecoder(bytes.NewReader(a.out))
	if err := d.Decode(&p); err != nil || d.More() {
		s.t.Fatalf("plan --format json is not one object: %v\n%.2000s", err, a.out)
	}
	return p
}

// The method "unwritten" fails the test if a command wrote to a directory.
func (s *shell) unwritten() {
	s.t.Helper()
	for _, e := range s.company.Company.History() {
		if !e.ByHand {
			s.t.Errorf("a directory was written to: %+v", e)
		}
	}
}

// The method "finish" applies a run until nothing is pending.
func (s *shell) finish(run string, args ...string) answer {
	s.t.Helper()
	for range 60 {
		a := s.want(exitDone, append([]string{"apply", run, "--yes", "--format", "json"}, args...)...)
		if !bytes.Contains(a.out, []byte(`"pending"`)) {
			return a
		}
		s.passes(time.Minute)
	}
	s.t.Fatal("changes stay pending")
	return answer{}
}

// The function "golden" computes the verdicts from the company's data, without code of the product. A key of the result
// is the user's id, a space, and the rule.
func golden(s *shell, asOf time.Time) map[string]string {
	const e3, day = "05e9a617-0261-4cee-bb44-138d3ef5d965", 24 * time.Hour
	verdicts := map[string]string{}
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		id := ""
		if p.Entra != nil {
			id = p.Entra.ID
		} else {
			id = p.AD.SID
		}
		doubtful := p.Kind == sandbox.WrongAnchor
		exempt := p.Kind == sandbox.Guest || slices.Contains(p.Groups, "LIC-Exempt") || slices.Contains(p.Groups, "LIC-Exempt-Leave")
		if p.Entra != nil {
			upn := p.Entra.UserPrincipalName
			exempt = exempt || upn == "breakglass@contoso.example" || upn == "anna@contoso.example"
		}
		if p.Entra != nil && slices.ContainsFunc(p.Entra.Assignments, func(a assignment) bool { return a.SKU == e3 }) {
			last := p.Entra.LastActivity()
			young := p.Entra.Created.After(asOf.Add(-14 * day))
			if p.AD != nil && p.AD.Created.After(asOf.Add(-14*day)) {
				young = true
			}
			idle := last.IsZero() && !young || !last.IsZero() && last.Before(asOf.Add(-60*day))
			asked := p.Entra.Enabled == directory.Yes && p.Entra.EmployeeType == "Employee"
			lately := !slices.ContainsFunc(p.Entra.Assignments, func(a assignment) bool { return a.SKU == e3 && !a.Updated.After(asOf.Add(-14*day)) })
			verdicts[id+" m365-idle-60"] = verdict(exempt, doubtful && !lately, asked && idle && !lately)
			if p.Kind == sandbox.NoADAccount && last.IsZero() && asked && !exempt && !lately {
				verdicts[id+" m365-idle-60"] = "undecided" // the age of the account is unknown
			}
		}
		if p.AD != nil && slices.Contains(p.ADGroups, sandbox.CitrixGroup) {
			last := p.AD.LastLogonTimestamp
			created := p.AD.Created
			if p.Entra != nil && p.Entra.Created.After(created) {
				created = p.Entra.Created
			}
			idle := !last.IsZero() && last.Before(asOf.Add(-90*day)) || last.IsZero() && !created.After(asOf.Add(-90*day))
			verdicts[id+" citrix-idle-90"] = verdict(exempt, doubtful, idle)
		}
	}
	return verdicts
}

func verdict(exempt, doubtful, idle bool) string {
	switch {
	case exempt:
		return "exempt"
	case doubtful:
		return "undecided"
	case idle:
		return "reclaim"
	default:
		return "keep"
	}
}
