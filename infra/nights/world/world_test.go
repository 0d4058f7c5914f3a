package world

import (
	"os"
	"strconv"
	"testing"
)

// TestWorld lives a few short worlds.
func TestWorld(t *testing.T) {
	t.Parallel()
	first := uint64(1)
	var log func(string)
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		first, log = n, func(s string) { t.Log(s) }
	}
	for seed := first; seed < first+2; seed++ {
		s, err := Live(Options{Seed: seed, People: 150, Nights: 40, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range append(s.Faults, s.Late...) {
			t.Errorf("seed %d: %s", seed, f)
		}
		t.Logf("%d removed, %d given, %d of %d missed, %v, %v", s.Removed, s.Given, s.Missed, s.Clear, s.Verdicts, s.Counts)
	}
}
