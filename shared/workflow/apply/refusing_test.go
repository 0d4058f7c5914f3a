package apply

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestGroupThatRefusesEverything: a dynamic group refuses both joining and leaving. The person has not joined it, so
// the change fails at once.
func TestGroupThatRefusesEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.entra.fail = map[string]error{joinEXO: refusal("the group is dynamic"), leaveEXO: refusal("the group is dynamic")}
	b.apply(t, runs.Failed, "the group is dynamic")
	b.logged(t, moveAnna, "failed")
}

// TestADGroupThatRefusesEverything: a protected group refuses to add and to remove a person. Nobody has to be removed,
// because the person was not added. So the change fails at once.
func TestADGroupThatRefusesEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t, demoteEgon)
	const leaveLite = "RemoveMember " + liteDN + " guid-egon"
	b.ad.fail = map[string]error{joinEgon: refusal("the group is protected"), leaveLite: refusal("the group is protected")}
	b.apply(t, runs.Failed, "the group is protected")
	b.logged(t, demoteEgon, "failed")
}

// TestRefusalOfOneLicense: run r0 took two licenses of Active Directory from Egon. The relay may not write the group of
// one license any more. The other license is restored all the same.
func TestRefusalOfOneLicense(t *testing.T) {
	t.Parallel()
	for refused, given := range map[string]string{citrixDN: liteDN, liteDN: citrixDN} {
		citrix := freeEgon
		citrix.Rule, citrix.RestoreOf = plan.RestoreRule, "r0"
		lite := citrix
		lite.License = "lite"
		b := newBench(t, freeEgon)
		b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{citrix, lite}, "r0" })
		b.ad.in = members{}
		for license, dn := range map[string]string{"citrix": citrixDN, "lite": liteDN} {
			b.put(t, ledger.Intent{Person: citrix.User, SID: citrix.SID, License: license, Run: "r0", Rule: "citrix", Via: "ad-group", Source: dn, At: daysAgo(10), Before: ledger.Holding{InGroups: []string{dn}}}, ledger.Done)
		}
		b.lag()
		b.ad.fail = map[string]error{"AddMember " + refused + " guid-egon": refusal("not yours")}
		newRelayed(t, b).round(t, "ad-0001", false)
		status := map[string]runs.Status{citrixDN: b.resultOf(t, citrix).Status, liteDN: b.resultOf(t, lite).Status}
		if d := cmp.Diff(map[string]runs.Status{refused: runs.Failed, given: runs.Done}, status); d != "" {
			t.Errorf("%s may not be written (-want +got):\n%s", refused, d)
		}
		b.wrote(t, "AddMember "+citrixDN+" guid-egon", "AddMember "+liteDN+" guid-egon")
	}
}

func TestNoNilInNotes(t *testing.T) {
	t.Parallel()
	b := newBench(t, demoteEgon)
	b.ad.deaf = true
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil || len(r.Results) != 1 || r.Results[0].Note != "the target group was written and read again: it does not show the person" {
		t.Errorf("results %+v, error %v", r, err)
	}
}
