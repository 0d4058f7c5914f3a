package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	tuneGC()
	os.Exit(m.Run())
}

const testSeeds = 25

// TestNightsBeforeTheJudge: the judge finds no fault in companies that are simulated for 120 nights. It compares each
// removal with the truth at the moment of the write. IDLESEAT_TEST_NIGHTS sets the number of companies.
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

// appsFirst is the first of the two seeds of TestNightsOfApplications. The other test does not use these seeds. In both
// companies, two groups give E3, and a synced group gives Entra ID P2.
const appsFirst = 2_000_016

// TestNightsOfApplications: the judge finds no fault if the rules also take Copilot, seats in an application, E3 of two
// groups, and Entra ID P2 of a synced group.
func TestNightsOfApplications(t *testing.T) {
	t.Parallel()
	lived(t, settings{seeds: 2, first: appsFirst, people: 40, nights: 120, worker: 2, apps: true})
}

// The function "lived" simulates companies. It fails the test if the judge finds a fault, if the product left too many
// unused licenses for a long time (mostMissed), or if the product took no license.
func lived(t *testing.T, s settings) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), s, &out)
	t.Log(out.String())
	if err != nil {
		t.Error(err)
	}
}

// TestRunEnds: if one company cannot be simulated, the function "run" returns only after all other companies have
// ended. They would otherwise write to a closed file.
func TestRunEnds(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone")) // no company can have a store
	before := runtime.NumGoroutine()
	err := run(t.Context(), settings{seeds: 20, first: 1, people: 40, nights: 1, worker: 4}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "seed ") {
		t.Fatalf("companies without a store: %v", err)
	}
	for wait := time.Millisecond; runtime.NumGoroutine() > before; wait *= 2 {
		if wait > time.Second {
			t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
		}
		time.Sleep(wait)
	}
}
