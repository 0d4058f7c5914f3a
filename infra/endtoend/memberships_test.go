package endtoend

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// secondE3 is the name of a second group that gives E3. The first group is LIC-M365-E3.
const secondE3 = "LIC-E3-Lab"

// The function "memberships" adds the license salesforce to a policy: the members of an Entra ID group hold it. It also
// names a second group that gives E3. It raises limits.stopAbove.percent to 60, so that the plan is not on hold.
func memberships(text string) string {
	return strings.NewReplacer(
		"group: {entra: LIC-M365-E3}", "groups: [{entra: "+secondE3+"}, {entra: LIC-M365-E3}]",
		"grace:", "  salesforce: {group: {entra: "+sandbox.AppGroup+"}, model: user, monthlyPrice: 75}\ngrace:",
		"percent: 10,", "percent: 60,",
	).Replace(text) + `  - name: salesforce-idle-45
    license: salesforce
    for: accountEnabled
    when: AzureAdSistaLogon.earlierThan(now - days(45))
    then: remove
`
}

// The method "applied" makes and approves a plan, waits until it is applied, and returns it.
func (r *rig) applied(idleseat func(args ...string) (stdout, stderr string, status int)) *plan.Plan {
	r.Helper()
	text, steps, status := idleseat("plan", "--format", "json")
	var planned struct{ Run, PlanHash string }
	if err := json.Unmarshal([]byte(text), &planned); err != nil || status != 0 {
		r.Fatalf("status %d, %v: %s%s", status, err, text, steps)
	}
	if text, told, status := idleseat("approve", planned.Run, planned.PlanHash); status != 0 || !strings.Contains(text, "done ") {
		r.Fatalf("status %d: %s%s", status, text, told)
	}
	p, err := runs.GetPlan(r.Context(), r.store, planned.Run)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// The method "restored" restores a run. It waits until all people hold the same licenses as before the run, because
// licenses follow group membership with a delay.
func (r *rig) restored(idleseat func(args ...string) (stdout, stderr string, status int), run string, before map[int][]string) {
	r.Helper()
	r.longAgo()
	if text, told, status := idleseat("restore", "--run", run); status != 0 || !strings.Contains(text, "done ") {
		r.Errorf("restore: status %d: %s%s", status, text, told)
	}
	for range 1500 {
		if cmp.Equal(before, r.holdings()) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.Errorf("licenses and groups (-before +restored):\n%s", cmp.Diff(before, r.holdings()))
}

// TestMemberships takes and restores two licenses: one that is the membership of a group, and one that either of two
// groups gives. Each person must leave the group that gave the license, and return to the same group.
func TestMemberships(t *testing.T) {
	t.Parallel()
	small, at := company, &calendar{}
	small.Users, small.Now = 400, at.now
	at.pass(-20 * day)
	r := newRig(t, options{company: small, mode: "review", edit: memberships})
	c := r.box.Company
	c.ChangeGroup("Duplicate", sandbox.GroupChange{Name: secondE3, More: []string{"SPE_E3"}})
	for i := range c.Size() {
		if who := c.Person(i); i%2 == 0 && who.Activity == sandbox.Idle && slices.Contains(who.Groups, "LIC-M365-E3") {
			c.SetMember(i, "LIC-M365-E3", false)
			c.SetMember(i, "Duplicate", true)
		}
	}
	at.pass(20 * day)
	r.signInAll()
	before := r.holdings()
	idleseat := r.operator()
	p := r.applied(idleseat)
	of := map[string]int{}
	for i := range c.Size() {
		who := c.Person(i)
		for _, change := range p.Changes {
			if who.Entra == nil || who.Entra.ID != change.User {
				continue
			}
			for license, groups := range map[string][]string{"salesforce": {sandbox.AppGroup}, "m365-e3": {"LIC-M365-E3", secondE3}} {
				for _, group := range groups {
					if change.License != license || !slices.Contains(before[i], group) {
						continue
					}
					of[group]++
					if slices.Contains(who.Groups, group) {
						t.Errorf("%s has %s still: %q", change.UserPrincipalName, license, who.Groups)
					}
				}
			}
		}
	}
	if of[sandbox.AppGroup] < 3 || of["LIC-M365-E3"] < 3 || of[secondE3] < 3 {
		t.Errorf("changes %v", of)
	}
	r.restored(idleseat, p.Run, before)
}

// TestSyncedLicenseGroup takes and restores a license through a group that Entra Connect syncs from Active Directory.
// The relay changes the group, and the state machine waits until Graph shows the change.
func TestSyncedLicenseGroup(t *testing.T) {
	t.Parallel()
	const name = "LIC-E3-OnPrem"
	large := sandbox.Options{Users: 2500, Seed: 9, LicenseDelay: 500 * time.Millisecond, SyncDelay: 3 * time.Second}
	r := newRig(t, options{company: large, mode: "review", edit: strings.NewReplacer(
		"group: {entra: LIC-M365-E3}", `group: {ad: "CN=`+name+`,OU=Licenses,`+sandbox.BaseDN+`"}`,
		"then: {changeTo: exchange-online}", "then: {remove: true, mailbox: lost}",
		"percent: 10,", "percent: 60,",
	).Replace})
	before := r.holdings()
	idleseat := r.operator()
	p := r.applied(idleseat)
	taken := 0
	for i := range r.box.Company.Size() {
		who := r.box.Company.Person(i)
		for _, c := range p.Changes {
			if who.Entra == nil || who.Entra.ID != c.User || c.License != "m365-e3" || c.Via != plan.ADGroup {
				continue
			}
			taken++
			byGroup := func(a directory.Assignment) bool { return a.Group != "" }
			e, err := ledger.In(r.store).Latest(t.Context(), c.User, c.License)
			if err != nil || e == nil || e.Completion == nil || e.Completion.Outcome != ledger.Done || slices.Contains(who.Groups, name) || slices.ContainsFunc(who.Entra.Assignments, byGroup) {
				t.Errorf("%s: groups %q, assignments %+v, ledger %+v, %v", c.UserPrincipalName, who.Groups, who.Entra.Assignments, e, err)
			}
		}
	}
	if taken == 0 {
		t.Error("nobody was in the group")
	}
	r.restored(idleseat, p.Run, before)
	for _, c := range p.Changes {
		if c.Via != plan.ADGroup || c.License != "m365-e3" {
			continue
		}
		e, err := ledger.In(r.store).Latest(t.Context(), c.User, c.License)
		if err != nil || e == nil || e.RestoreOf != p.Run || e.Completion == nil || e.Completion.Outcome != ledger.Done {
			t.Errorf("%s: ledger after the restore %+v, %v", c.UserPrincipalName, e, err)
		}
	}
}
