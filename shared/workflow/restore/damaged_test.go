package restore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// TestRestoreWithDamagedData: an operator restores one person, and one of two parts of the newest run's data cannot be
// read. If the part is damaged, the plan restores the changes under the given id and under the ids that the other part
// shows, and a note names the damaged part. If the store is down, the restore fails. In both cases, the person's
// unfinished changes are stopped.
func TestRestoreWithDamagedData(t *testing.T) {
	t.Parallel()
	damage := func(s store.Store, key string) store.Store {
		if err := store.PutBytes(t.Context(), s, key, []byte("half")); err != nil {
			t.Fatal(err)
		}
		return s
	}
	down := func(s store.Store, key string) store.Store { return failing.Key(s, key) }
	for name, tc := range map[string]struct {
		spoil func(s store.Store, key string) store.Store
		down  bool // whether a later call may read the part
		own   bool // whether the part of the person is the one that cannot be read
		want  string
	}{
		"her part is damaged":           {damage, false, true, "id-ann"},
		"her part cannot be read":       {down, true, true, "id-ann"},
		"the other part is damaged":     {damage, false, false, "id-gone id-ann"},
		"the other part cannot be read": {down, true, false, "id-gone id-ann"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storeWithRun(t)
			taken(t, s, ledger.Intent{Person: "id-gone", SID: "S-1-5-21-1", License: "citrix", Run: "run", Via: "ad-group"})
			taken(t, s, ledger.Intent{Person: "id-ann", SID: "S-1-5-21-1", License: "e3", Run: "run", Via: "direct"})
			p := &plan.Plan{Run: "run", Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{
				{User: "id-gone", Rule: "citrix", License: "citrix", Via: plan.ADGroup}, {User: "id-ann", Rule: "m365", License: "e3", Via: plan.Direct},
			}}
			p.Bind()
			if err := errors.Join(runs.PutPlan(t.Context(), s, p, runs.Nobody), history.PutPlanned(t.Context(), s, history.PlannedBy(p), true)); err != nil {
				t.Fatal(err)
			}
			all := []directory.EntraUser{{ID: "id-ann", UserPrincipalName: "ann@x.example", SID: "S-1-5-21-1", LastSuccessful: asOf}}
			for i := range 20 {
				all = append(all, directory.EntraUser{ID: fmt.Sprintf("id-%d", i), LastSuccessful: asOf})
			}
			peopleIn(t, s, "run2", 2, all)
			key := partOf(t, s, "run2", "id-ann", tc.own)
			got, err := Plan(t.Context(), tc.spoil(s, key), Request{Of: "run", User: "id-ann", Run: "mine", Policy: text}, clock)
			switch {
			case tc.down:
				if got != nil || !errors.Is(err, failing.Err) {
					t.Errorf("%+v, %v", got, err)
				}
			case err != nil:
				t.Fatal(err)
			case users(got.Changes) != tc.want || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], key):
				t.Errorf("changes of %q, notes %q", users(got.Changes), got.Notes)
			}
			stopped, err := history.Stopped(t.Context(), s, "run")
			want := map[string]bool{}
			for user := range strings.FieldsSeq(tc.want) {
				want[user] = true
			}
			if d := cmp.Diff(want, stopped); d != "" || err != nil {
				t.Errorf("%v, stopped (-want +got):\n%s", err, d)
			}
		})
	}
}

// The function "partOf" returns the key of one of two parts: the part with the person if "own" is true, or else the
// other.
func partOf(t *testing.T, s store.Store, run, id string, own bool) string {
	t.Helper()
	r, err := decision.Open(t.Context(), s, run)
	if err != nil {
		t.Fatal(err)
	}
	parts := r.Manifest.Readings[directory.Entra].Parts
	if len(parts) != 2 {
		t.Fatalf("%d parts", len(parts))
	}
	for _, part := range parts {
		var h directory.Accounts
		if err := r.Read(t.Context(), part.Partition, &h); err != nil {
			t.Fatal(err)
		}
		there := false
		for p := range h.Join() {
			there = there || p.ID() == id
		}
		if there == own {
			return part.Key
		}
	}
	t.Fatal("no such part")
	return ""
}

// TestHalfOfTheDataCannotBeRead: one of two parts of the newest run's data cannot be read. If the other part has
// several people with the given name, the name is refused. If the other part lacks the person, the result is the error
// of the store, or ErrNothing for a damaged part.
func TestHalfOfTheDataCannotBeRead(t *testing.T) {
	t.Parallel()
	s := store.Store(&store.Memory{})
	var all []directory.EntraUser
	for i := range 20 {
		all = append(all, directory.EntraUser{ID: fmt.Sprintf("id-%d", i), UserPrincipalName: "bob@x.example", LastSuccessful: asOf})
	}
	peopleIn(t, s, "newest", 2, all)
	for _, own := range []bool{true, false} {
		key := partOf(t, s, "newest", "id-0", own)
		if _, err := keysOf(t.Context(), failing.Key(s, key), clock, "bob@x.example", ""); !errors.Is(err, runs.ErrRefused) {
			t.Errorf("%s cannot be read: %v", key, err)
		}
	}
	key := partOf(t, s, "newest", "id-0", true)
	if _, err := TakenFrom(t.Context(), failing.Key(s, key), clock, "id-0", ""); !errors.Is(err, failing.Err) || errors.Is(err, ErrNothing) {
		t.Errorf("%s cannot be read: %v", key, err)
	}
	if err := store.PutBytes(t.Context(), s, key, []byte("half")); err != nil {
		t.Fatal(err)
	}
	if _, err := TakenFrom(t.Context(), s, clock, "id-0", ""); !errors.Is(err, ErrNothing) || !strings.Contains(err.Error(), key) {
		t.Errorf("%s is damaged: %v", key, err)
	}
}

// TestTakenBesideDamage: a damaged ledger entry of one license does not stop the restore of the other ones. The plan
// reports the damaged entry, even if it does not belong to the restored run.
func TestTakenBesideDamage(t *testing.T) {
	t.Parallel()
	const key = "ledger/ann/citrix/000001.json"
	s := storeWithRun(t)
	if err := store.PutBytes(t.Context(), s, key, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if got, err := TakenFrom(t.Context(), s, clock, "ann", ""); got != nil || !errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), key) {
		t.Errorf("nothing else: %v, %v", got, err)
	}
	taken(t, s, ledger.Intent{Person: "ann", License: "e3", Run: "r1", Via: "direct"})
	got, err := TakenFrom(t.Context(), s, clock, "ann", "")
	if err != nil || !slices.Equal(got.Runs, []string{"r1"}) || len(got.Unreadable) != 1 || !strings.Contains(got.Unreadable[0], key) {
		t.Fatalf("beside another license: %+v, %v", got, err)
	}
	listed := map[bool][]history.Touch{false: {{User: "ann", License: "e3"}}, true: {{User: "ann", License: "e3"}, {User: "ann", License: "citrix"}}}
	for both, touches := range listed {
		if err := history.PutPlanned(t.Context(), s, &history.Planned{Run: "r1", Touches: touches}, true); err != nil {
			t.Fatal(err)
		}
		p, err := Plan(t.Context(), s, Request{Of: "r1", User: "ann", Run: "mine", Policy: text, Unreadable: got.Unreadable}, clock)
		if err != nil || users(p.Changes) != "ann" || !slices.Equal(p.Unreadable, got.Unreadable) {
			t.Errorf("both are of the run %t: %+v, %v", both, p, err)
		}
	}
}

// TestDamageOfAnotherPerson: the ledger entry of Bob is damaged. A restore of Ann alone does not name it, because the
// run's plan says that this license is Bob's. It does if the newest run does not know who is meant.
func TestDamageOfAnotherPerson(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		user    string
		took    bool   // whether the run took a license from Ann
		want    string // people whose license is restored
		one     string // the only person of the plan
		damaged bool   // whether the plan or the error names the damaged entry
	}{
		"of Ann":                   {"id-ann", true, "id-ann", "id-ann", false},
		"of Ann, by name":          {"ann@x.example", true, "id-ann", "id-ann", false},
		"of Ann, who has it":       {"id-ann", false, "", "", false},
		"of Bob":                   {"id-bob", true, "", "", true},
		"of everybody":             {"", true, "id-ann", "", true},
		"of a name that is gone":   {"cid@x.example", true, "", "", true},
		"of everybody, Ann has it": {"", false, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storeWithRun(t)
			p := &plan.Plan{Run: "run", Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{
				{User: "id-ann", UserPrincipalName: "ann@x.example", Rule: "m365", License: "e3", Via: plan.Direct},
				{User: "id-bob", UserPrincipalName: "bob@x.example", Rule: "m365", License: "e3", Via: plan.Direct},
			}}
			p.Bind()
			if tc.took {
				taken(t, s, ledger.Intent{Person: "id-ann", License: "e3", Run: "run", Via: "direct"})
			}
			err := errors.Join(runs.PutPlan(t.Context(), s, p, runs.Nobody), history.PutPlanned(t.Context(), s, history.PlannedBy(p), true),
				store.PutBytes(t.Context(), s, "ledger/id-bob/e3/000001.json", []byte("{")))
			if err != nil {
				t.Fatal(err)
			}
			people(t, s, "run2", []directory.EntraUser{{ID: "id-ann", UserPrincipalName: "ann@x.example", LastSuccessful: asOf}, {ID: "id-bob", UserPrincipalName: "bob@x.example", LastSuccessful: asOf}})
			got, err := Plan(t.Context(), s, Request{Of: "run", User: tc.user, Run: "mine", Policy: text}, clock)
			switch {
			case tc.want == "":
				if errors.Is(err, runs.ErrRefused) != tc.damaged || errors.Is(err, ErrNothing) == tc.damaged {
					t.Errorf("%+v, %v", got, err)
				}
			case err != nil || users(got.Changes) != tc.want || got.RestoresUser != tc.one || (len(got.Unreadable) > 0) != tc.damaged:
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
