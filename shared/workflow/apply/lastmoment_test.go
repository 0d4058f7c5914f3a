package apply

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestAskedAtTheLastMoment: the reading just before the write decides whether the rule keeps the license.
func TestAskedAtTheLastMoment(t *testing.T) {
	t.Parallel()
	never := moveAnna
	never.IdleSince = nil
	for name, tc := range map[string]struct {
		change plan.Change
		person func(*directory.Person)
		latest time.Time // the latest possible last logon
		keep   string    // start of the reason; empty: apply takes the license
	}{
		"idle as planned":               {moveAnna, func(*directory.Person) {}, time.Time{}, ""},
		"signed in":                     {moveAnna, func(p *directory.Person) { p.Entra.LastSuccessful = daysAgo(3) }, time.Time{}, "signed in 3 days ago"},
		"signed in, but was planned so": {moveAnna, func(p *directory.Person) { p.Entra.LastSuccessful = daysAgo(30) }, time.Time{}, "signed in 30 days ago"},
		"never, and signed in":          {never, func(p *directory.Person) { p.Entra.LastSuccessful = daysAgo(3) }, time.Time{}, "signed in 3 days ago"},
		"never, as planned":             {never, func(p *directory.Person) { p.Entra.LastSuccessful = time.Time{} }, time.Time{}, ""},
		"a date, where none was":        {never, func(*directory.Person) {}, time.Time{}, ""},
		"no date, where one was":        {moveAnna, func(p *directory.Person) { p.Entra.LastSuccessful = time.Time{} }, time.Time{}, "undecided: the last sign-in of 2026-08-15 is no longer there, so the data cannot be trusted"},
		"exempt":                        {moveAnna, func(p *directory.Person) { p.Memberships = []string{"entra:LIC-Exempt"} }, time.Time{}, "exempt: exempt: member of entra:LIC-Exempt"},
		"not known":                     {moveAnna, func(p *directory.Person) { p.Stale[directory.Entra] = "stalled" }, time.Time{}, "undecided: AzureAdSistaLogon cannot be trusted: stalled"},
		"another way":                   {moveAnna, func(p *directory.Person) { p.Entra.Assignments = nil }, time.Time{}, "notHolder: does not hold e3"},
	} {
		b := newBench(t, tc.change)
		m := b.underWay(t, tc.change, plan.EntraGroup)
		judge, err := m.run.Judge(b.now)
		if err != nil {
			t.Fatal(err)
		}
		m.judge, m.latest = judge, tc.latest
		tc.person(m.person)
		if _, _, keep := m.ask(); (tc.keep == "") != (keep == "") || !strings.HasPrefix(keep, tc.keep) {
			t.Errorf("%s: %q, want %q", name, keep, tc.keep)
		}
	}
	gone := moveAnna
	gone.Rule = "gone"
	b := newBench(t, gone)
	m := b.underWay(t, gone, plan.EntraGroup)
	if rule, _, keep := m.askBy(m.run, m.judge); rule != nil || keep != "the policy has no rule gone" {
		t.Errorf("%+v, %q", rule, keep)
	}
}

// TestLogonProvenWithoutItsDate: a domain controller does not answer, so the last logon is unknown. Apply takes the
// license only if the rule reclaims it even with the latest possible logon.
func TestLogonProvenWithoutItsDate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		latest time.Time
		stale  string
		want   policy.Outcome
	}{
		"long ago":          {daysAgo(95), "dc2 was not asked", policy.Reclaim},
		"perhaps lately":    {daysAgo(80), "dc2 was not asked", policy.Undecided},
		"nothing is proven": {time.Time{}, "dc2 was not asked", policy.Undecided},
		"the date is known": {daysAgo(80), "", policy.Reclaim},
	} {
		b := newBench(t, freeDora)
		j := b.jobOf(t)
		judge, err := j.run.Judge(b.now)
		if err != nil {
			t.Fatal(err)
		}
		p := &directory.Person{ADState: directory.Present, AD: &directory.ADUser{SID: "S-1-5-21-4", LastLogonTimestamp: idle}, Memberships: []string{directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)}, EntraState: directory.Present, Entra: &directory.EntraUser{ID: "id-dora"}}
		p.Stale[directory.AD] = tc.stale
		m := &move{job: j, change: &freeDora, person: p, latest: tc.latest}
		if _, v, keep := m.askBy(j.run, judge); v.Outcome != tc.want || (keep == "") != (tc.want == policy.Reclaim) {
			t.Errorf("%s: %s, %q", name, v.Outcome, keep)
		}
	}
}

// TestEvidenceThatIsTooOld: if the evidence is too old to take a license, apply reads the person again and asks the
// rule again. The number of readings is limited.
func TestEvidenceThatIsTooOld(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		times int // number of readings that take too long
		then  func(*bench)
		want  runs.Status
		note  string
		wrote bool
	}{
		"once":                       {1, func(*bench) {}, runs.Done, "", true},
		"once, and somebody is back": {1, func(b *bench) { b.entra.users["id-bo"].LastSuccessful = b.now }, runs.Kept, "signed in", false},
		"each time":                  {99, func(*bench) {}, runs.Pending, "nothing was taken: " + errAged.Error(), false},
		"once, and then unreadable":  {1, func(b *bench) { b.entra.fail = map[string]error{"ReadPeople id-bo": errDown} }, runs.Pending, "nothing was taken: " + errAged.Error() + "; read again: down", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			left := tc.times
			j := b.jobOf(t)
			judge, err := j.run.Judge(b.now)
			if err != nil {
				t.Fatal(err)
			}
			j.judge, j.results = judge, &runs.Results{}
			old := func(e reading) reading { e.read = e.read.Add(-evidenceAge - time.Second); return e }
			all, err := j.fresh(t.Context(), []plan.Change{changeBo})
			if err != nil {
				t.Fatal(err)
			}
			tc.then(b)
			if left > 1 { // time passes after each reading
				calls := 0
				j.Applier = &Applier{Store: b.Store, Entra: b.entra, AD: b.ad, Now: func() time.Time { calls++; return b.now.Add(time.Duration(calls) * time.Hour) }}
			}
			r := j.change(t.Context(), &changeBo, old(all["id-bo"]))
			if r.Status != tc.want || !strings.HasPrefix(r.Note, tc.note) {
				t.Errorf("%s, %q", r.Status, r.Note)
			}
			if wrote := len(b.entra.writes()) > 0; wrote != tc.wrote {
				t.Errorf("wrote %v", b.entra.writes())
			}
			if read := b.entra.count["ReadPeople"]; read > mostReadings {
				t.Errorf("read the person %d times", read)
			}
		})
	}
}

// TestStoppedBeforeTheWriteInActiveDirectory: the process is suspended just before the write, and the person comes back
// in that time. The person keeps the license.
func TestStoppedBeforeTheWriteInActiveDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	b.ad.beforeWrite = func() {
		b.ad.beforeWrite = nil
		b.now = b.now.Add(14 * time.Hour)
		b.ad.people["S-1-5-21-4"].LastLogonTimestamp = b.now.Add(-time.Hour)
	}
	results, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(b.ad.in[citrixDN], "S-1-5-21-4") {
		t.Errorf("no member any more: %+v", results.Results)
	}
}

// TestLogonIsKeptInTheResults: if the reading just before the change shows a newer logon, the person keeps the license,
// and the results have the logon for later runs.
func TestLogonIsKeptInTheResults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		logon time.Time
		want  *directory.Sighting
	}{
		"still idle": {idle, nil},
		"back":       {daysAgo(1), &directory.Sighting{Account: "S-1-5-21-4", Newest: [directory.ActivityDates]time.Time{daysAgo(1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeDora)
			b.ad.people["S-1-5-21-4"].LastLogonTimestamp = tc.logon
			results, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil {
				t.Fatal(err)
			}
			if tc.want != nil {
				tc.want.At = b.now
			}
			if d := cmp.Diff(tc.want, results.Results[0].Logon); d != "" {
				t.Errorf("%+v (-want +got):\n%s", results.Results[0], d)
			}
		})
	}
}

// TestAccountGoneFromActiveDirectory: a change ends if the account is gone. The change does not end if the account
// could not be read.
func TestAccountGoneFromActiveDirectory(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		state  directory.Presence
		noAD   bool
		left   bool
		back   string
		status runs.Status
	}{
		"gone":               {directory.NoAccount, false, false, "", runs.Failed},
		"gone, and left":     {directory.NoAccount, false, true, "", runs.Done},
		"gone, in a restore": {directory.NoAccount, false, true, "r0", troubled}, // the account may come back
		"missing":            {directory.Missing, false, false, "", runs.Failed},
		"not read":           {directory.NotRead, false, true, "", troubled},
		"in contradiction":   {directory.Contradictory, false, true, "", troubled},
		"not set up":         {directory.NoAccount, true, true, "", troubled},
	} {
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.ADGroup)
		c := changeBo
		c.RestoreOf = tc.back
		m.change, m.person.ADState = &c, tc.state
		if tc.noAD {
			m.Applier = &Applier{Store: b.Store, Entra: b.entra, Now: b.Applier.Now}
		}
		if tc.left {
			if _, _, err := m.ledger.Leave(t.Context(), m.entry, b.now); err != nil {
				t.Fatal(err)
			}
		}
		if status, note := m.withoutAD(t.Context()); status != tc.status || note == "" {
			t.Errorf("%s: %s, %q", name, status, note)
		}
	}
}

func TestGroupOfTheWayBack(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		license string
		group   string
		change  func(*bench, *job)
		want    string
		is      error
	}{
		"the policy's": {"e3", "g-e3", func(*bench, *job) {}, "", nil},
		"the policy's, dynamic": {"e3", "g-e3", func(_ *bench, j *job) {
			ref := *j.run.Policy.LicenseNamed("e3").Group
			g := j.run.Tenant.Groups[ref]
			g.Dynamic = true
			j.run.Tenant.Groups[ref] = g
		}, "the group entra:LIC-E3 is dynamic", nil},
		"another":             {"e3", "g-other", func(b *bench, _ *job) { b.entra.grants["g-other"] = "sku-e3" }, "", nil},
		"another, of nothing": {"e3", "g-other", func(*bench, *job) {}, "the group g-other does not grant SPE_E3", nil},
		"another, of another": {"e3", "g-exo", func(*bench, *job) {}, "the group g-exo does not grant SPE_E3", nil},
		"gone":                {"e3", "g-other", func(b *bench, _ *job) { b.entra.fail = map[string]error{"FindGroup g-other": directory.ErrNoGroup} }, "it is gone", nil},
		"cannot be read":      {"e3", "g-other", func(b *bench, _ *job) { b.entra.fail = map[string]error{"FindGroup g-other": errDown} }, "", errDown},
	} {
		b := newBench(t, changeBo)
		j := b.jobOf(t)
		tc.change(b, j)
		l := j.run.Policy.LicenseNamed(tc.license)
		got, err := j.unusable(t.Context(), l, tc.group)
		if (tc.want == "") != (got == "") || !strings.HasPrefix(got, tc.want) || !errors.Is(err, tc.is) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		without := *l
		without.Group = nil
		if _, err := j.unusable(t.Context(), &without, tc.group); !errors.Is(err, tc.is) {
			t.Errorf("%s, of a license without a group: %v", name, err)
		}
	}
}

func TestSameLicense(t *testing.T) {
	t.Parallel()
	group, other := directory.GroupRef{Name: "G"}, directory.GroupRef{Name: "H"}
	all := []*policy.License{nil, {Name: "a"}, {Name: "b"}, {Name: "a", SKU: "s"}, {Name: "a", SKU: "t"}, {Name: "a", SKU: "s", Group: &group}, {Name: "a", SKU: "s", Group: &other}}
	for i, a := range all {
		for k, b := range all {
			if b != nil {
				copied := *b
				b = &copied
			}
			if got := sameLicense(a, b); got != (i == k) {
				t.Errorf("%+v and %+v: %t", a, b, got)
			}
		}
	}
}

// TestGroupsOfThePolicyInForce: the policy in force names a group that the run's policy did not name. Apply looks for
// this group once in Entra ID. For the groups that the run found, it uses the data of the run.
func TestGroupsOfThePolicyInForce(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	j := b.jobOf(t)
	known, fresh := directory.GroupRef{Name: "LIC-Exempt"}, directory.GroupRef{Name: "NEW"}
	if err := j.force(strings.Replace(text, "{entra: LIC-Exempt}", "{entra: LIC-Exempt}, {entra: NEW}", 1)); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, q := range j.memberQueries() {
		keys = append(keys, q.Ref.Key(q.Direct))
	}
	if d := cmp.Diff([]string{"entra:LIC-Exempt", "ad/direct:cn=citrix,dc=corp", "entra:NEW"}, keys); d != "" {
		t.Errorf("questions (-want +got):\n%s", d)
	}
	b.entra.fail = map[string]error{"FindGroup #1": errDown}
	if _, err := j.entraGroup(t.Context(), fresh); !errors.Is(err, errDown) {
		t.Errorf("it cannot be looked for: %v", err)
	}
	for range 2 {
		if g, err := j.entraGroup(t.Context(), known); err != nil || g.ID != "g-exempt" {
			t.Errorf("%+v, %v", g, err)
		}
		if g, err := j.entraGroup(t.Context(), fresh); err != nil || g.ID != "NEW" || g.Ref != fresh || g.Unreadable != "" {
			t.Errorf("%+v, %v", g, err)
		}
	}
	if d := cmp.Diff([]string{"FindGroup NEW", "FindGroup NEW"}, b.entra.calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	for _, err := range []error{directory.ErrNoGroup, directory.ErrAmbiguousGroup} {
		gone := directory.GroupRef{Name: "GONE " + err.Error()}
		b.entra.fail = map[string]error{"FindGroup " + gone.Name: err}
		if g, got := j.entraGroup(t.Context(), gone); got != nil || g.Unreadable != err.Error() || g.Ref != gone {
			t.Errorf("%v: %+v, %v", err, g, got)
		}
	}
	plain := b.jobOf(t)
	if g, err := plain.entraGroup(t.Context(), fresh); err != nil || g.Unreadable == "" {
		t.Errorf("a group for which nobody has looked: %+v, %v", g, err)
	}
	if g, err := plain.entraGroup(t.Context(), known); err != nil || g.ID != "g-exempt" || len(plain.memberQueries()) != 2 {
		t.Errorf("without another policy: %+v, %v", g, err)
	}
}

// TestUndoingWhatBegan: the data of a run is lost, and a change of the run is still open in the ledger. A restore rolls
// the change back, but only if the groups and the product in the ledger still belong to the license.
func TestUndoingWhatBegan(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		alter  func(*ledger.Intent)
		change func(*bench)
		status runs.Status
		note   string
	}{
		"by its groups":   {func(*ledger.Intent) {}, func(*bench) {}, runs.Pending, ""},
		"another source":  {func(in *ledger.Intent) { in.Source = "g-mfa" }, func(*bench) {}, runs.Refused, "the groups of ledger/id-anna/e3/000001.json are not those by which it may be restored now"},
		"another target":  {func(in *ledger.Intent) { in.Target = "g-mfa" }, func(*bench) {}, runs.Refused, "the groups of ledger/id-anna/e3/000001.json are not those by which it may be restored now"},
		"another product": {func(in *ledger.Intent) { in.SKU = "sku-x" }, func(*bench) {}, runs.Refused, "the ledger has the product"},
		"cannot be read":  {func(in *ledger.Intent) { in.Source = "g-mfa" }, func(b *bench) { b.entra.fail = map[string]error{"FindGroup #1": errDown} }, runs.Refused, ""},
	} {
		b := newBench(t, moveAnna)
		back := moveAnna
		back.Rule, back.RestoreOf = plan.RestoreRule, "r0"
		in := ledger.Intent{Person: "id-anna", License: "e3", To: "exo", Run: "r0", Rule: "m365", Via: "entra-group", Source: "g-e3", Target: "g-exo", SKU: "sku-e3", TargetSKU: "sku-exo", At: daysAgo(3), Before: ledger.Holding{Assignments: []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Active"}}}}
		tc.alter(&in)
		j := b.jobOf(t)
		j.plan.Restores = "r0"
		e, err := j.ledger.Begin(t.Context(), in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := j.ledger.Leave(t.Context(), e, b.now); err != nil {
			t.Fatal(err)
		}
		tc.change(b)
		page, err := j.ledger.Of(t.Context(), "id-anna")
		if err != nil {
			t.Fatal(err)
		}
		u := *b.entra.users["id-anna"]
		m := &move{job: j, page: page, change: &back, person: &directory.Person{Entra: &u, EntraState: directory.Present}, read: b.now}
		status, note := j.undoBegun(t.Context(), m, e)
		if status != tc.status || !strings.HasPrefix(note, tc.note) {
			t.Errorf("%s: %s, %q", name, status, note)
		}
		if wrote := len(b.entra.writes()) > 0; wrote != (tc.status == runs.Pending) {
			t.Errorf("%s: wrote %v", name, b.entra.writes())
		}
	}
}
