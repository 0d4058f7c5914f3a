package command

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// withSeats adds to the policy the license salesforce, which the members of an Entra ID group hold. A rule takes it
// after 45 days without a sign-in.
func withSeats(t *testing.T) policyText {
	license := replace(t, "grace:", "  salesforce: {group: {entra: "+sandbox.AppGroup+"}, model: user, monthlyPrice: 75}\ngrace:")
	limits := replace(t, "percent: 10,", "percent: 60,")
	return func(text string) string {
		return limits(license(text)) + `  - name: salesforce-idle-45
    license: salesforce
    for: accountEnabled
    when: AzureAdSistaLogon.earlierThan(now - days(45))
    then: remove
`
	}
}

// TestSeatsOfAnApplication: the license is a seat of an application, which a person has while the person is in a group.
// A run takes seats, and a restore gives them back.
func TestSeatsOfAnApplication(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 20*day, sandbox.Options{Users: 400, Seed: 9}, withSeats(t))
	c := s.company.Company
	before := holding(c)
	p := s.plan(exitDone)
	var taken []int
	for _, change := range p.Changes {
		if change.License != "salesforce" {
			continue
		}
		i := s.number(change.User)
		if taken = append(taken, i); change.Via != plan.EntraGroup || change.MonthlySaving != 75 {
			t.Errorf("%+v", change)
		}
		if who := c.Person(i); !slices.Contains(who.Groups, sandbox.AppGroup) || !c.HasSeat(i) {
			t.Errorf("%s has no seat", who.Entra.UserPrincipalName)
		}
	}
	if len(taken) < 3 {
		t.Fatalf("%d seats would be taken", len(taken))
	}
	s.finish(p.Run)
	for _, i := range taken {
		if slices.Contains(c.Person(i).Groups, sandbox.AppGroup) {
			t.Errorf("%s is in the group still", c.Person(i).Entra.UserPrincipalName)
		}
	}
	for i := range c.Size() {
		if who := c.Person(i); slices.Contains(who.Groups, sandbox.AppGroup) == slices.Contains(taken, i) && slices.Contains(before[i], sandbox.AppGroup) {
			t.Errorf("person %d: in the group, and taken %t", i, slices.Contains(taken, i))
		}
	}
	s.passes(time.Hour)
	for _, i := range taken {
		if c.HasSeat(i) {
			t.Errorf("%s has the seat still", c.Person(i).Entra.UserPrincipalName)
		}
	}
	if again := s.plan(exitDone); slices.ContainsFunc(again.Changes, func(c plan.Change) bool { return c.License == "salesforce" }) {
		t.Error("a seat would be taken twice")
	}
	s.restored("--run", p.Run)
	s.asBefore(before)
	s.passes(time.Hour)
	for _, i := range taken {
		if !c.HasSeat(i) {
			t.Errorf("%s has no seat again", c.Person(i).Entra.UserPrincipalName)
		}
	}
}

// TestSeveralGroupsOfAProduct: with a second group that assigns E3, the plan has the same changes. A restore adds each
// person to the group that the person left.
func TestSeveralGroupsOfAProduct(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 400, Seed: 9, LicenseDelay: 50 * time.Millisecond},
		replace(t, "group: {entra: LIC-M365-E3}", "groups: [{entra: LIC-E3-Research}, {entra: LIC-M365-E3}]"))
	one := newShell(t, sandbox.Options{Users: 400, Seed: 9})
	users := func(p printed) (ids []string) {
		for _, c := range p.Changes {
			ids = append(ids, c.User+" "+c.License+" "+string(c.Via))
		}
		return ids
	}
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	if diff := cmp.Diff(users(one.plan(exitDone)), users(p)); diff != "" {
		t.Errorf("changes with one group and with both (-one +both):\n%s", diff)
	}
	s.finish(p.Run)
	if cmp.Equal(before, holding(s.company.Company)) {
		t.Fatal("nothing was taken")
	}
	s.restored("--run", p.Run)
	s.asBefore(before)
}

// TestEachOfSeveralGroups uses two groups that both assign E3. People in one of them lose E3, and get it back through
// the same group. People in both keep E3, because leaving one group frees no seat.
func TestEachOfSeveralGroups(t *testing.T) {
	t.Parallel()
	const lab = "LIC-E3-Lab"
	s := newShellAgo(t, 40*day, sandbox.Options{Users: 400, Seed: 9, LicenseDelay: time.Minute},
		replace(t, "group: {entra: LIC-M365-E3}", "groups: [{entra: "+lab+"}, {entra: LIC-M365-E3}]"), replace(t, "percent: 10,", "percent: 60,"))
	c := s.company.Company
	c.ChangeGroup("Duplicate", sandbox.GroupChange{Name: lab, More: []string{"SPE_E3"}})
	by := map[int]string{} // for each idle person, by index: the name of the only group, or "both"
	for i := range c.Size() {
		if who := c.Person(i); who.Activity == sandbox.Idle && slices.Contains(who.Groups, "LIC-M365-E3") {
			by[i] = []string{"LIC-M365-E3", lab, "both"}[i%3]
			c.SetMember(i, "Duplicate", by[i] != "LIC-M365-E3")
			c.SetMember(i, "LIC-M365-E3", by[i] != lab)
		}
	}
	s.later(20 * day) // after this time, nobody counts as a new holder
	before := holding(c)
	p := s.plan(exitDone)
	taken := map[string]int{}
	for _, change := range p.Changes {
		if change.License == "m365-e3" {
			taken[by[s.number(change.User)]]++
		}
	}
	if taken[lab] < 2 || taken["LIC-M365-E3"] < 2 || taken["both"] > 0 {
		t.Fatalf("taken by group: %v", taken)
	}
	refused := 0
	for _, r := range p.Refused {
		if strings.Contains(r.Reason, "held through 2 groups at once") {
			refused++
		}
	}
	if refused < 2 {
		t.Errorf("%d of those in both groups are refused: %+v", refused, p.Refused)
	}
	s.finish(p.Run)
	for _, change := range p.Changes {
		if i := s.number(change.User); change.License == "m365-e3" && (slices.Contains(c.Person(i).Groups, lab) || s.inGroup(i, "LIC-M365-E3")) {
			t.Errorf("person %d is in %v", i, c.Person(i).Groups)
		}
	}
	s.passes(time.Hour)
	s.restored("--run", p.Run)
	s.asBefore(before)
}

// syncedE3 changes the policy so that a synced group of Active Directory assigns E3.
func syncedE3(t *testing.T) policyText {
	group := replace(t, "group: {entra: LIC-M365-E3}", `group: {ad: "CN=LIC-E3-OnPrem,OU=Licenses,`+sandbox.BaseDN+`"}`)
	then := replace(t, "then: {changeTo: exchange-online}", "then: {remove: true, mailbox: lost}")
	limits := replace(t, "percent: 10,", "percent: 60,")
	return func(text string) string { return limits(then(group(text))) }
}

// TestSyncedLicenseGroup takes and restores a license through a synced group. The change stays pending until Graph
// shows the result of the sync.
func TestSyncedLicenseGroup(t *testing.T) {
	t.Parallel()
	const name = "LIC-E3-OnPrem"
	s := newShellAgo(t, 20*day, sandbox.Options{Users: 2500, Seed: 9, LicenseDelay: time.Minute, SyncDelay: 30 * time.Minute}, syncedE3(t))
	c := s.company.Company
	holds := func(i int) bool {
		return slices.ContainsFunc(c.Person(i).Entra.Assignments, func(a directory.Assignment) bool { return a.Group != "" && a.State == "Active" })
	}
	p := s.plan(exitDone)
	var taken []int
	for _, change := range p.Changes {
		if change.License == "m365-e3" && change.Via == plan.ADGroup {
			i := s.number(change.User)
			if taken = append(taken, i); !slices.Contains(c.Person(i).Groups, name) || !holds(i) {
				t.Errorf("%s is not in the group", change.UserPrincipalName)
			}
		}
	}
	if len(taken) == 0 {
		t.Fatalf("nobody in %s would lose the license: %d changes", name, len(p.Changes))
	}
	if !strings.Contains(string(s.want(exitDone, "apply", p.Run, "--yes", "--format", "json").out), "waiting for its license to be freed") {
		t.Error("it did not wait for Entra Connect")
	}
	for _, i := range taken {
		if slices.Contains(c.Person(i).Groups, name) || !holds(i) {
			t.Errorf("person %d: in the group %t, has the license %t; it follows later", i, slices.Contains(c.Person(i).Groups, name), holds(i))
		}
	}
	s.passes(40 * time.Minute)
	s.finish(p.Run)
	for _, i := range taken {
		if holds(i) {
			t.Errorf("person %d has the license still", i)
		}
	}
	s.passes(3 * time.Hour)
	var r runs.Results
	if err := json.Unmarshal(s.want(exitDone, "restore", "--run", p.Run, "--yes", "--format", "json").out, &r); err != nil {
		t.Fatal(err)
	}
	for n := 0; r.Count(runs.Pending) > 0 && n < 10; n++ {
		s.passes(40 * time.Minute)
		run := r.Run
		r = runs.Results{}
		if err := json.Unmarshal(s.want(exitDone, "apply", run, "--yes", "--format", "json").out, &r); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range taken {
		if !holds(i) || !slices.Contains(c.Person(i).Groups, name) {
			t.Errorf("person %d has not got the license back: %+v", i, r)
		}
	}
}
