package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestInForceByRelay: the relay also reads the groups of the policy in force. People whom only the policy in force
// exempts keep the license.
func TestInForceByRelay(t *testing.T) {
	t.Parallel()
	const safe = "CN=Safe,DC=corp"
	r := newRelayed(t, newBench(t, freeDora))
	r.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-dora": errDown}
	r.round(t, "ad-0001", false)
	r.is(t, runs.Pending, "")
	r.ad.fail = nil
	r.ad.in[safe] = []string{"S-1-5-21-4"}
	r.Policy = func(context.Context) (string, error) {
		return strings.Replace(text, "exempt: {groups: [", `exempt: {groups: [{ad: "`+safe+`"}, `, 1), nil
	}
	r.bench.settle()
	for _, want := range []runs.Status{runs.Pending, runs.Kept} {
		r.round(t, "ad-0001", false)
		r.is(t, want, "by the policy in force: exempt")
		r.bench.lag()
	}
	r.Policy = func(context.Context) (string, error) { return "", errDown }
	if _, err := r.Do(t.Context(), StepInput{Op: "prepare", Batch: BatchState{Run: "run", Batch: "ad-0001"}}); !errors.Is(err, errDown) {
		t.Errorf("a policy that cannot be read: %v", err)
	}
}

// TestPolicyInForceIsAsked: a change waits for its target group. Before the change continues, the policy in force must
// agree, too. If apply cannot evaluate this policy, the call fails.
func TestPolicyInForceIsAsked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		old, new string
		want     runs.Status
		note     string
		err      string
	}{
		"another, and the same about her":  {"name: visio,", "name: visual,", runs.Pending, "left the source group", ""},
		"another mode":                     {"mode: enforce", "mode: review", runs.Kept, "nobody approved", ""},
		"a group that is not there":        {"{entra: LIC-Exempt}", "{entra: LIC-Exempt}, {entra: LIC-None}", runs.Kept, "undecided", ""},
		"audit":                            {"mode: enforce", "mode: audit", "", "", "mode audit"},
		"another tenant":                   {tenant, "99999999-2222-3333-4444-555555555555", "", "", "for tenant 99999999"},
		"a product the run does not know":  {"VISIO,", "PROJECT,", "", "", "ask the policy in force"},
		"no policy":                        {"rules:", "rulez:", "", "", "rulez"},
		"a license of the same name, else": {"{sku: EXCHANGESTANDARD, group: {entra: LIC-EXO}}", "{sku: EXCHANGESTANDARD, group: {entra: LIC-E3}}", runs.Kept, "changes other licenses", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			b.apply(t, runs.Pending, "joined")
			b.follow()
			b.Applier.Entra = lacking{b.entra, "LIC-None"}
			r, err := b.Apply(t.Context(), Request{Run: "run", Policy: strings.Replace(text, tc.old, tc.new, 1)})
			switch {
			case tc.err != "":
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%v, want %q", err, tc.err)
				}
				b.wrote(t, joinEXO)
			case err != nil:
				t.Fatal(err)
			case r.Results[0].Status != tc.want || !strings.Contains(r.Results[0].Note, tc.note):
				t.Errorf("%+v, want %s with %q", r.Results[0], tc.want, tc.note)
			}
		})
	}
}

// TestPolicyInForceThatIsNotAsked: if the policy in force is the run's own policy, or is unknown, apply evaluates only
// the run's own policy. A restore never evaluates a policy in force.
func TestPolicyInForceThatIsNotAsked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text, restores string
		asked          bool
	}{
		"another":              {text + "# edited", "", true},
		"the run's own":        {text, "", false},
		"not known":            {"", "", false},
		"another, a restore":   {text + "# edited", "r0", false},
		"no policy, a restore": {"rulez:", "r0", false},
	} {
		j := newBench(t, changeBo).jobOf(t)
		j.plan.Restores = tc.restores
		if err := j.force(tc.text); err != nil || (j.inForce != nil) != tc.asked {
			t.Errorf("%s: asked %t, %v", name, j.inForce != nil, err)
		}
	}
}

type lacking struct {
	*fakeEntra
	group string
}

func (l lacking) FindGroup(ctx context.Context, name string) (directory.Group, error) {
	if name == l.group {
		return directory.Group{}, directory.ErrNoGroup
	}
	return l.fakeEntra.FindGroup(ctx, name)
}

// TestMembersOfThePolicyInForce: apply reads the members of an Entra group that only the policy in force names. If
// Entra ID does not answer, the call fails.
func TestMembersOfThePolicyInForce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		exempt string
		fail   map[string]error
		calls  []string
		is     error
	}{
		"of Entra ID":             {"{entra: NEW}", nil, []string{"FindGroup NEW", "FindGroup NEW", "ListMembers NEW"}, nil},
		"of Active Directory":     {`{ad: "CN=Safe,DC=corp"}`, nil, nil, nil},
		"there is none":           {"{entra: NEW}", map[string]error{"FindGroup NEW": directory.ErrNoGroup}, []string{"FindGroup NEW"}, nil},
		"it cannot be looked for": {"{entra: NEW}", map[string]error{"FindGroup #2": errDown}, []string{"FindGroup NEW"}, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			j := b.jobOf(t)
			if err := j.force(strings.Replace(text, "{entra: LIC-Exempt}", tc.exempt, 1)); err != nil {
				t.Fatal(err)
			}
			b.entra.fail, b.entra.count = tc.fail, nil
			if err := j.readMemberships(t.Context()); !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Errorf("%v, want %v", err, tc.is)
			}
			if tc.is != nil { // while the group is unknown, nobody may count as a non-member
				b.entra.fail = map[string]error{"FindGroup NEW": tc.is}
				if _, err := j.entraGroups(t.Context(), "id-bo"); !errors.Is(err, tc.is) {
					t.Errorf("%v, want %v", err, tc.is)
				}
				return
			}
			for range 2 { // a call reads a person's groups once, even if the person is in no group
				if _, err := j.entraGroups(t.Context(), "id-anna"); err != nil {
					t.Fatal(err)
				}
			}
			if n := b.entra.count["GroupsOf"]; n > 2 {
				t.Errorf("the groups of a person were read %d times for 2", n)
			}
			asked := slices.DeleteFunc(slices.Clone(b.entra.calls), func(c string) bool { return strings.HasSuffix(c, " g-exempt") || strings.HasPrefix(c, "GroupsOf") })
			if d := cmp.Diff(tc.calls, asked, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
		})
	}
}
