package words

import (
	"os"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/policy"
)

// otherValues changes each key of testdata/every.yaml: the text to replace, and its replacement.
var otherValues = map[string][2]string{
	"tenant":                     {"11111111-", "22222222-"},
	"mode":                       {"mode: enforce", "mode: review"},
	"currency":                   {"SEK", "NOK"},
	"attributes":                 {"entra.extensionAttribute7", "entra.extensionAttribute8"},
	"attributes.NAME.memberOf":   {"Pilot Users", "Pilots"},
	"licenses":                   {"  app: {group", "  app2: {sku: X}\n  app: {group"},
	"licenses.NAME.title":        {"title: Microsoft 365 E5, ", ""},
	"notices":                    {"  manager: true\n  language: sv\n", ""},
	"notices.from":               {"from: licenses@", "from: seats@"},
	"notices.manager":            {"  manager: true\n", ""},
	"notices.language":           {"language: sv", "language: nb"},
	"notices.texts":              {"    de:", "    at:"},
	"notices.texts.NAME.subject": {"Ihre Lizenz", "Die Lizenz"},
	"notices.texts.NAME.body":    {"Hallo", "Guten Tag"},
	"licenses.NAME.sku":          {"SPE_E5", "SPE_E3"},
	"licenses.NAME.group":        {"APP-CRM", "APP-ERP"},
	"licenses.NAME.groups":       {"LIC-E5-Sales", "LIC-E5-Law"},
	"licenses.NAME.monthlyPrice": {"57.5", "57.6"},
	"licenses.NAME.renews":       {"2027-03-01", "2027-03-02"},
	"licenses.NAME.keepSeats":    {"keepSeats: 20", "keepSeats: 21"},
	"licenses.NAME.mailboxQuota": {"mailboxQuota: 100", "mailboxQuota: 99"},
	"licenses.NAME.needs":        {"TEAMS1", "TEAMS2"},
	"licenses.NAME.model":        {"model: device", "model: user"},
	"anchor":                     {"employeeID", "objectSid"},
	"grace":                      {"grace: {neverSignedIn: 14, newHolder: 1, enabledAgain: 30}", ""},
	"grace.neverSignedIn":        {"neverSignedIn: 14", "neverSignedIn: 15"},
	"grace.newHolder":            {"newHolder: 1", "newHolder: 2"},
	"grace.enabledAgain":         {"enabledAgain: 30", "enabledAgain: 31"},
	"kinds":                      {"[person, service]", "[person]"},
	"exempt":                     {"  users: [breakglass@contoso.example]\n", ""},
	"exempt.users":               {"breakglass", "breakstone"},
	"exempt.groups":              {"CN=Never", "CN=Ever"},
	"exempt.leave":               {"    - {user: bo@contoso.example, until: 2027-06-30T16:00:00Z}\n", ""},
	"exempt.leave[].user":        {"bo@", "eva@"},
	"exempt.leave[].until":       {"T16:00:00Z", "T17:00:00Z"},
	"exempt.leave[].reason":      {"16:00:00Z}", "16:00:00Z, reason: away}"},
	"exempt.when":                {`"Member"`, `"Guest"`},
	"limits":                     {"limits: {stopAbove: {percent: 2.5, count: 40}, perRun: 50}", ""},
	"limits.stopAbove":           {"stopAbove: {percent: 2.5, count: 40}, ", ""},
	"limits.stopAbove.percent":   {"percent: 2.5", "percent: 3"},
	"limits.stopAbove.count":     {"count: 40", "count: 41"},
	"limits.perRun":              {"perRun: 50", "perRun: 51"},
	"rules":                      {"  - name: app\n", "  - {name: b, license: app, when: isPilot, then: remove}\n  - name: app\n"},
	"rules[].name":               {"name: to-f3", "name: to-f1"},
	"rules[].license":            {"license: app", "license: citrix-device"},
	"rules[].for":                {"for: accountEnabled && ", "for: kind == \"person\" && "},
	"rules[].when":               {"days(45)", "days(46)"},
	"rules[].then":               {"{remove: true, notice: 1}", "remove"},
	"rules[].then.changeTo":      {"changeTo: m365-f3, ", "remove: true, "},
	"rules[].then.remove":        {"changeTo: m365-f3, ", "remove: true, "},
	"rules[].then.onReturn":      {"onReturn: restore, ", ""},
	"rules[].then.notice":        {"notice: 14", "notice: 15"},
	"rules[].then.mailbox":       {", mailbox: lost", ""},
	"GROUP.entra":                {"{entra: APP-CRM}", "{entra: APP-ERP}"},
	"GROUP.ad":                   {"CN=Citrix 2", "CN=Citrix 3"},
}

// The test gives each key of a policy another value, one after the other. The words of the policy must then differ from
// the words before, in each language.
func TestEveryKeyShows(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/every.yaml")
	if err != nil {
		t.Fatal(err)
	}
	right := string(data)
	say := func(l Language, text string) string {
		said, err := Policy(l, load(t, text), noon)
		if err != nil {
			t.Fatal(err)
		}
		return said.String()
	}
	for _, k := range policy.Keys {
		change, known := otherValues[k.Path]
		text := strings.Replace(right, change[0], change[1], 1)
		if !known || text == right {
			t.Errorf("the test knows no other value of %s", k.Path)
			continue
		}
		for _, l := range Languages {
			if say(l, text) == say(l, right) {
				t.Errorf("%s: the words do not show %s", l, k.Path)
			}
		}
	}
}
