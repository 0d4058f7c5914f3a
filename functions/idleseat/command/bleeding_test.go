package command

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// activeHolders returns the ids of active people. The E3 rule applies to them. They hold E3 through the group LIC-M365-E3
// and in no other way.
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

// The method "frozen" makes Graph return a fixed sign-in date for some people, even after they sign in. So these people
// look idle after some nights. A key of the argument "dates" is the object id of a person.
func (s *shell) frozen(dates map[string]time.Time) {
	s.company.Intercept(edited("/users", func(user map[string]any) {
		id, _ := user["id"].(string)
		if date, ok := dates[id]; ok && user["signInActivity"] != nil {
			user["signInActivity"] = map[string]any{"lastSignInDateTime": date.UTC().Format(time.RFC3339)}
		}
	}))
}

func taken(r runs.Results) (n int) {
	for _, x := range r.Results {
		if x.License == "m365-e3" && x.Status == runs.Done {
			n++
		}
	}
	return n
}

// TestSlowBleeding: each night a few more active people look idle, but fewer than stopAbove allows. Within 30 days, the
// runs take no more licenses than stopAbove allows.
func TestSlowBleeding(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 60*day, sandbox.Options{Users: 700, Seed: 4}, replace(t, "percent: 10", "percent: 12"))
	active, holders := s.activeHolders(), s.holders()
	perNight, dates := holders/40, map[string]time.Time{}
	if len(active) < 10*perNight {
		t.Fatalf("only %d of %d holders are active", len(active), holders)
	}
	for i, id := range active[:10*perNight] { // the person becomes idle in night i/perNight
		dates[id] = s.now().Add(-60*day + time.Duration(i/perNight)*day + day/2)
	}
	s.frozen(dates)
	p := s.plan(exitDone)
	all, nights := taken(s.done(p.Run)), 0
	for ; nights < 10; nights++ {
		s.later(day)
		if a := s.run("plan", "--format", "json"); a.status == exitHeld {
			break
		}
		n := taken(s.done(s.plan(exitDone).Run))
		if n == 0 {
			t.Fatalf("night %d: nobody is taken", nights+1)
		}
		all += n
	}
	if limit := 12 * holders / 100; nights == 10 || all > limit {
		t.Fatalf("%d of %d holders lost their license in %d nights, each below the limit of %d", all, holders, nights, limit)
	}
	held := s.plan(exitHeld)
	if why := strings.Join(held.HoldReasons, "\n"); !held.Overridable || !strings.Contains(why, "in the last 30 days") || !strings.Contains(why, p.Run) || !strings.Contains(why, "limits set aside") {
		t.Errorf("held by %q", held.HoldReasons)
	}
	// Restored licenses do not count as taken.
	s.want(exitDone, "restore", "--run", p.Run, "--yes")
	s.later(time.Minute)
	s.plan(exitDone)
	// After 31 days, the licenses that were taken in the first nights no longer count.
	for _, id := range active[(nights+1)*perNight:] { // these people are active again
		delete(dates, id)
	}
	s.later(31 * day)
	if p := s.plan(exitDone); e3Changes(p) < perNight/2 {
		t.Errorf("31 days later: %d changes", e3Changes(p))
	}
}

func (s *shell) holders() (n int) {
	for i := range s.company.Company.Size() {
		if p := s.company.Company.Person(i); p.Entra != nil && slices.ContainsFunc(p.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == "05e9a617-0261-4cee-bb44-138d3ef5d965" }) {
			n++
		}
	}
	return n
}

// TestOverrideAcceptsItsPeople: an override (--override-limits) accepts only the people in the plan. The next night,
// other idle people put the run on hold, even if they are no more than the accepted people.
func TestOverrideAcceptsItsPeople(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 10*day, sandbox.Options{Users: 700, Seed: 4}, replace(t, "perRun: 200", "perRun: 60"))
	active, dates := s.activeHolders(), map[string]time.Time{}
	for i, id := range active[:150] {
		dates[id] = s.now().Add(-200 * day) // the override accepts these people
		if i >= 80 {
			dates[id] = s.now().Add(-60*day + day/2) // other people, who become idle tomorrow
		}
	}
	s.frozen(dates)
	first := s.plan(exitHeld)
	if first.Matches["m365-idle-60"] < 80 || first.MatchHash == "" {
		t.Fatalf("matches %v", first.Matches)
	}
	s.done(first.Run, "--override-limits", first.PlanHash)
	for n := 1; ; n++ { // make the deferred changes of the accepted people
		next := s.plan(exitDone)
		if len(next.Changes) == 0 || n == 5 {
			break
		}
		if next.Verdict != plan.Review {
			t.Fatalf("plan %d: verdict %s, %q", n, next.Verdict, next.HoldReasons)
		}
		s.done(next.Run)
	}
	s.later(day)
	if p := s.plan(exitHeld); p.Matches["m365-idle-60"] > first.Matches["m365-idle-60"] || !strings.Contains(strings.Join(p.HoldReasons, "\n"), "rule m365-idle-60 matches 70 of") {
		t.Errorf("as many people as were overridden, but others: %v, %q", p.Matches, p.HoldReasons)
	}
}
