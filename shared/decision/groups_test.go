package decision

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// If a DN of the policy now belongs to another group, it is unknown who is a member, until an operator accepts the new
// group.
func TestRemadeGroup(t *testing.T) {
	t.Parallel()
	citrix := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	for name, tc := range map[string]struct {
		before, now string
		accept      bool
		want        policy.Outcome
	}{
		"the same one":     {"guid-1", "guid-1", false, policy.Reclaim},
		"another one":      {"guid-1", "guid-2", false, policy.Undecided},
		"accepted":         {"guid-1", "guid-2", true, policy.Reclaim},
		"first seen":       {"", "guid-2", false, policy.Reclaim},
		"not told tonight": {"guid-1", "", false, policy.Reclaim},
	} {
		r := world{
			entra:  []directory.EntraUser{accountOf("busy", 1)},
			ad:     []directory.ADUser{{SID: "S-1-5-21-8", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)}, {SID: "S-1-5-21-7", UserPrincipalName: "p@x.example", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(200)}},
			citrix: []string{"S-1-5-21-7"},
		}.seal(t)
		r.Manifest.Readings[directory.AD].Groups = map[string]string{citrix.Key(false): tc.now}
		r.Begin.AcceptFeeds = tc.accept
		if tc.before != "" {
			r.Begin.Earlier = &directory.Earlier{Groups: map[string]directory.EarlierGroup{citrix.Key(false): {ID: tc.before, Run: "r0"}}}
		}
		var want []directory.GroupRef
		if tc.want == policy.Undecided {
			want = []directory.GroupRef{citrix}
		}
		if diff := cmp.Diff(want, r.Remade()); diff != "" {
			t.Errorf("%s: made again (-want +got):\n%s", name, diff)
		}
		judge, err := r.Judge(asOf)
		if err != nil {
			t.Fatal(err)
		}
		p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("citrix")
		if v := judge.Ask(rule, p); v.Outcome != tc.want || tc.want == policy.Undecided && !strings.Contains(v.Reason, "Citrix") {
			t.Errorf("%s: %s, %s", name, v.Outcome, v.Reason)
		}
	}
}

// The table of known accounts names groups by entries. An entry is about a group if it is the key of the group, alone
// or followed by "|" and the id of the group.
func TestIdentifies(t *testing.T) {
	t.Parallel()
	const key = "ad-direct:cn=citrix"
	r := &Run{Policy: &policy.Policy{}}
	for entry, want := range map[string]bool{
		key: true, key + "|guid": true, key + "|": true, key + ",dc=x": false, key + ",dc=x|guid": false, "ad:cn=citrix": false, "": false,
	} {
		if got := identifies(entry, key); got != want {
			t.Errorf("%q: %t", entry, got)
		}
		if got, is := r.entryOf([]string{"entra:other|guid", entry}, key); is != want || want && got != entry {
			t.Errorf("the entry of the table is %q, %t", got, is)
		}
	}
}

func TestIdentified(t *testing.T) {
	t.Parallel()
	r := world{policy: strings.Replace(text, "exempt:", "  app: {group: {entra: APP}}\nexempt:", 1) + "  - {name: app, license: app, when: created.hasValue(), then: remove}\n"}.seal(t)
	citrix, app := directory.GroupRef{Source: directory.AD, Name: citrixDN}, directory.GroupRef{Name: "APP"}
	for _, ids := range [][2]string{{"guid", "id"}, {"", "id"}, {"guid", ""}, {"", ""}} {
		r.Manifest.Readings[directory.AD].Groups = map[string]string{citrix.Key(false): ids[0]}
		r.Begin.Groups = []directory.Group{{Ref: app, ID: ids[1]}}
		for i, ref := range []directory.GroupRef{citrix, app} {
			want := ref.Key(true)
			if ids[i] != "" {
				want += "|" + ids[i]
			}
			if got := r.identified(ref.Key(true)); got != want {
				t.Errorf("ids %q: the entry is %q, want %q", ids, got, want)
			}
		}
	}
}
