package samba

import (
	"errors"
	"os"
	"testing"
)

// Run starts a domain for a test and ends it with the test. It skips the test
// unless IDLESEAT_TEST_SAMBA is 1, as "make test-ad" sets it, and where Samba
// cannot run; with REQUIRE_SAMBA=1 it fails the test there instead.
func Run(t testing.TB, o Options) *Domain {
	t.Helper()
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
