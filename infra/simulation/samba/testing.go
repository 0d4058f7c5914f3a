package samba

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// Run starts a domain that ends with the test. The test must have Samba in its name, so that "make test-ad" finds it.
// The test is skipped unless IDLESEAT_TEST_SAMBA is 1, which "make test-ad" sets. It is also skipped where Samba
// cannot run, unless REQUIRE_SAMBA is 1, which makes it fail instead.
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
