// Package world lets a simulated company live for many nights before the judge. People
// come, go, change and are changed; the directories and the store misbehave; processes
// die; and each night the real command plans and applies, in this process, on a clock
// that the world moves. What happens follows from the seed alone, and each event can be
// left out, so that the story of a fault can be made short. The world knows the truth,
// which it tells the judge, and never what the product thinks.
package world

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

const day = 24 * time.Hour

// Options size a world.
type Options struct {
	Seed   uint64
	People int // at least 20
	Nights int
	// Without are the numbers of events that do not happen.
	Without map[string]bool
	// Log takes what happens, a line each; nil: nothing is told.
	Log func(line string)
}

// Story is what a world came to.
type Story struct {
	Seed          uint64
	Nights        int
	Removed       int // licenses that the tool took
	Given         int // licenses that anybody gave
	Clear, Missed int
	Faults        []judge.Fault // but Missed
	Events        []string      // in order, each by its number
	Counts        map[string]int
	Failed        int // commands that ended with an error
	Errors        map[string]int
}

// World is a company, its truth, and the tool that looks after its licenses.
type World struct {
	*judge.Judge
	options Options
	story   Story
	clock   ticks
	box     *sandbox.Sandbox
	people  []human
	dir     string // of the policy and the store
	policy  string // in force
	night   int
	acts    actor
	moving  int // the person whose direct licenses are being changed; -1: nobody
}

// actor is by whose doing something happens in the company.
type actor int

const (
	theTool actor = iota
	somebodyElse
)

// The licenses as the judge and the policy name them.
const (
	e3     = "m365-e3"
	citrix = "citrix"
)

// Live lives one world.
func Live(o Options) (Story, error) {
	w := &World{options: o, moving: -1, Judge: judge.New(
		judge.Rule{License: e3, Idle: 60 * day, Grace: 14 * day},
		judge.Rule{License: citrix, Idle: 90 * day, Grace: 90 * day})}
	w.story = Story{Seed: o.Seed, Counts: map[string]int{}, Errors: map[string]int{}}
	w.clock.nanos.Store(time.Date(2026, 2, 2, 2, 0, 0, 0, time.UTC).UnixNano())
	if err := w.build(); err != nil {
		return w.story, err
	}
	defer os.RemoveAll(w.dir)
	defer w.box.Close()
	for w.night = range o.Nights {
		w.live()
		w.work()
		w.story.Nights++
	}
	w.settle()
	w.story.Clear = w.Judge.Clear()
	for _, f := range w.Judge.Faults() {
		if f.Why == judge.Missed {
			w.story.Missed++
		} else {
			w.story.Faults = append(w.story.Faults, f)
		}
	}
	return w.story, nil
}

// build founds the company, and tells the judge who is there.
func (w *World) build() (err error) {
	w.box, err = sandbox.Start(sandbox.Options{
		Users: w.options.People, Seed: w.options.Seed, Now: w.clock.Now,
		LicenseDelay: 40 * time.Second, Lag: time.Minute, Witness: w.saw,
	})
	if err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp("", "idleseat-world-"); err != nil {
		return fmt.Errorf("make the folder of a world: %w", err)
	}
	w.policy = strings.NewReplacer("then: {changeTo: exchange-online}", "then: {changeTo: exchange-online, onReturn: restore}",
		"then: remove", "then: {remove: true, onReturn: restore}").Replace(string(w.box.Policy()))
	w.publish()
	for i := range w.box.Company.Size() {
		w.people = append(w.people, w.meet(i))
	}
	return nil
}

// publish puts the policy into force as it now is.
func (w *World) publish() {
	if err := os.WriteFile(w.dir+"/policy.yaml", []byte(w.policy), 0o600); err != nil {
		panic(err) // the machine of the test has no room: nothing can be learnt here
	}
}

func (w *World) logf(format string, args ...any) {
	if w.options.Log != nil {
		w.options.Log(w.clock.Now().Format("2006-01-02 15:04:05 ") + fmt.Sprintf(format, args...))
	}
}

// happens tells whether an event of a kind happens now, to somebody or to the company
// (-1), and keeps it for the story.
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
