package command

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
)

var updateMistakes = flag.Bool("update-mistakes", false, "write testdata/mistakes.txt")

// The type "mistake" is an error that an operator makes in the policy, in the environment or on the command line.
type mistake struct {
	name     string
	old, new string   // the edit of the policy
	env      []string // name=value, or a name without a value to unset the variable
	args     []string // the command; if empty, "plan" or "policy check", depending on the field "plan"
	plan     bool
}

const (
	idleWhen = "AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()"
	idleFor  = `for: accountEnabled && systemRole == "Employee"`
)

var mistakes = []mistake{
	{name: "a misspelt key", old: "currency:", new: "curency:"},
	{name: "a misspelt key of a rule", old: "    when: " + idleWhen, new: "    wen: " + idleWhen},
	{name: "a key of a rule in a license", old: "sku: SPE_E3,", new: "sku: SPE_E3, name: E3,"},
	{name: "a key twice", old: "mode: ", new: "currency: EUR\nmode: "},
	{name: "a misspelt attribute", old: "AzureAdSistaLogon.hasNoValue()", new: "AzureAdSistaLogin.hasNoValue()"},
	{name: "an attribute that nobody knows", old: idleFor, new: "for: isManager"},
	{name: "a misspelt field", old: "entra.lastActivity", new: "entra.lastActivty"},
	{name: "a field without its source", old: "entra.employeeType", new: "employeeType"},
	{name: "a number in quotes", old: "perRun: 200", new: `perRun: "200"`},
	{name: "a number in words", old: "perRun: 200", new: "perRun: many"},
	{name: "a percent sign", old: "percent: 10", new: "percent: 10%"},
	{name: "a wrong mode", old: "mode: ", new: "mode: Enforced # "},
	{name: "no days", old: "days(60)", new: "days(0)"},
	{name: "days in quotes", old: "days(60)", new: `days("60")`},
	{name: "days without the function", old: "now - days(60)", new: "now - 60"},
	{name: "days as in speech", old: "now - days(60)", new: "60 days"},
	{name: "a date compared with a text", old: idleWhen, new: `AzureAdSistaLogon < "2026-01-01"`},
	{name: "a date compared by signs", old: idleWhen, new: "AzureAdSistaLogon < now - days(60)"},
	{name: "an instant without its function", old: idleWhen, new: `AzureAdSistaLogon.earlierThan("2026-01-01")`},
	{name: "an instant without an hour", old: idleWhen, new: `AzureAdSistaLogon.earlierThan(timestamp("2026-01-01"))`},
	{name: "null", old: "AzureAdSistaLogon.hasNoValue()", new: "AzureAdSistaLogon == null"},
	{name: "a misspelt function", old: "AzureAdSistaLogon.hasNoValue()", new: "AzureAdSistaLogon.hasNoValues()"},
	{name: "a function without parentheses", old: "AzureAdSistaLogon.hasNoValue()", new: "AzureAdSistaLogon.hasNoValue"},
	{name: "a number compared with a text", old: idleFor, new: "for: employeeId == 815"},
	{name: "a flag compared with a text", old: idleFor, new: `for: accountEnabled == "true"`},
	{name: "a text as a condition", old: idleFor, new: "for: systemRole"},
	{name: "and", old: "accountEnabled && ", new: "accountEnabled and "},
	{name: "one equals sign", old: idleFor, new: `for: accountEnabled && systemRole = "Employee"`},
	{name: "a text without quotes", old: idleFor, new: "for: systemRole == Employee"},
	{name: "a quote that does not end", old: idleFor, new: `for: accountEnabled && systemRole == "Employee`},
	{name: "a parenthesis that does not end", old: idleFor, new: `for: accountEnabled && (systemRole == "Employee"`},
	{name: "a negation without quotes", old: idleFor, new: "for: !accountEnabled"},
	{name: "a pattern of the shell", old: idleFor, new: `for: jobTitle.matches("*Intern*")`},
	{name: "a tab", old: "    license: m365-e3 ", new: "\tlicense: m365-e3 "},
	{name: "a wrong indentation", old: "    license: m365-e3 ", new: "   license: m365-e3 "},
	{name: "a colon that is missing", old: "    license: m365-e3 ", new: "    license m365-e3 "},
	{name: "an unknown license", old: "    license: m365-e3 ", new: "    license: m365-e5 "},
	{name: "a rule name twice", old: "name: citrix-idle-90", new: "name: m365-idle-60"},
	{name: "an unknown outcome", old: "then: remove", new: "then: delete"},
	{name: "a change to itself", old: "changeTo: exchange-online", new: "changeTo: m365-e3"},
	{name: "a group without its directory", old: "group: {entra: LIC-M365-E3}", new: "group: LIC-M365-E3"},
	{name: "a distinguished name without quotes", old: `{ad: "CN=Citrix Users,OU=Licenses,DC=corp,DC=example,DC=test"}`, new: "{ad: CN=Citrix Users,OU=Licenses,DC=corp,DC=example,DC=test}"},
	{name: "a pattern of people", old: "breakglass@contoso.example", new: `"*@contoso.example"`},
	{name: "a leave without a date", old: "until: 2027-03-01", new: "until: next spring"},
	{name: "a date of another country", old: "until: 2027-03-01", new: "until: 01/03/2027"},
	{name: "a tenant by its domain", old: "tenant: 11111111-2222-3333-4444-555555555555", new: "tenant: contoso.onmicrosoft.com"},
	{name: "another tenant", old: "tenant: 11111111-", new: "tenant: 22222222-", plan: true},
	{name: "a product that the tenant does not have", old: "SPE_E3", new: "SPE_E9", plan: true},
	{name: "a group that does not exist", old: "LIC-EXO-P1", new: "LIC-EXO-P2", plan: true},
	{name: "no policy", env: []string{"IDLESEAT_POLICY"}, args: []string{"plan"}},
	{name: "a policy that is not there", args: []string{"plan", "--policy", "polcy.yaml"}},
	{name: "a folder as a policy", args: []string{"policy", "check", "store"}},

	{name: "an unknown command", args: []string{"plam"}},
	{name: "no command", args: []string{}},
	{name: "a misspelt flag", args: []string{"plan", "--asof", "2026-01-01"}},
	{name: "a flag of another command", args: []string{"plan", "--yes"}},
	{name: "a flag before its command", args: []string{"--yes", "apply"}},
	{name: "a flag without a value", args: []string{"plan", "--user"}},
	{name: "a date in words", args: []string{"plan", "--as-of", "yesterday"}},
	{name: "a date in the future", args: []string{"plan", "--as-of", "2099-01-01"}},
	{name: "an unknown format", args: []string{"plan", "--format", "xml"}},
	{name: "a run that is not there", args: []string{"apply", "20260101T000000Z-00000000"}},
	{name: "a run that is no run", args: []string{"apply", "yesterday"}},
	{name: "no run", args: []string{"apply"}},
	{name: "two that exclude each other", args: []string{"plan", "--user", "anna@contoso.example", "--run", "20260101T000000Z-00000000"}},
	{name: "a store of another kind", args: []string{"plan", "--store", "https://bucket.s3.amazonaws.com"}},
	{name: "a store that is a file", args: []string{"plan", "--store", "policy.yaml"}},
	{name: "an unknown user", args: []string{"reevaluate", "nobody@contoso.example"}},
	{name: "a user before the first run", args: []string{"explain", "anna@contoso.example"}},

	{name: "a misspelt variable", env: []string{"IDLESEAT_SOTRE=elsewhere"}, args: []string{"plan"}},
	{name: "a Graph of somebody else", env: []string{"IDLESEAT_GRAPH_URL=https://graph.example.com/v1.0"}, args: []string{"plan"}},
	{name: "an unknown way to sign in", env: []string{"IDLESEAT_ENTRA_AUTH=secret"}, args: []string{"plan"}},
	{name: "no account for Active Directory", env: []string{"IDLESEAT_AD_BIND"}, args: []string{"plan"}},
	{name: "no password file", env: []string{"IDLESEAT_AD_PASSWORD_FILE=/nowhere"}, args: []string{"plan"}},
	{name: "a controller without a scheme", env: []string{"IDLESEAT_AD_URLS=dc1.corp.example"}, args: []string{"plan"}},
	{name: "a certificate that is none", env: []string{"IDLESEAT_AD_CA=policy.yaml"}, args: []string{"plan"}},
	{name: "a time limit without a unit", env: []string{"IDLESEAT_AD_TIMEOUT=30"}, args: []string{"plan"}},
	{name: "nobody is signed in", env: []string{"IDLESEAT_GRAPH_URL=https://graph.microsoft.com/v1.0", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", onlyEnvironment}, args: []string{"plan"}},
	{name: "nobody is signed in, in full", env: []string{"IDLESEAT_GRAPH_URL=https://graph.microsoft.com/v1.0", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", onlyEnvironment}, args: []string{"plan", "--verbose"}},
}

// onlyEnvironment makes azidentity look for credentials only in the environment. Otherwise azidentity would also ask
// the network for a managed identity of this machine.
const onlyEnvironment = "AZURE_TOKEN_CREDENTIALS=EnvironmentCredential"

// The expression "changing" matches text that differs from test run to test run.
var changing = regexp.MustCompile(`127\.0\.0\.1:\d+|\b2\d{7}T\d{6}Z-[0-9a-f]{8}\b`)

// TestMistakes compares the messages about mistakes with testdata/mistakes.txt. -update-mistakes writes the file.
func TestMistakes(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 20})
	s.apart = true // the paths are relative to the folder of the shell
	env := s.env
	shipped, err := os.ReadFile(infra)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.path("store"), 0o700); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, m := range mistakes {
		text := string(shipped)
		if m.plan {
			text = string(s.company.Policy())
		}
		if !strings.Contains(text, m.old) {
			t.Errorf("the policy does not contain %q", m.old)
		}
		s.write("policy.yaml", strings.Replace(text, m.old, m.new, 1))
		s.env = environment(env, m.env)
		args := m.args
		switch {
		case args == nil && m.plan:
			args = []string{"plan"}
		case args == nil:
			args = []string{"policy", "check", "policy.yaml"}
		}
		a := s.run(args...)
		fmt.Fprintf(&b, "## %s\n", m.name)
		if m.new != "" {
			fmt.Fprintf(&b, "%q in place of %q\n", m.new, m.old)
		}
		if len(m.env) > 0 {
			fmt.Fprintf(&b, "environment: %s\n", strings.Join(m.env, " "))
		}
		fmt.Fprintf(&b, "$ idleseat %s\n%s", strings.Join(args, " "), changing.ReplaceAllString(strings.ReplaceAll(a.err, s.dir+"/", ""), "…"))
		if a.status != exitUsage {
			fmt.Fprintf(&b, "(status %d)\n", a.status)
		}
		fmt.Fprintln(&b)
	}
	golden := filepath.Join("testdata", "mistakes.txt")
	if *updateMistakes {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	s.unwritten()
}

// The function "environment" returns env with changes. A change without a value removes the variable.
func environment(env, changes []string) (list []string) {
	list = append(list, env...)
	for _, c := range changes {
		name, _, set := strings.Cut(c, "=")
		kept := list[:0:0]
		for _, v := range list {
			if !strings.HasPrefix(v, name+"=") {
				kept = append(kept, v)
			}
		}
		if list = kept; set {
			list = append(list, c)
		}
	}
	return list
}
