package endtoend

import (
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

const day = 24 * time.Hour

// The type "calendar" is a clock that a test can set back, so that a company can have a past.
type calendar struct{ apart atomic.Int64 }

func (c *calendar) now() time.Time { return time.Now().Add(time.Duration(c.apart.Load())) }

// The method "pass" moves the clock by d. The product uses the real time, so a test must set the clock to the real
// time again before the product reads the company.
func (c *calendar) pass(d time.Duration) { c.apart.Add(int64(d)) }

func (r *rig) signInAll() {
	c := r.box.Company
	for i := range c.Size() {
		p := c.Person(i)
		if p.Entra != nil && p.Activity == sandbox.Active {
			c.SignIn(i)
		}
		if p.AD != nil && p.Logon == sandbox.Active {
			c.LogOn(i)
		}
	}
}

// usagePolicy returns a function that replaces the policy by the example policy about usage reports. It changes only the
// mode, because nothing may be written in mode audit.
func usagePolicy(t *testing.T) func(string) string {
	text, err := os.ReadFile("../policy_usage.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return func(string) string {
		reviewed := strings.Replace(string(text), "mode: audit", "mode: review", 1)
		if reviewed == string(text) {
			t.Fatal("the example policy is not in mode audit")
		}
		return reviewed
	}
}

// copilotGroup is the group that gives Copilot in the example policy.
const copilotGroup = "LIC-Copilot"

// TestCopilotUnused: with the example policy about usage reports as it is shipped, only the two people who have not used
// Copilot for 45 days leave its group. People who use Teams without a sign-in lose no license. A restore returns all
// licenses.
func TestCopilotUnused(t *testing.T) {
	t.Parallel()
	small, at := company, &calendar{}
	small.Users, small.Now = 300, at.now
	at.pass(-60 * day) // the licenses must be old enough to be unused for 45 days
	r := newRig(t, options{company: small, mode: "review", edit: usagePolicy(t)})
	c := r.box.Company
	holders := r.giveCopilot()
	at.pass(60 * day)
	r.signInAll()
	now := time.Now()
	for _, i := range holders {
		c.Use(i, directory.CopilotUse, now.AddDate(0, 0, -5))
	}
	idle, never, recent := holders[0], holders[1], holders[2]
	busy := r.idleHolders()[3:] // the other three are few enough for the limits
	c.Use(idle, directory.CopilotUse, now.AddDate(0, 0, -60))
	c.Use(never, directory.CopilotUse, time.Time{})
	c.Use(recent, directory.CopilotUse, now.AddDate(0, 0, -40))
	for _, i := range busy {
		c.Use(i, directory.TeamsUse, now.AddDate(0, 0, -9)) // the person has not signed in for months
	}
	before := r.holdings()
	idleseat := r.operator()
	p := r.applied(idleseat)
	if f := p.Sources["copilot"]; f.State != plan.Healthy || p.Sources["m365.teams"].State != plan.Healthy {
		t.Errorf("the signals: %+v", p.Sources)
	}
	var lost []int
	moved := 0
	for i := range c.Size() {
		who := c.Person(i).Entra
		for _, change := range p.Changes {
			if who == nil || change.User != who.ID {
				continue
			}
			if slices.Contains(busy, i) {
				t.Errorf("somebody who uses Teams loses a license: %+v", change)
			}
			switch change.License {
			case "copilot":
				if lost = append(lost, i); r.holdsCopilot(i) {
					t.Errorf("%s holds Copilot", who.UserPrincipalName)
				}
			case "m365-e3":
				moved++
			}
		}
	}
	if diff := cmp.Diff([]int{idle, never}, lost); diff != "" {
		t.Errorf("who loses Copilot (-want +got):\n%s", diff)
	}
	if moved < 3 {
		t.Errorf("%d people are moved from E3", moved)
	}
	r.restored(idleseat, p.Run, before)
}

func (r *rig) giveCopilot() (holders []int) {
	c := r.box.Company
	c.ChangeGroup("Duplicate", sandbox.GroupChange{Name: copilotGroup, More: []string{"Microsoft_365_Copilot"}})
	for i := range c.Size() {
		p := c.Person(i)
		if p.Kind == sandbox.Synced && p.Activity == sandbox.Active && p.Entra.Enabled == directory.Yes && i%5 == 0 {
			c.SetMember(i, "Duplicate", true)
			holders = append(holders, i)
		}
	}
	if len(holders) < 30 {
		r.Fatalf("only %d hold Copilot", len(holders))
	}
	return holders
}

// idleHolders returns the people from whom the rule for E3 would take E3 if there were no usage reports.
func (r *rig) idleHolders() (idle []int) {
	c := r.box.Company
	for i := range c.Size() {
		p := c.Person(i)
		if p.Entra != nil && p.Entra.Enabled == directory.Yes && slices.Contains(p.Groups, "LIC-M365-E3") && time.Since(p.Entra.LastActivity()) > 90*day {
			idle = append(idle, i)
		}
	}
	if len(idle) < 4 {
		r.Fatalf("only %d are idle", len(idle))
	}
	return idle
}

func (r *rig) holdsCopilot(i int) bool {
	return slices.ContainsFunc(r.box.Company.Person(i).Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == "639dec6b-bb19-468b-871c-c5c441c4b0cb" })
}
