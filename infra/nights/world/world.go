// Package world makes a simulated company live many nights before the judge. People arrive, leave, change and are
// changed. The directories and the store fail in many ways, and processes die. Each night the real command plans and
// applies, in this process, on a clock that the world advances. The seed alone decides what happens. Each event can be
// left out, so that the story of a fault can be shortened. The world tells the judge the truth, and never uses what the
// product believes.
package world

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/infra/nights/weather"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

const day = 24 * time.Hour

// Options are the size and the choices of a world.
type Options struct {
	Seed   uint64
	People int // at least 20
	Nights int
	// Apps makes it a company of applications: it has rules for Copilot and for seats in an application, too. The events
	// that a seed draws for other companies stay the same.
	Apps bool
	// Without has the numbers of events and faults that are left out.
	Without map[string]bool
	// Log is called with a line for each event, unless it is nil.
	Log func(line string)
	// Story, unless it is nil, receives what the judge hears, one JSON event per line.
	Story io.Writer
}

// Story is what happened in a world.
type Story struct {
	Seed          uint64
	Nights        int
	Removed       int // number of licenses that the tool took
	Given         int // number of licenses that anybody gave
	Clear, Missed int
	Faults        []judge.Fault // all except Missed
	Late          []judge.Fault // those that are Missed
	Events        []string      // in order, each with its number
	Counts        map[string]int
	Verdicts      map[string]int
	mornings      []time.Time // when each night ended
}

// Night returns the number of the night at an instant, from 0. The numbers continue through the nights at the end of
// the story.
func (s *Story) Night(at time.Time) int {
	n, _ := slices.BinarySearchFunc(s.mornings, at, time.Time.Compare)
	return n
}

// World is a company, its truth, and the tool that looks after its licenses.
type World struct {
	options                   Options
	story                     Story
	court                     *judge.Judge
	clock                     ticks
	box                       *sandbox.Sandbox
	tool                      tool
	commands                  commands // the command line on one machine
	serverless                bool     // whether the tool is the functions without a relay, so that nobody reads Active Directory
	reports                   bool     // whether the rule for E3 reads the usage reports
	weather                   *weather.Weather
	store                     *weather.Store
	behind                    store.Memory      // the store below the weather
	second                    store.Memory      // the store of the second machine
	backup                    map[string][]byte // objects of the store last evening; nil: no backup
	copied                    time.Time         // when the backup was made
	people                    []human
	dir                       string // of the policy and the stores
	policy                    *rules
	night                     int
	unshown                   []judge.Event            // uses that no directory shows yet
	hidden                    map[string]bool          // licenses whose directory showed older dates last night
	changing                  []int                    // people of the last plan
	waiting                   string                   // run that waits for a late approval
	lengths                   map[string]int           // number of operations of the last command of each kind
	held                      int                      // for how many nights in a row the sources have held the plan
	runs                      []string                 // runs that were applied
	notices                   map[string][]plan.Change // changes that a plan announces, by run
	hashes                    map[string]string        // hashes of plans, by run
	out                       map[string]int           // turns under way, with the night in which each started
	binned, adBinned, touched map[int]bool

	mu       sync.Mutex            // guards the fields below
	moving   int                   // person whose direct licenses the tool is changing; -1: nobody
	stranger bool                  // whether the second machine is at work
	wished   bool                  // whether an operator is restoring a run
	taken    map[holding]time.Time // licenses that the first machine took and nobody has given since
	waits    map[int]bool          // people in the group of E3 who may not have its license yet
}

// One seed in functionsEvery uses the functions as the tool.
const functionsEvery = 5

// busy is the number of requests for lists that Graph answers per minute while other applications use the same tenant.
const busy = 8

// holding identifies a license of a person.
type holding struct {
	person  int
	license string
}

// The names of the licenses for the judge and in the policy, and the groups that give them.
const (
	e3          = "m365-e3"
	citrix      = "citrix"
	groupE3     = "LIC-M365-E3"
	groupTarget = "LIC-EXO-P1"
	groupCitrix = "Citrix Users"
	skuE3       = "05e9a617-0261-4cee-bb44-138d3ef5d965"
)

// Live runs a world to its end.
func Live(o Options) (Story, error) {
	w := &World{
		options: o, court: judge.New(), moving: -1,
		notices: map[string][]plan.Change{}, hashes: map[string]string{}, lengths: map[string]int{}, out: map[string]int{},
		taken: map[holding]time.Time{}, waits: map[int]bool{},
		binned: map[int]bool{}, adBinned: map[int]bool{}, touched: map[int]bool{},
		story: Story{Seed: o.Seed, Counts: map[string]int{}, Verdicts: map[string]int{}},
	}
	w.clock.long = w.stopped
	w.clock.nanos.Store(time.Date(2026, 2, 2, 2, 0, 0, 0, time.UTC).UnixNano())
	if err := w.build(); err != nil {
		return w.story, err
	}
	defer os.RemoveAll(w.dir)
	defer w.box.Close()
	for w.night = range o.Nights {
		w.bringBack()
		w.live()
		w.work()
		w.story.Nights++
		w.story.mornings = append(w.story.mornings, w.clock.Now())
	}
	w.settle()
	w.tally()
	return w.story, nil
}

// tally counts the results.
func (w *World) tally() {
	w.story.Clear = w.court.Clear()
	for _, f := range w.court.Faults() {
		if f.Why == judge.Missed {
			w.story.Missed++
			w.story.Late = append(w.story.Late, f)
		} else {
			w.story.Faults = append(w.story.Faults, f)
		}
	}
	for kind, n := range w.weather.Counts() {
		w.story.Counts[kind] += n
	}
	for _, f := range w.weather.Faults() {
		w.story.Events = append(w.story.Events, fmt.Sprintf("fault %d, %d.%s %s", f.Number, f.Night, f.Kind, f.Target))
	}
}

// build creates the company and tells the judge who exists.
func (w *World) build() (err error) {
	if w.dir, err = os.MkdirTemp("", "idleseat-world-"); err != nil {
		return fmt.Errorf("make the folder of a world: %w", err)
	}
	w.weather = weather.New(w.options.Seed, &w.clock)
	for number := range w.options.Without {
		var n uint64
		if _, err := fmt.Sscanf(number, "fault %d", &n); err == nil {
			w.weather.Without(n)
		}
	}
	w.store = w.weather.Store(&w.behind)
	w.box, err = sandbox.Start(sandbox.Options{
		Users: w.options.People, Seed: w.options.Seed, Now: w.clock.Now, Absent: w.options.People / 20,
		LicenseDelay: 40 * time.Second, Lag: time.Minute, Witness: w.saw,
		// Seats may run out only in a turn of the company, because the judge hears about turns.
		Seats: map[string]int{"SPE_E3": w.seats(), "EXCHANGESTANDARD": w.seats()},
	})
	if err != nil {
		return err
	}
	w.weather.Over(w.box)
	if throw(w.options.Seed, "busy").chance(0.2) {
		w.weather.Quota(busy)
	}
	w.commands = commands{w}
	w.tool = w.commands
	if w.serverless = w.options.Seed%functionsEvery == 0; w.serverless {
		if w.tool, err = w.byFunctions(); err != nil {
			return err
		}
	}
	notice := 0
	if throw(w.options.Seed, "notice").chance(0.3) {
		notice = 14
	}
	text := string(w.box.Policy())
	if w.reports = w.options.Seed%reportsEvery == 0; w.reports {
		text = reported(text)
	}
	if w.options.Apps {
		text = withApps(text)
	}
	w.policy = newRules(w.dir+"/policy.yaml", text, notice)
	w.policy.publish()
	for _, license := range w.licenses() {
		w.hear(judge.Event{What: judge.Ruled, At: w.clock.Now(), Rule: w.policy.judged(license)})
	}
	w.people = make([]human, w.box.Company.Size())
	for i := range w.people {
		w.found(i)
	}
	if w.options.Apps {
		w.opens()
	}
	return nil
}

// found adds person i, who may be hired later.
func (w *World) found(i int) {
	p := w.box.Company.Person(i)
	h := &w.people[i]
	h.kind, h.daily, h.wanted = p.Kind, 0.002, map[string]bool{}
	if p.Activity == sandbox.Active {
		h.daily = 0.5
	}
	h.governed = throw(w.options.Seed, "governed", i).chance(0.03)
	truth := w.box.Company.Truth(i)
	h.wanted[e3], h.wanted[citrix], h.wanted[salesforce] = len(truth.E3) > 0, len(truth.Citrix) > 0, w.inApp(i)
	w.arrive(i)
}

// hear tells the judge an event.
func (w *World) hear(e judge.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judge(e)
}

// judge does what hear does. The caller must hold the lock.
func (w *World) judge(e judge.Event) {
	if w.options.Story != nil {
		text, _ := json.Marshal(e) // plain values can always be encoded
		_, _ = w.options.Story.Write(append(text, '\n'))
	}
	if err := w.court.Hear(e); err != nil {
		panic(err) // the world contradicts itself
	}
}

func (w *World) logf(format string, args ...any) {
	if w.options.Log != nil {
		w.options.Log(w.clock.Now().Format("2006-01-02 15:04:05 ") + fmt.Sprintf(format, args...))
	}
}

// happens decides whether a kind of event happens now to a person, or to the company if who is -1. It records the
// event in the story.
func (w *World) happens(kind string, who int, chance float64) bool {
	if !throw(w.options.Seed, kind, w.night, who).chance(chance) {
		return false
	}
	number := fmt.Sprintf("%d.%d %s", w.night, who, kind)
	if w.options.Without[number] {
		return false
	}
	w.story.Events = append(w.story.Events, number)
	w.story.Counts[kind]++
	w.logf("event %s", number)
	return true
}
