package world

import "testing"

// TestWorld lives a few short worlds.
func TestWorld(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		s, err := Live(Options{Seed: seed + 1, People: 150, Nights: 40, Log: nil})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Faults {
			t.Errorf("seed %d: %s", seed, f)
		}
		t.Logf("%d removed, %d given, %d of %d missed, %d failed", s.Removed, s.Given, s.Missed, s.Clear, s.Failed)
	}
}
