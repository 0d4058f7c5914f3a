package draft_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/workflow/draft"
)

func read(t *testing.T, of *tenant, withAD bool) *draft.Seen {
	t.Helper()
	var ad draft.ActiveDirectory
	if withAD {
		ad = of
	}
	seen, err := draft.Read(t.Context(), of, ad, func(directory.Source, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// TestAdviceOnNotices: the note about a draft says how to turn on notices. The test changes the policy as the note
// says, and the rule must then have a notice of 14 days.
func TestAdviceOnNotices(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*tenant){"changed to another product": func(*tenant) {}, "removed": func(of *tenant) { of.skus = of.skus[:2] }} {
		of := usual()
		change(of)
		d, err := draft.Write(read(t, of, false), draft.Wishes{}, "policy.yaml", now)
		if err != nil {
			t.Fatal(err)
		}
		then := regexp.MustCompile(`write then: (\{[^}]*notice: 14\}) in the rule\.`).FindStringSubmatch(string(d.Note))
		if then == nil {
			t.Fatalf("%s: %s", name, d.Note)
		}
		text := regexp.MustCompile(`(?m)^(    then: ).*$`).ReplaceAllString(string(d.Policy), "${1}"+then[1]) + "notices: {from: licenses@contoso.example}\n"
		p, err := policy.Load("policy.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if len(p.Rules) != 1 || p.Rules[0].Notice != 14 || p.Notices == nil || (p.Rules[0].ChangeTo == nil) != (name == "removed") {
			t.Errorf("%s: %+v", name, p.Rules)
		}
	}
}

func TestFirstPolicy(t *testing.T) {
	t.Parallel()
	refused := errors.New("403 Authorization_RequestDenied")
	type wants struct {
		licenses []string // with their groups
		rule     string   // the first rule, as: for → then
		rules    int
		told     []string // parts of the note
		untold   []string
		policy   string // a part of the policy
	}
	tests := map[string]struct {
		change func(*tenant)
		wishes draft.Wishes
		noAD   bool
		want   wants
	}{
		"the usual tenant": {
			want: wants{
				licenses: []string{"m365-e3 SPE_E3 1", "exchange-online EXCHANGESTANDARD 1", "citrix  1"},
				rule:     `accountEnabled && systemRole == "Employee" → exchange-online`, rules: 2,
				told:   []string{"employeeType, which 96 % of the enabled people have", "Active Directory answers", "No account looks like one for an emergency", "write then: {changeTo: exchange-online, notice: 14} in the rule", "With the line notices: {from: MAILBOX} in the policy"},
				untold: []string{"unread", "domains"},
			},
		},
		"employeeType is mostly empty": {
			change: func(t *tenant) { t.people = staff(0, 200, "contoso.example", "Employee", 6) },
			want:   wants{rule: "accountEnabled → exchange-online", rules: 2, told: []string{"employeeType is empty for 94 %, so the rule asks accountEnabled only"}},
		},
		"another word for employees": {
			change: func(t *tenant) {
				t.people = append(staff(0, 150, "contoso.example", "FTE", 100), staff(150, 50, "contoso.example", "fte", 100)...)
			},
			want: wants{rule: `accountEnabled && systemRole == "FTE" → exchange-online`, rules: 2},
		},
		"a type that is no word": {
			change: func(t *tenant) { t.people = staff(0, 200, "contoso.example", `" || true || "`, 100) },
			want:   wants{rule: "accountEnabled → exchange-online", rules: 2, told: []string{"many different values"}},
		},
		"people are refused, which is not empty": {
			change: func(t *tenant) { t.people, t.noPeople = nil, refused },
			want: wants{rule: "accountEnabled → exchange-online", rules: 2, told: []string{"people of Entra ID are unread", "403", "were not looked for"},
				untold: []string{"is empty for", "No account looks like"}},
		},
		"people are refused after the first page": {
			change: func(t *tenant) { t.noPeople = refused },
			want:   wants{rule: "accountEnabled → exchange-online", rules: 2, told: []string{"unread"}, untold: []string{"is empty for"}},
		},
		"groups are refused": {
			change: func(t *tenant) { t.groups, t.noGroups = nil, refused },
			want:   wants{licenses: []string{"m365-e3 SPE_E3 0", "exchange-online EXCHANGESTANDARD 0", "citrix  1"}, rules: 2, told: []string{"Groups that give licenses are unread", "403"}},
		},
		"Graph does not list the groups, and people show them": {
			change: func(t *tenant) {
				t.unlisted, t.groups, t.noGroups = t.groups, nil, directory.ErrNotListed
				t.people[0].Assignments = []directory.Assignment{{SKU: guid(1), Group: guid(2001), State: "Active"}}
			},
			want: wants{licenses: []string{"m365-e3 SPE_E3 1", "exchange-online EXCHANGESTANDARD 0", "citrix  1"}, rules: 2,
				told: []string{"Groups that give licenses are unread, at least some of them"}},
		},
		"odd products": {
			change: func(t *tenant) {
				t.groups = nil
				t.skus = []directory.SKU{sku(5, "VISIOCLIENT", 40), sku(6, "PROJECTPROFESSIONAL", 70), sku(7, "DYN365_TRIAL", 500), sku(8, "SPE_F9", 0)}
			},
			want: wants{licenses: []string{"projectprofessional PROJECTPROFESSIONAL 0", "citrix  1"}, rule: `accountEnabled && systemRole == "Employee" → remove`, rules: 2},
		},
		"a trial is not paid": {
			change: func(t *tenant) {
				t.skus = []directory.SKU{sku(5, "VISIOCLIENT", 40), sku(6, "PROJECTPROFESSIONAL", 70)}
				t.bought = []directory.Subscription{{SKU: guid(6), Trial: true}, {SKU: guid(5), Trial: true}, {SKU: guid(5)}}
			},
			want: wants{licenses: []string{"visioclient VISIOCLIENT 0", "citrix  1"}, rules: 2},
		},
		"two products have one part number": {
			change: func(t *tenant) {
				t.groups, t.skus = nil, []directory.SKU{sku(5, "Microsoft_Teams_Premium", 40), sku(6, "Microsoft_Teams_Premium", 70)}
			},
			want: wants{licenses: []string{"microsoft-teams-premium " + guid(6) + " 0", "citrix  1"}, rules: 2},
		},
		"a mailbox that nothing could keep": {
			change: func(t *tenant) { t.skus = t.skus[:2] },
			want:   wants{rule: `accountEnabled && systemRole == "Employee" → remove`, rules: 2, told: []string{"refuses to leave a mailbox without a license. Buy Exchange Online (Plan 1)"}},
		},
		"a mailbox that another product could keep": {
			change: func(t *tenant) {
				t.skus = append(t.skus[:2], sku(5, "EXCHANGEDESKLESS", 40, "EXCHANGE_S_DESKLESS"), sku(6, "VISIOCLIENT", 7, "VISIO"))
			},
			want: wants{rules: 2, told: []string{"Other products of the tenant with a mailbox: EXCHANGEDESKLESS. If one"}},
		},
		"a product whose name is no part number": {
			change: func(t *tenant) { t.skus[1].PartNumber = "Microsoft_365_E3_(no_Teams)" },
			want:   wants{rules: 2, policy: "    sku: " + guid(1) + " # Microsoft_365_E3_(no_Teams)\n"},
		},
		"groups that idleseat does not change": {
			change: func(t *tenant) {
				for n, g := range []directory.Group{{Dynamic: true}, {Synced: true}, {RoleAssignable: true}, {MailEnabled: true}, {Restricted: true}, {Grants: []string{guid(9)}}} {
					g.ID, g.Name, g.Grants = guid(3000+n), "G", append(g.Grants, guid(1))
					t.groups = append(t.groups, g)
				}
			},
			want: wants{licenses: []string{"m365-e3 SPE_E3 1", "exchange-online EXCHANGESTANDARD 1", "citrix  1"}, rules: 2,
				told: []string{"a rule of Entra ID decides", "managed in Active Directory", "Entra role", "only Exchange", "management is restricted", "gives other products"}},
		},
		"hidden groups": {
			change: func(t *tenant) { t.groups[0].Hidden = true },
			want:   wants{rules: 2, told: []string{"LIC-M365-E3 hides its members"}},
		},
		"two domains": {
			change: func(t *tenant) { t.people = append(t.people, staff(200, 20, "fabrikam.example", "Employee", 100)...) },
			want:   wants{rules: 2, told: []string{"People have names in 2 domains: contoso.example (91 %), fabrikam.example (9 %). The rules ask about all of them."}},
		},
		"synced from a domain that was not read": {
			change: func(t *tenant) {
				t.people[0].Synced, t.people[0].SID = true, "S-1-5-21-9-9-9-500"
				t.people[1].Synced, t.people[1].SID = true, "S-1-5-21-1-2-3-500"
			},
			want: wants{rules: 2, told: []string{"come from 1 more domains of Active Directory"}},
		},
		"no Active Directory": {
			noAD: true,
			want: wants{licenses: []string{"m365-e3 SPE_E3 1", "exchange-online EXCHANGESTANDARD 1"}, rules: 1, told: []string{"not set up here"}, policy: "\nattributes: {created: entra.created}\n"},
		},
		"Active Directory does not answer": {
			change: func(t *tenant) { t.ad, t.citrix, t.noAD, t.noCitrix = nil, nil, refused, refused },
			want:   wants{rules: 1, told: []string{"Active Directory is unread", "Groups of Citrix were not looked for"}, untold: []string{"No group of Active Directory"}},
		},
		"the last logon is hidden": {
			change: func(t *tenant) { t.ad[0].Unreadable = []string{"lastLogonTimestamp"} },
			want:   wants{rules: 2, told: []string{"may not read the last logon of 1 of 50 people"}},
		},
		"several groups of Citrix": {
			change: func(t *tenant) { t.citrix = append(t.citrix, "CN=Citrix Admins,DC=corp,DC=example") },
			want:   wants{rules: 1, told: []string{"Several groups have Citrix in their name", "--citrix"}},
		},
		"one of several groups of Citrix is named": {
			change: func(t *tenant) { t.citrix = append(t.citrix, "CN=Citrix Admins,DC=corp,DC=example") },
			wishes: draft.Wishes{Citrix: "CN=Citrix Users,OU=Licenses,DC=corp,DC=example"},
			want:   wants{rules: 2, untold: []string{"Several groups"}},
		},
		"an account for an emergency": {
			change: func(t *tenant) { t.people[7].UserPrincipalName = "Break-Glass1@contoso.example" },
			want:   wants{rules: 2, told: []string{"Exempt, because the names look like accounts for an emergency: Break-Glass1@contoso.example."}},
		},
		"nobody has a sign-in date": {
			change: func(t *tenant) {
				for i := range t.people {
					t.people[i].LastSuccessful = time.Time{}
				}
			},
			want: wants{rules: 2, told: []string{"Nobody has a sign-in date. Then nothing can be decided"}},
		},
		"more people than are looked at": {
			change: func(t *tenant) { t.people = staff(0, 2100, "contoso.example", "Employee", 96) },
			want:   wants{rules: 2, told: []string{"The first 2000 accounts of 2100"}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of := usual()
			if tc.change != nil {
				tc.change(of)
			}
			d, err := draft.Write(read(t, of, !tc.noAD), tc.wishes, "policy.yaml", now)
			if err != nil {
				t.Fatal(err)
			}
			p, err := policy.Load("policy.yaml", d.Policy)
			if err != nil {
				t.Fatalf("%v\n%s", err, d.Policy)
			}
			if p.Mode != policy.Audit || p.Tenant != of.id {
				t.Errorf("mode %s, tenant %s", p.Mode, p.Tenant)
			}
			var licenses []string
			for _, l := range p.Licenses {
				licenses = append(licenses, fmt.Sprint(l.Name, " ", l.SKU, " ", len(l.Groups())))
			}
			if diff := cmp.Diff(tc.want.licenses, licenses); tc.want.licenses != nil && diff != "" {
				t.Errorf("licenses (-want +got):\n%s", diff)
			}
			if len(p.Rules) != tc.want.rules {
				t.Errorf("%d rules, want %d\n%s", len(p.Rules), tc.want.rules, d.Policy)
			}
			first, then := p.Rules[0], "remove"
			if first.ChangeTo != nil {
				then = first.ChangeTo.Name
			}
			if got := first.ForSource + " → " + then; tc.want.rule != "" && got != tc.want.rule {
				t.Errorf("the first rule is %q, want %q", got, tc.want.rule)
			}
			if !strings.Contains(string(d.Policy), tc.want.policy) {
				t.Errorf("the policy does not say %q:\n%s", tc.want.policy, d.Policy)
			}
			for _, part := range tc.want.told {
				if !strings.Contains(string(d.Note), part) {
					t.Errorf("the note does not say %q:\n%s", part, d.Note)
				}
			}
			for _, part := range tc.want.untold {
				if strings.Contains(string(d.Note), part) {
					t.Errorf("the note says %q:\n%s", part, d.Note)
				}
			}
			if names := strings.Count(string(d.Golden), "person."); names > 0 {
				t.Errorf("the golden people have %d real names:\n%s", names, d.Golden)
			}
		})
	}
}

// TestNothingToWrite: Read fails without the tenant's id. Write fails if the tenant has no license that a rule could
// take.
func TestNothingToWrite(t *testing.T) {
	t.Parallel()
	refused := errors.New("403")
	of := usual()
	of.noTenant = refused
	if _, err := draft.Read(t.Context(), of, nil, nil); !errors.Is(err, refused) {
		t.Errorf("read: %v", err)
	}
	of = usual()
	of.skus = of.skus[:1]
	if _, err := draft.Write(read(t, of, false), draft.Wishes{}, "p", now); !errors.Is(err, draft.ErrNothing) {
		t.Errorf("write: %v", err)
	}
}

func TestWishes(t *testing.T) {
	t.Parallel()
	seen := read(t, usual(), true)
	d, err := draft.Write(seen, draft.Wishes{Currency: "EUR", Prices: map[string]float64{"m365-e3": 36.9}, Exempt: []string{"anna@contoso.example"}}, "policy.yaml", now)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Load("policy.yaml", d.Policy)
	if err != nil || p.Currency != "EUR" || p.LicenseNamed("m365-e3").MonthlyPrice != 36.9 || cmp.Diff([]string{"anna@contoso.example"}, p.Exempt.Users) != "" {
		t.Errorf("%v, %+v", err, p)
	}
	for _, w := range []draft.Wishes{{Currency: "euros"}, {Prices: map[string]float64{"m365-e3": -1}}, {Exempt: []string{"*@contoso.example"}}, {Citrix: "no name"}} {
		var faults policy.Faults
		if _, err := draft.Write(seen, w, "policy.yaml", now); !errors.As(err, &faults) {
			t.Errorf("%+v: %v", w, err)
		}
	}
	d, err = draft.Write(seen, draft.Wishes{Model: "user"}, "policy.yaml", now)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = policy.Load("policy.yaml", d.Policy); err != nil || p.LicenseNamed("citrix").Model != policy.PerUser || strings.Contains(string(d.Note), "not known") {
		t.Errorf("%v\n%s", err, d.Note)
	}
	if _, err := draft.Write(read(t, usual(), false), draft.Wishes{Model: "user"}, "policy.yaml", now); !errors.Is(err, draft.ErrModel) {
		t.Errorf("a model without a group: %v", err)
	}
	if _, err := draft.Write(seen, draft.Wishes{Prices: map[string]float64{"visio": 3}}, "policy.yaml", now); err == nil {
		t.Error("a price for a license that the policy does not have was accepted")
	}
}
