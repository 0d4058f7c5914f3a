package restore

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
)

// TestIdNewerThanTheNewestRun: the account of Ann in Entra ID was created again after the newest run. That run knows
// her former id and her name, and Entra ID gives the new id for her name. By the name, a restore finds what was taken
// under the former id, and stops her changes. What was taken under the new id counts, too.
func TestIdNewerThanTheNewestRun(t *testing.T) {
	t.Parallel()
	const newID = "ann-2"
	for name, tc := range map[string]struct {
		also    string
		entries []ledger.Intent // under the new id
		runs    []string        // that took something from her; nil: none is found
		former  string          // whose license the restore of the run "earlier" returns
	}{
		"by the name, too":          {"ann@x.example", nil, []string{"earlier"}, "ann"},
		"by both ids":               {"ann@x.example", []ledger.Intent{{Person: newID, License: "citrix", Run: "later", Via: "direct"}}, []string{"later", "earlier"}, "ann"},
		"by the new id alone":       {"", nil, nil, ""},
		"by a name that nobody has": {"eve@x.example", nil, nil, ""},
		"by the new id twice":       {newID, nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storeWithRun(t)
			earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done, "bob": ledger.Done})
			for _, in := range tc.entries {
				taken(t, s, in)
			}
			people(t, s, "newest", []directory.EntraUser{{ID: "ann", UserPrincipalName: "ann@x.example", LastSuccessful: asOf}, {ID: "bob", UserPrincipalName: "bob@x.example", LastSuccessful: asOf}})
			var got []string
			took, err := TakenFrom(t.Context(), s, clock, newID, tc.also)
			if err == nil {
				got = took.Runs
			}
			if d := cmp.Diff(tc.runs, got); d != "" || (tc.runs == nil) != errors.Is(err, ErrNothing) {
				t.Errorf("%v, runs (-want +got):\n%s", err, d)
			}
			back := ""
			p, err := Plan(t.Context(), s, Request{Of: "earlier", User: newID, Name: tc.also, Run: "mine", Policy: text}, clock)
			if err == nil {
				back = users(p.Changes)
			}
			if back != tc.former || (tc.former == "") != errors.Is(err, ErrNothing) {
				t.Errorf("restores %q, want %q: %v", back, tc.former, err)
			}
			if stopped, err := history.Stopped(t.Context(), s, "earlier"); err != nil || stopped["ann"] != (tc.former == "ann") || stopped["bob"] {
				t.Errorf("stopped %v, %v", stopped, err)
			}
		})
	}
}
