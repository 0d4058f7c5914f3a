package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestBoundsOfAFile: Load accepts a policy file at a limit, and rejects a file just over the limit with one sentence.
// LoadKept, which reads the policy of a stored run, also accepts a file over a limit if an earlier version may have
// accepted it. It still rejects a file with too many bytes.
func TestBoundsOfAFile(t *testing.T) {
	t.Parallel()
	users := func(n int) string {
		return strings.Replace(right, "[a@x]", "["+strings.TrimSuffix(strings.Repeat("a@x, ", n), ", ")+"]", 1)
	}
	rules := func(n int) string {
		return right + lines(n-1, "  - {name: r%d, license: e3, when: accountEnabled, then: {changeTo: exo}}")
	}
	licenses := func(n int) string {
		return strings.Replace(right, "grace:", lines(n-3, "  l%d: {sku: s%[1]d}")+"grace:", 1)
	}
	for name, tc := range map[string]struct {
		text, want string // want is empty if the file is accepted
		kept       bool   // a run may have stored the file
	}{
		"10,000 exempt users":               {users(10_000), "", true},
		"10,001 exempt users":               {users(10_001), "p:11:50011: a list has at most 10000 entries; name a group in place of its members", true},
		"10,001 exempt users, and a slip":   {strings.Replace(users(10_001), "mode: audit", "mode: audi", 1), "p:11:50011: a list has at most 10000 entries; name a group in place of its members", false},
		"250 rules":                         {rules(250), "", true},
		"251 rules":                         {rules(251), "p:268:5: rules has 251 entries, and 250 are allowed; every rule is asked about every holder, so join the rules that differ only in a name", true},
		"1,000 licenses":                    {licenses(1000), "", true},
		"1,001 licenses":                    {licenses(1001), "p:1006:3: a mapping has at most 1000 keys", true},
		"a file as long as may be":          {right + strings.Repeat("#", maxFile-len(right)), "", true},
		"a file that is a character longer": {right + strings.Repeat("#", maxFile-len(right)+1), "p:1:1: the file has 1048577 bytes; at most 1048576 are read", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if _, err := Load("p", []byte(tc.text)); err != nil {
				got = err.Error()
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if _, err := LoadKept("p", []byte(tc.text)); (err == nil) != tc.kept {
				t.Errorf("kept: %v", err)
			}
		})
	}
}

// TestBoundsOfACondition: Load accepts a condition that may cost 50,000 steps for one person, and rejects a condition
// that may cost more.
func TestBoundsOfACondition(t *testing.T) {
	t.Parallel()
	most := "department.contains(mail)" + strings.Repeat(" && department == mail", 38) + strings.Repeat(" && accountEnabled", 188)
	for condition, want := range map[string]string{most: "", most + " && accountEnabled": "when may cost 50001 steps for one person, and 50000 are allowed; simplify it"} {
		_, err := Load("p", []byte(strings.Replace(right, "AzureAdSistaLogon.hasNoValue()", condition, 1)))
		if (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestFindingsInACondition(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 1, 2: 2, 9: 9, 10: 10, 11: 10, 25: 10} {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("nobody%c", 'a'+i))
		}
		_, err := Load("p", []byte(strings.Replace(right, "AzureAdSistaLogon.hasNoValue()", strings.Join(names, " && "), 1)))
		if got := strings.Count(fmt.Sprint(err), "has no attribute"); got != want {
			t.Errorf("of %d names, the message has %d: %v", n, got, err)
		}
	}
}

// TestFindingsInTwoLines: if a condition has two faults in the same column of two lines, Load reports both.
func TestFindingsInTwoLines(t *testing.T) {
	t.Parallel()
	_, err := Load("p", []byte(strings.Replace(right, "AzureAdSistaLogon.hasNoValue()", "|\n      nobody &&\n      somebody", 1)))
	if told := fmt.Sprint(err); !strings.Contains(told, "p:18:7: the policy has no attribute nobody;") || !strings.Contains(told, "p:19:7: the policy has no attribute somebody;") {
		t.Error(told)
	}
}

// TestSpansAndInstants: the spans and times of a condition are the arguments of days, duration and timestamp. A number
// or a text in another place is none, even if it looks like one.
func TestSpansAndInstants(t *testing.T) {
	t.Parallel()
	march := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for when, want := range map[string]struct {
		spans    []time.Duration
		instants []time.Time
	}{
		`AzureAdSistaLogon.earlierThan(now - days(60) - duration("1h"))`: {[]time.Duration{60 * day, time.Hour}, nil},
		`now > timestamp("2027-03-01T00:00:00Z") + days(7)`:              {[]time.Duration{7 * day}, []time.Time{march}},
		`string(400) == department`:                                      {nil, nil},
		`size("36h") == 3 && accountEnabled`:                             {nil, nil},
		`size("2027-03-01T00:00:00Z") == 20 && accountEnabled`:           {nil, nil},
		`department in ["36h", "2027-03-01T00:00:00Z"]`:                  {nil, nil},
	} {
		c := load(t, strings.Replace(strings.TrimPrefix(right, "tenant: 11111111-2222-3333-4444-555555555555\n"), "AzureAdSistaLogon.hasNoValue()", "|\n      "+when, 1)).Rules[0].when
		if d := cmp.Diff(want.spans, c.spans); d != "" {
			t.Errorf("%s: spans (-want +got):\n%s", when, d)
		}
		if d := cmp.Diff(want.instants, c.instants); d != "" {
			t.Errorf("%s: instants (-want +got):\n%s", when, d)
		}
	}
}

// If CEL cannot plan a condition, NewJudge fails. If CEL panics, the result is unknown.
func TestConditionThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	j := judge(t, p, noon)
	if flag, value := j.eval(p.RuleNamed("m365").when, nil); flag != directory.Unset || value == nil {
		t.Errorf("of nobody: %v, %v", flag, value)
	}
	env, err := cel.NewEnv(cel.Variable("name", cel.StringType))
	if err != nil {
		t.Fatal(err)
	}
	checked, issues := env.Compile(`name.matches("(")`) // the loader rejects this pattern in a policy
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	own := *p // other tests may use the policy, because Load keeps the last policies
	own.conditions = append(slices.Clone(p.conditions), &condition{source: "no pattern", env: env, checked: checked, index: len(p.conditions)})
	if _, err := own.NewJudge(map[string]string{"SPE_E3": "e3", "EXCHANGESTANDARD": "exo"}, noon); err == nil || !strings.Contains(err.Error(), `plan the condition "no pattern"`) {
		t.Errorf("a condition that cannot be planned: %v", err)
	}
}

// TestChangesBetweenGroups: a rule may change a license to another one, but not if both licenses are the same group.
func TestChangesBetweenGroups(t *testing.T) {
	t.Parallel()
	const text = `tenant: 11111111-2222-3333-4444-555555555555
licenses:
  large: {group: {ad: "CN=Large"}}
  small: {group: {ad: "CN=Small"}}
rules:
  - {name: r, license: large, when: LastlogonTimestamp.hasNoValue(), then: {changeTo: small}}
`
	p, err := Load("p", []byte(text))
	if err != nil || p.Rules[0].ChangeTo != p.LicenseNamed("small") {
		t.Errorf("%v", err)
	}
	_, err = Load("p", []byte(strings.Replace(text, "CN=Small", "cn=large", 1)))
	if d := cmp.Diff("p:4:10: licenses large and small are the same group ad:cn=large; name it once\np:6:87: large and small are the same product; write remove, or name another", fmt.Sprint(err)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// The grace neverSignedIn reads the creation date only for rules that read a date of use.
func TestWhatGraceReads(t *testing.T) {
	t.Parallel()
	p := load(t, `
grace: {neverSignedIn: 14}
attributes: {staff: {memberOf: {entra: Staff}}}
licenses: {m365-e3: {sku: SPE_E3}}
rules:
  - {name: undated, license: m365-e3, when: department == "Closed" || staff, then: remove}
  - {name: dated, license: m365-e3, when: department == "Closed" || AzureAdSistaLogon.hasNoValue(), then: remove}
`)
	if reads(p.RuleNamed("undated"), "created") || !reads(p.RuleNamed("dated"), "created") {
		t.Error("the creation is read where no date of use is, or is not where one is")
	}
	who := employee()
	who.Entra.Department, who.Stale[directory.Entra] = "Closed", "it stalled"
	who.Entra.Created, who.AD.Created = noon.Add(-day), noon.Add(-day)
	v := judge(t, p, noon).Ask(p.RuleNamed("dated"), who)
	if d := cmp.Diff([]string{"AzureAdSistaLogon"}, v.Unknowns); d != "" {
		t.Errorf("unknown (-want +got):\n%s", d)
	}
	who.Entra.Created, who.AD.Created = time.Time{}, time.Time{}
	v = judge(t, p, noon).Ask(p.RuleNamed("dated"), who)
	if d := cmp.Diff([]string{"AzureAdSistaLogon", "created"}, v.Unknowns); d != "" {
		t.Errorf("unknown, and the creation too (-want +got):\n%s", d)
	}
	for state, want := range map[directory.Presence]string{directory.NoAccount: "created has no value", directory.Missing: "created is not known: no account was found", directory.NotRead: createdUnread} {
		who.AD, who.ADState, who.Doubt = nil, state, "no account was found"
		if v = judge(t, p, noon).Ask(p.RuleNamed("dated"), who); v.Reason != "AzureAdSistaLogon cannot be trusted: it stalled; "+want {
			t.Errorf("Active Directory in state %v: %s", state, v.Reason)
		}
	}
	who.Entra, who.EntraState = nil, directory.NotRead
	if d := cmp.Diff(Evidence{Attribute: "staff", Field: "memberOf entra:Staff", Value: "not read"}, judge(t, p, noon).Evidence(p.RuleNamed("undated"), who)[1]); d != "" {
		t.Errorf("evidence of a group (-want +got):\n%s", d)
	}
}

// TestNumbersAtTheirBounds: Load accepts a number at its smallest or largest value, and rejects a number beyond it. It
// also rejects a quoted number, which is a text in YAML.
func TestNumbersAtTheirBounds(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]bool{
		"monthlyPrice: 0": true, "monthlyPrice: 999999": true, "monthlyPrice: 999999.5": false, "monthlyPrice: -0.5": false, `monthlyPrice: "39"`: false, "monthlyPrice: 0x27": false,
		"mailboxQuota: 0.1": true, "mailboxQuota: 0.09": false, "mailboxQuota: 10000": true, "mailboxQuota: 10001": false, "mailboxQuota: .inf": false,
		"keepSeats: 0": true, "keepSeats: 1000000000": true, "keepSeats: 1000000001": false, "keepSeats: -1": false, `keepSeats: "5"`: false, "keepSeats: 0x5": false, "keepSeats: 5.0": false,
	} {
		if _, err := Load("p", []byte(strings.Replace(right, "exo: {sku: EXO}", "exo: {sku: EXO, "+written+"}", 1))); (err == nil) != want {
			t.Errorf("%s: %v", written, err)
		}
	}
	for written, want := range map[string]bool{
		"grace: {neverSignedIn: 0}": true, "grace: {newHolder: 3650}": true, "grace: {enabledAgain: 3651}": false, `grace: {newHolder: "14"}`: false,
		"grace: {neverSignedIn: 14}\nlimits: {perRun: 1}": true, "limits: {perRun: 0}": false, "limits: {perRun: 5000}": true, "limits: {perRun: 5001}": false, `limits: {perRun: "20"}`: false,
		"limits: {stopAbove: {percent: 0}}": true, "limits: {stopAbove: {percent: 100}}": true, "limits: {stopAbove: {percent: 100.1}}": false, `limits: {stopAbove: {percent: "10"}}`: false,
		"limits: {stopAbove: {count: 1}}": true, "limits: {stopAbove: {count: 0}}": false, "limits: {stopAbove: {count: 0x10}}": false,
	} {
		if _, err := Load("p", []byte("tenant: 11111111-2222-3333-4444-555555555555\n"+written+twoRules)); (err == nil) != want {
			t.Errorf("%s: %v", written, err)
		}
	}
}

// TestKeptLimit: Load rejects a limits.perRun above 5,000. LoadKept, which reads the policy of a stored run, accepts
// it, because an earlier version did.
func TestKeptLimit(t *testing.T) {
	t.Parallel()
	for perRun, loads := range map[int]bool{5000: true, 6000: false} {
		text := []byte(strings.Replace(right, "perRun: 200", fmt.Sprintf("perRun: %d", perRun), 1))
		if _, err := Load("p", text); (err == nil) != loads {
			t.Errorf("%d changes in one run: %v", perRun, err)
		}
		if p, err := LoadKept("p", text); err != nil || p.Limits.PerRun != perRun {
			t.Errorf("%d changes in one run, kept: %v", perRun, err)
		}
	}
}
