package apply

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestEntraGoesOnWithoutEvidence: the relay returns no evidence for a batch of Entra ID. The batch still makes the
// changes that need only Entra ID.
func TestEntraGoesOnWithoutEvidence(t *testing.T) {
	t.Parallel()
	c := changeBo
	c.User, c.SID = "id-dora", "S-1-5-21-4"
	b := newBench(t, c, freeEgon)
	dora := b.entra.users["id-dora"]
	dora.LastSuccessful, dora.Enabled, dora.Assignments = idle, directory.Yes, []directory.Assignment{{SKU: "sku-e3", State: "Active"}}
	r := newRelayed(t, b)
	state := r.step(t, "prepare", &BatchState{Run: "run", Batch: "entra-0001"})
	if !state.Ask {
		t.Fatalf("nobody is asked about: %+v", state)
	}
	state.Evidence = &protocol.Ending{Error: "States.HeartbeatTimeout"}
	if state = r.step(t, "change", state); state.Ask || state.Counts[runs.Done] != 1 {
		t.Errorf("%+v", state)
	}
	b.wrote(t, "ChangeLicenses id-dora +sku-exo -sku-e3")
}

func TestNothingToHandOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	b.ad.people["S-1-5-21-4"].LastLogonTimestamp = daysAgo(1)
	r := newRelayed(t, b)
	state := r.step(t, "prepare", &BatchState{Run: "run", Batch: "ad-0001"})
	state.Evidence = &protocol.Ending{Answer: protocol.Answer{Key: r.bring(t, state)}}
	if state = r.step(t, "change", state); state.Ask || state.Input != "" || state.Tries != 0 || state.Counts[runs.Kept] != 1 {
		t.Errorf("%+v", state)
	}
}

func TestStepsWithoutARelay(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	r := newRelayed(t, b)
	r.Steps.Relay, r.Steps.AD = false, b.ad
	state := r.step(t, "prepare", &BatchState{Run: "run", Batch: "ad-0001"})
	if state = r.step(t, "change", state); state.Ask || state.Counts[runs.Done] != 1 {
		t.Errorf("%+v", state)
	}
	b.wrote(t, "RemoveMember "+citrixDN+" guid-dora")
}

func TestStepThatFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.entra.fail = map[string]error{"ReadPeople #1": errDown}
	r := newRelayed(t, b)
	in := StepInput{Op: "change", Batch: BatchState{Run: "run", Batch: "entra-0001", Evidence: &protocol.Ending{Absent: true}}}
	if state, err := r.Do(t.Context(), in); !errors.Is(err, errDown) || errors.Is(err, runs.ErrRefused) || state != nil {
		t.Errorf("%+v, %v", state, err)
	}
}

// TestFailureIsNoted: a step fails. The results of the batch say why until a later call works. A change that waits for
// the directory keeps its result.
func TestFailureIsNoted(t *testing.T) {
	t.Parallel()
	noPolicy := func(context.Context) (string, error) { return "", errDown }
	for name, tc := range map[string]struct {
		fault func(r relayed)
		op    string
		waits bool // whether the change waits for the directory before the step fails
		want  string
	}{
		"Entra ID does not answer": {func(r relayed) { r.entra.fail = map[string]error{"ReadPeople #1": errDown} }, "change", false, "the last call failed: "},
		"no policy to prepare":     {func(r relayed) { r.Policy = noPolicy }, "prepare", false, "the last call failed: " + errDown.Error()},
		"no policy to change":      {func(r relayed) { r.Policy = noPolicy }, "change", false, "the last call failed: " + errDown.Error()},
		"it waits":                 {func(r relayed) { r.Policy = noPolicy }, "prepare", true, "waiting for its license"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRelayed(t, newBench(t, changeBo))
			if tc.waits {
				r = newRelayed(t, newBench(t, moveAnna))
				r.round(t, "entra-0001", false)
			}
			policy := r.Policy
			tc.fault(r)
			in := StepInput{Op: tc.op, Batch: BatchState{Run: "run", Batch: "entra-0001", Evidence: &protocol.Ending{Absent: true}}}
			if _, err := r.Do(t.Context(), in); !errors.Is(err, errDown) {
				t.Fatal(err)
			}
			r.is(t, runs.Pending, tc.want)
			if got := r.results(t); got.Refused != "" || (got.Troubled() == 1) == tc.waits {
				t.Errorf("%+v", got)
			}
			if r.Policy = policy; !tc.waits {
				r.round(t, "entra-0001", false)
				r.is(t, runs.Done, "")
			}
		})
	}
}

// TestUndoneOfABatch: a batch ends before its changes are made. If only the evidence is missing, the next round tries
// all changes again, except those that are done. If the batch is refused or fails, a change that already waits for the
// directory keeps its result, too.
func TestUndoneOfABatch(t *testing.T) {
	t.Parallel()
	over, waits, again, fresh := freeDora, freeEgon, freeDora, freeEgon
	again.License, fresh.License = "lite", "lite"
	changes := []plan.Change{over, waits, again, fresh}
	for name, tc := range map[string]struct {
		refused string
		stopped bool
		want    []string // the notes in the order of the changes; "+" marks changes that are tried again
	}{
		"no evidence": {"", false, []string{"over", "+why", "+why", "+why"}},
		"refused":     {"expired", true, []string{"over", "waits", "+why", "+why"}},
		"failed":      {"", true, []string{"over", "waits", "+why", "+why"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRelayed(t, newBench(t, changes...))
			before := r.results(t)
			before.Set(runs.ResultOf(&over, runs.Done, "over"))
			before.Set(runs.ResultOf(&waits, runs.Pending, "waits"))
			old := runs.ResultOf(&again, runs.Pending, "again")
			old.Retry = true
			before.Set(old)
			if err := runs.PutResults(t.Context(), r.bench.Store, "ad-0001", &before); err != nil {
				t.Fatal(err)
			}
			if err := r.undone(t.Context(), &BatchState{Run: "run", Batch: "ad-0001"}, "why", tc.refused, tc.stopped); err != nil {
				t.Fatal(err)
			}
			after := r.results(t)
			var got []string
			for i := range changes {
				x := after.Of(&changes[i])
				note := x.Note
				if x.Retry {
					note = "+" + note
				}
				got = append(got, note)
			}
			if d := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); d != "" || after.Refused != tc.refused || after.Of(&over).Status != runs.Done {
				t.Errorf("refused %q, notes (-want +got):\n%s", after.Refused, d)
			}
		})
	}
}

func TestUndoneThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	r := newRelayed(t, newBench(t, freeDora))
	whole := r.Steps.Store
	for name, tc := range map[string]error{"runs/run/plan.json": errDown, "runs/run/results/": errDown} {
		if r.Steps.Store = (blindStore{whole, name}); strings.HasSuffix(name, "/") {
			r.Steps.Store = brokenStore{whole, name, ""}
		}
		state := BatchState{Run: "run", Batch: "ad-0001", Evidence: &protocol.Ending{Error: "States.HeartbeatTimeout"}}
		if _, err := r.Do(t.Context(), StepInput{Op: "change", Batch: state}); !errors.Is(err, tc) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
