package policy

import (
	"fmt"
	"strings"
	"testing"
)

// The cache keeps the policies of the texts that were loaded last, so that Load does not compile such a text again.
// Load and LoadKept do not share policies. A fault in a text has the name of the file in this call, and not in an
// earlier one.
func TestRecentPolicies(t *testing.T) {
	t.Parallel()
	var c cache
	load := func(name, text string, kept bool) *Policy {
		t.Helper()
		p, err := c.load(name, []byte(text), kept)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	text := func(n int) string { // a different policy for each n
		return fmt.Sprintf(`
tenant: 00000000-0000-0000-0000-000000000001
licenses:
  m365-e3: {sku: SPE_E3, group: {entra: LIC-E3}}
rules:
  - name: e3
    license: m365-e3
    when: AzureAdSistaLogon.earlierThan(now - days(%d))
    then: remove
`, 60+n)
	}
	first := load("a", text(0), false)
	if load("b", text(0), false) != first {
		t.Error("the same text was compiled twice")
	}
	if load("a", text(0), true) == first {
		t.Error("LoadKept has the policy of Load")
	}
	for n := 1; n < mostRecent; n++ {
		load("a", text(n), false)
		if load("a", text(0), false) != first {
			t.Fatalf("a policy that is in use is gone after %d others", n)
		}
	}
	var all []*Policy
	for n := range mostRecent {
		all = append(all, load("a", text(n), false))
	}
	for _, n := range []int{2, 0, 3, 0, 1, 2} {
		if load("a", text(n), false) != all[n] {
			t.Errorf("policy %d is gone, although no other one came", n)
		}
	}
	for n := 1; n <= mostRecent; n++ {
		load("a", text(n), false)
	}
	if load("a", text(0), false) == first || len(c.kept) != mostRecent {
		t.Errorf("%d policies are kept, want %d, without the oldest", len(c.kept), mostRecent)
	}
	for _, name := range []string{"one.yaml", "two.yaml"} {
		if _, err := c.load(name, []byte("mode: often"), false); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a fault in %s is %v", name, err)
		}
	}
}
