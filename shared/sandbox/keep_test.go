package sandbox

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKeep: a company can be restored to a saved state any number of times, and the same changes then have the same
// effects.
func TestKeep(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := NewCompany(Options{Users: 60, Seed: 3, Now: func() time.Time { return now }, LicenseDelay: time.Minute})
	everybody := func() (list []Person) {
		for i := range c.Size() {
			list = append(list, c.Person(i))
		}
		return list
	}
	happens := func() (people []Person, events []Event) {
		at := now
		defer func() { now = at }()
		for i := range c.Size() {
			c.SetMember(i, "LIC-EXO-P1", i%2 == 0)
			c.SignIn(i)
			c.LogOn(i)
			if i%7 == 0 {
				c.SetEnabled(i, false)
			}
		}
		now = now.Add(time.Hour)
		events = c.History()
		return everybody(), events
	}
	happens()
	before, events := everybody(), c.History()
	back := c.Keep()
	once, onceEvents := happens()
	for range 2 {
		back()
		if d := cmp.Diff(before, everybody()); d != "" {
			t.Fatalf("brought back (-kept +now):\n%s", d)
		}
		if d := cmp.Diff(events, c.History()); d != "" {
			t.Fatalf("events (-kept +now):\n%s", d)
		}
		again, againEvents := happens()
		if d := cmp.Diff(once, again); d != "" {
			t.Fatalf("the same happens again (-first +now):\n%s", d)
		}
		if d := cmp.Diff(onceEvents, againEvents); d != "" {
			t.Fatalf("and its events (-first +now):\n%s", d)
		}
	}
}

// TestKeepKnowsEveryField fails when Company gets a new field. The field must then be added to the method "become" or
// to the list below.
func TestKeepKnowsEveryField(t *testing.T) {
	t.Parallel()
	known := []string{
		"options", "start", "offsets", "mu", // never change
		"entries", "members", // are computed again
		"controllers", "at", "writer", "stamps", "grouped", "listed", // Keep is not for a company with several controllers
		"fixed", "changes", "renamed", "adAhead", "syncs", "moved", "earlier", "joined", "pending", "due", "hand", "seats", "history", "subscribed",
		"regrouped", "adGroups", "nesting", "present", "mailboxes", "concealed", "typed", "reports", "uses", "mails", "mailFaults",
	}
	for f := range reflect.TypeFor[Company]().Fields() {
		if !slices.Contains(known, f.Name) {
			t.Errorf("Company.%s: say in become what Keep does with it", f.Name)
		}
	}
}
