// Package serve shows the runs of a store in a browser on the same machine: the list of runs, the report of each run,
// everything about a person, the policy in words, and the effect of another threshold. It uses the store through a
// view that refuses writes, and links no code that can reach a directory.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Settings are the settings of a site.
type Settings struct {
	Store    store.Store
	Location string // the location of the store, as the operator gave it
	Clock    clock.Clock
	// Elsewhere is the value of the option --store in the commands that the pages show: Location, or empty if commands
	// find the store without the option.
	Elsewhere string
	// Next completes a command of idleseat, such as "plan --policy policy.yaml", to a command line for this store. The
	// pages show this line as the next step.
	Next func(command string) string
}

// Site serves the pages of one store. It is safe for concurrent use.
type Site struct {
	Settings
	Keys    *Keys
	reports *reports
	// The channel "heavy" has one element for each answer in progress that reads a whole snapshot. Its capacity limits
	// their number.
	heavy chan struct{}
}

// atOnce is the maximum number of answers that read a whole snapshot at the same time. Each needs the memory of a
// partition.
const atOnce = 2

// New returns the site of a store. It reads the store through store.ReadOnly.
func New(s Settings) *Site {
	s.Store = store.ReadOnly(s.Store)
	return &Site{Settings: s, Keys: NewKeys(), reports: &reports{}, heavy: make(chan struct{}, atOnce)}
}

// Handler answers the requests that arrive at a port of this machine.
func (s *Site) Handler(port string) http.Handler {
	routes := http.NewServeMux()
	for pattern, answer := range map[string]func(*asked) error{
		"GET /{$}":              s.list,
		"GET /state":            s.listState,
		"GET /runs/{run}":       s.run,
		"GET /runs/{run}/state": s.runState,
		"GET /people":           s.search,
		"GET /person":           s.person,
		"GET /policy":           s.policy,
		"GET /what-if":          s.whatIf,
		"GET /":                 func(*asked) error { return errNoPage },
	} {
		routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			a := &asked{w, r}
			if err := answer(a); err != nil {
				s.fail(a, err)
			}
		})
	}
	return &guard{
		hosts: hostsOf(port), cookie: "idleseat_" + port, keys: s.Keys, next: routes,
		refuse: func(w http.ResponseWriter, r *http.Request, status int, why string) {
			(&asked{w, r}).message(status, "message.refused", "refusal."+why, "")
		},
	}
}

type asked struct {
	w http.ResponseWriter
	r *http.Request
}

func (a *asked) ctx() context.Context { return a.r.Context() }

func (a *asked) given(name string) string { return a.r.URL.Query().Get(name) }

var errNoPage = errors.New("there is no such page")

func (s *Site) fail(a *asked, err error) {
	status, title := http.StatusInternalServerError, "message.failed"
	switch {
	case a.ctx().Err() != nil:
		return // the browser has closed the connection
	case errors.Is(err, errNoPage), errors.Is(err, snapshot.ErrUnknownRun), errors.Is(err, decision.ErrUnknownUser):
		status, title = http.StatusNotFound, "message.missing"
	case errors.Is(err, snapshot.ErrNone), errors.Is(err, runs.ErrNoPlan):
		status, title = http.StatusNotFound, "message.unfinished"
	case errors.Is(err, errQuestion):
		status, title = http.StatusBadRequest, "message.question"
	case errors.Is(err, store.ErrDamaged):
		title = "message.damaged"
	}
	a.message(status, title, title+".about", err.Error())
}

// The method "wait" waits until this answer may read a whole snapshot. The caller must call "done" after the reading.
func (s *Site) wait(ctx context.Context) (done func(), err error) {
	select {
	case s.heavy <- struct{}{}:
		return func() { <-s.heavy }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for other pages: %w", ctx.Err())
	}
}

// The constant "latest" stands for the name of the newest run in an address.
const latest = "latest"

// The method "meant" returns the run whose snapshot a page uses: the run in the address, or else the newest run that
// read everybody.
func (s *Site) meant(a *asked) (string, error) {
	if name := a.given("run"); name != "" && name != latest {
		return name, nil
	}
	return snapshot.Latest(a.ctx(), s.Store, func(b *snapshot.Begin) bool {
		return b.User == "" && b.Copy == "" && !snapshot.Ahead(b.Run, s.Clock.Now())
	})
}
