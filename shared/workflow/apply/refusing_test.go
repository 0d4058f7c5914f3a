package apply

import (
	"testing"

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

func TestNoNilInNotes(t *testing.T) {
	t.Parallel()
	b := newBench(t, demoteEgon)
	b.ad.deaf = true
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil || len(r.Results) != 1 || r.Results[0].Note != "the target group was written and read again: it does not show the person" {
		t.Errorf("results %+v, error %v", r, err)
	}
}
