package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

const doubted = text + `
  - {name: citrix-long, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}
exempt: {users: [boss@x.example], groups: [{ad: "CN=Exempt,DC=corp"}, {entra: LIC-Exempt}]}
`

var (
	adExempt    = directory.GroupRef{Source: directory.AD, Name: "CN=Exempt,DC=corp"}
	entraExempt = directory.GroupRef{Source: directory.Entra, Name: "LIC-Exempt"}
	citrixGroup = directory.GroupRef{Source: directory.AD, Name: "CN=Citrix,DC=corp"}
)

// inDoubt returns an unfinished judgement without doubts. The parameter "change" edits it to create doubts.
func inDoubt(t *testing.T, change func(*judgement)) *judgement {
	t.Helper()
	p, err := policy.Load("p", []byte(doubted))
	if err != nil {
		t.Fatal(err)
	}
	skus := []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3", Consumed: 9}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD", Consumed: 9}}
	r := &decision.Run{
		Begin:  &snapshot.Begin{Run: "run", Read: asOf, SKUs: skus},
		Policy: p, Tenant: plan.TenantOf(skus, nil, nil), Manifest: &snapshot.Manifest{Readings: [2]snapshot.Reading{healthy(directory.Entra), healthy(directory.AD)}},
		Feeds: [directory.Signals]plan.Feed{{State: plan.Healthy}, {State: plan.Healthy}},
	}
	j := &judgement{Run: r, plan: &plan.Plan{}, listed: &decision.Listed{}, sum: decision.Summary{Tallies: []plan.Tally{{Rule: "m365", Holders: 5}, {Rule: "citrix", Holders: 5}, {Rule: "citrix-long", Holders: 5}}}}
	if change != nil {
		change(j)
	}
	return j
}

func TestDoubts(t *testing.T) {
	t.Parallel()
	const never = "2 of the names in exempt.users and exempt.leave have never been anybody's"
	before := &directory.Earlier{
		Members: map[string]int{adExempt.Key(false): 7, citrixGroup.Key(true): 2},
		Groups:  map[string]directory.EarlierGroup{citrixGroup.Key(false): {ID: "guid-1", Run: "r0"}},
	}
	emptied := func(j *judgement) { j.Begin.Earlier = before }
	shrunk := func(j *judgement) {
		emptied(j)
		j.Manifest.Readings[directory.AD].Members = map[string]int{directory.GroupRef{Source: directory.AD, Name: "CN=Exempt,DC=corp"}.Key(false): 1}
	}
	fewer := func(also func(*judgement)) func(*judgement) {
		return func(j *judgement) {
			was := j.exemptNow()["citrix"]
			was.Holders, was.Exempt, was.ByAccount = 60, 50, 40
			j.Begin.Earlier = &directory.Earlier{Exempt: map[string]directory.EarlierExempt{was.Asks: was}}
			for i := range j.sum.Tallies[1:] { // two rules of one license; an earlier run took 10 licenses
				j.sum.Tallies[1+i].Holders, j.sum.Tallies[1+i].Exempt, j.sum.Tallies[1+i].ExemptByAccount = 50, 12, 2
			}
			if also != nil {
				also(j)
			}
			left := j.earlier()
			if kept := left.Exempt[was.Asks]; (kept == was) == j.Begin.AcceptFeeds {
				t.Errorf("the trusted counts are %+v after a loss", kept)
			}
			if n, doubted := left.ExemptLeft[was.Asks]; doubted != (j.Begin.User == "" && j.trusts(directory.AD) && !j.Begin.AcceptFeeds) || doubted && n != 2 {
				t.Errorf("%d exempt are left, in doubt %t", n, doubted)
			}
		}
	}
	remade := func(j *judgement) {
		j.Begin.Earlier = &directory.Earlier{Groups: before.Groups}
		j.Manifest.Readings[directory.AD].Groups = map[string]string{citrixGroup.Key(false): "guid-2"}
	}
	const emptiedSaid, remadeSaid = "the group ad:CN=Exempt,DC=corp had 7 members in an earlier run and has none now",
		"the group ad:CN=Citrix,DC=corp is another one (objectGUID guid-2) than the one that run r0 read (guid-1)"
	const unheld = "license e3: Graph counts 9 seats of SPE_E3 (skuId sku-e3) as taken, and nobody holds one"
	holders := func(n ...int) func(*judgement) {
		return func(j *judgement) {
			for i := range n {
				j.sum.Tallies[i].Holders = n[i]
			}
		}
	}
	for name, tc := range map[string]struct {
		change func(*judgement)
		want   []string
	}{
		"none":                        {nil, nil},
		"names that are nobody's":     {func(j *judgement) { j.listed.Nobody = []string{"a", "b"} }, []string{never}},
		"names, for one person":       {func(j *judgement) { j.Begin.User, j.Begin.Unnamed = "ann", []string{"a", "b"} }, []string{never}},
		"names of everybody, for one": {func(j *judgement) { j.Begin.User, j.listed.Nobody = "ann", []string{"a", "b"} }, nil},
		"names of one, for everybody": {func(j *judgement) { j.Begin.Unnamed = []string{"a", "b"} }, nil},
		"a group is emptied":          {emptied, []string{emptiedSaid}},
		"a group shrinks":             {shrunk, []string{"the group ad:CN=Exempt,DC=corp had 7 members in an earlier run and has 1 now, so that nobody knows who belongs to it; put them back, or plan with --accept-feeds"}},
		"accounts exempt fewer":       {fewer(nil), []string{"rule citrix: exempt.when and the kinds of accounts exempt 2 of 50 holders, and exempted 40 of 60 in an earlier run; look whether", "rule citrix-long: "}},
		"fewer, and many unknown":     {fewer(func(j *judgement) { j.sum.Tallies[1].ExemptUnknown, j.sum.Tallies[2].ExemptUnknown = 40, 40 }), nil},
		"fewer, and many undecided":   {fewer(func(j *judgement) { j.sum.Tallies[1].UndecidedHolders, j.sum.Tallies[2].UndecidedHolders = 40, 40 }), []string{"rule citrix: ", "rule citrix-long: "}},
		"fewer, and that is right":    {fewer(func(j *judgement) { j.Begin.AcceptFeeds = true }), nil},
		"fewer, for one person":       {fewer(func(j *judgement) { j.Begin.User = "ann" }), nil},
		"fewer, without AD":           {fewer(func(j *judgement) { j.Feeds[directory.AD] = plan.Feed{State: plan.Unhealthy, Incomplete: true} }), nil},
		"fewer, without Entra ID": {fewer(func(j *judgement) { j.Feeds[directory.Entra] = plan.Feed{State: plan.Unhealthy, Incomplete: true} }),
			[]string{"rule citrix: exempt.when and the kinds of accounts exempt 2 of 50 holders, and exempted 40 of 60 in an earlier run; a cause may be that the source entra was not read in full; look", "rule citrix-long: "}},
		"fewer, and AD is not set up": {fewer(func(j *judgement) { j.Feeds[directory.AD].State = plan.Absent }), []string{"rule citrix: ", "rule citrix-long: "}},
		"emptied, for one person":     {func(j *judgement) { emptied(j); j.Begin.User = "ann" }, nil},
		"unheld, for one person":      {func(j *judgement) { holders(0)(j); j.Begin.User = "ann" }, nil},
		"a group is made again":       {remade, []string{remadeSaid}},
		"a group in doubt": {func(j *judgement) {
			j.Begin.Groups = []directory.Group{{Unreadable: "two of that name", Doubt: true}, {Unreadable: "403"}, {Name: "good"}}
		}, []string{"two of that name"}},
		"nobody holds a product": {holders(0, 5, 5), []string{unheld}},
		"nobody is in a group":   {holders(5, 0, 0), nil}, // without a product, no seats are counted
		"one rule finds none":    {holders(5, 0, 5), nil},
		"Entra is unhealthy":     {func(j *judgement) { holders(0)(j); j.Feeds[directory.Entra].State = plan.Unhealthy }, nil},
		"AD is unhealthy":        {func(j *judgement) { holders(0)(j); j.Feeds[directory.AD].State = plan.Unhealthy }, []string{unheld}},
		"no seats are taken":     {func(j *judgement) { holders(0)(j); j.Begin.SKUs[0].Consumed = 0 }, nil},
		"no such product":        {func(j *judgement) { holders(0)(j); j.Begin.SKUs[0].ID = "gone" }, nil},
		"several":                {func(j *judgement) { emptied(j); holders(0)(j); j.listed.Nobody = []string{"a", "b"} }, []string{never, unheld, emptiedSaid}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := inDoubt(t, tc.change).doubts()
			if len(got) != len(tc.want) {
				t.Fatalf("%q, want %q", got, tc.want)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("%q, want %q", got[i], want)
				}
			}
		})
	}
}

// TestHoldOfDoubts: in the reasons of a hold, doubts come before limits. If a hold has a doubt, nobody can override it.
func TestHoldOfDoubts(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Verdict: plan.Hold, HoldReasons: []string{"limit"}, Overridable: true}
	hold(p, nil)
	if !p.Overridable || len(p.HoldReasons) != 1 {
		t.Errorf("without a doubt: %+v", p)
	}
	hold(p, []string{"doubt"})
	if d := cmp.Diff(&plan.Plan{Verdict: plan.Hold, HoldReasons: []string{"doubt", "limit"}}, p); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	e := quiet()
	e.partitions[0] = []plan.Decision{reclaim("a", 70)}
	e.tallies[0].Holders, e.seats, e.consumed = 0, [2]int{9, 9}, 9
	got, err := Run(t.Context(), e.put(t), "run", clock)
	if err != nil || got.Verdict != plan.Hold || got.Overridable || !strings.HasPrefix(got.HoldReasons[0], "license e3: Graph counts 9 seats") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNotesOfAPlan(t *testing.T) {
	t.Parallel()
	notFound := func(j *judgement) {
		j.Begin.Groups = []directory.Group{{Ref: entraExempt, Unreadable: `no such group: "LIC-Exempt"`}, {Ref: citrixGroup, Unreadable: "another one", Doubt: true}}
	}
	for name, tc := range map[string]struct {
		change func(*judgement)
		want   []string // beginnings of the notes
	}{
		"none":          {nil, nil},
		"of a group":    {func(j *judgement) { j.Begin.Groups = []directory.Group{{Name: "good"}, {Note: "renamed"}} }, []string{"earlier", "renamed"}},
		"not found":     {notFound, []string{"earlier", `the policy names the group entra:LIC-Exempt, and it was not found (no such group: "LIC-Exempt")`}},
		"withheld":      {func(j *judgement) { j.Manifest.Readings[1].Why = map[string]string{"b": "why b", "a": "why a"} }, []string{"earlier", "why a", "why b"}},
		"converted":     {func(j *judgement) { j.sum.Converted = 3 }, []string{"earlier", "3 accounts carry a SID of Active Directory, are mastered in Entra ID"}},
		"one converted": {func(j *judgement) { j.sum.Converted = 1 }, []string{"earlier", "1 account carries a SID of Active Directory, is mastered in Entra ID"}},
		"for one":       {func(j *judgement) { j.Begin.User, j.Begin.Unnamed = "ann", []string{"boss@x.example"} }, []string{"earlier", `the policy lists "boss@x.example", and nobody has that name; a plan for everybody finds who is meant`}},
		"for everybody": {func(j *judgement) { j.Begin.Unnamed = []string{"boss@x.example"} }, []string{"earlier"}},
		"for one, in doubt": {func(j *judgement) {
			j.Begin.User = "ann"
			key := entraExempt.Key(false)
			j.Begin.Earlier = &directory.Earlier{
				Members: map[string]int{key: 47}, Left: map[string]int{key: 1},
				ExemptLeft: map[string]int{j.Policy.ExemptAsks(j.Policy.RuleNamed("m365")): 2},
			}
		}, []string{
			"earlier", "the group entra:LIC-Exempt had 47 members in an earlier run and 1 in the newest run for everybody, so that nobody knows who belongs to it; put them back and plan for everybody",
			"rule m365: the newest run for everybody found that exempt.when and the kinds of accounts exempt far fewer holders than before",
		}},
	} {
		j := inDoubt(t, tc.change)
		if tc.change != nil {
			j.plan.Notes = []string{"earlier"}
		}
		j.sum.Named = []decision.Named{{Entry: "boss@x.example", ID: "id-boss", Name: "boss@x.example"}}
		if err := j.findListed(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(j.plan.Notes) != len(tc.want) {
			t.Errorf("%s: %q, want %q", name, j.plan.Notes, tc.want)
			continue
		}
		for i, want := range tc.want {
			if !strings.HasPrefix(j.plan.Notes[i], want) {
				t.Errorf("%s: %q, want %q", name, j.plan.Notes[i], want)
			}
		}
		if (len(j.listed.People["boss@x.example"]) == 1) == (j.Begin.User != "") {
			t.Errorf("%s: who was found: %+v", name, j.listed.People)
		}
	}
}

// TestEarlier: a group that is in doubt or was not read keeps, for later runs, the state that it had when it was last
// read without doubt.
func TestEarlier(t *testing.T) {
	t.Parallel()
	old := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	was := func(id string) directory.EarlierGroup { return directory.EarlierGroup{ID: id, Run: "r0", At: old} }
	is := func(id string) directory.EarlierGroup { return directory.EarlierGroup{ID: id, Run: "run", At: asOf} }
	keys := []string{adExempt.Key(false), entraExempt.Key(false), citrixGroup.Key(true)}
	for name, tc := range map[string]struct {
		change  func(*judgement)
		groups  map[string]directory.EarlierGroup
		members [3]int // members of the three groups; -1: unknown
	}{
		"nothing before": {func(j *judgement) { j.Begin.Earlier = nil },
			map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": is("guid-x"), "entra:LIC-Exempt": is("id-x"), "ad:cn=citrix,dc=corp": is("guid-c")}, [3]int{4, 5, 6}},
		"all as before": {nil,
			map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": is("guid-x"), "entra:LIC-Exempt": is("id-x"), "ad:cn=citrix,dc=corp": is("guid-c"), "entra:Old": was("id-o")}, [3]int{4, 5, 6}},
		"made again": {func(j *judgement) { j.Manifest.Readings[directory.AD].Groups[citrixGroup.Key(false)] = "guid-2" },
			map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": is("guid-x"), "entra:LIC-Exempt": is("id-x"), "ad:cn=citrix,dc=corp": was("guid-c"), "entra:Old": was("id-o")}, [3]int{4, 5, 6}},
		"unreadable in Entra": {func(j *judgement) {
			j.Begin.Groups[0].Unreadable = "403"
			j.Manifest.Readings[directory.Entra].Unreadable = []string{entraExempt.Key(false)}
		}, map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": is("guid-x"), "entra:LIC-Exempt": was("id-x"), "ad:cn=citrix,dc=corp": is("guid-c"), "entra:Old": was("id-o")}, [3]int{4, 9, 6}},
		"hidden members, seen": {func(j *judgement) { j.Manifest.Readings[directory.Entra].Hidden = []string{entraExempt.Key(false)} },
			map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": is("guid-x"), "entra:LIC-Exempt": {ID: "id-x", Run: "run", At: asOf, Hidden: true}, "ad:cn=citrix,dc=corp": is("guid-c"), "entra:Old": was("id-o")}, [3]int{4, 5, 6}},
		"emptied": {func(j *judgement) { j.Manifest.Readings[directory.AD].Members[keys[0]] = 0 },
			map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": is("guid-x"), "entra:LIC-Exempt": is("id-x"), "ad:cn=citrix,dc=corp": is("guid-c"), "entra:Old": was("id-o")}, [3]int{8, 5, 6}},
		"AD was not read": {func(j *judgement) { j.Manifest.Readings[directory.AD] = snapshot.Reading{Failed: "no route"} },
			map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": was("guid-x"), "entra:LIC-Exempt": is("id-x"), "ad:cn=citrix,dc=corp": was("guid-c"), "entra:Old": was("id-o")}, [3]int{8, 5, 7}},
		"AD is not set up": {func(j *judgement) { j.Manifest.Readings[directory.AD] = snapshot.Reading{Absent: true} },
			map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": was("guid-x"), "entra:LIC-Exempt": is("id-x"), "ad:cn=citrix,dc=corp": was("guid-c"), "entra:Old": was("id-o")}, [3]int{8, 5, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := inDoubt(t, func(j *judgement) {
				j.Begin.Groups = []directory.Group{{Ref: entraExempt, ID: "id-x"}, {Ref: directory.GroupRef{Source: directory.AD, Name: "CN=Other"}, ID: "CN=Other"}}
				j.Begin.Earlier = &directory.Earlier{
					Groups:  map[string]directory.EarlierGroup{"ad:cn=exempt,dc=corp": was("guid-x"), "entra:LIC-Exempt": was("id-x"), "ad:cn=citrix,dc=corp": was("guid-c"), "entra:Old": was("id-o")},
					Members: map[string]int{keys[0]: 8, keys[1]: 9, keys[2]: 7},
				}
				j.Manifest.Readings[directory.AD].Groups = map[string]string{adExempt.Key(false): "guid-x", citrixGroup.Key(false): "guid-c"}
				j.Manifest.Readings[directory.AD].Members = map[string]int{keys[0]: 4, keys[2]: 6}
				j.Manifest.Readings[directory.Entra].Members = map[string]int{keys[1]: 5}
				j.listed.People = map[string][]directory.EarlierPerson{"boss@x.example": {{ID: "id-boss"}}}
			})
			if tc.change != nil {
				tc.change(j)
			}
			got := j.earlier()
			if d := cmp.Diff(tc.groups, got.Groups); d != "" {
				t.Errorf("groups (-want +got):\n%s", d)
			}
			for i, key := range keys {
				if got.Members[key] != tc.members[i] {
					t.Errorf("%s has %d members, want %d", key, got.Members[key], tc.members[i])
				}
			}
			if len(got.People["boss@x.example"]) != 1 {
				t.Errorf("people: %+v", got.People)
			}
		})
	}
}

// TestShrunkGroupStaysInDoubt: a doubt about a group ends when the people are back or an operator accepts the loss, and
// not on a night that cannot read the group.
func TestShrunkGroupStaysInDoubt(t *testing.T) {
	t.Parallel()
	key := entraExempt.Key(false)
	known := &directory.Earlier{Members: map[string]int{key: 47}}
	for _, night := range []struct {
		when          string
		members       int
		unread        bool
		accept        bool
		trusted, left int // left is -1 if the group is not in doubt
	}{
		{"as before", 46, false, false, 46, -1},
		{"shrunk", 1, false, false, 46, 1},
		{"unread", 0, true, false, 46, 1},
		{"shrunk more", 0, false, false, 46, 0},
		{"back", 45, false, false, 45, -1},
		{"shrunk again", 2, false, false, 45, 2},
		{"accepted", 2, false, true, 2, -1},
	} {
		known = inDoubt(t, func(j *judgement) {
			j.Begin.Earlier, j.Begin.AcceptFeeds = known, night.accept
			j.Manifest.Readings[directory.Entra].Members = map[string]int{key: night.members}
			if night.unread {
				j.Manifest.Readings[directory.Entra].Unreadable = []string{key}
			}
		}).earlier()
		n, doubted := known.Left[key]
		if !doubted {
			n = -1
		}
		if known.Members[key] != night.trusted || n != night.left {
			t.Errorf("%s: %d members are trusted, %d left; want %d, %d", night.when, known.Members[key], n, night.trusted, night.left)
		}
	}
}

// TestLostExemptionStaysInDoubt: a run on hold because holders lost their exemption stays on hold until a night sees
// them exempt again or an operator accepts the loss. Neither a directory that is down nor other holders in doubt end
// the hold.
func TestLostExemptionStaysInDoubt(t *testing.T) {
	t.Parallel()
	down := func(s directory.Source) func(*judgement) {
		return func(j *judgement) { j.Feeds[s] = plan.Feed{State: plan.Unhealthy, Incomplete: true} }
	}
	unknown := func(j *judgement) { j.sum.Tallies[0].ExemptUnknown = 60 }
	const lost = "rule m365: exempt.when and the kinds of accounts exempt 0 of 5000 holders, and exempted 60 of 5000 in an earlier run; "
	var known *directory.Earlier
	for _, night := range []struct {
		when   string
		exempt int
		also   func(*judgement)
		want   string // the beginning of the reason; empty if the run is not on hold
		doubt  bool   // whether later runs must know of the loss
	}{
		{"as before", 60, nil, "", false},
		{"unknown", 0, unknown, "", false},
		{"cleared", 0, nil, lost + "look", true},
		{"Active Directory is silent", 0, down(directory.AD), lost + "a cause may be that the source ad was not read in full; look", true},
		{"others are unknown", 0, unknown, lost, true},
		{"others are undecided", 0, func(j *judgement) { j.sum.Tallies[0].UndecidedHolders = 60 }, lost, true},
		{"Entra ID is silent", 0, down(directory.Entra), "rule m365: exempt.when and the kinds of accounts exempted 60 of 5000 holders, and far fewer in an earlier run; whether they are exempt again is not known, because the source entra was not read in full; look", true},
		{"back, while Active Directory is silent", 60, down(directory.AD), "", true},
		{"cleared again", 0, down(directory.AD), lost, true},
		{"back, while the dates of Active Directory are stale", 60, func(j *judgement) { j.Feeds[directory.AD].State = plan.Unhealthy }, "", false},
		{"cleared once more", 0, nil, lost, true},
		{"back", 60, nil, "", false},
		{"cleared while Active Directory is silent", 0, down(directory.AD), lost, true},
		{"accepted then", 0, func(j *judgement) { j.Begin.AcceptFeeds = true; down(directory.AD)(j) }, "", false},
		{"the night after", 0, nil, "", false},
		{"some are exempt", 60, nil, "", false},
		{"cleared at last", 0, nil, lost, true},
		{"accepted", 0, func(j *judgement) { j.Begin.AcceptFeeds = true }, "", false},
		{"the last night", 0, nil, "", false},
	} {
		known = inDoubt(t, func(j *judgement) {
			j.Begin.Earlier = known
			j.sum.Tallies[0] = plan.Tally{Rule: "m365", Holders: 5000, Exempt: night.exempt, ExemptByAccount: night.exempt, Reclaim: 60}
			if night.also != nil {
				night.also(j)
			}
			got := strings.Join(j.fewerExempt(), "\n")
			if (got == "") != (night.want == "") || !strings.HasPrefix(got, night.want) {
				t.Errorf("%s: on hold for %q, want %q", night.when, got, night.want)
			}
		}).earlier()
		if len(known.ExemptLost) > 0 != night.doubt {
			t.Errorf("%s: %v are in doubt", night.when, known.ExemptLost)
		}
	}
}

// TestDraftEndsNoDoubt: many holders have lost their exemption, so the exemption is in doubt. A plan with a draft of
// the policy, in which the exemption has another condition, does not end this doubt.
func TestDraftEndsNoDoubt(t *testing.T) {
	t.Parallel()
	draft, err := policy.Load("draft", []byte(strings.Replace(doubted, "exempt: {", `exempt: {when: 'department == "Board"', `, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var want directory.Earlier
	got := inDoubt(t, func(j *judgement) {
		lost := j.exemptNow()["m365"]
		lost.ByAccount, lost.Exempt = 40, 50
		want.Exempt, want.ExemptLeft = map[string]directory.EarlierExempt{lost.Asks: lost}, map[string]int{lost.Asks: 2}
		j.Begin.Earlier, j.Policy = &directory.Earlier{Exempt: want.Exempt, ExemptLeft: want.ExemptLeft}, draft
		j.sum.Tallies[0].Exempt, j.sum.Tallies[0].ExemptByAccount = 3, 3
		if reasons := j.fewerExempt(); reasons != nil {
			t.Errorf("the draft is on hold: %q", reasons)
		}
		now := j.exemptNow()["m365"]
		want.Exempt = map[string]directory.EarlierExempt{lost.Asks: lost, now.Asks: now}
	}).earlier()
	if d := cmp.Diff(want, directory.Earlier{Exempt: got.Exempt, ExemptLeft: got.ExemptLeft}); d != "" {
		t.Errorf("left for later runs (-want +got):\n%s", d)
	}
}

// TestEarlierOfACopy: a plan is made again over the snapshot of an old run. It does not replace the data with which
// later runs compare their readings. There is one exception: the snapshot is the newest one, and an operator accepts
// the state of the groups.
func TestEarlierOfACopy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		copied  string
		accept  bool
		known   time.Duration // how long after the run's own data the earlier counts were read
		members int           // members of the exempt group that later runs know; 0: the run leaves nothing
	}{
		"a new run":                     {"", false, -time.Hour, 9},
		"the snapshot of a month ago":   {"old", false, 30 * 24 * time.Hour, 0},
		"the same, accepted":            {"old", true, 30 * 24 * time.Hour, 0},
		"the newest snapshot":           {"old", false, 0, 0},
		"the newest snapshot, accepted": {"old", true, 0, 1},
		"a snapshot that has no plan":   {"old", false, -time.Hour, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := entraExempt.Key(false)
			left := inDoubt(t, func(j *judgement) {
				j.Begin.Copy, j.Begin.AcceptFeeds = tc.copied, tc.accept
				j.Begin.Earlier = &directory.Earlier{Read: asOf.Add(tc.known), Members: map[string]int{key: 9}}
				j.Manifest.Readings[directory.Entra].Members = map[string]int{key: 1}
			}).earlier()
			if (left == nil) != (tc.members == 0) {
				t.Fatalf("left %+v", left)
			}
			if left != nil && (left.Members[key] != tc.members || !left.Read.Equal(asOf)) {
				t.Errorf("left %+v", left)
			}
		})
	}
}
