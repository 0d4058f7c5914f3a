package policy

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// Shape is the form of the value of a key.
type Shape uint8

// The shapes. A NamedKey is a mapping whose keys the author chooses. A ChoiceKey is one of the texts in Key.Words. The
// shapes with a plural, such as TextsKey, are lists.
const (
	TextKey Shape = iota
	ChoiceKey
	NumberKey
	CountKey
	TrueKey
	ConditionKey
	MappingKey
	NamedKey
	TextsKey
	ChoicesKey
	MappingsKey
	GroupKey
	GroupsKey
	OutcomeKey // the action of a rule: the word remove, or a mapping
)

// Key is a key of policy.yaml. The table of all keys is Keys: the loader accepts these keys, and docs/policy.md and the
// JSON Schema are generated from the table.
type Key struct {
	// In Path, NAME stands for a name that the author chooses, [] for an entry of a list, and GROUP for any path at
	// which the policy names a group.
	Path    string
	Shape   Shape
	Is      string // the meaning of the key
	LeftOut string // the value in force if the key is left out; the constant Needed if the key must not be left out
	Words   []string
	// Min and Max bound a number, or the number of entries of a list or a named mapping.
	Min, Max float64
	Example  string // a value, as in the file
}

// Needed is the value of LeftOut for a key that the file must have. Without such a key, the file is in error.
const Needed = "an error"

const mostSeats = 1_000_000_000

// Keys holds every key of policy.yaml, in the order of docs/policy.md.
var Keys = []Key{
	{Path: "tenant", Is: "the tenant's id; a run against any other tenant is refused", LeftOut: Needed, Example: "11111111-2222-3333-4444-555555555555"},
	{Path: "mode", Shape: ChoiceKey, Words: []string{string(Audit), string(Review), string(Enforce)}, Is: "`audit`: nothing may be written. `review`: a plan is applied after approval. `enforce`: the schedule applies its plans", LeftOut: "audit"},
	{Path: "currency", Is: "of the prices, three capital letters", LeftOut: "USD", Example: "EUR"},
	{Path: "attributes", Shape: NamedKey, Max: mostKeys, Is: "names that conditions use, each mapped to a field, to `newest(FIELD, FIELD)` or to a group. Your lines come on top of the four defaults", LeftOut: "the four defaults", Example: "{costCenter: entra.extensionAttribute7}"},
	{Path: "attributes.NAME.memberOf", Shape: GroupKey, Is: "a GROUP: the attribute is true for everybody in it, through nested groups, too", LeftOut: Needed, Example: "{entra: Pilot Users}"},
	{Path: "licenses", Shape: NamedKey, Min: 1, Max: mostKeys, Is: "products to watch; a name is 1 to 64 letters, digits, dots, dashes and underscores", LeftOut: Needed, Example: "{m365-e3: {sku: SPE_E3}}"},
	{Path: "licenses.NAME.title", Is: "what notices call it", LeftOut: "its name", Example: "Microsoft 365 E3"},
	{Path: "licenses.NAME.sku", Is: "part number or skuId of a product in Entra ID", LeftOut: "membership of `group` is the license", Example: "SPE_E3"},
	{Path: "licenses.NAME.group", Shape: GroupKey, Is: "with a `sku`: the GROUP that gives the product; one of Active Directory must be synced to Entra ID. Without one: the GROUP whose direct members hold the license", LeftOut: "assigned directly only", Example: "{entra: LIC-M365-E3}"},
	{Path: "licenses.NAME.groups", Shape: GroupsKey, Min: 1, Max: mostItems, Is: "GROUPs that give one `sku`, instead of `group`. A holder leaves the group that gives the product. A change to this license joins the first group", LeftOut: "see `group`", Example: "[{entra: LIC-M365-E3}, {entra: LIC-E3-Sales}]"},
	{Path: "licenses.NAME.monthlyPrice", Shape: NumberKey, Max: 999_999, Is: "price of a seat for a month, in the currency; 0 to 999,999", LeftOut: "0", Example: "39"},
	{Path: "licenses.NAME.renews", Is: "when the contract lets you pay for fewer seats: a date like `2027-03-01`, a day of each year like `03-01`, or `monthly`, the first day of each month. A freed seat saves nothing before. [What it saved](operations.md#what-it-saved)", LeftOut: "with a `sku`: what Graph says; otherwise unknown", Example: "03-01"},
	{Path: "licenses.NAME.keepSeats", Shape: CountKey, Max: mostSeats, Is: "number of seats that stay free for other people when somebody is changed to this license or it is restored. Needs a `sku`, as the next two keys do", LeftOut: "0", Example: "20"},
	{Path: "licenses.NAME.mailboxQuota", Shape: NumberKey, Min: 0.1, Max: 10_000, Is: "largest mailbox that the license allows, in GB, 0.1 to 10,000. A person is not changed when the mailbox does not fit, is archived or on hold, or is not known to be a user's", LeftOut: "not checked", Example: "50"},
	{Path: "licenses.NAME.needs", Shape: TextsKey, Max: mostItems, Is: "names of service plans that must come with the license when a person is changed to it. Plans that give a mailbox are always needed", LeftOut: "none", Example: "[MCOSTANDARD]"},
	{Path: "licenses.NAME.model", Shape: ChoiceKey, Words: []string{string(PerUser), string(PerDevice), string(Concurrent)}, Is: "`user`, `device` or `concurrent`: how seats of a license without a `sku` are counted. Only `user` frees a seat when somebody leaves the group", LeftOut: "nothing counts as saved"},
	{Path: "anchor", Shape: ChoiceKey, Words: directory.Anchors(), Is: "the attribute by which Entra Connect joins accounts: `objectGUID`, `mS-DS-ConsistencyGuid`, `objectSid` or `employeeID`", LeftOut: "either GUID"},
	{Path: "grace", Shape: MappingKey, Is: "days for which the rules leave a person alone; each 0 to 3650", LeftOut: "none", Example: "{neverSignedIn: 14, newHolder: 14, enabledAgain: 14}"},
	{Path: "grace.neverSignedIn", Shape: CountKey, Max: maxDays, Is: "from the creation of an account, or from the hire date if that is later, when it was not used since", LeftOut: "0", Example: "14"},
	{Path: "grace.newHolder", Shape: CountKey, Max: maxDays, Is: "from the day on which the person got the license", LeftOut: "0", Example: "14"},
	{Path: "grace.enabledAgain", Shape: CountKey, Max: maxDays, Is: "from the first run that saw the account enabled, and not expired, after one that did not", LeftOut: "0", Example: "14"},
	{Path: "kinds", Shape: ChoicesKey, Words: directory.AccountKinds, Min: 1, Max: mostItems, Is: "kinds of accounts that rules ask about; all others are exempt", LeftOut: "`[person]`", Example: "[person, service]"},
	{Path: "exempt", Shape: MappingKey, Is: "the people whom no rule touches", LeftOut: "nobody"},
	{Path: "exempt.users", Shape: TextsKey, Max: mostItems, Is: "userPrincipalName of either directory, object id, SID or sAMAccountName without its domain; no patterns", LeftOut: "nobody", Example: "[breakglass@contoso.example]"},
	{Path: "exempt.groups", Shape: GroupsKey, Max: mostItems, Is: "GROUPs; everybody in them, through nested groups, too", LeftOut: "none", Example: "[{entra: LIC-Exempt}]"},
	{Path: "exempt.leave", Shape: MappingsKey, Max: mostItems, Is: "people who are away", LeftOut: "nobody", Example: "[{user: anna@contoso.example, until: 2027-03-01, reason: parental leave}]"},
	{Path: "exempt.leave[].user", Is: "a name as in `exempt.users`", LeftOut: Needed, Example: "anna@contoso.example"},
	{Path: "exempt.leave[].until", Is: "the last day, until its end in UTC, or an instant. Then the person counts as active at this time", LeftOut: Needed, Example: "2027-03-01"},
	{Path: "exempt.leave[].reason", Is: "for people who read the plan", LeftOut: "none", Example: "parental leave"},
	{Path: "exempt.when", Shape: ConditionKey, Is: "a condition", LeftOut: "nobody", Example: `userType == "Guest"`},
	{Path: "limits", Shape: MappingKey, Is: "what one run may do", LeftOut: "the three below", Example: "{stopAbove: {percent: 10, count: 500}, perRun: 200}"},
	{Path: "limits.stopAbove", Shape: MappingKey, Is: "a rule puts the run on hold when it matches more people than either number. It always does so when it matches every one of three or more holders, where people who are exempt, undecided or accepted by an override do not count", LeftOut: "the two below", Example: "{percent: 10, count: 500}"},
	{Path: "limits.stopAbove.percent", Shape: NumberKey, Max: 100, Is: "percentage of the holders; it counts from ten matches on. What a rule takes in 30 days may not exceed it, either", LeftOut: "10", Example: "10"},
	{Path: "limits.stopAbove.count", Shape: CountKey, Min: 1, Max: mostSeats, Is: "matches", LeftOut: "500", Example: "500"},
	{Path: "limits.perRun", Shape: CountKey, Min: 1, Max: MostPerRun, Is: "number of changes in one run, at most 5,000; the other people wait for the next run", LeftOut: "200", Example: "200"},
	{Path: "notices", Shape: MappingKey, Is: "people with a rule that has a `notice` get a mail. [Telling people](operations.md#telling-people) says how to permit that", LeftOut: "a notice is only in the plan and in the ledger", Example: "{from: licenses@contoso.example}"},
	{Path: "notices.from", Is: "address of the mailbox that sends", LeftOut: Needed, Example: "licenses@contoso.example"},
	{Path: "notices.manager", Shape: TrueKey, Is: "`true`: the person's manager gets a copy, if Entra ID names one", LeftOut: "nobody does", Example: "true"},
	{Path: "notices.language", Is: "for a person whose `preferredLanguage` has no text: `en`, `nb`, `sv` or a language of `texts`", LeftOut: "en", Example: "sv"},
	{Path: "notices.texts", Shape: NamedKey, Max: mostKeys, Is: "your own texts, each by its language. They replace the texts that idleseat has", LeftOut: "English, Norwegian and Swedish", Example: `{de: {subject: "Ihre Lizenz {{.License}}", body: "Hallo {{.Name}}"}}`},
	{Path: "notices.texts.NAME.subject", Is: "a text with the fields `{{.Name}}`, `{{.License}}`, `{{.To}}` (empty when nothing is given for it), `{{.Day}}`, `{{.Days}}` and `{{.LastUse}}` (empty when no use is known), and with `{{if .To}}…{{else}}…{{end}}`", LeftOut: Needed, Example: `"Your license {{.License}}"`},
	{Path: "notices.texts.NAME.body", Is: "the same, in plain text with as many lines as it needs", LeftOut: Needed, Example: `"Hello {{.Name}}"`},
	{Path: "rules", Shape: MappingsKey, Min: 1, Max: mostRules, Is: "at most 250 rules. The first rule about a person's license decides", LeftOut: Needed},
	{Path: "rules[].name", Is: "used in plans and in the ledger", LeftOut: Needed, Example: "m365-idle-60"},
	{Path: "rules[].license", Is: "a name of `licenses`; only its holders are asked", LeftOut: Needed, Example: "m365-e3"},
	{Path: "rules[].for", Shape: ConditionKey, Is: "a condition: who is asked", LeftOut: "everybody", Example: `accountEnabled && systemRole == "Employee"`},
	{Path: "rules[].when", Shape: ConditionKey, Is: "a condition: who is idle", LeftOut: Needed, Example: "AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()"},
	{Path: "rules[].then", Shape: OutcomeKey, Words: []string{remove}, Is: "`remove`, or the keys below", LeftOut: Needed, Example: "{changeTo: exchange-online}"},
	{Path: "rules[].then.changeTo", Is: "a name of `licenses`, in the same directory and of the same kind (with or without a `sku`)", LeftOut: "one of these two", Example: "exchange-online"},
	{Path: "rules[].then.remove", Shape: TrueKey, Is: "`true`", LeftOut: "one of these two", Example: "true"},
	{Path: "rules[].then.onReturn", Shape: ChoiceKey, Words: []string{"restore"}, Is: "`restore`: the run that finds a person active again restores the license", LeftOut: "the plan lists the person as returned"},
	{Path: "rules[].then.notice", Shape: CountKey, Min: 1, Max: maxDays, Is: "days between the notice and the change, 1 to 3650", LeftOut: "no notice", Example: "14"},
	{Path: "rules[].then.mailbox", Shape: ChoiceKey, Words: []string{"lost"}, Is: "`lost`: the change may leave a mailbox without a license", LeftOut: "refused"},
	{Path: "GROUP.entra", Is: "object id (best), or display name", LeftOut: "one of these two", Example: "LIC-M365-E3"},
	{Path: "GROUP.ad", Is: "distinguished name, in quotes", LeftOut: "one of these two", Example: `"CN=Citrix Users,OU=Licenses,DC=corp,DC=example"`},
}

const remove = "remove"

// KeysBelow returns the names of the keys of the mapping at a path, in the order of the table. The path "" is the whole
// policy.
func KeysBelow(path string) (names []string) {
	prefix := ""
	if path != "" {
		prefix = path + "."
	}
	for _, k := range Keys {
		name, below := strings.CutPrefix(k.Path, prefix)
		if below && !strings.ContainsAny(name, ".[") {
			names = append(names, name)
		}
	}
	return names
}

// KeyAt returns the key at a path, or nil if there is none.
func KeyAt(path string) *Key {
	i := slices.IndexFunc(Keys, func(k Key) bool { return k.Path == path })
	if i < 0 {
		return nil
	}
	return &Keys[i]
}
