package command

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// tale is a company that lives through three nights of commands. It can start again at any chapter.
type tale struct {
	*shell
	store  *store.Memory
	runs   map[string]string // run ids by the name in the story
	one    string            // person whose license is restored in the middle of the first run
	back   int               // person who loses a license in the first run and signs in on the second day
	golden bool              // nothing is altered, so every command must succeed
	said   strings.Builder   // output of the commands since the beginning of the chapter
}

// tell runs a command.
func (s *tale) tell(args ...string) answer {
	s.t.Helper()
	a := s.run(args...)
	if s.golden && a.status != exitDone && a.status != exitHeld {
		s.t.Fatalf("idleseat %q: exit status %d: %s", args, a.status, a.err)
	}
	s.said.Write(a.out)
	s.said.WriteString(a.err)
	return a
}

// plans makes a plan and notes its run under a name.
func (s *tale) plans(name string, args ...string) (p printed) {
	s.t.Helper()
	a := s.tell(append([]string{"plan", "--format", "json"}, args...)...)
	if err := json.Unmarshal(a.out, &p); err != nil && s.golden {
		s.t.Fatal(err)
	}
	s.runs[name] = p.Run
	return p
}

// until repeats a command until nothing is pending. Minutes pass between the calls.
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

// nextDay passes a day on which all active people sign in.
func (s *tale) nextDay(also ...int) {
	s.passes(day)
	c := s.company.Company
	for i := range c.Size() {
		if p := c.Person(i); p.Entra != nil && (p.Activity == sandbox.Active || slices.Contains(also, i)) {
			c.SignIn(i)
		}
	}
}

// chapters tell the story. A test may alter an object before each chapter but the first.
var chapters = []struct {
	name string
	tell func(*tale)
}{
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
		s.write("policy.yaml", strings.Replace(s.policyText(), "count: 500", "count: 1", 1))
		p := s.plans("second")
		if s.golden && (p.Verdict != plan.Hold || !p.Overridable) {
			s.t.Fatalf("verdict %s: %q", p.Verdict, p.HoldReasons)
		}
		s.until("apply", s.runs["second"], "--override-limits", p.PlanHash)
		s.write("policy.yaml", s.policyText())
	}},
	{"put back", func(s *tale) { s.until("restore", "--run", s.runs["second"]) }},
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

// policyText is the company's policy with so few changes each night that some wait for the next one.
func (s *tale) policyText() string {
	text := string(s.company.Policy())
	for _, x := range [][2]string{
		{"perRun: 200", "perRun: 6"}, {"percent: 10", "percent: 100"}, {"days(60)", "days(20)"}, {"days(90)", "days(30)"},
		{"{changeTo: exchange-online}", "{changeTo: exchange-online, onReturn: restore}"}, {"monthlyPrice: 4}", "monthlyPrice: 4, mailboxQuota: 50}"},
		{"newHolder: 14", "newHolder: 0"},
	} {
		if !strings.Contains(text, x[0]) {
			s.t.Fatalf("the policy does not contain %q", x[0])
		}
		text = strings.Replace(text, x[0], x[1], 1)
	}
	return text
}

// state is everything at the beginning of a chapter.
type state struct {
	at      time.Time
	company func()
	objects map[string][]byte
	runs    map[string]string
	holding map[int][]string
}

func (s *tale) keep() state {
	return state{s.clock.now(), s.company.Company.Keep(), s.store.Objects(), maps.Clone(s.runs), holding(s.company.Company)}
}

// again returns to the beginning of a chapter.
func (s *tale) again(k state) {
	s.t.Helper()
	s.clock.pass(k.at.Sub(s.clock.now()))
	k.company()
	s.runs = maps.Clone(k.runs)
	s.said.Reset()
	s.write("policy.yaml", s.policyText())
	s.store.Become(k.objects)
}

// newTale tells the story once.
func newTale(t *testing.T) (s *tale, kept []state) {
	t.Helper()
	clock := newSharedClock(t)
	s = &tale{shell: newShell(t, sandbox.Options{Users: 60, Seed: 11, LicenseDelay: 5 * time.Minute, Now: clock.now}), runs: map[string]string{}, golden: true}
	s.clock = clock
	s.write("policy.yaml", s.policyText())
	s.company.Company.SignIn(9) // in such a small company nobody else may have signed in for days
	s.store = &store.Memory{}
	s.objects = s.store
	for _, c := range chapters {
		kept = append(kept, s.keep())
		c.tell(s)
	}
	kept = append(kept, s.keep())
	if n := len(s.company.Company.History()); n < 50 {
		t.Fatalf("only %d things happened in the story", n)
	}
	s.golden = false
	return s, kept
}

// altered is a test case. An object is altered at the beginning of a chapter.
type altered struct {
	chapter int
	alteration
}

// cases returns alterations of every field of every kind of object, in every way and before every chapter. It draws one
// of the fields that are alike in many objects and lists.
func cases(t *testing.T, kept []state, random *rand.Rand) (all []altered) {
	t.Helper()
	alike := map[string][]altered{}
	for chapter := 1; chapter < len(chapters); chapter++ {
		objects := maps.Clone(kept[chapter].objects)
		maps.DeleteFunc(objects, func(key string, b []byte) bool { // earlier chapters alter the other objects
			return bytes.Equal(b, kept[chapter-1].objects[key])
		})
		others := valuesOf(t, objects)
		for _, key := range slices.Sorted(maps.Keys(objects)) {
			for _, a := range alterations(t, key, objects[key], others) {
				name := fmt.Sprint(chapter, " ", a.kind, " ", a.field, " ", a.how)
				alike[name] = append(alike[name], altered{chapter, a})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(alike)) {
		list := alike[name]
		slices.SortStableFunc(list, func(a, b altered) int {
			return cmp.Or(cmp.Compare(a.chapter, b.chapter), strings.Compare(a.key, b.key))
		})
		all = append(all, list[random.IntN(len(list))])
	}
	return all
}

// TestEveryFieldAltered: one field of one object of the store is altered at a time, and the story continues. Two
// outcomes are right. A command refuses the object by its name, and nobody holds less than at some moment of the story.
// Or everybody finally holds what they hold without the alteration. A seed draws the cases. IDLESEAT_TEST_SEED repeats
// a seed. IDLESEAT_TEST_ALTER sets the number of cases, or all.
func TestEveryFieldAltered(t *testing.T) {
	t.Parallel()
	seed, tellers, most := testSeed(t), 1, 60
	switch text := os.Getenv("IDLESEAT_TEST_ALTER"); text {
	case "":
	case "all":
		tellers, most = 4, math.MaxInt
	default:
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("IDLESEAT_TEST_ALTER=%s is neither a number nor all", text)
		}
		most = n
	}
	for n := range tellers {
		t.Run(fmt.Sprintf("%d of %d", n+1, tellers), func(t *testing.T) {
			t.Parallel()
			s, kept := newTale(t)
			random := rand.New(rand.NewPCG(seed, 1))
			all := cases(t, kept, random)
			everyKind(t, all)
			all = slices.DeleteFunc(all, func(a altered) bool { return a.share(tellers) != n })
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			all = all[:min(most, len(all))]
			refused, harmless := map[string]int{}, map[string]int{}
			for i, a := range all {
				if s.alter(t, a, kept) {
					refused[a.kind]++
				} else {
					harmless[a.kind]++
				}
				if (i+1)%100 == 0 || i+1 == len(all) {
					t.Logf("%d of %d alterations: refused by name %v, without effect %v", i+1, len(all), refused, harmless)
				}
			}
		})
	}
}

// everyKind checks that the story has objects of every kind that a store may have.
func everyKind(t *testing.T, all []altered) {
	t.Helper()
	kinds := map[string]int{}
	for _, a := range all {
		kinds[a.kind]++
	}
	for _, k := range objectKinds {
		if kinds[k.kind] == 0 {
			t.Errorf("the story has no object of the kind %s", k.kind)
		}
	}
	t.Logf("%d alterations: %v", len(all), kinds)
}

// share assigns an alteration to one of several tellers.
func (a *alteration) share(of int) int {
	sum := fnv.New32a()
	sum.Write([]byte(a.kind + a.field + a.how))
	return int(sum.Sum32()) % of
}

// alter continues the story after an alteration. It reports whether the object was refused by name.
func (s *tale) alter(t *testing.T, a altered, kept []state) (refused bool) {
	t.Helper()
	s.again(kept[a.chapter])
	objects := s.store.Objects()
	objects[a.key] = a.body()
	s.store.Become(objects)
	events := len(s.company.Company.History())
	for _, c := range chapters[a.chapter:] {
		if c.tell(s); strings.Contains(s.said.String(), a.key) {
			refused = true
			break
		}
	}
	now := holding(s.company.Company)
	if d := gocmp.Diff(kept[len(chapters)].holding, now); d != "" && !refused {
		t.Errorf("before %q, %v\nnobody refuses it, and what people hold (-without +with the alteration):\n%s", chapters[a.chapter].name, &a.alteration, d)
	}
	for i, holds := range now {
		if !seen(kept, i, holds) {
			t.Errorf("before %q, %v\nperson %d holds %v, as at no moment of the story", chapters[a.chapter].name, &a.alteration, i, holds)
		}
	}
	for _, e := range s.company.Company.History()[events:] {
		if e.LostMailbox {
			t.Errorf("before %q, %v\nsomebody is without a mailbox: %+v", chapters[a.chapter].name, &a.alteration, e)
		}
	}
	return refused
}

// seen reports whether a person holds at least what they held at some moment of the story, and nothing that they never
// held. A change that was refused midway leaves both licenses.
func seen(kept []state, person int, holds []string) bool {
	return slices.ContainsFunc(kept, func(k state) bool {
		return !slices.ContainsFunc(k.holding[person], func(one string) bool { return !slices.Contains(holds, one) })
	}) && !slices.ContainsFunc(holds, func(one string) bool {
		return !slices.ContainsFunc(kept, func(k state) bool { return slices.Contains(k.holding[person], one) })
	})
}
