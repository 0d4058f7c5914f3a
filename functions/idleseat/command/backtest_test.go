package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

// keptNights makes plans on four nights, and returns the shell that runs commands on their store. It also returns the
// planned change of a person who signed in again before the last night.
func keptNights(t *testing.T) (*shell, plan.Change) {
	t.Helper()
	s := newShellAgo(t, 9*day, sandbox.Options{Users: 200, Seed: 16})
	if a := s.want(exitUsage, "backtest"); !strings.Contains(a.err, "there is no store") {
		t.Errorf("no store: %q", a.err)
	}
	first := s.plan(exitDone)
	if a := s.want(exitFailed, "backtest"); !strings.Contains(a.err, "no two snapshots of everybody to compare: it has 1 that fit the policy") {
		t.Errorf("one night: %q", a.err)
	}
	var back plan.Change
	for _, c := range first.Changes {
		if c.License == "m365-e3" {
			back = c
			break
		}
	}
	for n := range 3 {
		s.ahead.Add(int64(day))
		s.setenv("IDLESEAT_TEST_AHEAD", time.Duration(s.ahead.Load()).String())
		for i := range s.company.Company.Size() { // active people sign in, so that the sign-in dates do not look stale
			p := s.company.Company.Person(i)
			if p.Entra != nil && (p.Activity == sandbox.Active || n == 2 && p.Entra.ID == back.User) {
				s.company.Company.SignIn(i)
			}
		}
		s.plan(exitDone)
	}
	return s, back
}

func TestBacktest(t *testing.T) {
	t.Parallel()
	s, back := keptNights(t)
	s.plan(exitDone, "--run", latest)                  // a second run over the same snapshot
	s.plan(exitDone, "--user", back.UserPrincipalName) // a run for one person
	a := s.want(exitDone, "backtest", "--days", "45,60,600", "--regret", "50%", "--format", "json")
	var answer backtest.Answer
	if err := json.Unmarshal(a.out, &answer); err != nil {
		t.Fatalf("%v\n%.2000s", err, a.out)
	}
	if answer.Nights != 4 || len(answer.Rules) != 2 || answer.Rules[0].Name != "m365-idle-60" || answer.Accepted != 0.5 {
		t.Fatalf("%+v", answer)
	}
	got := map[int]backtest.Threshold{}
	for _, th := range answer.Rules[0].Thresholds {
		got[th.Days] = th
	}
	in60 := got[60]
	if len(got) != 3 || !in60.InForce || in60.Stock.Hits == 0 || in60.Stock.Hits != in60.People || in60.Seats != in60.People-1 || in60.MonthlySaving != 35*float64(in60.Seats) {
		t.Errorf("at 60 days: %+v", in60)
	}
	if got[45].People <= in60.People || got[600].People >= in60.People {
		t.Errorf("people at 45, 60 and 600 days: %d, %d, %d", got[45].People, in60.People, got[600].People)
	}
	if c := answer.Rules[0].Choice; c.Days != 0 || !strings.Contains(c.Reason, "keep more nights") {
		t.Errorf("four nights recommend something: %+v", c)
	}

	if err := os.WriteFile(s.path("backtest.html"), bytes.Repeat([]byte("old"), 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	text := string(s.want(exitDone, "backtest", "--rule", "citrix-idle-90", "--report", s.path("backtest.html")).out)
	if !strings.Contains(text, "by department, with the hits of the first night:") { // the rates by number of days are without them
		t.Errorf("the text does not say which hits of a department it counts:\n%s", text)
	}
	inDepartments := 0
	for _, d := range in60.Departments {
		inDepartments += d.Hits
	}
	if inDepartments != in60.Stock.Hits+in60.Flow.Hits {
		t.Errorf("%d hits in departments, %d and %d in all", inDepartments, in60.Stock.Hits, in60.Flow.Hits)
	}
	if info, err := os.Stat(s.path("backtest.html")); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 || info.Size() > 1<<20 {
		t.Errorf("the page replaces a file that everybody can read: %v, %v", info, err)
	}
	for _, want := range []string{"4 nights from", "rule citrix-idle-90, license citrix, 18.00 USD a month", "90 (in force)", "no recommendation: ", "DEPARTMENT"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	html, err := os.ReadFile(s.path("backtest.html"))
	for _, want := range []string{"<!DOCTYPE html>", "citrix-idle-90", "No number of days is recommended", "Inget antal dagar rekommenderas"} {
		if err != nil || !strings.Contains(string(html), want) {
			t.Errorf("the page lacks %q, %v", want, err)
		}
	}
	s.want(exitFailed, "backtest", "--rule", "citrix-idle-90", "--report", s.path("no/such/folder.html"))
	var before, after report.Night
	shown := func(n *report.Night) {
		t.Helper()
		if err := json.Unmarshal(s.want(exitDone, "show", answer.Last, "--format", "json").out, n); err != nil {
			t.Fatal(err)
		}
	}
	shown(&before)
	s.want(exitDone, "backtest", "--days", "45,60,600", "--keep")
	if shown(&after); before.Backtest != nil || after.Backtest == nil || cmp.Diff(answer.Kept(), after.Backtest, cmpopts.IgnoreFields(report.Backtest{}, "Version", "Accepted")) != "" {
		t.Errorf("the report shows %+v, and before it was kept %+v", after.Backtest, before.Backtest)
	}
	if strings.Contains(text, "m365-idle-60") {
		t.Errorf("another rule is tried:\n%s", text)
	}
	if d := answer.To.Sub(answer.From); d < 71*time.Hour || d > 73*time.Hour {
		t.Errorf("from %s to %s", answer.From, answer.To)
	}
	backtestsRefused(t, s)
}

// backtestsRefused checks which policies and flags the command backtest accepts and refuses.
func backtestsRefused(t *testing.T, s *shell) {
	t.Helper()
	policy := string(s.company.Policy())
	s.write("two.yaml", strings.Replace(policy, "created.value() <= now - days(90)", "created.value() <= now - days(30)", 1))
	s.write("group.yaml", strings.Replace(policy, "LIC-Exempt}", "LIC-Exempt-Leave}", 1))
	for _, tc := range []struct {
		status int
		args   string
		want   string
	}{
		{exitUsage, "--rule citrix", `it has no rule "citrix"; its rules are m365-idle-60, citrix-idle-90`},
		{exitUsage, "--policy two.yaml --rule citrix-idle-90", `has days(30), days(90); say which of them to replace: --constant 30`},
		{exitUsage, "--rule citrix-idle-90 --constant 91", "has no days(91); it has days(90)"},
		{exitUsage, "--regret 2x", "give a percentage from 0% to 100%"},
		{exitUsage, "--days 0", "give numbers of days from 1 to 3650"},
		{exitUsage, "--within 8", "within 7, 30 or 90 days, not 8"},
		{exitFailed, "--policy group.yaml", "did not read the members of the group entra:LIC-Exempt-Leave"},
		{exitDone, "--policy two.yaml --rule citrix-idle-90 --constant 30 --days 45", "30 (in force)"},
		{exitDone, "--policy two.yaml", "rule citrix-idle-90 is not tried"},
	} {
		args := strings.Fields(tc.args)
		for i, arg := range args {
			if strings.HasSuffix(arg, ".yaml") {
				args[i] = s.path(arg)
			}
		}
		if a := s.want(tc.status, append([]string{"backtest"}, args...)...); !strings.Contains(a.err+string(a.out), tc.want) {
			t.Errorf("%s: no %q in\n%s%s", tc.args, tc.want, a.err, a.out)
		}
	}
}

func TestDemoKeepsNights(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{"--nights=-1": "0 to 365 nights can be kept", "--nights 366": "0 to 365 nights can be kept"} {
		if a := call(t, append([]string{"demo"}, strings.Fields(args)...)...); a.status != exitUsage || !strings.Contains(a.err, want) {
			t.Errorf("%s: status %d, %q", args, a.status, a.err)
		}
	}
	a := call(t, "demo", "--users", "100", "--nights", "5")
	if a.status != exitDone {
		t.Fatalf("status %d, %s\n%s", a.status, a.err, a.out)
	}
	folder := matched(t, string(a.out), `(?m)cd (.*)$`)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	back := string(call(t, "backtest", "--store", filepath.Join(folder, "store")).out)
	for _, want := range []string{"7 nights from", "100 people in the last one", "60 (in force)"} {
		if !strings.Contains(back, want) {
			t.Errorf("no %q in\n%s", want, back)
		}
	}
}
