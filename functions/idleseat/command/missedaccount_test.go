package command

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestMissedAccountOvernight removes a person's Entra ID account from the list overnight. The verdict is undecided,
// because the account may have made the person exempt.
func TestMissedAccountOvernight(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 5*day, sandbox.Options{Users: 500, Seed: 4}, func(text string) string {
		head, rest, _ := strings.Cut(text, "  when:")
		_, rest, _ = strings.Cut(rest, "\n")
		return head + rest // the edit drops the exemption of guests, which would be undecided for people without an Entra account
	})
	i, _ := idler(t, s, inCitrix)
	sid, known := s.company.Company.Person(i).AD.SID, s.now().UTC().Format(time.DateOnly)
	s.plan(exitDone)
	s.later(day)
	s.company.Company.SetInBin(i, true)
	p := s.plan(exitDone)
	want := "an account in Entra ID was known on " + known + ", and was not read this time"
	if got := p.reason(sid, "citrix"); !strings.Contains(got, want) || p.planned(sid, "citrix") {
		t.Errorf("planned %t, %q, want %q", p.planned(sid, "citrix"), got, want)
	}
}
