package command

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "tale" is a company with a store, in which a test tells a story: it runs the commands and events of one
// chapter after another. A test can restart the story at any chapter.
type tale struct {
	*shell
	chapters []chapter
	policy   string
	store    *store.Memory
	runs     map[string]string // the ids of runs, by the names that the story gives to the runs
	one      string            // the id of the one person whom chapters name in a command
	back     int               // the index of the person who loses a license in the first run and signs in again later
	golden   bool              // the story runs without an alteration, so no command may fail
	said     strings.Builder   // output of the commands since the beginning of the current chapter
}

func (s *tale) tell(args ...string) answer {
	s.t.Helper()
	a := s.run(args...)
	if s.golden && a.status != exitDone && a.status != exitHeld {
		s.t.Fatalf("idleseat %q: exit status %d: %s\n%.2000s", args, a.status, a.err, a.out)
	}
	s.said.Write(a.out)
	s.said.WriteString(a.err)
	return a
}

// The method "plans" makes a plan. A later chapter finds the run of this plan under the given name.
func (s *tale) plans(name string, args ...string) (p printed) {
	s.t.Helper()
	a := s.tell(append([]string{"plan", "--format", "json"}, args...)...)
	if err := json.Unmarshal(a.out, &p); err != nil && s.golden {
		s.t.Fatal(err)
	}
	s.runs[name] = p.Run
	return p
}

func (s *tale) until(args ...string) {
	s.t.Helper()
	for range 8 {
		a := s.tell(append(args, "--yes", "--format", "json")...)
		if a.status != exitDone || !strings.Contains(string(a.out), `"pending"`) {
			return
		}
		s.passes(6 * time.Minute)
	}
	if s.golden {
		s.t.Fatalf("%q: changes stay pending", args)
	}
}

// nextDay advances the clock by a day. All active people and the people in the argument "also" sign in.
func (s *tale) nextDay(also ...int) {
	s.passes(day)
	c := s.company.Company
	for i := range c.Size() {
		if p := c.Person(i); p.Entra != nil && (p.Activity == sandbox.Active || slices.Contains(also, i)) {
			c.SignIn(i)
		}
	}
}

// The type "chapter" is a part of a story: commands, and events in the company.
type chapter struct {
	name string
	tell func(*tale)
}

// The variable "stories" lists the stories that tests run. The field "lacks" of a story names the kinds of stored
// objects that no chapter of the story makes.
var stories = []struct {
	name     string
	policy   func(*tale) string
	found    func(*tale)
	chapters []chapter
	lacks    []string
	least    int // the minimum number of events in the company's history
}{
	{"two rules", twoRules, func(s *tale) {
		s.company.Company.SignIn(9) // without this sign-in, the small company might have no recent sign-in, and its sign-in dates would look stale
	}, threeNights, []string{"backtest", "usage report"}, 50},
	{"usage and groups", usageAndGroups, foundUsage, usageNights, []string{"backtest", "mailboxes", "override"}, 20},
}

var threeNights = []chapter{
	{"plan", func(s *tale) {
		p := s.plans("first")
		if s.golden {
			group, n := s.change(p, by("m365-idle-60", plan.EntraGroup))
			s.one, s.back = group.User, n
		}
	}},
	{"begin", func(s *tale) { s.tell("apply", s.runs["first"], "--yes") }},
	{"ask one back", func(s *tale) { s.tell("restore", s.one, "--yes") }},
	{"finish", func(s *tale) { s.until("apply", s.runs["first"]) }},
	{"override", func(s *tale) {
		s.nextDay()
		s.write("policy.yaml", strings.Replace(s.policy, "count: 500", "count: 1", 1))
		p := s.plans("second")
		if s.golden && (p.Verdict != plan.Hold || !p.Overridable) {
			s.t.Fatalf("verdict %s: %q", p.Verdict, p.HoldReasons)
		}
		s.until("apply", s.runs["second"], "--override-limits", p.PlanHash)
		s.write("policy.yaml", s.policy)
	}},
	{"restored", func(s *tale) { s.until("restore", "--run", s.runs["second"]) }},
	{"third night", func(s *tale) {
		s.nextDay(s.back)
		s.plans("one", "--user", s.one)
		s.plans("third")
		s.until("apply", s.runs["third"])
	}},
	{"fourth night", func(s *tale) {
		s.nextDay()
		s.plans("fourth")
		s.until("apply", s.runs["fourth"])
	}},
}

func twoRules(s *tale) string {
	return s.edited([][2]string{
		{"perRun: 200", "perRun: 6"}, {"percent: 10", "percent: 100"}, {"days(60)", "days(20)"}, {"days(90)", "days(30)"},
		{"{changeTo: exchange-online}", "{changeTo: exchange-online, onReturn: restore}"}, {"monthlyPrice: 4}", "monthlyPrice: 4, mailboxQuota: 50}"},
		{"newHolder: 14", "newHolder: 0"},
	})
}

// The method "edited" returns the company's policy after the edits. Each edit is an old text, which the policy must
// contain, and a new text.
func (s *tale) edited(edits [][2]string) string {
	s.t.Helper()
	text := string(s.company.Policy())
	for _, x := range edits {
		if !strings.Contains(text, x[0]) {
			s.t.Fatalf("the policy does not contain %q", x[0])
		}
		text = strings.Replace(text, x[0], x[1], 1)
	}
	return text
}
