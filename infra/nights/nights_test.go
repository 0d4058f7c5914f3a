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
	lived(t, s)
}

// appsFirst is the first seed of the companies of applications in an ordinary test run.
const appsFirst = 2_000_001

// TestNightsOfApplications makes companies live whose rules also take Copilot and seats in an application.
func TestNightsOfApplications(t *testing.T) {
	t.Parallel()
	lived(t, settings{seeds: 2, first: appsFirst, people: 40, nights: 120, worker: 2, apps: true})
}

// lived runs companies and fails the test if the judge found a fault, or if too many cases were missed.
func lived(t *testing.T, s settings) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), s, &out)
	t.Log(out.String())
	if err != nil {
		t.Error(err)
	}
}
