package command

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestRenamedLicense renames a license in the policy after a run changed the license of a person. A license that was
// restored stays with the person. A pending change does not begin again.
func TestRenamedLicense(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		delay  time.Duration
		rename string // the license that is renamed, by its name before that
		before func(s *shell, run string, c plan.Change)
		asked  string // the license that the next plan must not change, by its name after that
		want   string
	}{
		"restored": {20 * time.Millisecond, "m365-e3", func(s *shell, run string, c plan.Change) {
			s.done(run)
			s.restored(c.UserPrincipalName)
		}, "renamed", "cooling down: restored on "},
		"under way": {time.Hour, "m365-e3", func(s *shell, run string, _ plan.Change) {
			s.want(exitDone, "apply", run, "--yes")
		}, "renamed", "pending: run "},
		"to the license, under way": {time.Hour, "exchange-online", func(s *shell, run string, _ plan.Change) {
			s.want(exitDone, "apply", run, "--yes")
		}, "m365-e3", "pending: run "},
		"to the license": {20 * time.Millisecond, "exchange-online", func(s *shell, run string, _ plan.Change) {
			s.done(run)
		}, "renamed", "cooling down: given in place of m365-e3 on "},
	}
	const another = `
  - name: mail-idle-60
    license: renamed
    when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()
    then: {remove: true, mailbox: lost}
`
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: tc.delay}, withoutGrace(t))
			p := s.plan(exitDone)
			c, _ := s.change(p, by("m365-idle-60", plan.EntraGroup))
			tc.before(s, p.Run, c)
			s.write("policy.yaml", strings.ReplaceAll(withoutGrace(t)(string(s.company.Policy())), tc.rename, "renamed")+another)
			next := s.plan(exitDone)
			if got := next.reason(c.User, tc.asked); !strings.HasPrefix(got, tc.want) {
				t.Errorf("left alone for %q, want %q", got, tc.want)
			}
			for _, again := range next.Changes {
				if again.User == c.User && again.License != "citrix" {
					t.Errorf("begun again: %+v", again)
				}
			}
		})
	}
}

func relicensed(old, new string) policyText {
	return func(text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, "license: "+old+"\n", "license: "+new+"\n"), "  "+old+": ", "  "+new+": ")
	}
}

// TestRenamedAfterTheHelpDesk renames a license after the help desk gave it back to a person. The person keeps it.
func TestRenamedAfterTheHelpDesk(t *testing.T) {
	t.Parallel()
	for license, group := range map[string]string{"citrix": "Citrix Users", "m365-e3": "LIC-M365-E3"} {
		t.Run(license, func(t *testing.T) {
			t.Parallel()
			s := newShellAgo(t, 10*day, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: time.Millisecond}, withoutGrace(t))
			p := s.plan(exitDone)
			s.finish(p.Run)
			c, who := s.change(p, func(c plan.Change) bool {
				return c.License == license && (c.Via == plan.ADGroup || c.Via == plan.EntraGroup) && !strings.HasPrefix(c.User, "S-1-")
			})
			s.later(12 * time.Hour)
			s.company.Company.SetMember(who, group, true)
			s.write("policy.yaml", relicensed(license, "renamed")(withoutGrace(t)(string(s.company.Policy()))))
			for _, want := range []string{"cooling down: restored by somebody else after run " + p.Run, "cooling down: restored on "} {
				s.later(12 * time.Hour)
				next := s.plan(exitDone)
				if got := next.reason(c.User, "renamed"); !strings.HasPrefix(got, want) {
					t.Errorf("left alone because of %q, want %q", got, want)
				}
				if slices.ContainsFunc(next.Changes, func(again plan.Change) bool { return again.User == c.User && again.License == "renamed" }) {
					t.Errorf("planned again: %+v", next.Changes)
				}
				if all := s.story("history", c.User).Ledger; len(all) != 1 || all[0].License != license || all[0].Undo != "" || all[0].CoolsUntil.IsZero() {
					t.Errorf("the history has %+v", all)
				}
			}
		})
	}
}

// TestRenamedAndBack renames a license after it was taken. When the person returns, the plan lists the person, and a
// restore gives the license back.
func TestRenamedAndBack(t *testing.T) {
	t.Parallel()
	restoring := replace(t, "then: remove", "then: {remove: true, onReturn: restore}")
	s := newShellAgo(t, 10*day, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: time.Millisecond}, restoring)
	p := s.plan(exitDone)
	s.finish(p.Run)
	c, who := s.change(p, func(c plan.Change) bool { return c.License == "citrix" && !strings.HasPrefix(c.User, "S-1-") })
	s.write("policy.yaml", relicensed("citrix", "citrix-apps")(restoring(string(s.company.Policy()))))
	s.later(2 * day)
	s.company.Company.LogOn(who)
	s.company.Company.SignIn(who)
	next := s.plan(exitDone)
	i := slices.IndexFunc(next.Returned, func(r listed) bool { return r.User == c.User && r.License == "citrix-apps" })
	if i < 0 || !strings.Contains(next.Returned[i].Reason, "other names for its licenses than when it was taken; `idleseat restore ") {
		t.Errorf("returned: %+v", next.Returned)
	}
	if r := s.restored(c.UserPrincipalName); r.Count(runs.Done) == 0 || !slices.Contains(s.company.Company.Person(who).ADGroups, sandbox.CitrixGroup) {
		t.Errorf("not restored: %+v", r)
	}
}
