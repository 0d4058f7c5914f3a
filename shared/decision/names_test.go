package decision

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// The policy exempts a person by name, and the name now belongs to another account, to several accounts or to none. The
// plan has a note about this. The exemption continues to apply to the earlier account.
func TestListed(t *testing.T) {
	t.Parallel()
	const name = "exempt@x.example"
	was := directory.EarlierPerson{ID: "id-1", SID: "S-1", Name: name, Seen: daysAgo(9)}
	wasInAD := directory.EarlierPerson{SID: "S-2", Name: name, Seen: daysAgo(9)}
	read := asOf.AddDate(0, 0, 0).Add(-60e9)
	is := func(id, sid, now string) Named { return Named{Entry: name, ID: id, SID: sid, Name: now} }
	followed := is("id-1", "S-1", "wed@x.example")
	followed.Followed = true
	for what, tc := range map[string]struct {
		before []directory.EarlierPerson
		now    []Named
		failed string // why Active Directory was not read; empty if it was read
		people []directory.EarlierPerson
		notes  []string
		nobody []string
	}{
		"found for the first time":  {nil, []Named{is("id-1", "S-1", name)}, "", []directory.EarlierPerson{{ID: "id-1", SID: "S-1", Name: name, Seen: read}}, nil, nil},
		"found again":               {[]directory.EarlierPerson{was}, []Named{is("id-1", "S-1", name)}, "", []directory.EarlierPerson{{ID: "id-1", SID: "S-1", Name: name, Seen: read}}, nil, nil},
		"in Active Directory alone": {nil, []Named{is("S-2", "S-2", name)}, "", []directory.EarlierPerson{{SID: "S-2", Name: name, Seen: read}}, nil, nil},
		"met twice":                 {nil, []Named{is("id-1", "S-1", name), is("id-1", "S-1", name)}, "", []directory.EarlierPerson{{ID: "id-1", SID: "S-1", Name: name, Seen: read}}, nil, nil},
		"never anybody":             {nil, nil, "", nil, nil, []string{name}},
		"another name":              {nil, []Named{{Entry: "other@x.example", ID: "id-9"}}, "", nil, nil, []string{name}},
		"gone": {[]directory.EarlierPerson{wasInAD, was}, nil, "", []directory.EarlierPerson{wasInAD, was},
			[]string{`the policy lists "exempt@x.example", whose account (id-1) is gone since 2026-11-14; take it out of the policy`}, nil},
		"gone from Active Directory": {[]directory.EarlierPerson{was, wasInAD}, nil, "", []directory.EarlierPerson{was, wasInAD},
			[]string{`the policy lists "exempt@x.example", whose account (S-2) is gone since 2026-11-14; take it out of the policy`}, nil},
		"not met, and not all was read": {[]directory.EarlierPerson{was}, nil, "no route", []directory.EarlierPerson{was},
			[]string{`the policy lists "exempt@x.example", whose account (id-1) was not found; this run did not read all of ad`}, nil},
		"renamed": {[]directory.EarlierPerson{was}, []Named{followed}, "", []directory.EarlierPerson{{ID: "id-1", SID: "S-1", Name: "wed@x.example", Seen: read}},
			[]string{`the policy lists "exempt@x.example", who is named "wed@x.example" now and was followed by the id id-1; correct the policy`}, nil},
		"renamed, and another has the name": {[]directory.EarlierPerson{was}, []Named{followed, is("id-3", "", name)}, "", []directory.EarlierPerson{{ID: "id-1", SID: "S-1", Name: "wed@x.example", Seen: read}, {ID: "id-3", Name: name, Seen: read}},
			[]string{`the policy lists "exempt@x.example", who is named "wed@x.example" now and was followed by the id id-1; correct the policy`,
				`the policy lists "exempt@x.example", a name that another account (id-3) has now; both are exempt; name the right one by its id`}, nil},
		"two people of one name": {nil, []Named{is("id-1", "S-1", name), is("id-3", "", name)}, "", []directory.EarlierPerson{{ID: "id-1", SID: "S-1", Name: name, Seen: read}, {ID: "id-3", Name: name, Seen: read}},
			[]string{`the policy lists "exempt@x.example", a name that 2 accounts have; all of them are exempt`}, nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := world{
				entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{{SID: "S-busy", LastLogonTimestamp: daysAgo(1)}}, failed: tc.failed,
				begin: func(b *snapshot.Begin) {
					if tc.before != nil {
						b.Earlier = &directory.Earlier{People: map[string][]directory.EarlierPerson{name: tc.before, "another": {was}}}
					}
				},
			}.seal(t)
			got := r.Listed(tc.now)
			people := got.People[name]
			if _, kept := got.People["another"]; kept != (tc.before != nil) {
				t.Errorf("names of another policy: %+v", got.People)
			}
			if _, there := got.People[name]; there != (tc.people != nil) {
				t.Errorf("%s is remembered: %t", name, there)
			}
			for _, d := range []string{cmp.Diff(tc.people, people), cmp.Diff(tc.notes, got.Notes), cmp.Diff(tc.nobody, got.Nobody)} {
				if d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
		})
	}
}

// A listed account that is not found is gone if all accounts were read. This is so without Active Directory, and also
// while its dates cannot be trusted. An account of Active Directory alone may exist when Active Directory is not set up.
func TestListedIsGone(t *testing.T) {
	t.Parallel()
	for what, tc := range map[string]struct {
		reading     snapshot.Reading // of Active Directory
		gone, local bool             // whether an account of Entra ID, or of Active Directory alone, is gone
	}{
		"Active Directory is not set up": {snapshot.Reading{Source: directory.AD, Absent: true}, true, false},
		"its dates are stale":            {snapshot.Reading{Source: directory.AD, Freshness: directory.Freshness{Sampled: 9, WithActivity: 9, Newest: daysAgo(30)}}, true, true},
		"it was not read":                {snapshot.Reading{Source: directory.AD, Failed: "no route"}, false, false},
		"it returned nobody":             {snapshot.Reading{Source: directory.AD}, false, false},
	} {
		r := world{
			entra:    []directory.EntraUser{accountOf("busy", 1)},
			manifest: func(m *snapshot.Manifest) { m.Readings[directory.AD] = tc.reading },
		}.seal(t)
		for before, gone := range map[directory.EarlierPerson]bool{{ID: "id-1", Seen: daysAgo(9)}: tc.gone, {SID: "S-2", Seen: daysAgo(9)}: tc.local} {
			note := r.gone("exempt@x.example", []directory.EarlierPerson{before})
			if strings.Contains(note, "is gone since 2026-11-14") != gone || strings.Contains(note, "did not read all of ad") == gone {
				t.Errorf("%s: %q", what, note)
			}
		}
		said, err := r.Lookalikes(t.Context(), []string{"svc@x.example"})
		if strings.Contains(strings.Join(said, ""), "was not read") == tc.gone || err != nil {
			t.Errorf("%s: %q, %v", what, said, err)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	wed := accountOf("wed", 1)
	r := world{partitions: 2, entra: []directory.EntraUser{accountOf("exempt", 1), wed, accountOf("busy", 1)}, begin: func(b *snapshot.Begin) {
		b.Earlier = &directory.Earlier{People: map[string][]directory.EarlierPerson{"exempt@x.example": {{ID: "id-wed"}}}}
	}}.seal(t)
	got, err := r.Named(t.Context())
	byName, followed := Named{Entry: "exempt@x.example", ID: "id-exempt", Name: "exempt@x.example"}, Named{Entry: "exempt@x.example", ID: "id-wed", Name: "wed@x.example", Followed: true}
	want := []Named{byName, followed}
	if len(got) == 2 && got[0] == followed {
		want = []Named{followed, byName} // in the order of their partitions
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

// For a name in the policy that nobody has, Lookalikes suggests the most similar name of an account. The order of the
// accounts does not change the suggestion.
func TestLookalikes(t *testing.T) {
	t.Parallel()
	people := []directory.EntraUser{accountOf("breakglas", 1), accountOf("breakglssa", 1), accountOf("kim", 1)}
	const nobody = `the policy lists "%", and nobody has ever been found by that name`
	say := func(name, more string) string { return strings.Replace(nobody, "%", name, 1) + more }
	for name, tc := range map[string]struct {
		failed string
		names  []string
		want   []string
	}{
		"none":                 {"", nil, nil},
		"the nearest of two":   {"", []string{"breakglass@x.example", "svc-backup@x.example"}, []string{say("breakglass@x.example", `; did you mean "breakglas@x.example"?`), say("svc-backup@x.example", "")}},
		"without half of them": {"no route", []string{"svc-backup@x.example"}, []string{say("svc-backup@x.example", "; Active Directory, which may know the name, was not read")}},
	} {
		for range people {
			people = append(people[1:], people[0])
			r := world{entra: people, ad: []directory.ADUser{{SID: "S-busy", LastLogonTimestamp: daysAgo(1)}}, failed: tc.failed}.seal(t)
			got, err := r.Lookalikes(t.Context(), tc.names)
			if d := cmp.Diff(tc.want, got); d != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
			}
		}
	}
}

// If a read of people fails, each of these functions returns the error. Otherwise the people who could not be read
// would seem to be absent.
func TestReadingThatFails(t *testing.T) {
	t.Parallel()
	r := world{partitions: 2, entra: []directory.EntraUser{accountOf("p", 1), accountOf("busy", 1)}}.seal(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"find":       r.Find(ended, "p@x.example", func(*directory.Person) error { return nil }),
		"named":      func() error { _, err := r.Named(ended); return err }(),
		"lookalikes": func() error { _, err := r.Lookalikes(ended, []string{"x"}); return err }(),
		"read":       r.Read(ended, 0, &directory.Accounts{}),
		"open":       func() error { _, err := Open(ended, r.store, "run"); return err }(),
		"remember":   r.Remember(ended, 0, &directory.Accounts{}),
	} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnknownUser) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.Begin.SKUs = nil
	if _, err := r.Judge(asOf); err == nil || !strings.HasPrefix(err.Error(), "run run: ") {
		t.Errorf("a tenant without the products: %v", err)
	}
	if _, err := r.Explain(only(t, r, "p@x.example"), asOf); err == nil {
		t.Error("explained without the products")
	}
}

// An empty name does not find an account without a name.
func TestFindWantsAName(t *testing.T) {
	t.Parallel()
	r := world{entra: []directory.EntraUser{{ID: "id-1"}, accountOf("busy", 1)}, ad: []directory.ADUser{{SID: "S-1"}}}.seal(t)
	err := r.Find(t.Context(), "", func(p *directory.Person) error { t.Errorf("found %s", p.ID()); return nil })
	if !errors.Is(err, ErrUnknownUser) {
		t.Error(err)
	}
}

func TestSummaryOfAllPartitions(t *testing.T) {
	t.Parallel()
	r := world{partitions: 3}.seal(t)
	a, b := Named{Entry: "a", ID: "1"}, Named{Entry: "b", ID: "2"}
	for n, sum := range []Summary{
		{People: 1, Converted: 2, Kinds: map[string]int{"room": 1, "service": 2}, Named: []Named{a}, Tallies: make([]plan.Tally, 3)},
		{People: 10, Converted: 20, Kinds: map[string]int{"room": 10}, Named: []Named{b}, Tallies: make([]plan.Tally, 3)},
		{People: 100, Tallies: make([]plan.Tally, 3)},
	} {
		put(t, r, n, plan.Decision{User: "u"}, sum)
	}
	got, err := r.Each(t.Context(), func(*plan.Decision) error { return nil })
	want := Summary{People: 111, Converted: 22, Kinds: map[string]int{"room": 11, "service": 2}, Named: []Named{a, b},
		Tallies: []plan.Tally{{Rule: "m365"}, {Rule: "m365-long"}, {Rule: "citrix"}}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

// The stored lines of a partition are damaged if a line has neither a decision nor a summary, even if a line with the
// summary follows.
func TestLineWithoutADecision(t *testing.T) {
	t.Parallel()
	r := world{}.seal(t)
	putRaw(t, r, 0, []any{struct{}{}, line{Summary: &Summary{Tallies: tallies(1)}}})
	sum, err := r.Each(t.Context(), func(d *plan.Decision) error { t.Errorf("a decision: %+v", d); return nil })
	if err == nil || sum.Tallies != nil {
		t.Errorf("%+v, %v", sum, err)
	}
}
