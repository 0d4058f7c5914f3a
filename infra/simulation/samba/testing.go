package samba

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// Run starts a domain that runs until the end of the test. The name of the test must contain "Samba", because "make
// test-ad" selects tests by this word. The test is skipped if IDLESEAT_TEST_SAMBA is not 1. If this machine cannot run
// Samba, the test is skipped, or fails if REQUIRE_SAMBA is 1.
func Run(t testing.TB, o Options) *Domain {
	t.Helper()
	if _, bench := t.(*testing.B); !bench && !strings.Contains(t.Name(), "Samba") {
		t.Fatal("a test with a domain is run by its name: put Samba into it")
	}
	if os.Getenv("IDLESEAT_TEST_SAMBA") != "1" {
		t.Skip("needs a real Samba domain: run make test-ad, or set IDLESEAT_TEST_SAMBA=1")
	}
	d, err := Start(t.Context(), o)
	switch {
	case errors.Is(err, ErrMissing) && os.Getenv("REQUIRE_SAMBA") != "1":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
