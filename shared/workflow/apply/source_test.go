package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestLicensesThatThePolicyDoesNotName: if an open entry of the ledger has a license that the run's policy does not
// name, apply treats the entry as altered.
func TestLicensesThatThePolicyDoesNotName(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change plan.Change
		want   string
	}{
		"both named":             {changeBo, ""},
		"the license is not":     {plan.Change{User: "id-bo", Rule: "m365", License: "gone", Via: plan.Direct}, "the run's policy does not name the licenses of ledger/id-bo/"},
		"its target is not":      {plan.Change{User: "id-bo", Rule: "m365", License: "e3", To: "gone", Via: plan.Direct}, "the run's policy does not name the licenses of ledger/id-bo/"},
		"neither is":             {plan.Change{User: "id-bo", Rule: "m365", License: "gone", To: "gone too", Via: plan.Direct}, "the run's policy does not name the licenses of ledger/id-bo/"},
		"named, without targets": {plan.Change{User: "id-bo", Rule: "m365", License: "e3", Via: plan.Direct}, ""},
	} {
		j := newBench(t, changeBo).jobOf(t)
		c := tc.change
		e := &ledger.Entry{Seq: 1, Intent: ledger.Intent{Person: c.User, License: c.License, To: c.To, Rule: c.Rule, Via: string(c.Via), SKU: j.skuOf(j.run.Policy.LicenseNamed(c.License)), TargetSKU: j.skuOf(j.run.Policy.LicenseNamed(c.To))}}
		if why, err := j.altered(t.Context(), e, &c); (tc.want == "") != (why == "") || !strings.HasPrefix(why, tc.want) || err != nil {
			t.Errorf("%s: %q, %v", name, why, err)
		}
	}
}

// TestKnownGroups: a restore may use a group for a license if the present policy names the group for this license, or
// if the policy of the restored run did.
func TestKnownGroups(t *testing.T) {
	t.Parallel()
	j := newBench(t, changeBo).jobOf(t)
	j.run.Begin.Former = map[string]directory.Group{"e3": {ID: "g-former"}, "bare": {}}
	e3, bare := j.run.Policy.LicenseNamed("e3"), &policy.License{Name: "bare"}
	for name, tc := range map[string]struct {
		license *policy.License
		of      string
		group   string
		want    bool
	}{
		"the policy's":                       {e3, "e3", "g-e3", true},
		"in other letters":                   {e3, "e3", "G-E3", true},
		"the former one":                     {e3, "e3", "G-Former", true},
		"another":                            {e3, "e3", "g-admins", false},
		"another's former one":               {bare, "bare", "g-former", false},
		"none":                               {e3, "e3", "", false},
		"none, of a license without a group": {bare, "bare", "", false},
		"of a license that is gone":          {nil, "gone", "g-e3", false},
		"the former one of one that is gone": {nil, "e3", "g-former", true},
	} {
		if got := j.known(tc.license, tc.of, tc.group); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if got := j.groupOf(bare); got != "" {
		t.Errorf("the group of a license without one is %q", got)
	}
}

// TestSourceOfEntra: a restore uses a group only if the group fulfils the conditions for the target group of a change.
func TestSourceOfEntra(t *testing.T) {
	t.Parallel()
	reduce := func(j *job) {
		ref := *j.run.Policy.LicenseNamed("e3").Group
		g := j.run.Tenant.Groups[ref]
		g.Reduced = []string{"sku-e3"}
		j.run.Tenant.Groups[ref] = g
	}
	bare := func(l *policy.License) *policy.License {
		copied := *l
		copied.Group = nil
		return &copied
	}
	for name, tc := range map[string]struct {
		source  string
		former  string
		license func(*policy.License) *policy.License // nil: the license of the policy
		then    func(*testing.T, *bench, *job)
		want    string
		note    string
		refusal string
		is      error
	}{
		"the policy's":                  {"g-e3", "", nil, nil, "g-e3", "", "", nil},
		"the former one":                {"g-old", "g-old", nil, func(_ *testing.T, b *bench, _ *job) { b.entra.grants["g-old"] = "sku-e3" }, "g-old", "", "", nil},
		"the former one cannot be read": {"g-old", "g-old", nil, func(_ *testing.T, b *bench, _ *job) { b.entra.fail = map[string]error{"FindGroup g-old": errDown} }, "g-old", "", "", errDown},
		"the former one is gone": {"g-old", "g-old", nil, func(_ *testing.T, b *bench, _ *job) {
			b.entra.fail = map[string]error{"FindGroup g-old": directory.ErrNoGroup}
		}, "g-e3", "restored by the group entra:LIC-E3, since g-old cannot: it is gone", "", nil},
		"the present one lacks plans": {"g-old", "", nil, func(_ *testing.T, _ *bench, j *job) { reduce(j) }, "", "", "neither the group g-old can restore e3 (it is not one that the policy names for it), nor the policy's present one (the group entra:LIC-E3 gives e3 with service plans switched off", nil},
		"the policy names no group":   {"g-old", "", bare, nil, "", "", "the group g-old cannot restore e3: it is not one that the policy names for it", nil},
		"the policy's, in doubt of its own": {"g-e3", "", nil, func(t *testing.T, b *bench, j *job) {
			b.entra.dynamic = "g-e3"
			if err := j.readGroups(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, "", "", "the group g-e3 cannot restore e3: the group entra:LIC-E3 is dynamic", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			j := b.jobOf(t)
			j.batches, j.run.Begin.Former = j.plan.Batches(), map[string]directory.Group{"e3": {ID: tc.former}}
			l := j.run.Policy.LicenseNamed("e3")
			if tc.license != nil {
				l = tc.license(l)
			}
			if tc.then != nil {
				tc.then(t, b, j)
			}
			got, note, refusal, err := j.sourceOf(t.Context(), l, ledger.Intent{License: "e3", Source: tc.source})
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) || note != tc.note || (tc.refusal == "") != (refusal == "") || !strings.HasPrefix(refusal, tc.refusal) || tc.refusal == "" && got != tc.want {
				t.Errorf("%q, note %q, refusal %q, %v", got, note, refusal, err)
			}
			if tc.is == nil || tc.license != nil {
				return
			}
			in := ledger.Intent{License: "e3", To: "exo", Via: "entra-group", Source: tc.source, SKU: "sku-e3", TargetSKU: "sku-exo"}
			if _, _, refusal, err := j.wayBack(t.Context(), in); !errors.Is(err, tc.is) || refusal != "" {
				t.Errorf("the way back: %q, %v", refusal, err)
			}
		})
	}
}
