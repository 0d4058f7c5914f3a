package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/nights/world"
)

// TestFewer: the function "fewer" reduces three hundred events to those that together cause the fault, with at most 150
// calls of "stays". If no shorter list causes the fault, it returns all events.
func TestFewer(t *testing.T) {
	t.Parallel()
	var all []string
	for n := range 300 {
		all = append(all, fmt.Sprint(n))
	}
	for _, needed := range [][]string{{"7"}, {"0", "299"}, {"12", "130", "131", "280"}} {
		lives := 0
		got := fewer(all, func(some []string) bool {
			lives++
			for _, n := range needed {
				if !slices.Contains(some, n) {
					return false
				}
			}
			return true
		})
		if d := cmp.Diff(needed, got); d != "" || lives > 150 {
			t.Errorf("after %d lives (-want +got):\n%s", lives, d)
		}
	}
	if got := fewer(all, func([]string) bool { return false }); len(got) != len(all) {
		t.Errorf("%d of %d are left of a fault that never stays", len(got), len(all))
	}
}

// TestLeftOut: an event in Options.Without does not happen, and the events before it stay the same.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	o := world.Options{Seed: 3, People: 30, Nights: 12}
	story, err := world.Live(o)
	if err != nil || len(story.Events) < 5 {
		t.Fatalf("%v, events %q", err, story.Events)
	}
	n := slices.IndexFunc(story.Events, func(number string) bool { return number != story.Events[0] })
	out := story.Events[n]
	again, err := world.Live(with(o, []string{out}, nil))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(story.Events[:n], again.Events[:n]); d != "" || slices.Contains(again.Events, out) {
		t.Errorf("without %q (-with +without):\n%s", out, d)
	}
}
