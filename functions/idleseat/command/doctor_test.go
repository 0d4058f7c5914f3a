package command

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/channel"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/workflow/doctor"
)

var updateDoctor = flag.Bool("update-doctor", false, "write testdata/doctor.txt")

// The constant "grown" is the number of people in the companies of these tests. In a smaller company, nobody might have
// logged on recently, and the logon dates would look stale.
const grown = 200

func examine(s *shell, args ...string) (map[string]doctor.Finding, answer) {
	s.t.Helper()
	a := s.run(append([]string{"doctor", "--format", "json"}, args...)...)
	var got examined
	if err := json.Unmarshal(a.out, &got); err != nil {
		s.t.Fatalf("doctor: status %d: %v\n%s\n%s", a.status, err, a.out, a.err)
	}
	byTitle := map[string]doctor.Finding{}
	for _, f := range got.Findings {
		byTitle[title(f)] = f
	}
	if len(byTitle) != len(got.Findings) {
		s.t.Errorf("two findings have the same title: %d of %d", len(byTitle), len(got.Findings))
	}
	s.unwritten()
	return byTitle, a
}

// The type "ill" is a test case: a prerequisite that is not met.
type ill struct {
	name    string
	options sandbox.Options
	policy  []policyText
	spoil   func(s *shell)
	title   string // the title of the finding
	state   doctor.State
	means   string // a part of the text Means in the finding
	bash    string // a part of the advice for bash
	cure    func(s *shell, f doctor.Finding)
}

func pasted(s *shell, f doctor.Finding) {
	s.t.Helper()
	cmd := exec.Command("bash", "-c", f.Mend.Bash)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
}

func rewritten(edit ...policyText) func(*shell, doctor.Finding) {
	return func(s *shell, _ doctor.Finding) {
		text := string(s.company.Policy())
		for _, e := range edit {
			text = e(text)
		}
		s.write("policy.yaml", text)
	}
}

func answering(path string, status int, body string) func(*shell) {
	return func(s *shell) {
		s.company.Intercept(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != path {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				fmt.Fprint(w, body)
			})
		})
	}
}

func allowed(s *shell, _ doctor.Finding) { s.company.Intercept(nil) }

const denied = `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`

func ills(t *testing.T) []ill {
	group := func(x sandbox.GroupChange) func(*shell) {
		return func(s *shell) { s.company.Company.ChangeGroup("LIC-M365-E3", x) }
	}
	exempt := func(x sandbox.GroupChange) func(*shell) {
		return func(s *shell) { s.company.Company.ChangeGroup("LIC-Exempt", x) }
	}
	allExempt := func(s *shell, _ doctor.Finding) { exempt(sandbox.GroupChange{})(s) }
	cured := func(s *shell, _ doctor.Finding) { s.company.Company.ChangeGroup("LIC-M365-E3", sandbox.GroupChange{}) }
	quota := replace(t, "sku: EXCHANGESTANDARD,", "sku: EXCHANGESTANDARD, mailboxQuota: 50,")
	uses := replace(t, "    for: accountEnabled && systemRole == \"Employee\"", "    for: accountEnabled && m365Teams.hasNoValue()")
	attribute := replace(t, "systemRole: entra.employeeType", "systemRole: entra.employeeType\n  m365Teams: m365.teams")
	joined := func(s *shell, _ doctor.Finding) { s.joins() }
	return []ill{
		{name: "an address that is none", spoil: func(s *shell) {
			s.write("webhook", "hooks.slack.com/services/"+channel.Token)
			s.setenv("IDLESEAT_WEBHOOK_FILE", s.path("webhook"))
		}, title: "channel", state: doctor.Warning, means: "IDLESEAT_WEBHOOK_FILE: ", bash: "export IDLESEAT_WEBHOOK_FILE=idleseat.webhook", cure: joined},
		{name: "a channel that cannot be reached", spoil: func(s *shell) { s.joins().Close() }, title: "channel", state: doctor.Unknown, means: "Slack: it cannot be reached", bash: "idleseat doctor", cure: joined},
		{name: "no policy", spoil: func(s *shell) { s.setenv("IDLESEAT_POLICY", "") }, title: "policy", state: doctor.Failed, means: "No policy is named", bash: "idleseat init",
			cure: func(s *shell, _ doctor.Finding) { s.setenv("IDLESEAT_POLICY", s.path("policy.yaml")) }},
		{name: "a fault in the policy", policy: []policyText{replace(t, "currency:", "curency:")}, title: "policy", state: doctor.Failed, means: "curency", bash: "policy.yaml", cure: rewritten()},
		{name: "a leave that has ended", policy: []policyText{func(text string) string {
			return regexp.MustCompile(`until: \d{4}`).ReplaceAllString(text, "until: 2020")
		}},
			title: "policy: leave", state: doctor.Warning, means: "anna@contoso.example", cure: rewritten()},
		{name: "no Graph of Microsoft", spoil: func(s *shell) { s.setenv("IDLESEAT_GRAPH_URL", "https://graph.example") }, title: "sign-in", state: doctor.Failed, means: "IDLESEAT_GRAPH_URL",
			bash: "export IDLESEAT_GRAPH_URL=https://graph.microsoft.com/v1.0", cure: func(s *shell, _ doctor.Finding) { s.setenv("IDLESEAT_GRAPH_URL", s.company.GraphURL) }},
		{name: "nobody is signed in", spoil: func(s *shell) {
			s.env = slices.DeleteFunc(s.env, func(v string) bool { return strings.HasPrefix(v, "AZURE_") })
			s.env = append(s.env, onlyEnvironment, "IDLESEAT_GRAPH_URL=https://graph.microsoft.com/v1.0")
		}, title: "sign-in", state: doctor.Failed, means: "Not set: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET.", bash: "export AZURE_CLIENT_SECRET", cure: func(s *shell, _ doctor.Finding) { s.setenv("IDLESEAT_GRAPH_URL", s.company.GraphURL) }},
		{name: "another tenant", policy: []policyText{replace(t, sandbox.TenantID, "99999999-2222-3333-4444-555555555555")}, title: "Graph", state: doctor.Failed, means: "The policy is for tenant 99999999",
			bash: "AZURE_TENANT_ID", cure: rewritten()},
		{name: "no right to read the tenant", spoil: answering("/v1.0/organization", 403, denied), title: "Graph", state: doctor.Failed, means: "Organization.Read.All", bash: "az ad app permission add", cure: allowed},
		{name: "a clock that is an hour behind", spoil: func(s *shell) { s.setenv("IDLESEAT_TEST_AHEAD", "-1h") }, title: "clock: Microsoft Graph", state: doctor.Failed, means: "the clocks disagree", bash: "timedatectl",
			cure: func(s *shell, _ doctor.Finding) { s.setenv("IDLESEAT_TEST_AHEAD", "0s") }},
		{name: "no premium license", spoil: func(s *shell) {
			answering("/v1.0/users", 403, `{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"Neither tenant is B2C or tenant doesn't have premium license"}}`)(s)
			s.waits = hurried{}
		}, title: "sign-in dates: premium license", state: doctor.Failed, means: "P1 or P2", bash: "subscribedSkus", cure: allowed},
		{name: "no right to read people", spoil: answering("/v1.0/users", 403, denied), title: "sign-in dates: people of Entra ID", state: doctor.Failed, means: "AuditLog.Read.All", bash: "AuditLog.Read.All", cure: allowed},
		{name: "nobody has a sign-in date", spoil: func(s *shell) {
			for i := range s.company.Company.Size() {
				s.company.Company.ShowSignIns(i, &sandbox.SignInDates{})
			}
		}, title: "sign-in dates: entra", state: doctor.Failed, means: "none of", bash: "'$select=userPrincipalName,signInActivity'", cure: func(s *shell, _ doctor.Finding) {
			for i := range s.company.Company.Size() {
				s.company.Company.ShowSignIns(i, nil)
			}
		}},
		{name: "a product that the tenant lacks", policy: []policyText{replace(t, "SPE_E3", "SPE_E4")}, title: "products: m365-e3", state: doctor.Failed, means: "is it SPE_E3?", bash: "policy.yaml", cure: rewritten()},
		{name: "no free seat", spoil: func(s *shell) {
			_, consumed := s.company.Company.Seats("EXCHANGESTANDARD")
			s.company.Company.SetSeats("EXCHANGESTANDARD", consumed)
		}, title: "products: exchange-online", state: doctor.Warning, means: "nobody can be changed to it", bash: "prepaidUnits",
			cure: func(s *shell, _ doctor.Finding) { s.company.Company.SetSeats("EXCHANGESTANDARD", 1000) }},
		{name: "a group that is not there", spoil: group(sandbox.GroupChange{Name: "LIC-Renamed"}), title: "groups: LIC-M365-E3", state: doctor.Failed, means: "No group has this name", bash: "az ad group create", cure: cured},
		{name: "an exempt group that is not there", spoil: exempt(sandbox.GroupChange{Name: "LIC-Renamed"}), title: "groups: LIC-Exempt", state: doctor.Failed, means: "everybody who may be in it is undecided",
			bash: `az ad group list --filter "startswith(displayName,'LIC-')"`, cure: allExempt},
		{name: "an exempt group without members", spoil: exempt(sandbox.GroupChange{Emptied: true}), title: "groups: LIC-Exempt", state: doctor.Warning, means: "has no members", bash: "policy.yaml", cure: allExempt},
		{name: "a dynamic group", spoil: group(sandbox.GroupChange{Rule: `user.department -eq "Sales"`}), title: "groups: LIC-M365-E3", state: doctor.Warning, means: "is dynamic", bash: "membershipRuleProcessingState", cure: cured},
		{name: "a group that gives another product, too", spoil: group(sandbox.GroupChange{More: []string{"EXCHANGESTANDARD"}}), title: "groups: LIC-M365-E3", state: doctor.Warning, means: "grants 2 products", bash: "az ad group create", cure: cured},
		{name: "a group that hides its members", spoil: group(sandbox.GroupChange{Hidden: true}), title: "hidden membership: LIC-M365-E3", state: doctor.Failed, means: "unknown", bash: "Member.Read.Hidden",
			cure: func(s *shell, _ doctor.Finding) {
				s.company.Company.ChangeGroup("LIC-M365-E3", sandbox.GroupChange{Hidden: true, Unhidden: true})
			}},
		{name: "a name that nobody has", policy: []policyText{replace(t, "breakglass@", "breakglas@")}, title: "names: breakglas@contoso.example", state: doctor.Warning, means: "nobody has it", bash: "startswith(userPrincipalName,'brea')", cure: rewritten()},
		{name: "a mailbox that is not there", policy: []policyText{mailedNotices, replace(t, sandbox.NoticeMailbox, "nobody@contoso.example")}, title: "mails: mailbox", state: doctor.Warning, means: "Nobody has the name nobody@contoso.example", bash: "policy.yaml",
			cure: rewritten(mailedNotices, replace(t, sandbox.NoticeMailbox, "breakglass@contoso.example"))},
		{name: "concealed names of mailboxes", policy: []policyText{quota}, spoil: func(s *shell) { s.company.Company.ConcealNames() }, title: "mailbox report", state: doctor.Failed, means: "concealed", bash: "displayConcealedNames"},
		{name: "no right to read reports", policy: []policyText{quota}, spoil: answering("/v1.0/reports/getMailboxUsageDetail(period='D7')", 403, denied), title: "mailbox report", state: doctor.Failed, means: "Reports.Read.All",
			bash: "Reports.Read.All", cure: allowed},
		{name: "concealed names of the usage report", policy: []policyText{attribute, uses}, spoil: func(s *shell) { s.company.Company.SetReports(sandbox.Reports{Concealed: true}) }, title: "usage reports: m365", state: doctor.Failed,
			means: "conceals names", bash: "displayConcealedNames", cure: func(s *shell, _ doctor.Finding) { s.company.Company.SetReports(sandbox.Reports{}) }},
		{name: "a late usage report", policy: []policyText{attribute, uses}, spoil: func(s *shell) { s.company.Company.SetReports(sandbox.Reports{Late: 20 * day}) }, title: "usage reports: m365", state: doctor.Failed, means: "days old", bash: "healthOverviews",
			cure: func(s *shell, _ doctor.Finding) { s.company.Company.SetReports(sandbox.Reports{}) }},
		{name: "Active Directory is not set up", spoil: func(s *shell) {
			for _, name := range []string{"URLS", "BASE", "BIND", "PASSWORD_FILE", "CA"} {
				s.setenv("IDLESEAT_AD_"+name, "")
			}
		}, title: "controllers", state: doctor.Warning, means: "not set up here", bash: "IDLESEAT_AD_URLS", cure: func(s *shell, _ doctor.Finding) { s.env = append(s.env, s.company.Env()...) }},
		{name: "a password file that is not there", spoil: func(s *shell) { s.setenv("IDLESEAT_AD_PASSWORD_FILE", s.path("none")) }, title: "controllers", state: doctor.Failed, means: "IDLESEAT_AD_PASSWORD_FILE", bash: "umask 077",
			cure: func(s *shell, _ doctor.Finding) { s.setenv("IDLESEAT_AD_PASSWORD_FILE", s.company.PasswordFile) }},
		{name: "a controller that does not answer", options: sandbox.Options{LostController: "dc2.invalid"}, title: "controllers: ldaps://dc2.invalid", state: doctor.Failed, means: "dc2.invalid", bash: "</dev/tcp/dc2.invalid/636"},
		{name: "the last logon is not on every controller", options: sandbox.Options{LostController: "dc2.invalid"}, title: "last logon", state: doctor.Failed, means: "dc2.invalid", bash: "</dev/tcp/dc2.invalid/636"},
		{name: "a controller whose clock is ahead", spoil: func(s *shell) { s.company.Company.SetADClock(time.Hour) }, title: "clock: ldaps://", state: doctor.Failed, means: "the clocks disagree", bash: "timedatectl",
			cure: func(s *shell, _ doctor.Finding) { s.company.Company.SetADClock(0) }},
		{name: "an attribute that the account may not read", spoil: func(s *shell) {
			for i := range s.company.Company.Size() {
				if s.company.Company.Person(i).AD != nil {
					s.company.Company.Hide(i, "lastLogonTimestamp")
				}
			}
		}, title: "attributes: lastLogonTimestamp", state: doctor.Failed, means: "may not read lastLogonTimestamp", bash: "samba-tool dsacl set", cure: func(s *shell, _ doctor.Finding) {
			for i := range s.company.Company.Size() {
				s.company.Company.Hide(i)
			}
		}},
		{name: "a group of Active Directory that is not there", policy: []policyText{replace(t, "CN=Citrix Users", "CN=Citrix People")}, title: "groups of Active Directory: CN=Citrix People,OU=Licenses," + sandbox.BaseDN, state: doctor.Failed,
			means: "No group has this distinguished name", bash: "samba-tool group list", cure: rewritten()},
		{name: "a group of Active Directory whose members are hidden", spoil: func(s *shell) { s.company.Company.HideMembers(sandbox.CitrixGroup) }, title: "groups of Active Directory: " + sandbox.CitrixGroup, state: doctor.Failed,
			means: "Who is in the group is unknown", bash: "(A;;GR;;;$SID)"},
		{name: "a store into which everybody may write", spoil: func(s *shell) {
			s.want(exitDone, "doctor")
			if err := os.Chmod(s.path("store"), 0o777); err != nil {
				s.t.Fatal(err)
			}
		}, title: "store", state: doctor.Failed, means: "chmod", bash: "chmod -R u+rwX,go-w", cure: pasted},
		{name: "a store that is a file", spoil: func(s *shell) { s.write("store", "") }, title: "store", state: doctor.Failed, means: "is a file", bash: "export IDLESEAT_STORE=idleseat-store", cure: func(s *shell, _ doctor.Finding) {
			if err := os.Remove(s.path("store")); err != nil {
				s.t.Fatal(err)
			}
		}},
	}
}

// The type "hurried" is a clock that does not wait between retries.
type hurried struct{}

func (hurried) Now() time.Time { return time.Now() }

func (hurried) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// TestDoctorFindsEachIll: the command doctor finds each prerequisite that is not met. Its advice has correct syntax.
// After a cure, every check that is tried is ok.
func TestDoctorFindsEachIll(t *testing.T) {
	t.Parallel()
	list := ills(t)
	texts := make([]string, len(list))
	t.Run("each", func(t *testing.T) {
		for i, ill := range list {
			t.Run(ill.name, func(t *testing.T) {
				t.Parallel()
				ill.options.Users = grown
				s := newShell(t, ill.options, ill.policy...)
				if ill.spoil != nil {
					ill.spoil(s)
				}
				found, a := examine(s)
				f := titled(t, found, ill.title)
				if f.State != ill.state || !strings.Contains(f.Means, ill.means) {
					t.Fatalf("%+v, want %s and %q", f, ill.state, ill.means)
				}
				if f.Mend == nil || f.Mend.Do == "" || f.Mend.Bash == "" || f.Mend.PowerShell == "" || !strings.Contains(f.Mend.Bash, ill.bash) {
					t.Fatalf("advice %+v, want %q", f.Mend, ill.bash)
				}
				if want := map[doctor.State]int{doctor.Failed: exitFailed, doctor.Unknown: exitHeld}[ill.state]; a.status != want {
					t.Errorf("status %d, want %d: %s", a.status, want, a.err)
				}
				texts[i] = shown(s, ill.name, f)
				for _, f := range found {
					parses(t, f)
				}
				if ill.cure == nil {
					return
				}
				ill.cure(s, f)
				found, a = examine(s)
				for name, f := range found {
					if f.State != doctor.OK && f.State != doctor.NotTried {
						t.Errorf("after the cure, %s: %+v", name, f)
					}
				}
				if a.status != exitDone {
					t.Errorf("after the cure, status %d: %s", a.status, a.err)
				}
			})
		}
	})
	const file = "testdata/doctor.txt"
	got := strings.Join(texts, "\n")
	if *updateDoctor {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" && !t.Failed() {
		t.Errorf("texts of doctor (-update-doctor writes them):\n%s", diff)
	}
}

func titled(t *testing.T, found map[string]doctor.Finding, begin string) doctor.Finding {
	t.Helper()
	if f, exact := found[begin]; exact {
		return f
	}
	var titles []string
	for name, f := range found {
		if strings.HasPrefix(name, begin) {
			return f
		}
		titles = append(titles, name)
	}
	slices.Sort(titles)
	t.Fatalf("no finding %q in %q", begin, titles)
	return doctor.Finding{}
}

func parses(t *testing.T, f doctor.Finding) {
	t.Helper()
	if f.Mend == nil {
		return
	}
	if out, err := exec.Command("bash", "-n", "-c", f.Mend.Bash).CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s\n%s", title(f), err, out, f.Mend.Bash)
	}
	if program, err := exec.LookPath("pwsh"); err == nil {
		const parse = `$e = $null; [void][System.Management.Automation.Language.Parser]::ParseInput($env:TEXT, [ref]$null, [ref]$e); if ($e) { $e | Out-String; exit 1 }`
		cmd := exec.Command(program, "-NoProfile", "-Command", parse)
		cmd.Env = append(os.Environ(), "TEXT="+f.Mend.PowerShell)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s\n%s", title(f), err, out, f.Mend.PowerShell)
		}
	}
}

var varying = regexp.MustCompile(`dial tcp: lookup .*|127\.0\.0\.1:\d+|localhost:\d+|\d{4}-\d\d-\d\d(?:T[0-9:]+Z)?|request-id [0-9a-f-]+`)

func shown(s *shell, name string, f doctor.Finding) string {
	text := fmt.Sprintf("%s\n  %s  %s\n  %s\n  %s\n  bash:\n%s\n  PowerShell:\n%s\n", name, f.State, title(f), f.Means, f.Mend.Do, f.Mend.Bash, f.Mend.PowerShell)
	return varying.ReplaceAllString(strings.ReplaceAll(text, s.dir, "/dir"), "…")
}

// TestDoctorOfAHealthyCompany: every check that is tried is ok. The command changes nothing in a directory, and posts
// nothing to the channel.
func TestDoctorOfAHealthyCompany(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: grown})
	found, a := examine(s)
	for name, f := range found {
		if f.State != doctor.OK && f.State != doctor.NotTried {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if a.status != exitDone {
		t.Errorf("status %d: %s", a.status, a.err)
	}
	c := s.joins()
	if found, _ = examine(s); found["channel"].State != doctor.OK || len(c.Posts()) > 0 || strings.Contains(fmt.Sprint(found), channel.Token) {
		t.Errorf("%+v after %d posts", found["channel"], len(c.Posts()))
	}
	for _, check := range []string{"policy", "sign-in", "Graph", "clock: Microsoft Graph", "clock: ldaps://", "sign-in dates: entra", "sign-in dates: premium license", "products: m365-e3", "groups: LIC-M365-E3",
		"names", "controllers: ldaps://", "people of Active Directory", "logon dates: ad", "attributes", "last logon", "groups of Active Directory: " + sandbox.CitrixGroup, "store", "conditional writes"} {
		if f := titled(t, found, check); f.State != doctor.OK {
			t.Errorf("%s: %+v", check, f)
		}
	}
	s.plan(exitDone)
	if found, _ = examine(s); titled(t, found, "last run").State != doctor.OK {
		t.Errorf("%+v", titled(t, found, "last run"))
	}
	text := string(s.want(exitDone, "doctor", "--shell", "powershell").out)
	if !strings.Contains(text, "OK         Graph\n") || !strings.Contains(text, "Connect-ExchangeOnline;") || !strings.Contains(text, " 0 failed, 0 unknown,") {
		t.Errorf("%s", text)
	}
}

// TestDoctorKeepsOtherChecks: when Graph refuses the organization, the command still examines Active Directory and the
// store.
func TestDoctorKeepsOtherChecks(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: grown})
	answering("/v1.0/organization", 403, denied)(s)
	found, _ := examine(s)
	for title, want := range map[string]doctor.State{"products": doctor.NotTried, "groups": doctor.NotTried, "names": doctor.NotTried, "people of Active Directory": doctor.OK, "store": doctor.OK} {
		if f := titled(t, found, title); f.State != want || want == doctor.NotTried && !strings.Contains(f.Means, `because the check "Graph" is not ok`) {
			t.Errorf("%s: %+v, want %s", title, f, want)
		}
	}
}

func TestDoctorNamesWhatAzNeeds(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: grown})
	for _, hidden := range []bool{false, true} {
		s.company.Company.ChangeGroup("LIC-M365-E3", sandbox.GroupChange{Hidden: hidden})
		if a := s.run("doctor"); strings.Contains(string(a.out), "\nCommands that begin with az need the Azure CLI") != hidden {
			t.Errorf("hidden %t:\n%s", hidden, a.out)
		}
	}
}
