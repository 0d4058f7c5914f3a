package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// The function "brief" returns a node on one line. A star marks decisive nodes.
func brief(n *Node) string {
	mark, text := "", n.Text
	if n.Decisive {
		mark = "*"
	}
	if n.Join != "" {
		parts := make([]string, len(n.Parts))
		for i, part := range n.Parts {
			parts[i] = brief(part)
		}
		text = n.Join + "[" + strings.Join(parts, ", ") + "]"
	}
	return mark + text + " " + string(n.Says)
}

// The whole condition is always decisive. A part of a decisive part is decisive, too, if it settles the result of that
// part. A star marks the decisive parts.
func TestDecisiveParts(t *testing.T) {
	t.Parallel()
	const yes, also, no, neither, open = "accountEnabled", "onPremisesSyncEnabled", "blocked", "guest", "staff"
	for when, want := range map[string]string{
		yes:                                          "*accountEnabled true",
		no:                                           "*blocked false",
		yes + " && " + also:                          "*and[*accountEnabled true, *onPremisesSyncEnabled true] true",
		yes + " && " + no:                            "*and[accountEnabled true, *blocked false] false",
		no + " && " + open:                           "*and[*blocked false, staff unknown] false",
		yes + " && " + open:                          "*and[accountEnabled true, *staff unknown] unknown",
		no + " || " + yes:                            "*or[blocked false, *accountEnabled true] true",
		open + " || " + yes:                          "*or[staff unknown, *accountEnabled true] true",
		open + " || " + no:                           "*or[*staff unknown, blocked false] unknown",
		no + " || " + neither:                        "*or[*blocked false, *guest false] false",
		"!(" + yes + " && " + no + ")":               "*not[*and[accountEnabled true, *blocked false] false] true",
		yes + " ? " + no + " : " + open:              "*if[*accountEnabled true, *blocked false, staff unknown] false",
		no + " ? " + yes + " : " + open:              "*if[*blocked false, accountEnabled true, *staff unknown] unknown",
		open + " ? " + yes + " : " + no:              "*if[*staff unknown, accountEnabled true, blocked false] unknown",
		open + " ? staff : " + no:                    "*if[*staff unknown, *staff unknown, blocked false] unknown",
		yes + " && " + also + " && " + no:            "*and[accountEnabled true, onPremisesSyncEnabled true, *blocked false] false",
		yes + " && (" + also + " && " + no + ")":     "*and[accountEnabled true, onPremisesSyncEnabled true, *blocked false] false",
		no + " || " + neither + " || " + open:        "*or[blocked false, guest false, *staff unknown] unknown",
		no + " || (" + neither + " || " + open + ")": "*or[blocked false, guest false, *staff unknown] unknown",
		yes + " && (" + no + " || " + also + ")":     "*and[*accountEnabled true, *or[blocked false, *onPremisesSyncEnabled true] true] true",
		no + " && (" + no + " || " + also + ")":      "*and[*blocked false, or[blocked false, onPremisesSyncEnabled true] true] false",
		// The report shows no use. So the date is either earlier than the report or does not exist, and each part alone
		// is unknown. Both parts together cover the two cases, so they settle the result.
		"copilot.earlierThan(now - days(45)) || copilot.hasNoValue()": "*or[*copilot.earlierThan(now - days(45)) unknown, *copilot.hasNoValue() unknown] true",
		"copilot.earlierThan(now - days(45)) && copilot.hasNoValue()": "*and[*copilot.earlierThan(now - days(45)) unknown, *copilot.hasNoValue() unknown] false",
	} {
		p := load(t, `
attributes: {copilot: copilot.lastActivity, staff: {memberOf: {entra: Staff}}, blocked: {memberOf: {entra: Blocked}}, guest: {memberOf: {entra: Guests}}}
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, when: '`+when+`', then: remove}]
`)
		who := employee()
		who.Unreadable = []string{"entra:Staff"}
		use := notUsed(directory.CopilotUse)
		use.Through = reportOf
		who.Entra.Uses = []directory.Use{use}
		tree, err := judge(t, p, noon).Tree(p.Rules[0], who)
		if err != nil {
			t.Fatal(err)
		}
		if got := brief(tree.Parts[2]); got != want {
			t.Errorf("%s\n got %s\nwant %s", when, got, want)
		}
	}
}

func sketch(n *Node, indent string) (lines []string) {
	line := indent + n.Text
	if n.Name != "" {
		line = indent + n.Name + ": " + n.Text
	}
	line += " = " + string(n.Says)
	if n.Join != "" {
		line += " by " + n.Join
	}
	for _, v := range n.Values {
		line += fmt.Sprintf("; %s is %s", v.Attribute, v.Value)
	}
	if n.Why != "" {
		line += "; " + n.Why
	}
	lines = append(lines, line)
	for _, part := range n.Parts {
		lines = append(lines, sketch(part, indent+"  ")...)
	}
	return lines
}

const sketched = `
attributes: {pilot: {memberOf: {entra: Pilots}}, given: entra.licenseChanged}
licenses: {m365-e3: {sku: SPE_E3}, exo: {sku: EXCHANGESTANDARD}}
exempt: {users: [boss@x], groups: [{entra: Keep}], when: userType == "Guest" || pilot}
rules:
  - name: e3
    license: m365-e3
    for: '["a", "C"].exists(x, jobTitle.startsWith(x)) && systemRole == "Employee"'
    when: |
      AzureAdSistaLogon.hasNoValue() || [1, 2,
        3].exists(n, n == size(department) && department != "Sales")
    then: remove
  - {name: exo, license: exo, when: given.earlierThan(now - days(30)), then: remove}
`

// The tree shows the condition exempt.when only if this condition exempts the person, or if it is unknown whether it
// does.
func TestWhatATreeShows(t *testing.T) {
	t.Parallel()
	p := load(t, sketched)
	scope := []string{
		`  for: ["a", "C"].exists(x, jobTitle.startsWith(x)) && systemRole == "Employee" = true by and`,
		`    ["a", "C"].exists(x, jobTitle.startsWith(x)) = true; jobTitle is Clerk`,
		`    systemRole == "Employee" = true; systemRole is Employee`,
	}
	when := []string{
		`  when: AzureAdSistaLogon.hasNoValue() || [1, 2, 3].exists(n, n == size(department) && department != "Sales") = true by or`,
		`    AzureAdSistaLogon.hasNoValue() = true; AzureAdSistaLogon is no value`,
		`    [1, 2, 3].exists(n, n == size(department) && department != "Sales") = true; department is HR`,
	}
	const rule, holder, spared, exempt, grace = "rule e3 takes m365-e3 = ", "  holder: the person holds m365-e3 = true", "  exempt: the person is not exempt = true", "  exempt: the person is not exempt = ", "  grace: no grace period holds = true"
	for name, tc := range map[string]struct {
		change func(*directory.Person)
		want   []string // without the conditions "for" and "when", and without grace
	}{
		"not exempt": {func(*directory.Person) {}, []string{rule + "true by and", holder, spared}},
		"exempt by the condition": {func(p *directory.Person) { p.Entra.UserType = "Guest" }, []string{rule + "false by and", holder,
			exempt + `false by not; exempt: userType == "Guest" || pilot`,
			`    userType == "Guest" || pilot = true by or`, `      userType == "Guest" = true; userType is Guest`, `      pilot = false; pilot is false`}},
		"perhaps exempt by the condition": {func(p *directory.Person) { p.Unreadable = []string{"entra:Pilots"} }, []string{rule + "unknown by and", holder,
			exempt + `unknown by not; pilot is not known: group entra:Pilots could not be read`,
			`    userType == "Guest" || pilot = unknown by or`, `      userType == "Guest" = false; userType is Member`,
			`      pilot = unknown; pilot is not read; pilot is not known: group entra:Pilots could not be read`}},
		"listed": {called("boss@x"), []string{rule + "false by and", holder, exempt + "false; exempt: boss@x is listed"}},
		"perhaps in an exempt group": {func(p *directory.Person) { p.Unreadable = []string{"entra:Keep"} }, []string{rule + "unknown by and", holder,
			exempt + "unknown; exemption is not known: group entra:Keep could not be read"}},
		"exempt by the kind": {func(p *directory.Person) { p.Entra.MailboxKind = "Room" }, []string{rule + "false by and", holder,
			exempt + "false; exempt: the account is of the kind room: the mailbox usage report says Room"}},
	} {
		who := employee()
		who.Entra.JobTitle, who.Entra.Department = "Clerk", "HR"
		tc.change(who)
		tree, err := judge(t, p, noon).Tree(p.Rules[0], who)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(slices.Concat(tc.want, scope, when, []string{grace}), sketch(tree, "")); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		for _, part := range tree.Parts {
			if spoken := part.Name == "holder" || part.Name == "exempt" || part.Name == "grace"; part.Spoken() != spoken {
				t.Errorf("%s: the text of the part %s is a sentence: %t", name, part.Name, part.Spoken())
			}
		}
	}
}

// If the Entra account was not read, the parts of the tree that need this account are unknown, and say why. The rule
// has no condition "for", so its tree has no part with this name.
func TestTreeOfAnUnreadPerson(t *testing.T) {
	t.Parallel()
	p := load(t, sketched)
	who := &directory.Person{EntraState: directory.NotRead, ADState: directory.NoAccount}
	tree, err := judge(t, p, noon).Tree(p.Rules[1], who)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"rule exo takes exo = unknown by and",
		"  holder: the person holds exo = unknown; license exo is not known: Entra was not read",
		"  exempt: the person is not exempt = unknown by not; pilot is not known: Entra was not read; userType was not read",
		`    userType == "Guest" || pilot = unknown by or`,
		`      userType == "Guest" = unknown; userType is not read; userType was not read`,
		"      pilot = unknown; pilot is not read; pilot is not known: Entra was not read",
		"  when: given.earlierThan(now - days(30)) = unknown; given is not read; given was not read",
		"  grace: no grace period holds = true",
	}
	if d := cmp.Diff(want, sketch(tree, "")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// The attribute "given" is the date on which a person got a license. Tree and Reason must show this date for the
// license of their own rule, even if the Judge has just evaluated a rule about another license.
func TestLicenseOfATree(t *testing.T) {
	t.Parallel()
	p := load(t, strings.Replace(sketched, "exo, when: given", "exo, for: given.hasValue(), when: given", 1))
	who := employee()
	who.Entra.Assignments = []directory.Assignment{{SKU: "e3", State: "Active", Updated: noon.Add(-5 * day)}, {SKU: "exo", State: "Active", Updated: noon.Add(-20 * day)}}
	j, exo := judge(t, p, noon), p.Rules[1]
	about := map[string]func() string{
		"Tree": func() string {
			tree, err := j.Tree(exo, who)
			if err != nil {
				t.Fatal(err)
			}
			return tree.Parts[3].Values[0].Value
		},
		"Reason": func() string { return j.Reason(exo, who, Verdict{Outcome: Keep, Holder: directory.Yes}) },
	}
	for name, want := range map[string]string{"Tree": "2026-11-03T12:00:00Z", "Reason": "kept: given 2026-11-03T12:00:00Z"} {
		who.License = "e3"
		if got := about[name](); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// If a condition cannot be read or planned, the error names it.
func TestTreeThatCannotBeMade(t *testing.T) {
	t.Parallel()
	p := load(t, sketched)
	env, err := cel.NewEnv(cel.Variable("name", cel.StringType))
	if err != nil {
		t.Fatal(err)
	}
	const pattern = `name.matches("(")` // the loader rejects this pattern in a policy
	checked, issues := env.Compile(pattern)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	unread := func(c *condition) *condition {
		return &condition{source: "(", env: c.env, checked: c.checked, index: c.index}
	}
	unplanned := func(c *condition) *condition {
		return &condition{source: pattern, env: env, checked: checked, index: c.index}
	}
	for name, tc := range map[string]struct {
		change func(*Policy, *Rule)
		want   string
	}{
		"for":                        {func(_ *Policy, r *Rule) { r.scope = unread(r.scope) }, `read the condition "("`},
		"for, not planned":           {func(_ *Policy, r *Rule) { r.scope = unplanned(r.scope) }, `evaluate a part of the condition "name.matches(\"(\")"`},
		"the exemption":              {func(p *Policy, _ *Rule) { p.exempt.when = unread(p.exempt.when) }, `read the condition "("`},
		"the exemption, not planned": {func(p *Policy, _ *Rule) { p.exempt.when = unplanned(p.exempt.when) }, `evaluate a part of the condition "name.matches(\"(\")"`},
	} {
		j := judge(t, p, noon)
		own, rule, who := *p, *p.Rules[0], employee() // other tests may use the policy, because Load keeps the last policies
		tc.change(&own, &rule)
		j.policy, who.Entra.UserType = &own, "Guest"
		if tree, err := j.Tree(&rule, who); err == nil || !strings.Contains(err.Error(), tc.want) || tree != nil {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}
