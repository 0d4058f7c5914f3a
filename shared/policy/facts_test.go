package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestFreesNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		license License
		want    string
	}{
		"a product":                   {License{SKU: "SPE_E3"}, ""},
		"a product, whatever is said": {License{SKU: "SPE_E3", Model: PerDevice}, ""},
		"by user":                     {License{Model: PerUser}, ""},
		"by device":                   {License{Model: PerDevice}, "its seats are counted by device"},
		"by session":                  {License{Model: Concurrent}, "its seats are counted by sessions at one time"},
		"not said":                    {License{}, "it is not known whether a seat becomes free"},
	} {
		if got := tc.license.FreesNothing(); (tc.want == "") != (got == "") || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestGuardsMailbox: a rule may act only on a mailbox of known size if the new license has a mailboxQuota. If the rule
// gives no new license, this depends on the license that the rule takes.
func TestGuardsMailbox(t *testing.T) {
	t.Parallel()
	small, any := &License{MailboxQuota: 50}, &License{}
	for _, tc := range []struct {
		rule Rule
		want bool
	}{
		{Rule{License: any, ChangeTo: small}, true}, {Rule{License: small, ChangeTo: any}, false},
		{Rule{License: small}, true}, {Rule{License: any}, false},
	} {
		if got := tc.rule.GuardsMailbox(); got != tc.want {
			t.Errorf("%+v: %t", tc.rule, got)
		}
	}
}

func TestKeyOfARule(t *testing.T) {
	t.Parallel()
	e3, exo := &License{Name: "e3"}, &License{Name: "exo"}
	rules := []Rule{
		{Name: "r", License: e3, WhenSource: "a"}, {Name: "q", License: e3, WhenSource: "a"}, {Name: "r", License: exo, WhenSource: "a"}, {Name: "r", License: e3, WhenSource: "b"},
		{Name: "r", License: e3, ForSource: "a"}, {Name: "r", License: e3, WhenSource: "a", ChangeTo: exo}, {Name: "r", License: e3, WhenSource: "a", ChangeTo: &License{Name: "f3"}},
	}
	keys := map[string]int{}
	for i := range rules {
		if other, same := keys[rules[i].Key()]; same {
			t.Errorf("rules %d and %d are one", i, other)
		}
		keys[rules[i].Key()] = i
	}
	if same := (&Rule{Name: "r", License: &License{Name: "e3"}, WhenSource: "a", Notice: 14}).Key(); same != rules[0].Key() {
		t.Errorf("another notice makes another rule: %s", same)
	}
}

func TestFirstRuleOfALicense(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules+`
  - {name: later, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}
`)
	for license, want := range map[string]string{"m365-e3": "m365", "citrix": "citrix", "exchange-online": ""} {
		got := ""
		if r := p.FirstRule(p.LicenseNamed(license)); r != nil {
			got = r.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", license, got, want)
		}
	}
	if d := cmp.Diff([]string{"SPE_E3", "EXCHANGESTANDARD"}, p.SKUs()); d != "" {
		t.Errorf("products (-want +got):\n%s", d)
	}
	if got := p.LongestSpan(); got != 90*day {
		t.Errorf("the longest span is %s", got)
	}
}

func TestRests(t *testing.T) {
	t.Parallel()
	const licenses = "licenses: {m365-e3: {sku: SPE_E3}}\n"
	const inAD = "licenses: {citrix: {group: {ad: 'CN=Seats,DC=corp'}}}\nrules: [{name: r, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}]\n"
	every := "anchor: objectGUID\nkinds: [" + strings.Join(directory.AccountKinds, ", ") + "]\n"
	rule := func(when string) string {
		return licenses + "rules: [{name: r, license: m365-e3, when: '" + when + "', then: remove}]\n"
	}
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"of Entra alone":       {rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp", "mS-DS-ConsistencyGuid", "msExchRecipientTypeDetails"}},
		"another anchor":       {"anchor: employeeID\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"employeeID", "lastLogonTimestamp", "msExchRecipientTypeDetails"}},
		"an anchor never hid":  {"anchor: objectGUID\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp", "msExchRecipientTypeDetails"}},
		"a rule reads it":      {rule("created.value() < now - days(9)"), []string{"lastLogonTimestamp", "mS-DS-ConsistencyGuid", "msExchRecipientTypeDetails", "whenCreated"}},
		"somebody is listed":   {"exempt: {users: [a@x.example]}\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp", "mS-DS-ConsistencyGuid", "msExchRecipientTypeDetails", "userPrincipalName"}},
		"somebody is on leave": {"exempt: {leave: [{user: a@x.example, until: 2027-01-01}]}\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp", "mS-DS-ConsistencyGuid", "msExchRecipientTypeDetails", "userPrincipalName"}},
		"every kind":           {every + rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp"}},
		"a rule asks the kind": {every + rule(`kind == "person"`), []string{"lastLogonTimestamp", "msExchRecipientTypeDetails"}},
		"enabled again":        {"anchor: objectGUID\ngrace: {enabledAgain: 9}\n" + inAD, []string{"accountExpires", "lastLogonTimestamp", "msExchRecipientTypeDetails", "userAccountControl"}},
		"never enabled again":  {"anchor: objectGUID\n" + inAD, []string{"lastLogonTimestamp", "msExchRecipientTypeDetails"}},
		"enabled in Entra":     {"anchor: objectGUID\ngrace: {enabledAgain: 9}\n" + rule("AzureAdSistaLogon.hasNoValue()"), []string{"lastLogonTimestamp", "msExchRecipientTypeDetails"}},
	} {
		if d := cmp.Diff(tc.want, load(t, tc.text).Rests()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestFieldsOfAPolicy(t *testing.T) {
	t.Parallel()
	p := load(t, `
attributes: {title: ad.title, made: "newest(entra.created, ad.created)"}
exempt: {when: userType == "Guest"}
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, for: department == "IT" && accountEnabled, when: made.earlierThan(now - days(9)) && jobTitle == "", then: remove}]
`)
	want := []string{"ad.created", "ad.lastLogonTimestamp", "ad.title", "entra.accountEnabled", "entra.created", "entra.department", "entra.employeeType",
		"entra.jobTitle", "entra.lastActivity", "entra.userType"}
	if d := cmp.Diff(want, p.Fields()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestListedNames(t *testing.T) {
	t.Parallel()
	p := load(t, exempting)
	rested := p.Exempt.Leave[0].Until.Add(unusedSpan)
	const always = "boss@contoso.example id-7 jürgen@contoso.example"
	for at, want := range map[time.Time][]string{
		noon:                         {"back@contoso.example", "boss@contoso.example", "id-7", "jürgen@contoso.example", "kim@contoso.example", "short@contoso.example"},
		rested.Add(-time.Nanosecond): {"boss@contoso.example", "id-7", "jürgen@contoso.example", "kim@contoso.example"},
		rested:                       strings.Fields(always),
		rested.AddDate(-1, 0, 0):     {"back@contoso.example", "boss@contoso.example", "id-7", "jürgen@contoso.example", "kim@contoso.example", "rested@contoso.example", "short@contoso.example"},
	} {
		if d := cmp.Diff(want, p.Listed(at)); d != "" {
			t.Errorf("at %s (-want +got):\n%s", at, d)
		}
		if over := p.Over(at); len(over) != 7-len(want) {
			t.Errorf("at %s: %q", at, over)
		}
	}
	if d := cmp.Diff([]string{"exempt.leave: the leave of rested@contoso.example until 2026-08-24 is over and protects nobody; take it out, or give it another date"}, p.Over(noon)); d != "" {
		t.Errorf("over (-want +got):\n%s", d)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	p := load(t, `
exempt: {users: [upn@x.example, id-1, acct, S-1-5-21-1, "old@x.example", AZ@x.example, "@x.example"]}
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, when: AzureAdSistaLogon.hasNoValue(), then: remove}]
`)
	entra := func(u directory.EntraUser) *directory.Person {
		return &directory.Person{Entra: &u, EntraState: directory.Present}
	}
	ad := func(u directory.ADUser) *directory.Person {
		return &directory.Person{AD: &u, ADState: directory.Present}
	}
	both := func(u directory.EntraUser, a directory.ADUser) *directory.Person {
		return &directory.Person{Entra: &u, EntraState: directory.Present, AD: &a, ADState: directory.Present}
	}
	for name, tc := range map[string]struct {
		person *directory.Person
		want   []string // the listed name, and the name as the person has it
	}{
		"user principal name":                  {entra(directory.EntraUser{ID: "x", UserPrincipalName: "UPN@x.example"}), []string{"upn@x.example as UPN@x.example"}},
		"letters at the ends of the alphabet":  {entra(directory.EntraUser{ID: "x", UserPrincipalName: "aZ@X.example"}), []string{"az@x.example as aZ@X.example"}},
		"a sign beside the alphabet":           {entra(directory.EntraUser{ID: "x", UserPrincipalName: "`x.example"}), nil},
		"object id":                            {entra(directory.EntraUser{ID: "ID-1"}), []string{"id-1 as ID-1"}},
		"account name in Entra":                {entra(directory.EntraUser{ID: "x", SAMAccount: "ACCT"}), []string{"acct as ACCT"}},
		"SID in Entra":                         {entra(directory.EntraUser{ID: "x", SID: "s-1-5-21-1"}), []string{"s-1-5-21-1 as s-1-5-21-1"}},
		"user principal name in AD":            {ad(directory.ADUser{SID: "x", UserPrincipalName: "upn@x.example"}), []string{"upn@x.example as upn@x.example"}},
		"account name in AD":                   {ad(directory.ADUser{SID: "x", SAMAccount: "acct"}), []string{"acct as acct"}},
		"SID in AD":                            {ad(directory.ADUser{SID: "S-1-5-21-1"}), []string{"s-1-5-21-1 as S-1-5-21-1"}},
		"another name in AD":                   {both(directory.EntraUser{ID: "x", UserPrincipalName: "a"}, directory.ADUser{SID: "y", UserPrincipalName: "upn@x.example"}), []string{"upn@x.example as upn@x.example"}},
		"one name in both":                     {both(directory.EntraUser{ID: "x", UserPrincipalName: "upn@x.example"}, directory.ADUser{SID: "y", UserPrincipalName: "upn@x.example"}), []string{"upn@x.example as upn@x.example"}},
		"what Entra says of AD, and AD itself": {both(directory.EntraUser{ID: "x", SAMAccount: "acct", SID: "S-1-5-21-1"}, directory.ADUser{SID: "y", SAMAccount: "other"}), nil},
		"several names":                        {both(directory.EntraUser{ID: "id-1", UserPrincipalName: "upn@x.example"}, directory.ADUser{SID: "S-1-5-21-1", SAMAccount: "acct"}), []string{"upn@x.example as upn@x.example", "id-1 as id-1", "acct as acct", "s-1-5-21-1 as S-1-5-21-1"}},
		"by the id from before":                {entra(directory.EntraUser{ID: "ID-OLD", UserPrincipalName: "new@x.example"}), []string{"old@x.example as "}},
		"by the SID from before":               {ad(directory.ADUser{SID: "S-OLD"}), []string{"old@x.example as "}},
		"by the name and from before":          {entra(directory.EntraUser{ID: "id-old", UserPrincipalName: "old@x.example"}), []string{"old@x.example as old@x.example"}},
		"nobody":                               {entra(directory.EntraUser{ID: "x", UserPrincipalName: "y"}), nil},
		"nobody, without a name":               {ad(directory.ADUser{SID: "S-9"}), nil},
	} {
		names := p.Names(map[string][]directory.EarlierPerson{"old@x.example": {{ID: "id-old", SID: "S-old"}, {ID: "id-old"}, {}}, "gone": {{ID: "x"}}})
		var got []string
		for _, hit := range names.Of(tc.person) {
			got = append(got, hit.Name+" as "+hit.As)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		keys := map[string]bool{}
		for key := range names.Keys() {
			keys[key] = true
		}
		for _, key := range []string{"upn@x.example", "id-1", "acct", "s-1-5-21-1", "old@x.example", "az@x.example", "@x.example", "id-old", "s-old"} {
			if !keys[key] || len(keys) != 9 {
				t.Fatalf("%s: people are found by %v", name, keys)
			}
		}
		for most := 1; most <= len(keys); most++ { // the caller may stop after any key
			n := 0
			for range names.Keys() {
				if n++; n == most {
					break
				}
			}
		}
		for most := 1; most < 4; most++ { // the caller may stop after any name
			n := 0
			for range ownNames(tc.person) {
				if n++; n == most {
					break
				}
			}
		}
	}
}
