package sandbox

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	ingrid = 2  // synced, idle, E3 by group, in the Citrix group
	nora   = 4  // synced, new
	clara  = 9  // cloud only, E3 both direct and by group
	mia    = 12 // synced, E3 direct, in the Citrix group
	pat    = 15 // synced, E3 by a dynamic group
	cora   = 19 // synced, contractor, in the Citrix group and in its nested group
)

// TestFacts changes one fact about a person in each case and lists all effects in both directories.
func TestFacts(t *testing.T) {
	t.Parallel()
	at := testStart.Add(-time.Hour)
	stamp := at.Format(time.RFC3339)
	tests := map[string]struct {
		person int
		before func(*Company) // nil: no preparation
		do     func(*Company)
		want   []string
		events []string
	}{
		"signs in with a password": {nora, nil, func(c *Company) { c.SignInAs(nora, SignIn{At: at, How: Interactive}) }, []string{
			"entra lastSignInDateTime: now " + stamp, "entra lastSuccessfulSignInDateTime: now " + stamp}, nil},
		"an app signs in": {nora, nil, func(c *Company) { c.SignInAs(nora, SignIn{At: at, How: NonInteractive}) }, []string{
			"entra lastNonInteractiveSignInDateTime: now " + stamp, "entra lastSuccessfulSignInDateTime: now " + stamp}, nil},
		"both sign in": {nora, nil, func(c *Company) { c.SignInAs(nora, SignIn{At: at, How: Interactive | NonInteractive}) }, []string{
			"entra lastNonInteractiveSignInDateTime: now " + stamp, "entra lastSignInDateTime: now " + stamp, "entra lastSuccessfulSignInDateTime: now " + stamp}, nil},
		"fails to sign in": {nora, nil, func(c *Company) { c.SignInAs(nora, SignIn{At: at, How: Interactive, Failed: true}) }, []string{
			"entra lastSignInDateTime: now " + stamp}, nil},
		"signed in before": {nora, func(c *Company) { c.SignInAt(nora, at) }, func(c *Company) { c.SignInAt(nora, at.Add(-day)) }, nil, nil},
		"dates lost": {nora, func(c *Company) { c.SignInAt(nora, at) }, func(c *Company) { c.ShowSignIns(nora, &SignInDates{}) }, []string{
			"entra lastSignInDateTime: gone", "entra lastSuccessfulSignInDateTime: gone"}, nil},
		"dates lost and back": {nora, func(c *Company) { c.SignInAt(nora, at) }, func(c *Company) {
			c.ShowSignIns(nora, &SignInDates{})
			c.ShowSignIns(nora, nil)
		}, nil, nil},
		"a date goes back": {nora, func(c *Company) { c.SignInAt(nora, at) }, func(c *Company) {
			c.ShowSignIns(nora, &SignInDates{Interactive: at.Add(-time.Hour), Successful: at})
		}, []string{"entra lastSignInDateTime: " + stamp + " -> " + at.Add(-time.Hour).Format(time.RFC3339)}, nil},

		"into the bin and back": {ingrid, nil, func(c *Company) {
			c.SetInBin(ingrid, true)
			c.SetInBin(ingrid, false)
		}, nil, []string{"user deleted by hand", "license lost SPE_E3 mailbox by hand", "user restored by hand", "license gained SPE_E3 by hand"}},
		"out of Active Directory and back": {ingrid, nil, func(c *Company) {
			c.SetInADBin(ingrid, true)
			c.SetInADBin(ingrid, false)
		}, nil, nil},
		"made again in Entra ID": {ingrid, nil, func(c *Company) { c.ReplaceInEntra(ingrid) }, []string{"entra lastNonInteractiveSignInDateTime: gone", "entra lastSignInDateTime: gone", "entra lastSuccessfulSignInDateTime: gone",
			"entra createdDateTime: another", "entra id: another",
			"entra onPremisesImmutableId: gone", "entra onPremisesSamAccountName: gone", "entra onPremisesSecurityIdentifier: gone", "entra onPremisesSyncEnabled: gone",
			"in LIC-M365-E3: gone", "path SPE_E3 LIC-M365-E3: gone", "seats SPE_E3: fewer", "holds E3: gone"},
			[]string{"user deleted by hand", "license lost SPE_E3 mailbox by hand", "user made by hand"}},
		"made again in Active Directory": {ingrid, nil, func(c *Company) { c.Replace(ingrid) }, []string{"ad lastLogon: another", "ad lastLogonTimestamp: gone",
			"ad objectGUID: another", "ad objectSid: another",
			"ad memberOf: gone", "ad whenCreated: another", "holds Citrix: gone"},
			[]string{"member removed Citrix Users by hand"}},
		"made again in both": {ingrid, nil, func(c *Company) { c.ReplaceInBoth(ingrid) }, []string{"entra lastNonInteractiveSignInDateTime: gone", "entra lastSignInDateTime: gone", "entra lastSuccessfulSignInDateTime: gone",
			"ad lastLogon: another", "ad lastLogonTimestamp: gone", "ad objectGUID: another", "ad objectSid: another",
			"ad memberOf: gone", "ad whenCreated: another", "entra createdDateTime: another", "entra id: another",
			"entra onPremisesImmutableId: another", "entra onPremisesSecurityIdentifier: another",
			"in LIC-M365-E3: gone", "path SPE_E3 LIC-M365-E3: gone", "seats SPE_E3: fewer", "holds E3: gone", "holds Citrix: gone"},
			[]string{"member removed Citrix Users by hand", "user deleted by hand", "license lost SPE_E3 mailbox by hand", "user made by hand"}},

		"becomes a guest":    {clara, nil, func(c *Company) { c.MakeGuest(clara) }, []string{"entra externalUserState: now Accepted", "entra userType: Member -> Guest"}, nil},
		"becomes cloud-only": {mia, nil, func(c *Company) { c.MakeCloudOnly(mia, false) }, []string{"entra onPremisesSyncEnabled: true -> false"}, nil},
		"becomes cloud-only, cleared": {mia, nil, func(c *Company) { c.MakeCloudOnly(mia, true) }, []string{"entra onPremisesImmutableId: gone",
			"entra onPremisesSamAccountName: gone", "entra onPremisesSecurityIdentifier: gone", "entra onPremisesSyncEnabled: true -> false"}, nil},
		"never was synced": {clara, nil, func(c *Company) { c.MakeCloudOnly(clara, false) }, nil, nil},
		"another department": {ingrid, nil, func(c *Company) { c.SetDepartment(ingrid, "Catering") }, []string{`ad department: ["Engineering"] -> ["Catering"]`,
			"entra department: Engineering -> Catering"}, nil},
		"into the department of a dynamic group": {clara, nil, func(c *Company) { c.SetDepartment(clara, research) }, []string{"entra department: Engineering -> Research",
			"in LIC-E3-Research: now yes", "path SPE_E3 LIC-E3-Research: now Active <nil>",
			"holds E3: directly, LIC-M365-E3 -> directly, LIC-M365-E3, LIC-E3-Research"}, []string{"member added LIC-E3-Research by hand"}},
		"out of the department of a dynamic group": {pat, nil, func(c *Company) { c.SetDepartment(pat, "Sales") }, []string{`ad department: ["Research"] -> ["Sales"]`,
			"entra department: Research -> Sales", "in LIC-E3-Research: gone", "path SPE_E3 LIC-E3-Research: gone", "seats SPE_E3: fewer",
			"holds E3: gone"},
			[]string{"member removed LIC-E3-Research by hand", "license lost SPE_E3 mailbox by hand"}},
		"another employee type": {ingrid, nil, func(c *Company) { c.SetEmployeeType(ingrid, "Contractor") }, []string{`ad employeeType: ["Employee"] -> ["Contractor"]`,
			"entra employeeType: Employee -> Contractor"}, nil},
		"no employee type":       {clara, nil, func(c *Company) { c.SetEmployeeType(clara, "") }, []string{"entra employeeType: gone"}, nil},
		"another usage location": {clara, nil, func(c *Company) { c.SetUsageLocation(clara, "SE") }, []string{"entra usageLocation: NO -> SE"}, nil},
		"no usage location":      {clara, nil, func(c *Company) { c.SetUsageLocation(clara, "") }, []string{"entra usageLocation: gone"}, nil},
		"blocked": {ingrid, nil, func(c *Company) { c.SetEnabled(ingrid, false) }, []string{`ad userAccountControl: ["512"] -> ["514"]`,
			"entra accountEnabled: true -> false"}, nil},
		"renamed":      {clara, nil, func(c *Company) { c.SetDisplayName(clara, "C. Cloud") }, []string{"entra displayName: Clara Cloud -> C. Cloud"}, nil},
		"another name": {clara, nil, func(c *Company) { c.SetUPN(clara, "c@contoso.example") }, []string{"entra userPrincipalName: clara.cloud.9@contoso.example -> c@contoso.example"}, nil},

		"assigned twice": {ingrid, nil, func(c *Company) { c.AssignDirectly(ingrid, "SPE_E3") }, []string{"path SPE_E3 : now Active <nil>",
			"holds E3: LIC-M365-E3 -> LIC-M365-E3, directly"}, nil},
		"one of two removed": {clara, nil, func(c *Company) { c.RemoveDirectly(clara, "SPE_E3") }, []string{"path SPE_E3 : gone",
			"holds E3: directly, LIC-M365-E3 -> LIC-M365-E3"}, nil},
		"removed": {mia, nil, func(c *Company) { c.RemoveDirectly(mia, "SPE_E3") }, []string{"path SPE_E3 : gone", "seats SPE_E3: fewer",
			"holds E3: gone"}, []string{"license lost SPE_E3 mailbox by hand"}},
		"primary group": {cora, nil, func(c *Company) { c.SetPrimaryGroup(cora, CitrixGroup) }, []string{
			`ad memberOf: ["CN=Citrix Users,OU=Licenses,DC=corp,DC=example,DC=test" "CN=Citrix Contractors,OU=Licenses,DC=corp,DC=example,DC=test"] -> ["CN=Citrix Contractors,OU=Licenses,DC=corp,DC=example,DC=test"]`,
			`ad primaryGroupID: ["513"] -> ["1101"]`,
			"holds Citrix: Citrix Users, Citrix Contractors -> Citrix Users (primary), Citrix Contractors"},
			[]string{"member removed Citrix Users by hand"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newViewer(t, Options{Users: 60})
			if tc.before != nil {
				tc.before(v.s.Company)
			}
			before := v.of(tc.person)
			tc.do(v.s.Company)
			after := v.of(tc.person)
			if diff := cmp.Diff(slices.Sorted(slices.Values(tc.want)), changes(before, after)); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.events, told(v.s.Company.History())); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}
