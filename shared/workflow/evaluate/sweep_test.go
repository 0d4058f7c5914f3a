package evaluate_test

import (
	"fmt"
	"math/rand/v2"
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

// trialOf returns the policy with variants of each rule: the rule itself, and the rule with other numbers of days.
func trialOf(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var variants []policy.Variant
	for _, r := range p.Rules {
		variants = append(variants, policy.Variant{Rule: r.Name})
		for _, from := range r.DayNumbers() {
			for _, to := range []int{7, 30, 90, 200} {
				variants = append(variants, policy.Variant{Rule: r.Name, From: from, To: to})
			}
		}
	}
	trial, err := policy.Trial("policy", []byte(text), variants)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

type seen struct {
	Outcomes []policy.Outcome
	Last     []time.Time
	Known    []bool
}

func seenSingly(t *testing.T, r *decision.Run, judge *policy.Judge) map[uint64]seen {
	t.Helper()
	all := map[uint64]seen{}
	var h directory.Accounts
	for n := range r.Begin.Partitions {
		if err := r.Read(t.Context(), n, &h); err != nil {
			t.Fatal(err)
		}
		addSingly(t, r, judge, &h, all)
	}
	return all
}

func addSingly(t *testing.T, r *decision.Run, judge *policy.Judge, h *directory.Accounts, all map[uint64]seen) {
	t.Helper()
	for p := range h.Join() {
		r.Met(p)
		var one seen
		for _, rule := range r.Policy.Rules {
			one.Outcomes = append(one.Outcomes, judge.Ask(rule, p).Outcome)
			at, known := judge.LastSeen(rule, p)
			one.Last, one.Known = append(one.Last, at), append(one.Known, known)
		}
		if d := gocmp.Diff(one.Outcomes, judge.Outcomes(p, nil)); d != "" {
			t.Errorf("%s (-Ask +Outcomes):\n%s", p.UserPrincipalName(), d)
		}
		all[decision.PersonKey(p)] = one
	}
}

var plainOutcomes = map[policy.Plain]policy.Outcome{
	policy.PlainNotHolder: policy.NotHolder, policy.PlainNotAsked: policy.Keep, policy.PlainKeep: policy.Keep, policy.PlainReclaim: policy.Reclaim,
}

// seenByColumns evaluates everybody in a run. It takes a verdict from the columns if it follows from them, and asks the
// Judge about all other people. The result "plain" is the number of people whose verdicts follow from columns. The
// result "reclaimed" is the number of verdicts to reclaim among them.
func seenByColumns(t *testing.T, r *decision.Run, judge *policy.Judge) (all map[uint64]seen, plain, reclaimed int) {
	t.Helper()
	all = map[uint64]seen{}
	screen := decision.NewScreen(r, judge)
	var h directory.Accounts
	for n := range r.Begin.Partitions {
		swept, err := screen.Sweep(t.Context(), n, &h)
		if err != nil {
			t.Fatal(err)
		}
		last, known := make([][]int64, len(swept.Verdicts)), make([][]bool, len(swept.Verdicts))
		for i := range swept.Verdicts {
			last[i], known[i] = swept.LastSeen(r.Policy.Rules[i])
		}
		for row, open := range swept.Open {
			if open {
				continue
			}
			plain++
			var one seen
			for i := range swept.Verdicts {
				outcome, is := plainOutcomes[swept.Verdicts[i][row]]
				if !is {
					t.Errorf("row %d is not open and has no verdict of rule %d", row, i)
				}
				if outcome == policy.Reclaim {
					reclaimed++
				}
				var at time.Time
				if last[i][row] != policy.None {
					at = time.UnixMicro(last[i][row]).UTC()
				}
				one.Outcomes, one.Last, one.Known = append(one.Outcomes, outcome), append(one.Last, at), append(one.Known, known[i][row])
			}
			all[swept.Keys[row]] = one
		}
		addSingly(t, r, judge, &h, all)
	}
	return all, plain, reclaimed
}

const editedGrace = "grace: {neverSignedIn: 30, newHolder: 20, enabledAgain: 3}\n"

// TestSweepSaysWhatTheJudgeSays: Sweep, which evaluates columns, gives the same verdicts as the Judge, which evaluates
// one person at a time. One policy is used to make the run, and other policies are used to evaluate it.
func TestSweepSaysWhatTheJudgeSays(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	total := 0
	for i, added := range []string{
		"", editedGrace,
		// The condition reads the usage report of Teams. No night has this report, so it is unknown whether anybody is
		// exempt.
		editedGrace + "attributes: {teams: m365.teams}\nexempt: {when: teams.laterThan(now - days(20))}\n",
		editedGrace,
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			text := screenHead + screenPolicies[i]
			p, err := policy.Load("policy", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			trial := trialOf(t, text+added)
			s := &store.Memory{}
			r := newTown(rand.New(rand.NewPCG(seed, uint64(i))), 700, p.MemberQueries(), i > 0)
			var before *history.Digest
			for n := range 4 {
				read, run := screenNow.AddDate(0, 0, n), fmt.Sprintf("2026112%dT020000Z-0000000%d", 1+n, n)
				r.night(t, s, run, read, text, p.MemberQueries(), i == 1)
				ask(t, s, run, before, false)
				under, err := decision.OpenUnder(t.Context(), s, run, trial)
				if err != nil {
					t.Fatal(err)
				}
				if before != nil {
					under.History = before
				}
				judge, err := under.Judge(read)
				if err != nil {
					t.Fatal(err)
				}
				want := seenSingly(t, under, judge)
				got, plain, reclaimed := seenByColumns(t, under, judge)
				if d := gocmp.Diff(want, got); d != "" {
					t.Fatalf("seed %d, night %d (-singly +columns):\n%.4000s", seed, n, d)
				}
				total += reclaimed
				t.Logf("night %d: %d people, %d plain, %d plain verdicts to reclaim", n, len(want), plain, reclaimed)
				seen := &plan.Baseline{Run: run, Partitions: 2, Read: read}
				before = &history.Digest{Baselines: [2]*plan.Baseline{seen, seen}}
				r.sleep(p.MemberQueries())
			}
		})
	}
	if total < 1000 {
		t.Errorf("seed %d: only %d verdicts to reclaim follow from columns, so this shows little", seed, total)
	}
}
