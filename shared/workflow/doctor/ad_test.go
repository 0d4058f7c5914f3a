package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

// The type "forest" is an Active Directory with at most one fault.
type forest struct {
	controllers []activedirectory.Reached
	unlisted    error
	people      []directory.ADUser
	listErr     error
	personErr   error
	groupErr    error
	memberErr   error
	nobody      bool // no group has members
	may         bool
	mayErr      error
}

func (f *forest) Controllers(context.Context) ([]activedirectory.Reached, error) {
	return f.controllers, f.unlisted
}

func (f *forest) ListFull(_ context.Context, _ []string, each func(directory.ADUser) error) (*directory.Watermark, error) {
	for _, u := range f.people {
		if err := each(u); err != nil {
			return nil, err
		}
	}
	return nil, f.listErr
}

func (f *forest) ReadPerson(context.Context, string) (directory.ADUser, error) {
	return directory.ADUser{}, f.personErr
}

func (f *forest) FindPerson(context.Context, string) (directory.ADUser, error) {
	return directory.ADUser{}, directory.ErrNoPerson
}

func (f *forest) FindGroup(context.Context, string) (directory.Group, error) {
	return directory.Group{}, f.groupErr
}

func (f *forest) ListMembers(_ context.Context, _ string, _ bool, each func(string) error) error {
	if f.memberErr != nil || f.nobody {
		return f.memberErr
	}
	return each("S-1-5-21-1")
}

func (f *forest) CanWrite(context.Context, string) (bool, error) { return f.may, f.mayErr }

func healthyForest() *forest {
	return &forest{
		controllers: []activedirectory.Reached{{URL: "ldaps://dc1.corp.example", Clock: noon}, {URL: "ldaps://dc2.corp.example", Clock: noon}},
		people:      []directory.ADUser{{SID: "S-1-5-21-1", DN: "CN=Anna,OU=Oslo,DC=corp,DC=example", LastLogonTimestamp: noon.Add(-24 * time.Hour)}},
		may:         true,
	}
}

type stopped time.Time

func (s stopped) Now() time.Time { return time.Time(s) }

func (stopped) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func TestEachIllOfActiveDirectory(t *testing.T) {
	t.Parallel()
	p := demoPolicy(t)
	lost := errors.New("the connection broke")
	dc1 := func(err error) func(*forest) {
		return func(f *forest) {
			f.controllers[0] = activedirectory.Reached{URL: "ldaps://dc1.corp.example:3636", Err: err}
		}
	}
	exemptGroup := func(_ context.Context, e *exam) ([]Finding, func()) {
		return one(e.adGroup(t.Context(), directory.GroupRef{Source: directory.AD, Name: "CN=Exempt,DC=corp,DC=example"}))
	}
	for _, tt := range []struct {
		name  string
		ill   func(*forest)
		run   func(context.Context, *exam) ([]Finding, func())
		state State
		means string
		bash  string
	}{
		{"a controller is lost", dc1(lost), checkControllers, Failed, "the connection broke", "</dev/tcp/dc1.corp.example/3636"},
		{"a certificate of an unknown CA", dc1(x509.UnknownAuthorityError{}), checkControllers, Failed, "unknown authority", "export IDLESEAT_AD_CA=corp-ca.pem"},
		{"a wrong password", dc1(&ldap.Error{ResultCode: ldap.LDAPResultInvalidCredentials, Err: errors.New("data 52e")}), checkControllers, Failed, "52e", "export IDLESEAT_AD_PASSWORD_FILE=ad-password"},
		{"a list that may lack controllers", func(f *forest) { f.unlisted = lost }, checkControllers, Failed, "may lack some", "idleseat doctor"},
		{"a clock that is behind", func(f *forest) { f.controllers[1].Clock = noon.Add(-time.Hour) }, checkControllers, Failed, "the clocks disagree", "timedatectl"},
		{"nobody is seen", func(f *forest) { f.people = nil }, checkADPeople, Failed, "sees nobody", "samba-tool ou list --full-dn\nexport IDLESEAT_AD_BASE=DC=corp,DC=example"},
		{"nobody is seen in the whole domain", func(f *forest) { f.people = nil }, func(ctx context.Context, e *exam) ([]Finding, func()) {
			e.Variable = func(string) (string, bool) { return "DC=corp,DC=example", true }
			return checkADPeople(ctx, e)
		}, Failed, "sees nobody", "samba-tool dsacl set --objectdn=DC=corp,DC=example --sddl"},
		{"people are refused", func(f *forest) { f.people, f.listErr = nil, lost }, checkADPeople, Failed, "the connection broke", "idleseat doctor"},
		{"a domain without lastLogonTimestamp", func(f *forest) { f.listErr = &directory.PartialLogonError{Err: lost} }, checkADPeople, Failed, "the connection broke", "delete: msDS-LogonTimeSyncInterval"},
		{"dates that have stalled", func(f *forest) { f.people[0].LastLogonTimestamp = noon.Add(-40 * 24 * time.Hour) }, checkADPeople, Failed, "stalled", "samba-tool drs showrepl"},
		{"dates that most people lack", func(f *forest) {
			for n := range 20 {
				f.people = append(f.people, directory.ADUser{SID: fmt.Sprintf("S-1-5-21-2-%d", n), DN: "CN=A,DC=corp,DC=example", Enabled: directory.Yes, Created: noon.Add(-90 * 24 * time.Hour)})
			}
		}, checkADPeople, Failed, "plan with --accept-feeds", "idleseat plan --accept-feeds"},
		{"a hidden attribute", func(f *forest) { f.people[0].Unreadable = []string{"employeeType"} }, checkADPeople, Failed, "may not read employeeType of 1 of 1", "samba-tool dsacl set"},
		{"a hidden last logon", func(f *forest) {
			f.personErr = &directory.PartialLogonError{Controllers: []string{"ldaps://dc1.corp.example"}, Err: errors.New("the account of idleseat may not read lastLogon")}
		}, checkLastLogon, Failed, "may not read lastLogon", "samba-tool dsacl set"},
		{"the last logon is not on every controller", func(f *forest) {
			f.personErr = &directory.PartialLogonError{Controllers: []string{"ldaps://dc2.corp.example"}, Err: lost}
		}, checkLastLogon, Failed, "the connection broke", "</dev/tcp/dc2.corp.example/636"},
		{"the last logon where lastLogonTimestamp is not kept", func(f *forest) {
			f.personErr = &directory.PartialLogonError{Err: errors.New("msDS-LogonTimeSyncInterval of the domain is 0")}
		}, checkLastLogon, Failed, "of the domain is 0", "delete: msDS-LogonTimeSyncInterval"},
		{"a certificate of another name", dc1(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"dc1.corp.example"}}, Host: "10.0.0.1"}), checkControllers, Failed, "10.0.0.1", "export IDLESEAT_AD_URLS=ldaps://dc1.corp.example"},
		{"a base that is not there", func(f *forest) {
			f.people, f.listErr = nil, &ldap.Error{ResultCode: ldap.LDAPResultNoSuchObject, Err: errors.New("gone")}
		}, checkADPeople, Failed, "gone", "export IDLESEAT_AD_BASE=DC=corp,DC=example"},
		{"no group", func(f *forest) { f.groupErr = directory.ErrNoGroup }, checkADGroups, Failed, "No group has this", "samba-tool group list"},
		{"a group that does not answer", func(f *forest) { f.groupErr = lost }, checkADGroups, Unknown, "the connection broke", "idleseat doctor"},
		{"hidden members", func(f *forest) { f.memberErr = directory.ErrNoGroup }, checkADGroups, Failed, "Who is in the group is unknown", "(A;;GR;;;$SID)"},
		{"members that do not answer", func(f *forest) { f.memberErr = lost }, checkADGroups, Unknown, "the connection broke", "idleseat doctor"},
		{"members that may not be changed", func(f *forest) { f.may = false }, checkADGroups, Warning, "may not change them", "(OA;;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;;$SID)"},
		{"an exempt group without members", func(f *forest) { f.nobody = true }, exemptGroup, Warning, "has no members", "EDITOR"},
		{"a right that is not told", func(f *forest) { f.mayErr = lost }, checkADGroups, Unknown, "Whether its members can be changed is unknown", "idleseat doctor"},
	} {
		e := &exam{Patient: patient(), now: noon, first: directory.ADUser{SID: "S-1-5-21-1", DN: "CN=Anna,DC=corp,DC=example"}}
		e.Clock, e.Policy, e.Bind = stopped(noon), p, `CORP\idleseat`
		e.Variable = func(name string) (string, bool) {
			return map[string]string{"IDLESEAT_AD_BASE": "OU=Oslo,DC=corp,DC=example"}[name], true
		}
		f := healthyForest()
		e.AD = f
		tt.ill(f)
		findings, _ := tt.run(t.Context(), e)
		hit := Finding{}
		for _, one := range findings {
			if one.State == tt.state && strings.Contains(one.Means, tt.means) {
				hit = one
			}
		}
		if hit.Mend == nil || !strings.Contains(hit.Mend.Bash, tt.bash) || hit.Mend.PowerShell == "" {
			t.Errorf("%s: %+v in %+v", tt.name, hit.Mend, findings)
			continue
		}
		if out, err := exec.Command("bash", "-n", "-c", hit.Mend.Bash).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", tt.name, err, out)
		}
		e.AD = healthyForest()
		if findings, _ = tt.run(t.Context(), e); Worst(findings) != OK {
			t.Errorf("%s: healthy: %+v", tt.name, findings)
		}
	}
}

// TestActiveDirectoryIsNotNeeded: without Active Directory, doctor warns if the policy needs it.
func TestActiveDirectoryIsNotNeeded(t *testing.T) {
	t.Parallel()
	e := &exam{Patient: patient(), now: noon}
	if f, _ := checkControllers(t.Context(), e); f[0].State != NotTried {
		t.Errorf("%+v", f)
	}
	e.Policy = demoPolicy(t)
	if f, _ := checkControllers(t.Context(), e); f[0].State != Warning {
		t.Errorf("%+v", f)
	}
}

// TestWhereReadingIsAllowed: an attribute of some people is hidden. The command in Mend gives the right to read the
// attribute of one person, of a unit or of the whole domain, depending on how many people are affected and where they
// are.
func TestWhereReadingIsAllowed(t *testing.T) {
	t.Parallel()
	const domain, oslo, anna = "DC=corp,DC=example", "OU=Oslo,DC=corp,DC=example", `CN=Berg\, Anna,OU=Oslo,DC=corp,DC=example`
	for _, tt := range []struct {
		name   string
		hidden []string
		people map[string]int // by unit
		want   string
	}{
		{"one of many in the unit", []string{anna}, map[string]int{oslo: 9}, anna},
		{"half of the unit", []string{anna}, map[string]int{oslo: 2}, anna},
		{"most of the unit", []string{anna, "CN=Bo," + oslo}, map[string]int{oslo: 3, "CN=Users," + domain: 4}, oslo},
		{"two units", []string{anna, "CN=Administrator,CN=Users," + domain}, map[string]int{oslo: 3, "CN=Users," + domain: 4}, domain},
	} {
		e := &exam{Patient: patient()}
		e.Bind = `CORP\idleseat`
		if m := e.showHidden(tt.hidden, tt.people); !strings.Contains(m.Bash, "--objectdn="+word(tt.want)+" ") || !strings.Contains(m.PowerShell, "dsacls "+literal(tt.want)+" ") {
			t.Errorf("%s: %+v, want it on %s", tt.name, m, tt.want)
		}
	}
}

// TestAccountIsFound: the account name may differ from the name in a DN or in a user principal name, so the command
// searches by the DN or by the user principal name.
func TestAccountIsFound(t *testing.T) {
	t.Parallel()
	for bind, want := range map[string]string{
		`CORP\idleseat`:                     "samba-tool user show idleseat --attributes=objectSid",
		"reader@corp.example":               "ldbsearch -H /var/lib/samba/private/sam.ldb '(|(userPrincipalName=reader@corp.example)(sAMAccountName=reader))' objectSid",
		"CN=Reader,OU=A,DC=corp,DC=example": "ldbsearch -H /var/lib/samba/private/sam.ldb -b CN=Reader,OU=A,DC=corp,DC=example -s base objectSid",
	} {
		e := &exam{Patient: patient()}
		e.Bind = bind
		if got := e.findSID(); got != want {
			t.Errorf("%s: %s, want %s", bind, got, want)
		}
	}
}

// TestDomainOfHostileNames: the domain of a DN is found even if a name in the DN contains letters that are longer in
// upper case, escaped commas, or the text DC=.
func TestDomainOfHostileNames(t *testing.T) {
	t.Parallel()
	const domain = "DC=corp,DC=example"
	e := &exam{Patient: patient()}
	e.Variable = func(string) (string, bool) { return "OU=Oslo,dc=corp,dc=example;OU=Bergen,dc=corp,dc=example", true }
	for dn, want := range map[string]string{
		"CN=Iıſ ŉ ΐ,OU=A," + domain: domain, `CN=a\,DC=evil,OU=A,` + domain: domain, "CN=ADC=x,OU=A," + domain: domain,
		domain: domain, "": "dc=corp,dc=example", "no name": "DC=corp,DC=example",
	} {
		if got := e.domain(dn); got != want {
			t.Errorf("%s: %s, want %s", dn, got, want)
		}
	}
}
