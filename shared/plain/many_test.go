package plain

import "testing"

func TestMany(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][3]string{
		0:  {"0 changes", "0 people", "0 seats are"},
		1:  {"1 change", "1 person", "1 seat is"},
		2:  {"2 changes", "2 people", "2 seats are"},
		-1: {"-1 changes", "-1 people", "-1 seats are"},
	} {
		if got := [3]string{Many(n, "change"), Many(n, "person"), ManyAre(n, "seat")}; got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
