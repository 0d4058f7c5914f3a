package directory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type outcome struct {
	ID        string
	Entra, AD Presence
	Doubt     bool
}

func TestJoin(t *testing.T) {
	t.Parallel()
	synced := func(id, sid, anchor string) EntraUser {
		return EntraUser{ID: id, SID: sid, ImmutableID: anchor, Synced: true}
	}
	tests := map[string]struct {
		accounts Accounts
		want     []outcome
	}{
		"both, by SID and anchor": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "g")}, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"e", Present, Present, false}},
		},
		"the consistency GUID wins over the object GUID": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "c")}, AD: []ADUser{{SID: "S-1", GUID: "g", ConsistencyGUID: "c"}}},
			[]outcome{{"e", Present, Present, false}},
		},
		"anchor disagrees": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "other")}, AD: []ADUser{{SID: "S-1", GUID: "g", ConsistencyGUID: "c"}}},
			[]outcome{{"e", Contradictory, Contradictory, true}},
		},
		"anchored on objectGUID, the consistency GUID is filled": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "g")}, AD: []ADUser{{SID: "S-1", GUID: "g", ConsistencyGUID: "c"}}},
			[]outcome{{"e", Present, Present, false}},
		},
		"objectGUID is not the anchor that the policy names": {
			Accounts{Anchor: ConsistencyGUID, EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "g")}, AD: []ADUser{{SID: "S-1", GUID: "g", ConsistencyGUID: "c"}}},
			[]outcome{{"e", Contradictory, Contradictory, true}},
		},
		"anchored on objectSid": {
			Accounts{Anchor: ObjectSIDAnchor, EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1-5-21-1", "AQIAAAAAAAUVAAAAAQAAAA==")}, AD: []ADUser{{SID: "S-1-5-21-1", GUID: "g"}}},
			[]outcome{{"e", Present, Present, false}},
		},
		"anchored on employeeID": {
			Accounts{Anchor: EmployeeIDAnchor, EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "E17"), synced("f", "S-2", "E18")}, AD: []ADUser{{SID: "S-1", GUID: "g", EmployeeID: "E17"}, {SID: "S-2", GUID: "h", EmployeeID: "E19"}}},
			[]outcome{{"e", Present, Present, false}, {"f", Contradictory, Contradictory, true}},
		},
		"converted, Active Directory was not read": {
			Accounts{EntraState: Present, Entra: []EntraUser{{ID: "e", SID: "S-1"}}},
			[]outcome{{"e", Present, NotRead, false}},
		},
		"only an immutable id, Active Directory was not read": {
			Accounts{EntraState: Present, Entra: []EntraUser{{ID: "e", ImmutableID: "g"}}},
			[]outcome{{"e", Present, NotRead, false}},
		},
		"joined before, Active Directory was not read": {
			Accounts{EntraState: Present, Entra: []EntraUser{{ID: "e", Past: Past{Joined: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}}},
			[]outcome{{"e", Present, NotRead, false}},
		},
		"cloud-only, Active Directory was not read": {
			Accounts{EntraState: Present, Entra: []EntraUser{{ID: "e"}}},
			[]outcome{{"e", Present, NoAccount, false}},
		},
		"no SID in Entra, the immutable id fits": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "", "c")}, AD: []ADUser{{SID: "S-1", GUID: "g", ConsistencyGUID: "c"}}},
			[]outcome{{"e", Present, Present, false}},
		},
		"no SID in Entra, two accounts fit": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "", "c")}, AD: []ADUser{{SID: "S-1", GUID: "g", ConsistencyGUID: "c"}, {SID: "S-2", GUID: "c"}}},
			[]outcome{{"e", Contradictory, Contradictory, true}, {"S-2", NoAccount, Present, false}},
		},
		"two Entra accounts claim one, by SID and by immutable id": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "g"), synced("f", "", "g")}, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"e", Contradictory, Contradictory, true}, {"f", Contradictory, Contradictory, true}},
		},
		"converted to cloud-only, the account there is gone": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{{ID: "e", SID: "S-1"}, {ID: "f", SID: "S-3", Past: Past{Joined: time.Unix(1, 0)}}}, AD: []ADUser{{SID: "S-2", GUID: "h"}}},
			[]outcome{{"e", Present, NoAccount, false}, {"f", Present, Missing, true}, {"S-2", NoAccount, Present, false}},
		},
		"converted to cloud-only, the account there remains": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{{ID: "e", SID: "S-1"}}, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"e", Present, Present, false}},
		},
		"converted to cloud-only, the dates of Active Directory are unknown": {
			Accounts{Stale: [Signals]string{AD: "stalled"}, EntraState: Present, ADState: Present, Entra: []EntraUser{{ID: "e", SID: "S-1"}}},
			[]outcome{{"e", Present, NoAccount, false}},
		},
		"a part of Active Directory was read": {
			Accounts{EntraState: Present, Entra: []EntraUser{synced("e", "S-1", "g"), synced("f", "S-2", "h"), {ID: "c", SID: "S-3"}}, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"e", Present, Present, false}, {"f", Present, NotRead, false}, {"c", Present, NotRead, false}},
		},
		"AD-only, the anchor may not be read": {
			Accounts{EntraState: Present, ADState: Present, AD: []ADUser{{SID: "S-1", GUID: "g", Unreadable: []string{"mS-DS-ConsistencyGuid"}}}},
			[]outcome{{"S-1", Missing, Present, true}},
		},
		"AD-only, an account of Entra in another partition has its anchor": {
			Accounts{Loose: map[string]bool{"g": true}, EntraState: Present, ADState: Present, AD: []ADUser{{SID: "S-1", GUID: "g"}, {SID: "S-2", GUID: "h"}}},
			[]outcome{{"S-1", Missing, Present, true}, {"S-2", NoAccount, Present, false}},
		},
		"AD-only, many in Entra could not be placed": {
			Accounts{Unplaced: 5000, EntraState: Present, ADState: Present, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"S-1", Missing, Present, true}},
		},
		"no anchor in Entra": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "")}, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"e", Contradictory, Contradictory, true}},
		},
		"the same name is no key": {
			Accounts{
				EntraState: Present, ADState: Present,
				Entra: []EntraUser{{ID: "e", UserPrincipalName: "a@x"}}, AD: []ADUser{{SID: "S-1", GUID: "g", UserPrincipalName: "a@x"}},
			},
			[]outcome{{"e", Present, NoAccount, false}, {"S-1", NoAccount, Present, false}},
		},
		"synced, no AD account": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "g")}},
			[]outcome{{"e", Present, Missing, true}},
		},
		"synced without a SID": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "", "g")}},
			[]outcome{{"e", Present, Missing, true}},
		},
		"synced, AD not read": {
			Accounts{EntraState: Present, Entra: []EntraUser{synced("e", "S-1", "g")}},
			[]outcome{{"e", Present, NotRead, false}},
		},
		"cloud-only, AD not read": {
			Accounts{EntraState: Present, Entra: []EntraUser{{ID: "e"}}},
			[]outcome{{"e", Present, NoAccount, false}},
		},
		"formerly synced, AD not read": {
			Accounts{EntraState: Present, Entra: []EntraUser{{ID: "e", SID: "S-1"}}},
			[]outcome{{"e", Present, NotRead, false}},
		},
		"AD-only, Entra not read": {
			Accounts{ADState: Present, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"S-1", NotRead, Present, false}},
		},
		"two Entra accounts for one SID": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e1", "S-1", "g"), synced("e2", "S-1", "g")}, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"e1", Contradictory, Contradictory, true}, {"e2", Contradictory, Contradictory, true}},
		},
		"one account listed on two pages": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{{ID: "c"}, synced("e", "S-1", "old"), {ID: "c"}, synced("e", "S-1", "g")}, AD: []ADUser{{SID: "S-1", GUID: "g"}}},
			[]outcome{{"c", Present, NoAccount, false}, {"e", Present, Present, false}},
		},
		"two AD accounts for one SID": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{synced("e", "S-1", "g")}, AD: []ADUser{{SID: "S-1", GUID: "g"}, {SID: "S-1", GUID: "h"}}},
			[]outcome{{"e", Contradictory, Contradictory, true}, {"S-1", NoAccount, Contradictory, true}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []outcome
			for p := range tc.accounts.Join() {
				got = append(got, outcome{p.ID(), p.EntraState, p.ADState, p.Doubt != ""})
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("joined people (-want +got):\n%s", d)
			}
		})
	}
}

func TestMemberOf(t *testing.T) {
	t.Parallel()
	exempt, citrix := GroupRef{Entra, "LIC-Exempt"}.Key(false), GroupRef{AD, "CN=Citrix"}.Key(true)
	tests := map[string]struct {
		person Person
		source Source
		key    string
		want   Flag
	}{
		"listed":                    {Person{EntraState: Present, Memberships: []string{exempt}}, Entra, exempt, Yes},
		"not listed":                {Person{EntraState: Present}, Entra, exempt, No},
		"no account there":          {Person{ADState: NoAccount}, AD, citrix, No},
		"account not read":          {Person{ADState: NotRead}, AD, citrix, Unset},
		"account missing":           {Person{ADState: Missing}, AD, citrix, Unset},
		"account in doubt":          {Person{ADState: Contradictory}, AD, citrix, Unset},
		"group unreadable":          {Person{EntraState: Present, Unreadable: []string{exempt}}, Entra, exempt, Unset},
		"listed in unreadable part": {Person{EntraState: Present, Memberships: []string{exempt}, Unreadable: []string{exempt}}, Entra, exempt, Yes},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.person.MemberOf(tc.source, tc.key); got != tc.want {
				t.Errorf("MemberOf = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestJoinGivesMembershipsOfBothHalves(t *testing.T) {
	t.Parallel()
	h := Accounts{
		EntraState: Present, ADState: Present,
		Entra: []EntraUser{{ID: "e", SID: "S-1", ImmutableID: "g", Synced: true}}, AD: []ADUser{{SID: "S-1", GUID: "g"}},
		Memberships: map[string][]string{"e": {"entra:a"}, "S-1": {"ad:b"}},
	}
	for p := range h.Join() {
		if d := cmp.Diff([]string{"entra:a", "ad:b"}, p.Memberships); d != "" {
			t.Errorf("memberships (-want +got):\n%s", d)
		}
	}
	if d := cmp.Diff(map[string][]string{"e": {"entra:a"}, "S-1": {"ad:b"}}, h.Memberships); d != "" {
		t.Errorf("joining changed its input (-want +got):\n%s", d)
	}
}
