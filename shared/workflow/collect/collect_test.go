package collect

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot"
)

func TestBeginKeepsWhatItFound(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	got, err := b.Begin(t.Context(), start(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	ref := func(name string) directory.GroupRef { return directory.GroupRef{Source: directory.Entra, Name: name} }
	want := &snapshot.Begin{
		Run: "run", Started: clock, Read: clock, AsOf: asOf, Tenant: tenant, Tool: "v1", Partitions: 1, People: 2, Policy: text, SKUs: b.entra.skus,
		Groups: []directory.Group{
			{Ref: ref("LIC-E3"), ID: "g-e3"}, {Ref: ref("LIC-EXO"), ID: "g-exo"},
			{Ref: directory.GroupRef{Source: directory.AD, Name: citrixDN}, ID: citrixDN, Name: citrixDN},
			{Ref: ref("LIC-Exempt"), ID: "g-exempt"},
		},
		Members: []string{exemptKey, citrixKey},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("begin (-want +got):\n%s", d)
	}
	kept, err := snapshot.GetBegin(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, kept); d != "" {
		t.Errorf("begin.json (-want +got):\n%s", d)
	}
}

func TestBeginRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*fakeEntra)
		policy bool // whether the error is ErrPolicy
		want   string
	}{
		"another tenant":          {func(f *fakeEntra) { f.tenant = "other" }, true, "other"},
		"a product not owned":     {func(f *fakeEntra) { f.skus = f.skus[1:] }, true, "SPE_E3"},
		"license group missing":   {func(f *fakeEntra) { delete(f.groups, "LIC-EXO") }, true, "LIC-EXO"},
		"license group ambiguous": {func(f *fakeEntra) { f.fail = fails{"FindGroup LIC-E3": directory.ErrAmbiguousGroup} }, true, "more than one"},
		"exempt group ambiguous":  {func(f *fakeEntra) { f.fail = fails{"FindGroup LIC-Exempt": directory.ErrAmbiguousGroup} }, true, "more than one"},
		"tenant not read":         {func(f *fakeEntra) { f.fail = fails{"Tenant": errDown} }, false, "down"},
		"license group not read":  {func(f *fakeEntra) { f.fail = fails{"FindGroup LIC-E3": errDown} }, false, "LIC-E3"},
		"exempt group not read":   {func(f *fakeEntra) { f.fail = fails{"FindGroup LIC-Exempt": errDown} }, false, "LIC-Exempt"},
		"people not counted":      {func(f *fakeEntra) { f.fail = fails{"CountPeople": errDown} }, false, "down"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			tc.change(b.entra)
			_, err := b.Begin(t.Context(), start(t, ""))
			if err == nil || errors.Is(err, ErrPolicy) != tc.policy || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q, ErrPolicy %t", err, tc.want, tc.policy)
			}
			if left := b.keys(t); len(left) > 0 {
				t.Errorf("there is a run all the same: %q", left)
			}
		})
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	for people, want := range map[int]int{0: 1, 1: 1, perPartition: 1, perPartition + 1: 2, 1_000_000: 125} {
		t.Run(fmt.Sprint(people), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.entra.count = people
			got, err := b.Begin(t.Context(), start(t, ""))
			if err != nil || got.Partitions != want {
				t.Errorf("%d partitions, %v; want %d", got.Partitions, err, want)
			}
		})
	}
}

// The number of partitions stays while the number of people per partition is about right.
func TestPartitionsStay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, night := range []struct {
		run          string
		people, want int
	}{
		{"r1", 10*perPartition + 1, 11},
		{"r2", 10 * perPartition, 11},
		{"r3", 12 * perPartition, 11},
		{"r4", 11 * perPartition * 11 / 10, 11},
		{"r5", 11*perPartition*11/10 + 1, 13},
		{"r6", 13 * perPartition / 4, 13},
		{"r7", 13*perPartition/4 - 1, 4},
		{"r8", 1, 1},
		{"r9", perPartition * 11 / 10, 1},
		{"s1", 2 * perPartition, 2},
	} {
		b.entra.count = night.people
		got, err := b.Begin(t.Context(), Start{Run: night.run, AsOf: asOf, Policy: load(t, text), Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if got.Partitions != night.want {
			t.Errorf("run %s with %d people: %d partitions, want %d", night.run, night.people, got.Partitions, night.want)
		}
		if err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: night.run}, true); err != nil {
			t.Fatal(err)
		}
	}
	b.Store = failing.Key(b.Store, layout.Begin("s1"))
	if _, err := b.Begin(t.Context(), Start{Run: "s2", AsOf: asOf, Policy: load(t, text), Text: text}); !errors.Is(err, failing.Err) {
		t.Errorf("the last run cannot be read: %v", err)
	}
}

func TestWhatIsRead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	begin := b.begin(t)
	p := load(t, text)
	entra, err := b.ReadEntra(t.Context(), begin, p)
	if err != nil {
		t.Fatal(err)
	}
	ad, err := b.ReadAD(t.Context(), begin, p)
	if err != nil {
		t.Fatal(err)
	}
	parts := cmpopts.IgnoreFields(snapshot.Reading{}, "Parts")
	want := [2]snapshot.Reading{
		{Source: directory.Entra, People: 2, Freshness: directory.Freshness{Sampled: 2, WithActivity: 1, Newest: daysAgo(3)}, Members: map[string]int{exemptKey: 1}},
		{Source: directory.AD, People: 2, Freshness: directory.Freshness{Sampled: 2, WithActivity: 1, Newest: daysAgo(5)}, Full: clock, WhyFull: "no run read everybody before", Members: map[string]int{citrixKey: 2}, Groups: map[string]string{"ad:cn=citrix,ou=licenses,dc=corp": "guid of CN=Citrix,OU=Licenses,DC=corp"}},
	}
	if d := cmp.Diff(want, [2]snapshot.Reading{entra, ad}, parts); d != "" {
		t.Errorf("readings (-want +got):\n%s", d)
	}
	if err := b.Seal(t.Context(), "run", entra, ad); err != nil {
		t.Fatal(err)
	}
	wantAccounts := directory.Accounts{
		Entra: []directory.EntraUser{anna, bo}, AD: []directory.ADUser{annaAD, cidAD}, EntraState: directory.Present, ADState: directory.Present,
		Memberships: map[string][]string{bo.ID: {exemptKey}, annaAD.SID: {citrixKey}, cidAD.SID: {citrixKey}},
	}
	if d := cmp.Diff(wantAccounts, b.accounts(t)); d != "" {
		t.Errorf("snapshot (-want +got):\n%s", d)
	}
}

func (b *bench) begin(t *testing.T) *snapshot.Begin {
	t.Helper()
	begin, err := b.Begin(t.Context(), start(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	return begin
}

// TestGroupKnownByAnotherName: earlier runs had a policy that named a group by its id. The present policy names the
// group by its displayName. The new run still knows that the group hides its members, and how many members it had.
func TestGroupKnownByAnotherName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const id = "entra:g-exempt" // the policy named the group by its id
	err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: "r0", Earlier: &directory.Earlier{
		Groups:  map[string]directory.EarlierGroup{id: {ID: "g-exempt", Run: "r0", At: asOf.AddDate(0, 0, -1), Hidden: true}},
		Members: map[string]int{id: 47},
	}}, true)
	if err != nil {
		t.Fatal(err)
	}
	begun := b.begin(t)
	for _, g := range begun.Groups {
		if hidden := g.ID == "g-exempt"; g.Hidden != hidden {
			t.Errorf("%s: hidden %t", g.ID, g.Hidden)
		}
	}
	if n := begun.Earlier.Members[exemptKey]; n != 47 {
		t.Errorf("the group had %d members, want 47", n)
	}
}

func (b *bench) accounts(t *testing.T) (h directory.Accounts) {
	t.Helper()
	m, _, err := snapshot.GetManifest(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Read(t.Context(), b.Store, 0, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestNeverLessThanEverybody: if a source fails in the middle, the run has no people from that source.
func TestNeverLessThanEverybody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		source directory.Source
		change func(*bench)
		want   string
	}{
		"Entra, page 1":     {directory.Entra, func(b *bench) { b.entra.fail = fails{"ListPeople page 1": errDown} }, "read entra"},
		"Entra, page 2":     {directory.Entra, func(b *bench) { b.entra.fail = fails{"ListPeople page 2": errDown} }, "read entra"},
		"Entra, members":    {directory.Entra, func(b *bench) { b.entra.fail = fails{"ListMembers g-exempt": errDown} }, "entra:LIC-Exempt"},
		"Entra, group gone": {directory.Entra, func(b *bench) { b.entra.fail = fails{"ListMembers g-exempt": directory.ErrNoGroup} }, "entra:LIC-Exempt"},
		"Entra, store":      {directory.Entra, func(b *bench) { b.Store = brokenStore{b.Store, "/entra/"} }, "/entra/"},
		"AD, people":        {directory.AD, func(b *bench) { b.ad.fail = fails{"ListPeople": errDown} }, "read ad"},
		"AD, members":       {directory.AD, func(b *bench) { b.ad.fail = fails{"ListMembers " + citrixDN + " direct=true": errDown} }, citrixDN},
		"AD, group ambiguous": {directory.AD, func(b *bench) {
			b.ad.fail = fails{"ListMembers " + citrixDN + " direct=true": directory.ErrAmbiguousGroup}
		}, citrixDN},
		"AD, store": {directory.AD, func(b *bench) { b.Store = brokenStore{b.Store, "/ad/"} }, "/ad/"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			begin := b.begin(t)
			tc.change(b)
			read := b.ReadEntra
			if tc.source == directory.AD {
				read = b.ReadAD
			}
			got, err := read(t.Context(), begin, load(t, text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if d := cmp.Diff(snapshot.Reading{}, got); d != "" {
				t.Errorf("a reading all the same (-want +got):\n%s", d)
			}
			if d := cmp.Diff([]string{"runs/run/begin.json"}, b.keys(t)); d != "" {
				t.Errorf("objects (-want +got):\n%s", d)
			}
		})
	}
}

// TestMissingGroup: a missing group does not count as an empty group.
func TestMissingGroup(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	delete(b.entra.groups, "LIC-Exempt")
	b.ad.fail = fails{"ListMembers " + citrixDN + " direct=true": directory.ErrNoGroup}
	b.ad.in = nil
	begin, p := b.begin(t), load(t, text)
	entra, err := b.ReadEntra(t.Context(), begin, p)
	if err != nil {
		t.Fatal(err)
	}
	ad, err := b.ReadAD(t.Context(), begin, p)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{{exemptKey}, {citrixKey}}, [][]string{entra.Unreadable, ad.Unreadable}); d != "" {
		t.Errorf("unreadable (-want +got):\n%s", d)
	}
	if g := begin.Group(directory.GroupRef{Source: directory.Entra, Name: "LIC-Exempt"}); !strings.Contains(g.Unreadable, "no such group") {
		t.Errorf("begin.json does not say why: %+v", g)
	}
}

func TestWithoutActiveDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.AD = nil
	got, err := b.ReadAD(t.Context(), b.begin(t), load(t, text))
	if d := cmp.Diff(snapshot.Reading{Source: directory.AD, Absent: true}, got); d != "" || err != nil {
		t.Errorf("error %v, reading (-want +got):\n%s", err, d)
	}
}

// TestGroupsThatAreNotListed: a run begins even if Graph does not list the groups that give licenses. The list only
// explains verdicts.
func TestGroupsThatAreNotListed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.entra.fail = fails{"LicenseGroups": fmt.Errorf("%w: 400", directory.ErrNotListed)}
	if begin := b.begin(t); len(begin.Granting) > 0 {
		t.Errorf("groups: %+v", begin.Granting)
	}
}

// TestCalls: a run reads each page and each group once, and makes no other call.
func TestCalls(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var told []string
	b.Progress = func(s directory.Source, people, total int) {
		told = append(told, fmt.Sprintf("%s %d/%d", s, people, total))
	}
	begin, p := b.begin(t), load(t, text)
	if _, err := b.ReadEntra(t.Context(), begin, p); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ReadAD(t.Context(), begin, p); err != nil {
		t.Fatal(err)
	}
	want := []string{"Tenant", "FindGroup LIC-E3", "FindGroup LIC-EXO", "FindGroup LIC-Exempt", "LicenseGroups", "CountPeople", "ListPeople page 1", "ListPeople page 2", "ListMembers g-exempt"}
	if d := cmp.Diff(want, b.entra.calls); d != "" {
		t.Errorf("calls to Entra (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"ListPeople", "ListMembers " + citrixDN + " direct=true"}, b.ad.calls); d != "" {
		t.Errorf("calls to Active Directory (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"entra 1/2", "entra 2/2"}, told); d != "" {
		t.Errorf("progress (-want +got):\n%s", d)
	}
}
