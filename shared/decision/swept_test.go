package decision

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Sweep leaves the same people to be read singly as Screen.Read, and its verdicts on the others are those of the judge.
// It does not read the people from whom a rule reclaims.
func TestSweepOfATown(t *testing.T) {
	t.Parallel()
	r := columnTown(t)
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	single := &directory.Accounts{}
	if err := r.Read(t.Context(), 0, single); err != nil {
		t.Fatal(err)
	}
	names := map[uint64]string{}
	for p := range single.Join() {
		names[PersonKey(p)], _, _ = strings.Cut(p.UserPrincipalName(), "@")
	}
	want := r.answers(t, judge, single)
	h := &directory.Accounts{}
	swept, err := NewScreen(r, judge).Sweep(t.Context(), 0, h)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[policy.Plain]policy.Outcome{policy.PlainNotHolder: policy.NotHolder, policy.PlainNotAsked: policy.Keep, policy.PlainKeep: policy.Keep, policy.PlainReclaim: policy.Reclaim}
	all := residents()
	for row, key := range swept.Keys {
		name := names[key]
		if swept.Open[row] != all[name].open {
			t.Errorf("%s is read singly: %t", name, swept.Open[row])
			continue
		}
		for i := range r.Policy.Rules {
			if got, plain := outcomes[swept.Verdicts[i][row]]; plain == all[name].open || plain && got != want[name][i] {
				t.Errorf("%s, rule %d: %s, and the judge says %s", name, i, got, want[name][i])
			}
		}
	}
	for p := range h.Join() {
		name, _, _ := strings.Cut(p.UserPrincipalName(), "@")
		if !all[name].open {
			t.Errorf("%s is read although the columns settle the verdicts", name)
		}
		delete(all, name)
	}
	for name, one := range all {
		if one.open {
			t.Errorf("%s is not read", name)
		}
	}
	column, err := swept.Texts("entra_usage_location")
	if err != nil || len(column.Rows) != len(swept.Keys) || column.Text(0) != "SE" {
		t.Errorf("a text of the person in the first row: %+v, %v", column, err)
	}
	if _, err := swept.Texts("entra_none"); err == nil {
		t.Error("a column that the run did not read is no error")
	}
}
