// Package world simulates a company for many nights. The company is a sandbox (package sandbox). Each night, the
// product plans and applies in this process. Events happen to people and to the company: people are hired, leave and
// return, and administrators change accounts and groups. Directories, the store and processes fail, too; see package
// weather. Some companies have relays, which can also fail; see package premises. The clock is simulated.
//
// All events follow from the seed alone. Each event has a number. To find the events that cause a fault, a world can
// leave out events by their numbers. The world tells the judge the truth (see package judge), and never reads the truth
// from the product.
//
// A turn is a change of the company that lasts for some days, such as a renamed group.
package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/infra/nights/premises"
	"github.com/idleseat/idleseat/infra/nights/weather"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

const day = 24 * time.Hour

// Options are the size and the settings of a world.
type Options struct {
	Seed   uint64
	People int // at least 20
	Nights int
	// Apps adds rules for Copilot and for seats in an application. In some companies, two groups then give E3, or a
	// synced group gives Entra ID P2.
	Apps bool
	// Without contains the numbers of events and faults that do not happen.
	Without map[string]bool
	// Log is called with one line for each event. It may be nil.
	Log func(line string)
	// Story receives each event that the judge hears, as one line of JSON. It may be nil.
	Story io.Writer
}

// Story is the result of a world.
type Story struct {
	Seed          uint64
	Nights        int
	Removed       int // number of licenses that the product took
	Given         int // number of licenses that anybody gave
	Clear, Missed int
	Faults        []judge.Fault // all faults except missed cases
	Late          []judge.Fault // missed cases
	Events        []string      // numbers of the events, in order; after them the faults of the weather
	Counts        map[string]int
	Taken         map[string]int // number of licenses that the product took, by license and group
	Verdicts      map[string]int
	mornings      []time.Time // end of each night
}

// Night returns the number of the night of an instant, counted from 0. For an instant after these nights, it returns
// Nights.
func (s *Story) Night(at time.Time) int {
	n, _ := slices.BinarySearchFunc(s.mornings, at, time.Time.Compare)
	return n
}

// World is a company, its true state, and the product that manages its licenses.
type World struct {
	groupKinds
	protected
	controllers
	options                   Options
	story                     Story
	court                     *judge.Judge
	clock                     ticks
	box                       *sandbox.Sandbox
	tool                      tool
	commands                  commands           // the product as the command on one machine
	serverless                bool               // whether the product runs as functions
	premises                  *premises.Premises // the relays; nil: none
	nearby                    *weather.Weather   // the weather of a relay's process; nil: no relay
	reports                   bool               // whether the rule for E3 reads the usage reports
	mailboxes                 bool               // whether people hold two licenses for a mailbox, and rules remove both
	writeReport               func(ctx context.Context, s store.Store, run string) error
	weather                   *weather.Weather
	store                     *weather.Store
	behind                    store.Memory      // the store without faults
	second                    store.Memory      // the store of the second machine
	backup                    map[string][]byte // objects of the store at the last backup; nil: no backup
	copied                    time.Time         // when the backup was made
	people                    []human
	dir                       string // folder of the policy
	policy                    *rules
	night                     int
	unshown                   []judge.Event            // uses of licenses that no directory shows yet
	hidden                    map[string]bool          // licenses whose directory showed older dates in the last night
	changing                  []int                    // people with a change in the last plan
	waiting                   string                   // run of a plan whose approval comes a day late
	lengths                   map[string]int           // number of operations of the latest command, by name of the command
	held                      int                      // number of plans in a row on hold that nobody can override
	runs                      []string                 // runs that were applied
	notices                   map[string][]plan.Change // changes that the plan announces, by run
	hashes                    map[string]string        // hash of each plan, by run
	out                       map[string]int           // active turns, with the night in which each began
	binned, adBinned, touched map[int]bool

	mu       sync.Mutex            // guards the fields below
	moving   int                   // person whose direct licenses the product is changing; -1: nobody
	stranger bool                  // whether the second machine is working
	wished   bool                  // whether an operator is restoring a run
	taken    map[holding]time.Time // licenses that the first machine took and nobody has given since; the value is when the machine took the license
	regiven  map[string]bool       // licenses that somebody gave back by hand since the last call of complained
	listed   map[place]bool        // who is in which of the two groups of E3
	waits    map[place]bool        // who is in a group of E3 and may not have its license yet
}

// In one of functionsEvery companies, the product runs as Lambda functions. The share "relayed" of these companies has
// relays. In the others, the functions do not read Active Directory.
const (
	functionsEvery = 5
	relayed        = 0.8
)

// One of reportEvery companies has reports of its runs. A report takes a fifth of the time of a night. No decision
// reads a report, so most companies do without reports.
const reportEvery = 8

var errNoReports = errors.New("this company has no reports")

// noReport replaces gate.Report in companies without reports. It writes nothing and returns an error.
func noReport(context.Context, store.Store, string) error { return errNoReports }

// The constant "busy" is how many requests for lists Graph answers per minute in a company where other applications use
// up Graph's limit.
const busy = 8

// The type "holding" identifies a license of a person.
type holding struct {
	person  int
	license string
}

// The names of the licenses in the policy, the names of groups that give licenses, and the id of the product E3 in
// Entra ID.
const (
	e3          = "m365-e3"
	citrix      = "citrix"
	groupE3     = "LIC-M365-E3"
	groupTarget = "LIC-EXO-P1"
	groupCitrix = "Citrix Users"
	skuE3       = "05e9a617-0261-4cee-bb44-138d3ef5d965"
)

// Live creates a company and simulates its nights with their faults. The method "settle" then ends the faults,
// simulates some calm nights, and restores what was taken. Live returns the result.
func Live(o Options) (Story, error) {
	w := &World{
		options: o, court: judge.New(), moving: -1,
		notices: map[string][]plan.Change{}, hashes: map[string]string{}, lengths: map[string]int{}, out: map[string]int{},
		taken: map[holding]time.Time{}, regiven: map[string]bool{}, listed: map[place]bool{}, waits: map[place]bool{},
		binned: map[int]bool{}, adBinned: map[int]bool{}, touched: map[int]bool{},
		story: Story{Seed: o.Seed, Counts: map[string]int{}, Taken: map[string]int{}, Verdicts: map[string]int{}},
	}
	w.clock.long = w.stopped
	w.clock.nanos.Store(time.Date(2026, 2, 2, 2, 0, 0, 0, time.UTC).UnixNano())
	if err := w.build(); err != nil {
		return w.story, err
	}
	defer os.RemoveAll(w.dir)
	defer w.box.Close()
	if w.premises != nil {
		defer w.premises.Close()
	}
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

// The method "tally" adds to the result (type Story) the faults of the product that the judge found, and the faults
// that the weather caused. The field Missed counts the unused licenses that the product did not take in time.
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
	for _, of := range []*weather.Weather{w.weather, w.nearby} {
		if of == nil {
			continue
		}
		for kind, n := range of.Counts() {
			w.story.Counts[kind] += n
		}
		for _, f := range of.Faults() {
			w.story.Events = append(w.story.Events, fmt.Sprintf("fault %d, %d.%s %s", f.Number, f.Night, f.Kind, f.Target))
		}
	}
}

// The method "build" creates the company and the product. It tells the judge the rules and the people.
func (w *World) build() (err error) {
	if w.dir, err = os.MkdirTemp("", "idleseat-world-"); err != nil {
		return fmt.Errorf("make the folder of a world: %w", err)
	}
	w.weather = w.weathered(w.options.Seed)
	w.store = w.weather.Store(&w.behind)
	w.serverless = w.options.Seed%functionsEvery == 0
	w.chooseGroups()
	controllers := w.chooseControllers()
	w.box, err = sandbox.Start(sandbox.Options{
		Users: w.options.People, Seed: w.options.Seed, Now: w.clock.Now, Absent: w.options.People / 20,
		LicenseDelay: 40 * time.Second, Lag: time.Minute, SyncDelay: w.syncDelay(), Witness: w.saw,
		// A company has more seats than it needs. Seats run out only in a turn (see the package comment), because the
		// judge must know when they do.
		Seats: w.enough(), Controllers: controllers,
	})
	if err != nil {
		return err
	}
	w.weather.Over(w.box)
	if throw(w.options.Seed, "busy").chance(0.2) {
		w.weather.Quota(busy)
	}
	if w.writeReport = noReport; w.options.Seed%reportEvery == 0 {
		w.writeReport = gate.Report
	}
	w.commands = commands{w}
	w.tool = w.commands
	if w.serverless {
		if w.hasRelays() {
			if err := w.install(); err != nil {
				return err
			}
		}
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
		text = w.withGroups(withApps(text))
	}
	if w.mailboxes = !w.options.Apps && throw(w.options.Seed, "mailboxes").chance(mailboxShare); w.mailboxes {
		text = withMailboxes(text)
	}
	w.policy = newRules(w.dir+"/policy.yaml", text, notice)
	w.policy.leaves[anna] = annasLeave(w.options.Seed, w.clock.Now())
	w.policy.publish()
	for _, license := range w.licenses() {
		w.hear(judge.Event{What: judge.Ruled, At: w.clock.Now(), Rule: w.policy.judged(license)})
	}
	w.regroups()
	w.protects()
	w.people = make([]human, w.box.Company.Size())
	for i := range w.people {
		w.found(i)
	}
	w.told(anna, w.policy.leaves[anna])
	if w.options.Apps {
		w.opens()
	}
	if w.mailboxes {
		w.doubles()
	}
	return nil
}

// The method "found" sets the habits of person i. If the person has an account already, it tells the judge about the
// person.
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
	h.wanted[premium] = w.synced && w.inGroup(i, groupOnPrem)
	w.arrive(i)
}

// The method "hear" reports an event to the judge, and writes the event to Options.Story.
func (w *World) hear(e judge.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judge(e)
}

// The method "judge" does the work of the method "hear". The caller must hold the lock.
func (w *World) judge(e judge.Event) {
	if w.options.Story != nil {
		text, _ := json.Marshal(e) // Marshal can encode these values
		_, _ = w.options.Story.Write(append(text, '\n'))
	}
	if err := w.court.Hear(e); err != nil {
		panic(err) // the world has reported impossible events
	}
}

func (w *World) logf(format string, args ...any) {
	if w.options.Log != nil {
		w.options.Log(w.clock.Now().Format("2006-01-02 15:04:05 ") + fmt.Sprintf(format, args...))
	}
}

// The method "happens" decides by chance whether a kind of event happens now, and records the event in the story. An
// event in Options.Without never happens. The parameter "who" is the index of the person, or -1 for an event of the
// company.
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
