package policy

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const right = `tenant: 11111111-2222-3333-4444-555555555555
mode: audit
attributes:
  staff: {memberOf: {entra: Staff}}
licenses:
  e3: {sku: SPE_E3, group: {entra: E3}, monthlyPrice: 39}
  exo: {sku: EXO}
  citrix: {group: {ad: "CN=Citrix,DC=corp"}}
grace: {neverSignedIn: 14}
exempt:
  users: [a@x]
  leave: [{user: b@x, until: 2027-03-01}]
limits: {stopAbove: {percent: 10, count: 500}, perRun: 200}
rules:
  - name: r
    license: e3
    when: AzureAdSistaLogon.hasNoValue()
    then: {changeTo: exo}
`

var loadFaults = []struct {
	name, old, new string
	want           string // one fault per line
}{
	{"unknown key", "mode: audit", "mod: audit", `p:2:1: unknown key "mod" in the policy; did you mean "mode"?`},
	{"unknown key deep down", "perRun: 200", "perrun: 200", `p:13:48: unknown key "perrun" in limits; did you mean "perRun"?`},
	{"key twice", "mode: audit", "mode: audit\nmode: review", `p:3:1: the policy has the key "mode" twice, first on line 2; delete one`},
	{"license twice", "exo: {sku", "e3: {sku", `p:7:3: licenses has the key "e3" twice, first on line 6; delete one` + "\n" + `p:18:22: there is no license "exo"; the policy has e3, citrix`},
	{"no tenant", "tenant: 11111111-2222-3333-4444-555555555555\n", "", "p:1:1: the policy lacks the key \"tenant\"; write the tenant's id, a GUID"},
	{"tenant", "11111111-2222-3333-4444-555555555555", "contoso.example", `p:1:9: tenant must be the tenant's id, like 11111111-2222-3333-4444-555555555555, not "contoso.example"; Entra ID shows the id on its overview page`},
	{"mode", "mode: audit", "mode: enforced", `p:2:7: mode must be audit, review or enforce, not "enforced"; did you mean "enforce"?`},
	{"mode a list", "mode: audit", "mode: [audit]", `p:2:7: mode must be text, not a list`},
	{"currency", "mode: audit", "currency: dollars", `p:2:11: currency must be three capital letters like USD, not "dollars"`},
	{"unknown field", "{memberOf: {entra: Staff}}", "entra.lastActivty", `p:4:10: attribute staff: unknown field "entra.lastActivty"; did you mean "entra.lastActivity"?`},
	{"field without source", "{memberOf: {entra: Staff}}", "lastLogonTimestamp", `p:4:10: attribute staff: unknown field "lastLogonTimestamp"; did you mean "ad.lastLogonTimestamp"?`},
	{"newest of texts", "{memberOf: {entra: Staff}}", "newest(entra.created, ad.title)", `p:4:10: attribute staff: newest takes dates, and ad.title is none`},
	{"newest of nothing", "{memberOf: {entra: Staff}}", "newest(entra.created, ad.craeted)", `p:4:10: attribute staff: unknown field "ad.craeted" in newest; did you mean "ad.created"?`},
	{"newest unclosed", "{memberOf: {entra: Staff}}", `"newest(entra.created"`, `p:4:10: attribute staff: newest( lacks its closing parenthesis; write newest(entra.created, ad.created)`},
	{"attribute named now", "staff:", "now:", `p:4:3: "now" is a word of the language; choose another name`},
	{"attribute named as a function", "staff:", "days:", `p:4:3: "days" is a function or type of the language; choose another name`},
	{"attribute named as a macro", "staff:", "exists:", `p:4:3: "exists" is a function or type of the language; choose another name`},
	{"attribute named as a type", "staff:", "timestamp:", `p:4:3: "timestamp" is a function or type of the language; choose another name`},
	{"attribute named as a type alone", "staff:", "map:", `p:4:3: "map" is a function or type of the language; choose another name`},
	{"attribute named as a type of CEL", "staff:", "list:", `p:4:3: "list" is a function or type of the language; choose another name`},
	{"attribute no identifier", "staff:", "my-staff:", `p:4:3: an attribute's name must be letters, digits and _, and not begin with a digit`},
	{"created no date", "staff: {memberOf: {entra: Staff}}", "created: entra.mail", `p:4:12: created must be mapped to a date, since grace rests on it`},
	{"memberOf nothing", "{memberOf: {entra: Staff}}", "{memberOf: {}}", `p:4:21: memberOf must name one group: {entra: NAME} or {ad: "DISTINGUISHED NAME"}`},
	{"license of nothing", "exo: {sku: EXO}", "exo: {}", `p:7:8: license exo needs "sku: PART_NUMBER", or "group: {ad: …}" or "group: {entra: …}" when membership of the group is the license`},
	{"license of an Entra group", "exo: {sku: EXO}", "exo: {group: {entra: EXO}}", `p:18:22: one of e3 and exo has a sku, and membership of a group of Entra ID is the other, so one cannot be changed to the other in one move; write remove`},
	{"license of an Entra group, of which no seats are known", "exo: {sku: EXO}", "exo: {group: {entra: EXO}, keepSeats: 3}", `p:7:8: license exo has no sku, so that membership of its group is the license, of which neither seats nor mailboxes nor service plans are known; leave keepSeats, mailboxQuota and needs out, or name the sku` + "\n" + `p:18:22: one of e3 and exo has a sku, and membership of a group of Entra ID is the other, so one cannot be changed to the other in one move; write remove`},
	{"a product and an Entra group of one name", "exo: {sku: EXO}", "exo: {sku: EXO, group: {entra: APP}}\n  app: {group: {entra: APP}}", `p:8:8: licenses exo and app are the same group entra:APP; name it once`},
	{"group and groups", "exo: {sku: EXO}", "exo: {sku: EXO, group: {entra: A}, groups: [{entra: B}]}", `p:7:46: license exo has group and groups; write one of them`},
	{"no groups", "exo: {sku: EXO}", "exo: {sku: EXO, groups: []}", `p:7:27: groups of license exo is empty; name the groups that give it, or leave it out`},
	{"a group twice", "exo: {sku: EXO}", "exo: {sku: EXO, groups: [{entra: A}, {entra: B}, {entra: A}]}", `p:7:52: license exo names the group entra:A twice`},
	{"several groups and no product", "citrix: {group: {ad: \"CN=Citrix,DC=corp\"}}", "citrix: {groups: [{entra: A}, {entra: B}]}", `p:8:20: license citrix has several groups and no sku; name the product as sku, or give each group a license of its own`},
	{"groups no list", "exo: {sku: EXO}", "exo: {sku: EXO, groups: {entra: A}}", `p:7:27: groups of license exo must be a list, not a mapping`},
	{"a product with a model", "exo: {sku: EXO}", "exo: {sku: EXO, model: user}", `p:7:8: license exo has a sku, whose seats are people's; leave model out`},
	{"groups of both", `{group: {ad: "CN=Citrix,DC=corp"}}`, `{sku: CTX, groups: [{entra: CTX}, {ad: "CN=Citrix,DC=corp"}]}`, `p:8:11: license citrix has several groups, and one of them is of Active Directory; name groups of Entra ID, or that one alone`},
	{"AD group by name", `"CN=Citrix,DC=corp"`, "Citrix", `p:8:24: group of license citrix must give the distinguished name, like "CN=Citrix Users,OU=Licenses,DC=corp,DC=example", not "Citrix"`},
	{"AD group unquoted", `"CN=Citrix,DC=corp"`, "CN=Citrix,DC=corp", `p:8:34: unknown key "DC=corp" in group of license citrix; put a distinguished name in double quotes`},
	{"negative price", "monthlyPrice: 39", "monthlyPrice: -1", `p:6:55: monthlyPrice must be a number from 0 to 999999, not "-1"`},
	{"price not a number", "monthlyPrice: 39", "monthlyPrice: .nan", `p:6:55: monthlyPrice must be a number from 0 to 999999, not ".nan"`},
	{"grace negative", "neverSignedIn: 14", "neverSignedIn: -1", `p:9:24: grace.neverSignedIn must be a whole number from 0 to 3650, not "-1"`},
	{"exempt user a number", "[a@x]", "[a@x, 7]", `p:11:16: an exempt user must be text, not a number; put 7 in quotes`},
	{"exempt empty", "users: [a@x]", "users:", `p:11:9: exempt.users must be a list, not empty`},
	{"leave without end", ", until: 2027-03-01", "", `p:12:11: a leave lacks the key "until"; write the last day, like 2027-03-01`},
	{"leave until nonsense", "2027-03-01", "soon", `p:12:30: until must be a date like 2027-03-01 or an instant like 2027-03-01T18:00:00Z, not "soon"`},
	{"percent", "percent: 10", "percent: 101", `p:13:31: limits.stopAbove.percent must be a number from 0 to 100, not "101"`},
	{"count", "count: 500", "count: 0", `p:13:42: limits.stopAbove.count must be a whole number from 1 to 1000000000, not "0"`},
	{"perRun", "perRun: 200", "perRun: 1.5", `p:13:56: limits.perRun must be a whole number from 1 to 5000, not "1.5"`},
	{"a number in quotes", "perRun: 200", `perRun: "200"`, `p:13:56: limits.perRun must be a whole number from 1 to 5000, not "200"; write it without quotes`},
	{"a number with a percent sign", "percent: 10", "percent: 10 %", `p:13:31: limits.stopAbove.percent must be a number from 0 to 100, not "10 %"; leave out the %`},
	{"a number of letters", "perRun: 200", "perRun: all", `p:13:56: limits.perRun must be a whole number from 1 to 5000, not "all"`},
	{"perRun a list", "perRun: 200", "perRun: []", `p:13:56: limits.perRun must be a whole number from 1 to 5000, not a list`},
	{"no license in licenses", right[strings.Index(right, "licenses:"):strings.Index(right, "grace:")], "licenses: {}\n", "p:5:11: licenses is empty; name at least one"},
	{"a misspelt license", "license: e3", "license: citrx", `p:16:14: there is no license "citrx"; did you mean "citrix"?`},
	{"a misspelt key that must be there", "tenant: ", "tennant: ", `p:1:1: unknown key "tennant" in the policy; did you mean "tenant"?`},
	{"unknown license", "license: e3", "license: e5", `p:16:14: there is no license "e5"; the policy has e3, exo, citrix`},
	{"to itself", "changeTo: exo", "changeTo: e3", `p:18:22: a license cannot be changed to itself; write remove, or name another`},
	{"to another directory", "changeTo: exo", "changeTo: citrix", `p:18:22: e3 and citrix live in different directories, so one cannot be changed to the other in one move; write remove`},
	{"to the same product", "{sku: EXO}", "{sku: SPE_E3}", "p:7:8: licenses e3 and exo are the same product SPE_E3; name it once\np:18:22: e3 and exo are the same product; write remove, or name another"},
	{"license name no key", "  citrix: ", "  ci/trix: ", `p:8:3: license name "ci/trix": use 1 to 64 letters, digits, dots, dashes and underscores, with a letter or digit at both ends`},
	{"then", "{changeTo: exo}", "delete", `p:18:11: then must be remove or {changeTo: LICENSE}, not "delete"`},
	{"notice of no days", "{changeTo: exo}", "{changeTo: exo, notice: 0}", `p:18:35: notice must be a whole number from 1 to 3650, not "0"`},
	{"onReturn", "{changeTo: exo}", "{changeTo: exo, onReturn: ask}", `p:18:37: onReturn must be restore, not "ask"; leave it out so that the plan only lists the person`},
	{"remove and change", "{changeTo: exo}", "{changeTo: exo, remove: true}", `p:18:35: write remove: true, or changeTo: LICENSE, and not both`},
	{"remove: false", "{changeTo: exo}", "{remove: false}", `p:18:20: write remove: true, or changeTo: LICENSE, and not both`},
	{"then without an end", "{changeTo: exo}", "{notice: 7}", `p:18:11: then lacks the key "changeTo"; write {changeTo: LICENSE}, or {remove: true}`},
	{"seats of an AD group", `"CN=Citrix,DC=corp"}}`, `"CN=Citrix,DC=corp"}, keepSeats: 5}`, `p:8:11: license citrix is a group of Active Directory, of which neither seats nor mailboxes nor service plans are known; leave keepSeats, mailboxQuota and needs out`},
	{"a renewal that is no date", "{sku: EXO}", "{sku: EXO, renews: yearly}", `p:7:27: renews must be a date like 2027-03-01, a day that each year has, like 03-01, or monthly, not "yearly"`},
	{"a renewal on a day that most years lack", "{sku: EXO}", "{sku: EXO, renews: 02-29}", `p:7:27: renews must be a date like 2027-03-01, a day that each year has, like 03-01, or monthly, not "02-29"`},
	{"a renewal that is a list", "{sku: EXO}", "{sku: EXO, renews: [03-01]}", `p:7:27: renews must be a date like 2027-03-01, a day that each year has, like 03-01, or monthly, not a list`},
	{"seats", "{sku: EXO}", "{sku: EXO, keepSeats: -1}", `p:7:30: keepSeats must be a whole number from 0 to 1000000000, not "-1"`},
	{"quota", "{sku: EXO}", "{sku: EXO, mailboxQuota: 0}", `p:7:33: mailboxQuota must be a number from 0.1 to 10000, not "0"`},
	{"no then", "    then: {changeTo: exo}\n", "", `p:15:5: a rule lacks the key "then"; write remove, or {changeTo: LICENSE}`},
	{"rule name twice", "rules:\n", "rules:\n  - {name: r, license: e3, when: 'true', then: remove}\n", `p:16:11: there are two rules named "r"; give each its own name`},
	{"no rules", right[strings.Index(right, "rules:"):], "rules: []\n", `p:14:8: rules is empty; write at least one`},
	{"rules a mapping", right[strings.Index(right, "rules:"):], "rules: {}\n", `p:14:8: rules must be a list, not a mapping`},
	{"anchor", "[a@x]", "&u [a@x]", `p:11:10: in YAML a value that begins with & is an anchor; anchors are not allowed: write the value out where it is needed, and a text in quotes`},
	{"alias", "mode: audit", "mode: &m audit\ncurrency: *m", "p:2:7: in YAML a value that begins with & is an anchor; anchors are not allowed: write the value out where it is needed, and a text in quotes\np:3:11: aliases are not allowed; write the value out"},
	{"tag", "mode: audit", "mode: !!str audit", `p:2:7: YAML reads an unquoted ! as a tag, and tags are not allowed; put the value in quotes, as in for: '!inPilot'`},
	{"second document that is no YAML", "mode: audit", "mode: audit\n--- [", `p:3:1: not YAML: a list that begins with [ is not closed by ], or lacks a comma`},
	{"a control character", "mode: audit", "mode: \x01", `p:1:1: not YAML: control characters are not allowed`},
	{"a key a number", "mode: audit", "7: audit", `p:2:1: a key of the policy must be text, not a number`},
	{"a key a list", "mode: audit", "? [a]\n: audit", `p:2:3: a key of the policy must be text, not a list`},
	{"a key of no letters", "mode: audit", `"": audit`, `p:2:1: a key of the policy must be text, not text`},
	{"a key of nothing", "mode: audit", "~: audit", `p:2:1: a key of the policy must be text, not empty`},
	{"mode of no letters", "mode: audit", `mode: " "`, `p:2:7: mode is empty`},
	{"a rule without letters", "name: r", `name: ""`, `p:15:11: name is empty`},
	{"two rules without letters", "rules:\n", "rules:\n  - {name: '', license: e3, when: 'true', then: remove}\n  - {name: '', license: e3, when: 'true', then: remove}\n", "p:15:12: name is empty\np:16:12: name is empty"},
	{"an exempt user without letters", "[a@x]", `[""]`, `p:11:11: an exempt user is empty`},
	{"an exempt user twice a fault", "[a@x]", `[[a]]`, `p:11:11: an exempt user must be text, not a list`},
	{"no rules at all", right[strings.Index(right, "rules:"):], "", `p:1:1: the policy lacks the key "rules"; write at least one rule`},
	{"no licenses at all", right[strings.Index(right, "licenses:"):strings.Index(right, "grace:")], "", "p:1:1: the policy lacks the key \"licenses\"; write the products to watch, as \"licenses: {m365-e3: {sku: SPE_E3}}\""},
	{"license of nothing behind one of a group", "  citrix: {group: {ad: \"CN=Citrix,DC=corp\"}}\n", "  citrix: {group: {ad: \"CN=Citrix,DC=corp\"}}\n  x: {}\n", `p:9:6: license x needs "sku: PART_NUMBER", or "group: {ad: …}" or "group: {entra: …}" when membership of the group is the license`},
	{"a product of the same group", "  citrix: ", "  x: {sku: CTX, group: {ad: \"CN=Citrix,DC=corp\"}}\n  citrix: ", `p:9:11: licenses x and citrix are the same group ad:CN=Citrix,DC=corp; name it once`},
	{"a product of the same group, behind", "grace:", "  x: {sku: CTX, group: {ad: \"CN=Citrix,DC=corp\"}}\ngrace:", `p:9:6: licenses citrix and x are the same group ad:CN=Citrix,DC=corp; name it once`},
	{"a group with a fault", "{entra: Staff}", "{entra: Staff, add: x}", `p:4:36: unknown key "add" in memberOf; did you mean "ad"?`},
	{"a group that is empty", "{entra: Staff}", "{entra: ''}", "p:4:29: entra is empty"},
	{"licenses a list", right[strings.Index(right, "licenses:"):strings.Index(right, "grace:")], "licenses: []\n", "p:5:11: licenses must be a mapping of keys to values, not a list"},
	{"leave of no user", "user: b@x, ", "", `p:12:11: a leave lacks the key "user"; write the user principal name`},
	{"second document", "mode: audit", "mode: audit\n---\na: b", `p:3:1: a second document starts here; a file has one`},
	{"not YAML", "mode: audit", "mode: [audit", `p:2:1: not YAML: a list that begins with [ is not closed by ], or lacks a comma`},
	{"not UTF-8", "mode: audit", "mode: \xff", `p:2:1: the line is not valid UTF-8`},
	{"a list", right, "- a\n", `p:1:1: the policy must be a mapping of keys to values, not a list`},
	{"empty", right, "", `p:1:1: the file is empty`},
	{"only a comment", right, "# nothing\n", `p:1:1: the file is empty`},
	{"null", right, "~\n", `p:1:1: the policy must be a mapping of keys to values, not empty`},
	{"too large", right, strings.Repeat("#", maxFile+1), `p:1:1: the file has 1048577 bytes; at most 1048576 are read`},
	{"several at once", "mode: audit\nattributes:\n  staff: {memberOf: {entra: Staff}}", "mode: never\nattributes:\n  days: entra.mail\n  x: entra.nothing",
		`p:2:7: mode must be audit, review or enforce, not "never"
p:4:3: "days" is a function or type of the language; choose another name
p:5:6: attribute x: unknown field "entra.nothing"; a field begins with entra., ad., m365. or copilot., like entra.department; docs/policy.md lists them all`},
}

func TestFaults(t *testing.T) {
	t.Parallel()
	if _, err := Load("p", []byte(right)); err != nil {
		t.Fatalf("the policy the cases start from is faulty:\n%v", err)
	}
	for _, tt := range loadFaults {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(right, tt.old) {
				t.Fatalf("the policy has no %q", tt.old)
			}
			_, err := Load("p", []byte(strings.Replace(right, tt.old, tt.new, 1)))
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("Load gave %v, want Faults", err)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	p, err := Load("p", []byte(`
rules:
  - {name: a, license: citrix, when: true, then: remove}
  - {name: b, license: e3, when: staff, then: {changeTo: exo}}
exempt: {groups: [{entra: Exempt}, {ad: "cn=other,dc=corp"}]}
licenses:
  e3: {sku: SPE_E3, group: {entra: E3}, monthlyPrice: 39.5}
  exo: {sku: EXO}
  citrix: {group: {ad: "CN=Citrix,DC=corp"}}
  other: {group: {ad: "CN=Other,DC=corp"}}
attributes: {staff: {memberOf: {entra: Staff}}, exempted: {memberOf: {entra: Exempt}}}
tenant: ABCDEF00-2222-3333-4444-555555555555
`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Tenant != "abcdef00-2222-3333-4444-555555555555" || p.Mode != Audit || p.Currency != "USD" {
		t.Errorf("tenant %s, mode %s, currency %s", p.Tenant, p.Mode, p.Currency)
	}
	if diff := cmp.Diff(Limits{10, 500, 200}, p.Limits); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"SPE_E3", "EXO"}, p.SKUs()); diff != "" {
		t.Errorf("SKUs (-want +got):\n%s", diff)
	}
	var refs, queries []string
	for _, r := range p.GroupRefs() {
		refs = append(refs, r.String())
	}
	for _, q := range p.MemberQueries() {
		queries = append(queries, q.Ref.Key(q.Direct))
	}
	if diff := cmp.Diff([]string{"entra:Exempt", "ad:cn=other,dc=corp", "entra:E3", "ad:CN=Citrix,DC=corp", "entra:Staff"}, refs); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"entra:Exempt", "ad:cn=other,dc=corp", "entra:Staff", "ad/direct:cn=citrix,dc=corp"}, queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
	if g := p.LicenseNamed("e3").Group; g == nil || *g != (directory.GroupRef{Source: directory.Entra, Name: "E3"}) {
		t.Errorf("group of e3: %v", g)
	}
	if r := p.RuleNamed("b"); r.ChangeTo != p.LicenseNamed("exo") || r.WhenSource != "staff" || r.ForSource != "" {
		t.Errorf("rule b: %+v", r)
	}
}

func TestNewJudgeNamesMissingSKUs(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	_, err := p.NewJudge(map[string]string{"SPE_E5": "x"}, noon)
	want := `license m365-e3: the tenant has no SKU with part number or skuId "SPE_E3"; it has SPE_E5
license exchange-online: the tenant has no SKU with part number or skuId "EXCHANGESTANDARD"; it has SPE_E5`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestOutcomeWords(t *testing.T) {
	t.Parallel()
	for o := NotHolder; o <= Exempt; o++ {
		text, _ := o.MarshalText()
		var back Outcome
		if err := back.UnmarshalText(text); err != nil || back != o {
			t.Errorf("%d becomes %q becomes %d, %v", o, text, back, err)
		}
	}
	var o Outcome
	if err := o.UnmarshalText([]byte("reclame")); err == nil || !strings.Contains(err.Error(), `did you mean "reclaim"?`) {
		t.Errorf("reclame: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	shipped, err := os.ReadFile("../../infra/policy.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shipped)
	f.Add([]byte(right))
	f.Add([]byte("tenant: 11111111-2222-3333-4444-555555555555" + exempting))
	for _, a := range answers {
		f.Add([]byte(strings.Replace(right, "AzureAdSistaLogon.hasNoValue()", "|\n      "+a.expr, 1)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Load("p", data)
		if err != nil {
			var faults Faults
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("the error is not Faults: %v", err)
			}
			return
		}
		ids := map[string]string{}
		for _, part := range p.SKUs() {
			ids[part] = part
		}
		j, err := p.NewJudge(ids, noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []*directory.Person{employee(), adOnly(), {}} {
			for _, r := range p.Rules {
				j.Reason(r, who, j.Ask(r, who))
				j.Turns(r, who)
				j.Evidence(r, who)
			}
		}
	})
}
