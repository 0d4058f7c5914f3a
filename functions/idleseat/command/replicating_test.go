package command

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestSambaTwoControllers runs two real controllers. The configuration has only the first one, and idleseat finds the
// second one in the directory. While the second one is stopped, Citrix may be taken only if the replicated date alone
// proves that the person is idle.
func TestSambaTwoControllers(t *testing.T) {
	const password = "L0gsOn!here"
	s := newShell(t, sandbox.Options{Users: 60, Seed: 2})
	days := map[string]int{} // the age of the replicated date in days, by sAMAccountName; 0 if there is no date
	user := map[int]string{}
	kinds := []int{95, 96, 200, 0}
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if len(user) < len(kinds) && p.Kind == sandbox.Synced && p.Entra.UserPrincipalName != "anna@contoso.example" && p.Entra.Hired.Before(time.Now().AddDate(0, -6, 0)) && // a new hire has a grace period
			slices.Contains(p.ADGroups, sandbox.CitrixGroup) && !slices.Contains(p.Groups, "LIC-Exempt") && !slices.Contains(p.Groups, "LIC-Exempt-Leave") {
			kind := kinds[len(user)]
			days[p.AD.SAMAccount], user[kind] = kind, p.Entra.UserPrincipalName
		}
	}
	if len(user) != len(kinds) {
		t.Fatalf("the company has too few people who fit: %v", user)
	}
	account := map[int]string{}
	d, _ := onPremises(t, s, samba.Options{Replicating: true}, func(p *samba.Person) {
		kind, chosen := days[p.SAMAccount]
		if !chosen {
			return
		}
		account[kind] = p.SAMAccount
		p.Password, p.LastLogonTimestamp, p.LastLogon = password, time.Now().AddDate(0, 0, -kind), nil
		if kind == 0 {
			p.LastLogonTimestamp, p.Created = time.Time{}, time.Now().AddDate(-1, 0, 0)
		}
	})
	statuses := func(run string) map[string]runs.Result {
		var r runs.Results
		if err := json.Unmarshal(s.finish(run).out, &r); err != nil {
			t.Fatal(err)
		}
		all := map[string]runs.Result{}
		for _, one := range r.Results {
			if one.License == "citrix" {
				all[one.UserPrincipalName] = one
			}
		}
		return all
	}
	if err := d.Replicate(t.Context()); err != nil { // the replicated date counts for a controller only after a replication
		t.Fatal(err)
	}
	everybody := s.plan(exitDone)
	alone := s.plan(exitDone, "--user", user[95])
	if len(alone.Changes) == 0 {
		t.Fatalf("idle by every date, but not taken: %+v", alone)
	}
	if err := d.LogOn(1, account[95], password); err != nil {
		t.Fatal(err)
	}
	if got := bySAM(t, d)[account[95]].LastLogonTimestamp; time.Since(got) < threshold {
		t.Fatalf("the first controller knows of the logon already, at %v, so this test shows nothing", got)
	}
	if got := statuses(alone.Run)[user[95]]; got.Status != runs.Kept || !strings.HasPrefix(got.Note, "logged on ") {
		t.Errorf("logged on at the second controller only: %+v", got)
	}

	d.Stop(1)
	undecided := s.plan(exitDone, "--user", user[96])
	const missing = "ldaps://dc2.corp.example.test: connect: "
	if len(undecided.Undecided) == 0 || !strings.Contains(undecided.Undecided[0].Reason, missing) {
		t.Errorf("with the second controller stopped: changes %+v, undecided %+v", undecided.Changes, undecided.Undecided)
	}
	results := statuses(everybody.Run)
	for kind, want := range map[int]runs.Status{95: runs.Kept, 96: runs.Kept, 200: runs.Done, 0: runs.Kept} {
		got := results[user[kind]]
		if got.Status != want || want == runs.Kept && (!strings.HasPrefix(got.Note, "undecided: ") || !strings.Contains(got.Note, missing)) {
			t.Errorf("replicated date %d days ago, the second controller stopped: %+v, want %s", kind, got, want)
		}
	}
}
