package serve

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// The type "state" is the present state of an open page. The page requests it, and reloads itself if Version has
// changed.
type state struct {
	// Version is a hash of the content of the page.
	Version string `json:"version"`
	// Live means that the page may still change. A page that is not live does not request its state again.
	Live bool `json:"live"`
	// Run is the run that the page shows. For the list of runs, it is the newest run.
	Run *runs.Overview `json:"run,omitempty"`
}

// stateOf returns the state of a page that shows a run. The argument "more" is further content of the page, such as
// the number of runs.
func stateOf(o *runs.Overview, now time.Time, more string) (state, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return state{}, fmt.Errorf("state of run %s: %w", o.Run, err)
	}
	sum := sha256.Sum256(append(text, more...))
	return state{Version: hex.EncodeToString(sum[:8]), Live: live(o, now), Run: o}, nil
}

// The function "live" reports whether a run may still change. No object shows whether the process of a run has died. So
// a run does not count as live when it has had no new result for plan.Lifetime, after which its plan has expired.
func live(o *runs.Overview, now time.Time) bool {
	newest := o.Started
	for _, at := range []time.Time{o.Worked, o.Expires.Add(-plan.Lifetime)} {
		if at.After(newest) {
			newest = at
		}
	}
	switch o.Stage {
	case runs.StageReading, runs.StageDeciding, runs.StagePlanned, runs.StageApplying:
		return now.Sub(newest) < plan.Lifetime
	default:
		return false
	}
}

func (s *Site) runState(a *asked) error {
	o, err := runs.Look(a.ctx(), s.Store, a.r.PathValue("run"), s.Clock.Now())
	if err != nil {
		return err
	}
	now, err := stateOf(o, s.Clock.Now(), "")
	if err != nil {
		return err
	}
	return a.json(now)
}

// listState answers with the state of the first page of the list of runs. It reads only the newest run, because a
// browser asks often.
func (s *Site) listState(a *asked) error {
	names, err := snapshot.Runs(a.ctx(), s.Store)
	if err != nil {
		return err
	}
	var newest []*runs.Overview
	if len(names) > 0 {
		o, err := runs.Look(a.ctx(), s.Store, names[0], s.Clock.Now())
		if err != nil {
			return err
		}
		newest = append(newest, o)
	}
	now, err := s.newestState(len(names), newest)
	if err != nil {
		return err
	}
	return a.json(now)
}

// newestState returns the state of the page with the list of runs. The first element of the list is the newest run.
// Live is always true, because a new run can change this page at any time.
func (s *Site) newestState(total int, list []*runs.Overview) (now state, err error) {
	if len(list) > 0 {
		now, err = stateOf(list[0], s.Clock.Now(), fmt.Sprint(total))
	}
	now.Live = true
	return now, err
}
