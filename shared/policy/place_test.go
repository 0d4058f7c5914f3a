package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var conditionFaults = []struct{ name, when, want string }{
	{"misspelt attribute", ` AzureAdSistaLogin.hasNoValue()`, `p:17:11: the policy has no attribute AzureAdSistaLogin; did you mean "AzureAdSistaLogon"? Otherwise define it under attributes with the field that it stands for
 | AzureAdSistaLogin.hasNoValue()
 | ^`},
	{"wrong type", ` accountEnabled && department`, `p:17:29: this is neither true nor false: compare it, as in department == "Sales"
 | accountEnabled && department
 | ..................^`},
	{"syntax", ` accountEnabled &&`, `p:17:28: a condition is missing after &&
 | accountEnabled &&
 | .................^`},
	{"not a bool", ` now`, `p:17:11: when must be true or false, but this is of type google.protobuf.Timestamp`},
	{"single quotes", ` 'department == ''x'' && oops'`, `p:17:35: the policy has no attribute oops; define it under attributes with the field that it stands for. The policy's attributes are staff, AzureAdSistaLogon, LastlogonTimestamp, created, systemRole; text and true/false properties of Entra ID, such as department, work under their own names
 | department == 'x' && oops
 | .....................^`},
	{"double quotes", ` "department == \"x\" && oops"`, `p:17:35: the policy has no attribute oops; define it under attributes with the field that it stands for. The policy's attributes are staff, AzureAdSistaLogon, LastlogonTimestamp, created, systemRole; text and true/false properties of Entra ID, such as department, work under their own names
 | department == "x" && oops
 | .....................^`},
	{"escaped letters", ` "\u006fops"`, `p:17:11: the policy has no attribute oops; define it under attributes with the field that it stands for. The policy's attributes are staff, AzureAdSistaLogon, LastlogonTimestamp, created, systemRole; text and true/false properties of Entra ID, such as department, work under their own names
 | oops
 | ^`},
	{"block", " |\n\n      accountEnabled &&\n        oops", `p:20:9: the policy has no attribute oops; define it under attributes with the field that it stands for. The policy's attributes are staff, AzureAdSistaLogon, LastlogonTimestamp, created, systemRole; text and true/false properties of Entra ID, such as department, work under their own names
 |   oops
 | ..^`},
	{"block with its own indentation", " |2-\n        accountEnabled &&\n      oops", `p:19:7: the policy has no attribute oops; define it under attributes with the field that it stands for. The policy's attributes are staff, AzureAdSistaLogon, LastlogonTimestamp, created, systemRole; text and true/false properties of Entra ID, such as department, work under their own names
 | oops
 | ^`},
	{"folded", " >-\n      accountEnabled &&\n      oops", `p:19:7: the policy has no attribute oops; define it under attributes with the field that it stands for. The policy's attributes are staff, AzureAdSistaLogon, LastlogonTimestamp, created, systemRole; text and true/false properties of Entra ID, such as department, work under their own names
 | accountEnabled && oops
 | ..................^`},
	{"plain over two lines", " accountEnabled &&\n      oops", `p:18:7: the policy has no attribute oops; define it under attributes with the field that it stands for. The policy's attributes are staff, AzureAdSistaLogon, LastlogonTimestamp, created, systemRole; text and true/false properties of Entra ID, such as department, work under their own names
 | accountEnabled && oops
 | ..................^`},
	{"days of nothing", ` now - days(0) > now`, `p:17:22: days takes a whole number from 1 to 3650, such as days(60)
 | now - days(0) > now
 | ...........^`},
	{"days beyond", ` now - days(200000) > now`, `p:17:22: days takes a whole number from 1 to 3650, such as days(60)
 | now - days(200000) > now
 | ...........^`},
	{"days computed", ` now - days(1 + 1) > now`, `p:17:24: days takes a whole number from 1 to 3650, such as days(60)
 | now - days(1 + 1) > now
 | .............^`},
	{"huge duration", ` now - duration("87601h") > now`, `p:17:26: duration takes a text like "36h" of at most 3650 days; or write days(n)
 | now - duration("87601h") > now
 | ...............^`},
	{"duration of nonsense", ` now - duration("2 months") > now`, `p:17:26: duration takes a text like "36h" of at most 3650 days; or write days(n)
 | now - duration("2 months") > now
 | ...............^`},
	{"timestamp of nonsense", ` now > timestamp("2027-03-01")`, `p:17:27: a day needs its hour, too: write timestamp("2027-03-01T00:00:00Z")
 | now > timestamp("2027-03-01")
 | ................^`},
	{"duration of a person", ` now - duration(department) > now`, `p:17:26: duration takes a text like "36h" of at most 3650 days; or write days(n)
 | now - duration(department) > now
 | ...............^`},
	{"timestamp of a person", ` timestamp(department) > now`, `p:17:21: timestamp takes a text like "2027-03-01T00:00:00Z"; or map a date field to an attribute
 | timestamp(department) > now
 | ..........^`},
	{"hour of the run", ` now.getHours() > 3`, `p:17:23: there is no function getHours; of a date, X.earlierThan(now - days(60)) is longer ago than 60 days, X.laterThan(now - days(60)) is less long ago, X.hasNoValue() is never, X.hasValue() is at any time; of a text, X == "…", X != "…", X in ["…"], X.startsWith("…"), X.endsWith("…"), X.contains("…")
 | now.getHours() > 3
 | ............^`},
	{"hidden type", ` dyn(department) == 3`, `p:17:14: there is no function dyn; of a date, X.earlierThan(now - days(60)) is longer ago than 60 days, X.laterThan(now - days(60)) is less long ago, X.hasNoValue() is never, X.hasValue() is at any time; of a text, X == "…", X != "…", X in ["…"], X.startsWith("…"), X.endsWith("…"), X.contains("…")
 | dyn(department) == 3
 | ...^`},
	{"loop hides an attribute", ` '["a"].exists(department, department == "x")'`, `p:17:24: "department" is an attribute; choose another name for the loop
 | ["a"].exists(department, department == "x")
 | ............^`},
	{"bad regex", ` department.matches("(")`, `p:17:30: the pattern is not a regular expression, or is too large. * must follow something: "^.*Intern.*$" finds Intern anywhere. For a literal dot or bracket write \\ before it
 | department.matches("(")
 | ...................^`},
	{"too dear", ` '[1,2,3,4,5,6,7,8,9].exists(a, [1,2,3,4,5,6,7,8,9].exists(b, [1,2,3,4,5,6,7,8,9].exists(c, [1,2,3,4,5,6,7,8,9].exists(d, department.contains(mail)))))'`,
		`p:17:12: when may cost`},
	{"empty", ``, `p:17:10: when must be text, not empty`},
	{"a list", ` [true]`, `p:17:11: when must be text, not a list`},
	{"too long", " '" + strings.Repeat(" ", MaxCondition) + "true'", `p:17:11: `},
}

// TestConditionFaults: the message about a fault in a condition shows the right line and column, and the mark ^ below
// the right character. This holds for each style in which YAML can write the condition.
func TestConditionFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range conditionFaults {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(right, " AzureAdSistaLogon.hasNoValue()", tt.when, 1)
			_, err := Load("p", []byte(text))
			if err == nil {
				t.Fatal("Load took it")
			}
			if strings.HasSuffix(tt.want, "cost") || strings.HasSuffix(tt.want, ": ") {
				if !strings.HasPrefix(err.Error(), tt.want) {
					t.Errorf("got %v, want %s…", err, tt.want)
				}
				return
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
