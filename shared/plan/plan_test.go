package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

var asOf = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

var (
	e3Group     = directory.GroupRef{Source: directory.Entra, Name: "LIC-E3"}
	exoGroup    = directory.GroupRef{Source: directory.Entra, Name: "LIC-EXO"}
	citrixGroup = directory.GroupRef{Source: directory.AD, Name: "CN=Citrix"}
	e3          = &policy.License{Name: "e3", SKU: "SPE_E3", Group: &e3Group, MonthlyPrice: 39}
	exo         = &policy.License{Name: "exo", SKU: "EXO", Group: &exoGroup, MonthlyPrice: 4}
	citrix      = &policy.License{Name: "citrix", Group: &citrixGroup, MonthlyPrice: 18}
	move        = &policy.Rule{Name: "move", License: e3, ChangeTo: exo}
	free        = &policy.Rule{Name: "free", License: e3}
)

func tenant(source, target directory.Group) *Tenant {
	source.Ref, target.Ref = e3Group, exoGroup
	return TenantOf(
		[]directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXO"}},
		[]directory.Group{source, target},
		[]directory.Group{
			{ID: "g-plain", Name: "E3 Lab"}, {ID: "g-dynamic", Name: "E3 Research", Dynamic: true}, {ID: "g-synced", Name: "E3 On-Prem", Synced: true},
			{ID: "g-suite", Name: "E3 Plus", Grants: []string{"sku-e3", "sku-p2"}}, {ID: "g-roles", Name: "E3 Admins", RoleAssignable: true}, {ID: "g-mail", Name: "E3 Sales", MailEnabled: true},
		},
	)
}

func TestRoute(t *testing.T) {
	t.Parallel()
	source, target := directory.Group{ID: "g-e3", Grants: []string{"sku-e3"}}, directory.Group{ID: "g-exo", Grants: []string{"sku-exo"}}
	with := func(g directory.Group, change func(*directory.Group)) directory.Group { change(&g); return g }
	direct := directory.Assignment{SKU: "sku-e3", State: "Active"}
	byGroup := directory.Assignment{SKU: "sku-e3", Group: "g-e3", State: "Active"}
	by := func(group string) []directory.Assignment {
		return []directory.Assignment{{SKU: "sku-e3", Group: group, State: "Active"}}
	}
	tests := map[string]struct {
		source, target directory.Group
		rule           *policy.Rule
		holds          []directory.Assignment
		want           Route
		refusal        string
	}{
		"direct":            {source, target, move, []directory.Assignment{direct}, Route{Via: Direct, SKU: "sku-e3", TargetSKU: "sku-exo"}, ""},
		"direct, removed":   {source, target, free, []directory.Assignment{direct}, Route{Via: Direct, SKU: "sku-e3"}, ""},
		"by group":          {source, target, move, []directory.Assignment{byGroup}, Route{EntraGroup, "g-e3", "g-exo", "sku-e3", "sku-exo", "", ""}, ""},
		"by group, removed": {source, target, free, []directory.Assignment{byGroup}, Route{Via: EntraGroup, Source: "g-e3", SKU: "sku-e3"}, ""},
		"both ways":         {source, target, move, []directory.Assignment{direct, byGroup}, Route{}, "held directly and through a group at once"},
		"two groups":        {source, target, move, []directory.Assignment{byGroup, {SKU: "sku-e3", Group: "other", State: "Active"}}, Route{}, "held through 2 groups at once"},
		"other group":       {source, target, move, []directory.Assignment{{SKU: "sku-e3", Group: "other", State: "Active"}}, Route{}, "held through the group other, which is not entra:LIC-E3 of the policy"},
		"unknown way":       {source, target, move, []directory.Assignment{{SKU: "sku-e3"}}, Route{}, "does not say"},
		"not held":          {source, target, move, nil, Route{}, "no longer held"},
		"dynamic": {
			with(source, func(g *directory.Group) { g.Dynamic = true }), target, move, []directory.Assignment{byGroup}, Route{}, "the group entra:LIC-E3 is dynamic: its rule decides who is in it",
		},
		"synced": {
			with(source, func(g *directory.Group) { g.Synced = true }), target, move, []directory.Assignment{byGroup}, Route{}, "the group entra:LIC-E3 is synced from Active Directory and can only be changed there",
		},
		"role-assignable": {
			with(source, func(g *directory.Group) { g.RoleAssignable = true }), target, move, []directory.Assignment{byGroup}, Route{}, "the group entra:LIC-E3 is role-assignable: changing it needs a right idleseat must not have",
		},
		"mail-enabled target": {
			source, with(target, func(g *directory.Group) { g.MailEnabled = true }), move, []directory.Assignment{byGroup}, Route{}, "the group entra:LIC-EXO is mail-enabled and can only be changed in Exchange",
		},
		"grants two": {
			with(source, func(g *directory.Group) { g.Grants = []string{"sku-e3", "x"} }), target, move, []directory.Assignment{byGroup}, Route{}, "the group entra:LIC-E3 grants 2 products at once",
		},
		"target grants nothing": {
			source, with(target, func(g *directory.Group) { g.Grants = nil }), move, []directory.Assignment{byGroup}, Route{}, "does not grant EXO",
		},
		"target without all plans": {
			source, with(target, func(g *directory.Group) { g.Reduced = g.Grants }), move, []directory.Assignment{byGroup}, Route{}, "the group entra:LIC-EXO gives exo with service plans switched off: what would be left cannot be told",
		},
		"source without all plans": {
			with(source, func(g *directory.Group) { g.Reduced = g.Grants }), target, move, []directory.Assignment{byGroup}, Route{EntraGroup, "g-e3", "g-exo", "sku-e3", "sku-exo", "", ""}, "",
		},
		"unreadable": {
			with(source, func(g *directory.Group) { g.Unreadable = "403" }), target, move, []directory.Assignment{byGroup}, Route{}, "403",
		},
		"policy without a group":     {source, target, &policy.Rule{License: &policy.License{Name: "e3", SKU: "SPE_E3"}}, []directory.Assignment{byGroup}, Route{}, "the policy names no group for e3"},
		"elsewhere":                  {source, target, move, by("g-plain"), Route{}, `held through the group "E3 Lab", which is not entra:LIC-E3 of the policy`},
		"elsewhere, dynamic":         {source, target, move, by("g-dynamic"), Route{}, `held through the group "E3 Research", which is dynamic: its rule decides who is in it`},
		"elsewhere, synced":          {source, target, move, by("g-synced"), Route{}, `held through the group "E3 On-Prem", which is synced from Active Directory and can only be changed there`},
		"elsewhere, two products":    {source, target, move, by("g-suite"), Route{}, `held through the group "E3 Plus", which grants 2 products at once`},
		"elsewhere, role-assignable": {source, target, move, by("g-roles"), Route{}, `held through the group "E3 Admins", which is role-assignable: changing it needs a right idleseat must not have`},
		"elsewhere, mail-enabled":    {source, target, move, by("g-mail"), Route{}, `held through the group "E3 Sales", which is mail-enabled and can only be changed in Exchange`},
		"AD group":                   {source, target, &policy.Rule{License: citrix}, nil, Route{Via: ADGroup, Source: "CN=Citrix"}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &directory.Person{Entra: &directory.EntraUser{Assignments: tc.holds}}
			got, refusal := tenant(tc.source, tc.target).Route(p, tc.rule, nil)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("route (-want +got):\n%s", d)
			}
			if (tc.refusal == "") != (refusal == "") || !strings.Contains(refusal, tc.refusal) {
				t.Errorf("refusal %q, want %q", refusal, tc.refusal)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	good := FeedFacts{Freshness: directory.Freshness{Sampled: 100, WithActivity: 90, Newest: asOf.Add(-time.Hour)}}
	with := func(change func(*FeedFacts)) FeedFacts { f := good; change(&f); return f }
	first := func(settled, dates int) FeedFacts {
		return with(func(f *FeedFacts) { f.First, f.Settled, f.SettledWithActivity = true, settled, dates })
	}
	before := func(people, dates int) *Baseline {
		return &Baseline{Read: asOf, Freshness: directory.Freshness{Sampled: people, WithActivity: dates}}
	}
	tests := map[string]struct {
		signal directory.Signal
		facts  FeedFacts
		want   FeedState
		reason string
	}{
		"healthy":            {directory.SignIns, good, Healthy, ""},
		"absent":             {directory.Logons, FeedFacts{Absent: true}, Absent, "not set up"},
		"failed":             {directory.Logons, with(func(f *FeedFacts) { f.Failed = "no route" }), Unhealthy, "no route"},
		"controller unasked": {directory.Logons, with(func(f *FeedFacts) { f.PartialLogon = "dc2" }), Unhealthy, "dc2"},
		"nobody":             {directory.SignIns, FeedFacts{}, Unhealthy, "no people"},
		"nobody has a date":  {directory.SignIns, with(func(f *FeedFacts) { f.WithActivity = 0 }), Unhealthy, "none of 100 people has a sign-in date"},
		"only the future":    {directory.SignIns, with(func(f *FeedFacts) { f.Newest = time.Time{} }), Unhealthy, "future"},
		"four days":          {directory.SignIns, with(func(f *FeedFacts) { f.Newest = asOf.Add(-directory.SignIns.Stalled()) }), Healthy, ""},
		"five days":          {directory.SignIns, with(func(f *FeedFacts) { f.Newest = asOf.AddDate(0, 0, -5) }), Unhealthy, "5 days before"},
		"AD, five days":      {directory.Logons, with(func(f *FeedFacts) { f.Newest = asOf.AddDate(0, 0, -5) }), Healthy, ""},
		"as many as before":  {directory.SignIns, with(func(f *FeedFacts) { f.Baseline = &Baseline{Read: asOf, Freshness: good.Freshness} }), Healthy, ""},
		"a tenth fewer":      {directory.SignIns, with(func(f *FeedFacts) { f.Baseline = before(111, 100) }), Healthy, ""},
		"people vanished": {directory.Logons, with(func(f *FeedFacts) { f.Baseline = before(200, 100) }), Unhealthy,
			"it has 100 people and had 200 on 2026-11-23: part of the list is missing; if that is right, plan with --accept-feeds"},
		"dates vanished": {directory.SignIns, with(func(f *FeedFacts) { f.Baseline = before(100, 130) }), Unhealthy,
			"90 people have a sign-in date and 130 had one on 2026-11-23: dates got lost; if that is right, plan with --accept-feeds"},
		"logon dates vanished": {directory.Logons, with(func(f *FeedFacts) { f.Baseline = before(100, 130) }), Unhealthy, "90 people have a lastLogonTimestamp date"},
		"a few of few":         {directory.Logons, FeedFacts{Freshness: directory.Freshness{Sampled: 3, WithActivity: 3, Newest: asOf}, Baseline: before(8, 8)}, Healthy, ""},
		"first, one of 310": {directory.SignIns, first(310, 1), Unhealthy,
			"only 1 of 310 enabled accounts that are older than 30 days have a sign-in date, and no earlier run tells whether that is right; if it is, plan with --accept-feeds"},
		"first, nearly half":         {directory.Logons, first(100, 49), Unhealthy, "only 49 of 100 enabled accounts"},
		"first, half":                {directory.SignIns, first(100, 50), Healthy, ""},
		"first, few":                 {directory.SignIns, first(6, 1), Healthy, ""},
		"not the first":              {directory.SignIns, with(func(f *FeedFacts) { f.Settled, f.SettledWithActivity = 310, 1 }), Healthy, ""},
		"a report of nobody":         {directory.CopilotUse, FeedFacts{}, Unhealthy, "it tells of nobody"},
		"nobody uses it":             {directory.CopilotUse, with(func(f *FeedFacts) { f.WithActivity = 0 }), Unhealthy, "the report has no Copilot activity date of any of 100 people"},
		"a report of a week ago":     {directory.TeamsUse, with(func(f *FeedFacts) { f.Newest = asOf.AddDate(0, 0, -7) }), Healthy, ""},
		"a column that stands still": {directory.TeamsUse, with(func(f *FeedFacts) { f.Newest = asOf.AddDate(0, 0, -8) }), Unhealthy, "the newest Teams activity date"},
		"AD, fifteen days":           {directory.Logons, with(func(f *FeedFacts) { f.Newest = asOf.AddDate(0, 0, -15) }), Unhealthy, "stalled"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Health(tc.signal, tc.facts, asOf)
			if got.State != tc.want || !strings.Contains(got.Reason, tc.reason) {
				t.Errorf("Health = %+v, want %s with %q", got, tc.want, tc.reason)
			}
			if (got.Stale() == "") != (tc.want == Healthy) {
				t.Errorf("stale = %q", got.Stale())
			}
		})
	}
}

func TestSelectionKeepsTheLongestIdle(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return asOf.AddDate(0, 0, -n) }
	s := NewSelection(3, nil)
	for _, d := range []Decision{
		{User: "b", Rule: "r", License: "e3", To: "exo", IdleSince: day(70)},
		{User: "new", License: "e3", Created: day(20)}, // never signed in
		{User: "c", License: "e3", IdleSince: day(200)},
		{User: "old", License: "citrix", Created: day(900)}, // never signed in
		{User: "a", Rule: "r", License: "e3", To: "exo", IdleSince: day(70)},
	} {
		s.Offer(d)
	}
	p := &policy.Policy{Licenses: []*policy.License{e3, exo, citrix}}
	got := s.Changes(p)
	idleC, idleA := day(200), day(70)
	want := []Change{
		{User: "old", License: "citrix", MonthlySaving: 18},
		{User: "c", License: "e3", IdleSince: &idleC, MonthlySaving: 39},
		{User: "a", Rule: "r", License: "e3", To: "exo", IdleSince: &idleA, MonthlySaving: 35},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	if s.Deferred() != 2 {
		t.Errorf("deferred %d, want 2", s.Deferred())
	}
}

func TestExceeded(t *testing.T) {
	t.Parallel()
	limits := policy.Limits{StopAbovePercent: 10, StopAboveCount: 500}
	tests := map[string]struct {
		tally Tally
		want  string
	}{
		"all but few accepted":    {Tally{Rule: "accepted", Reclaim: 700, Holders: 1000}, ""},
		"many besides":            {Tally{Rule: "accepted", Reclaim: 800, Holders: 1000}, "matches 110 of 1000 holders (11.0 %), besides the 690 whom"},
		"as many as are accepted": {Tally{Rule: "accepted", Reclaim: 690, Holders: 690}, ""},
		"at the percent":          {Tally{Reclaim: 10, Holders: 100}, ""},
		"above the percent":       {Tally{Reclaim: 11, Holders: 100}, "11.0 %"},
		"exempt people hold too":  {Tally{Reclaim: 10, Keep: 50, Exempt: 40, Holders: 100}, ""},
		"few matches":             {Tally{Reclaim: 9, Holders: 10}, ""},
		"few, everybody":          {Tally{Reclaim: 9, Holders: 9}, "every one of the 9 holders"},
		"three, everybody":        {Tally{Reclaim: 3, Holders: 3}, "every one of the 3 holders"},
		"two, everybody":          {Tally{Reclaim: 2, Holders: 2}, ""},
		"at the count":            {Tally{Reclaim: 500, Holders: 100_000}, ""},
		"above the count":         {Tally{Reclaim: 501, Holders: 100_000}, "stopAbove.count 500"},
		"everybody":               {Tally{Reclaim: 10, Holders: 10}, "every one"},
		"who may hold counts not": {Tally{Reclaim: 11, Undecided: 900, Holders: 100}, "11.0 %"},
		"nobody":                  {Tally{}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(Exceeded(limits, []Tally{tc.tally}, map[string]int{"accepted": 690}), "\n")
			if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("Exceeded = %q, want %q", got, tc.want)
			}
		})
	}
	for name, tc := range map[string]struct {
		tally    Tally
		accepted int
		want     string
	}{
		"one is exempt":                 {Tally{Reclaim: 8, Exempt: 1, ExemptHolders: 1, Holders: 9}, 0, "every one of the 9 holders except 1 exempt, which"},
		"one is exempt, one is active":  {Tally{Reclaim: 7, Keep: 1, Exempt: 1, ExemptHolders: 1, Holders: 9}, 0, ""},
		"exempt people may be none":     {Tally{Reclaim: 7, Keep: 2, Exempt: 500, Holders: 9}, 0, ""},
		"one is undecided":              {Tally{Reclaim: 8, Undecided: 1, UndecidedHolders: 1, Holders: 9}, 0, "every one of the 9 holders except 1 undecided, which"},
		"undecided people may be none":  {Tally{Reclaim: 7, Keep: 2, Undecided: 500, Holders: 9}, 0, ""},
		"one is accepted":               {Tally{Reclaim: 9, Holders: 9}, 1, "every one of the 9 holders except 1 accepted by an override, which"},
		"all of these":                  {Tally{Reclaim: 6, Exempt: 2, ExemptHolders: 1, Undecided: 3, UndecidedHolders: 2, Holders: 9}, 3, "except 1 exempt, 2 undecided, 3 accepted by an override, which"},
		"two besides the accepted":      {Tally{Reclaim: 9, Holders: 9}, 7, ""},
		"all are accepted":              {Tally{Reclaim: 9, Holders: 9}, 9, ""},
		"accepted, and one is active":   {Tally{Reclaim: 8, Keep: 1, Holders: 9}, 2, ""},
		"two, and the others are out":   {Tally{Reclaim: 2, Exempt: 7, ExemptHolders: 7, Holders: 9}, 0, ""},
		"all are exempt":                {Tally{Exempt: 9, ExemptHolders: 9, Holders: 9}, 0, ""},
		"many, all but one are exempt":  {Tally{Reclaim: 3, Keep: 1, Exempt: 5, ExemptHolders: 5, Holders: 9}, 0, ""},
		"a percent limit that says yes": {Tally{Reclaim: 60, Exempt: 1, ExemptHolders: 1, Holders: 61}, 0, "except 1 exempt"},
	} {
		got := strings.Join(Exceeded(limits, []Tally{tc.tally}, map[string]int{"": tc.accepted}), "\n")
		if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: Exceeded = %q, want %q", name, got, tc.want)
		}
	}
	if got := Exceeded(policy.Limits{StopAbovePercent: 100, StopAboveCount: 500}, []Tally{{Reclaim: 10, Holders: 10}}, nil); len(got) != 1 {
		t.Errorf("everybody matches and 100 percent are allowed: %q", got)
	}
}

func TestDrained(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		drain Drain
		want  string
	}{
		"at the percent":     {Drain{Before: 25, Now: 15, Holders: 400}, ""},
		"above the percent":  {Drain{Before: 25, Now: 16, Holders: 400, Runs: []string{"r1", "r2"}}, "took 25 licenses in the last 30 days that are not restored, and would take 16 more now: 41 of 400 (10.2 %), more than limits.stopAbove.percent 10. Look at who they are (runs r1, r2)"},
		"many runs":          {Drain{Before: 41, Now: 1, Holders: 400, Runs: []string{"1", "2", "3", "4", "5", "6", "7"}}, "(runs 1, 2, 3, 4, 5 and 2 more)"},
		"nothing now":        {Drain{Before: 90, Holders: 400}, ""},
		"nothing before":     {Drain{Now: 90, Holders: 400}, ""},
		"few of few":         {Drain{Before: 5, Now: 4, Holders: 10}, ""},
		"nobody ever had it": {Drain{}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(Drained(policy.Limits{StopAbovePercent: 10}, []Drain{tc.drain}), "\n")
			if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("Drained = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mode              policy.Mode
		changes           int
		limits, unhealthy []string
		want              Verdict
		overridable       bool
	}{
		{policy.Enforce, 3, nil, nil, Apply, false},
		{policy.Audit, 3, nil, nil, Apply, false},
		{policy.Review, 3, nil, nil, Review, false},
		{policy.Review, 3, nil, []string{"ad"}, Review, false},
		{policy.Review, 0, nil, nil, Nothing, false},
		{policy.Review, 0, nil, []string{"entra"}, Hold, false},
		{policy.Enforce, 3, []string{"limit"}, nil, Hold, true},
		{policy.Enforce, 3, []string{"limit"}, []string{"ad"}, Hold, true},
	}
	for _, tc := range tests {
		t.Run(fmt.Sprintf("%s %d %v %v", tc.mode, tc.changes, tc.limits, tc.unhealthy), func(t *testing.T) {
			t.Parallel()
			got, reasons, overridable := Decide(tc.mode, tc.changes, tc.limits, tc.unhealthy)
			if got != tc.want || overridable != tc.overridable || (got == Hold) != (len(reasons) > 0) || reasons == nil {
				t.Errorf("Decide = %s %q %v, want %s %v", got, reasons, overridable, tc.want, tc.overridable)
			}
		})
	}
}

func TestHashCoversTheBody(t *testing.T) {
	t.Parallel()
	base := func() *Plan {
		return &Plan{Run: "r", AsOf: asOf, Tenant: "t", ManifestHash: "m", PolicyHash: "p", Tool: "v", Changes: []Change{{User: "u", License: "e3"}}}
	}
	same := base()
	same.Run, same.Mode, same.Created = "another run", policy.Enforce, asOf
	if base().Hash() != same.Hash() {
		t.Error("the hash depends on more than the body")
	}
	changes := map[string]func(*Plan){
		"as-of":    func(p *Plan) { p.AsOf = p.AsOf.Add(time.Second) },
		"tenant":   func(p *Plan) { p.Tenant = "u" },
		"manifest": func(p *Plan) { p.ManifestHash = "n" },
		"policy":   func(p *Plan) { p.PolicyHash = "q" },
		"tool":     func(p *Plan) { p.Tool = "w" },
		"change":   func(p *Plan) { p.Changes[0].To = "exo" },
		"one more": func(p *Plan) { p.Changes = append(p.Changes, Change{}) },
		"one less": func(p *Plan) { p.Changes = nil },
		"resumed":  func(p *Plan) { p.Pending = []Begun{{User: "u"}} },
	}
	for name, change := range changes {
		p := base()
		change(p)
		if p.Hash() == base().Hash() {
			t.Errorf("%s is not in the hash", name)
		}
	}
}
