package words

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const asking = `
tenant: 11111111-2222-3333-4444-555555555555
attributes:
  hired: entra.hired
  adDepartment: ad.department
  used: newest(m365.teams, entra.lastActivity)
  isPilot: {memberOf: {ad: "CN=Pilots,DC=corp"}}
licenses: {l: {sku: SPE_E3}}
rules:
  - name: r
    license: l
    then: remove
    when: %s
`

// The variable "spoken" has conditions with their explanations in English and Swedish. If a part of a condition cannot
// be put into words, the explanation quotes its code.
var spoken = []struct{ in, en, sv string }{
	{`accountEnabled && isPilot`, "the account in Entra ID is enabled and the person is in the group “CN=Pilots,DC=corp” of Active Directory, directly or through another group (isPilot)", "kontot i Entra ID är aktiverat och personen är med i gruppen ”CN=Pilots,DC=corp” i Active Directory, direkt eller genom en annan grupp (isPilot)"},
	{`!accountEnabled || !isPilot`, "the account in Entra ID is disabled or the person is not in the group “CN=Pilots,DC=corp” of Active Directory (isPilot)", "kontot i Entra ID är avaktiverat eller personen står utanför gruppen ”CN=Pilots,DC=corp” i Active Directory (isPilot)"},
	{`!(accountEnabled && kind == "room" || jobTitle == "")`, "(the account in Entra ID is disabled or the kind of the account has a value other than “room”) and the job title in Entra ID has a value", "(kontot i Entra ID är avaktiverat eller kontots slag har ett annat värde än ”room”) och befattningen i Entra ID har ett värde"},
	{`accountEnabled == false`, "the account in Entra ID is disabled", "kontot i Entra ID är avaktiverat"},
	{`true != onPremisesSyncEnabled`, "the account is managed in Entra ID alone", "kontot hanteras i Entra ID ensamt"},
	{`true || false`, "this holds in every case or this holds in no case", "detta gäller i samtliga fall eller detta gäller i inget fall"},
	{`department == "IT" || "IT" != department`, "the department in Entra ID is “IT” or the department in Entra ID has a value other than “IT”", "avdelningen i Entra ID är ”IT” eller avdelningen i Entra ID har ett annat värde än ”IT”"},
	{`department == adDepartment`, "the department in Entra ID is the department in Active Directory (adDepartment)", "avdelningen i Entra ID är avdelningen i Active Directory (adDepartment)"},
	{`department != ""`, "the department in Entra ID has a value", "avdelningen i Entra ID har ett värde"},
	{`department in ["IT", "HR", "Law"]`, "the department in Entra ID is one of “IT”, “HR”, “Law”", "avdelningen i Entra ID är något av ”IT”, ”HR”, ”Law”"},
	{`!(department in ["IT", "HR"])`, "the department in Entra ID has a value other than “IT”, “HR”", "avdelningen i Entra ID har ett annat värde än ”IT”, ”HR”"},
	{`accountEnabled && department in ["", "HR"]`, "the account in Entra ID is enabled and (the department in Entra ID is one of “HR”, or has no value)", "kontot i Entra ID är aktiverat och (avdelningen i Entra ID är något av ”HR” eller saknar värde)"},
	{`!(department in ["", "HR"])`, "the department in Entra ID has a value other than “HR”", "avdelningen i Entra ID har ett annat värde än ”HR”"},
	{`department in ["IT"] && !(department in ["HR"])`, "the department in Entra ID is “IT” and the department in Entra ID has a value other than “HR”", "avdelningen i Entra ID är ”IT” och avdelningen i Entra ID har ett annat värde än ”HR”"},
	{`"IT" in [department]`, "the condition `\"IT\" in [department]` holds", "villkoret `\"IT\" in [department]` gäller"},
	{`jobTitle.startsWith("A") && !jobTitle.endsWith("Z")`, "the job title in Entra ID begins with “A” and the job title in Entra ID has a value that does not end with “Z”", "befattningen i Entra ID börjar med ”A” och befattningen i Entra ID har ett värde som inte slutar med ”Z”"},
	{`jobTitle.contains("b") && !jobTitle.contains("c")`, "the job title in Entra ID contains “b” and the job title in Entra ID has a value that does not contain “c”", "befattningen i Entra ID innehåller ”b” och befattningen i Entra ID har ett värde som inte innehåller ”c”"},
	{`!jobTitle.startsWith("A") && jobTitle.endsWith("Z")`, "the job title in Entra ID has a value that does not begin with “A” and the job title in Entra ID ends with “Z”", "befattningen i Entra ID har ett värde som inte börjar med ”A” och befattningen i Entra ID slutar med ”Z”"},
	{`jobTitle.matches("^a.*$") && !matches(mail, "^b$")`, "the job title in Entra ID fits the pattern `^a.*$` and the mail address in Entra ID has a value that does not fit the pattern `^b$`", "befattningen i Entra ID följer mönstret `^a.*$` och e-postadressen i Entra ID har ett värde som inte följer mönstret `^b$`"},
	{`AzureAdSistaLogon.earlierThan(now - days(60))`, "the last sign-in to Entra ID was more than 60 days ago", "den senaste inloggningen i Entra ID skedde för mer än 60 dagar sedan"},
	{`!AzureAdSistaLogon.earlierThan(now - days(1)) && accountEnabled`, "(the last sign-in to Entra ID was at most 1 day ago or the person has never signed in to Entra ID) and the account in Entra ID is enabled", "(den senaste inloggningen i Entra ID skedde för högst 1 dag sedan eller ingen inloggning i Entra ID finns) och kontot i Entra ID är aktiverat"},
	{`AzureAdSistaLogon.laterThan(now - duration("36h")) || !AzureAdSistaLogon.laterThan(now - duration("1m"))`, "the last sign-in to Entra ID was less than 36 hours ago or the last sign-in to Entra ID was at least 1 minute ago or the person has never signed in to Entra ID", "den senaste inloggningen i Entra ID skedde för mindre än 36 timmar sedan eller den senaste inloggningen i Entra ID skedde för minst 1 minut sedan eller ingen inloggning i Entra ID finns"},
	{`hired.laterThan(now - days(30)) && hired.earlierThan(now + duration("90s"))`, "(the hire date in Entra ID (hired) was less than 30 days ago, or lies in the future) and the hire date in Entra ID (hired) is earlier than 90 seconds from now", "(anställningsdagen i Entra ID (hired) inföll för mindre än 30 dagar sedan eller ligger i framtiden) och anställningsdagen i Entra ID (hired) infaller tidigare än 90 sekunder från nu"},
	{`hired.earlierThan(now) && hired.laterThan(now - duration("1h30m"))`, "the hire date in Entra ID (hired) is before now and (the hire date in Entra ID (hired) was less than 1h30m ago, or lies in the future)", "anställningsdagen i Entra ID (hired) infaller före nu och (anställningsdagen i Entra ID (hired) inföll för mindre än 1h30m sedan eller ligger i framtiden)"},
	{`hired.earlierThan(timestamp("2027-03-01T00:00:00+01:00"))`, "the hire date in Entra ID (hired) is before 28 February 2027 23:00 UTC", "anställningsdagen i Entra ID (hired) infaller före 28 februari 2027 kl. 23:00 UTC"},
	{`hired.earlierThan(created.value() + days(5))`, "the hire date in Entra ID (hired) is before 5 days after the creation of the account (the latest in Entra ID and Active Directory)", "anställningsdagen i Entra ID (hired) infaller före 5 dagar efter skapandet av kontot (det senaste i Entra ID och Active Directory)"},
	{`hired.value() - days(5) >= created.value()`, "the hire date in Entra ID (hired) is no earlier than 5 days after the creation of the account (the latest in Entra ID and Active Directory)", "anställningsdagen i Entra ID (hired) infaller tidigast 5 dagar efter skapandet av kontot (det senaste i Entra ID och Active Directory)"},
	{`created.value() + days(90) < now`, "the creation of the account (the latest in Entra ID and Active Directory) was more than 90 days ago", "skapandet av kontot (det senaste i Entra ID och Active Directory) skedde för mer än 90 dagar sedan"},
	{`now - days(90) > created.value()`, "the creation of the account (the latest in Entra ID and Active Directory) was more than 90 days ago", "skapandet av kontot (det senaste i Entra ID och Active Directory) skedde för mer än 90 dagar sedan"},
	{`!(created.value() <= now - days(90))`, "the creation of the account (the latest in Entra ID and Active Directory) was less than 90 days ago", "skapandet av kontot (det senaste i Entra ID och Active Directory) skedde för mindre än 90 dagar sedan"},
	{`created.value() == timestamp("2026-02-28T12:30:01.5Z")`, "the creation of the account (the latest in Entra ID and Active Directory) was exactly 28 February 2026 12:30:01.5 UTC", "skapandet av kontot (det senaste i Entra ID och Active Directory) skedde exakt 28 februari 2026 kl. 12:30:01.5 UTC"},
	{`created.value() != created.value()`, "the creation of the account (the latest in Entra ID and Active Directory) was before or after the creation of the account (the latest in Entra ID and Active Directory)", "skapandet av kontot (det senaste i Entra ID och Active Directory) skedde före eller efter skapandet av kontot (det senaste i Entra ID och Active Directory)"},
	{`used.hasValue() && !used.hasValue()`, "there is a date for at least one of the last use of Teams and the last sign-in to Entra ID (used) and there is no date for any of the last use of Teams and the last sign-in to Entra ID (used)", "det finns ett datum för minst ett av den senaste användningen av Teams och den senaste inloggningen i Entra ID (used) och datum saknas för samtliga av den senaste användningen av Teams och den senaste inloggningen i Entra ID (used)"},
	{`used.laterThan(now - days(9)) || used.hasNoValue() || used.earlierThan(now - days(90))`, "the latest of the last use of Teams and the last sign-in to Entra ID (used) was less than 9 days ago or used has no date or used was more than 90 days ago", "det senaste av den senaste användningen av Teams och den senaste inloggningen i Entra ID (used) skedde för mindre än 9 dagar sedan eller used saknar datum eller used skedde för mer än 90 dagar sedan"},
	{`hired.hasValue() || hired.hasNoValue()`, "the hire date in Entra ID (hired) has a date or the hire date in Entra ID (hired) has no date", "anställningsdagen i Entra ID (hired) har ett datum eller anställningsdagen i Entra ID (hired) saknar datum"},
	{`accountEnabled ? isPilot : department == "IT"`, "(the account in Entra ID is enabled and the person is in the group “CN=Pilots,DC=corp” of Active Directory, directly or through another group (isPilot)) or (the account in Entra ID is disabled and the department in Entra ID is “IT”)", "(kontot i Entra ID är aktiverat och personen är med i gruppen ”CN=Pilots,DC=corp” i Active Directory, direkt eller genom en annan grupp (isPilot)) eller (kontot i Entra ID är avaktiverat och avdelningen i Entra ID är ”IT”)"},
	{`department == "IT" ? accountEnabled : !isPilot`, "if the department in Entra ID is “IT”: the account in Entra ID is enabled; otherwise: the person is not in the group “CN=Pilots,DC=corp” of Active Directory (isPilot)", "om avdelningen i Entra ID är ”IT”: kontot i Entra ID är aktiverat; annars: personen står utanför gruppen ”CN=Pilots,DC=corp” i Active Directory (isPilot)"},
	{`!(department == "IT" ? accountEnabled : true) && accountEnabled`, "(if the department in Entra ID is “IT”: the account in Entra ID is disabled; otherwise: this holds in no case) and the account in Entra ID is enabled", "(om avdelningen i Entra ID är ”IT”: kontot i Entra ID är avaktiverat; annars: detta gäller i inget fall) och kontot i Entra ID är aktiverat"},
	{`accountEnabled ? true : (isPilot ? true : false)`, "if the account in Entra ID is enabled: this holds in every case; otherwise: (the person is in the group “CN=Pilots,DC=corp” of Active Directory, directly or through another group (isPilot) and this holds in every case) or (the person is not in the group “CN=Pilots,DC=corp” of Active Directory (isPilot) and this holds in no case)", "om kontot i Entra ID är aktiverat: detta gäller i samtliga fall; annars: (personen är med i gruppen ”CN=Pilots,DC=corp” i Active Directory, direkt eller genom en annan grupp (isPilot) och detta gäller i samtliga fall) eller (personen står utanför gruppen ”CN=Pilots,DC=corp” i Active Directory (isPilot) och detta gäller i inget fall)"},
	{`!(size(jobTitle) > 3)`, "the condition `!(size(jobTitle) > 3)` holds", "villkoret `!(size(jobTitle) > 3)` gäller"},
	{`["a", "b"].exists(x, x == department) && ["a"].all(x, x != mail)`, "the condition `[\"a\", \"b\"].exists(x, x == department)` holds and the condition `[\"a\"].all(x, x != mail)` holds", "villkoret `[\"a\", \"b\"].exists(x, x == department)` gäller och villkoret `[\"a\"].all(x, x != mail)` gäller"},
	{`created.value() < now - days(3) - days(4)`, "the condition `created.value() < now - days(3) - days(4)` holds", "villkoret `created.value() < now - days(3) - days(4)` gäller"},
	{`created.orValue(now) < now - days(3)`, "the condition `created.orValue(now) < now - days(3)` holds", "villkoret `created.orValue(now) < now - days(3)` gäller"},
	{`department < "K"`, "the condition `department < \"K\"` holds", "villkoret `department < \"K\"` gäller"},
}

func TestConditions(t *testing.T) {
	t.Parallel()
	text := fmt.Sprintf(asking, `"true"`)
	for i, tc := range spoken { // Load accepts each condition
		text += fmt.Sprintf("  - {name: r%d, license: l, then: remove, when: %q}\n", i, tc.in)
	}
	p := load(t, text)
	for _, tc := range spoken {
		for l, want := range map[Language]string{English: tc.en, Swedish: tc.sv} {
			got, err := Condition(l, p, tc.in)
			if err != nil {
				t.Fatalf("%s: %v", tc.in, err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s in %s (-want +got):\n%s", tc.in, l, d)
			}
		}
	}
}

// In an exemption, a text without a value counts as different from every other text. The words of the exemption say so,
// with "or has no value". The words of a rule do not.
func TestExemption(t *testing.T) {
	t.Parallel()
	p := load(t, fmt.Sprintf(asking, `"true"`))
	for in, want := range map[string]string{
		`userType != "Guest" && accountEnabled`: "(the user type in Entra ID has a value other than “Guest”, or has no value) and the account in Entra ID is enabled",
		`!(department in ["IT", "HR"])`:         "the department in Entra ID has a value other than “IT”, “HR”, or has no value",
		`!(department in ["IT", ""])`:           "the department in Entra ID has a value other than “IT”",
		`!mail.endsWith("x")`:                   "the mail address in Entra ID has a value that does not end with “x”, or has no value",
		`userType == "Guest"`:                   "the user type in Entra ID is “Guest”",
		`userType != ""`:                        "the user type in Entra ID has a value",
	} {
		if got, err := Exemption(English, p, in); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", in, got, err, want)
		}
		if rule, err := Condition(English, p, in); err != nil || strings.Contains(rule, "or has no value") {
			t.Errorf("%s in a rule: %q, %v", in, rule, err)
		}
	}
}

// TestEveryFunction: each function and operator either has words, shown by a condition in "spoken", or the condition
// with it is quoted as code.
func TestEveryFunction(t *testing.T) {
	t.Parallel()
	p := load(t, fmt.Sprintf(asking, `"true"`))
	// The variable "uncommon" has a condition for each function and operator that cannot be put into words.
	uncommon := map[string]string{
		"bool": `bool(mail)`, "bytes": `bytes(mail) == bytes("x")`, "double": `double(mail) == 1.0`, "first": `[mail].first() == optional.of("x")`,
		"int": `int(mail) == 7`, "last": `[mail].last() == optional.of("x")`, "optional.none": `created == optional.none()`,
		"optional.of": `created == optional.of(now)`, "optional.ofNonZeroValue": `optional.ofNonZeroValue(mail) == optional.of("x")`,
		"optional.unwrap": `optional.unwrap([created]) == [now]`, "or": `created.or(hired).hasNoValue()`, "orValue": `created.orValue(now) < now`,
		"size": `size(mail) > 3`, "string": `string(now) == mail`, "uint": `uint(mail) == 7u`, "unwrapOpt": `[created].unwrapOpt() == [now]`,
		"+": `mail + jobTitle == "x"`, "-": `size(mail) - 1 == 2`, "*": `size(mail) * 2 == 4`, "/": `size(mail) / 2 == 4`, "%": `size(mail) % 2 == 4`,
		"[]": `[mail][0] == "x"`, "exists_one": `["a"].exists_one(x, x == mail)`, "map": `["a"].map(x, x + mail) == ["b"]`,
		"filter": `["a"].filter(x, x == mail) == []`, "exists": `["a"].exists(x, x == mail)`, "all": `["a"].all(x, x == mail)`,
		"optMap": `(created.optMap(x, x < now)).orValue(true)`, "optFlatMap": `(created.optFlatMap(x, hired)).hasNoValue()`,
	}
	all := []string{"&&", "||", "!", "==", "!=", "<", "<=", ">", ">=", "in", "?", "now", "+", "-", "*", "/", "%", "[]",
		"exists", "all", "exists_one", "map", "filter", "optMap", "optFlatMap"}
	page, err := os.ReadFile("../../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "generated: functions")
	table, _, _ = strings.Cut(table, "end of functions")
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-zA-Z.]+)`").FindAllStringSubmatch(table, -1) {
		all = append(all, row[1])
	}
	if len(all) < 45 {
		t.Fatalf("only %d functions: %q", len(all), all)
	}
	for _, name := range all {
		word := name
		if regexp.MustCompile(`^\w`).MatchString(name) {
			word = name + "("
		}
		if name == "now" || name == "in" {
			word = name
		}
		if code := uncommon[name]; code != "" {
			for l, form := range map[Language]string{English: english.code, Swedish: swedish.code} {
				if got, err := Condition(l, p, code); err != nil || got != fmt.Sprintf(form, code) {
					t.Errorf("%s: %q, %v", code, got, err)
				}
			}
		} else if !slices.ContainsFunc(spoken, func(s struct{ in, en, sv string }) bool { return strings.Contains(s.in, word) }) {
			t.Errorf("no condition of this test has %s", name)
		}
	}
}

// The type "term" is a random condition. Each element of "mention" has alternatives, separated by |, and the words of
// the condition must contain one of them.
type term struct {
	code    string
	mention []map[Language]string
}

func both(text string) map[Language]string {
	return map[Language]string{English: text, Swedish: text}
}

func randomTerm(r *rand.Rand, depth int) term {
	attribute := func(name, en, sv string) map[Language]string {
		return map[Language]string{English: en + "|" + name, Swedish: sv + "|" + name}
	}
	days := func() (string, map[Language]string) {
		n := 2 + r.IntN(3000)
		return fmt.Sprintf("days(%d)", n), map[Language]string{English: fmt.Sprintf("%d days", n) + "|" + fmt.Sprintf("days(%d)", n), Swedish: fmt.Sprintf("%d dagar", n) + "|" + fmt.Sprintf("days(%d)", n)}
	}
	date := func() (string, map[Language]string) {
		pick := [][3]string{{"AzureAdSistaLogon", "sign", "logg"}, {"LastlogonTimestamp", "log", "logg"}, {"created", "creation", "skapandet"}, {"hired", "hire date", "anställningsdagen"}}[r.IntN(4)]
		return pick[0], attribute(pick[0], pick[1], pick[2])
	}
	text := func() (string, map[Language]string) {
		pick := [][3]string{{"department", "department in Entra", "avdelningen i Entra"}, {"adDepartment", "department in Active", "avdelningen i Active"}, {"jobTitle", "job title", "befattningen"}, {"extensionAttribute3", "extension attribute 3", "tilläggsattribut 3"}}[r.IntN(4)]
		return pick[0], attribute(pick[0], pick[1], pick[2])
	}
	if depth > 0 {
		a, b := randomTerm(r, depth-1), randomTerm(r, depth-1)
		mention := append(slices.Clone(a.mention), b.mention...)
		switch r.IntN(5) {
		case 0, 1:
			return term{"(" + a.code + " && " + b.code + ")", mention}
		case 2:
			return term{"(" + a.code + " || " + b.code + ")", mention}
		case 3:
			return term{"!(" + a.code + ")", a.mention}
		default:
			c := randomTerm(r, 0)
			return term{"(" + c.code + " ? " + a.code + " : " + b.code + ")", append(mention, c.mention...)}
		}
	}
	span, spanWords := days()
	literal := fmt.Sprintf("v%d", r.IntN(1000))
	switch of := r.IntN(10); of {
	case 0:
		name, words := date()
		return term{name + "." + []string{"hasValue", "hasNoValue"}[r.IntN(2)] + "()", []map[Language]string{words}}
	case 1, 2:
		name, words := date()
		return term{name + "." + []string{"earlierThan", "laterThan"}[r.IntN(2)] + "(now - " + span + ")", []map[Language]string{words, spanWords}}
	case 3:
		name, words := date()
		return term{name + ".value() " + []string{"<", "<=", ">", ">=", "==", "!="}[r.IntN(6)] + " now - " + span, []map[Language]string{words, spanWords}}
	case 4:
		name, words := date()
		year := 1990 + r.IntN(90)
		return term{fmt.Sprintf(`%s.earlierThan(timestamp("%d-01-02T00:00:00Z"))`, name, year), []map[Language]string{words, both(fmt.Sprint(year))}}
	case 5:
		name, words := text()
		return term{fmt.Sprintf(`%s.%s("%s")`, name, []string{"startsWith", "endsWith", "contains"}[r.IntN(3)], literal), []map[Language]string{words, both(literal)}}
	case 6:
		name, words := text()
		return term{fmt.Sprintf(`%s in ["%s", "w%d"]`, name, literal, r.IntN(9)), []map[Language]string{words, both(literal)}}
	case 7:
		name, words := text()
		return term{fmt.Sprintf(`size(%s) > %d`, name, r.IntN(3000)), []map[Language]string{words}}
	case 8:
		return term{"accountEnabled", []map[Language]string{attribute("accountEnabled", "the account in Entra", "kontot i Entra")}}
	default:
		name, words := text()
		return term{fmt.Sprintf(`%s %s "%s"`, name, []string{"==", "!="}[r.IntN(2)], literal), []map[Language]string{words, both(literal)}}
	}
}

// TestRandomConditions: the words of a condition mention each attribute and constant in it. After a small change of the
// condition, its words are different.
func TestRandomConditions(t *testing.T) {
	t.Parallel()
	p := load(t, fmt.Sprintf(asking, `"true"`))
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	changes := [][2]string{{" < ", " <= "}, {" > ", " >= "}, {" == ", " != "}, {"earlierThan", "laterThan"}, {"hasValue", "hasNoValue"}, {" && ", " || "},
		{"startsWith", "endsWith"}, {"days(", "days(1"}, {"now - ", "now + "}, {"accountEnabled", "!accountEnabled"}, {`"v`, `"V`}, {"?", "&& accountEnabled ?"}}
	changed := 0
	for range 1500 {
		one := randomTerm(r, r.IntN(4))
		for _, l := range Languages {
			said, err := Condition(l, p, one.code)
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, one.code, err)
			}
			for _, m := range one.mention {
				if !slices.ContainsFunc(strings.Split(m[l], "|"), func(word string) bool { return strings.Contains(said, word) }) {
					t.Fatalf("seed %d: %s\nis in words %q\nwhich does not mention %q", seed, one.code, said, m[l])
				}
			}
			change := changes[r.IntN(len(changes))]
			if other := strings.Replace(one.code, change[0], change[1], 1); other != one.code {
				changed++
				if too, err := Condition(l, p, other); err != nil || too == said {
					t.Fatalf("seed %d: %s\nand %s\nare both %q (%v)", seed, one.code, other, said, err)
				}
			}
		}
	}
	if changed < 250 {
		t.Errorf("seed %d: only %d conditions were changed", seed, changed)
	}
}

func TestAttribute(t *testing.T) {
	t.Parallel()
	p := load(t, fmt.Sprintf(asking, `"true"`))
	for name, want := range map[string]string{"used": "the latest of the last use of Teams and the last sign-in to Entra ID (used)", "accountEnabled": "the account in Entra ID is enabled", "nothing": ""} {
		if got, known := Attribute(English, p, name); got != want || known != (want != "") {
			t.Errorf("%s: %q, %t", name, got, known)
		}
	}
	if Language("de").Known() || !Swedish.Known() {
		t.Error("English and Swedish are known, and no other language is")
	}
	if _, err := Condition(English, p, "a &&"); err == nil {
		t.Error("half a condition has words")
	}
	if got := Sentence("är så"); got != "Är så." {
		t.Error(got)
	}
}

// Denial puts into words that a condition does not hold. It leaves out the case that there is no value.
func TestDenial(t *testing.T) {
	t.Parallel()
	p := load(t, fmt.Sprintf(asking, `"true"`))
	for in, want := range map[string]string{
		`AzureAdSistaLogon.earlierThan(now - days(60))`: "the last sign-in to Entra ID was at most 60 days ago",
		`userType == "Guest"`:                           "the user type in Entra ID has a value other than “Guest”",
		`accountEnabled`:                                "the account in Entra ID is disabled",
	} {
		got, err := Denial(English, p, in)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", in, got, err, want)
		}
	}
}
