// Command nights simulates many companies for months. A judge checks every removal of a license (see package judge).
// The command prints every fault and missed case, and the number of events of each kind. For a company with a fault, it
// also prints the command line that simulates this company again. The exit status is 1 if there is a fault, if there is
// more than one missed case per hundred clear cases, or if the product took no license at all.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/idleseat/idleseat/infra/nights/world"
)

// mostMissed is the largest acceptable ratio of missed cases to clear cases. A clear case is an unused license that the
// product may take. The case is missed if the product does not take the license for a long time.
const mostMissed = 0.01

type settings struct {
	seeds, first           uint64
	people, nights, worker int
	story, without         string
	log, shrink, until     bool
	apps                   bool
}

func main() {
	var s settings
	flag.Uint64Var(&s.seeds, "seeds", 25, "how many companies live")
	flag.Uint64Var(&s.first, "first", 1, "the seed of the first")
	flag.IntVar(&s.people, "people", 300, "people of each company")
	flag.IntVar(&s.nights, "nights", 120, "nights of each company")
	flag.IntVar(&s.worker, "workers", runtime.GOMAXPROCS(0), "how many live at the same time")
	flag.StringVar(&s.without, "without", "", "a file of events and faults that do not happen, a number a line")
	flag.StringVar(&s.story, "story", "", "a file for what the judge hears, of one seed")
	flag.BoolVar(&s.apps, "apps", false, "every company also has rules for Copilot and for seats in an application; some have a product of two groups, or of a synced group")
	flag.BoolVar(&s.log, "log", false, "tell what happens")
	flag.BoolVar(&s.until, "until-fault", false, "end after the first seed that has a fault or missed a case")
	flag.BoolVar(&s.shrink, "shrink", false, "leave out events of the first seed while its first fault stays")
	flag.Parse()
	tuneGC()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "nights:", err)
		os.Exit(1)
	}
}

// tuneGC makes garbage collection less frequent. The nights are then a fifth faster, at the cost of memory.
func tuneGC() {
	debug.SetGCPercent(1600)
	debug.SetMemoryLimit(3 << 30)
}

// The function "run" simulates the company of each seed and prints a summary. After the end of ctx, it starts no
// further company. If -shrink is set, it calls the function "shrink" instead.
func run(ctx context.Context, s settings, out io.Writer) error {
	if s.shrink {
		return shrink(s, out)
	}
	o, closing, err := s.options(out)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	all := sum{counts: map[string]int{}, verdicts: map[string]int{}, taken: map[string]int{}}
	for told := range lives(ctx, s, o) {
		switch {
		case err != nil: // wait until the other companies end, because they write to the file that closing closes
		case told.err != nil:
			err = fmt.Errorf("seed %d: %w", told.story.Seed, told.err)
			stop()
		default:
			all.add(s, told.story, out)
			if s.until && len(told.story.Faults)+len(told.story.Late) > 0 {
				err = fmt.Errorf("seed %d has a fault", told.story.Seed)
				stop()
			}
		}
	}
	if err != nil {
		return errors.Join(err, closing())
	}
	all.print(out, time.Since(began))
	return errors.Join(closing(), all.verdict())
}

// The method "options" returns the options that all companies share. The caller must call "closing" at the end, which
// closes the file for -story.
func (s settings) options(out io.Writer) (o world.Options, closing func() error, err error) {
	o, closing = world.Options{People: s.people, Nights: s.nights, Apps: s.apps}, func() error { return nil }
	if s.log {
		var mu sync.Mutex
		o.Log = func(line string) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintln(out, line)
		}
	}
	if s.without != "" {
		if o.Without, err = readWithout(s.without); err != nil {
			return o, closing, err
		}
	}
	if s.story != "" {
		file, err := os.Create(s.story)
		if err != nil {
			return o, closing, fmt.Errorf("write the story: %w", err)
		}
		o.Story, closing = file, file.Close
	}
	return o, closing, nil
}

type told struct {
	story world.Story
	err   error
}

// The function "lives" simulates the companies of all seeds, several at the same time, and sends the result of each.
// After the end of ctx, it starts no company. The caller must receive until the channel is closed.
func lives(ctx context.Context, s settings, o world.Options) <-chan told {
	seeds, stories := make(chan uint64), make(chan told)
	var working sync.WaitGroup
	for range s.worker {
		working.Go(func() {
			for seed := range seeds {
				of := o
				of.Seed = seed
				story, err := world.Live(of)
				story.Seed = seed
				stories <- told{story, err}
			}
		})
	}
	go func() {
		for n := uint64(0); n < s.seeds && ctx.Err() == nil; n++ {
			select {
			case seeds <- s.first + n:
			case <-ctx.Done():
			}
		}
		close(seeds)
		working.Wait()
		close(stories)
	}()
	return stories
}

type sum struct {
	seeds, nights, removed, given, clear, missed, faults int
	counts, verdicts, taken                              map[string]int
}

func (a *sum) add(s settings, story world.Story, out io.Writer) {
	for _, f := range story.Faults {
		fmt.Fprintf(out, "seed %d: night %d: %s\n", story.Seed, story.Night(f.At), f)
	}
	if len(story.Faults) > 0 {
		fmt.Fprintf(out, "  live it again: go run ./infra/nights -first %d -seeds 1 -people %d -nights %d -apps=%t -log; make it short: -shrink\n", story.Seed, s.people, s.nights, s.apps)
	}
	for _, f := range story.Late {
		fmt.Fprintf(out, "seed %d: night %d: %s\n", story.Seed, story.Night(f.At), f)
	}
	if a.seeds++; a.seeds%100 == 0 {
		fmt.Fprintf(out, "%d seeds have lived\n", a.seeds)
	}
	a.nights += story.Nights
	a.removed += story.Removed
	a.given += story.Given
	a.clear += story.Clear
	a.missed += story.Missed
	a.faults += len(story.Faults)
	for kind, n := range story.Counts {
		a.counts[kind] += n
	}
	for kind, n := range story.Verdicts {
		a.verdicts[kind] += n
	}
	for kind, n := range story.Taken {
		a.taken[kind] += n
	}
}

func (a *sum) print(out io.Writer, took time.Duration) {
	fmt.Fprintf(out, "\n%d seeds, %d nights in %s, %.1f nights a second\n", a.seeds, a.nights, took.Round(time.Second), float64(a.nights)/took.Seconds())
	fmt.Fprintf(out, "%d licenses taken, %d given, %d faults, %d of %d clear cases missed\n", a.removed, a.given, a.faults, a.missed, a.clear)
	fmt.Fprintln(out, "\nLicenses taken, by license and group:")
	printCounts(out, a.taken)
	fmt.Fprintln(out, "\nVerdicts of the nights:")
	printCounts(out, a.verdicts)
	fmt.Fprintln(out, "\nWhat happened:")
	printCounts(out, a.counts)
}

func printCounts(out io.Writer, counts map[string]int) {
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	for _, kind := range kinds {
		fmt.Fprintf(out, "%9d  %s\n", counts[kind], kind)
	}
}

func (a *sum) verdict() error {
	switch {
	case a.faults > 0:
		return fmt.Errorf("the judge found %d faults", a.faults)
	case a.removed == 0:
		return errors.New("nothing was taken in any company, so that nothing was judged")
	case float64(a.missed) > mostMissed*float64(a.clear):
		return fmt.Errorf("%d of %d clear cases were missed, more than one in a hundred", a.missed, a.clear)
	}
	return nil
}
