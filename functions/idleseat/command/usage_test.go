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

func copilotRule(text string) string {
	text = strings.Replace(text, "\nattributes:\n", "\nattributes:\n  copilotUse: copilot.lastActivity\n", 1)
	text = strings.Replace(text, "\nlicenses:\n", "\nlicenses:\n  copilot: {sku: Microsoft_365_Copilot, monthlyPrice: 30}\n", 1)
	text = strings.Replace(text, "newHolder: 14", "newHolder: 0", 1) // the people have held Copilot for only an hour, and must not count as new holders
	return text + `
  - name: copilot-unused-45
    license: copilot
    for: accountEnabled
    when: copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()
    then: remove
`
}

// withCopilot starts a company in which a third of the active employees have Copilot by direct assignment. The result
// "holders" has their indexes.
func withCopilot(t *testing.T, edit ...policyText) (s *shell, holders []int) {
	t.Helper()
	s = newShell(t, sandbox.Options{Users: 300, Seed: 14, LicenseDelay: 20 * time.Millisecond}, append([]policyText{copilotRule}, edit...)...)
	c := s.company.Company
	for i := range c.Size() {
		p := c.Person(i)
		if p.Entra == nil || p.Kind != sandbox.Synced || p.Activity != sandbox.Active || p.Entra.Enabled != directory.Yes || p.Entra.EmployeeType != "Employee" || i%3 > 0 ||
			slices.Contains(p.Groups, "LIC-Exempt") || strings.HasPrefix(p.Entra.UserPrincipalName, "breakglass") {
			continue
		}
		c.AssignDirectly(i, "Microsoft_365_Copilot")
		holders = append(holders, i)
	}
	if len(holders) < 40 {
		t.Fatalf("only %d hold Copilot", len(holders))
	}
	return s, holders
}

func (s *shell) copilots(p printed) (taken []int) {
	for _, c := range p.Changes {
		if c.License == "copilot" {
			taken = append(taken, s.number(c.User))
		}
	}
	slices.Sort(taken)
	return taken
}

// TestCopilotUnused runs a rule about a usage report from plan to restore. A person may lose Copilot only if the person
// has not used it for a long time, or never.
func TestCopilotUnused(t *testing.T) {
	t.Parallel()
	s, holders := withCopilot(t)
	c := s.company.Company
	c.SetReports(sandbox.Reports{Older: true}) // some tenants have the report only in Graph beta
	now := time.Now()
	for _, i := range holders {
		c.Use(i, directory.CopilotUse, now.AddDate(0, 0, -5))
	}
	idle, never, recent := holders[0], holders[1], holders[2]
	c.Use(idle, directory.CopilotUse, now.AddDate(0, 0, -60))
	c.Use(never, directory.CopilotUse, time.Time{})
	c.Use(recent, directory.CopilotUse, now.AddDate(0, 0, -44))
	before := holding(c)
	p := s.plan(exitDone)
	if f := p.Sources["copilot"]; f.State != plan.Healthy {
		t.Fatalf("the signal: %+v", f)
	}
	if _, judged := p.Sources["m365.teams"]; judged {
		t.Error("a signal is judged that no rule names")
	}
	if got, want := s.copilots(p), []int{idle, never}; !slices.Equal(got, want) {
		t.Fatalf("%v lose Copilot, want %v", got, want)
	}
	for user, wants := range map[int][]string{
		idle:   {"rule copilot-unused-45 says reclaim", "no use of Copilot since", "signal copilot, by a usage report that tells of"},
		never:  {"rule copilot-unused-45 says reclaim", "copilotUse none since"},
		recent: {"rule copilot-unused-45 says keep", "last use of Copilot", "If no use of Copilot comes first, it is taken on "},
	} {
		text := string(s.want(exitDone, "explain", "--verbose", c.Person(user).Entra.UserPrincipalName).out)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("explain does not say %q:\n%s", want, text)
			}
		}
	}
	results := s.done(p.Run)
	if n := results.Count(runs.Done); n != len(p.Changes) {
		t.Errorf("%d of %d changes are done: %+v", n, len(p.Changes), results.Results)
	}
	for _, i := range []int{idle, never} {
		if s.holdsCopilot(i) {
			t.Errorf("person %d holds Copilot", i)
		}
	}
	s.restored("--run", p.Run)
	s.asBefore(before)
}

func (s *shell) holdsCopilot(i int) bool {
	return slices.ContainsFunc(s.company.Company.Person(i).Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == "639dec6b-bb19-468b-871c-c5c441c4b0cb" })
}

// TestReportsGoWrong breaks the usage report after a plan. Then neither that plan nor a new plan takes Copilot from
// people whom the report does not show as idle. The other changes of that plan are made.
func TestReportsGoWrong(t *testing.T) {
	t.Parallel()
	const halved = "part of the list is missing"
	for name, tc := range map[string]struct {
		edit   func(*sandbox.Company)
		dead   bool // whether the report shows nobody as idle
		reason string
	}{
		"concealed":        {func(c *sandbox.Company) { c.ConcealNames() }, true, "it conceals names"},
		"stalled":          {func(c *sandbox.Company) { c.SetReports(sandbox.Reports{Late: 6 * day}) }, true, "the feed has stalled"},
		"empty":            {func(c *sandbox.Company) { c.SetReports(sandbox.Reports{Empty: true}) }, true, "it is empty"},
		"without a column": {func(c *sandbox.Company) { c.SetReports(sandbox.Reports{Without: "Last Activity Date"}) }, true, "has no column"},
		"a blank column":   {func(c *sandbox.Company) { c.SetReports(sandbox.Reports{Blank: "Last Activity Date"}) }, true, "no Copilot activity date of any of"},
		"everybody twice":  {func(c *sandbox.Company) { c.SetReports(sandbox.Reports{Twice: true}) }, true, "names in several rows"},
		"half the names":   {func(c *sandbox.Company) { c.SetReports(sandbox.Reports{Unnamed: 2}) }, false, halved},
		"half the people":  {func(c *sandbox.Company) { c.SetReports(sandbox.Reports{Short: 2}) }, false, halved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, holders := withCopilot(t)
			c := s.company.Company
			now := time.Now()
			for n, i := range holders { // the first two people are idle
				c.Use(i, directory.CopilotUse, now.AddDate(0, 0, map[bool]int{true: -60, false: -5}[n < 2]))
			}
			first := s.plan(exitDone)
			if got := s.copilots(first); !slices.Equal(got, holders[:2]) {
				t.Fatalf("with a good report %v lose Copilot, want %v", got, holders[:2])
			}
			tc.edit(c)
			done := s.done(first.Run)
			if n := done.Count(runs.Done); n < len(first.Changes)-2 {
				t.Errorf("only %d of %d changes are done", n, len(first.Changes))
			}
			for n, i := range holders {
				if !s.holdsCopilot(i) && (tc.dead || n > 1) {
					t.Errorf("person %d lost Copilot by the plan of before", i)
				}
			}
			p := s.plan(exitHeld)
			f := p.Sources["copilot"]
			if f.State != plan.Unhealthy || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("the signal: %+v, want %q", f, tc.reason)
			}
			if got := s.copilots(p); len(got) > 0 {
				t.Errorf("%v lose Copilot by a plan made then", got)
			}
			if p.Counts.Undecided < len(holders)-2 {
				t.Errorf("only %d verdicts are undecided", p.Counts.Undecided)
			}
		})
	}
}
