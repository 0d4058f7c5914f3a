package command

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestSlipsInThePolicy: a command rejects common mistakes in a policy before it reads a directory. The error suggests
// what the author probably means, and never the opposite.
func TestSlipsInThePolicy(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100})
	right := string(s.company.Policy())
	const when, scope = `AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()`, `for: accountEnabled && systemRole == "Employee"`
	for name, tc := range map[string]struct{ old, new, want, never string }{
		"older than":      {when, "AzureAdSistaLogon.olderThan(now - days(60))", "X.earlierThan(now - days(60)) is longer ago than 60 days", "laterThan"},
		"a bare negation": {scope, "for: !inPilot", "for: '!inPilot'", "remove"},
		"unknown pilot":   {scope, "for: '!inPilot'", "the policy has no attribute inPilot; define it under attributes", "did you mean"},
		"disabled":        {scope, "for: accountDisabled", "the policy has no attribute accountDisabled", "did you mean"},
		"not null":        {when, "AzureAdSistaLogon != null", "nothing is ever null", "~"},
		"null":            {when, "AzureAdSistaLogon == null", "nothing is ever null", "~"},
		"now and later":   {when, "AzureAdSistaLogon.earlierThan(now + days(90))", "holds for everybody who has it", "~"},
		"pattern":         {scope, `for: department.matches("IT")`, "begin the pattern with ^ and end it with $", "~"},
		"90 days":         {when, "AzureAdSistaLogon.earlierThan(now - 90 days)", "a number of days is written days(60)", "~"},
		"and":             {scope, `for: accountEnabled and systemRole == "Employee"`, `"and" is written &&`, "~"},
		"equals":          {scope, `for: systemRole = "Employee"`, "write == to compare, not =", "~"},
		"a date and text": {when, `AzureAdSistaLogon < "2026-01-01"`, "< and > cannot compare it", "~"},
	} {
		text := replace(t, tc.old, tc.new)(right)
		s.write("policy.yaml", text)
		for _, args := range [][]string{{"policy", "check", s.path("policy.yaml")}, {"plan"}} {
			a := s.want(exitUsage, args...)
			if !strings.Contains(a.err, tc.want) || strings.Contains(a.err, tc.never) {
				t.Errorf("%s, %q: stderr lacks %q or has %q:\n%s", name, args, tc.want, tc.never, a.err)
			}
		}
	}
	if n := len(s.company.Requests()); n > 0 {
		t.Errorf("%d requests for a policy that is refused", n)
	}
}

// TestWhoHasNoType: people without an employee type keep their license under a rule that excludes one type. The reason
// says what to add to the rule.
func TestWhoHasNoType(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 500, Seed: 4}, replace(t, `systemRole == "Employee"`, `systemRole != "CONSULTANT"`), replace(t, "percent: 10", "percent: 100"))
	before := s.plan(exitDone)
	idle := func(p printed) (users []string) {
		for _, c := range p.Changes {
			if c.License == "m365-e3" {
				users = append(users, c.User)
			}
		}
		return users
	}
	takes := idle(before)
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.Entra != nil && slices.Contains(takes, p.Entra.ID) && strings.EqualFold(p.Entra.EmployeeType, "Consultant") {
			t.Errorf("a consultant is taken: %s", p.Entra.UserPrincipalName)
		}
	}
	s.company.Intercept(func(next http.Handler) http.Handler {
		return edited("/users", func(user map[string]any) {
			if _, has := user["employeeType"]; has {
				user["employeeType"] = nil
			}
		})(next)
	})
	after := s.plan(exitDone)
	if got := idle(after); len(got) > 0 || len(takes) == 0 {
		t.Errorf("%d people without a type are taken, and %d with one", len(got), len(takes))
	}
	for _, user := range takes {
		if why := after.reason(user, "m365-e3"); !strings.Contains(why, "systemRole has no value") || !strings.Contains(why, `add && systemRole != ""`) {
			t.Errorf("%s: %q", user, why)
		}
	}
}

// TestADOnlyIsDecided: rules decide about people who are only in Active Directory, although the exemption of guests
// needs an attribute of Entra ID.
func TestADOnlyIsDecided(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 500, Seed: 4}, replace(t, "LastlogonTimestamp.earlierThan(now - days(90))", "LastlogonTimestamp.earlierThan(now - days(20))"), replace(t, "percent: 10", "percent: 99"))
	p := s.plan(exitDone)
	decided := 0
	for _, c := range p.Changes {
		if c.Rule == "citrix-idle-90" && strings.HasPrefix(c.User, "S-1-") {
			decided++
		}
	}
	if decided == 0 {
		t.Error("nobody of Active Directory alone is decided")
	}
	for _, u := range p.Undecided {
		if strings.Contains(u.Reason, "no account in Entra") {
			t.Errorf("%s: %s", u.UserPrincipalName, u.Reason)
		}
	}
}

// TestRuleLines: a plan says of each rule for how many people its condition was evaluated, and which attributes have no
// value. It says if the leave of an exempt person is over.
func TestRuleLines(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 500, Seed: 4}, func(text string) string {
		start := strings.Index(text, "until: ")
		return text[:start] + "until: 2026-03-01" + text[start+len("until: 2026-03-01"):]
	})
	p := s.plan(exitDone)
	holders := s.holders()
	if len(p.Rules) != 2 || p.Rules[0].Rule != "m365-idle-60" || p.Rules[0].Holders != holders || p.Rules[0].Asked == 0 || p.Rules[0].Asked >= holders || p.Rules[0].Empty["systemRole"] == holders {
		t.Errorf("rules %+v", p.Rules)
	}
	over := "exempt.leave: the leave of anna@contoso.example until 2026-03-01 is over and protects nobody"
	if !slices.ContainsFunc(p.Notes, func(n string) bool { return strings.HasPrefix(n, over) }) {
		t.Errorf("notes %q", p.Notes)
	}
	if a := s.want(exitDone, "policy", "check", s.path("policy.yaml")); !strings.Contains(a.err, over) {
		t.Errorf("policy check: %s", a.err)
	}
	s.company.Intercept(edited("/users", func(user map[string]any) {
		if _, has := user["employeeType"]; has {
			user["employeeType"] = nil
		}
	}))
	p = s.plan(exitDone)
	n := p.Rules[0].Empty["systemRole"]
	empty := fmt.Sprintf("systemRole in %d of %d", n, holders)
	if p.Rules[0].Asked != 0 || n > holders || n < holders-5 || // a few accounts contradict each other, so their people do not count
		!slices.ContainsFunc(p.Notes, func(n string) bool {
			return strings.HasPrefix(n, "rule m365-idle-60 asks nobody") && strings.Contains(n, empty)
		}) {
		t.Errorf("rules %+v, notes %q", p.Rules, p.Notes)
	}
	if a := s.want(exitDone, "plan"); !strings.Contains(string(a.out), "WITHOUT A VALUE") || !strings.Contains(string(a.out), empty) || !strings.Contains(string(a.out), "note: rule m365-idle-60 asks nobody") {
		t.Errorf("the text lacks the line of the rule:\n%s", a.out)
	}
}

// TestHoldersThatWereNotRead: without Active Directory, nobody knows who holds a license there. No page says that it has
// 0 holders.
func TestHoldersThatWereNotRead(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100})
	s.env = slices.DeleteFunc(s.env, func(v string) bool { return strings.HasPrefix(v, "IDLESEAT_AD_") })
	p := s.plan(exitDone)
	page, err := os.ReadFile(s.path("store/runs/" + p.Run + "/report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ text, want string }{
		"plan":     {string(s.want(exitDone, "plan", "--run", latest).out), `citrix-idle-90 +not read +not read +0 +[1-9]`},
		"one":      {string(s.want(exitDone, "plan", "--user", "anna@contoso.example").out), `citrix-idle-90 +not read +not read +0 +0 +1`},
		"show":     {string(s.want(exitDone, "show", p.Run).out), `citrix-idle-90 +citrix +not read +not read +0 `},
		"markdown": {string(s.want(exitDone, "plan", "--run", latest, "--format", "markdown").out), `\| citrix-idle-90 \| not read \| 0 `},
		"page":     {string(page), `Holders</th><td class="num">not read</td>`},
	} {
		if !regexp.MustCompile(tc.want).MatchString(tc.text) {
			t.Errorf("%s lacks %q", name, tc.want)
		}
	}
}
