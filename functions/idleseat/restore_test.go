package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// holding is what everybody holds: licenses with their paths and switched-off
// plans, and groups.
func holding(c *sandbox.Company) map[int][]string {
	all := map[int][]string{}
	for i := range c.Size() {
		p := c.Person(i)
		list := append(slices.Clone(p.Groups), p.ADGroups...)
		if p.Entra != nil {
			for _, a := range p.Entra.Assignments {
				list = append(list, strings.Join(append([]string{a.SKU, a.Group, a.State}, a.DisabledPlans...), " "))
			}
		}
		slices.Sort(list)
		all[i] = list
	}
	return all
}

// restored runs restore until nothing is pending.
func (s *shell) restored(args ...string) report.Results {
	s.t.Helper()
	var r report.Results
	if err := json.Unmarshal(s.want(exitDone, append([]string{"restore", "--yes", "--format", "json"}, args...)...).out, &r); err != nil {
		s.t.Fatal(err)
	}
	for r.Count(report.Pending) > 0 {
		time.Sleep(50 * time.Millisecond)
		run := r.Run
		r = report.Results{}
		if err := json.Unmarshal(s.want(exitDone, "apply", run, "--yes", "--format", "json").out, &r); err != nil {
			s.t.Fatal(err)
		}
	}
	return r
}

// TestRestore puts back one user and then the rest of a run: everybody holds
// what they held before.
func TestRestore(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 400, Seed: 9, LicenseDelay: 50 * time.Millisecond})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	s.finish(p.Run)
	if cmp.Equal(before, holding(s.company.Company)) {
		t.Fatal("nothing was taken")
	}
	one := p.Changes[0]
	if r := s.restored(one.UserPrincipalName); len(r.Results) == 0 || r.Count(report.Done) != len(r.Results) || r.Results[0].User != one.User {
		t.Errorf("one user: %+v", r)
	}
	if again := s.want(exitUsage, "restore", one.UserPrincipalName, "--yes"); !strings.Contains(again.err, "nothing to put back") {
		t.Errorf("again: %s", again.err)
	}
	r := s.restored("--run", p.Run)
	if n := r.Count(report.Done); n != len(r.Results) || n < len(p.Changes)-3 || n >= len(p.Changes) {
		t.Errorf("%d of %d done, the run had %d changes", n, len(r.Results), len(p.Changes))
	}
	diff := ""
	for range 100 { // licenses of the groups that were left follow membership
		if diff = cmp.Diff(before, holding(s.company.Company)); diff == "" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if diff != "" {
		t.Errorf("what people hold (-before +restored):\n%s", diff)
	}
	s.want(exitUsage, "restore", "--run", p.Run, "--yes")
	s.want(exitUsage, "restore", "--yes")
	s.want(exitUsage, "restore", "nobody@contoso.example", "--yes")
}
