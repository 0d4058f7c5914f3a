package apply

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestTargetShownButNotListed: licenses follow membership late. If an administrator has just removed a person from the
// target group, reads still show the group's license. The person leaves the source group only when membership and
// license agree.
func TestTargetShownButNotListed(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.entra.in.add("g-exo", "id-anna")
	b.follow()
	b.entra.in.remove("g-exo", "id-anna")
	b.apply(t, runs.Pending, "left the source group") // a read shows that the change joined the target group again
	b.wrote(t, joinEXO, leaveE3)
	if d := cmp.Diff([]string{"id-anna"}, b.entra.in["g-exo"]); d != "" {
		t.Errorf("members of the target (-want +got):\n%s", d)
	}
}

// TestTakenOutBySomebody: an administrator removes a person from the source group while the change waits for the target
// group's license. The change does not put the person back.
func TestTakenOutBySomebody(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.entra.in.remove("g-e3", "id-anna")
	b.apply(t, runs.Pending, "waiting for its license to become active")
	b.follow()
	b.apply(t, runs.Done, "")
	b.wrote(t, joinEXO)
}

// TestTargetGone: the person loses the target group's license just after leaving the source group. The change is then
// rolled back.
func TestTargetGone(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.follow()
	b.Applier.Entra = &between{b.entra, "RemoveMember g-e3", func() {
		u := b.entra.users["id-anna"]
		u.Assignments = slices.DeleteFunc(u.Assignments, func(a directory.Assignment) bool { return a.Group == "g-exo" })
	}}
	b.apply(t, runs.Pending, targetHidden)
	b.settle()
	b.apply(t, runs.Pending, targetGone+"; "+rejoined)
	b.settle()
	b.follow()
	b.apply(t, runs.Kept, targetGone)
	b.logged(t, moveAnna, "rolled back")
	if d := cmp.Diff([]string{"id-anna"}, b.entra.in["g-e3"]); d != "" {
		t.Errorf("members of the source (-want +got):\n%s", d)
	}
}

// TestDeletedMeanwhile: an account is deleted after its license was taken. The change stays open for thirty days,
// because the account may come back. If it comes back, the change is finished. Otherwise the change fails.
func TestDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.follow()
	b.apply(t, runs.Pending, "left the source group")
	anna := b.entra.users["id-anna"]
	delete(b.entra.users, "id-anna")
	b.apply(t, runs.Pending, "in which the account may come back")
	b.logged(t, moveAnna, "open")
	b.entra.users["id-anna"] = anna
	b.follow()
	b.apply(t, runs.Done, "")

	b = newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.follow()
	b.apply(t, runs.Pending, "left the source group")
	delete(b.entra.users, "id-anna")
	b.apply(t, runs.Pending, "in which the account may come back")
	b.at(asOf.AddDate(0, 0, 31))
	b.apply(t, runs.Failed, "no longer in Entra ID")
}

func TestADAccountGone(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	b.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-dora": errDown}
	b.apply(t, runs.Pending, "did not go through")
	b.ad.fail = nil
	delete(b.ad.people, "S-1-5-21-4")
	b.apply(t, runs.Done, "the account is no longer in Active Directory") // an account that is gone is in no group
	b.logged(t, freeDora, "done")
}

// TestGroupChangedMeanwhile: apply reads license groups again, and does not change a group that can no longer give or
// take the license safely.
func TestGroupChangedMeanwhile(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		what func(*bench)
		note string
	}{
		"dynamic":        {func(b *bench) { b.entra.dynamic = "g-e3" }, "the group entra:LIC-E3 is dynamic: its rule decides who is in it"},
		"grants no more": {func(b *bench) { delete(b.entra.grants, "g-exo") }, "the group entra:LIC-EXO does not grant EXCHANGESTANDARD"},
		"gone":           {func(b *bench) { b.entra.fail = map[string]error{"FindGroup g-exo": directory.ErrNoGroup} }, "the group entra:LIC-EXO cannot be read: no such group"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			tc.what(b)
			b.apply(t, runs.Refused, tc.note)
			b.wrote(t)
		})
	}
	b := newBench(t, moveAnna)
	b.entra.fail = map[string]error{"FindGroup g-exo": errDown}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err == nil || !strings.Contains(err.Error(), "read the license groups again") {
		t.Errorf("error %v", err)
	}
	b.wrote(t)
}

// TestEarlierRule: apply does not make the change of a later rule if an earlier rule of the policy now matches or is
// undecided.
func TestEarlierRule(t *testing.T) {
	t.Parallel()
	both := strings.Replace(text, "rules:\n", "rules:\n  - {name: first, license: e3, for: department == 'Sales', when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}\n", 1)
	b := newBenchOf(t, both, moveAnna)
	b.entra.users["id-anna"].Department = "Sales"
	b.apply(t, runs.Refused, "superseded: the rule first comes first in the policy and changes e3")
	b.wrote(t)
	unknown := strings.Replace(text, "rules:\n", "rules:\n  - {name: first, license: e3, when: LastlogonTimestamp.earlierThan(now - days(90)), then: remove}\n", 1)
	b = newBenchOf(t, unknown, moveAnna)
	b.apply(t, runs.Refused, "superseded: the rule first comes first in the policy and is undecided about e3")
	b.wrote(t)
}

// TestOtherLicenseUnderWay: a change must not take a license that a pending change gives.
func TestOtherLicenseUnderWay(t *testing.T) {
	t.Parallel()
	both := strings.Replace(text, "rules:\n", "rules:\n  - {name: exo, license: exo, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}\n", 1)
	free := plan.Change{User: "id-bo", Rule: "exo", License: "exo", Via: plan.Direct, IdleSince: &idle}
	b := newBenchOf(t, both, free)
	bo := b.entra.users["id-bo"]
	bo.Assignments = []directory.Assignment{{SKU: "sku-exo", State: "Active"}}
	b.begun(t, "id-bo", "e3", "exo")
	b.apply(t, runs.Refused, "another run's change is still open: run other")
	b.wrote(t)
}
