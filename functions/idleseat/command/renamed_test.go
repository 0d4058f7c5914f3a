package command

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestRenamedLicense renames a license in the policy after a run changed the license of a person. If the license was
// restored, the person must keep the license. If the change is pending, the change must not begin again.
func TestRenamedLicense(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		delay  time.Duration
		rename string // the present name of the license that is renamed
		before func(s *shell, run string, c plan.Change)
		asked  string // the license that the next plan must not change, by its name after the renaming
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
		}, "renamed", "cooling down: perhaps given on "},
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
