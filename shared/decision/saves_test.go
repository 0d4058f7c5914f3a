package decision

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// A change that frees no seat is made, and its decision says so.
func TestSavesNothing(t *testing.T) {
	t.Parallel()
	citrix := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	path := func(group, state string) directory.Assignment {
		return directory.Assignment{SKU: "sku-e3", Group: group, State: state}
	}
	const nested, hidden, unknown, inError = "the person is in the group by way of a group within it, too, and stays entitled",
		"whether a group within the group entitles the person, too, is not known: the account may not read its members",
		"it is not known whether a seat becomes free; say how they are counted with model: user, device or concurrent",
		"the assignment is in error and takes no seat"
	for name, tc := range map[string]struct {
		rule       string
		holds      []directory.Assignment
		in, hidden []string
		model      policy.Model
		want       string
		said       bool // the reason contains the text
		refused    bool // there is no route
	}{
		"frees a seat":                      {"m365-long", []directory.Assignment{path("", "Active")}, nil, nil, "", "", false, false},
		"in an unknown state":               {"m365-long", []directory.Assignment{path("", "")}, nil, nil, "", "", false, true},
		"in error":                          {"m365-long", []directory.Assignment{path("", "Error")}, nil, nil, "", inError, true, false},
		"in error on both paths":            {"m365-long", []directory.Assignment{path("g-e3", "Error"), path("", "Error")}, nil, nil, "", inError, false, true},
		"in error on one of two paths":      {"m365-long", []directory.Assignment{path("g-e3", "Error"), path("", "Active")}, nil, nil, "", "", false, true},
		"another license is in error":       {"m365-long", []directory.Assignment{{SKU: "sku-exo", State: "Error"}, path("", "Active")}, nil, nil, "", "", false, false},
		"in error, another one is not":      {"m365-long", []directory.Assignment{path("", "Error"), {SKU: "sku-exo", State: "Active"}}, nil, nil, "", inError, true, false},
		"not held":                          {"m365-long", nil, nil, nil, "", "", false, false},
		"groups do not matter to a product": {"m365-long", []directory.Assignment{path("", "Active")}, []string{citrix.NestedKey()}, []string{citrix.NestedKey()}, "", "", false, false},
		"Citrix, by user":                   {"citrix", nil, nil, nil, policy.PerUser, "", false, false},
		"Citrix, not known how":             {"citrix", nil, nil, nil, "", unknown, false, false},
		"Citrix, nested":                    {"citrix", nil, []string{citrix.NestedKey()}, nil, policy.PerUser, nested, true, false},
		"Citrix, nested or not":             {"citrix", nil, nil, []string{citrix.NestedKey()}, policy.PerUser, hidden, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := accountOf("p", 100, tc.holds...)
			u.SID = "S-7"
			w := world{entra: []directory.EntraUser{u, accountOf("busy", 1)}, ad: []directory.ADUser{{SID: "S-8", LastLogonTimestamp: daysAgo(1)}}}
			if tc.model != "" {
				w.policy = strings.Replace(text, "citrix: {", "citrix: {model: "+string(tc.model)+", ", 1)
			}
			r := w.seal(t)
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			p := only(t, r, "p@x.example")
			p.ADState, p.AD, p.Doubt = directory.Present, &directory.ADUser{SID: "S-7", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(200)}, ""
			p.Memberships, p.Unreadable = append([]string{citrix.Key(true)}, tc.in...), tc.hidden
			rule := r.Policy.RuleNamed(tc.rule)
			d := r.Decide(judge, rule, p, judge.Ask(rule, p), nil, nil)
			if d.SavesNothing != tc.want || strings.Contains(d.Reason, "; saves nothing: "+tc.want) != tc.said || d.Refused != "" != tc.refused {
				t.Errorf("saves nothing %q, want %q; refused %q; %s: %s", d.SavesNothing, tc.want, d.Refused, d.Outcome, d.Reason)
			}
		})
	}
}

func TestSavesNothingWithoutEntra(t *testing.T) {
	t.Parallel()
	r := holder().seal(t)
	if got := r.savesNothing(r.Policy.RuleNamed("m365"), &directory.Person{}); got != "" {
		t.Errorf("saves nothing: %s", got)
	}
}

// The reason of a change warns of the loss of a mailbox only if the change is made and the person loses a mailbox.
func TestMailboxLostIsSaid(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		then string
		rule string
		want bool
		path string
	}{
		"lost":            {"{remove: true, mailbox: lost}", "m365-long", true, ""},
		"not lost":        {"{changeTo: exo, mailbox: lost}", "m365-long", false, ""},
		"refused, so not": {"{remove: true, mailbox: lost}", "m365-long", false, "g-other"},
	} {
		w := holder()
		w.policy = strings.Replace(text, "days(90)), then: remove", "days(90)), then: "+tc.then, 1)
		w.entra[0].Assignments = []directory.Assignment{{SKU: "sku-e3", State: "Active", Group: tc.path}}
		w.begin = func(b *snapshot.Begin) {
			for i, plan := range []string{"EXCHANGE_S_ENTERPRISE", "EXCHANGE_S_STANDARD"} {
				b.SKUs[i].PlansRead, b.SKUs[i].Plans = true, []directory.ServicePlan{{ID: plan, Name: plan}}
			}
		}
		got := w.seal(t).asked(t, tc.rule)
		if said := strings.Contains(got.Reason, "; the mailbox is left without a license, and Exchange Online deletes its content for good 30 days later"); said != tc.want || (got.Refused != "") != (tc.path != "") {
			t.Errorf("%s: refused %q; %s", name, got.Refused, got.Reason)
		}
	}
}

// Past looks for a change of the license under the person's id, and then under the SID. For a license in Active
// Directory, it also finds the changes of another id with the same SID. Of these and the person's own change, the
// latest counts.
func TestPastIsFoundByEither(t *testing.T) {
	t.Parallel()
	byID, bySID := &history.Item{User: "id", License: "e3", Run: "r1", At: daysAgo(5)}, &history.Item{User: "S", License: "e3", Run: "r2", At: daysAgo(5)}
	gone := func(run string, days int, via plan.Via) any {
		return &history.Item{User: "gone-" + run, SID: "S", License: "e3", Run: run, At: daysAgo(days), Via: via}
	}
	for name, tc := range map[string]struct {
		past      []any
		user, sid string
		want      string
	}{
		"both":         {[]any{byID, bySID}, "id", "S", "r1"},
		"by the SID":   {[]any{bySID}, "id", "S", "r2"},
		"no SID":       {[]any{bySID}, "id", "", ""},
		"the SID only": {[]any{bySID}, "S", "S", "r2"},
		"nothing":      {[]any{byID}, "x", "S", ""},

		"another id":             {[]any{gone("r3", 9, plan.ADGroup)}, "S", "S", "r3"},
		"the later of other ids": {[]any{gone("r3", 9, plan.ADGroup), gone("r4", 7, plan.ADGroup), gone("r5", 8, plan.ADGroup)}, "S", "S", "r4"},
		"in Entra ID":            {[]any{gone("r3", 9, plan.EntraGroup)}, "S", "S", ""},
		"before this id":         {[]any{byID, gone("r3", 9, plan.ADGroup)}, "id", "S", "r1"},
		"after this id":          {[]any{byID, gone("r3", 3, plan.ADGroup)}, "id", "S", "r3"},
		"of no account there":    {[]any{gone("r3", 3, plan.ADGroup)}, "id", "", ""},
	} {
		got := ""
		if i := holder(tc.past...).seal(t).Past(tc.user, tc.sid, "e3"); i != nil {
			got = i.Run
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestCreatedIsTheYoungerAccount(t *testing.T) {
	t.Parallel()
	entra, ad := &directory.EntraUser{Created: daysAgo(30)}, &directory.ADUser{Created: daysAgo(20)}
	got := []time.Time{created(&directory.Person{Entra: entra, AD: ad}), created(&directory.Person{Entra: &directory.EntraUser{Created: daysAgo(10)}, AD: ad}),
		created(&directory.Person{Entra: entra}), created(&directory.Person{AD: ad}), created(&directory.Person{})}
	if d := cmp.Diff([]time.Time{daysAgo(20), daysAgo(10), daysAgo(30), daysAgo(20), {}}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
