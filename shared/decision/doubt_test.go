package decision

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestExemptInDoubt: in the newest run for everybody, far fewer accounts were exempt than before, so the exemptions are
// in doubt. A run for one person is then undecided about a person who does not seem to be exempt. An operator can end
// the doubt with --accept-feeds.
func TestExemptInDoubt(t *testing.T) {
	t.Parallel()
	lost := func(b *snapshot.Begin) {
		b.User = "p@x.example"
		b.Earlier = &directory.Earlier{ExemptLeft: map[string]int{"e3\ndepartment == \"Board\"\nperson": 2}}
	}
	for name, tc := range map[string]struct {
		begin  func(*snapshot.Begin)
		person func(*directory.EntraUser)
		rules  []string
		want   policy.Outcome
	}{
		"in doubt":      {lost, nil, []string{"m365", "m365-long"}, policy.Undecided},
		"exempt":        {lost, func(u *directory.EntraUser) { u.Department = "Board" }, []string{"m365", "m365-long"}, policy.Exempt},
		"active":        {lost, func(u *directory.EntraUser) { u.LastSuccessful = daysAgo(1) }, []string{"m365", "m365-long"}, policy.Keep},
		"accepted":      {func(b *snapshot.Begin) { lost(b); b.AcceptFeeds = true }, nil, nil, policy.Reclaim},
		"for everybody": {func(b *snapshot.Begin) { lost(b); b.User = "" }, nil, nil, policy.Reclaim},
		"no doubt":      {func(b *snapshot.Begin) { lost(b); b.Earlier.ExemptLeft = nil }, nil, nil, policy.Reclaim},
		"no memory":     {func(b *snapshot.Begin) { lost(b); b.Earlier = nil }, nil, nil, policy.Reclaim},
		"another policy": {func(b *snapshot.Begin) {
			lost(b)
			b.Policy = strings.Replace(b.Policy, "Board", "Sales", 1)
		}, nil, nil, policy.Reclaim},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := accountOf("p", 100, e3Direct)
			if tc.person != nil {
				tc.person(&p)
			}
			r := world{
				policy: replaceOnce(t, text, "exempt: {users: [exempt@x.example]}", `exempt: {users: [exempt@x.example], when: 'department == "Board"'}`),
				entra:  []directory.EntraUser{p, accountOf("busy", 1)}, begin: tc.begin,
			}.seal(t)
			if d := cmp.Diff(tc.rules, r.FewerExempt()); d != "" {
				t.Errorf("rules (-want +got):\n%s", d)
			}
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			for _, rule := range []string{"m365", "m365-long"} { // the attribute is lost for every rule
				v := judge.Ask(r.Policy.RuleNamed(rule), only(t, r, "p@x.example"))
				if v.Outcome != tc.want || v.Outcome == policy.Undecided && !strings.Contains(v.Reason, "plan with --accept-feeds") {
					t.Errorf("%s: %s, %s", rule, v.Outcome, v.Reason)
				}
			}
		})
	}
}
