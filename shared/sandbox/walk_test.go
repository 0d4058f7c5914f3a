package sandbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

type walker struct {
	*rand.Rand
	c   *Company
	now *clock
}

// The method "one" makes a random change and returns its description, or "" if the change is impossible.
func (w *walker) one() string {
	c, i, on := w.c, w.IntN(w.c.Size()), w.IntN(2) == 0
	groups := []string{"LIC-M365-E3", "LIC-EXO-P1", "LIC-E3-Plus", "LIC-Exempt", "Citrix Users", "Citrix Contractors"}
	group := groups[w.IntN(len(groups))]
	there := c.Truth(i)
	steps := map[string]func(){
		"sign in": func() { c.SignInAs(i, SignIn{At: w.now.now(), Shown: w.now.now().Add(day), How: How(1 + w.IntN(3))}) },
		"log on":  func() { c.LogOn(i) },
		"hire":    func() { c.Hire(i) },
		"bin":     func() { c.SetInBin(i, on) },
		"AD bin":  func() { c.SetInADBin(i, on) },
		"replace": func() { []func(int){c.Replace, c.ReplaceInEntra, c.ReplaceInBoth}[w.IntN(3)](i) },
		"convert": func() { c.MakeCloudOnly(i, on) },
		"guest":   func() { c.MakeGuest(i) },
		"move":    func() { c.SetDepartment(i, append(departments, research)[w.IntN(len(departments)+1)]) },
		"direct": func() {
			if part := products[w.IntN(len(products))].part; on {
				c.AssignDirectly(i, part)
			} else {
				c.RemoveDirectly(i, part)
			}
		},
		"member": func() { c.SetMember(i, group, on) },
		"primary": func() {
			if there.SID != "" && on {
				c.SetPrimaryGroup(i, CitrixGroup)
			}
		},
		"seats":     func() { c.SetSeats("EXCHANGESTANDARD", w.IntN(30)) },
		"reprocess": func() { c.Reprocess(i) },
		"group": func() {
			c.ChangeGroup([]string{"LIC-M365-E3", "LIC-EXO-P1"}[w.IntN(2)], []GroupChange{{}, {ID: groupID(900 + w.IntN(50))}, {Deleted: true}, {Emptied: true},
				{Rule: `user.department -eq "Sales"`}, {More: []string{"AAD_PREMIUM_P2"}}, {Name: "LIC"}}[w.IntN(7)])
		},
		"AD group": func() { c.ChangeADGroup("Citrix Users", ADGroupChange{Remade: w.IntN(20), Deleted: w.IntN(4) == 0}) },
		"nest":     func() { c.Nest("LIC-M365-E3", "LIC-Exempt", on) },
	}
	names := make([]string, 0, len(steps))
	for name := range steps {
		names = append(names, name)
	}
	slices.Sort(names)
	name := names[w.IntN(len(names))]
	if acts := []string{"direct", "member"}; slices.Contains(acts, name) && there.EntraID == "" {
		return "" // the change needs an Entra account
	}
	steps[name]()
	return fmt.Sprintf("%s %d %s %t", name, i, group, on)
}

// TestWalk makes random changes. The number of used seats must be the number of holders. The events must explain who
// holds which product. Different requests must agree.
func TestWalk(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			now := newClock()
			v := newViewer(t, Options{Users: 60, Absent: 10, Seed: seed, Now: now.now, LicenseDelay: 20 * time.Hour})
			c := v.s.Company
			w := &walker{rand.New(rand.NewPCG(seed, 7)), c, now}
			first := holdings(c)
			var done []string
			for range 400 {
				done = append(done, w.one())
				now.turn(time.Duration(w.IntN(40)) * time.Minute)
				if w.IntN(40) == 0 {
					now.turn(time.Minute)
					v.of(w.IntN(c.Size()))
				}
			}
			now.turn(2 * day)
			held := holdings(c)
			for _, p := range products {
				count := 0
				for i := range c.Size() {
					if held[holding{i, p.id}] {
						count++
					}
				}
				if _, consumed := c.Seats(p.part); consumed != count {
					t.Errorf("%s: %d seats are taken, %d people hold it", p.part, consumed, count)
				}
			}
			for _, e := range c.History() {
				key := holding{e.Person, e.SKU}
				switch {
				case !e.ByHand:
					t.Errorf("nobody asked for it: %+v", e)
				case e.What == LicenseGained && first[key], e.What == LicenseLost && !first[key]:
					t.Errorf("%+v, and it was so already", e)
				}
				if e.What == LicenseGained || e.What == LicenseLost {
					first[key] = e.What == LicenseGained
				}
			}
			for i := range c.Size() {
				for _, p := range products {
					if key := (holding{i, p.id}); first[key] != held[key] {
						t.Errorf("person %d holds %s: %t; by the events %t", i, p.part, held[key], first[key])
					}
				}
			}
			if t.Failed() {
				t.Logf("what was done: %q", done)
			}
		})
	}
}

type holding struct {
	person int
	sku    string
}

func holdings(c *Company) map[holding]bool {
	m := map[holding]bool{}
	for u := range c.Size() {
		p := c.Person(u)
		if p.Entra == nil {
			continue
		}
		for _, a := range p.Entra.Assignments {
			if a.Active() {
				m[holding{u, a.SKU}] = true
			}
		}
	}
	return m
}
