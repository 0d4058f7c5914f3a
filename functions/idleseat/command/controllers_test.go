package command

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The constant "lost" is the address of a controller that does not answer.
const lost = "127.0.0.2"

const (
	interval  = 14 * 24 * time.Hour // maximum lag of lastLogonTimestamp behind the last logon
	threshold = 90 * 24 * time.Hour // the idle time that the Citrix rule requires
)

// TestLostController adds to the domain a controller that the settings do not name and that does not answer. The last
// logon of a person may be known to this controller alone. So only people who are idle by their replicated
// lastLogonTimestamp may lose Citrix.
func TestLostController(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 3000, Seed: 1, LicenseDelay: 50 * time.Millisecond, LostController: lost})
	p := s.plan(exitDone)
	var r runs.Results
	if err := json.Unmarshal(s.finish(p.Run).out, &r); err != nil {
		t.Fatal(err)
	}
	people := map[string]sandbox.Person{}
	for i := range s.company.Company.Size() {
		if one := s.company.Company.Person(i); one.Entra != nil {
			people[one.Entra.ID] = one
		} else {
			people[one.AD.SID] = one
		}
	}
	count := map[string]int{}
	for _, got := range r.Results {
		if got.License != "citrix" {
			continue
		}
		stamp, want, note := people[got.User].AD.LastLogonTimestamp, runs.Kept, "ldaps://"+lost
		kind := "late"
		switch {
		case stamp.IsZero():
			kind = "never"
		case stamp.Add(interval).Before(p.AsOf.Add(-threshold)):
			kind, want, note = "proven", runs.Done, ""
		}
		count[kind]++
		if got.Status != want || !strings.Contains(got.Note, note) {
			t.Errorf("last logon %v: %s, %q; want %s and a note with %q", stamp, got.Status, got.Note, want, note)
		}
	}
	for _, kind := range []string{"late", "never", "proven"} {
		if count[kind] == 0 {
			t.Errorf("nobody is %s, so this test shows little: %v", kind, count)
		}
	}
}

// TestLostControllerOneUser makes the checks of TestLostController in runs for a single user.
func TestLostControllerOneUser(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 600, Seed: 4, LostController: lost})
	asked := map[string]int{}
	for i := range s.company.Company.Size() {
		one := s.company.Company.Person(i)
		if one.Entra == nil || one.AD == nil || one.Kind != sandbox.Synced ||
			one.Entra.UserPrincipalName == "anna@contoso.example" || !slices.Contains(one.ADGroups, sandbox.CitrixGroup) || slices.Contains(one.Groups, "LIC-Exempt") || slices.Contains(one.Groups, "LIC-Exempt-Leave") {
			continue
		}
		stamp, kind := one.AD.LastLogonTimestamp, "proven"
		switch {
		case stamp.IsZero():
			kind = "never"
		case !stamp.Add(interval).Before(time.Now().Add(-threshold)):
			kind = "late"
		}
		if asked[kind]++; asked[kind] > 1 {
			continue
		}
		p := s.plan(exitDone, "--user", one.Entra.UserPrincipalName)
		taken, reason := slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.License == "citrix" }), ""
		for _, u := range p.Undecided {
			if u.License == "citrix" {
				reason = u.Reason
			}
		}
		if taken != (kind == "proven") || !taken && !strings.Contains(reason, "ldaps://"+lost) {
			t.Errorf("%s, last logon %v: changes %+v, undecided %q", kind, stamp, p.Changes, reason)
		}
	}
	if len(asked) != 3 {
		t.Errorf("not everything was asked: %v", asked)
	}
}
