package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/common"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestOpposites(t *testing.T) {
	t.Parallel()
	for words, want := range map[[2]string]bool{
		{"hasValue", "hasNoValue"}: true, {"notPilot", "pilot"}: true, {"notPilots", "pilot"}: true, {"notPilotsX", "pilot"}: false, {"inactive", "active"}: true, {"unlicensed", "licensed"}: true,
		{"isExternal", "isInternal"}: true, {"firstLogon", "lastLogon"}: true, {"oldMail", "newMail"}: true, {"withGroup", "withoutGroup"}: true,
		{"withoutGroup", "withoutGroups"}: false, {"oldMail", "oldMails"}: false, {"firstMail", "firstMails"}: false, {"beforeAfter", "afterBefores"}: false,
		{"employee", "employeeId"}: true, {"department", "departments"}: false, {"mailbox", "newMailbox"}: false, {"department", "departmnet"}: false, {"abcdef", "xyz"}: false,
	} {
		for _, w := range [][2]string{words, {words[1], words[0]}} {
			if got := opposite(w[0], w[1]); got != want {
				t.Errorf("%s, %s: %t", w[0], w[1], got)
			}
		}
	}
}

func TestWhichNameIsProposed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		word  string
		known []string
		want  string
	}{
		{"title", []string{"ad.title", "entra.title"}, `entra.title" or "ad.title`}, {"title", []string{"tilte", "ad.title"}, "ad.title"},
		{"ent", []string{"entra"}, ""}, {"entr", []string{"entra"}, "entra"}, {"depa", []string{"department", "depart"}, "department"},
		{"actvi", []string{"active"}, "active"}, {"acti", []string{"atci"}, ""}, {"departmnet", []string{"departmant", "department"}, "departmant"},
	} {
		want := ""
		if tc.want != "" {
			want = fmt.Sprintf(`; did you mean "%s"?`, tc.want)
		}
		if got := didYouMean(tc.word, tc.known); got != want {
			t.Errorf("%s of %q: %q, want %q", tc.word, tc.known, got, want)
		}
	}
}

// An error lists a hundred faults in the order of the file, and counts the rest.
func TestManyFaults(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{100: "p:118:1: unknown key \"k99\" in the policy; the keys are tenant, mode, currency, attributes, licenses, anchor, grace, kinds, exempt, limits, notices, rules", 101: "and 1 more", 130: "and 30 more"} {
		_, err := Load("p", []byte(right+lines(n, "k%d: 1")))
		told := strings.Split(fmt.Sprint(err), "\n")
		if last := told[len(told)-1]; last != want || len(told) > 101 {
			t.Errorf("of %d faults the message has %d, and the last is %q", n, len(told), last)
		}
	}
	_, err := Load("p", []byte("rules: 7\nlicenses: 7\nmode: x\ntenant: 7\n"))
	var order []string
	for l := range strings.Lines(fmt.Sprint(err)) {
		order = append(order, l[:6])
	}
	if d := cmp.Diff([]string{"p:1:8:", "p:2:11", "p:3:7:", "p:4:9:"}, order); d != "" {
		t.Errorf("order (-want +got):\n%s", d)
	}
}

func TestSentencesOfGaps(t *testing.T) {
	t.Parallel()
	for predicate, want := range map[string]string{
		"was not read":      "a, b and c were not read; d is new",
		"is not known: why": "a, b and c are not known: why; d is new",
		"has no value":      "a, b and c have no value; d is new",
		"got lost":          "a, b and c got lost; d is new",
	} {
		var g gaps
		for _, name := range []string{"a", "b", "d", "c", "a"} {
			if name == "d" {
				g.add("d", "d", "is new")
			} else {
				g.add(name, name, predicate)
			}
		}
		if d := cmp.Diff(want, g.String()); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

// Authors of policies often write such conditions. The message must name the right expression.
func TestMoreWords(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]string{
		`AzureAdSistaLogon.laterThan(now + 90)`:    "a number of days is written days(60), as in now - days(60)\n",
		`AzureAdSistaLogon.laterThan(days(90))`:    "laterThan needs a point in time, and days(60) is a span of time: write AzureAdSistaLogon.laterThan(now - days(60))",
		`hasValue(AzureAdSistaLogon)`:              "hasValue comes after a date: X.hasValue()",
		`department <> "IT"`:                       `"is not" is written !=`,
		`department <`:                             "something is missing here",
		`accountEnabled && > 3`:                    "this is not an expression of the language",
		`(accountEnabled staff)`:                   "something is missing here: && or || joins two conditions",
		`size(department, staff`:                   "a ) is missing",
		`1 / 0 == 1 && accountEnabled == "x`:       "the closing quote is missing",
		`accountEnabled && staff)`:                 "a ( is missing, or a ) is too much",
		`AzureAdSistaLogon.hasNValue()`:            "there is no function hasNValue; of a date,",
		`AzureAdSistaLogon.hasNoValues()`:          "there is no function hasNoValues; did you mean hasNoValue?\n",
		`now - days(9) > AzureAdSistaLogon`:        "< and > cannot compare it; X.earlierThan(now - days(60)) is longer ago than 60 days, X.laterThan",
		`AzureAdSistaLogon >= now - days(9)`:       "write AzureAdSistaLogon.laterThan(now - days(9)) for less than 9 days ago\n",
		`AzureAdSistaLogon.laterThan`:              "laterThan needs parentheses and a point in time: AzureAdSistaLogon.laterThan(now - days(60))",
		`AzureAdSistaLogon == null`:                "to test for a missing date, write AzureAdSistaLogon.hasNoValue()",
		`AzureAdSistaLogon != null`:                "to test for a date that is there, write AzureAdSistaLogon.hasValue()",
		`departmnt in ["x"]`:                       `did you mean "department"? Otherwise define it`,
		`department like "x"`:                      `write X.startsWith("…")`,
		`AzureAdSistaLogon.earlierThan(90days)`:    "a number of days is written days(60)",
		`department == "older than 90 days" staff`: "this is not an expression of the language",
	} {
		_, err := Load("p", []byte(strings.Replace(right, "AzureAdSistaLogon.hasNoValue()", "'"+when+"'", 1)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", when, err, want)
		}
	}
	for _, line := range []int{-1, 0, 2} { // CEL returns no such line; the message must not panic
		e := &common.Error{Location: common.NewLocation(line, 3), Message: "Syntax error: odd"}
		if got := wrongSyntax(e, "a <> b"); !strings.HasPrefix(got, "this is not an expression") {
			t.Errorf("line %d: %s", line, got)
		}
	}
	if got := wrongSyntax(&common.Error{Message: "Syntax error: odd"}, "a <> b"); !strings.HasPrefix(got, "this is not an expression") {
		t.Errorf("without a place: %s", got)
	}
}

// A policy has several unknown names. Only one of the messages about them lists the attributes of the policy, at most
// twelve.
func TestListOfAttributes(t *testing.T) {
	t.Parallel()
	four := "AzureAdSistaLogon, LastlogonTimestamp, created, systemRole"
	for own, want := range map[int]string{0: four, 8: "a0, a1, a2, a3, a4, a5, a6, a7, " + four, 9: "a0, a1, a2, a3, a4, a5, a6, a7, a8, AzureAdSistaLogon, LastlogonTimestamp, created, …"} {
		text := "attributes: {" + strings.TrimSuffix(strings.ReplaceAll(lines(own, "a%d: entra.department"), "\n", ", "), ", ") + "}\n"
		_, err := Load("p", []byte(strings.NewReplacer("attributes:\n  staff: {memberOf: {entra: Staff}}\n", text, "AzureAdSistaLogon.hasNoValue()", "nobody || somebody").Replace(right)))
		if told := fmt.Sprint(err); !strings.Contains(told, ". The policy's attributes are "+want+"; text and true/false") || strings.Count(told, "The policy's attributes are") != 1 || !strings.Contains(told, "no attribute somebody") {
			t.Errorf("%d own attributes: %s", own, told)
		}
	}
}

// YAML does not read these texts as their authors mean them. The messages give the right text.
func TestWordsOfYAML(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ old, new, want string }{
		{"[a@x]", "[*all]", `p:1:1: not YAML: unknown anchor 'all' referenced; a text that begins with * needs quotes`},
		{"perRun: 200", `perRun: ""`, `p:13:56: limits.perRun must be a whole number from 1 to 5000, not text`},
		{"perRun: 200", `perRun: `, `p:13:56: limits.perRun must be a whole number from 1 to 5000, not empty`},
		{"perRun: 200", "perRun: {a: b}", `p:13:56: limits.perRun must be a whole number from 1 to 5000, not a mapping`},
		{right[strings.Index(right, "rules:"):], "rules: %x", "p:14:1: not YAML: a value begins with a character that means something else in YAML; a condition that begins with !, &, *, % or a quote needs quotes, as in for: '!inPilot && accountEnabled', or on a line of its own below for: |"},
		{right[strings.Index(right, "rules:"):], "rules: [a", "p:14:1: not YAML: a list that begins with [ is not closed by ], or lacks a comma"},
	} {
		_, err := Load("p", []byte(strings.Replace(right, tc.old, tc.new, 1)))
		if d := cmp.Diff(tc.want, fmt.Sprint(err)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.new, d)
		}
	}
}

// The text of a value can differ from the text in the file, for example because of an escape of YAML. The place of a
// mistake in such a text is then the start of the value.
func TestPlaceThatIsNotThere(t *testing.T) {
	t.Parallel()
	r := &reader{lines: []string{"a: ''", "", "  ' "}}
	for _, n := range []*yaml.Node{
		{Value: "x", Line: 1, Column: 4, Style: yaml.SingleQuotedStyle}, {Value: "x", Line: 1, Column: 4, Style: yaml.LiteralStyle},
		{Value: "x", Line: 3, Column: 3, Style: yaml.FoldedStyle}, {Value: "x", Line: 1, Column: 40},
	} {
		if line, column := r.place(n, 1, 1); line != n.Line || column != n.Column {
			t.Errorf("%d:%d becomes %d:%d", n.Line, n.Column, line, column)
		}
	}
}

func TestReasonsWordForWord(t *testing.T) {
	t.Parallel()
	p := load(t, `
kinds: [person, agent]
attributes: {used: "newest(entra.lastActivity, ad.lastLogonTimestamp)", made: "newest(entra.created, ad.created)", inEntra: {memberOf: {entra: G}}, inAD: {memberOf: {ad: CN=G}}}
licenses: {m365-e3: {sku: SPE_E3}}
exempt: {users: [boss@contoso.example]}
rules:
  - {name: error, license: m365-e3, when: 1 / 0 == 1, then: remove}
  - {name: error of, license: m365-e3, when: 1 / size(department) == 1, then: remove}
  - {name: all, license: m365-e3, when: "true", then: remove}
  - {name: closed, license: m365-e3, when: department == "Closed" || AzureAdSistaLogon.hasNoValue(), then: remove}
  - {name: used, license: m365-e3, when: used.earlierThan(now - days(9)), then: remove}
  - {name: made, license: m365-e3, when: made.value() < now - days(9), then: remove}
  - {name: text, license: m365-e3, when: 'jobTitle != "x"', then: remove}
  - {name: untitled, license: m365-e3, when: 'jobTitle == ""', then: remove}
  - {name: logon, license: m365-e3, when: LastlogonTimestamp.earlierThan(now - days(9)), then: remove}
  - {name: entra, license: m365-e3, when: inEntra, then: remove}
  - {name: ad, license: m365-e3, when: inAD, then: remove}
`)
	stale := func(s directory.Source) func(*directory.Person) {
		return func(p *directory.Person) { p.Stale[s] = "it stalled" }
	}
	agent := func(p *directory.Person) { p.Entra.IdentityParentID = "parent" }
	const untitled = `jobTitle has no value, and the condition does not say what holds then; add && jobTitle != "" to leave such people alone, or || jobTitle == "" to mean them, too`
	undated := func(p *directory.Person) { p.Entra.Created, p.AD.Created = time.Time{}, time.Time{} }
	for name, tc := range map[string]struct {
		rule   string
		change func(*directory.Person)
		want   string
	}{
		"an error of nobody":         {"error", nil, "undecided: the condition cannot be computed: division by zero"},
		"an error of an attribute":   {"error of", nil, "undecided: department cannot be computed with: division by zero"},
		"everybody":                  {"all", nil, "reclaim: matches: everybody"},
		"dates that are not trusted": {"closed", func(p *directory.Person) { stale(0)(p); p.Entra.Department = "Closed" }, "reclaim: matches: department Closed, AzureAdSistaLogon not read"},
		"a room":                     {"all", func(p *directory.Person) { p.Entra.MailboxKind = "Room" }, "exempt: exempt: the account is of the kind room: the mailbox usage report says Room"},
		"perhaps listed":             {"all", func(p *directory.Person) { p.Entra, p.EntraState = nil, directory.NotRead }, "undecided: license m365-e3 and exemption are not known: Entra was not read"},
		"an agent":                   {"used", agent, "undecided: used is not known: Microsoft does not say whether an agent's tokens count as sign-ins"},
		"an agent that lost a logon": {"logon", func(p *directory.Person) { agent(p); p.AD.DatesInDoubt = true }, "undecided: LastlogonTimestamp cannot be trusted: a date of the account lies in the future"},
		"the second of two is lost":  {"used", func(p *directory.Person) { signIn(day)(p); p.AD.DatesInDoubt = true }, "undecided: used cannot be trusted: a date of the account lies in the future"},
		"the second of two is stale": {"used", func(p *directory.Person) { signIn(day)(p); stale(directory.AD)(p) }, "undecided: used cannot be trusted: it stalled"},
		"the second is missing":      {"made", func(p *directory.Person) { p.AD, p.ADState, p.Doubt = nil, directory.Missing, "no account was found" }, "undecided: made is not known: no account was found"},
		"the second was not read":    {"made", func(p *directory.Person) { p.AD, p.ADState = nil, directory.NotRead }, "undecided: made is not known: Active Directory was not read, and newest(entra.created, ad.created) asks it; if it is not set up, write made: entra.created under attributes"},
		"the second is nowhere":      {"made", func(p *directory.Person) { undated(p); p.AD, p.ADState = nil, directory.NoAccount }, "undecided: made has no value"},
		"no creation, stale use":     {"made", func(p *directory.Person) { undated(p); stale(0)(p); stale(directory.AD)(p) }, "undecided: made has no value"},
		"no title, as is meant":      {"untitled", nil, "reclaim: matches: jobTitle no value"},
		"no title, stale use":        {"text", stale(0), "undecided: " + untitled},
		"an agent without a title":   {"text", agent, "undecided: " + untitled},
		"an unreadable group beside a hidden one": {"entra", func(p *directory.Person) {
			p.Unreadable, p.AD.Unreadable = []string{"entra:G"}, []string{"primaryGroupID"}
		}, "undecided: inEntra is not known: group entra:G could not be read"},
		"an unreadable group of AD": {"ad", func(p *directory.Person) { p.Unreadable = []string{"ad:cn=g"} }, "undecided: inAD is not known: group ad:CN=G could not be read; is it there, and may the account of idleseat read its members?"},
	} {
		who := employee()
		if tc.change != nil {
			tc.change(who)
		}
		v := judge(t, p, noon).Ask(p.RuleNamed(tc.rule), who)
		if d := cmp.Diff(tc.want, v.Outcome.String()+": "+v.Reason); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	holder := employee()
	holder.Entra.Assignments, holder.Entra.LastSuccessful = nil, noon
	if d := cmp.Diff(Verdict{Holder: directory.No}, judge(t, p, noon).Ask(p.RuleNamed("closed"), holder)); d != "" {
		t.Errorf("of somebody without the license nothing is said (-want +got):\n%s", d)
	}
	if got := judge(t, p, noon).Ago(p.RuleNamed("all"), noon.Add(-time.Hour)); got != "signed in 1 hour ago" {
		t.Errorf("by a rule without dates: %s", got)
	}
	for o, want := range map[Outcome]string{Exempt: "exempt", Exempt + 1: "outcome 5", 200: "outcome 200"} {
		if got := o.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
