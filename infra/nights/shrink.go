package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/infra/nights/world"
)

// readWithout reads numbers of events, a line each.
func readWithout(name string) (map[string]bool, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read what is left out: %w", err)
	}
	without := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			without[line] = true
		}
	}
	return without, nil
}

// shrink lives one seed again and again with fewer events, as long as the same kind of
// fault befalls the same person, and prints what is left (A. Zeller, R. Hildebrandt:
// Simplifying and Isolating Failure-Inducing Input, 2002).
func shrink(s settings, out io.Writer) error {
	o, closing, err := s.options(io.Discard)
	if err != nil {
		return err
	}
	defer closing()
	o.Seed, o.Log = s.first, nil
	story, err := world.Live(o)
	if err != nil {
		return err
	}
	if len(story.Faults) == 0 {
		return fmt.Errorf("seed %d has no fault to make short", s.first)
	}
	x := shrinking{o: o, fault: story.Faults[0], out: out}
	fmt.Fprintf(out, "%s\n%d events and faults\n", x.fault, len(story.Events))
	left := x.fewer(story.Events)
	fmt.Fprintf(out, "\n%d are left after %d lives:\n%s\n", len(left), x.lives, strings.Join(left, "\n"))
	return nil
}

type shrinking struct {
	o     world.Options
	fault judge.Fault
	out   io.Writer
	lives int
}

// mostLives bounds how often a seed is lived again.
const mostLives = 120

// fewer leaves out ever smaller parts of the events while the fault stays.
func (x *shrinking) fewer(all []string) []string {
	left := slices.Clone(all)
	for parts := 2; len(left) > 1 && x.lives < mostLives; {
		size := (len(left) + parts - 1) / parts
		shorter := false
		for at := 0; at < len(left) && x.lives < mostLives; at += size {
			rest := slices.Concat(left[:at], left[min(at+size, len(left)):])
			if x.stays(all, rest) {
				left, shorter = rest, true
				fmt.Fprintf(x.out, "%d left\n", len(left))
				break
			}
		}
		switch {
		case shorter:
			parts = max(parts-1, 2)
		case size == 1:
			return left
		default:
			parts = min(2*parts, len(left))
		}
	}
	return left
}

// stays tells whether the fault is still there when of all events only some happen.
func (x *shrinking) stays(all, some []string) bool {
	x.lives++
	o := x.o
	o.Without = map[string]bool{}
	for number := range x.o.Without {
		o.Without[number] = true
	}
	for _, number := range all {
		if !slices.Contains(some, number) {
			o.Without[number] = true
		}
	}
	story, err := world.Live(o)
	return err == nil && slices.ContainsFunc(story.Faults, func(f judge.Fault) bool {
		return f.Why == x.fault.Why && f.Person == x.fault.Person && f.License == x.fault.License
	})
}
