package policy

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const whole = `tenant: 11111111-2222-3333-4444-555555555555
mode: review
currency: SEK
anchor: employeeID
kinds: [person, shared]
attributes: {staff: {memberOf: {entra: Staff}}}
licenses:
  e3:     {sku: 05E9A617-0261-4CEE-BB44-138D3EF5D965, group: {entra: E3}, monthlyPrice: 39.5, renews: 2027-03-01}
  exo:    {sku: EXO, renews: 07-01, keepSeats: 4, mailboxQuota: 50, needs: [EXCHANGE_S_STANDARD, TEAMS1]}
  citrix: {group: {ad: "CN=Citrix,DC=corp"}, renews: monthly, model: device}
  desk:   {group: {ad: "CN=Desk,DC=corp"}, model: user}
  app:    {group: {ad: "CN=App,DC=corp"}, model: concurrent}
grace: {neverSignedIn: 14, newHolder: 7, enabledAgain: 3}
exempt:
  users: [a@x.example, svc-1]
  groups: [{entra: Exempt}, {ad: "CN=Exempt,DC=corp"}]
  leave: [{user: b@x.example, until: 2027-03-01, reason: parental}, {user: c@x.example, until: 2027-03-01T18:00:00Z}]
  when: userType == "Guest"
limits: {stopAbove: {percent: 7.5, count: 70}, perRun: 20}
rules:
  - {name: change, license: e3, for: staff, when: AzureAdSistaLogon.hasNoValue(), then: {changeTo: exo, notice: 14, onReturn: restore, mailbox: lost}}
  - {name: remove, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: {remove: true}}
  - {name: plain, license: desk, when: LastlogonTimestamp.hasNoValue() || created.value() < now - duration("1s"), then: remove}
`

func TestWhatAPolicySays(t *testing.T) {
	t.Parallel()
	p, err := Load("p", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	at := func(year int, month time.Month, day, hour int) time.Time {
		return time.Date(year, month, day, hour, 0, 0, 0, time.UTC)
	}
	type license struct {
		SKU, Group string
		Price      float64
		Keep       int
		Quota      float64
		Needs      []string
		Model      Model
		Holders    string
		Renews     *Renewal
	}
	got := map[string]license{}
	for _, l := range p.Licenses {
		is := license{SKU: l.SKU, Price: l.MonthlyPrice, Keep: l.KeepSeats, Quota: l.MailboxQuota, Needs: l.Needs, Model: l.Model, Renews: l.Renews}
		if l.Group != nil {
			is.Group = l.Group.String()
		}
		if l.holders != nil {
			is.Holders = l.holders.key
		}
		got[l.Name] = is
	}
	want := map[string]license{
		"e3":     {SKU: "05e9a617-0261-4cee-bb44-138d3ef5d965", Group: "entra:E3", Price: 39.5, Renews: &Renewal{Date: at(2027, 3, 1, 0)}},
		"exo":    {SKU: "EXO", Keep: 4, Quota: 50, Needs: []string{"EXCHANGE_S_STANDARD", "TEAMS1"}, Renews: &Renewal{Month: 7, Day: 1}},
		"citrix": {Group: "ad:CN=Citrix,DC=corp", Model: PerDevice, Holders: "ad/direct:cn=citrix,dc=corp", Renews: &Renewal{Day: 1}},
		"desk":   {Group: "ad:CN=Desk,DC=corp", Model: PerUser, Holders: "ad/direct:cn=desk,dc=corp"},
		"app":    {Group: "ad:CN=App,DC=corp", Model: Concurrent, Holders: "ad/direct:cn=app,dc=corp"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("licenses (-want +got):\n%s", d)
	}
	if p.Mode != Review || p.Currency != "SEK" || p.Anchor != directory.EmployeeIDAnchor {
		t.Errorf("mode %s, currency %s, anchor %s", p.Mode, p.Currency, p.Anchor)
	}
	leave := []Leave{
		{User: "b@x.example", Until: at(2027, 3, 2, 0), Reason: "parental", written: "2027-03-01"},
		{User: "c@x.example", Until: at(2027, 3, 1, 18), written: "2027-03-01T18:00:00Z"},
	}
	groups := []directory.GroupRef{{Source: directory.Entra, Name: "Exempt"}, {Source: directory.AD, Name: "CN=Exempt,DC=corp"}}
	for _, d := range []string{
		cmp.Diff([]string{"person", "shared"}, p.Kinds), cmp.Diff(Grace{14, 7, 3}, p.Grace), cmp.Diff(Limits{7.5, 70, 20}, p.Limits),
		cmp.Diff(Exemptions{Users: []string{"a@x.example", "svc-1"}, Groups: groups, Leave: leave, When: `userType == "Guest"`}, p.Exempt, cmp.AllowUnexported(Leave{})),
	} {
		if d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	change, remove, plain := p.RuleNamed("change"), p.RuleNamed("remove"), p.RuleNamed("plain")
	if change.ChangeTo != p.LicenseNamed("exo") || change.Notice != 14 || !change.Restore || !change.MailboxLost || change.ForSource != "staff" {
		t.Errorf("change: %+v", change)
	}
	for _, r := range []*Rule{remove, plain} {
		if r.ChangeTo != nil || r.Notice != 0 || r.Restore || r.MailboxLost || r.ForSource != "" {
			t.Errorf("%s: %+v", r.Name, r)
		}
	}
	if got := []bool{reads(change, "created"), reads(remove, "created"), reads(plain, "created")}; !got[0] || !got[1] || !got[2] {
		t.Errorf("never signed in has grace, for which the creation is read: %v", got)
	}
	without, err := Load("p", []byte(strings.Replace(whole, "neverSignedIn: 14, ", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if reads(without.RuleNamed("change"), "created") || !reads(without.RuleNamed("plain"), "created") {
		t.Error("without that grace the creation is read where a condition asks for it")
	}
}

func reads(r *Rule, name string) bool {
	for _, a := range r.asks {
		if a.name == name {
			return true
		}
	}
	return false
}

var follows = regexp.MustCompile(`: (there is no license "[a-z0-9]+";|the policy has no attribute staff;|e3 and exo are the same product;)`)

// Load reports each of these mistakes once.
func TestMoreFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ old, new, want string }{
		"kind":                    {"[person, shared]", "[person, robot]", `there is no kind "robot" of accounts`},
		"no kind":                 {"[person, shared]", "[]", "kinds is empty, so that no rule would ask about anybody"},
		"kinds no list":           {"[person, shared]", "person", "kinds must be a list"},
		"kind no text":            {"[person, shared]", "[7]", "a kind must be text, not a number"},
		"anchor":                  {"anchor: employeeID", "anchor: employeeNumber", `"employeeNumber" is no anchor that is known`},
		"anchor no text":          {"anchor: employeeID", "anchor: 7", "the anchor must be text, not a number"},
		"model":                   {"model: device", "model: seat", `model must be user, device or concurrent, not "seat"`},
		"model no text":           {"model: device", "model: 7", "model must be text, not a number"},
		"model of a product":      {"{sku: EXO,", "{sku: EXO, model: user,", "license exo has a sku, whose seats are people's; leave model out"},
		"needs no list":           {"[EXCHANGE_S_STANDARD, TEAMS1]", "TEAMS1", "needs must be a list"},
		"need no text":            {"[EXCHANGE_S_STANDARD, TEAMS1]", "[7]", "a service plan must be text, not a number"},
		"needs in AD":             {"model: device}", "needs: [TEAMS1]}", "license citrix is a group of Active Directory, of which neither seats nor mailboxes"},
		"quota in AD":             {"model: device}", "mailboxQuota: 5}", "license citrix is a group of Active Directory, of which neither seats nor mailboxes"},
		"one group twice":         {`"CN=Desk,DC=corp"`, `"cn=citrix,dc=corp"`, "licenses citrix and desk are the same group ad:cn=citrix,dc=corp; name it once"},
		"one product twice":       {"{sku: EXO,", "{sku: 05e9a617-0261-4cee-BB44-138d3ef5d965,", "licenses e3 and exo are the same product 05e9a617-0261-4cee-bb44-138d3ef5d965; name it once"},
		"names in another case":   {"  desk: ", "  Citrix: ", "licenses citrix and Citrix differ in letter case only"},
		"no licenses":             {whole[strings.Index(whole, "licenses:"):strings.Index(whole, "grace:")], "licenses: {}\n", "licenses is empty; name at least one"},
		"a rule a text":           {"rules:\n", "rules:\n  - nothing\n", "a rule must be a mapping"},
		"a rule without a name":   {"{name: plain, ", "{", `a rule lacks the key "name"`},
		"no when":                 {"when: AzureAdSistaLogon.hasNoValue(), ", "", `a rule lacks the key "when"`},
		"license no text":         {"license: e3, for", "license: 7, for", "license must be text, not a number"},
		"then no text":            {"then: remove}", "then: 7}", "then must be text, not a number"},
		"onReturn no text":        {"onReturn: restore", "onReturn: 7", "onReturn must be text, not a number"},
		"mailbox":                 {"mailbox: lost", "mailbox: kept", `mailbox must be lost, not "kept"`},
		"mailbox no text":         {"mailbox: lost", "mailbox: 7", "mailbox must be text, not a number"},
		"a pattern":               {"svc-1", "svc-*", `"svc-*" is a pattern, and people are listed by name`},
		"a pattern of one":        {"svc-1", `"svc-?"`, `"svc-?" is a pattern, and people are listed by name`},
		"a domain":                {"svc-1", `CORP\svc-1`, `"CORP\\svc-1" has a domain; write the account name alone, as svc-1`},
		"leave by a pattern":      {"user: b@x.example", "user: b@*", `"b@*" is a pattern`},
		"leave of nobody":         {"user: b@x.example, ", "", `a leave lacks the key "user"`},
		"leave no mapping":        {"{user: c@x.example, until: 2027-03-01T18:00:00Z}", "c@x.example", "a leave must be a mapping"},
		"an exempt group of none": {"{entra: Exempt}", "{}", "an exempt group must name one group"},
		"an exempt group of two":  {"{entra: Exempt}", `{entra: Exempt, ad: "CN=x"}`, "an exempt group must name one group"},
		"newHolder":               {"newHolder: 7", "newHolder: 9999", "grace.newHolder must be a whole number from 0 to 3650"},
		"enabledAgain":            {"enabledAgain: 3", "enabledAgain: x", "grace.enabledAgain must be a whole number from 0 to 3650"},
		"currency no text":        {"currency: SEK", "currency: 7", "currency must be text, not a number"},
		"tenant no text":          {"tenant: 11111111-2222-3333-4444-555555555555", "tenant: 7", "tenant must be text, not a number"},
		"limits no mapping":       {"limits: {stopAbove: {percent: 7.5, count: 70}, perRun: 20}", "limits: 7", "limits must be a mapping"},
		"an attribute no text":    {"{memberOf: {entra: Staff}}", "7", "attribute staff must be text, not a number"},
		"memberOf no mapping":     {"{memberOf: {entra: Staff}}", "{memberOf: Staff}", "memberOf must say in which directory the group is: {entra: Staff}"},
		"memberOf missing":        {"{memberOf: {entra: Staff}}", "{}", `attribute staff lacks the key "memberOf"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(whole, tc.old) {
				t.Fatalf("the policy has no %q", tc.old)
			}
			_, err := Load("p", []byte(strings.Replace(whole, tc.old, tc.new, 1)))
			if err == nil || !strings.Contains(err.Error(), ": "+tc.want) {
				t.Errorf("%v, want %s", err, tc.want)
			}
			for i, fault := range strings.Split(fmt.Sprint(err), "\np:") {
				if i > 0 && !follows.MatchString(fault) {
					t.Errorf("two faults are about one mistake: %s", fault)
				}
			}
		})
	}
}

func TestGapWords(t *testing.T) {
	t.Parallel()
	p := load(t, `
attributes: {inAD: {memberOf: {ad: "CN=G,DC=corp"}}, inEntra: {memberOf: {entra: G}}, either: "newest(entra.created, ad.created)", adTitle: ad.title}
licenses: {m365-e3: {sku: SPE_E3}, citrix: {group: {ad: "CN=C"}}}
rules:
  - {name: use, license: m365-e3, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
  - {name: ad, license: m365-e3, when: LastlogonTimestamp.earlierThan(now - days(60)), then: remove}
  - {name: in, license: m365-e3, when: inAD, then: remove}
  - {name: on, license: m365-e3, when: inEntra, then: remove}
  - {name: made, license: m365-e3, when: either.value() < now - days(9), then: remove}
  - {name: title, license: m365-e3, when: 'adTitle != "x"', then: remove}
`)
	const right = "the account of idleseat has no right to see "
	for name, tc := range map[string]struct {
		rule   string
		change func(*directory.Person)
		want   string
	}{
		"not read":         {"use", func(p *directory.Person) { p.Entra.DatesInDoubt = true }, "AzureAdSistaLogon cannot be trusted: a date of the account lies in the future"},
		"lost, none known": {"use", func(p *directory.Person) { p.Entra.DatesLost = noon.AddDate(0, 0, -1) }, "AzureAdSistaLogon got lost: no date has come since 2026-11-22, and earlier data do not show that the account never had one"},
		"lost": {"use", func(p *directory.Person) {
			p.Entra.DatesLost, p.Entra.Past.Newest[2] = noon.AddDate(0, 0, -1), noon.AddDate(0, 0, -9)
		}, "AzureAdSistaLogon got lost: no date has come since 2026-11-22, and the newest known one is 2026-11-14; it is undecided"},
		"went back": {"use", func(p *directory.Person) {
			p.Entra.LastSuccessful, p.Entra.DatesLost, p.Entra.Past.Newest[2] = noon.AddDate(0, 0, -90), noon.AddDate(0, 0, -1), noon.AddDate(0, 0, -9)
		}, "AzureAdSistaLogon went back: since 2026-11-22 it is 2026-08-25, and the newest known one is 2026-11-14; it is undecided"},
		"stale":                   {"use", func(p *directory.Person) { p.Stale[directory.Entra] = "it stalled" }, "AzureAdSistaLogon cannot be trusted: it stalled"},
		"stale, the other source": {"ad", func(p *directory.Person) { p.Stale[directory.AD] = "it stalled" }, "LastlogonTimestamp cannot be trusted: it stalled"},
		"hidden":                  {"ad", func(p *directory.Person) { p.AD.Unreadable = []string{"lastLogonTimestamp"} }, "LastlogonTimestamp may not be read: " + right + "lastLogonTimestamp of this person"},
		"controllers differ": {"title", func(p *directory.Person) { p.AD.Title, p.AD.Unreadable = "leave", []string{"title"} },
			"adTitle is not known: the domain controllers give different values of title of this person; plan again when they have replicated the change"},
		"the primary group":      {"in", func(p *directory.Person) { p.AD.Unreadable = []string{"primaryGroupID"} }, "inAD is not known: " + right + "primaryGroupID of this person, which may be ad:CN=G,DC=corp"},
		"an unreadable AD group": {"in", func(p *directory.Person) { p.Unreadable = []string{"ad:cn=g,dc=corp"} }, "inAD is not known: group ad:CN=G,DC=corp could not be read; is it there, and may the account"},
		"unreadable and hidden": {"in", func(p *directory.Person) {
			p.Unreadable, p.AD.Unreadable = []string{"ad:cn=g,dc=corp"}, []string{"primaryGroupID"}
		}, "inAD is not known: group ad:CN=G,DC=corp could not be read"},
		"an unreadable group": {"on", func(p *directory.Person) { p.Unreadable = []string{"entra:G"} }, "inEntra is not known: group entra:G could not be read"},
		"AD was not read":     {"in", func(p *directory.Person) { p.AD, p.ADState = nil, directory.NotRead }, "inAD is not known: Active Directory was not read"},
		"AD in doubt":         {"in", func(p *directory.Person) { p.AD, p.ADState, p.Doubt = nil, directory.Missing, "no account was found" }, "inAD is not known: no account was found"},
		"neither was created": {"made", func(p *directory.Person) { p.Entra.Created, p.AD.Created = time.Time{}, time.Time{} }, "either has no value"},
		"no text":             {"title", func(p *directory.Person) {}, `adTitle has no value, and the condition does not say what holds then; add && adTitle != "" to leave such people alone, or || adTitle == "" to mean them, too`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			who := employee()
			tc.change(who)
			v := judge(t, p, noon).Ask(p.RuleNamed(tc.rule), who)
			if v.Outcome != Undecided || !strings.HasPrefix(v.Reason, tc.want) {
				t.Errorf("%s: %s; want %s", v.Outcome, v.Reason, tc.want)
			}
		})
	}
}
