package restore

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func TestTaken(t *testing.T) {
	t.Parallel()
	type entry struct {
		license, run, back string
		o                  ledger.Outcome
	}
	ann := func(runs ...string) *Took { return &Took{User: "ann", Runs: runs} }
	for name, tc := range map[string]struct {
		entries []entry
		want    *Took
		is      error
	}{
		"nothing":                      {nil, nil, ErrNothing},
		"taken":                        {[]entry{{"e3", "r1", "", ledger.Done}}, ann("r1"), nil},
		"two by one run":               {[]entry{{"e3", "r1", "", ledger.Done}, {"citrix", "r1", "", ledger.Done}}, ann("r1"), nil},
		"two by two":                   {[]entry{{"e3", "r1", "", ledger.Done}, {"citrix", "r2", "", ledger.Done}}, ann("r2", "r1"), nil},
		"two, and the newer one last":  {[]entry{{"citrix", "r1", "", ledger.Done}, {"e3", "r2", "", ledger.Done}}, ann("r2", "r1"), nil},
		"being taken":                  {[]entry{{"e3", "r1", "", ""}}, ann("r1"), nil},
		"on its way back":              {[]entry{{"e3", "r1", "", ledger.Done}, {"e3", "r9", "r1", ""}}, ann("r1"), nil},
		"back":                         {[]entry{{"e3", "r1", "", ledger.Done}, {"e3", "r9", "r1", ledger.Done}}, nil, ErrNothing},
		"restored":                     {[]entry{{"e3", "r1", "", ledger.Restored}}, nil, ErrNothing},
		"announced":                    {[]entry{{"e3", "r1", "", ledger.Announced}}, nil, ErrNothing},
		"failed":                       {[]entry{{"e3", "r1", "", ledger.Failed}}, nil, ErrNothing},
		"taken, then failed once more": {[]entry{{"e3", "r1", "", ledger.Done}, {"e3", "r2", "", ledger.Failed}}, ann("r1"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store.Store(&store.Memory{})
			book := ledger.In(s)
			for _, x := range tc.entries {
				last, err := book.Latest(t.Context(), "ann", x.license)
				if err != nil {
					t.Fatal(err)
				}
				e, err := book.Begin(t.Context(), ledger.Intent{Person: "ann", License: x.license, Run: x.run, RestoreOf: x.back, At: asOf}, last)
				if err == nil && x.o != "" {
					err = book.Complete(t.Context(), e, ledger.Completion{Outcome: x.o})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			people(t, s, "newest", []directory.EntraUser{{ID: "ann", UserPrincipalName: "ann@x.example", LastSuccessful: asOf}})
			got, err := TakenFrom(t.Context(), s, clock, "ann@x.example", "")
			if d := cmp.Diff(tc.want, got); d != "" || !errors.Is(err, tc.is) || err != nil && !strings.Contains(err.Error(), `from "ann@x.example" and is not back`) {
				t.Errorf("%v, want %v (-want +got):\n%s", err, tc.is, d)
			}
		})
	}
}

func people(t *testing.T, s store.Store, run string, entra []directory.EntraUser, ad ...directory.ADUser) {
	t.Helper()
	peopleIn(t, s, run, 1, entra, ad...)
}

func peopleIn(t *testing.T, s store.Store, run string, partitions int, entra []directory.EntraUser, ad ...directory.ADUser) {
	t.Helper()
	b := &snapshot.Begin{Run: run, Read: asOf, AsOf: asOf, Tenant: tenant, Policy: text, Partitions: partitions, SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}}}
	err := snapshot.PutBegin(t.Context(), s, b)
	past, perr := history.MakeDigest(t.Context(), s, run, asOf)
	m, err := &snapshot.Manifest{Run: run, History: past}, errors.Join(err, perr)
	for _, source := range []directory.Source{directory.Entra, directory.AD} {
		w, werr := snapshot.NewWriter(s, b, source, "1", asOf)
		if werr != nil {
			t.Fatal(werr)
		}
		for i := range entra {
			if source == directory.Entra {
				err = errors.Join(err, w.AddEntra(&entra[i]))
			}
		}
		for i := range ad {
			if source == directory.AD {
				err = errors.Join(err, w.AddAD(&ad[i]))
			}
		}
		reading, ferr := w.Finish(t.Context())
		m.Readings[source], err = reading, errors.Join(err, ferr, w.Close())
	}
	if err := errors.Join(err, snapshot.Seal(t.Context(), s, m), history.PutPlanned(t.Context(), s, &history.Planned{Run: run}, true)); err != nil {
		t.Fatal(err)
	}
}

func TestKeysOf(t *testing.T) {
	t.Parallel()
	ann := directory.EntraUser{ID: "id-ann", UserPrincipalName: "ann@x.example", SID: "S-1-5-21-1", ImmutableID: "guid", Synced: true, LastSuccessful: asOf}
	annAD := directory.ADUser{SID: "S-1-5-21-1", GUID: "guid", UserPrincipalName: "ann@x.example", LastLogonTimestamp: asOf}
	bob := directory.EntraUser{ID: "id-bob", UserPrincipalName: "bob@x.example", LastSuccessful: asOf}
	cid := directory.ADUser{SID: "S-1-5-21-3", UserPrincipalName: "cid@x.example", SAMAccount: "bob@x.example", LastLogonTimestamp: asOf}
	everybody := func(t *testing.T, s store.Store) { people(t, s, "newest", []directory.EntraUser{ann, bob}, annAD, cid) }
	for name, tc := range map[string]struct {
		prepare func(*testing.T, store.Store)
		name    string
		want    []string
		unknown string
		is      error
	}{
		"both halves":            {everybody, "ann@x.example", []string{"id-ann", "S-1-5-21-1"}, "", nil},
		"Active Directory alone": {everybody, "cid@x.example", []string{"S-1-5-21-3"}, "", nil},
		"two people":             {everybody, "bob@x.example", nil, "", runs.ErrRefused},
		"Entra alone":            {everybody, "id-bob", []string{"id-bob"}, "", nil},
		"nobody there":           {everybody, "gone", []string{"gone"}, `nobody in run newest has the name "gone"`, nil},
		"no run":                 {func(*testing.T, store.Store) {}, "ann@x.example", []string{"ann@x.example"}, `no run knows who "ann@x.example" is`, nil},
		"its data are gone": {func(t *testing.T, s store.Store) {
			if err := history.PutPlanned(t.Context(), s, &history.Planned{Run: "newest"}, true); err != nil {
				t.Fatal(err)
			}
		}, "ann@x.example", []string{"ann@x.example"}, `the data of run newest, which say who "ann@x.example" is, cannot be read`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store.Store(&store.Memory{})
			tc.prepare(t, s)
			got := &identity{}
			who, err := keysOf(t.Context(), s, clock, tc.name, "")
			if err == nil {
				got = who
			}
			if d := cmp.Diff(tc.want, got.keys); d != "" || !errors.Is(err, tc.is) || tc.is != nil && !strings.Contains(err.Error(), "fits 2 people") {
				t.Errorf("%v, want %v (-want +got):\n%s", err, tc.is, d)
			}
			if !strings.HasPrefix(got.unknown, tc.unknown) || (got.unknown == "") != (tc.unknown == "") {
				t.Errorf("not found because %q, want %q", got.unknown, tc.unknown)
			}
			if _, err := TakenFrom(t.Context(), s, clock, tc.name, ""); tc.is == nil && (!errors.Is(err, ErrNothing) || strings.Contains(err.Error(), "give the object id or the SID") != (tc.unknown != "")) {
				t.Errorf("nothing was taken: %v", err)
			}
		})
	}
}

// TestTakenFromEitherKey: an account that was only in Active Directory has entries under its SID. TakenFrom finds these
// entries even if the person now has an object id.
func TestTakenFromEitherKey(t *testing.T) {
	t.Parallel()
	ann := directory.EntraUser{ID: "id-ann", UserPrincipalName: "ann@x.example", SID: "S-1-5-21-1", ImmutableID: "guid", Synced: true, LastSuccessful: asOf}
	for key, found := range map[string]bool{"id-ann": true, "S-1-5-21-1": true, "id-bob": false} {
		s := store.Store(&store.Memory{})
		people(t, s, "newest", []directory.EntraUser{ann}, directory.ADUser{SID: "S-1-5-21-1", GUID: "guid", LastLogonTimestamp: asOf})
		e, err := ledger.In(s).Begin(t.Context(), ledger.Intent{Person: key, License: "citrix", Run: "r1", At: asOf}, nil)
		if err != nil || ledger.In(s).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done}) != nil {
			t.Fatal(err)
		}
		checkTook(t, s, key, found, "r1")
	}
}

// TestTakenUnderAFormerId: the person's account in Entra ID had another id when a run took licenses. TakenFrom finds
// the licenses in Active Directory by the SID. It does not find the licenses in Entra ID, because they belonged to the
// former account.
func TestTakenUnderAFormerId(t *testing.T) {
	t.Parallel()
	citrix := ledger.Intent{Person: "id-gone", SID: "S-1-5-21-1", License: "citrix", Run: "r1", Via: "ad-group"}
	office := ledger.Intent{Person: "id-gone", SID: "S-1-5-21-1", License: "e3", Run: "r0", Via: "entra-group"}
	now := ledger.Intent{Person: "id-ann", SID: "S-1-5-21-1", License: "e3", Run: "r2", Via: "direct"}
	onlyAD := ledger.Intent{Person: "S-1-5-21-1", SID: "S-1-5-21-1", License: "citrix", Run: "r3", Via: "ad-group"}
	for name, tc := range map[string]struct {
		taken []ledger.Intent
		want  []string
	}{
		"Active Directory":        {[]ledger.Intent{citrix}, []string{"r1"}},
		"Entra ID":                {[]ledger.Intent{office}, nil},
		"both":                    {[]ledger.Intent{citrix, office}, []string{"r1"}},
		"under both ids":          {[]ledger.Intent{citrix, now}, []string{"r2", "r1"}},
		"under the SID and an id": {[]ledger.Intent{onlyAD, now}, []string{"r3", "r2"}},
	} {
		s := store.Store(&store.Memory{})
		for _, in := range tc.taken {
			taken(t, s, in)
		}
		people(t, s, "newest", []directory.EntraUser{{ID: "id-ann", UserPrincipalName: "ann@x.example", SID: "S-1-5-21-1", ImmutableID: "guid", Synced: true, LastSuccessful: asOf}}, directory.ADUser{SID: "S-1-5-21-1", GUID: "guid", LastLogonTimestamp: asOf})
		checkTook(t, s, name, tc.want != nil, tc.want...)
	}
}

func checkTook(t *testing.T, s store.Store, name string, found bool, want ...string) {
	t.Helper()
	got, err := TakenFrom(t.Context(), s, clock, "ann@x.example", "")
	switch {
	case !found && (got != nil || !errors.Is(err, ErrNothing)):
		t.Errorf("%s: %+v, %v", name, got, err)
	case found:
		if d := cmp.Diff(&Took{User: "id-ann", Runs: want}, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
}

// The function "taken" writes a completed entry of the ledger.
func taken(t *testing.T, s store.Store, in ledger.Intent) {
	t.Helper()
	in.At = asOf
	e, err := ledger.In(s).Begin(t.Context(), in, nil)
	if err == nil {
		err = ledger.In(s).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: asOf})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestStopsWhoIsMeant: a restore of one person also stops the changes of this person that the run has not made yet. It
// finds them even if the plan has the person under a former name or id. If it finds none, the error says so.
func TestStopsWhoIsMeant(t *testing.T) {
	t.Parallel()
	const all, none = "are stopped all the same", "its plan has no change of this person, so none is stopped"
	for user, tc := range map[string]struct{ stopped, says string }{
		"ann":               {"ann", all},
		"ANN@x.example":     {"ann", all},
		"ann.new@x.example": {"ann", all},
		"id-bob":            {"id-bob-0", all},
		"S-2":               {"id-bob-0", all},
		"ann.mew@x.example": {"", none},
		"eve@x.example":     {"", none},
	} {
		s := storeWithRun(t)
		p := &plan.Plan{Run: "earlier", Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{
			{User: "ann", UserPrincipalName: "ann@x.example", Rule: "m365", License: "e3", Via: plan.Direct},
			{User: "id-bob-0", SID: "S-2", UserPrincipalName: "bob@x.example", Rule: "citrix", License: "citrix", Via: plan.ADGroup},
		}}
		p.Bind()
		if err := errors.Join(runs.PutPlan(t.Context(), s, p, runs.Nobody), history.PutPlanned(t.Context(), s, history.PlannedBy(p), true)); err != nil {
			t.Fatal(err)
		}
		people(t, s, "newest", []directory.EntraUser{
			{ID: "ann", UserPrincipalName: "ann.new@x.example", LastSuccessful: asOf}, {ID: "eve", UserPrincipalName: "eve@x.example", LastSuccessful: asOf},
			{ID: "id-bob", SID: "S-2", UserPrincipalName: "bob.new@x.example", LastSuccessful: asOf},
		})
		if _, err := Plan(t.Context(), s, Request{Of: "earlier", User: user, Run: "mine", Policy: text}, clock); !errors.Is(err, ErrNothing) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", user, err)
		}
		stopped, err := history.Stopped(t.Context(), s, "earlier")
		want := map[string]bool{}
		if tc.stopped != "" {
			want[tc.stopped] = true
		}
		if d := cmp.Diff(want, stopped); d != "" || err != nil {
			t.Errorf("%s: %v, stopped (-want +got):\n%s", user, err, d)
		}
	}
}

// TestRestoreAfterADowngrade: the newest run is from a newer version, so this version cannot read its people. It can
// still restore what an earlier run took from one person or from everybody. It must not stop with an error, because a
// repeated call could not read the people either.
func TestRestoreAfterADowngrade(t *testing.T) {
	t.Parallel()
	for user, doubts := range map[string]int{"": 0, "ann": 1} {
		s := storeWithRun(t)
		earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done})
		people(t, s, "newest", []directory.EntraUser{{ID: "ann", UserPrincipalName: "ann@x.example", LastSuccessful: asOf}})
		earlier.Newer(t, s, "newest")
		p, err := Plan(t.Context(), s, Request{Of: "earlier", User: user, Run: "mine", Policy: text}, clock)
		if err != nil || users(p.Changes) != "ann" || len(p.Notes) != doubts {
			t.Errorf("restore of %q: %+v, %v", user, p, err)
		}
	}
}

// TestTakenAfterADowngrade: the runs that took a license are found, although only a newer version can read the newest
// run.
func TestTakenAfterADowngrade(t *testing.T) {
	t.Parallel()
	s := storeWithRun(t)
	earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done})
	people(t, s, "newest", []directory.EntraUser{{ID: "ann", UserPrincipalName: "ann@x.example", LastSuccessful: asOf}})
	earlier.Newer(t, s, "newest")
	got, err := TakenFrom(t.Context(), s, clock, "ann", "")
	if d := cmp.Diff(&Took{User: "ann", Runs: []string{"earlier"}}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

// TestRestoreOfANewerRun: a newer version began the changes of a run, and an older one restores them. The restore rolls
// them back itself, because the older version cannot go on with that run.
func TestRestoreOfANewerRun(t *testing.T) {
	t.Parallel()
	s := storeWithRun(t)
	earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ""})
	if err := snapshot.Seal(t.Context(), s, &snapshot.Manifest{Run: "earlier"}); err != nil {
		t.Fatal(err)
	}
	earlier.Newer(t, s, "earlier")
	p, err := Plan(t.Context(), s, Request{Of: "earlier", Run: "mine", Policy: text}, clock)
	if err != nil || users(p.Changes) != "ann" || len(p.Resumes) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}
