package words

import (
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

var english = tongue{
	quote: "“%s”", and: " and ", or: " or ", both: " and ",
	code: "the condition `%s` holds", notCode: "the condition `!(%s)` holds",
	always: "this holds in every case", never: "this holds in no case",
	choose: "if %s: %s; otherwise: %s",

	nothing: "%s has no value", something: "%s has a value",
	same: "%s is %s", other: "%s has a value other than %s",
	oneOf: "%s is one of %s", noneOf: "%s has a value other than %s",
	orNone:      "%s, or has no value",
	oneOfOrNone: "%s is one of %s, or has no value",
	begins:      "%s begins with %s", notBegins: "%s has a value that does not begin with %s",
	ends: "%s ends with %s", notEnds: "%s has a value that does not end with %s",
	contains: "%s contains %s", notContains: "%s has a value that does not contain %s",
	matches: "%s fits the pattern %s", notMatches: "%s has a value that does not fit the pattern %s",

	isMember:    "the person is in the group %s of %s, directly or through another group",
	notMember:   "the person is not in the group %s of %s",
	directories: map[string]string{"entra": "Entra ID", "ad": "Active Directory"},
	in:          "%s in %s", named: "%s (%s)",
	latest: "%s (the latest in %s)", latestOf: "the latest of %s",

	days: [2]string{"%s day", "%s days"}, hours: [2]string{"%s hour", "%s hours"},
	minutes: [2]string{"%s minute", "%s minutes"}, seconds: [2]string{"%s second", "%s seconds"},
	now: "now",
	months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September",
		"October", "November", "December"},
	instant: "%[1]d %[2]s %[3]d %[4]s UTC",

	happened: "was", was: "was", lies: "is",
	ago: comparison{"%s %s more than %s ago", "%s %s at least %s ago", "%s %s less than %s ago",
		"%s %s at most %s ago", "%s %s exactly %s ago", "%s %s more or less than %s ago"},
	orAhead: "%s, or lies in the future",
	fromNow: comparison{"%s %s earlier than %s from now", "%s %s no later than %s from now", "%s %s later than %s from now",
		"%s %s no earlier than %s from now", "%s %s exactly %s from now", "%s %s earlier or later than %s from now"},
	atNow: comparison{"%s %s before now", "%s %s no later than now", "%s %s after now", "%s %s no earlier than now",
		"%s %s exactly now", "%s %s before or after now"},
	at: comparison{"%s %s before %s", "%s %s no later than %s", "%s %s after %s", "%s %s no earlier than %s",
		"%s %s exactly %s", "%s %s before or after %s"},
	after: "%s after %s", before: "%s before %s",
	noDate: "%s has no date", hasDate: "%s has a date",
	noDates: "there is no date for any of %s", hasDates: "there is a date for at least one of %s",

	heads: struct{ licenses, rules, leftOut, grace, limits, notes string }{"Licenses", "Rules", "No rule touches", "Grace", "Limits", "For every rule"},
	rule: ruleWords{
		take: "A person who holds %s loses it if %s.", change: "A person who holds %s is changed to %s if %s.",
		asks:   "The rule asks only about people for whom this is true: %s.",
		notice: "The change is announced %s before it is made.",
		back:   "A person who is active again gets %s back in the next run.",
		listed: "A person who is active again is listed in the plan; an operator may restore the license.",
		mail:   "The change may leave a mailbox without a license.",
	},
	whole: policyWords{
		tenant: "The policy is for the tenant %s.",
		modes: map[policy.Mode]string{
			policy.Audit:   "Plans are made, and nothing is changed (mode audit).",
			policy.Review:  "A plan is carried out after an operator has approved it (mode review).",
			policy.Enforce: "The schedule carries out its plans without approval (mode enforce).",
		},
		product: "It is the product %s.", member: "It is membership of the group %s of %s.",
		byGroup: "It is given by the group %s of %s.", price: "A seat costs %s %s a month.",
		renewsOn:      "Its contract renews on %d %s %d, and a freed seat saves nothing before.",
		renewsYearly:  "Its contract renews each year on %d %s, and a freed seat saves nothing before.",
		renewsMonthly: "Its contract renews on the first day of each month.",
		keepSeats:     "%s seats stay free for other people.",
		quota:         "Its mailbox holds at most %s GB, and a person whose mailbox does not fit is not changed.",
		needs:         "It must come with these service plans: %s.",
		models: map[policy.Model]string{
			"":                "It is not known whether a seat becomes free when a person leaves the group, so nothing counts as saved.",
			policy.PerUser:    "A seat becomes free when a person leaves the group.",
			policy.PerDevice:  "Its seats are counted by device, so nothing counts as saved.",
			policy.Concurrent: "Its seats are counted by simultaneous sessions, so nothing counts as saved.",
		},
		anchor: "Entra Connect joins accounts by the attribute %s.",
		user:   "%s", group: "everybody in the group %s of %s, directly or through another group",
		leave: "%s until %s", reason: "%s (%s)", when: "everybody for whom this is true: %s", endOf: "the end of %d %s %d",
		allKinds: "no account because of its kind", onlyKind: "accounts of these kinds: %s",
		kinds: map[string]string{
			directory.KindPerson: "people", directory.KindGuest: "guests", directory.KindAgent: "software agents",
			directory.KindShared: "shared mailboxes", directory.KindRoom: "rooms", directory.KindEquipment: "equipment",
			directory.KindService: "services", directory.KindUnknown: "unknown kinds",
		},
		neverUsed:    "An account that was never used is left alone for %s after its creation.",
		holder:       "A person is left alone for %s after getting the license.",
		enabledAgain: "A person is left alone for %s after the account was enabled again.",
		stop:         "A run is on hold when a rule matches more than %s percent of the holders of its license (and ten or more of them), or more than %s holders.",
		everyone:     "It is also on hold when a rule matches every one of three or more holders.",
		perRun:       "A run makes at most %s changes, and begins with the people who have been idle longest.",
		notes: []string{
			"What was not read is unknown, and nobody loses a license because of something unknown.",
			"Letter case does not count when texts are compared.",
			"A text without a value does not count as different from another text.",
			"The first rule about a license decides.",
		},
	},
}
