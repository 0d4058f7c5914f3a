package doctor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/entra"
)

type tenant struct {
	Entra
	grant    entra.Grant
	grantErr error
	groups   map[string]directory.Group
	people   map[string]error // by name; missing: nobody has the name
	members  error
}

func (t *tenant) Grant(context.Context) (entra.Grant, error) { return t.grant, t.grantErr }

func (t *tenant) FindGroup(_ context.Context, name string) (directory.Group, error) {
	if g, has := t.groups[name]; has {
		return g, nil
	}
	return directory.Group{}, fmt.Errorf("%w: %q", directory.ErrNoGroup, name)
}

func (t *tenant) FindID(_ context.Context, name string) (string, error) {
	if err, has := t.people[name]; has {
		return "", err
	}
	return "", directory.ErrNoPerson
}

func (t *tenant) ListMembers(context.Context, directory.Group, string, func([]directory.Member, string) error) error {
	return t.members
}

func demoPolicy(t *testing.T) *policy.Policy {
	t.Helper()
	s, err := sandbox.Start(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p, err := policy.Load("policy.yaml", s.Policy())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	set := map[string]string{"AZURE_TENANT_ID": "t"}
	e := &exam{Patient: patient()}
	e.Variable = func(name string) (string, bool) { v, has := set[name]; return v, has }
	if got := e.missing(); got != " Not set: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET." {
		t.Errorf("missing: %q", got)
	}
	set["AZURE_CLIENT_ID"], set["AZURE_CLIENT_SECRET"] = "a", "s"
	if got := e.missing(); got != "" {
		t.Errorf("missing: %q", got)
	}
	e.Entra = &tenant{grantErr: errors.New("the token shows no claims")}
	if f, learned := checkSignIn(t.Context(), e); f[0].State != Failed || learned != nil || !strings.Contains(f[0].Mend.Bash, "az ad app credential reset") {
		t.Errorf("%+v", f)
	}
	e.Entra = &tenant{grant: entra.Grant{Tenant: "t", Application: "a"}}
	f, learned := checkSignIn(t.Context(), e)
	if f[0].State != OK {
		t.Errorf("%+v", f)
	}
	if learned(); e.grant.Application != "a" {
		t.Errorf("%+v", e.grant)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	p := demoPolicy(t)
	whole := []string{"User.Read.All", "AuditLog.Read.All", "Group.Read.All", "Organization.Read.All", "GroupMember.ReadWrite.All", "LicenseAssignment.ReadWrite.All"}
	for name, tt := range map[string]struct {
		roles, scopes []string
		want          map[string]State
		bash          string
	}{
		"all":                {roles: whole, want: map[string]State{"reading": OK, "writing": OK}},
		"reading alone":      {roles: whole[:4], want: map[string]State{"reading": OK, "writing": Warning}, bash: "GroupMember.ReadWrite.All"},
		"no sign-in dates":   {roles: append([]string{"Directory.Read.All"}, whole[4:]...), want: map[string]State{"reading": Failed, "writing": OK}, bash: "AuditLog.Read.All"},
		"a person":           {scopes: []string{"User.Read"}, want: map[string]State{"reading": Warning, "writing": Warning}, bash: "User.Read.All"},
		"nothing":            {want: map[string]State{"reading": Failed, "writing": Warning}, bash: "admin-consent"},
		"a right to destroy": {roles: append([]string{never}, whole...), want: map[string]State{"reading": OK, "writing": OK, never: Warning}, bash: "az ad app permission delete"},
	} {
		e := &exam{Patient: patient(), grant: entra.Grant{Tenant: "t", Application: "app", Roles: tt.roles, Scopes: tt.scopes}}
		e.Policy = p
		findings, _ := checkPermissions(t.Context(), e)
		bash := ""
		for _, f := range findings {
			if f.State != tt.want[f.About] {
				t.Errorf("%s: %+v", name, f)
			}
			if f.Mend != nil {
				bash += f.Mend.Bash
			}
		}
		if len(findings) != len(tt.want) || !strings.Contains(bash, tt.bash) || (bash == "") != (tt.bash == "") {
			t.Errorf("%s: %+v, %s", name, findings, bash)
		}
	}
}

// TestGroupsInEachForm: if idleseat cannot change a license through a group, for example a dynamic one, the finding is
// a warning. The commands in the finding (Mend) fit the kind of the group.
func TestGroupsInEachForm(t *testing.T) {
	t.Parallel()
	const sku, id = "05e9a617-0261-4cee-bb44-138d3ef5d965", "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
	p := demoPolicy(t)
	for name, tt := range map[string]struct {
		alter func(*directory.Group)
		state State
		bash  string
	}{
		"good":            {func(*directory.Group) {}, OK, ""},
		"dynamic":         {func(g *directory.Group) { g.Dynamic = true }, Warning, `"groupTypes":[]`},
		"synced":          {func(g *directory.Group) { g.Synced = true }, Warning, "policy.yaml"},
		"restricted":      {func(g *directory.Group) { g.Restricted = true }, Warning, "administrativeUnit"},
		"role-assignable": {func(g *directory.Group) { g.RoleAssignable = true }, Warning, "az ad group create"},
		"mail-enabled":    {func(g *directory.Group) { g.MailEnabled = true }, Warning, "az ad group create"},
		"of two products": {func(g *directory.Group) { g.Grants = []string{sku, "x"} }, Warning, "az ad group create"},
		"of no product":   {func(g *directory.Group) { g.Grants = nil }, Warning, `"skuId":"` + sku + `"`},
	} {
		g := directory.Group{ID: id, Name: "LIC-M365-E3", Grants: []string{sku}}
		tt.alter(&g)
		e := &exam{Patient: patient(), skus: []directory.SKU{{ID: sku, PartNumber: "SPE_E3", Enabled: 5}}}
		e.Policy, e.PolicyFile, e.Entra = p, "policy.yaml", &tenant{groups: map[string]directory.Group{"LIC-M365-E3": g}}
		findings, _ := checkGroups(t.Context(), e)
		for _, f := range findings {
			if f.About != "LIC-M365-E3" {
				if f.State != Failed {
					t.Errorf("%s: a group that is not there: %+v", name, f)
				}
				continue
			}
			if f.State != tt.state || (f.Mend == nil) != (tt.bash == "") || f.Mend != nil && !strings.Contains(f.Mend.Bash, tt.bash) {
				t.Errorf("%s: %+v, %+v", name, f, f.Mend)
			}
		}
	}
}

// TestWhatDoesNotAnswerIsUnknown: if a directory does not answer, the state of the finding is Unknown. For example, a
// failed search for a name must not lead to the finding that nobody has the name.
func TestWhatDoesNotAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	lost := errors.New("the network failed")
	e := &exam{Patient: patient(), now: noon}
	e.Policy = demoPolicy(t)
	e.Entra = &tenant{people: map[string]error{"breakglass@contoso.example": lost, "anna@contoso.example": lost}, members: lost}
	findings, _ := checkNames(t.Context(), e)
	for _, f := range findings {
		if f.State != Unknown {
			t.Errorf("%+v", f)
		}
	}
	if len(findings) == 0 {
		t.Error("no finding about the names")
	}
	if f := e.hidden(t.Context(), &directory.Group{Hidden: true}); f.State != Unknown {
		t.Errorf("%+v", f)
	}
	e.Entra, e.ADErr = &tenant{}, lost // nobody in Entra ID has the name, and Active Directory cannot be asked
	findings, _ = checkNames(t.Context(), e)
	for _, f := range findings {
		if f.State != Unknown {
			t.Errorf("%+v", f)
		}
	}
}

// TestAboutAGroup: a finding names a group by its name, even if the policy has its object id.
func TestAboutAGroup(t *testing.T) {
	t.Parallel()
	for want, g := range map[string]directory.Group{
		"LIC":           {Ref: directory.GroupRef{Name: "LIC"}, Name: "lic"},
		"LIC (6000-1)":  {Ref: directory.GroupRef{Name: "6000-1"}, Name: "LIC"},
		"6000-1":        {Ref: directory.GroupRef{Name: "6000-1"}},
		"New (LIC-Old)": {Ref: directory.GroupRef{Name: "LIC-Old"}, Name: "New"},
	} {
		if got := about(&g); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestMails: the commands in a finding about mails (Mend) name the application that sends them and the mailbox from
// which it may send. A right to send from every mailbox is a warning.
func TestMails(t *testing.T) {
	t.Parallel()
	with := func(edit ...string) *policy.Policy {
		text := strings.NewReplacer(edit...).Replace("tenant: 11111111-2222-3333-4444-555555555555\nmode: audit\nlicenses:\n  e3: {sku: SPE_E3}\nnotices: {from: licenses@contoso.example}\n" +
			"rules:\n  - {name: r, license: e3, when: 'AzureAdSistaLogon.hasNoValue()', then: {remove: true, notice: 14, mailbox: lost}}\n")
		p, err := policy.Load("policy.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const app = "22222222-3333-4444-5555-666666666666"
	exists := map[string]error{"licenses@contoso.example": nil}
	for name, tc := range map[string]struct {
		policy *policy.Policy
		grant  entra.Grant
		people map[string]error
		state  State // state of the last finding
		means  string
		bash   []string
	}{
		"no mails":          {policy: with("notices: {from: licenses@contoso.example}\n", ""), state: NotTried, means: "no rule announces"},
		"no rule announces": {policy: with(", notice: 14", ""), state: NotTried, means: "no rule announces"},
		"no mailbox":        {policy: with(), state: Warning, means: "Nobody has the name licenses@contoso.example", bash: []string{"EDITOR"}},
		"unreadable":        {policy: with(), people: map[string]error{"licenses@contoso.example": entra.ErrForbidden}, state: Unknown, bash: []string{"User.Read.All"}},
		"no token":          {policy: with(), people: exists, state: NotTried, means: "uses no token"},
		"narrowed": {policy: with(), people: exists, grant: entra.Grant{Application: app, Roles: []string{"User.Read.All"}}, state: NotTried, means: "Graph does not show what Exchange Online allows application " + app, bash: []string{
			`export SERVICE_PRINCIPAL="$(az ad sp show --id ` + app, "New-ManagementScope", "PrimarySmtpAddress -eq ", "Test-ServicePrincipalAuthorization -Identity $env:SERVICE_PRINCIPAL -Resource "}},
		"every mailbox": {policy: with(), people: exists, grant: entra.Grant{Application: app, Roles: []string{"Mail.Send"}}, state: Warning, means: "may send from every mailbox of the company, and only licenses@contoso.example is needed", bash: []string{
			"New-ManagementRoleAssignment", "az ad app permission delete --id " + app, "Mail.Send"}},
	} {
		e := &exam{Patient: patient(), grant: tc.grant}
		e.Policy, e.PolicyFile, e.Entra = tc.policy, "policy.yaml", &tenant{people: tc.people}
		findings, _ := checkMails(t.Context(), e)
		f := findings[len(findings)-1]
		if f.State != tc.state || !strings.Contains(f.Means, tc.means) || (f.Mend == nil) != (tc.bash == nil) {
			t.Errorf("%s: %+v, advice %+v", name, f, f.Mend)
			continue
		}
		for _, part := range tc.bash {
			if !strings.Contains(f.Mend.Bash, part) {
				t.Errorf("%s: without %q: %s", name, part, f.Mend.Bash)
			}
		}
		if f.Mend == nil {
			continue
		}
		for _, line := range strings.Split(f.Mend.PowerShell, "\n") {
			if strings.ContainsRune(line, '\uFFFD') || line == "" {
				t.Errorf("%s: %q", name, f.Mend.PowerShell)
			}
		}
		if out, err := exec.Command("bash", "-n", "-c", f.Mend.Bash).CombinedOutput(); err != nil || strings.ContainsRune(f.Mend.Bash, '\uFFFD') {
			t.Errorf("%s: %v: %s\n%s", name, err, out, f.Mend.Bash)
		}
	}
}

// TestWhoseSignIn: with a deployment, doctor says that its checks are about the operator's sign-in. The functions of
// the deployment may have other rights.
func TestWhoseSignIn(t *testing.T) {
	t.Parallel()
	for stack, want := range map[string]string{
		"":      "Application mine is signed in to tenant t.",
		"seats": "Application mine is signed in to tenant t. All checks of Entra ID are about it. The functions of seats sign in as their own applications, whose rights nobody asked here; what their sources lack is in the plans (idleseat show latest).",
	} {
		e := &exam{Patient: patient()}
		e.Stack, e.Entra = stack, &tenant{grant: entra.Grant{Application: "mine", Tenant: "t"}}
		if f, _ := checkSignIn(t.Context(), e); len(f) != 1 || f[0].State != OK || f[0].Means != want {
			t.Errorf("%q: %+v", stack, f)
		}
	}
}
