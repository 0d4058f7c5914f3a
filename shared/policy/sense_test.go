package policy

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// Load rejects a condition that makes no sense, and says how to fix it. LoadKept accepts the condition.
func TestSenseless(t *testing.T) {
	t.Parallel()
	const never, always, regex, null = "never later than now, so that this never holds; for less than 90 days ago write", "so that this holds for everybody who has it; for longer ago than 90 days write", "begin the pattern with ^ and end it with $", "nothing is ever null; to test for a "
	for when, want := range map[string]string{
		`AzureAdSistaLogon == null`:                                                 null,
		`AzureAdSistaLogon != null`:                                                 null,
		`null != LastlogonTimestamp || accountEnabled`:                              null,
		`accountEnabled && !(AzureAdSistaLogon == null)`:                            null,
		`AzureAdSistaLogon.laterThan(now + days(90))`:                               never,
		`AzureAdSistaLogon.laterThan(now)`:                                          never,
		`AzureAdSistaLogon.value() > now`:                                           never,
		`now < AzureAdSistaLogon.value()`:                                           never,
		`AzureAdSistaLogon.value() - days(90) > now`:                                never,
		`AzureAdSistaLogon.earlierThan(now + days(90))`:                             always,
		`AzureAdSistaLogon.earlierThan(now)`:                                        always,
		`created.value() <= now + days(30) - days(10)`:                              always,
		`now + days(90) > created.value()`:                                          always,
		`now >= created.value()`:                                                    always,
		`accountEnabled ? created.value() - days(1) < now : false`:                  always,
		`now > now - days(90)`:                                                      "both sides are now",
		`AzureAdSistaLogon.earlierThan(now - days(60))`:                             "",
		`AzureAdSistaLogon.earlierThan(now - days(60) + days(1))`:                   "",
		`AzureAdSistaLogon.value() + days(90) < now`:                                "",
		`now - days(90) > created.value()`:                                          "",
		`created.laterThan(now - days(30))`:                                         "",
		`now > timestamp("2027-03-01T00:00:00Z")`:                                   "",
		`AzureAdSistaLogon.earlierThan(created.value() + days(30))`:                 "", // last use in the first month
		`[timestamp("2027-03-01T00:00:00Z")].exists(t, t < now)`:                    "", // each time is a literal
		`timestamp("2027-03-01T00:00:00Z") + days(1) < now`:                         "",
		`timestamp("2026-01-01T00:00:00Z") < created.value()`:                       "",
		`AzureAdSistaLogon.orValue(now + days(1)) > now`:                            "", // true for a person who never signed in
		`created.value() + (now - AzureAdSistaLogon.value()) < now`:                 "", // the account is older than the idle time
		`created.value() == now`:                                                    "",
		`department.matches("IT")`:                                                  regex,
		`department.matches("^IT")`:                                                 regex,
		`department.matches("IT$")`:                                                 regex,
		`department.matches("^IT$|Sales")`:                                          regex,
		`department.matches("^IT|Sales$")`:                                          regex,
		`department.matches("(?i)^it$|^a|b$")`:                                      regex,
		`department.matches("^IT$|^Sales( EMEA)?$")`:                                "",
		`department.matches("^(IT|Sales)$")`:                                        "",
		`department.matches("(^IT.*|.*Sales$)")`:                                    "",
		`department.matches("^IT.*")`:                                               "",
		`department.matches(".*Sales.*")`:                                           "",
		`department.matches("^Sales")`:                                              regex,
		`department.matches("^ITx*")`:                                               regex,
		`department.matches("x*IT$")`:                                               regex,
		`department.matches("(^IT)(Sales$)")`:                                       "",
		`department.matches("(IT)")`:                                                regex,
		`department.matches("(?s)^IT.*")`:                                           "",
		`department.matches("^` + strings.Repeat("a", 254) + `$")`:                  "",
		`department.matches(jobTitle)`:                                              "a regular expression that is written out",
		`department.matches("^` + strings.Repeat("a?", 128) + `$")`:                 "the regular expression has 258 bytes, and 256 are allowed",
		`["IT", "Sales"].exists(d, department.matches("^" + d))`:                    "a regular expression that is written out",
		`department == "" || department in ["", "IT"]`:                              "",
		`department.contains("x") && size(department) > 3`:                          "",
		`AzureAdSistaLogon.hasNoValue() && AzureAdSistaLogon == LastlogonTimestamp`: "",
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			text := []byte(strings.Replace(right, " AzureAdSistaLogon.hasNoValue()", " |\n      "+when, 1))
			_, err := Load("p", text)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			if err != nil && !strings.Contains(err.Error(), "\n | "+when+"\n | ") {
				t.Errorf("no pointer to the place: %v", err)
			}
			if _, err := LoadKept("p", text); err != nil && !strings.Contains(err.Error(), "may cost") {
				t.Errorf("a policy that a run has kept: %v", err)
			}
		})
	}
}

// A condition has a word that it cannot have, such as olderThan or isNull. The message says what to write instead. It
// never suggests the opposite of what the author means.
func TestWords(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]string{
		`AzureAdSistaLogon.olderThan(now - days(60))`:                 "there is no function olderThan; what it says is written earlierThan: X.earlierThan(now - days(60)) is longer ago than 60 days",
		`AzureAdSistaLogon.newerThan(now - days(60))`:                 "there is no function newerThan; what it says is written laterThan: X.laterThan(now - days(60)) is less long ago than 60 days",
		`AzureAdSistaLogon.before(now - days(60))`:                    "written earlierThan",
		`AzureAdSistaLogon.isNull()`:                                  "written hasNoValue: X.hasNoValue() is never",
		`AzureAdSistaLogon.olderThanDays(90)`:                         "there is no function olderThanDays; of a date, X.earlierThan(now - days(60)) is longer ago than 60 days, X.laterThan(now - days(60)) is less long ago",
		`department.startswith("x")`:                                  "letter case counts in names: write startsWith",
		`AzureADSistaLogon.hasNoValue()`:                              "letter case counts in names: write AzureAdSistaLogon",
		`accountDisabled`:                                             `the policy has no attribute accountDisabled; define it under attributes`,
		`notStaff`:                                                    `the policy has no attribute notStaff; define it under attributes`,
		`!inPilot`:                                                    `the policy has no attribute inPilot; define it under attributes with the field that it stands for`,
		`systemRole == Employee`:                                      `the policy has no attribute Employee; if it is a text, write "Employee"; otherwise define it under attributes`,
		`departmnet == "IT"`:                                          `did you mean "department"?`,
		`AzureAdSistaLogon < now - days(60)`:                          "a date can be missing, so < and > cannot compare it; write AzureAdSistaLogon.earlierThan(now - days(60)) for more than 60 days ago\n",
		`AzureAdSistaLogon < "2026-01-01"`:                            `write AzureAdSistaLogon.earlierThan(timestamp("2026-01-01T00:00:00Z"))` + "\n",
		`AzureAdSistaLogon < "spring"`:                                "write AzureAdSistaLogon.earlierThan(now - days(60)) for more than 60 days ago\n",
		`AzureAdSistaLogon.earlierThan(60)`:                           `needs a point in time: AzureAdSistaLogon.earlierThan(now - days(60)), or AzureAdSistaLogon.earlierThan(timestamp(`,
		`department.earlierThan("2026-01-01")`:                        "earlierThan comes after a date and needs a point in time: X.earlierThan(now - days(60))",
		`AzureAdSistaLogon.earlierThan(now-days("9"))`:                "days takes a whole number without quotes: days(60)",
		`now > timestamp(true)`:                                       `timestamp takes a text: timestamp("2027-03-01T00:00:00Z")`,
		`now > timestamp("spring")`:                                   `timestamp takes a text like "2027-03-01T00:00:00Z"` + "\n",
		`now - duration(36) > now`:                                    `duration takes a text: duration("36h"); a number of days is written days(60)`,
		`accountEnabled && AzureAdSistaLogon`:                         "this is a date, and a condition is true or false: X.earlierThan",
		`now == null`:                                                 neverNull,
		`created.value() + (now - AzureAdSistaLogon.value()) == null`: neverNull,
		`nobody.optMap(x, x < now).orValue(true)`:                     "the policy has no attribute nobody; define it", // CEL finds the name twice
		`created.value() == hired.value()`:                            "the policy has no attribute hired; define it under attributes",
		`AzureAdSistaLogon.earlierThan("2026-01-01")`:                 `needs a point in time, not a text: AzureAdSistaLogon.earlierThan(timestamp("2026-01-01T00:00:00Z"))`,
		`AzureAdSistaLogon.earlierThan(days(90))`:                     "days(60) is a span of time: write AzureAdSistaLogon.earlierThan(now - days(60))",
		`AzureAdSistaLogon.earlierThan(now - 90)`:                     "a number of days is written days(60)",
		`AzureAdSistaLogon.earlierThan(now - 90 days)`:                "a number of days is written days(60)",
		`AzureAdSistaLogon.earlierThan(90 days)`:                      "a number of days is written days(60)",
		`AzureAdSistaLogon.hasValue`:                                  "hasValue needs parentheses: AzureAdSistaLogon.hasValue()",
		`hasNoValue(AzureAdSistaLogon)`:                               "comes after a date: X.hasNoValue()",
		`AzureAdSistaLogon`:                                           "but this is a date: X.earlierThan",
		`systemRole`:                                                  "but this is a text: compare it",
		`created.value() < "2026-01-01"`:                              `an instant is written timestamp("2027-03-01T00:00:00Z"), or now - days(60)`,
		`accountEnabled and staff`:                                    `"and" is written &&`,
		`accountEnabled OR staff`:                                     `"or" is written ||`,
		`not accountEnabled`:                                          `"not" is written !`,
		`department == "A and B" staff`:                               "this is not an expression of the language",
		`department = "IT"`:                                           "write == to compare, not =",
		`department <> "IT"`:                                          `"is not" is written !=`,
		`department == "IT`:                                           "the closing quote is missing",
		`department == null`:                                          `for a text X == ""`,
		`department in "IT"`:                                          "in takes a list",
		`department like "IT%"`:                                       `X.startsWith("…")`,
		`"IT" == 15`:                                                  `a text is compared with a text in quotes: X == "15"`,
		`department == size(mail)`:                                    `a text is compared with a text in quotes: X == "15"`,
		`department in [("IT", "Sales")]`:                             "something is missing here: && or || joins two conditions",
		`department.startWit("x")`:                                    "there is no function startWit; did you mean startsWith?",
		`sizeOf(department) > 3`:                                      "there is no function sizeOf; of a date,",
		`AzureAdSistaLogon.eatierThan(now - days(9))`:                 "there is no function eatierThan; of a date,", // as near to earlierThan as to laterThan
		`department == 15`:                                            `department is a text; write department == "15"`,
		`department == 1.5`:                                           `department is a text; write department == "1.5"`,
		`accountEnabled &&`:                                           "a condition is missing after &&",
		`accountEnabled || // or so`:                                  "a condition is missing after ||",
		`accountEnabled staff // and so on`:                           "this is not an expression of the language",
		`accountEnabled and department == "//"`:                       `"and" is written &&`,
		`accountEnabled == "true"`:                                    "accountEnabled is already true or false; write accountEnabled, or !accountEnabled for not",
		`if accountEnabled then staff`:                                "CONDITION ? THIS : THAT",
		`(accountEnabled && staff`:                                    "a ) is missing",
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			_, err := Load("p", []byte(strings.Replace(right, " AzureAdSistaLogon.hasNoValue()", " |\n      "+when, 1)))
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v, want %q", err, want)
			}
			if n := strings.Count(err.Error(), "p:"); n != 1 {
				t.Errorf("%d findings:\n%v", n, err)
			}
			if strings.Contains(err.Error(), "(did you mean") || strings.Count(err.Error(), "did you mean") > strings.Count(want, "did you mean") {
				t.Errorf("a guess by letters: %v", err)
			}
		})
	}
}

// In YAML, a condition that begins with ! is read as a tag. The error suggests the same text in quotes, and the
// suggestion keeps the !.
func TestBangOutsideQuotes(t *testing.T) {
	t.Parallel()
	for _, bare := range []string{"!inPilot", "!staff", "!accountEnabled && staff", "!(staff)"} {
		_, err := Load("p", []byte(strings.Replace(right, "    when:", "    for: "+bare+"\n    when:", 1)))
		if err == nil || !strings.Contains(err.Error(), "p:17:") || !strings.Contains(err.Error(), "write for: '"+bare+"'") || strings.Contains(err.Error(), "remove") {
			t.Errorf("for: %s: %v", bare, err)
		}
	}
	for _, quoted := range []string{"'!staff'", "|\n      !staff"} {
		p, err := Load("p", []byte(strings.Replace(right, "    when:", "    for: "+quoted+"\n    when:", 1)))
		if err != nil || p.Rules[0].ForSource != "!staff" {
			t.Errorf("for: %s: %v", quoted, err)
		}
	}
}

// For a misspelt name, a known name is suggested only if the two cannot mean different things. So e3 is not suggested
// for e5, and active is not suggested for inactive.
func TestDidYouMean(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ word, known, want string }{
		{"departmnet", "department", "department"}, {"acountEnabled", "accountEnabled", "accountEnabled"}, {"perrun", "perRun", "perRun"},
		{"lastLogonTimestamp", "ad.lastLogonTimestamp", "ad.lastLogonTimestamp"}, {"mod", "mode", "mode"},
		{"olderThan", "laterThan", ""}, {"accountDisabled", "accountEnabled", ""}, {"inactive", "active", ""}, {"notPilot", "pilot", ""}, {"isExternal", "isInternal", ""},
		{"hasValue", "hasNoValue", ""}, {"e5", "e3", ""}, {"SPE_E5", "SPE_E3", ""}, {"exo", "e3", ""}, {"unlicensed", "licensed", ""}, {"disabled", "enabled", ""},
		{"extensionAttribute1x", "extensionAttribute2", ""},
	} {
		got := didYouMean(tc.word, []string{tc.known})
		want := ""
		if tc.want != "" {
			want = fmt.Sprintf("; did you mean %q?", tc.want)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", tc.word, got, want)
		}
	}
}

// A hire date may be in the future. A sign-in or a creation may not, so Load rejects its comparison with now.
func TestDatesThatMayLieAhead(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	p.attributes["hired"] = fieldAttribute("hired", "hr.hired", &directory.Field{Name: "hr.hired", Kind: directory.Date, Meaning: directory.Plain})
	p.attributes["first"] = fieldAttribute("first", "newest", p.attributes["created"].fields[0], p.attributes["hired"].fields[0])
	for when, want := range map[string]bool{
		"hired.laterThan(now)": true, "now < hired.value()": true, "hired.earlierThan(now + days(7))": true, "first.laterThan(now)": true,
		"created.laterThan(now)": false, "AzureAdSistaLogon.laterThan(now)": false,
	} {
		c, err := newCompiler(&reader{name: "p", lines: []string{when}}, p)
		if err != nil {
			t.Fatal(err)
		}
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: when, Line: 1, Column: 1}
		if got := c.compile(n, "when") != nil; got != want {
			t.Errorf("%s: accepted %t: %v", when, got, c.faults)
		}
	}
}
