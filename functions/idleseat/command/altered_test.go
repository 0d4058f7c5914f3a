package command

import (
	"bytes"
	"cmp"
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

	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// A story consists of chapters. The type "state" is a copy of all that a chapter can change: the time, the company, the
// store and the runs. The method "again" restores this state.
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

func (s *tale) again(k state) {
	s.t.Helper()
	s.clock.pass(k.at.Sub(s.clock.now()))
	k.company()
	s.runs = maps.Clone(k.runs)
	s.said.Reset()
	s.write("policy.yaml", s.policy)
	s.store.Become(k.objects)
}

// newTale tells a story once: it calls its chapters one after another. The result "kept" has the state before each
// chapter and the state at the end.
func newTale(t *testing.T, n int) (s *tale, kept []state) {
	t.Helper()
	story, clock := stories[n], newSharedClock(t)
	options := sandbox.Options{Users: 60, Seed: 11, LicenseDelay: 5 * time.Minute, SyncDelay: 10 * time.Minute, Now: clock.now}
	s = &tale{shell: newShell(t, options), chapters: story.chapters, runs: map[string]string{}, golden: true}
	s.clock = clock
	s.policy = story.policy(s)
	s.write("policy.yaml", s.policy)
	story.found(s)
	s.store = &store.Memory{}
	s.objects = s.store
	for _, c := range s.chapters {
		kept = append(kept, s.keep())
		c.tell(s)
	}
	kept = append(kept, s.keep())
	if n := len(s.company.Company.History()); n < story.least {
		t.Fatalf("only %d things happened in the story", n)
	}
	s.golden = false
	return s, kept
}

// The type "altered" is a test case: an object of the store that is altered at the beginning of a chapter.
type altered struct {
	chapter int
	alteration
}

// The function "cases" returns alterations of the stored objects before each chapter except the first. Of several
// alterations that differ only in the object or in the index of a list, it returns a random one.
func cases(t *testing.T, kept []state, random *rand.Rand) (all []altered) {
	t.Helper()
	alike := map[string][]altered{}
	for chapter := 1; chapter < len(kept)-1; chapter++ {
		objects := maps.Clone(kept[chapter].objects)
		// If an object has not changed since the previous chapter, the cases of that chapter already alter it.
		maps.DeleteFunc(objects, func(key string, b []byte) bool {
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

// TestEveryFieldAltered alters one field of one stored object, and then continues the story. Either a command prints
// the key of the object, or everybody has the same licenses at the end as in the story without the alteration.
//
// IDLESEAT_TEST_SEED is the seed for the choice of the cases. IDLESEAT_TEST_ALTER is the number of cases in each story.
// The default is 30, and "all" runs every case.
func TestEveryFieldAltered(t *testing.T) {
	t.Parallel()
	seed, tellers, most := testSeed(t), 1, 30
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
	for story := range stories {
		for n := range tellers {
			t.Run(fmt.Sprintf("%s, %d of %d", stories[story].name, n+1, tellers), func(t *testing.T) {
				t.Parallel()
				s, kept := newTale(t, story)
				random := rand.New(rand.NewPCG(seed, uint64(story)+1))
				all := cases(t, kept, random)
				everyKind(t, all, stories[story].lacks)
				all = slices.DeleteFunc(all, func(a altered) bool { return a.share(tellers) != n })
				random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				all = all[:min(most, len(all))]
				for _, k := range objectKinds {
					ofKind := slices.DeleteFunc(slices.Clone(all), func(a altered) bool { return a.kind != k.kind })
					if len(ofKind) > 0 {
						t.Run(k.kind, func(t *testing.T) { s.alterEach(t, ofKind, kept) })
					}
				}
			})
		}
	}
}

func (s *tale) alterEach(t *testing.T, all []altered, kept []state) {
	t.Helper()
	refused := 0
	for i, a := range all {
		if s.alter(t, a, kept) {
			refused++
		}
		if (i+1)%100 == 0 || i+1 == len(all) {
			t.Logf("%d of %d alterations: %d refused by name, %d without effect", i+1, len(all), refused, i+1-refused)
		}
	}
}

// everyKind checks that each kind of object has alterations, except the kinds in the argument "lacks", which must have
// none.
func everyKind(t *testing.T, all []altered, lacks []string) {
	t.Helper()
	kinds := map[string]int{}
	for _, a := range all {
		kinds[a.kind]++
	}
	for _, k := range objectKinds {
		if has := kinds[k.kind] > 0; has == slices.Contains(lacks, k.kind) {
			t.Errorf("the story has objects of the kind %s: %t", k.kind, has)
		}
	}
	t.Logf("%d alterations: %v", len(all), kinds)
}

// The method "share" returns the index of the worker that runs the alteration. The argument "of" is the number of
// workers.
func (a *alteration) share(of int) int {
	sum := fnv.New32a()
	sum.Write([]byte(a.kind + a.field + a.how))
	return int(sum.Sum32()) % of
}

// The method "alter" makes one alteration and continues the story. The alteration counts as refused if a command prints
// the key of the altered object.
func (s *tale) alter(t *testing.T, a altered, kept []state) (refused bool) {
	t.Helper()
	s.again(kept[a.chapter])
	objects := s.store.Objects()
	objects[a.key] = a.body()
	s.store.Become(objects)
	events := len(s.company.Company.History())
	for _, c := range s.chapters[a.chapter:] {
		if c.tell(s); strings.Contains(s.said.String(), a.key) {
			refused = true
			break
		}
	}
	now := holding(s.company.Company)
	if d := gocmp.Diff(kept[len(s.chapters)].holding, now); d != "" && !refused {
		t.Errorf("before %q, %v\nnobody refuses it, and what people hold (-without +with the alteration):\n%s", s.chapters[a.chapter].name, &a.alteration, d)
	}
	for i, holds := range now {
		if !seen(kept, i, holds) {
			t.Errorf("before %q, %v\nperson %d holds %v, as at no moment of the story", s.chapters[a.chapter].name, &a.alteration, i, holds)
		}
	}
	for _, e := range s.company.Company.History()[events:] {
		if e.LostMailbox {
			t.Errorf("before %q, %v\nsomebody is without a mailbox: %+v", s.chapters[a.chapter].name, &a.alteration, e)
		}
	}
	return refused
}

// The function "seen" reports whether the licenses of a person fit the kept states. The person must have held each of
// them in some kept state. The person must also hold all licenses of at least one kept state, and may hold more: a
// change that is refused halfway leaves both the old and the new license. The licenses of the two directories are
// compared apart, because a damaged object about one license does not stop the restore of another.
func seen(kept []state, person int, holds []string) bool {
	onPremises := func(one string) bool { return strings.Contains(one, "Citrix") }
	inEntra := func(one string) bool { return !onPremises(one) }
	for _, other := range []func(string) bool{onPremises, inEntra} {
		of := func(all []string) []string { return slices.DeleteFunc(slices.Clone(all), other) }
		has := of(holds)
		if !slices.ContainsFunc(kept, func(k state) bool {
			return !slices.ContainsFunc(of(k.holding[person]), func(one string) bool { return !slices.Contains(has, one) })
		}) || slices.ContainsFunc(has, func(one string) bool {
			return !slices.ContainsFunc(kept, func(k state) bool { return slices.Contains(k.holding[person], one) })
		}) {
			return false
		}
	}
	return true
}
