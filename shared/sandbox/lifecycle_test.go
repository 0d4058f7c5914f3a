package sandbox

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHire: an absent person has no accounts. A hired person has new accounts and gets the licenses of the person's
// groups. Hire changes nothing for a person who is present.
func TestHire(t *testing.T) {
	t.Parallel()
	now := newClock()
	v := newViewer(t, Options{Users: 60, Absent: 30, Now: now.now, LicenseDelay: 100 * time.Hour})
	c := v.s.Company
	seats := func() int { _, consumed := c.Seats("SPE_E3"); return consumed }
	first := seats()
	if _, full := NewCompany(Options{Users: 60, Now: fixedNow}).Seats("SPE_E3"); full <= first {
		t.Errorf("%d seats without those who are absent, %d with them", first, full)
	}
	now.turn(3 * day)
	inE3, inCitrix := 0, 0
	for i := range c.Size() {
		now.turn(time.Minute) // the limit is 10 users with sign-in activity per minute
		hired := now.now()
		facts := v.of(i)
		if spare := i >= 30; spare != (c.Person(i).Entra == nil && c.Person(i).AD == nil) {
			t.Errorf("person %d is there, or is not: %v", i, facts)
		}
		c.Hire(i)
		p, after := c.Person(i), v.of(i)
		if i < 30 {
			if diff := cmp.Diff(facts, after); diff != "" {
				t.Errorf("person %d, who is there, was hired:\n%s", i, diff)
			}
			continue
		}
		if p.Kind == Synced && (after["entra createdDateTime"] != hired.Format(time.RFC3339) || after["ad whenCreated"] != fmt.Sprintf("[%q]", generalizedTime(hired)) ||
			after["entra lastSignInDateTime"] != "" || after["ad lastLogonTimestamp"] != "" || after["holds E3"] == "LIC-M365-E3") {
			t.Errorf("person %d: %v", i, after)
		}
		if slices.Contains(p.Groups, "LIC-M365-E3") {
			inE3++
		}
		if slices.Contains(p.ADGroups, CitrixGroup) {
			inCitrix++
		}
	}
	if inE3 < 10 || inCitrix < 5 {
		t.Errorf("hired into the groups: %d, %d", inE3, inCitrix)
	}
	now.turn(101 * time.Hour)
	holders := 0
	for i := 30; i < c.Size(); i++ {
		if len(c.Truth(i).E3) > 0 {
			holders++
		}
	}
	if got := seats() - first; got != holders || holders < inE3 {
		t.Errorf("%d more seats, %d hired holders, %d in the group", got, holders, inE3)
	}
	gained := 0
	for _, e := range c.History() {
		if !e.ByHand || e.What != UserMade && e.What != LicenseGained {
			t.Errorf("event %+v", e)
		}
		if e.What == LicenseGained && e.SKU == skuE3 {
			gained++
		}
	}
	if want := seats() - first; gained != want {
		t.Errorf("%d events of a license gained, %d seats", gained, want)
	}
}

// TestSignInIsShownLater: Graph shows a sign-in up to a day late. The method Truth returns the sign-in at once.
func TestSignInIsShownLater(t *testing.T) {
	t.Parallel()
	now := newClock()
	v := newViewer(t, Options{Now: now.now})
	c, at := v.s.Company, testStart.Add(time.Hour)
	now.turn(2 * time.Hour)
	c.SignInAs(ingrid, SignIn{At: at, Shown: at.Add(20 * time.Hour), How: Interactive})
	c.SignInAs(ingrid, SignIn{At: at.Add(time.Minute), Shown: at.Add(10 * time.Hour), How: NonInteractive})
	for _, step := range []struct {
		turn                        time.Duration
		interactive, nonInteractive bool
	}{{0, false, false}, {8*time.Hour + 59*time.Minute, false, false}, {time.Minute, false, true}, {10 * time.Hour, true, true}} {
		now.turn(step.turn)
		u := v.of(ingrid)
		shown := [2]bool{u["entra lastSignInDateTime"] == at.Format(time.RFC3339), u["entra lastNonInteractiveSignInDateTime"] == at.Add(time.Minute).Format(time.RFC3339)}
		if want := [2]bool{step.interactive, step.nonInteractive}; shown != want {
			t.Errorf("at %s: shown %v, want %v", now.now(), shown, want)
		}
		if last := c.Truth(ingrid).LastSignIn; !last.Equal(at.Add(time.Minute)) {
			t.Errorf("at %s: the last sign-in was at %s", now.now(), last)
		}
	}
}

// TestGone: no list has a deleted person, and an account cannot be restored after 30 days in the bin.
func TestGone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		delete func(*Company)
		back   func(*Company)
		after  time.Duration
		there  bool
	}{
		"in the bin": {func(c *Company) { c.SetInBin(ingrid, true) }, func(c *Company) { c.SetInBin(ingrid, false) }, 30 * day, true},
		"too long":   {func(c *Company) { c.SetInBin(ingrid, true) }, func(c *Company) { c.SetInBin(ingrid, false) }, 31 * day, false},
		"for good":   {func(c *Company) { c.Delete(ingrid) }, func(c *Company) { c.SetInBin(ingrid, false) }, 0, false},
		"from the bin for good": {func(c *Company) {
			c.SetInBin(ingrid, true)
			c.Delete(ingrid)
		}, func(c *Company) { c.SetInBin(ingrid, false) }, 0, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := newClock()
			v := newViewer(t, Options{Now: now.now})
			c := v.s.Company
			before := v.of(ingrid)
			tc.delete(c)
			c.SetInADBin(ingrid, true)
			for fact, value := range v.of(ingrid) {
				if fact == "holds E3" && value != "" || fact == "entra id" || fact == "ad cn" {
					t.Errorf("deleted: %s is %s", fact, value)
				}
			}
			now.turn(tc.after)
			tc.back(c)
			c.SetInADBin(ingrid, false)
			after := v.of(ingrid)
			if diff := changes(before, after); (diff == nil) != tc.there || (after["entra id"] != "") != tc.there || after["ad cn"] == "" {
				t.Errorf("back: %q", diff)
			}
		})
	}
}

// TestGroupsChangeWhileInTheBin: a restored account is in the groups that exist at the restore, and has their
// licenses.
func TestGroupsChangeWhileInTheBin(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		do     func(*Company)
		e3     string
		target string
		citrix string
	}{
		"another group": {func(c *Company) {
			c.SetMember(ingrid, "LIC-M365-E3", false)
			c.SetMember(ingrid, "LIC-EXO-P1", true)
		}, "", "LIC-EXO-P1", "Citrix Users"},
		"made again":                     {func(c *Company) { c.ChangeGroup("LIC-M365-E3", GroupChange{ID: anotherID}) }, "", "", "Citrix Users"},
		"emptied":                        {func(c *Company) { c.ChangeGroup("LIC-M365-E3", GroupChange{Emptied: true}) }, "", "", "Citrix Users"},
		"deleted":                        {func(c *Company) { c.ChangeGroup("LIC-M365-E3", GroupChange{Deleted: true}) }, "", "", "Citrix Users"},
		"made dynamic":                   {func(c *Company) { c.ChangeGroup("LIC-M365-E3", GroupChange{Rule: `user.department -eq "Sales"`}) }, "", "", "Citrix Users"},
		"made dynamic, asks for them":    {func(c *Company) { c.ChangeGroup("LIC-M365-E3", GroupChange{Rule: `user.department -eq "Engineering"`}) }, "LIC-M365-E3", "", "Citrix Users"},
		"made again in Active Directory": {func(c *Company) { c.ChangeADGroup("Citrix Users", ADGroupChange{Remade: 1}) }, "LIC-M365-E3", "", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newViewer(t, Options{})
			c := v.s.Company
			c.SetInBin(ingrid, true)
			c.SetInADBin(ingrid, true)
			tc.do(c)
			c.SetInADBin(ingrid, false)
			if !c.SetInBin(ingrid, false) {
				t.Error("not back")
			}
			u := v.of(ingrid)
			want := []string{tc.e3, tc.target, tc.citrix}
			if diff := cmp.Diff(want, []string{u["holds E3"], u["holds Exchange"], u["holds Citrix"]}); diff != "" {
				t.Errorf("holds (-want +got):\n%s", diff)
			}
			for _, path := range c.Person(ingrid).Entra.Assignments {
				if _, _, err := c.groupOf(path.Group); err != nil {
					t.Errorf("a path by a group that is gone: %+v", path)
				}
			}
		})
	}
}

// TestByHand: if somebody changes a membership by hand, the event of the change has ByHand set. The later event of the
// gain or loss of the license has ByHand set, too.
func TestByHand(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := newAsker(t, Options{Now: now.now, LicenseDelay: time.Hour})
	a.member("POST", groupExchange, ingrid)
	a.c.SetMember(ingrid, "LIC-M365-E3", false)
	now.turn(30 * time.Minute)
	a.member("DELETE", groupExchange, ingrid)
	a.c.SetMember(nora, "LIC-M365-E3", false)
	now.turn(2 * time.Hour)
	want := []string{"member added LIC-EXO-P1", "member removed LIC-M365-E3 by hand", "member removed LIC-EXO-P1", "member removed LIC-M365-E3 by hand",
		"license gained EXCHANGESTANDARD", "license lost SPE_E3 by hand", "license lost EXCHANGESTANDARD mailbox", "license lost SPE_E3 mailbox by hand"}
	if diff := cmp.Diff(want, told(a.c.History())); diff != "" {
		t.Error(diff)
	}
}
