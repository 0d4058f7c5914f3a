package apply

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/runs"
)

const (
	leaveEgon = "RemoveMember " + citrixDN + " guid-egon"
	joinEgon  = "AddMember " + liteDN + " guid-egon"
	inCitrix  = "MemberOf " + citrixDN + " S-1-5-21-5"
)

func TestADRemoval(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeEgon)
	b.apply(t, runs.Done, "")
	b.wrote(t, leaveEgon)
	b.logged(t, freeEgon, "done")
	b = newBench(t, freeDora)
	b.apply(t, runs.Done, "")
	b.wrote(t, "RemoveMember "+citrixDN+" guid-dora")
	b.logged(t, freeDora, "done")
	if d := cmp.Diff(members{citrixDN: {"S-1-5-21-5"}}, b.ad.in); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
}

// TestADMove: the person joins the new group before leaving the old one.
func TestADMove(t *testing.T) {
	t.Parallel()
	b := newBench(t, demoteEgon)
	b.apply(t, runs.Done, "")
	b.wrote(t, joinEgon, leaveEgon)
	if d := cmp.Diff(members{citrixDN: {"S-1-5-21-4"}, liteDN: {"S-1-5-21-5"}}, b.ad.in); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
}

// TestADMoveOfAMember: a person who was in the target group before the change stays in that group after a rollback.
func TestADMoveOfAMember(t *testing.T) {
	t.Parallel()
	for before, writes := range map[bool][]string{true: {joinEgon, leaveEgon}, false: {joinEgon, leaveEgon, "RemoveMember " + liteDN + " guid-egon"}} {
		b := newBenchOf(t, strings.Replace(text, "name: citrix, license: citrix", "name: visio-ad, license: visio", 1), demoteEgon)
		if before {
			b.ad.in.add(liteDN, "S-1-5-21-5")
		}
		b.ad.fail = map[string]error{leaveEgon: refusal("the group is protected")}
		b.apply(t, runs.Failed, "the group is protected")
		b.wrote(t, writes...)
		if in := slices.Contains(b.ad.in[liteDN], "S-1-5-21-5"); in != before {
			t.Errorf("in the target before %t, after %t", before, in)
		}
	}
}

func TestADFailures(t *testing.T) {
	t.Parallel()
	fail := func(call string, err error) func(*bench) {
		return func(b *bench) { b.ad.fail = map[string]error{call: err} }
	}
	move := demoteEgon
	tests := map[string]struct {
		move   bool // whether the person moves to another group; false: the license is only taken
		change func(*bench)
		want   runs.Status
		note   string
		logged string
		writes []string
	}{
		"made by another call": {false, func(b *bench) {
			b.ad.lost = map[string]error{leaveEgon: refusal("the account is in the group by way of another group only")}
		}, runs.Done, "", "done", []string{leaveEgon}},
		"refused":              {false, fail(leaveEgon, refusal("the group is protected")), runs.Failed, "the group is protected", "failed", []string{leaveEgon}},
		"does not arrive":      {false, fail(leaveEgon, errDown), runs.Pending, "did not go through", "open", []string{leaveEgon}},
		"not answered":         {false, func(b *bench) { b.ad.lost = map[string]error{leaveEgon: errDown} }, runs.Done, "", "done", []string{leaveEgon}},
		"still a member":       {false, func(b *bench) { b.ad.deaf = true }, runs.Pending, "still shows the member", "open", []string{leaveEgon}},
		"read back fails":      {false, fail("MemberOf #3", errDown), runs.Pending, "could not be read again", "open", []string{leaveEgon}},
		"joining is lost":      {true, fail(joinEgon, errDown), runs.Pending, "did not go through", "open", []string{joinEgon}},
		"joining is not shown": {true, func(b *bench) { b.ad.deaf = true }, runs.Pending, "does not show", "open", []string{joinEgon}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := freeEgon
			if tc.move {
				c = move
			}
			b := newBench(t, c)
			tc.change(b)
			b.apply(t, tc.want, tc.note)
			b.logged(t, c, tc.logged)
			b.wrote(t, tc.writes...)
		})
	}
}

// TestADIsFinished: if a controller shows a removal late, a later call finishes the change.
func TestADIsFinished(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	b.ad.deaf = true
	b.apply(t, runs.Pending, "still shows the member")
	b.apply(t, runs.Pending, "the license was taken, and is read as held")
	b.ad.in.remove(citrixDN, freeDora.SID)
	b.ad.fail = map[string]error{"ReadPerson S-1-5-21-4": errDown}
	b.apply(t, runs.Pending, "could not be read")
	b.ad.fail = nil
	b.apply(t, runs.Done, "")
	b.logged(t, freeDora, "done")
	if d := cmp.Diff(members{citrixDN: {"S-1-5-21-5"}}, b.ad.in, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
}
