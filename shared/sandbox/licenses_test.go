package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (a *asker) member(method string, g, i int) reply {
	a.t.Helper()
	if method == "POST" {
		return a.do("POST", "/groups/"+groups[g].id+"/members/$ref", `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/`+a.id(i)+`"}`)
	}
	return a.do(method, "/groups/"+groups[g].id+"/members/"+a.id(i)+"/$ref", "")
}

// The method "paths" reads a user from Graph. Each text in "states" is one of the licenseAssignmentStates: the part
// number of the product, the group or "directly", the state and the error. The result "licenses" has the part numbers
// of the assignedLicenses.
func (a *asker) paths(i int) (states, licenses []string) {
	a.t.Helper()
	u := a.get("/users/" + a.id(i) + "?$select=assignedLicenses,licenseAssignmentStates").body
	part := func(sku any) string { p, _ := productOf(sku.(string)); return p.part }
	for _, v := range u["licenseAssignmentStates"].([]any) {
		s := v.(map[string]any)
		n := slices.IndexFunc(groups, func(g group) bool { return g.id != "" && g.id == s["assignedByGroup"] })
		by := "directly"
		if n >= 0 {
			by = groups[n].name
		}
		states = append(states, fmt.Sprintf("%s %s %s %v", part(s["skuId"]), by, s["state"], s["error"]))
	}
	for _, v := range u["assignedLicenses"].([]any) {
		licenses = append(licenses, part(v.(map[string]any)["skuId"]))
	}
	return states, licenses
}

func (a *asker) expect(step string, i int, states, licenses []string) {
	a.t.Helper()
	gotStates, gotLicenses := a.paths(i)
	if diff := cmp.Diff([2][]string{states, licenses}, [2][]string{gotStates, gotLicenses}); diff != "" {
		a.t.Errorf("%s:\n%s", step, diff)
	}
}

func (a *asker) consumed() map[string]float64 {
	m := map[string]float64{}
	for _, s := range a.get("/subscribedSkus").value() {
		m[s["skuPartNumber"].(string)] = s["consumedUnits"].(float64)
	}
	return m
}

func TestLicensesFollowMembershipAfterADelay(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := newAsker(t, Options{Now: now.now, LicenseDelay: time.Hour})
	const person = 2
	byE3, byExchange := "SPE_E3 LIC-M365-E3 Active <nil>", "EXCHANGESTANDARD LIC-EXO-P1 Active <nil>"
	before := a.consumed()
	a.expect("at first", person, []string{byE3}, []string{"SPE_E3"})
	if got := a.member("POST", groupExchange, person); got.status != 204 || got.text != "" {
		t.Fatalf("add: %d %s", got.status, got.text)
	}
	now.turn(59 * time.Minute)
	a.expect("before the delay", person, []string{byE3}, []string{"SPE_E3"})
	now.turn(time.Minute)
	a.expect("after the delay", person, []string{byE3, byExchange}, []string{"SPE_E3", "EXCHANGESTANDARD"})
	if got := a.member("DELETE", groupE3, person); got.status != 204 {
		t.Fatalf("remove: %d %s", got.status, got.text)
	}
	a.expect("removed, not yet followed", person, []string{byE3, byExchange}, []string{"SPE_E3", "EXCHANGESTANDARD"})
	now.turn(time.Hour)
	a.expect("moved", person, []string{byExchange}, []string{"EXCHANGESTANDARD"})
	after := a.consumed()
	if after["SPE_E3"] != before["SPE_E3"]-1 || after["EXCHANGESTANDARD"] != before["EXCHANGESTANDARD"]+1 {
		t.Errorf("seats before %v, after %v", before, after)
	}
	want := []Event{
		{At: testStart, What: MemberAdded, Person: person, Group: "LIC-EXO-P1"},
		{At: testStart.Add(time.Hour), What: LicenseGained, Person: person, SKU: skuExchange},
		{At: testStart.Add(time.Hour), What: MemberRemoved, Person: person, Group: "LIC-M365-E3"},
		{At: testStart.Add(2 * time.Hour), What: LicenseLost, Person: person, SKU: skuE3},
	}
	if diff := cmp.Diff(want, a.c.History()); diff != "" {
		t.Error(diff)
	}
}

// TestSyncedLicensesFollowAfterTheSync changes the members of a synced group in Active Directory. The licenses in Entra
// ID change only after the next sync, even if the sync has stalled for hours. Graph refuses to change the members.
func TestSyncedLicensesFollowAfterTheSync(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := newAsker(t, Options{Now: now.now, SyncDelay: 30 * time.Minute, LicenseDelay: time.Minute})
	const synced, person, byGroup = "LIC-E3-OnPrem", 2, "AAD_PREMIUM_P2 LIC-E3-OnPrem Active <nil>"
	a.c.ChangeGroup("LIC-M365-E3", GroupChange{Emptied: true})
	now.turn(time.Hour)
	a.c.ChangeGroup(synced, GroupChange{Instead: []string{"AAD_PREMIUM_P2"}})
	expect := func(step string, held bool) {
		t.Helper()
		var states, skus []string
		var ways []Way
		if held {
			states, skus, ways = []string{byGroup}, []string{"AAD_PREMIUM_P2"}, []Way{{Group: synced}}
		}
		a.expect(step, person, states, skus)
		if diff := cmp.Diff(ways, a.c.Truth(person).P2); diff != "" {
			t.Errorf("%s: ways (-want +got):\n%s", step, diff)
		}
	}
	if got := a.member("POST", groupSynced, person); got.status != 400 || a.c.isEntraMember(groupSynced, person) {
		t.Errorf("Graph changes the members: %d %s", got.status, got.text)
	}
	a.c.SetMember(person, synced, true)
	now.turn(30 * time.Minute)
	expect("before the sync", false)
	now.turn(time.Minute)
	expect("after the sync", true)
	a.c.SetSyncDelay(20 * time.Hour)
	a.c.SetMember(person, synced, false)
	now.turn(20 * time.Hour)
	expect("the sync has stalled", true)
	now.turn(time.Minute)
	expect("after the stalled sync", false)
	a.c.SetMember(person, synced, true)
	a.c.SetSyncDelay(30 * time.Minute)
	now.turn(21 * time.Hour)
	a.c.SetMember(person, synced, false)
	now.turn(10 * time.Minute)
	a.c.SetMember(person, synced, true)
	now.turn(time.Hour)
	expect("left and joined again", true)
	history := a.c.History()
	if last := history[len(history)-1]; last.What != MemberAdded {
		t.Errorf("the sync noticed the time between: %+v", last)
	}
}

// TestSecondMembershipIsNoEvent adds a member again and removes somebody who is no member. Neither changes anything.
func TestSecondMembershipIsNoEvent(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	a.c.SetMember(2, "LIC-M365-E3", true)
	a.c.SetMember(2, "LIC-EXO-P1", false)
	if diff := cmp.Diff([]Event(nil), a.c.History()); diff != "" {
		t.Error(diff)
	}
}

func TestMailboxLossIsInTheHistory(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	a.member("DELETE", groupE3, 2)
	a.member("POST", groupExchange, 2)
	h := a.c.History()
	if !slices.ContainsFunc(h, func(e Event) bool { return e.Person == 2 && e.LostMailbox }) {
		t.Errorf("source before target, and no mailbox lost: %v", h)
	}
}

func TestMissingSeatsAreAnError(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Seats: map[string]int{"EXCHANGESTANDARD": 0}})
	a.member("POST", groupExchange, 2)
	failed := []string{"SPE_E3 LIC-M365-E3 Active <nil>", "EXCHANGESTANDARD LIC-EXO-P1 Error CountViolation"}
	a.expect("no seat", 2, failed, []string{"SPE_E3"})
	a.do("POST", "/users/"+a.id(2)+"/reprocessLicenseAssignment", "")
	a.expect("reprocessed without a seat", 2, failed, []string{"SPE_E3"})
	a.c.seats[skuExchange].enabled = 100
	if got := a.do("POST", "/users/"+a.id(2)+"/reprocessLicenseAssignment", ""); got.status != 200 || got.body["id"] != a.id(2) {
		t.Errorf("reprocess: %d %v", got.status, got.body)
	}
	a.expect("reprocessed", 2, []string{"SPE_E3 LIC-M365-E3 Active <nil>", "EXCHANGESTANDARD LIC-EXO-P1 Active <nil>"}, []string{"SPE_E3", "EXCHANGESTANDARD"})
}

func TestGroupOfTwoProductsGivesAllOrNone(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Seats: map[string]int{"AAD_PREMIUM_P2": 0}})
	a.member("POST", groupSuite, 18)
	a.expect("no seat for one of two", 18, []string{"SPE_E3 LIC-M365-E3 Active <nil>", "SPE_E3 LIC-E3-Plus Error CountViolation",
		"AAD_PREMIUM_P2 LIC-E3-Plus Error CountViolation"}, []string{"SPE_E3"})
}

func assignBody(add, remove []string) string {
	var b strings.Builder
	b.WriteString(`{"addLicenses":[`)
	for n, sku := range add {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"skuId":%q,"disabledPlans":[]}`, sku)
	}
	b.WriteString(`],"removeLicenses":[`)
	for n, sku := range remove {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q", sku)
	}
	return b.String() + `]}`
}

func TestAssignLicense(t *testing.T) {
	t.Parallel()
	const direct, both = 12, 9
	tests := map[string]struct {
		person      int
		add, remove []string
		seats       int // free seats of Exchange Online
		status      int
		states      []string
	}{
		"change in one call": {direct, []string{skuExchange}, []string{skuE3}, 5, 200, []string{"EXCHANGESTANDARD directly Active <nil>"}},
		"again":              {direct, []string{skuE3}, nil, 5, 200, []string{"SPE_E3 directly Active <nil>"}},
		"direct of two":      {both, nil, []string{skuE3}, 5, 200, []string{"SPE_E3 LIC-M365-E3 Active <nil>"}},
		"upper case":         {direct, nil, []string{strings.ToUpper(skuE3)}, 5, 200, nil},
		"no seats":           {direct, []string{skuExchange}, []string{skuE3}, 0, 400, []string{"SPE_E3 directly Active <nil>"}},
		"half wrong":         {direct, []string{skuExchange}, []string{skuE5}, 5, 400, []string{"SPE_E3 directly Active <nil>"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAsker(t, Options{Seats: map[string]int{"EXCHANGESTANDARD": test.seats}})
			got := a.do("POST", "/users/"+a.id(test.person)+"/assignLicense", assignBody(test.add, test.remove))
			if got.status != test.status {
				t.Errorf("%d %s", got.status, got.text)
			}
			if test.seats == 0 && got.message() != "Subscription with SKU "+skuExchange+" does not have any available licenses." {
				t.Errorf("message %q", got.message())
			}
			if states, _ := a.paths(test.person); !slices.Equal(states, test.states) {
				t.Errorf("states %q, want %q", states, test.states)
			}
			if slices.ContainsFunc(a.c.History(), func(e Event) bool { return e.LostMailbox }) != (name == "upper case") {
				t.Errorf("history %v", a.c.History())
			}
		})
	}
}

func TestLicenseDetails(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	var got []any
	for _, v := range a.get("/users/kim.larsen.13@contoso.example/licenseDetails").value() {
		got = append(got, v["skuPartNumber"])
	}
	if diff := cmp.Diff([]any{"SPE_E3", "AAD_PREMIUM_P2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSeatsAreCountedFromPeople(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Users: 700, Seats: map[string]int{"SPE_E5": 3}})
	want := map[string]float64{"SPE_E3": 0, "SPE_E5": 0, "EXCHANGESTANDARD": 0, "AAD_PREMIUM_P2": 0, "Microsoft_365_Copilot": 0}
	for u := range a.c.EntraUsers() {
		seen := map[string]bool{}
		for _, x := range u.Assignments {
			if p, _ := productOf(x.SKU); !seen[p.part] {
				seen[p.part] = true
				want[p.part]++
			}
		}
	}
	if diff := cmp.Diff(want, a.consumed()); diff != "" {
		t.Error(diff)
	}
	e5 := a.get("/subscribedSkus").value()[1]
	if e5["accountId"] == TenantID || a.get("/organization").value()[0]["id"] != TenantID || e5["prepaidUnits"].(map[string]any)["enabled"] != 3.0 {
		t.Errorf("E5: %v", e5)
	}
}

// TestMemberPathWithoutRefDeletesTheUser: a DELETE without /$ref deletes the user, as in real Graph. So other tests
// notice if idleseat sends such a request.
func TestMemberPathWithoutRefDeletesTheUser(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	before := a.consumed()["SPE_E3"]
	if got := a.do("DELETE", "/groups/"+groups[groupE3].id+"/members/"+a.id(2), ""); got.status != 204 {
		t.Fatalf("%d %s", got.status, got.text)
	}
	if got := a.get("/users/" + a.id(2)); got.status != 404 {
		t.Errorf("the user is still there: %d", got.status)
	}
	list, _ := a.people("/groups/" + groups[groupE3].id + "/members?$select=id")
	if slices.ContainsFunc(list, func(m map[string]any) bool { return m["id"] == a.id(2) }) {
		t.Error("the user is still a member")
	}
	p := a.c.Person(2)
	if p.Entra != nil || p.AD == nil || a.consumed()["SPE_E3"] != before-1 {
		t.Errorf("afterwards: %+v, seats %v", p, a.consumed())
	}
	if h := a.c.History(); len(h) != 2 || h[0].What != UserDeleted || !h[1].LostMailbox {
		t.Errorf("history %v", h)
	}
}
