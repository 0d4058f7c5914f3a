package command

import (
	"slices"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestTwoRulesOnePerson: if two rules match the same license of a person, only the first rule of the policy changes it.
// The plan says why the second rule does not.
func TestTwoRulesOnePerson(t *testing.T) {
	t.Parallel()
	second := `  - name: m365-idle-90
    license: m365-e3
    for: accountEnabled
    when: AzureAdSistaLogon.earlierThan(now - days(90))
    then: {remove: true, mailbox: lost}

  - name: citrix-idle-90`
	s := newShell(t, sandbox.Options{Users: 300, Seed: 6, LicenseDelay: 20 * time.Millisecond}, replace(t, "  - name: citrix-idle-90", second), replace(t, "percent: 10", "percent: 100"))
	p := s.plan(exitDone)
	superseded := map[string]bool{}
	for _, r := range p.Refused {
		if r.Rule == "m365-idle-90" && r.Reason == "superseded: the rule m365-idle-60 comes first in the policy and changes m365-e3" {
			superseded[r.User] = true
		}
	}
	both := 0
	for i, c := range p.Changes {
		if c.Rule == "m365-idle-60" && superseded[c.User] {
			both++
		}
		if c.Rule == "m365-idle-90" && superseded[c.User] {
			t.Errorf("%s is superseded and changed", c.UserPrincipalName)
		}
		for _, d := range p.Changes[:i] {
			if c.User == d.User && c.License == d.License {
				t.Errorf("%s is changed twice: %s by %s and %s", c.UserPrincipalName, c.License, d.Rule, c.Rule)
			}
		}
	}
	if both == 0 {
		t.Fatal("nobody is wanted by both rules")
	}
	if r := s.done(p.Run); r.Count(runs.Done) != len(p.Changes) {
		t.Errorf("%d of %d changes are done", r.Count(runs.Done), len(p.Changes))
	}
	for _, c := range p.Changes {
		if got := s.entries(c.User, c.License); !slices.Equal(got, []string{c.Rule + " done"}) {
			t.Errorf("the ledger of %s for %s: %v", c.UserPrincipalName, c.License, got)
		}
	}
}
