package backtest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

func load(text string) (*policy.Policy, error) { return policy.Load("policy", []byte(text)) }

const head = `tenant: 11111111-2222-3333-4444-555555555555
licenses:
  m365:     {sku: SPE_E3, monthlyPrice: 39}
  exchange: {sku: EXCHANGESTANDARD, monthlyPrice: 4}
  citrix:   {group: {ad: "CN=Citrix,DC=x"}, model: user, monthlyPrice: 18}
`

const rules = `
rules:
  - {name: a, license: m365, for: accountEnabled && systemRole == "Employee", when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue(), then: {changeTo: exchange}}
  - {name: b, license: citrix, when: 'LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90)) : created.value() <= now - days(90)', then: remove}
`

const nightsPolicy = head + `
grace: {neverSignedIn: 14, newHolder: 14, enabledAgain: 14}
exempt: {groups: [{entra: LIC-Exempt}], when: userType == "Guest"}` + rules

const editedPolicy = head + `
grace: {neverSignedIn: 20, newHolder: 5, enabledAgain: 6}
exempt:
  users:  [id-0007@x.example]
  groups: [{entra: LIC-Exempt}]
  leave:  [{user: id-0011@x.example, until: 2026-02-01, reason: parental leave}]
  when:   department == "Legal" || userType == "Guest"` + rules

func mixed(r *rand.Rand, people, nights int) *world {
	w := &world{policy: nightsPolicy, withAD: true, planned: true, partitions: func(n int) int { return 1 + n/(nights/3) }}
	for i := range people {
		p := newPerson(i)
		every := []float64{1, 1, 3, 9, 25, 40}[r.IntN(6)]
		h := habit{every: every, stops: 1e9, resume: 1e9}
		if r.IntN(2) == 0 {
			h.stops = float64(r.IntN(nights+120) - 120)
			h.resume = h.stops + float64(r.IntN(150))
		}
		p.signIns, p.logOns = h.times(r, nights), h.times(r, nights)
		p.sid, p.citrix = fmt.Sprintf("S-1-5-21-1-2-3-%d", i), r.IntN(3) > 0
		switch r.IntN(16) {
		case 0:
			p.guest = true
		case 1:
			p.inGroup = true
		case 2:
			p.role = "Contractor"
		case 3: // new people
			p.from = r.IntN(nights)
			p.created, p.given = asOf(p.from).Add(-time.Hour), asOf(p.from).Add(-time.Hour)
			p.signIns = slices.DeleteFunc(p.signIns, func(t time.Time) bool { return t.Before(p.created) })
			p.logOns = nil
		case 4: // leavers
			p.to = r.IntN(nights)
		case 5: // people whose dates the directory loses for nine nights
			from := r.IntN(nights)
			p.hidden = func(n int) bool { return n >= from && n < from+9 }
		case 6: // never active
			p.signIns, p.logOns = nil, nil
		case 7: // enabled again
			until := r.IntN(nights)
			p.disabled = func(n int) bool { return n < until }
		case 8: // no account in Active Directory
			p.sid, p.citrix = "", false
		case 9:
			p.licensed = nil
		}
		w.people = append(w.people, p)
	}
	return w
}

// lastSeen returns the newest date of use of a person for a rule. The result "known" is false if a later date may
// exist, because the source is stale or a date or an account is missing.
func lastSeen(rule string, p *directory.Person) (seen time.Time, known bool) {
	switch {
	case rule == "a" && p.Entra != nil:
		seen, known = p.Entra.LastInteractive, p.Entra.DatesLost.IsZero() && p.DatesLate(directory.Entra).IsZero() && p.Stale[directory.Entra] == ""
	case rule == "b" && p.AD != nil:
		seen, known = p.AD.LastLogonTimestamp, p.AD.DatesLost.IsZero() && p.DatesLate(directory.AD).IsZero() && p.Stale[directory.AD] == ""
	case rule == "b":
		known = !p.Entra.Synced
	}
	if !known {
		return time.Time{}, false
	}
	return seen, true
}

// The function "slowly" finds the hits by asking a policy for each threshold, each person and each night singly.
func slowly(t *testing.T, s store.Store, text string, thresholds map[string][]int, nights []int) (all []backtest.Hit) {
	t.Helper()
	own := map[string]int{"a": 60, "b": 90}
	type of struct {
		key  uint64
		rule string
		days int
	}
	type state struct {
		backtest.Hit
		base time.Time
	}
	open, present := map[of]*state{}, map[uint64]int{}
	for i, n := range nights {
		for rule, list := range thresholds {
			for _, days := range list {
				varied, err := policy.Varied("policy", []byte(text), policy.Variant{Rule: rule, From: own[rule], To: days})
				if err != nil {
					t.Fatal(err)
				}
				p, err := policy.Load("policy", varied)
				if err != nil {
					t.Fatal(err)
				}
				r, err := decision.OpenUnder(t.Context(), s, runOf(n), p)
				if err != nil {
					t.Fatal(err)
				}
				judge, err := r.Judge(asOf(n))
				if err != nil {
					t.Fatal(err)
				}
				var h directory.Accounts
				for part := range r.Begin.Partitions {
					if err := r.Read(t.Context(), part, &h); err != nil {
						t.Fatal(err)
					}
					for p := range h.Join() {
						r.Met(p)
						at := of{decision.PersonKey(p), rule, days}
						seen, known := lastSeen(rule, p)
						if one := open[at]; one != nil {
							if seen.After(one.base) {
								one.Came, one.Shown, one.PresentOn = seen.UnixMicro(), i, present[at.key]
								all = append(all, one.Hit)
								delete(open, at)
							} else if known {
								one.KnownUntil = i
							}
						}
						if open[at] == nil && judge.Ask(r.Policy.RuleNamed(rule), p).Outcome == policy.Reclaim {
							dep := ""
							if p.Entra != nil {
								dep = p.Entra.Department
							}
							open[at] = &state{backtest.Hit{Key: at.key, Rule: rule, Days: days, Night: i, KnownUntil: i, Department: dep}, seen}
						}
						present[at.key] = i
					}
				}
			}
		}
	}
	for at, one := range open {
		one.Came, one.PresentOn = policy.None, present[at.key]
		all = append(all, one.Hit)
	}
	backtest.SortHits(all)
	return all
}

// TestReplayFindsTheHitsOfTheJudge compares all hits of a replay with the verdicts of the Judge for each person, night
// and threshold. The nights were planned with another policy.
func TestReplayFindsTheHitsOfTheJudge(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		seed   uint64
		doubts map[string]int // by signal: the smallest number of nights on which the signal is in doubt
	}{
		"fixed":  {18432097711085702668, map[string]int{"entra": 2, "ad": 2}},
		"random": {rand.Uint64(), map[string]int{"entra": 2, "ad": 2}},
		// With this seed, many people leave and many new people without a logon come, so Active Directory is also in
		// doubt on the last five nights.
		"in doubt to the end": {17238715634987675524, map[string]int{"entra": 2, "ad": 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", tc.seed)
			replayed(t, tc.seed, tc.doubts)
		})
	}
}

func replayed(t *testing.T, seed uint64, doubts map[string]int) {
	t.Helper()
	const people, most = 150, 45
	w := mixed(rand.New(rand.NewPCG(seed, 0)), people, most)
	w.broken = [2][]int{directory.Entra: {20, 21}, directory.AD: {25, 26}}
	var nights []int
	for n := range most {
		if n < 30 || n > 33 { // a gap
			nights = append(nights, n)
		}
	}
	s := &store.Memory{}
	w.keep(t, s, nights...)
	thresholds := map[string][]int{"a": {7, 30, 45, 60}, "b": {7, 30, 45, 90}}
	want := slowly(t, s, editedPolicy, thresholds, nights)
	forgetPresence(want)
	for _, workers := range []int{1, 3} {
		a, got, err := backtest.Hits(t.Context(), s, backtest.Question{
			PolicyName: "policy", Policy: []byte(editedPolicy), Days: []int{45, 7, 30}, Regret: 0.02, Within: 30, Now: asOf(most), Workers: workers,
		})
		if err != nil {
			t.Fatal(err)
		}
		forgetPresence(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("seed %d, %d workers (-judge +replay):\n%.3000s", seed, workers, d)
		}
		byRule := map[string]int{}
		for _, h := range got {
			byRule[h.Rule]++
		}
		if t.Logf("hits %v", byRule); byRule["a"] < 50 || byRule["b"] < 50 {
			t.Errorf("seed %d: hits %v, so this shows little", seed, byRule)
		}
		if a.Nights != len(nights) || a.Gap != 5 {
			t.Errorf("seed %d: nights %d, gap %d", seed, a.Nights, a.Gap)
		}
		for signal, fewest := range doubts {
			if !slices.ContainsFunc(a.Doubted, func(d backtest.Doubted) bool { return d.Signal == signal && d.Nights >= fewest }) {
				t.Errorf("seed %d: doubted %+v, want %s on at least %d nights", seed, a.Doubted, signal, fewest)
			}
		}
	}
}

// forgetPresence clears PresentOn in each hit that ended because the person came back. PresentOn has no meaning for
// such a hit.
func forgetPresence(hits []backtest.Hit) {
	for i := range hits {
		if hits[i].Came != policy.None {
			hits[i].PresentOn = 0
		}
	}
}
