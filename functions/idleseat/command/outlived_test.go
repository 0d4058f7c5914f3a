package command

import (
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// endsInSource checks the final result of change c, which was to move person i from E3 to Exchange Online. The person
// must be in the group of E3, and not in the group of Exchange Online.
func (s *shell) endsInSource(first printed, c plan.Change, i int, status runs.Status, note string) {
	s.t.Helper()
	if r := s.became(first.Run, c); r.Status != status || !strings.Contains(r.Note, note) {
		s.t.Errorf("%+v, want %s with %q", r, status, note)
	}
	if !s.inGroup(i, "LIC-M365-E3") || s.inGroup(i, "LIC-EXO-P1") {
		s.t.Errorf("the person is in the groups %v", s.company.Company.Person(i).Groups)
	}
}

// TestGivenBackByHand adds a person to the group of E3 by hand, while the change that removed the person is still
// pending. The person keeps E3, and later nights do not take it again.
func TestGivenBackByHand(t *testing.T) {
	t.Parallel()
	s, first, c, i := waiting(t, withoutGrace(t))
	s.later(13 * time.Hour)
	s.want(exitDone, "apply", first.Run, "--yes")
	if r := s.became(first.Run, c); !strings.Contains(r.Note, "left the source group") || s.inGroup(i, "LIC-M365-E3") {
		t.Fatalf("%+v", r)
	}
	s.company.Company.SetMember(i, "LIC-M365-E3", true) // the person has asked an operator for the license; Graph may report the person's next sign-in a day late
	taken := len(s.company.Company.History())
	for range 3 {
		s.night()
	}
	s.endsInSource(first, c, i, runs.Kept, "somebody restored it after it was seen free at ")
	for _, e := range s.company.Company.History()[taken:] {
		if e.Person == i && e.What == sandbox.MemberRemoved && e.Group == "LIC-M365-E3" {
			t.Errorf("taken again: %+v", e)
		}
	}
	if got := s.night().reason(c.User, c.License); !strings.HasPrefix(got, "cooling down: restored on ") {
		t.Errorf("later plans say %q", got)
	}
	if got := s.entries(c.User, c.License); !slices.Equal(got, []string{"m365-idle-60 given back"}) {
		t.Errorf("ledger: %v", got)
	}
}

// TestLongAfterThePlan leaves a change pending until the plan has expired. The change fails without taking a license.
func TestLongAfterThePlan(t *testing.T) {
	t.Parallel()
	for name, bin := range map[string]bool{"no run for days": false, "the account was in the bin": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, first, c, i := waiting(t)
			if bin {
				s.company.Company.SetInBin(i, true)
			}
			s.later(9 * day)
			s.company.Company.SetInBin(i, false)
			next := s.plan(exitDone)
			if a := s.run("apply", next.Run, "--yes"); a.status != exitFailed {
				t.Errorf("exit status %d: %s", a.status, a.err)
			}
			if s.lostE3(i) {
				t.Error("taken by a plan of nine days ago")
			}
			s.endsInSource(first, c, i, runs.Failed, "before the license could be taken")
		})
	}
}

// TestTakenOutOfTheTarget: a pending change has added a person to the group of Exchange Online. If somebody removes the
// person by hand, later nights do not add the person again.
func TestTakenOutOfTheTarget(t *testing.T) {
	t.Parallel()
	s, first, c, i := waiting(t)
	s.company.Company.SetMember(i, "LIC-EXO-P1", false)
	before := len(s.company.Company.History())
	for range 4 {
		s.night()
	}
	s.endsInSource(first, c, i, runs.Kept, "somebody took the person out of the target group")
	for _, e := range s.company.Company.History()[before:] {
		if e.Person == i && (e.What == sandbox.MemberAdded || e.What == sandbox.MemberRemoved) {
			t.Errorf("written: %+v", e)
		}
	}
}

// TestAcceptedAndNeverDone makes Graph accept writes that have no effect. A change through groups fails after a few
// attempts. A direct change is not repeated after Graph confirmed it, because somebody may have returned the license in
// the meantime.
func TestAcceptedAndNeverDone(t *testing.T) {
	t.Parallel()
	for _, via := range []plan.Via{plan.EntraGroup, plan.Direct} {
		t.Run(string(via), func(t *testing.T) {
			t.Parallel()
			s := newShellAgo(t, 12*day, sandbox.Options{Users: 300, Seed: 5}, replace(t, "days(90)", "days(3650)"))
			first := s.plan(exitDone)
			c, i := s.change(first, by("m365-idle-60", via))
			before := holding(s.company.Company)[i]
			tries := 0
			s.company.Intercept(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case !isWrite(r):
						next.ServeHTTP(w, r)
						return
					case strings.HasSuffix(r.URL.Path, "/assignLicense"):
						w.Header().Set("Content-Type", "application/json")
						_, _ = w.Write([]byte(`{"id":"` + c.User + `"}`))
					default:
						w.WriteHeader(http.StatusNoContent)
					}
					if r.Method == http.MethodPost {
						tries++
					}
				})
			})
			s.want(exitDone, "apply", first.Run, "--yes")
			failed := 0
			for range 7 {
				s.later(day)
				p := s.plan(exitDone, "--user", c.UserPrincipalName)
				if len(p.Resumes) == 0 {
					break
				}
				if a := s.run("apply", p.Run, "--yes"); a.status == exitFailed {
					failed++
				}
			}
			status, nights := runs.Failed, 1
			if via == plan.Direct {
				status, nights = runs.Kept, 0
			}
			if r := s.became(first.Run, c); r.Status != status || failed != nights {
				t.Errorf("%+v, and %d nights failed", r, failed)
			}
			if most := 5 * len(first.Changes); tries > most {
				t.Errorf("%d writes for %d changes", tries, len(first.Changes))
			}
			if after := holding(s.company.Company)[i]; !slices.Equal(before, after) {
				t.Errorf("held %v and holds %v", before, after)
			}
		})
	}
}

// TestWhatIsResumedIsListed: the next plan lists each change that an earlier run began and did not finish, and says why
// it waits.
func TestWhatIsResumedIsListed(t *testing.T) {
	t.Parallel()
	s, first, c, _ := waiting(t)
	s.later(time.Hour)
	next := s.plan(exitDone)
	pending := 0
	for _, r := range s.results(first.Run).Results {
		if r.Status == runs.Pending {
			pending++
		}
	}
	i := slices.IndexFunc(next.Pending, func(b plan.Begun) bool { return b.User == c.User })
	if i < 0 || len(next.Pending) != pending || !slices.Equal(next.Resumes, []string{first.Run}) {
		t.Fatalf("%d are pending, resumes %q, listed %+v", pending, next.Resumes, next.Pending)
	}
	b := next.Pending[i]
	if b.UserPrincipalName != c.UserPrincipalName || b.License != "m365-e3" || b.To != "exchange-online" || b.Run != first.Run || !strings.HasPrefix(b.Reason, "joined the target group; waiting") {
		t.Errorf("listed: %+v", b)
	}
	text := string(s.want(exitDone, "plan").out)
	for _, want := range []string{"begun by earlier runs and not finished: ", c.UserPrincipalName, first.Run, "joined the target group; waiting for its license"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan for people does not say %q:\n%s", want, text)
		}
	}
}

// TestRestoreStopsOne restores one person while changes of a run are pending. Only this person's change stops.
func TestRestoreStopsOne(t *testing.T) {
	t.Parallel()
	for _, left := range []bool{false, true} {
		t.Run(map[bool]string{false: "before the source was left", true: "after"}[left], func(t *testing.T) {
			t.Parallel()
			s, first, c, i := waiting(t, withoutGrace(t))
			if left {
				s.later(13 * time.Hour)
				s.want(exitDone, "apply", first.Run, "--yes")
			}
			writes := len(s.company.Company.History())
			s.want(exitDone, "restore", c.UserPrincipalName, "--yes")
			for _, e := range s.company.Company.History()[writes:] {
				if e.Person != i && (e.What == sandbox.MemberAdded || e.What == sandbox.MemberRemoved) {
					t.Errorf("written about somebody else: %+v", e)
				}
			}
			s.night()
			s.endsInSource(first, c, i, runs.Kept, "somebody asked to restore it")
			if got := s.night().reason(c.User, c.License); !strings.HasPrefix(got, "cooling down: restored on ") {
				t.Errorf("later plans say %q", got)
			}
			others := s.results(first.Run)
			if n := others.Count(runs.Done); n < 2 {
				t.Errorf("%d others are done: %+v", n, others)
			}
		})
	}
}

// TestRestoreWithoutDates: Graph no longer returns sign-in dates, and an operator restores a run whose changes are
// half-way. The restore rolls these changes back, and so do later calls that apply its plan.
func TestRestoreWithoutDates(t *testing.T) {
	t.Parallel()
	s, first, c, i := waiting(t)
	s.later(13 * time.Hour)
	s.want(exitDone, "apply", first.Run, "--yes") // the person has left the group of E3
	s.company.Intercept(edited("/users", func(user map[string]any) { delete(user, "signInActivity") }))
	s.want(exitDone, "restore", "--run", first.Run, "--yes")
	all, err := filepath.Glob(s.path("store/runs/*"))
	if err != nil || len(all) < 2 {
		t.Fatalf("%v, %v", all, err)
	}
	back := filepath.Base(all[len(all)-1])
	for range 3 { // the last call has nothing left to do
		s.later(13 * time.Hour)
		s.want(exitDone, "apply", back, "--yes")
	}
	s.endsInSource(first, c, i, runs.Kept, "its run is being restored")
}

// TestRestoreThatCannotResume: a restore fails if a run that it resumes is refused. Any other plan does not fail,
// because the next plan resumes the run.
func TestRestoreThatCannotResume(t *testing.T) {
	t.Parallel()
	stuck := resumed{refused: true}
	if err := stuck.failure(&plan.Plan{Run: "r2", Restores: "r1"}, nil); !errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), "run r2: not rolled back") {
		t.Errorf("a restore: %v", err)
	}
	if err := stuck.failure(&plan.Plan{Run: "r2"}, nil); err != nil {
		t.Errorf("another plan: %v", err)
	}
}
