package command

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOneLineForOneCause checks that a note which many rows share is printed once, and that rarer notes stay.
func TestOneLineForOneCause(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"USER", "NOTE"}, {"a", "AD is down"}, {"b", "AD is down"}, {"c", "is active"}, {"d", "AD is down"}, {"e", "AD is down"}, {"f", ""}, {"g", "is active"}}
	var w bytes.Buffer
	p := &printer{w: &w}
	p.toldTable(rows, "")
	want := "  USER  NOTE\n  a     [1]\n  b     [1]\n  c     is active\n  d     [1]\n  e     [1]\n  f\n  g     is active\n  [1]  4 times: AD is down\n"
	if d := cmp.Diff(want, w.String()); d != "" || p.err != nil {
		t.Errorf("%v (-want +got):\n%s", p.err, d)
	}
}

func TestAlike(t *testing.T) {
	t.Parallel()
	var x alike
	for _, person := range []string{"a", "b", "c", "d", "e"} {
		x.add(person, "E3 removed: pending: AD is down")
		if person < "c" {
			x.add(person, "E5 removed: kept: is active")
		}
	}
	want := []string{"a, b, c and 2 more, E3 removed: pending: AD is down", "a, E5 removed: kept: is active", "b, E5 removed: kept: is active"}
	if d := cmp.Diff(want, x.lines()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
