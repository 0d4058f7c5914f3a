package decision

import (
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Sweep decides from the columns where they settle all verdicts on a person. These verdicts must equal those of the
// Judge. Everybody else must be in h, to be read singly.
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
		names[PersonKey(p)] = nameOf(p)
	}
	want := r.answers(judge, single)
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
			if got, plain := outcomes[swept.Verdicts[i][row]]; plain == all[name].open || plain && got != want[name][i].Outcome {
				t.Errorf("%s, rule %d: %s, and the judge says %s", name, i, got, want[name][i].Outcome)
			}
		}
	}
	for p := range h.Join() {
		name := nameOf(p)
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

func TestReuse(t *testing.T) {
	t.Parallel()
	r := holder().seal(t)
	judge, err := r.Judge(asOf)
	if err != nil {
		t.Fatal(err)
	}
	p, rule := only(t, r, "id-p"), r.Policy.Rules[0]
	later := r.nextNight(3)
	later.Begin.Earlier = &directory.Earlier{People: map[string][]directory.EarlierPerson{"exempt@x.example": {{ID: "id-p"}}}}
	later.Reuse(judge)
	if got := judge.Ask(rule, p).Outcome; got != policy.Exempt || !judge.Now().Equal(later.Begin.AsOf) {
		t.Errorf("%s as of %s", got, judge.Now())
	}
}

func TestSweepOfARunForOnePerson(t *testing.T) {
	t.Parallel()
	r := columnTown(t)
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	r.Begin.User = "cloud@x.example"
	h := &directory.Accounts{}
	swept, err := NewScreen(r, judge).Sweep(t.Context(), 0, h)
	if err != nil || len(swept.Keys) != 0 || len(h.Entra) != len(residents())-2 {
		t.Errorf("%d people are swept and %d read, %v", len(swept.Keys), len(h.Entra), err)
	}
}
