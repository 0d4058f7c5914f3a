package sandbox

import (
	"encoding/base64"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

var testStart = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: testStart} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func fixedNow() time.Time { return testStart }

func everybody(c *Company) (people []Person) {
	for i := range c.Size() {
		people = append(people, c.Person(i))
	}
	return people
}

func TestSameSeedSamePeople(t *testing.T) {
	t.Parallel()
	a := everybody(NewCompany(Options{Users: 300, Seed: 7, Now: fixedNow}))
	b := everybody(NewCompany(Options{Users: 300, Seed: 7, Now: fixedNow}))
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("same seed, other people:\n%s", diff)
	}
	other := everybody(NewCompany(Options{Users: 300, Seed: 8, Now: fixedNow}))
	if cmp.Equal(a[100:], other[100:]) {
		t.Error("another seed gave the same people")
	}
}

func holdsE3(p Person) bool {
	return p.Entra != nil && slices.ContainsFunc(p.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == skuE3 && a.Active() })
}

// idleInEntra reports whether the Microsoft 365 rule of the demo policy matches a person, apart from exemptions.
func idleInEntra(p Person) bool {
	last := p.Entra.LastActivity()
	idle := last.IsZero() && p.Entra.Created.Before(testStart.Add(-14*day)) || !last.IsZero() && last.Before(testStart.Add(-60*day))
	return idle && p.Entra.Enabled == directory.Yes && p.Entra.EmployeeType == "Employee"
}

func idleInAD(p Person) bool {
	if last := p.AD.LastLogonTimestamp; !last.IsZero() {
		return last.Before(testStart.Add(-90 * day))
	}
	return !p.AD.Created.After(testStart.Add(-90 * day))
}

func usesCitrix(p Person) bool {
	return slices.Contains(p.ADGroups, CitrixGroup) || slices.Contains(p.ADGroups, groups[groupContractors].dn)
}

// The function "exempted" reports whether the demo policy exempts a person, or cannot decide because the person's two
// accounts disagree.
func exempted(p Person) bool {
	return p.Index < 2 || p.Kind == WrongAnchor || slices.Contains(p.Groups, "LIC-Exempt") || slices.Contains(p.Groups, "LIC-Exempt-Leave")
}

type matched struct{ holders, matches int }

func (m matched) percent() float64 { return 100 * float64(m.matches) / float64(m.holders) }

func ruleMatches(c *Company) (m365, citrix matched) {
	for _, p := range everybody(c) {
		if holdsE3(p) {
			m365.holders++
			if idleInEntra(p) && !exempted(p) {
				m365.matches++
			}
		}
		if usesCitrix(p) {
			citrix.holders++
			if idleInAD(p) && !exempted(p) {
				citrix.matches++
			}
		}
	}
	return m365, citrix
}

func TestProportions(t *testing.T) {
	t.Parallel()
	for _, users := range []int{500, 777, 2000, 20_000} {
		for seed := range uint64(6) {
			c := NewCompany(Options{Users: users, Seed: seed, Now: fixedNow})
			m365, citrix := ruleMatches(c)
			for name, m := range map[string]matched{"m365": m365, "citrix": citrix} {
				if p := m.percent(); p < 5 || p >= 8.5 {
					t.Errorf("%d users, seed %d: rule %s matches %d of %d, %.1f %%", users, seed, name, m.matches, m.holders, p)
				}
			}
		}
	}
}

func TestSmallCompaniesStayWithinLimits(t *testing.T) {
	t.Parallel()
	for users := 20; users < 500; users += 15 {
		m365, citrix := ruleMatches(NewCompany(Options{Users: users, Seed: uint64(users), Now: fixedNow}))
		for name, m := range map[string]matched{"m365": m365, "citrix": citrix} {
			if m.matches >= 10 && m.percent() > 10 {
				t.Errorf("%d users: rule %s matches %d of %d and would be held", users, name, m.matches, m.holders)
			}
		}
	}
}

func TestSmallestCompanyHasEveryKind(t *testing.T) {
	t.Parallel()
	c := NewCompany(Options{Users: 1, Now: fixedNow})
	if c.Size() != 20 {
		t.Fatalf("Size() = %d, want 20", c.Size())
	}
	kinds, signIns, logons := map[Kind]bool{}, map[Activity]bool{}, map[Activity]bool{}
	var names []string
	disabledOne, duplicates := false, 0
	for _, p := range everybody(c) {
		kinds[p.Kind], signIns[p.Activity] = true, true
		if p.AD != nil {
			logons[p.Logon] = true
			names = append(names, p.AD.DisplayName)
			disabledOne = disabledOne || p.AD.Enabled == directory.No
		}
	}
	for _, n := range names {
		if n == "Kim Larsen" {
			duplicates++
		}
	}
	for _, k := range []Kind{Synced, CloudOnly, Guest, SharedMailbox, ADOnly, NoADAccount, WrongAnchor} {
		if !kinds[k] {
			t.Errorf("nobody is %s", k)
		}
	}
	for _, a := range []Activity{Active, Recent, Idle, Never, New, OnLeave} {
		if !signIns[a] {
			t.Errorf("nobody is %s in Entra ID", a)
		}
		if a != OnLeave && !logons[a] {
			t.Errorf("nobody is %s in Active Directory", a)
		}
	}
	if !disabledOne || duplicates != 2 {
		t.Errorf("disabled account: %t, people of one name: %d", disabledOne, duplicates)
	}
}

func TestAccountsAgree(t *testing.T) {
	t.Parallel()
	for _, p := range everybody(NewCompany(Options{Users: 1000, Seed: 3, Now: fixedNow})) {
		if p.Entra == nil || p.AD == nil {
			continue
		}
		if p.Entra.SID != p.AD.SID || !p.Entra.Synced || p.Entra.UserPrincipalName != p.AD.UserPrincipalName {
			t.Errorf("person %d: the accounts differ: %+v, %+v", p.Index, p.Entra, p.AD)
		}
		if agree := directory.EitherGUID.Fits(p.Entra.ImmutableID, p.AD); agree == (p.Kind == WrongAnchor) {
			t.Errorf("person %d (%s): anchor %s, immutable id %s", p.Index, p.Kind, directory.EitherGUID.Of(p.AD), p.Entra.ImmutableID)
		}
		if raw, err := base64.StdEncoding.DecodeString(p.AD.GUID); err != nil || len(raw) != 16 {
			t.Errorf("person %d: objectGUID %q", p.Index, p.AD.GUID)
		}
	}
}

func TestDatesFit(t *testing.T) {
	t.Parallel()
	for _, p := range everybody(NewCompany(Options{Users: 3000, Seed: 5, Now: fixedNow})) {
		if p.Entra != nil {
			last := p.Entra.LastActivity()
			if p.Entra.Created.After(testStart) || !last.IsZero() && (last.Before(p.Entra.Created) || last.After(testStart)) {
				t.Errorf("person %d: created %s, last activity %s", p.Index, p.Entra.Created, last)
			}
		}
		if p.AD != nil && !p.AD.LastLogonTimestamp.IsZero() {
			late := p.LastLogon.Sub(p.AD.LastLogonTimestamp)
			if late < 0 || late > 14*day || p.AD.LastLogonTimestamp.Before(p.AD.Created) || p.LastLogon.After(testStart) {
				t.Errorf("person %d: created %s, stamp %s, logon %s", p.Index, p.AD.Created, p.AD.LastLogonTimestamp, p.LastLogon)
			}
			if p.Logon == Idle && p.LastLogon.After(testStart.Add(-90*day)) {
				t.Errorf("person %d: idle by the stamp, not by lastLogon %s", p.Index, p.LastLogon)
			}
		}
	}
}

func TestIterators(t *testing.T) {
	t.Parallel()
	c := NewCompany(Options{Users: 200, Now: fixedNow})
	entra, ad := 0, 0
	for _, p := range everybody(c) {
		if p.Entra != nil {
			entra++
		}
		if p.AD != nil {
			ad++
		}
	}
	got := [2]int{len(slices.Collect(c.EntraUsers())), len(slices.Collect(c.ADUsers()))}
	if want := [2]int{entra, ad}; got != want {
		t.Errorf("iterators gave %v people, want %v", got, want)
	}
	for range c.EntraUsers() {
		break // the iterator must stop when the loop stops
	}
}

func TestPeopleComeBack(t *testing.T) {
	t.Parallel()
	now := newClock()
	c := NewCompany(Options{Users: 20, Now: now.now})
	const idle, active = 2, 15
	stamp := c.Person(active).AD.LastLogonTimestamp
	now.turn(time.Hour)
	c.SignIn(idle)
	c.LogOn(idle)
	p := c.Person(idle)
	if want := testStart.Add(time.Hour); !p.Entra.LastActivity().Equal(want) || !p.LastLogon.Equal(want) || !p.AD.LastLogonTimestamp.Equal(want) {
		t.Errorf("after coming back: %s, %s, %s", p.Entra.LastActivity(), p.LastLogon, p.AD.LastLogonTimestamp)
	}
	if testStart.Sub(stamp) < 13*day {
		c.LogOn(active)
		if got := c.Person(active).AD.LastLogonTimestamp; !got.Equal(stamp) {
			t.Errorf("lastLogonTimestamp moved from %s to %s within 14 days", stamp, got)
		}
	}
	if len(c.History()) != 0 {
		t.Error("signing in is no write")
	}
}
