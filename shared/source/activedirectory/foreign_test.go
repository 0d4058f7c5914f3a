package activedirectory

import (
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"
)

// TestForeignMemberOfNestedGroup: a nested group lists a person of the second domain. The account may not read the
// memberOf of the nested group, so a filter on memberOf does not find that group. The person must still be listed.
func TestForeignMemberOfNestedGroup(t *testing.T) {
	t.Parallel()
	const middle = "CN=Middle," + testBase
	nested := entry(middle, "objectClass", "group", "objectGUID", strings.Repeat("m", 16), "objectSid", rawSID(7), descriptor, openDescriptor)
	corp := newController(t, home{name: "dc1.corp.test", servers: []string{"dc1.corp.test"}}, onSearch(func(r request) []*ber.Packet {
		members := len(r.attributes) == 1 && r.attributes[0] == "member"
		switch {
		case r.base == seats && members:
			return found(entry(seats, "member", "<GUID=07>;<SID=S-1-5-21-7>;"+middle))
		case r.base == middle && members:
			return found(entry(middle, "member", ofSeats[1]))
		case r.base == middle, strings.HasPrefix(r.filter, "(|(objectSid=") && strings.Contains(r.filter, "S-1-5-21-7)"):
			return found(nested)
		}
		return corpAnswers(r)
	}))
	emea := emeaHome
	emea.base = emeaBase
	second := newController(t, emea, emeaAnswers)
	c := config(t, corp.ca, corp.url, second.url)
	c.Base = testBase + ";" + emeaBase
	f, err := NewForest(c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.domains {
		d.dialer.Resolver = noNames
	}
	var got []string
	err = f.ListMembers(t.Context(), seats, false, func(sid string) error { got = append(got, sid); return nil })
	if d := cmp.Diff([]string{"S-1-5-21-1", "S-1-5-22-2"}, got); d != "" || err != nil { // the first has the group as primary group
		t.Errorf("members: %v (-want +got):\n%s", err, d)
	}
	if in, err := f.MemberOf(t.Context(), "S-1-5-22-2", seats, false); err != nil || !in {
		t.Errorf("a member: %t, %v", in, err)
	}
}
