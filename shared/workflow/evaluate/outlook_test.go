package evaluate_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

// lookedAt has what bruteForce counts among the holders of one rule's license.
type lookedAt struct {
	days            map[int]int
	never, notKnown int
	turns           []int
	turning         map[uint64]int // the day on which the verdict turns to reclaim, by person
}

// TestOutlookByBruteForce evaluates the rules for everybody as of each of the next thirty days. The outlook that the
// run stores must have the same counts.
func TestOutlookByBruteForce(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	text := screenHead + screenPolicies[0]
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := &store.Memory{}
	r := newTown(rand.New(rand.NewPCG(seed, 7)), 500, p.MemberQueries(), false)
	var before *history.Digest
	for n := range 2 {
		read, run := screenNow.AddDate(0, 0, n), fmt.Sprintf("2026112%dT020000Z-0000000%d", 1+n, n)
		r.night(t, s, run, read, text, p.MemberQueries(), false)
		found, plain := ask(t, s, run, before, false)
		turned := 0
		for i, want := range bruteForce(t, s, run, before) {
			got := lookedAt{days: map[int]int{}, turns: found.Summary.Outlooks[i].Turns, turning: map[uint64]int{},
				never: found.Summary.Outlooks[i].Idle.Never, notKnown: found.Summary.Outlooks[i].Idle.NotKnown}
			for d, n := range found.Summary.Outlooks[i].Idle.Days {
				if n > 0 {
					got.days[d] = n
				}
			}
			for _, one := range found.Summary.Turning {
				if one.Rule == i {
					got.turning[one.Key] = dayOf(time.UnixMicro(one.On).Sub(read))
				}
			}
			turned += len(got.turning)
			if d := gocmp.Diff(want, got, gocmp.AllowUnexported(lookedAt{})); d != "" {
				t.Errorf("seed %d, night %d, rule %d (-brute force +stored):\n%s", seed, n, i, d)
			}
		}
		if turned < 20 || plain == 0 {
			t.Errorf("seed %d, night %d: %d verdicts turn and %d people are plain, so this shows little", seed, n, turned, plain)
		}
		seen := &plan.Baseline{Run: run, Partitions: 2, Read: read}
		before = &history.Digest{Baselines: [2]*plan.Baseline{seen, seen}}
		r.sleep(p.MemberQueries())
	}
}

// dayOf returns the number of the day, counted from 0, in which a duration ends. A duration of exactly n days ends in
// day n-1.
func dayOf(after time.Duration) int { return int((after - 1) / (24 * time.Hour)) }

func bruteForce(t *testing.T, s store.Store, run string, before *history.Digest) (all []lookedAt) {
	t.Helper()
	r, err := decision.Open(t.Context(), s, run)
	if err != nil {
		t.Fatal(err)
	}
	r.History = cmp.Or(before, r.History)
	judges := make([]*policy.Judge, decision.OutlookDays+1) // by day
	for d := range judges {
		if judges[d], err = r.Judge(r.Begin.AsOf.AddDate(0, 0, d)); err != nil {
			t.Fatal(err)
		}
	}
	for range r.Policy.Rules {
		all = append(all, lookedAt{days: map[int]int{}, turns: make([]int, decision.OutlookDays), turning: map[uint64]int{}})
	}
	for n := range r.Begin.Partitions {
		var h directory.Accounts
		if err := r.Read(t.Context(), n, &h); err != nil {
			t.Fatal(err)
		}
		for p := range h.Join() {
			for i, rule := range r.Policy.Rules {
				if judges[0].Ask(rule, p).Holder == directory.Yes {
					all[i].look(judges, rule, p)
				}
			}
		}
	}
	return all
}

func (l *lookedAt) look(judges []*policy.Judge, rule *policy.Rule, p *directory.Person) {
	attribute := map[string]string{"a": "AzureAdSistaLogon", "b": "LastlogonTimestamp"}[rule.Name]
	evidence := judges[0].Evidence(rule, p)
	i := slices.IndexFunc(evidence, func(e policy.Evidence) bool { return e.Attribute == attribute })
	switch evidence[i].Value {
	case "no value":
		l.never++
	case "not read", "no account":
		l.notKnown++
	default:
		at := map[string]func() time.Time{"a": func() time.Time { return p.Entra.LastActivity() }, "b": func() time.Time { return p.AD.LastLogonTimestamp }}[rule.Name]()
		l.days[min(180, max(0, int(judges[0].Now().Sub(at)/(24*time.Hour))))]++
	}
	if v := judges[0].Ask(rule, p); v.Outcome != policy.Keep && v.Outcome != policy.Exempt {
		return
	}
	for d, judge := range judges {
		if judge.Ask(rule, p).Outcome == policy.Reclaim {
			l.turns[d-1]++
			l.turning[decision.PersonKey(p)] = d - 1
			return
		}
	}
}
