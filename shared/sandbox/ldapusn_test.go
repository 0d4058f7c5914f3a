package sandbox

import (
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

// TestChangesAreCounted: a change of a replicated attribute raises the USN of the person and of the controller. Other
// changes do not.
func TestChangesAreCounted(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{Users: 60})
	changed := func(since int) (dns []string) {
		got, err := conn.Search(request(s.Base, ldap.ScopeWholeSubtree, fmt.Sprintf("(&%s(uSNChanged>=%d))", peopleFilter, since), "cn"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Entries {
			dns = append(dns, e.DN)
		}
		return dns
	}
	before := s.Company.highestUSN()
	if got := changed(before + 1); got != nil {
		t.Errorf("changed from the start: %q", got)
	}
	const idle = 2
	s.Company.LogOn(idle)
	if diff := cmp.Diff([]string{s.Company.Person(idle).AD.DN}, changed(before+1)); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	after := s.Company.highestUSN()
	s.Company.LogOn(idle) // lastLogonTimestamp is younger than 14 days, so only lastLogon changes
	if got := changed(after + 1); got != nil || s.Company.highestUSN() != after {
		t.Errorf("a lastLogon changed %q", got)
	}
	if _, err := conn.Search(request(s.Base, ldap.ScopeWholeSubtree, "(logonCount>=1)", "cn")); !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
		t.Errorf("an attribute that is not compared: %v", err)
	}
}
