package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

const anotherID = "66666666-0000-4000-8000-000000000001"

func (v *viewer) groupFacts() map[string]string {
	v.t.Helper()
	facts := map[string]string{}
	for _, g := range values(v.get("/groups?$top=99")) {
		if g["description"] != "Microsoft 365 E3" {
			continue
		}
		for name, value := range g {
			facts[name] = fmt.Sprint(value)
		}
		members := values(v.get("/groups/" + g["id"].(string) + "/members?$top=999&$select=id"))
		facts["members"] = fmt.Sprint(len(members))
	}
	for _, s := range values(v.get("/subscribedSkus")) {
		facts["seats "+s["skuPartNumber"].(string)] = fmt.Sprint(s["consumedUnits"])
	}
	return facts
}

// TestEntraGroupChanges changes the group LIC-M365-E3 in each case and lists the effects on the group and its members.
func TestEntraGroupChanges(t *testing.T) {
	t.Parallel()
	const e3 = "LIC-M365-E3"
	change := func(x GroupChange) func(*Company) { return func(c *Company) { c.ChangeGroup(e3, x) } }
	lost := []string{"member removed LIC-M365-E3 by hand", "license lost SPE_E3 mailbox by hand"}
	tests := map[string]struct {
		do     func(*Company)
		group  []string
		ingrid []string
		events []string // events about Ingrid
	}{
		"renamed": {change(GroupChange{Name: "E3 (old)"}), []string{"displayName: LIC-M365-E3 -> E3 (old)"},
			[]string{"in E3 (old): now yes", "in LIC-M365-E3: gone"}, nil},
		"made again": {change(GroupChange{ID: anotherID}), []string{"id: another", "members: 38 -> 0", "seats SPE_E3: fewer"},
			[]string{"holds E3: gone", "in LIC-M365-E3: gone", "path SPE_E3 LIC-M365-E3: gone", "seats SPE_E3: fewer"}, lost},
		"made again, and filled": {func(c *Company) {
			c.ChangeGroup(e3, GroupChange{ID: anotherID})
			c.SetMember(ingrid, e3, true)
		}, []string{"id: another", "members: 38 -> 1", "seats SPE_E3: fewer"}, []string{"seats SPE_E3: fewer"},
			append(slices.Clone(lost), "member added LIC-M365-E3 by hand", "license gained SPE_E3 by hand")},
		"emptied": {change(GroupChange{Emptied: true}), []string{"members: 38 -> 0", "seats SPE_E3: fewer"},
			[]string{"holds E3: gone", "in LIC-M365-E3: gone", "path SPE_E3 LIC-M365-E3: gone", "seats SPE_E3: fewer"}, lost},
		"deleted": {change(GroupChange{Deleted: true}), []string{"assignedLicenses: gone", "createdDateTime: gone", "description: gone", "displayName: gone",
			"groupTypes: gone", "id: gone", "isManagementRestricted: gone", "mailEnabled: gone", "mailNickname: gone", "members: gone", "seats SPE_E3: fewer", "securityEnabled: gone"},
			[]string{"holds E3: gone", "in LIC-M365-E3: gone", "path SPE_E3 LIC-M365-E3: gone", "seats SPE_E3: fewer"}, lost[1:]},
		"deleted and restored": {func(c *Company) {
			c.ChangeGroup(e3, GroupChange{Deleted: true})
			c.ChangeGroup(e3, GroupChange{})
		}, nil, nil, []string{"license lost SPE_E3 mailbox by hand", "license gained SPE_E3 by hand"}},
		"dynamic": {change(GroupChange{Rule: `user.department -eq "Engineering"`}), []string{"groupTypes: [] -> [DynamicMembership]", "members: 38 -> 7",
			`membershipRule: now user.department -eq "Engineering"`, "membershipRuleProcessingState: now On", "seats SPE_E3: fewer"}, []string{"seats SPE_E3: fewer"},
			append(slices.Clone(lost), "member added LIC-M365-E3 by hand", "license gained SPE_E3 by hand")},
		"a second product": {change(GroupChange{More: []string{"AAD_PREMIUM_P2"}}), []string{"assignedLicenses: another", "seats AAD_PREMIUM_P2: 1 -> 23"},
			[]string{"path AAD_PREMIUM_P2 LIC-M365-E3: now Active <nil>", "seats AAD_PREMIUM_P2: 1 -> 23"}, []string{"license gained AAD_PREMIUM_P2 by hand"}},
		"a second product, and back": {func(c *Company) {
			c.ChangeGroup(e3, GroupChange{More: []string{"AAD_PREMIUM_P2"}})
			c.ChangeGroup(e3, GroupChange{})
		}, nil, nil, []string{"license gained AAD_PREMIUM_P2 by hand", "license lost AAD_PREMIUM_P2 by hand"}},
		"a group nested in it": {func(c *Company) { c.Nest(e3, "LIC-Exempt", true) }, []string{"members: 38 -> 39"}, nil, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newViewer(t, Options{Users: 60})
			group, person, others := v.groupFacts(), v.of(ingrid), v.of(mia)
			tc.do(v.s.Company)
			if diff := cmp.Diff(tc.group, changes(group, v.groupFacts(), "id", "mailNickname", "assignedLicenses")); diff != "" {
				t.Errorf("the group (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.ingrid, changes(person, v.of(ingrid))); diff != "" {
				t.Errorf("a member (-want +got):\n%s", diff)
			}
			maps.DeleteFunc(others, func(fact, _ string) bool { return strings.HasPrefix(fact, "seats ") })
			for fact, value := range v.of(mia) {
				if others[fact] != value && !strings.HasPrefix(fact, "seats ") {
					t.Errorf("of somebody else: %s is %s, was %s", fact, value, others[fact])
				}
			}
			events := slices.DeleteFunc(v.s.Company.History(), func(e Event) bool { return e.Person != ingrid })
			if diff := cmp.Diff(tc.events, told(events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGroupMadeDynamicRefusesMembers: Graph does not change the members of a group while it is dynamic.
func TestGroupMadeDynamicRefusesMembers(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	a.c.ChangeGroup("LIC-M365-E3", GroupChange{Rule: `user.department -eq "Engineering"`})
	if got := a.member("DELETE", groupE3, ingrid); got.status != 403 {
		t.Errorf("%d %s", got.status, got.text)
	}
	a.c.ChangeGroup("LIC-M365-E3", GroupChange{})
	if got := a.member("DELETE", groupE3, ingrid); got.status != 204 {
		t.Errorf("assigned again: %d %s", got.status, got.text)
	}
}

// TestGroupMadeAgainWithinTheDelay: a group is created again before a new member gets the license. The person does not
// get the license, and no read shows the person in the new group.
func TestGroupMadeAgainWithinTheDelay(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := newAsker(t, Options{Now: now.now, LicenseDelay: time.Hour, Lag: time.Minute})
	a.c.SetMember(ingrid, "LIC-EXO-P1", true)
	now.turn(time.Minute)
	a.c.ChangeGroup("LIC-EXO-P1", GroupChange{ID: anotherID})
	for range 20 {
		if list, _ := a.people("/groups/" + anotherID + "/members?$select=id"); len(list) > 0 {
			t.Fatalf("the new group shows members of the old one: %v", list)
		}
	}
	now.turn(3 * time.Hour)
	a.expect("afterwards", ingrid, []string{"SPE_E3 LIC-M365-E3 Active <nil>"}, []string{"SPE_E3"})
}

// TestSeatsRunOutAndComeBack: a group gives no license if no seat is free. More seats alone change nothing, and
// Reprocess gives the license.
func TestSeatsRunOutAndComeBack(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	_, consumed := a.c.Seats("EXCHANGESTANDARD")
	a.c.SetSeats("EXCHANGESTANDARD", consumed)
	a.c.SetMember(ingrid, "LIC-EXO-P1", true)
	byE3, failed := "SPE_E3 LIC-M365-E3 Active <nil>", "EXCHANGESTANDARD LIC-EXO-P1 Error CountViolation"
	a.expect("no seat", ingrid, []string{byE3, failed}, []string{"SPE_E3"})
	a.c.SetSeats("EXCHANGESTANDARD", consumed+1)
	a.expect("a seat", ingrid, []string{byE3, failed}, []string{"SPE_E3"})
	a.c.Reprocess(ingrid)
	a.expect("reprocessed", ingrid, []string{byE3, "EXCHANGESTANDARD LIC-EXO-P1 Active <nil>"}, []string{"SPE_E3", "EXCHANGESTANDARD"})
	if diff := cmp.Diff([]string{"member added LIC-EXO-P1 by hand", "license gained EXCHANGESTANDARD by hand"}, told(a.c.History())); diff != "" {
		t.Error(diff)
	}
	// The group now also gives a second product, which has no free seats. It must still give E3.
	_, consumed = a.c.Seats("AAD_PREMIUM_P2")
	a.c.SetSeats("AAD_PREMIUM_P2", consumed)
	a.c.ChangeGroup("LIC-M365-E3", GroupChange{More: []string{"AAD_PREMIUM_P2"}})
	a.expect("a second product without seats", nora, []string{byE3, "AAD_PREMIUM_P2 LIC-M365-E3 Error CountViolation"}, []string{"SPE_E3"})
}

// TestADGroupChanges: after a rename or a move, a group has the same GUID and members. A group that is created again
// has a new GUID and no members.
func TestADGroupChanges(t *testing.T) {
	t.Parallel()
	const (
		renamed = "CN=Virtual Desktops,OU=Licenses," + BaseDN
		moved   = "CN=Citrix Users," + peopleBase
	)
	tests := map[string]struct {
		before, do  func(*Company)
		dn          string // the DN afterwards; empty: the group does not exist
		sameGUID    bool
		sameMembers bool
		cora        []string
	}{
		"renamed": {nil, func(c *Company) { c.ChangeADGroup("Citrix Users", ADGroupChange{DN: renamed}) }, renamed, true, true, []string{
			`ad memberOf: ["` + CitrixGroup + `" "CN=Citrix Contractors,OU=Licenses,` + BaseDN + `"] -> ["` + renamed + `" "CN=Citrix Contractors,OU=Licenses,` + BaseDN + `"]`}},
		"moved": {nil, func(c *Company) { c.ChangeADGroup("Citrix Users", ADGroupChange{DN: moved}) }, moved, true, true, []string{
			`ad memberOf: ["` + CitrixGroup + `" "CN=Citrix Contractors,OU=Licenses,` + BaseDN + `"] -> ["` + moved + `" "CN=Citrix Contractors,OU=Licenses,` + BaseDN + `"]`}},
		"made again": {nil, func(c *Company) { c.ChangeADGroup("Citrix Users", ADGroupChange{Remade: 1}) }, CitrixGroup, false, false, []string{
			`ad memberOf: ["` + CitrixGroup + `" "CN=Citrix Contractors,OU=Licenses,` + BaseDN + `"] -> ["CN=Citrix Contractors,OU=Licenses,` + BaseDN + `"]`,
			"holds Citrix: gone"}},
		"made again, the primary group of somebody": {func(c *Company) { c.SetPrimaryGroup(cora, CitrixGroup) }, func(c *Company) {
			c.ChangeADGroup("Citrix Users", ADGroupChange{Remade: 1})
		}, CitrixGroup, false, false, []string{`ad primaryGroupID: ["1101"] -> ["513"]`, "holds Citrix: gone"}},
		"deleted": {nil, func(c *Company) { c.ChangeADGroup("Citrix Users", ADGroupChange{Deleted: true}) }, "", false, false, []string{
			`ad memberOf: ["` + CitrixGroup + `" "CN=Citrix Contractors,OU=Licenses,` + BaseDN + `"] -> ["CN=Citrix Contractors,OU=Licenses,` + BaseDN + `"]`,
			"holds Citrix: gone"}},
		"deleted and restored": {nil, func(c *Company) {
			c.ChangeADGroup("Citrix Users", ADGroupChange{Deleted: true})
			c.ChangeADGroup("Citrix Users", ADGroupChange{})
		}, CitrixGroup, true, true, nil},
		"the nested one taken off": {nil, func(c *Company) { c.Nest("Citrix Users", "Citrix Contractors", false) }, CitrixGroup, true, false, []string{
			"holds Citrix: Citrix Users, Citrix Contractors -> Citrix Users"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newViewer(t, Options{Users: 60})
			if tc.before != nil {
				tc.before(v.s.Company)
			}
			group, person := v.adGroup("Citrix Users"), v.of(cora)
			tc.do(v.s.Company)
			after := v.adGroup("Citrix Users")
			if after.DN != tc.dn || after.DN != "" && (after.GetAttributeValue("cn") != strings.TrimPrefix(strings.SplitN(tc.dn, ",", 2)[0], "CN=")) {
				t.Errorf("the group is %s: %v", after.DN, after.Attributes)
			}
			same := func(attr string) bool {
				return slices.Equal(group.GetAttributeValues(attr), after.GetAttributeValues(attr))
			}
			if after.DN != "" && (same("objectGUID") != tc.sameGUID || same("objectSid") != tc.sameGUID || same("member") != tc.sameMembers) {
				t.Errorf("same GUID %t, SID %t, members %t", same("objectGUID"), same("objectSid"), same("member"))
			}
			if diff := cmp.Diff(tc.cora, changes(person, v.of(cora))); diff != "" {
				t.Errorf("a member (-want +got):\n%s", diff)
			}
			if old := v.adGroup("", CitrixGroup); (old.DN == "") != (tc.dn != CitrixGroup) {
				t.Errorf("under the first DN there is %q", old.DN)
			}
			for _, g := range (*v.s.Company.present.Load())[groupContractors:] {
				if e := v.adGroup("", g.dn); slices.Contains(e.GetAttributeValues("memberOf"), CitrixGroup) != slices.Contains(after.GetAttributeValues("member"), g.dn) && tc.dn == CitrixGroup {
					t.Errorf("%s is in %q", g.dn, e.GetAttributeValues("memberOf"))
				}
			}
		})
	}
}

// adGroup returns the group with a sAMAccountName, or with a DN if "dn" is given. If no group matches, it returns an
// empty entry.
func (v *viewer) adGroup(sam string, dn ...string) *ldap.Entry {
	v.t.Helper()
	r := request(BaseDN, ldap.ScopeWholeSubtree, "(sAMAccountName="+sam+")")
	if len(dn) > 0 {
		r = request(dn[0], ldap.ScopeBaseObject, "(objectClass=group)")
	}
	found, err := v.conn.Search(r)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return &ldap.Entry{}
	}
	if err != nil {
		v.t.Fatal(err)
	}
	if len(found.Entries) == 0 {
		return &ldap.Entry{}
	}
	return found.Entries[0]
}
