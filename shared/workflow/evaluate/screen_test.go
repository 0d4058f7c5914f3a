package evaluate_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
)

// screenPolicies has the two rules of the simulated company word for word. The other rules have conditions that can be
// evaluated for a whole column at once, and some that cannot.
var screenPolicies = []string{`
grace: {neverSignedIn: 14, newHolder: 14, enabledAgain: 14}
exempt:
  users:  [p3@x.example, id-5, s-1-5-21-1-2-3-9, id-15, id-25, id-35, id-45, ID-55, s-1-5-21-1-2-3-19, S-1-5-21-1-2-3-29, s-1-5-21-1-2-3-39, s-1-5-21-1-2-3-49]
  groups: [{entra: LIC-Exempt}]
  leave:  [{user: SAM11, until: 2027-03-29, reason: parental leave}, {user: sam21, until: 2026-11-27}, {user: sam31, until: 2026-10-15}, {user: SAM41, until: 2026-05-01}]
  when:   userType == "Guest"
rules:
  - {name: a, license: m365, for: accountEnabled && systemRole == "Employee", when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue(), then: {changeTo: exchange}}
  - {name: b, license: citrix, when: 'LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90)) : created.value() <= now - days(90)', then: remove}
`, `
exempt: {when: 'department == "Legal" || hiredIn.laterThan(now - days(10))'}
attributes: {hiredIn: entra.hired, expires: ad.expires, reported: m365.exchange, changed: entra.passwordChanged, lastUse: "newest(entra.lastActivity, ad.lastLogonTimestamp)", title: ad.title, vip: {memberOf: {ad: "CN=VIP,DC=x"}}}
rules:
  - {name: a, license: m365, for: 'systemRole != "Contractor" && !(department in ["Sales", "HR"]) && !vip', when: 'lastUse.earlierThan(now - days(45)) && !(title == "")', then: remove}
  - {name: b, license: citrix, for: 'onPremisesSyncEnabled || title.startsWith("E")', when: 'expires.hasNoValue() && created.hasNoValue() || reported.hasNoValue() && changed.hasValue() || lastUse.value() < timestamp("2026-08-01T00:00:00Z")', then: remove}
  - {name: c, license: exchange, when: 'AzureAdSistaLogon.laterThan(now - days(3)) || (accountEnabled == false && created.value() > now - days(400))', then: remove}
`, `
kinds: [person, guest]
rules:
  - {name: a, license: citrix, for: 'mail != "" && employeeId == "e-1"', when: 'LastlogonTimestamp.hasNoValue() && true', then: remove}
  - {name: b, license: m365, for: 'true ? extensionAttribute1 != "x" : false', when: 'AzureAdSistaLogon.hasNoValue() == false && AzureAdSistaLogon.value() <= now - duration("1000h")', then: remove}
`, `
attributes: {teams: m365.teams, lastUse: "newest(entra.lastActivity, m365.exchange, m365.sharepoint)", anyUse: "newest(m365.onedrive, ad.lastLogonTimestamp)", copilot: copilot.lastActivity}
exempt: {when: 'department == "Legal" && teams.laterThan(now - days(20))'}
rules:
  - {name: a, license: m365, when: lastUse.earlierThan(now - days(40)) || lastUse.hasNoValue(), then: remove}
  - {name: b, license: citrix, when: 'anyUse.earlierThan(now - days(100)) && (copilot.earlierThan(now - days(30)) || copilot.hasNoValue())', then: remove}
  - {name: c, license: exchange, for: accountEnabled, when: 'teams.hasNoValue() || teams.earlierThan(now - days(8)) && lastUse.hasValue()', then: remove}
`, `
attributes: {exchange: m365.exchange, teams: m365.teams, sharepoint: m365.sharepoint, onedrive: m365.onedrive}
grace: {neverSignedIn: 30}
exempt: {when: 'department == "Legal" && onedrive.laterThan(now - days(9)) && !(teams.hasValue() || teams.hasNoValue())'}
rules:
  - {name: a, license: m365, when: '(AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()) && (exchange.earlierThan(now - days(30)) || exchange.hasNoValue()) && (teams.earlierThan(now - days(60)) || teams.hasNoValue()) && (sharepoint.earlierThan(now - days(5)) || sharepoint.hasNoValue())', then: remove}
  - {name: b, license: citrix, when: 'teams.earlierThan(now - days(181)) || teams.earlierThan(now - days(177)) && !onedrive.laterThan(now - days(20))', then: remove}
  - {name: c, license: exchange, for: 'teams.hasNoValue() || department != "HR"', when: 'sharepoint.hasNoValue() ? created.earlierThan(now - days(100)) : sharepoint.earlierThan(now - days(179))', then: remove}
`, `
attributes: {teams: m365.teams, sharepoint: m365.sharepoint}
rules:
  - {name: a, license: m365, when: 'teams.earlierThan(now - days(180))', then: remove}
  - {name: b, license: citrix, when: 'teams.earlierThan(timestamp("2026-05-30T00:00:00Z")) || sharepoint.laterThan(timestamp("2026-11-01T00:00:00Z"))', then: remove}
  - {name: c, license: exchange, when: 'teams.hasNoValue() || sharepoint.hasNoValue()', then: remove}
`, `
attributes: {teams: m365.teams, anyUse: "newest(m365.onedrive, ad.lastLogonTimestamp)"}
rules:
  - {name: a, license: m365, when: '(teams.earlierThan(now - days(60)) || teams.hasNoValue()) && department == "HR"', then: remove}
  - {name: b, license: citrix, when: 'anyUse.earlierThan(now - days(177)) && created.earlierThan(now - days(250))', then: remove}
  - {name: c, license: exchange, when: 'teams.earlierThan(now - days(200)) && AzureAdSistaLogon.earlierThan(now - days(30))', then: remove}
`}

const screenHead = `tenant: 11111111-2222-3333-4444-555555555555
mode: audit
licenses:
  m365:     {sku: SPE_E3, group: {entra: LIC-M365}, monthlyPrice: 39}
  exchange: {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO}, monthlyPrice: 4}
  citrix:   {group: {ad: "CN=Citrix,DC=x"}, monthlyPrice: 18}
`

var screenNow = time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC)

type found struct {
	Decisions []plan.Decision
	Summary   decision.Summary
	Known     []*known.Partition
}

// The function "ask" evaluates a run. If "alone" is true, the worker evaluates every person singly. The result "plain"
// is the number of people whom the worker did not evaluate singly.
func ask(t *testing.T, s store.Store, run string, before *history.Digest, alone bool) (f found, plain int) {
	t.Helper()
	r, err := decision.Open(t.Context(), s, run)
	if err != nil {
		t.Fatal(err)
	}
	if before != nil {
		r.History = before
	}
	w, err := evaluate.NewWorker(r)
	if err != nil {
		t.Fatal(err)
	}
	if alone {
		w.AskEverybody()
	}
	w.CountPlain(&plain)
	for n := range r.Begin.Partitions {
		if err := w.Partition(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		k, err := known.Get(t.Context(), s, run, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range k.Accounts {
			slices.SortStableFunc(list, func(a, b known.Account) int { return cmp.Compare(a.Key, b.Key) })
		}
		slices.SortFunc(k.Members, func(a, b known.Member) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Since, b.Since)) })
		f.Known = append(f.Known, k)
	}
	f.Summary, err = r.Each(t.Context(), func(d *plan.Decision) error {
		f.Decisions = append(f.Decisions, *d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, plain
}

// TestColumnsChangeNothing: an evaluation by columns gives the same decisions, counts and tables of known accounts as
// an evaluation of every person singly.
func TestColumnsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{unused, rand.Uint64()} {
		for i, text := range screenPolicies {
			for _, absent := range []bool{false, true} {
				t.Run(fmt.Sprint(seed, i, absent), func(t *testing.T) {
					t.Parallel()
					sameByColumns(t, seed, i, text, absent, 700, 4)
				})
			}
		}
	}
}

// TestColumnsOfSmallTowns is a short TestColumnsChangeNothing. It also compares the number of people whom the columns
// alone settle, because a fault that evaluates more people singly changes nothing else.
func TestColumnsOfSmallTowns(t *testing.T) {
	t.Parallel()
	settled := [][]int{{86, 68, 43}, {34, 27, 18}, {22, 20, 17}, {65, 35, 21}, {60, 47, 35}, {71, 45, 30}, {79, 57, 32}}
	var got [][]int
	for i, text := range screenPolicies {
		got = append(got, sameByColumns(t, unused, i, text, i == 2, 150, 3))
	}
	if d := gocmp.Diff(settled, got); d != "" {
		t.Errorf("settled by columns, by policy and night (-want +got):\n%s", d)
	}
}

// The constant "unused" is the seed of a random town with a rare holder: no rule asks about the holder, the account is
// younger than the horizon of a report, and the report shows no use.
const unused = 9994588365929793398

// sameByColumns simulates a town for some nights. It evaluates each night twice, by columns and person by person, and
// compares the results. It returns, for each night, the number of people whom the columns alone settle.
func sameByColumns(t *testing.T, seed uint64, i int, text string, absent bool, people, nights int) (settled []int) {
	t.Helper()
	text = screenHead + text
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := &store.Memory{}
	r := newTown(rand.New(rand.NewPCG(seed, uint64(i))), people, p.MemberQueries(), i > 0)
	var before *history.Digest
	for n := range nights {
		read, run := screenNow.AddDate(0, 0, n), fmt.Sprintf("2026112%dT020000Z-0000000%d", 1+n, n)
		r.night(t, s, run, read, text, p.MemberQueries(), absent)
		want, none := ask(t, s, run, before, true)
		got, plain := ask(t, s, run, before, false)
		if d := gocmp.Diff(want, got); d != "" {
			t.Fatalf("seed %d, night %d (-alone +columns):\n%.4000s", seed, n, d)
		}
		if none != 0 || 40*plain < want.Summary.People || plain == want.Summary.People {
			t.Errorf("seed %d, night %d: of %d people %d are plain, so this shows little", seed, n, want.Summary.People, plain)
		}
		t.Logf("night %d: %d people, %d plain, %d decisions", n, want.Summary.People, plain, len(want.Decisions))
		settled = append(settled, plain)
		seen := &plan.Baseline{Run: run, Partitions: 2, Read: read}
		before = &history.Digest{}
		if n == 1 { // later nights read the dates from the tables of known accounts
			before = r.sighted(t, read.Add(time.Hour))
		}
		before.Baselines = [2]*plan.Baseline{seen, seen}
		r.sleep(p.MemberQueries())
	}
	return settled
}

// TestColumnsWithoutTheLastNight: if the data of the last night was lost, the worker evaluates every person singly.
func TestColumnsWithoutTheLastNight(t *testing.T) {
	t.Parallel()
	text := screenHead + screenPolicies[0]
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, last, run := &store.Memory{}, "20261120T020000Z-00000000", "20261121T020000Z-00000001"
	r := newTown(rand.New(rand.NewPCG(unused, 0)), 300, p.MemberQueries(), false)
	r.night(t, s, last, screenNow, text, p.MemberQueries(), false)
	ask(t, s, last, nil, false)
	objects := s.Objects()
	maps.DeleteFunc(objects, func(key string, _ []byte) bool { return strings.HasPrefix(key, "runs/"+last+"/") })
	s.Become(objects)
	r.sleep(p.MemberQueries())
	r.night(t, s, run, screenNow.AddDate(0, 0, 1), text, p.MemberQueries(), false)
	seen := &plan.Baseline{Run: last, Partitions: 2, Read: screenNow}
	before := &history.Digest{Baselines: [2]*plan.Baseline{seen, seen}}
	want, _ := ask(t, s, run, before, true)
	got, plain := ask(t, s, run, before, false)
	if d := gocmp.Diff(want, got); d != "" || plain != 0 {
		t.Errorf("%d people are plain (-alone +columns):\n%.4000s", plain, d)
	}
}
