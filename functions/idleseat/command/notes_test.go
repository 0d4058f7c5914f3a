package command

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOneLineForOneCause: a note that many rows share is printed once. Rarer notes stay in their rows.
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

// TestOneLineForOneCauseWithIDs: notes that differ only in ids share one line. If all these notes have the same id, the
// id stays in the line.
func TestOneLineForOneCauseWithIDs(t *testing.T) {
	t.Parallel()
	const group = "99999999-2222-3333-4444-555555555555"
	id := func(n int) string { return fmt.Sprintf("%08d-2222-3333-4444-555555555555", n) }
	rows, x := [][]string{{"USER", "NOTE"}}, alike{}
	for n := range 5 {
		rows = append(rows, []string{"a", "person " + id(n) + ": 403 (request-id " + id(n+100) + ")"}, []string{"b", "group " + group + " is full"})
		x.add(fmt.Sprint(n), "failed: person "+id(n))
	}
	rows = append(rows, []string{"c", "person " + id(7) + " is active"})
	x.add("c", "kept: person "+id(7))
	want := []string{"[1]  5 times: person …: 403 (request-id …)", "[2]  5 times: group " + group + " is full"}
	if d := cmp.Diff(want, told(rows)); d != "" || rows[11][1] != "person "+id(7)+" is active" || rows[1][1] != "[1]" || rows[10][1] != "[2]" {
		t.Errorf("%q (-want +got):\n%s", rows, d)
	}
	if d := cmp.Diff([]string{"0, 1, 2 and 2 more, failed: person …", "c, kept: person " + id(7)}, x.lines()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
