package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// testSeeds is the number of companies in an ordinary test run.
const testSeeds = 25

// TestNightsBeforeTheJudge makes companies live for 120 nights, and judges every removal by the truth at the moment of
// the write. IDLESEAT_TEST_NIGHTS sets how many companies live.
func TestNightsBeforeTheJudge(t *testing.T) {
	t.Parallel()
	s := settings{seeds: testSeeds, first: 1, people: 40, nights: 120, worker: 2}
	if text := os.Getenv("IDLESEAT_TEST_NIGHTS"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		s.seeds = n
	}
	var out strings.Builder
	err := run(t.Context(), s, &out)
	t.Log(out.String())
	if err != nil {
		t.Error(err)
	}
}
