package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadSurvivors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, fault string
		want        map[string]string
	}{
		"reasons and mutants": {
			text: "# why\n\nequivalent: they are never equal\n\ta\n\tb\ntext: a comma\n\tc\n",
			want: map[string]string{"a": "equivalent: they are never equal", "b": "equivalent: they are never equal", "c": "text: a comma"},
		},
		"no reason":    {text: "\ta\n", fault: "FILE:1: a mutant without a reason above it"},
		"unknown kind": {text: "boring: yes\n\ta\n", fault: "FILE:1: want one of equivalent, text, cost, guarded, unreachable, a colon and a reason"},
		"empty reason": {text: "text: \n\ta\n", fault: "FILE:1: want one of equivalent, text, cost, guarded, unreachable, a colon and a reason"},
		"twice":        {text: "text: x\n\ta\n\ta\n", fault: "FILE:3: listed twice: a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "survivors.txt")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := readSurvivors(path)
			fault := ""
			if err != nil {
				fault = "FILE" + err.Error()[len(path):]
			}
			if fault != c.fault {
				t.Errorf("fault %q, want %q", fault, c.fault)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestCommittedSurvivorsAreReadable(t *testing.T) {
	t.Parallel()
	if _, err := readSurvivors("survivors.txt"); err != nil {
		t.Error(err)
	}
}

func TestFaultsAndTable(t *testing.T) {
	t.Parallel()
	h := &hunt{
		mutants: []*mutant{{pkg: "plan", name: "own"}, {pkg: "plan", name: "above"}, {pkg: "plan", name: "listed"}, {pkg: "plan", name: "living"}, {pkg: "plan", name: "dead and listed"}, {pkg: "gate", name: "not asked"}},
		killed:  map[string]string{"own": "shared/plan", "above": "shared/workflow/gate", "dead and listed": "shared/plan"},
	}
	known := map[string]string{"listed": "text: x", "dead and listed": "text: x", "gone": "text: x"}
	want := []string{
		"listed in infra/mutation/survivors.txt, but killed by shared/plan: dead and listed",
		"listed in infra/mutation/survivors.txt, but there is no such mutant: gone",
		"lives: living",
	}
	if d := cmp.Diff(want, h.faults([]string{"plan"}, known)); d != "" {
		t.Errorf("faults (-want +got):\n%s", d)
	}
	const wantTable = "" +
		"  package  mutants  killed by own tests  by those above  justified  living  killed\n" +
		"     plan        5                    2               1          1       1  60.0 %\n" +
		"      all        5                    2               1          1       1  60.0 %\n"
	if d := cmp.Diff(wantTable, table(h, []string{"plan"}, known)); d != "" {
		t.Errorf("table (-want +got):\n%s", d)
	}
}
