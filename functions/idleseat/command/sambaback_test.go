package command

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

// TestSambaGivesBack uses a real Samba domain. A run takes Citrix from several people. One of them logs on, and the
// next run restores Citrix for this person. Then an operator restores everything that the first run took. No person may
// be added to the group twice.
func TestSambaGivesBack(t *testing.T) {
	const password = "B4ck!again-here"
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond})
	who := ""
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if who == "" && p.Kind == sandbox.Synced && p.Logon == sandbox.Idle && i > 20 && slices.Contains(p.ADGroups, sandbox.CitrixGroup) && !slices.Contains(p.Groups, "LIC-Exempt") {
			who = p.AD.SAMAccount
		}
	}
	d, synced := onPremises(t, s, samba.Options{}, func(p *samba.Person) {
		if p.SAMAccount == who {
			p.Password = password
		}
	})
	citrix := samba.DN("Citrix Users", samba.GroupsOU)
	text, err := os.ReadFile(s.path("policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("policy.yaml", replace(t, "then: remove", "then: {remove: true, onReturn: restore}")(string(text)))

	p := s.plan(exitDone)
	taken := slices.DeleteFunc(slices.Clone(p.Changes), func(c plan.Change) bool { return c.License != "citrix" })
	if len(taken) < 5 || !slices.ContainsFunc(taken, func(c plan.Change) bool { return c.SID == synced[who].SID }) {
		t.Fatalf("%d are to lose Citrix, %s among them?", len(taken), who)
	}
	s.done(p.Run)
	s.longAgo()
	if next := s.plan(exitDone); len(next.Changes) != 0 || len(next.Returned) != 0 {
		t.Errorf("nobody came back, but: %+v, %+v", next.Changes, next.Returned)
	}

	time.Sleep(1100 * time.Millisecond) // dates have a resolution of one second, and the logon must be later than the change
	logOn(t, d, who, password)
	back := s.plan(exitDone)
	if len(back.Changes) != 1 || back.Changes[0].SID != synced[who].SID || back.Changes[0].RestoreOf != p.Run || back.Changes[0].Via != plan.ADGroup {
		t.Fatalf("%s logged on, the plan has %+v; returned %+v", who, back.Changes, back.Returned)
	}
	if r := s.done(back.Run); r.Count(runs.Done) != 1 {
		t.Errorf("restored: %+v", r.Results)
	}
	if next := s.plan(exitDone); len(next.Changes) != 0 {
		t.Errorf("planned again: %+v", next.Changes)
	}

	s.restored("--run", p.Run)
	ad, err := activedirectory.New(activedirectory.Config{URLs: d.URLs, Base: d.Base, Bind: d.Admin, PasswordFile: d.PasswordFile, CAFile: d.CAFile}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range taken {
		if in, err := ad.MemberOf(t.Context(), c.SID, citrix, true); !in || err != nil {
			t.Errorf("%s is not back in the group: %v", c.UserPrincipalName, err)
		}
	}
	changes, err := d.GroupChanges()
	if err != nil {
		t.Fatal(err)
	}
	added := map[string]int{}
	for _, c := range changes {
		if strings.EqualFold(c.Group, citrix) {
			added[c.Member] += map[bool]int{true: 1, false: -1}[c.Added]
		}
	}
	for member, n := range added {
		if n != 0 && n != 1 { // the difference is 1 if the log also has the addition that first made the person a member
			t.Errorf("%s was added %d times more often than removed", member, n)
		}
	}
}

// logOn binds as the account. Active Directory records the bind as a logon.
func logOn(t *testing.T, d *samba.Domain, account, password string) {
	t.Helper()
	conn, err := d.Dial(d.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(synthetic(d, account), password); err != nil {
		t.Fatalf("log on as %s: %v", account, err)
	}
}

// The function "synthetic" returns the name DOMAIN\account, with which the account can bind.
func synthetic(d *samba.Domain, account string) string {
	domain, _, _ := strings.Cut(strings.TrimPrefix(d.Base, "DC="), ",")
	return strings.ToUpper(domain) + `\` + account
}
