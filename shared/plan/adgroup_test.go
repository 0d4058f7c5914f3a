package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestSyncedRoute: a license from a synced group is changed in Active Directory, if the Entra group with the same SID
// is known and the Active Directory group lists the account directly.
func TestSyncedRoute(t *testing.T) {
	t.Parallel()
	p, err := policy.Load("p", []byte(`
tenant: 11111111-2222-3333-4444-555555555555
licenses:
  big: {sku: BIG, group: {ad: "CN=Big,DC=x"}}
  small: {sku: SMALL, group: {ad: "CN=Small,DC=x"}}
  cloud: {sku: CLOUD, group: {entra: Cloud}}
rules:
  - {name: free, license: big, when: "true", then: {remove: true, mailbox: lost}}
  - {name: small, license: big, when: "true", then: {changeTo: small, mailbox: lost}}
  - {name: cloud, license: big, when: "true", then: {changeTo: cloud, mailbox: lost}}
  - {name: back, license: cloud, when: "true", then: {changeTo: small, mailbox: lost}}
`))
	if err != nil {
		t.Fatal(err)
	}
	ref := p.LicenseNamed("big").Group
	type world struct {
		tenant *Tenant
		person *directory.Person
		big    *directory.Group
		small  *directory.Group
	}
	free := Route{Via: ADGroup, Source: "CN=Big,DC=x", SKU: "big", SourceEntra: "g-big"}
	for name, tc := range map[string]struct {
		rule    string
		edit    func(*world)
		want    Route
		refusal string
	}{
		"removed":             {"free", nil, free, ""},
		"changed":             {"small", nil, Route{Via: ADGroup, Source: "CN=Big,DC=x", Target: "CN=Small,DC=x", SKU: "big", TargetSKU: "small", SourceEntra: "g-big", TargetEntra: "g-small"}, ""},
		"to a group of Entra": {"cloud", nil, Route{}, "one move cannot be made in both directories"},
		"from a group of it": {"back", func(w *world) {
			w.person.Entra.Assignments = []directory.Assignment{{SKU: "cloud", Group: "g-cloud", State: "Active"}}
		}, Route{}, "which is written in Active Directory, and the change is made in Entra ID"},
		"assigned directly":    {"free", func(w *world) { w.person.Entra.Assignments[0].Group = "" }, Route{Via: Direct, SKU: "big"}, ""},
		"SID not read":         {"free", func(w *world) { w.tenant.SIDs = nil }, Route{}, "the SID of the group ad:CN=Big,DC=x was not read"},
		"no counterpart":       {"free", func(w *world) { w.big.SID = "S-other" }, Route{}, "no group of Entra ID that gives BIG is synced from ad:CN=Big,DC=x"},
		"of the cloud by now":  {"free", func(w *world) { w.big.Synced = false }, Route{}, "is not synced from ad:CN=Big,DC=x any more"},
		"gives more":           {"free", func(w *world) { w.big.Grants = []string{"big", "other"} }, Route{}, "grants 2 products at once"},
		"by another group":     {"free", func(w *world) { w.person.Entra.Assignments[0].Group = "g-other" }, Route{}, "held through the group g-other, which is not ad:CN=Big,DC=x of the policy"},
		"no account":           {"free", func(w *world) { w.person.AD = nil }, Route{}, "the account in Active Directory, where the group is written, is not known"},
		"the other's account":  {"free", func(w *world) { w.person.ADState = directory.Contradictory }, Route{}, "the account in Active Directory, where the group is written, is not known"},
		"target not synced":    {"small", func(w *world) { w.small.SID = "S-other" }, Route{}, "no group of Entra ID that gives SMALL is synced from ad:CN=Small,DC=x"},
		"target gives less":    {"small", func(w *world) { w.small.Reduced = w.small.Grants }, Route{}, "the group ad:CN=Small,DC=x gives small with service plans switched off"},
		"no account in AD":     {"free", func(w *world) { w.person.AD, w.person.ADState = nil, directory.NotRead }, Route{}, "the account in Active Directory, where the group is written, is not known"},
		"members unreadable":   {"free", func(w *world) { w.person.Memberships, w.person.Unreadable = nil, []string{ref.Key(true)} }, Route{}, "whether the group ad:CN=Big,DC=x lists the account is not known"},
		"by a group within it": {"free", func(w *world) { w.person.Memberships = []string{ref.NestedKey()} }, Route{}, "the group ad:CN=Big,DC=x does not list the account itself"},
		"the primary group":    {"free", func(w *world) { w.person.Memberships = []string{ref.PrimaryKey()} }, Route{}, "the group is the account's primary group"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{
				person: &directory.Person{
					Entra:      &directory.EntraUser{ID: "a", Assignments: []directory.Assignment{{SKU: "big", Group: "g-big", State: "Active"}}},
					EntraState: directory.Present, AD: &directory.ADUser{SID: "S-a"}, ADState: directory.Present, Memberships: []string{ref.Key(true)},
				},
				big:   &directory.Group{ID: "g-big", Name: "Big", Synced: true, SID: "S-big", Grants: []string{"big"}},
				small: &directory.Group{ID: "g-small", Name: "Small", Synced: true, SID: "S-small", Grants: []string{"small"}},
			}
			w.tenant = TenantOf(nil, nil, nil)
			w.tenant.SIDs = map[string]string{ref.Key(false): "S-big", p.LicenseNamed("small").Group.Key(false): "S-small"}
			if tc.edit != nil {
				tc.edit(w)
			}
			sids := w.tenant.SIDs
			w.tenant = TenantOf([]directory.SKU{{ID: "big", PartNumber: "BIG"}, {ID: "small", PartNumber: "SMALL"}, {ID: "cloud", PartNumber: "CLOUD"}},
				[]directory.Group{{Ref: directory.GroupRef{Name: "Cloud"}, ID: "g-cloud", Grants: []string{"cloud"}}},
				[]directory.Group{*w.big, {ID: "g-small"}})
			w.tenant.SetCounterpart(*w.small)
			w.tenant.SIDs = sids
			route, refusal := w.tenant.Route(w.person, p.RuleNamed(tc.rule), nil)
			if d := cmp.Diff(tc.want, route); d != "" || !strings.Contains(refusal, tc.refusal) || (refusal == "") != (tc.refusal == "") {
				t.Errorf("refused %q, want %q (-want +got):\n%s", refusal, tc.refusal, d)
			}
		})
	}
}
