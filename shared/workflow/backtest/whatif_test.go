package backtest_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

// askedSingly evaluates a policy for every person of a run, one by one. A key of "names" is a rule, and the value has
// the people from whom the rule reclaims.
func askedSingly(t *testing.T, s store.Store, run, text string) (counts map[string]map[policy.Outcome]int, names map[string][]string) {
	t.Helper()
	p, err := load(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := decision.OpenUnder(t.Context(), s, run, p)
	if err != nil {
		t.Fatal(err)
	}
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	counts, names = map[string]map[policy.Outcome]int{}, map[string][]string{}
	var h directory.Accounts
	for n := range r.Begin.Partitions {
		if err := r.Read(t.Context(), n, &h); err != nil {
			t.Fatal(err)
		}
		for p := range h.Join() {
			r.Met(p)
			for _, rule := range r.Policy.Rules {
				if counts[rule.Name] == nil {
					counts[rule.Name] = map[policy.Outcome]int{}
				}
				outcome := judge.Ask(rule, p).Outcome
				counts[rule.Name][outcome]++
				if outcome == policy.Reclaim {
					names[rule.Name] = append(names[rule.Name], p.UserPrincipalName())
				}
			}
		}
	}
	for _, list := range names {
		slices.Sort(list)
	}
	return counts, names
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := mixed(rand.New(rand.NewPCG(seed, 1)), 400, 6)
	s := &store.Memory{}
	w.keep(t, s, 0, 1, 2, 3, 4, 5)
	at45, err := policy.Varied("policy", []byte(nightsPolicy), policy.Variant{Rule: "a", From: 60, To: 45})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"one threshold":           string(at45),
		"exemptions and grace":    editedPolicy,
		"a rule less, a rule new": strings.Replace(nightsPolicy, "name: b,", "name: c,", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, had := askedSingly(t, s, runOf(5), nightsPolicy)
			after, has := askedSingly(t, s, runOf(5), text)
			d, err := backtest.WhatIf(t.Context(), s, runOf(5), "policy", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			different := 0
			for _, r := range d.Rules {
				compareCounts(t, r.Rule, before[r.Rule], r.Now)
				compareCounts(t, r.Rule, after[r.Rule], r.Then)
				added, removed := less(has[r.Rule], had[r.Rule]), less(had[r.Rule], has[r.Rule])
				if diff := cmp.Diff(added, upns(r.Added)); diff != "" {
					t.Errorf("seed %d, rule %s, added (-want +got)\n%s", seed, r.Rule, diff)
				}
				if diff := cmp.Diff(removed, upns(r.Removed)); diff != "" {
					t.Errorf("seed %d, rule %s, removed (-want +got)\n%s", seed, r.Rule, diff)
				}
				different += len(added) + len(removed)
			}
			if different == 0 {
				t.Errorf("seed %d: nothing differs, so this shows little", seed)
			}
		})
	}
}

func compareCounts(t *testing.T, rule string, want map[policy.Outcome]int, got *backtest.Verdicts) {
	t.Helper()
	if got == nil {
		if want != nil {
			t.Errorf("rule %s: no verdicts, want %v", rule, want)
		}
		return
	}
	saving := map[string]float64{"a": 35, "b": 18, "c": 18}[rule] * float64(want[policy.Reclaim])
	all := backtest.Verdicts{Keep: want[policy.Keep], Reclaim: want[policy.Reclaim], Undecided: want[policy.Undecided], Exempt: want[policy.Exempt], MonthlySaving: saving}
	if d := cmp.Diff(all, *got); d != "" {
		t.Errorf("rule %s (-want +got)\n%s", rule, d)
	}
}

func less(a, b []string) []string {
	left := []string{}
	for _, name := range a {
		if !slices.Contains(b, name) {
			left = append(left, name)
		}
	}
	return left
}

func upns(people []backtest.Person) []string {
	names := []string{}
	for _, p := range people {
		names = append(names, p.UserPrincipalName)
	}
	return names
}

func TestWhatIfNeedsWhatTheRunRead(t *testing.T) {
	t.Parallel()
	w := mixed(rand.New(rand.NewPCG(1, 1)), 30, 3)
	s := &store.Memory{}
	w.keep(t, s, 0)
	for name, c := range map[string]struct{ text, want string }{
		"a group that was not read": {strings.Replace(nightsPolicy, "LIC-Exempt", "LIC-Other", 1), "did not read the members of the group"},
		"a faulty policy":           {nightsPolicy + "more: 1\n", `unknown key "more"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := backtest.WhatIf(t.Context(), s, runOf(0), "policy", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
