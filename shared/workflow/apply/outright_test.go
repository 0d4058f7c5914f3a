package apply

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestDirectly: a single call changes the product. The change ends when a read shows the whole change.
func TestDirectly(t *testing.T) {
	t.Parallel()
	const change, remove = "ChangeLicenses id-bo +sku-exo -sku-e3", "ChangeLicenses id-bo -sku-e3"
	e3, exo := directory.Assignment{SKU: "sku-e3", State: "Active"}, directory.Assignment{SKU: "sku-exo", State: "Active"}
	off := directory.Assignment{SKU: "sku-exo", State: "Error"}
	for name, tc := range map[string]struct {
		target string
		holds  []directory.Assignment
		left   bool // whether an earlier call took the license just before
		fail   map[string]error
		slow   bool
		writes []string
		status runs.Status
		note   string
	}{
		"changed":                              {"sku-exo", []directory.Assignment{e3}, false, nil, false, []string{change}, runs.Done, ""},
		"changed, holding it already":          {"sku-exo", []directory.Assignment{e3, exo}, false, nil, false, []string{remove}, runs.Done, ""},
		"changed, holding it in error":         {"sku-exo", []directory.Assignment{e3, off}, false, nil, true, []string{change}, runs.Pending, notShown},
		"removed":                              {"", []directory.Assignment{e3}, false, nil, false, []string{remove}, runs.Done, ""},
		"removed, and not shown":               {"", []directory.Assignment{e3}, false, nil, true, []string{remove}, runs.Pending, notShown},
		"not shown, holding the target":        {"sku-exo", []directory.Assignment{e3, exo}, false, nil, true, []string{remove}, runs.Pending, notShown},
		"removed by others":                    {"", nil, false, nil, false, nil, runs.Done, ""},
		"removed by an earlier call":           {"", nil, true, nil, false, nil, runs.Done, ""},
		"taken by others, and nothing given":   {"sku-exo", nil, false, nil, false, nil, runs.Failed, "the license is gone, and what it should be changed to is not there: somebody else changed it"},
		"taken a moment ago, and nothing yet":  {"sku-exo", nil, true, nil, false, nil, runs.Pending, notShown},
		"called not held, and shown":           {"sku-exo", []directory.Assignment{e3}, false, map[string]error{change: directory.ErrNotHeld}, true, []string{change}, runs.Pending, notShown},
		"not sent, since the evidence is old":  {"sku-exo", []directory.Assignment{e3}, false, map[string]error{change: errAged, "ReadLicenses #1": errDown}, true, []string{change}, aged, ""},
		"it does not answer":                   {"sku-exo", []directory.Assignment{e3}, false, map[string]error{change: errDown}, true, []string{change}, troubled, "the write did not go through"},
		"it does not answer, and is read late": {"sku-exo", []directory.Assignment{e3}, false, map[string]error{"ReadLicenses #1": errDown}, true, []string{change}, troubled, "the person could not be read again after the write"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			m := b.underWay(t, changeBo, plan.Direct)
			m.entry.TargetSKU = tc.target
			m.person.Entra.Assignments = tc.holds
			b.entra.users["id-bo"].Assignments = append([]directory.Assignment{}, tc.holds...)
			if b.entra.fail, b.entra.slow = tc.fail, tc.slow; tc.left {
				m.left = &ledger.Mark{At: b.now}
			}
			status, note := m.direct(t.Context())
			if status != tc.status || !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			if d := cmp.Diff(tc.writes, b.entra.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
}
