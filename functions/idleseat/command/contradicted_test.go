package command

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestContradictionIsNotForgotten: the anchor of a person in Entra ID (onPremisesImmutableId) contradicts the account
// with the same SID in Active Directory. The E3 rule needs only Entra ID, but it is undecided. It stays undecided the
// next night, when Active Directory is down and nothing shows the contradiction.
func TestContradictionIsNotForgotten(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 9*day, sandbox.Options{Users: 500, Seed: 4})
	_, wanda := idler(t, s, inE3)
	mended := false
	s.company.Intercept(edited("/users", func(user map[string]any) {
		if user["id"] == wanda && !mended {
			user["onPremisesImmutableId"] = "b3RoZXIgdGhhbiBoZXJzIQ=="
		}
	}))
	up := s.env
	down := func() {
		up = s.env
		s.setenv("IDLESEAT_AD_URLS", "ldaps://127.0.0.1:1")
	}
	undecided := func(when string, p printed, why string) {
		t.Helper()
		if got := p.reason(wanda, "m365-e3"); !strings.Contains(got, why) || p.planned(wanda, "m365-e3") {
			t.Errorf("%s: planned %t, %q, want %q", when, p.planned(wanda, "m365-e3"), got, why)
		}
	}
	seen := s.now().UTC().Format("2006-01-02")
	undecided("both read", s.plan(exitDone), "onPremisesImmutableId does not agree")
	s.later(day)
	down()
	what := "its accounts in Entra ID and Active Directory contradicted each other "
	why := what + "on " + seen + ", and Active Directory was not read in full this time"
	undecided("Active Directory down", s.plan(exitDone), why)
	undecided("for this person alone", s.plan(exitDone, "--user", wanda), why)
	undecided("accepted", s.plan(exitDone, "--accept-feeds"), what)
	s.env = up
	s.later(day)
	mended = true
	p := s.plan(exitDone)
	if !p.planned(wanda, "m365-e3") {
		t.Errorf("mended, and not decided: %q", p.reason(wanda, "m365-e3"))
	}
	s.later(day)
	down()
	if p = s.plan(exitDone); !p.planned(wanda, "m365-e3") {
		t.Errorf("mended, and Active Directory down: %q", p.reason(wanda, "m365-e3"))
	}
	s.unwritten()
}
