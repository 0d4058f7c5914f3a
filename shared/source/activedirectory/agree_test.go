package activedirectory

import (
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"
)

// TestControllersDiffer: if only one controller has received a change, the changed attribute is unknown.
func TestControllersDiffer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second []string
		want          []string // the unreadable attributes
		inDoubt       bool
	}{
		"the same":               {[]string{"employeeType", "clerk"}, []string{"employeeType", "clerk"}, nil, false},
		"extended":               {nil, []string{"accountExpires", twelve}, []string{"accountExpires"}, false},
		"on leave":               {[]string{"employeeType", "clerk"}, []string{"employeeType", "leave"}, []string{"employeeType"}, false},
		"a logon":                {[]string{"lastLogonTimestamp", tenth}, []string{"lastLogonTimestamp", twelve}, nil, false},
		"a logon in the future":  {nil, []string{"lastLogonTimestamp", "199361000000000000"}, nil, true},
		"of tomorrow at one":     {[]string{"pwdLastSet", "199361000000000000"}, []string{"pwdLastSet", tenth}, []string{"pwdLastSet"}, false},
		"of tomorrow at another": {[]string{"pwdLastSet", tenth}, []string{"pwdLastSet", "199361000000000000"}, []string{"pwdLastSet"}, false},
		"a password of tomorrow": {[]string{"pwdLastSet", "199361000000000000"}, []string{"pwdLastSet", "199361000000000000"}, []string{"pwdLastSet"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var urls []string
			var ca string
			names := []string{"dc1.corp.test", "dc2.corp.test"}
			for i, more := range [][]string{c.first, c.second} {
				f := newController(t, home{name: names[i], servers: names}, onSearch(func(request) []*ber.Packet { return found(person(1, more...)) }))
				urls, ca = append(urls, f.url), f.ca
			}
			u, err := open(t, config(t, ca, urls...)).ReadPerson(t.Context(), "S-1-5-21-1")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, u.Unreadable); d != "" || u.DatesInDoubt != c.inDoubt {
				t.Errorf("dates in doubt %t, unreadable (-want +got):\n%s", u.DatesInDoubt, d)
			}
		})
	}
}

// TestReadOnlyControllerLacksAttributes: a read-only controller lacks the values of filtered attributes. Such an
// attribute must not count as empty.
func TestReadOnlyControllerLacksAttributes(t *testing.T) {
	t.Parallel()
	for capability, hidden := range map[string]bool{"1.2.840.113556.1.4.800": false, partialSecrets: true} {
		f := newController(t, home{mute: true}, onSearch(func(r request) []*ber.Packet {
			switch r.base {
			case "":
				return found(entry("", "defaultNamingContext", testBase, "schemaNamingContext", testSchema, "tokenGroups", rawSID(99), "supportedCapabilities", capability))
			case testSchema:
				return found(entry("CN=objectSid,"+testSchema, "lDAPDisplayName", "objectSid", "schemaIDGUID", schemaGUID("objectSid")),
					entry("CN=employeeID,"+testSchema, "lDAPDisplayName", "employeeID", "schemaIDGUID", schemaGUID("employeeID"), "searchFlags", "512"))
			}
			return found(person(1))
		}))
		u, err := open(t, config(t, f.ca, f.url)).FindPerson(t.Context(), "anna")
		if err != nil || u.Hides("employeeID") != hidden {
			t.Errorf("%s: unreadable %v, %v", capability, u.Unreadable, err)
		}
	}
}
