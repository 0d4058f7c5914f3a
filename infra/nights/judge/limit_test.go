package judge

import (
	"fmt"
	"testing"
)

func TestLimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		holders, taken int
		between        int // days between two removals
		accepted       int // how many of the first removals an administrator accepted
		stranger       bool
		limit          float64
		beyond         int
	}{
		"within":             {100, 12, 1, 0, false, 0.1, 0},
		"beyond":             {100, 14, 1, 0, false, 0.1, 2},
		"few":                {20, 11, 1, 0, false, 0.1, 0},
		"long apart":         {100, 20, 3, 0, false, 0.1, 0},
		"accepted":           {100, 20, 1, 8, false, 0.1, 0},
		"not all accepted":   {100, 25, 1, 10, false, 0.1, 3},
		"a second machine":   {100, 20, 1, 0, true, 0.1, 0},
		"a rule without one": {100, 20, 1, 0, false, 0, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := mail
			rule.Limit = test.limit
			j := New(rule)
			about := func(what What, i, day int) {
				hear(t, j, Event{What: what, At: on(day), Person: fmt.Sprint(i), License: "e3", Holds: true, Stranger: test.stranger && what == Removed})
			}
			for i := range test.holders {
				about(Hired, i, -900)
				about(Holding, i, -900)
				about(Planned, i, -1)
			}
			for i := range test.taken {
				if i < test.accepted {
					about(Accepted, i, i*test.between)
				}
				about(Removed, i, i*test.between)
			}
			n := 0
			for _, f := range j.Faults() {
				if n++; f.Why != Hidden {
					t.Error(f)
				}
			}
			if n != test.beyond {
				t.Errorf("%d beyond the limit, want %d: %v", n, test.beyond, j.Faults())
			}
		})
	}
}
