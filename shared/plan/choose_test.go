package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/policy"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	p := &Plan{
		Run: "r",
		Changes: []Change{
			{User: "id-a", SID: "S-1-5-1", UserPrincipalName: "A@x", License: "e3"}, {User: "id-b", UserPrincipalName: "b@x", License: "e3"},
			{User: "id-a", SID: "S-1-5-1", UserPrincipalName: "A@x", License: "citrix"}, {User: "S-1-5-2", UserPrincipalName: "b@x", License: "citrix"},
		},
		Notices: []Change{{User: "id-c", License: "e3", Via: Notice}},
	}
	list := func(names ...string) (picks []Pick) {
		for i, name := range names {
			who, license, _ := strings.Cut(name, "/")
			picks = append(picks, Pick{i + 1, who, license})
		}
		return picks
	}
	for name, tc := range map[string]struct {
		choice Choice
		want   string
		fault  string
	}{
		"everything":               {Choice{}, "id-a e3, id-b e3, id-a citrix, S-1-5-2 citrix, id-c e3", ""},
		"by name, whatever case":   {Choice{Only: list("a@X")}, "id-a e3, id-a citrix", ""},
		"by SID and id":            {Choice{Only: list("s-1-5-1", "ID-C")}, "id-a e3, id-a citrix, id-c e3", ""},
		"one license":              {Choice{Only: list("id-a/citrix")}, "id-a citrix", ""},
		"named twice":              {Choice{Only: list("id-b", "id-b")}, "id-b e3", ""},
		"in the order of the plan": {Choice{Only: list("id-c", "id-b")}, "id-b e3, id-c e3", ""},
		"all but one":              {Choice{Except: list("id-a")}, "id-b e3, S-1-5-2 citrix, id-c e3", ""},
		"the first":                {Choice{Limit: 2}, "id-a e3, id-b e3", ""},
		"more than there are":      {Choice{Limit: 9}, "id-a e3, id-b e3, id-a citrix, S-1-5-2 citrix, id-c e3", ""},
		"all three":                {Choice{Only: list("id-a", "id-b"), Except: list("id-a/e3"), Limit: 1}, "id-b e3", ""},
		"two people of one name":   {Choice{Only: list("id-a", "b@x")}, "", `--only: line 2: "b@x" is the name of 2 people in the plan; write the id`},
		"nobody":                   {Choice{Except: list("", "d@x")}, "", `--except: line 1: the plan has no change for ""; line 2: the plan has no change for "d@x"`},
		"another license":          {Choice{Only: list("id-b/visio")}, "", `line 1: the plan has no change of visio for "id-b"`},
		"nothing left":             {Choice{Only: list("id-b"), Except: list("id-b")}, "", "nothing is left of the 5 changes of run r"},
		"many faults":              {Choice{Only: list(strings.Split(strings.Repeat("no,", 12), ",")[:12]...)}, "", "; and 2 lines more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes, err := p.Choose(tc.choice)
			if tc.fault == "" && err != nil || tc.fault != "" && (err == nil || !strings.Contains(err.Error(), tc.fault)) {
				t.Errorf("error %v, want %q", err, tc.fault)
			}
			var got []string
			for _, c := range changes {
				got = append(got, c.User+" "+c.License)
			}
			if d := cmp.Diff(tc.want, strings.Join(got, ", ")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestExceededByChoice(t *testing.T) {
	t.Parallel()
	limits := policy.Limits{StopAbovePercent: 10, StopAboveCount: 500}
	for name, tc := range map[string]struct {
		tally           Tally
		accepted, takes int
		all             int
		held, lifted    string
	}{
		"within the limits anyway":         {Tally{Holders: 1000, Reclaim: 100}, 0, 100, 100, "", ""},
		"a few of many":                    {Tally{Holders: 1000, Reclaim: 400}, 0, 20, 20, "", "rule r matches 400 of 1000 holders"},
		"as many as are shown":             {Tally{Holders: 1000, Reclaim: 400}, 0, 25, 25, "", "rule r matches 400 of 1000 holders"},
		"one more":                         {Tally{Holders: 1000, Reclaim: 400}, 0, 26, 26, "26 changes are chosen, and up to 25", ""},
		"few of this rule, many in all":    {Tally{Holders: 1000, Reclaim: 400}, 0, 1, 26, "26 changes are chosen", ""},
		"none of this rule":                {Tally{Holders: 1000, Reclaim: 400}, 0, 0, 200, "", "rule r matches 400"},
		"a tenth of a small company":       {Tally{Holders: 100, Reclaim: 40}, 0, 10, 10, "", "rule r matches 40"},
		"more than a tenth":                {Tally{Holders: 100, Reclaim: 40}, 0, 11, 11, "the choice has 11 changes of rule r, whose license 100 people hold (11.0 %)", ""},
		"too few for the percent limit":    {Tally{Holders: 30, Reclaim: 20}, 0, 9, 9, "", "rule r matches 20"},
		"more than the count":              {Tally{Holders: 9000, Reclaim: 600}, 0, 20, 20, "", "rule r matches 600 people"},
		"everybody":                        {Tally{Holders: 40, Reclaim: 40}, 0, 1, 1, "a choice of some does not mend data", ""},
		"everybody, and above the count":   {Tally{Holders: 600, Reclaim: 600}, 0, 1, 1, "a choice of some does not mend data", ""},
		"everybody but those accepted":     {Tally{Holders: 40, Reclaim: 40}, 30, 0, 1, "", "rule r matches every one of the 40 holders except 30 accepted"},
		"everybody, and none of this rule": {Tally{Holders: 40, Reclaim: 40}, 0, 0, 1, "", "rule r matches every one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.tally.Rule = "r"
			held, lifted := ExceededByChoice(limits, []Tally{tc.tally}, map[string]int{"r": tc.accepted}, map[string]int{"r": tc.takes}, tc.all)
			for _, x := range []struct {
				what, want string
				got        []string
			}{{"held", tc.held, held}, {"lifted", tc.lifted, lifted}} {
				if (x.want == "") != (len(x.got) == 0) || !strings.Contains(strings.Join(x.got, "\n"), x.want) {
					t.Errorf("%s %q, want %q", x.what, x.got, x.want)
				}
			}
		})
	}
}

// TestSmallCount: an operator may choose at most MostChosen changes. If limits.stopAbove.count is lower, it is the
// maximum.
func TestSmallCount(t *testing.T) {
	t.Parallel()
	held, _ := ExceededByChoice(policy.Limits{StopAbovePercent: 10, StopAboveCount: 5}, []Tally{{Rule: "r", Holders: 1000, Reclaim: 30}}, nil, map[string]int{"r": 6}, 6)
	if len(held) != 1 || !strings.Contains(held[0], "6 changes of rule r, more than limits.stopAbove.count 5") {
		t.Errorf("held %q", held)
	}
}
