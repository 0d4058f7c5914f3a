package command

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func (s *shell) allSignIn(p printed) {
	s.t.Helper()
	for _, c := range p.Changes {
		if i, found := number(s, c.User); found {
			s.company.Company.SignIn(i)
		}
	}
}

// TestAsleep suspends the process of the command apply with SIGSTOP while it reads people. The people of the plan sign
// in meanwhile, and must keep E3.
func TestAsleep(t *testing.T) {
	t.Parallel()
	s := clockedShell(t, sandbox.Options{Users: 400, Seed: 6})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	process := make(chan *os.Process, 1)
	var mu sync.Mutex
	read := 0
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasSuffix(r.URL.Path, "/transitiveMemberOf") {
				if read++; read == 15 {
					sleeper := <-process
					_ = sleeper.Signal(syscall.SIGSTOP)
					s.allSignIn(p)
					s.clock.pass(3 * time.Minute)
					_ = sleeper.Signal(syscall.SIGCONT)
				}
			}
			next.ServeHTTP(w, r)
		})
	})
	cmd := exec.Command(os.Args[0], "apply", p.Run, "--yes", "--format", "json")
	var errs bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stderr = s.env, s.dir, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	process <- cmd.Process
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	s.nothingTaken(p, before)
}

// nothingTaken checks that the people of plan p kept E3 because they signed in. The argument "before" has what each
// person held before the plan. The Citrix rule may take Citrix.
func (s *shell) nothingTaken(p printed, before map[int][]string) {
	s.t.Helper()
	kept, after := 0, holding(s.company.Company)
	for _, x := range s.results(p.Run).Results {
		i, found := number(s, x.User)
		if !found || x.License != "m365-e3" {
			continue
		}
		if kept++; x.Status != runs.Kept || !strings.HasPrefix(x.Note, "signed in ") {
			s.t.Errorf("%s signed in, but: %s, %s", x.UserPrincipalName, x.Status, x.Note)
		}
		if diff := cmp.Diff(besidesCitrix(before[i]), besidesCitrix(after[i])); diff != "" {
			s.t.Errorf("%s holds (-before +after):\n%s", x.UserPrincipalName, diff)
		}
	}
	if kept < 15 {
		s.t.Errorf("only %d people were asked about", kept)
	}
}

func besidesCitrix(held []string) []string {
	return slices.DeleteFunc(slices.Clone(held), func(entry string) bool { return entry == sandbox.CitrixGroup })
}

// TestSignsInDuringRetryAfter: a person who signs in during the delay of a Retry-After keeps the license.
func TestSignsInDuringRetryAfter(t *testing.T) {
	t.Parallel()
	for _, via := range []plan.Via{plan.EntraGroup, plan.Direct} {
		t.Run(string(via), func(t *testing.T) {
			t.Parallel()
			s := clockedShell(t, sandbox.Options{Users: 200, Seed: 1})
			p := s.chosen(via)
			throttled := false
			s.company.Intercept(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if takes(r) && !throttled {
						throttled = true
						s.allSignIn(p)
						s.clock.pass(150 * time.Second)
						w.Header().Set("Retry-After", "1")
						http.Error(w, `{"error":{"code":"TooManyRequests","message":"slow down"}}`, http.StatusTooManyRequests)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
			r := s.untilDone("apply", p.Run)
			if len(r.Results) == 0 || r.Results[0].Status != runs.Kept || !strings.Contains(r.Results[0].Note, "signed in ") || !throttled {
				t.Errorf("throttled %t: %+v", throttled, r.Results)
			}
			for _, e := range s.company.Company.History() {
				if e.LostMailbox || e.What == sandbox.LicenseLost && e.SKU == "05e9a617-0261-4cee-bb44-138d3ef5d965" {
					t.Errorf("it was taken: %+v", e)
				}
			}
		})
	}
}

func takes(r *http.Request) bool {
	return r.Method == http.MethodDelete || strings.HasSuffix(r.URL.Path, "/assignLicense")
}

// The method "chosen" returns a plan for one person with a single change. This change takes the license in the way
// "via", for example from a group of Entra ID.
func (s *shell) chosen(via plan.Via) printed {
	s.t.Helper()
	for _, c := range s.plan(exitDone).Changes {
		if c.Via == via {
			if p := s.plan(exitDone, "--user", c.UserPrincipalName); len(p.Changes) == 1 {
				return p
			}
		}
	}
	s.t.Fatalf("nobody holds a license in the way %s", via)
	return printed{}
}

// TestRetryAfterNinetySeconds: the command waits for the 90 seconds that Graph asks for before it makes the change.
func TestRetryAfterNinetySeconds(t *testing.T) {
	t.Parallel()
	for _, via := range []plan.Via{plan.EntraGroup, plan.Direct} {
		t.Run(string(via), func(t *testing.T) {
			t.Parallel()
			s := clockedShell(t, sandbox.Options{Users: 200, Seed: 1})
			p := s.chosen(via)
			asked := map[string]bool{}
			// The earliest time that Graph allows for the next write, and the time of that write.
			var until, done time.Time
			s.company.Intercept(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if isWrite(r) && len(asked) == 0 {
						asked[r.Method] = true
						w.Header().Set("Retry-After", "90")
						http.Error(w, `{"error":{"code":"TooManyRequests","message":"slow down"}}`, http.StatusTooManyRequests)
						until = s.clock.now().Add(90 * time.Second)
						return
					}
					if isWrite(r) && done.IsZero() {
						done = s.clock.now()
					}
					next.ServeHTTP(w, r)
				})
			})
			r := s.untilDone("apply", p.Run)
			if done.Before(until) {
				t.Errorf("written at %v, and Graph asked to wait until %v", done, until)
			}
			if len(r.Results) != 1 || r.Results[0].Status != runs.Done || len(asked) == 0 {
				t.Errorf("%+v", r.Results)
			}
		})
	}
}
