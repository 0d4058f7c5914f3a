package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// activeHolders are people who hold E3 by its group, sign in, and are asked by the
// rule about it.
func (s *shell) activeHolders() (ids []string) {
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.Activity == sandbox.Active && p.Entra != nil && p.Entra.EmployeeType == "Employee" && p.Entra.Enabled == directory.Yes &&
			p.Kind == sandbox.Synced && slices.Contains(p.Groups, "LIC-M365-E3") && len(p.Entra.Assignments) == 1 {
			ids = append(ids, p.Entra.ID)
		}
	}
	return ids
}

// looksIdle is a feed that tells old dates of some people, in lists and alone.
func (s *shell) looksIdle(ids []string) {
	s.company.Intercept(edited("/users", func(user map[string]any) {
		id, _ := user["id"].(string)
		if user["signInActivity"] != nil && slices.Contains(ids, id) {
			user["signInActivity"] = map[string]any{"lastSignInDateTime": "2026-01-01T08:00:00Z"}
		}
	}))
}

// taken is how many changes of E3 a run made.
func taken(r report.Results) (n int) {
	for _, x := range r.Results {
		if x.License == "m365-e3" && x.Status == report.Done {
			n++
		}
	}
	return n
}

// TestSlowBleeding: each night a broken feed shows other active people as idle, fewer
// than stopAbove. Together they may not be more than that in 30 days, either.
func TestSlowBleeding(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 60*day, sandbox.Options{Users: 700, Seed: 4}, replace(t, "percent: 10", "percent: 12"))
	p := s.plan(exitDone)
	holders := s.holders()
	all := taken(s.done(p.Run))
	active, perNight, nights := s.activeHolders(), holders/40, 0
	if len(active) < 10*perNight {
		t.Fatalf("only %d of %d holders are active", len(active), holders)
	}
	for ; nights < 10; nights++ {
		s.later(day)
		s.looksIdle(active[nights*perNight : (nights+1)*perNight])
		a := s.run("plan", "--format", "json")
		if a.status == exitHeld {
			break
		}
		r := s.done(s.plan(exitDone).Run)
		if n := taken(r); n == 0 {
			t.Fatalf("night %d: %d taken, and %d looked idle", nights+1, n, perNight)
		}
		all += taken(r)
	}
	if limit := 12 * holders / 100; nights == 10 || all > limit {
		t.Fatalf("%d of %d holders lost their license in %d nights, each below the limit of %d", all, holders, nights, limit)
	}
	held := s.plan(exitHeld)
	if why := strings.Join(held.HoldReasons, "\n"); !held.Overridable || !strings.Contains(why, "in the last 30 days") || !strings.Contains(why, p.Run) || !strings.Contains(why, "limits set aside") {
		t.Errorf("held by %q", held.HoldReasons)
	}
	// What is given back counts no more.
	s.company.Intercept(nil)
	s.want(exitDone, "restore", "--run", p.Run, "--yes")
	s.later(time.Minute)
	s.looksIdle(active[nights*perNight : (nights+1)*perNight])
	s.plan(exitDone)
	// After 30 days there is room again.
	s.company.Intercept(nil)
	s.later(31 * day)
	s.looksIdle(active[nights*perNight : (nights+1)*perNight])
	if p := s.plan(exitDone); e3Changes(p) < perNight {
		t.Errorf("31 days later: %d changes", e3Changes(p))
	}
}

// holders is how many hold E3.
func (s *shell) holders() (n int) {
	for i := range s.company.Company.Size() {
		if p := s.company.Company.Person(i); p.Entra != nil && slices.ContainsFunc(p.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == "05e9a617-0261-4cee-bb44-138d3ef5d965" }) {
			n++
		}
	}
	return n
}

// TestOverrideAcceptsItsPeople: an override accepts the people of the plan that was
// held. As many others, the night after, are held again.
func TestOverrideAcceptsItsPeople(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 700, Seed: 4}, replace(t, "perRun: 200", "perRun: 40"))
	active := s.activeHolders()
	accepted, others := active[:80], active[80:150]
	s.looksIdle(accepted)
	first := s.plan(exitHeld)
	if first.Matches["m365-idle-60"] < 80 || first.MatchHash == "" {
		t.Fatalf("matches %v", first.Matches)
	}
	s.done(first.Run, "--override-limits", first.PlanHash)
	if p := s.plan(exitDone); p.Verdict != plan.Review || len(p.Changes) != 40 {
		t.Errorf("the people who were accepted and deferred: verdict %s, %d changes, %q", p.Verdict, len(p.Changes), p.HoldReasons)
	}
	s.looksIdle(others)
	if p := s.plan(exitHeld); !strings.Contains(strings.Join(p.HoldReasons, "\n"), "rule m365-idle-60 matches 70 of") {
		t.Errorf("fewer people than were overridden, but others: %q", p.HoldReasons)
	}
}
