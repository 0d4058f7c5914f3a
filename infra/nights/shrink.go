package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/infra/nights/world"
)

// readWithout reads the numbers of events and faults from a file with one number per line. The number of an event has
// its kind, for example "12.3 hired".
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

// The function "shrink" searches for the few events that cause the first fault of a seed, and prints them. It simulates
// the company again and again with fewer events, and continues while a fault of the same kind, person and license
// remains. (A. Zeller, R. Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002.)
func shrink(s settings, out io.Writer) (err error) {
	o, closing, err := s.options(io.Discard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	o.Seed, o.Log = s.first, nil
	story, err := world.Live(o)
	if err != nil {
		return err
	}
	if len(story.Faults) == 0 {
		return fmt.Errorf("seed %d has no fault to make short", s.first)
	}
	fault, lives := story.Faults[0], 0
	fmt.Fprintf(out, "%s\n%d events and faults\n", fault, len(story.Events))
	left := fewer(story.Events, func(some []string) bool {
		if lives++; lives > mostLives {
			return false
		}
		again, err := world.Live(with(o, story.Events, some))
		stays := err == nil && slices.ContainsFunc(again.Faults, func(f judge.Fault) bool {
			return f.Why == fault.Why && f.Person == fault.Person && f.License == fault.License
		})
		if stays {
			fmt.Fprintf(out, "%d stay after %d lives\n", len(some), lives)
		}
		return stays
	})
	fmt.Fprintf(out, "\n%d are left:\n%s\n", len(left), strings.Join(left, "\n"))
	return nil
}

const mostLives = 150

// The function "with" returns a copy of the options. With the copy, the events in "all" happen only if they are also in
// "some".
func with(o world.Options, all, some []string) world.Options {
	without := map[string]bool{}
	for number := range o.Without {
		without[number] = true
	}
	for _, number := range all {
		without[number] = !slices.Contains(some, number)
	}
	o.Without = without
	return o
}

// The function "fewer" returns a shorter list of events that still causes the fault. It leaves out smaller and smaller
// parts of the list, as long as "stays" returns true for the rest.
func fewer(all []string, stays func(some []string) bool) []string {
	left := slices.Clone(all)
	for parts := 2; len(left) > 1; {
		size := (len(left) + parts - 1) / parts
		shorter := false
		for at := 0; at < len(left) && !shorter; at += size {
			if rest := slices.Concat(left[:at], left[min(at+size, len(left)):]); stays(rest) {
				left, shorter = rest, true
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
