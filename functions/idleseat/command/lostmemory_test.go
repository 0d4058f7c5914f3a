package command

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// The method "damage" truncates those objects of a run whose keys match a pattern.
func (s *shell) damage(run, pattern string) {
	s.t.Helper()
	files, err := filepath.Glob(s.path("store/runs/" + run + "/" + pattern))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no objects match %s: %v", pattern, err)
	}
	for _, file := range files {
		s.rewrite(file, func(b []byte) []byte { return b[:len(b)/2] })
	}
}

func changed(p printed) (all []string) {
	for _, c := range p.Changes {
		all = append(all, c.User+" "+c.License)
	}
	return all
}

// TestUnreadableMemory damages the tables of known accounts, with which a run compares its dates with those of earlier
// runs. The next night makes these tables again from the readings of the earlier runs. Except for a note about the
// damage, its plan is the same as without damage.
func TestUnreadableMemory(t *testing.T) {
	t.Parallel()
	nights := func(t *testing.T, spoil func(s *shell, first, second string)) printed {
		s := newShellAgo(t, 3*day, sandbox.Options{Users: 100, Seed: 9})
		first := s.plan(exitDone)
		s.later(day)
		second := s.plan(exitDone)
		s.later(day)
		spoil(s, first.Run, second.Run)
		return s.plan(exitDone)
	}
	want := nights(t, func(*shell, string, string) {})
	if len(want.Changes) == 0 {
		t.Fatal("nobody is idle")
	}
	for name, spoil := range map[string]func(s *shell, first, second string){
		"damaged": func(s *shell, _, second string) { s.damage(second, "known/*") },
		"missing": func(s *shell, _, second string) { s.remove("runs/" + second + "/known/*") },
		"of two nights": func(s *shell, first, second string) {
			s.remove("runs/" + first + "/known/*")
			s.damage(second, "known/*")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := nights(t, spoil)
			if d := cmp.Diff(changed(want), changed(got)); d != "" {
				t.Errorf("changes (-without damage +with it):\n%s", d)
			}
			if !slices.ContainsFunc(got.Notes, func(n string) bool {
				return strings.HasPrefix(n, "memory of an earlier run is lost: ") && strings.Contains(n, "/known/0000.gz: ") && strings.Contains(n, "it was made again from what run ")
			}) {
				t.Errorf("notes %q", got.Notes)
			}
		})
	}
}

// TestMemoryIsLost damages the table of known accounts and the reading of the last run. In the second night, no date
// can be compared with an earlier one, so the rules are undecided, also in a second plan of this night. In the third night, they decide about people with a
// date, but not about people who may have lost the date.
func TestMemoryIsLost(t *testing.T) {
	t.Parallel()
	// The policy of this test has no grace periods. They would begin again when the earlier data are lost, and hide
	// what the test looks for.
	s := newShellAgo(t, 3*day, sandbox.Options{Users: 100, Seed: 9}, replace(t, ", newHolder: 14, enabledAgain: 14", ""))
	first := s.plan(exitDone)
	s.later(day)
	s.damage(first.Run, "known/*")
	s.damage(first.Run, "people/*")
	second := s.plan(exitDone)
	if len(second.Changes) > 0 || second.Counts.Undecided == 0 {
		t.Errorf("%d changes, %d undecided", len(second.Changes), second.Counts.Undecided)
	}
	if !slices.ContainsFunc(second.Notes, func(n string) bool {
		return strings.Contains(n, "it cannot be made again: ") && strings.Contains(n, "--accept-feeds")
	}) {
		t.Errorf("notes %q", second.Notes)
	}
	one := first.Changes[0]
	if got := second.reason(one.User, one.License); !strings.Contains(got, "what run "+first.Run+" knew of it cannot be read any more") || !strings.Contains(got, "decided again by the next run") {
		t.Errorf("the reason is %q", got)
	}
	s.later(10 * time.Minute)
	if again := s.plan(exitDone); len(again.Changes) > 0 {
		t.Errorf("ten minutes later, over the same data: %d changes", len(again.Changes))
	}
	accepted := s.plan(exitDone, "--accept-feeds")
	if len(accepted.Changes) == 0 {
		t.Error("an operator accepts the feeds, and nothing is planned")
	}
	s.remove("history/plans/" + accepted.Run + ".json") // now the third night knows only the undecided run, and not the run with --accept-feeds
	s.later(day)
	third := s.plan(exitDone)
	dated := 0
	for _, c := range first.Changes {
		switch planned := slices.Contains(changed(third), c.User+" "+c.License); {
		case c.IdleSince != nil && !planned:
			t.Errorf("%s of %s is not decided in the night after: %s", c.License, c.User, third.reason(c.User, c.License))
		case c.IdleSince == nil && planned:
			t.Errorf("%s of %s has no date, and may have lost one, but is planned", c.License, c.User)
		case c.IdleSince != nil:
			dated++
		}
	}
	if dated == 0 {
		t.Error("nobody has a date")
	}
}
