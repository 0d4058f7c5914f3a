package gate

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/workflow/apply"
	"github.com/idleseat/idleseat/shared/workflow/collect"
)

// The type "node" is a state in the definition of the state machine, with the fields that determine how many events it
// writes.
type node struct {
	Type, Resource string
	Retry          []struct{ MaxAttempts int }
	Branches       []struct{ States map[string]*node }
	ItemProcessor  struct {
		ProcessorConfig struct{ Mode string }
		States          map[string]*node
	}
}

func definition(t *testing.T) map[string]*node {
	t.Helper()
	text, err := os.ReadFile("../../../infra/statemachine.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	var whole struct{ States map[string]*node }
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	return whole.States
}

// eventsOf returns the largest number of events that the given states write together if the execution enters each state
// once.
func eventsOf(t *testing.T, states map[string]*node) (n int) {
	for _, s := range states {
		n += s.events(t)
	}
	return n
}

// The method "events" returns the largest number of events that a state writes. For a state of the type Map, the caller
// must add the events of its items (Step Functions Developer Guide and API reference, "HistoryEvent").
func (s *node) events(t *testing.T) int {
	t.Helper()
	const entered = 2 // entering and exiting the state
	switch s.Type {
	case "Choice", "Pass", "Wait", "Succeed", "Fail":
		return entered
	case "Task":
		tries, each := 1, 3 // scheduled, started, and succeeded, failed or timed out
		for _, r := range s.Retry {
			tries += r.MaxAttempts
		}
		if strings.HasSuffix(s.Resource, ".waitForTaskToken") {
			each++ // submitted
		}
		return entered + tries*each
	case "Map":
		return entered + 4 // start and end of the state, and of the map run of a distributed map
	case "Parallel":
		n := entered + 2 // started and ended
		for _, b := range s.Branches {
			n += eventsOf(t, b.States)
		}
		return n
	}
	t.Fatalf("the events of a %s are not known", s.Type)
	return 0
}

// TestEvents: no execution of a valid policy reaches the limit of events of Step Functions. The constants in events.go
// are at least as large as the numbers from the definition, and not much larger.
func TestEvents(t *testing.T) {
	t.Parallel()
	all := definition(t)
	round := map[string]*node{}
	for _, name := range []string{"Apply", "Settle", "Is something pending", "Wait for the directory"} {
		round[name] = all[name]
		delete(all, name)
	}
	batches := map[string]int{}
	for _, b := range round["Apply"].Branches {
		for name, s := range b.States {
			const item = 2 // the start and the end of an iteration
			batches[name] = eventsOf(t, s.ItemProcessor.States) + item
			if name == "Batches of AD" {
				batches[name] = eventsOf(t, s.ItemProcessor.States)*(apply.MostTries+1) + item
			}
		}
	}
	loop := 0
	for _, b := range all["Collect"].Branches {
		for _, name := range []string{"Read Entra", "Entra read"} {
			if s := b.States[name]; s != nil {
				loop += s.events(t)
			}
		}
	}
	if loop == 0 || len(batches) != 2 {
		t.Fatalf("the loop of Entra ID has %d events, batches %v", loop, batches)
	}
	const begunAndEnded = 2
	for name, tc := range map[string]struct{ computed, bound int }{
		"base":  {eventsOf(t, all) + (collect.MostCalls-1)*loop + begunAndEnded, baseEvents},
		"round": {eventsOf(t, round), roundEvents}, "a batch of Entra ID": {batches["Batches of Entra"], entraEvents}, "a batch of AD": {batches["Batches of AD"], adEvents},
	} {
		if tc.computed > tc.bound || tc.computed < tc.bound*8/10 {
			t.Errorf("%s: %d events by the definition, bounded by %d", name, tc.computed, tc.bound)
		}
	}
	full := &plan.Plan{Changes: make([]plan.Change, policy.MostPerRun), Notices: make([]plan.Change, policy.MostPerRun), Verdict: plan.Apply}
	for i := range full.Changes {
		full.Changes[i].Via = plan.ADGroup
	}
	o := &StepOutput{Go: true}
	o.Batches.add(full, nil, false, runs.All)
	want := len(o.Batches.Entra) + len(o.Batches.AD)
	if o.afford(0); !o.Go || len(o.Batches.Entra)+len(o.Batches.AD) != want || want < 2*policy.MostPerRun/100 {
		t.Errorf("a plan of %d changes in Active Directory, and as many notices, does not fit one round: %d and %d batches of %d", policy.MostPerRun, len(o.Batches.Entra), len(o.Batches.AD), want)
	}
}

// TestAfford: another round begins only if the event history of the execution has room for it. If the room is too small
// for all batches, the round leaves out the last ones.
func TestAfford(t *testing.T) {
	t.Parallel()
	batches := func(n int) []Batch { return make([]Batch, n) }
	for name, tc := range map[string]struct {
		entra, ad, spent int
		wantEntra        int
		wantAD, wantPaid int
		go1              bool
	}{
		"all have room":          {2, 2, 100, 2, 2, 100 + roundEvents + 2*entraEvents + 2*adEvents, true},
		"none is open":           {0, 0, 100, 0, 0, 100 + roundEvents, true},
		"some of AD have room":   {10, 100, 0, 10, (mostEvents - baseEvents - roundEvents - 10*entraEvents) / adEvents, 0, true},
		"none has room":          {0, 1, mostEvents - baseEvents - roundEvents - adEvents + 1, 0, 0, mostEvents - baseEvents - roundEvents - adEvents + 1, false},
		"the last one just fits": {0, 1, mostEvents - baseEvents - roundEvents - adEvents, 0, 1, mostEvents - baseEvents, true},
		"nothing is left":        {0, 0, mostEvents, 0, 0, mostEvents, false},
	} {
		o := &StepOutput{Go: true, Batches: Batches{Entra: batches(tc.entra), AD: batches(tc.ad)}}
		o.afford(tc.spent)
		if o.Go != tc.go1 || len(o.Batches.Entra) != tc.wantEntra || len(o.Batches.AD) != tc.wantAD || tc.wantPaid > 0 && o.Events != tc.wantPaid || baseEvents+o.Events > max(mostEvents, baseEvents+tc.spent) {
			t.Errorf("%s: go %v, %d and %d batches, %d events", name, o.Go, len(o.Batches.Entra), len(o.Batches.AD), o.Events)
		}
	}
	still := &StepOutput{Batches: Batches{AD: batches(500)}}
	if still.afford(7); still.Go || still.Events != 7 || len(still.Batches.AD) != 500 {
		t.Errorf("a plan that is not applied: %v, %d events", still.Go, still.Events)
	}
}

// TestFirstRoundHasEvents: the steps "gate", "approve" and "restore" begin the first round of batches. Each of them
// counts the events that this round adds to the history of the execution.
func TestFirstRoundHasEvents(t *testing.T) {
	t.Parallel()
	e := busy()
	e.text, e.scheduled = enforced(text), true
	s := steps(t, e)
	planned := s.gated(t, false)
	approved, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: "run", PlanHash: planned.PlanHash}})
	if err != nil {
		t.Fatal(err)
	}
	earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ledger.Done})
	restored, err := s.Do(t.Context(), StepInput{Op: "restore", Entrance: entrance.Restore, Started: clock, Request: Request{Restore: "earlier"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]*StepOutput{"gate": planned, "approve": approved, "restore": restored} {
		want := roundEvents + entraEvents*len(out.Batches.Entra) + adEvents*len(out.Batches.AD)
		if !out.Go || !out.Batches.any() || out.Events != want {
			t.Errorf("%s: go %t, %d events, want %d", name, out.Go, out.Events, want)
		}
	}
}

// TestRoundsWithinEvents: the step "settle" begins no further round if the event history of the execution is full.
func TestRoundsWithinEvents(t *testing.T) {
	t.Parallel()
	s := steps(t, busy())
	s.gated(t, false)
	for spent, want := range map[int]bool{0: true, mostEvents - baseEvents: false} {
		out, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run", Events: spent})
		if err != nil || out.Go != want || out.Events < spent || want && out.Events == spent {
			t.Errorf("%d events spent: %+v, %v", spent, out, err)
		}
	}
}
