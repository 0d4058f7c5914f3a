package serve

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

func runAddress(run string) string { return address("runs", run) }

// The method "run" answers with the report of a run. If the run has no plan yet, or if its report cannot be made, the
// answer is an overview of the run. For the name "latest", the method redirects to the newest run that has a plan.
func (s *Site) run(a *asked) error {
	name := a.r.PathValue("run")
	if name == latest {
		return s.toLatest(a)
	}
	o, err := runs.Look(a.ctx(), s.Store, name, s.Clock.Now())
	if err != nil {
		return err
	}
	now, err := stateOf(o, s.Clock.Now(), "")
	if err != nil {
		return err
	}
	if o.Verdict == "" {
		return s.unfinished(a, o, &now, "")
	}
	html, policy, err := s.report(a.ctx(), o, &now)
	if err != nil && a.ctx().Err() == nil { // without the report, the page shows the parts of the run that can be read
		return s.unfinished(a, o, &now, err.Error())
	}
	if err != nil {
		return err
	}
	a.send(http.StatusOK, policy, html)
	return nil
}

// toLatest redirects to the newest run that has a plan. It ignores runs whose names have a time in the future.
func (s *Site) toLatest(a *asked) error {
	names, err := snapshot.Runs(a.ctx(), s.Store)
	if err != nil {
		return err
	}
	for _, name := range names {
		if snapshot.Ahead(name, s.Clock.Now()) {
			continue
		}
		if _, err := runs.GetPlan(a.ctx(), s.Store, name); errors.Is(err, runs.ErrNoPlan) {
			continue
		}
		http.Redirect(a.w, a.r, runAddress(name), http.StatusSeeOther)
		return nil
	}
	return runs.ErrNoPlan
}

// The method "report" returns the report page of a run that has a plan. It takes the page from memory if the site keeps
// it there (keptFor).
func (s *Site) report(ctx context.Context, o *runs.Overview, now *state) (html []byte, policy string, err error) {
	key := o.Run + " " + now.Version
	if html, policy = s.reports.get(key, s.Clock.Now()); html != nil {
		return html, policy, nil
	}
	done, err := s.wait(ctx)
	if err != nil {
		return nil, "", err
	}
	defer done()
	n, err := report.Gather(ctx, s.Store, o.Run)
	if err != nil {
		return nil, "", err
	}
	n.Superseded = o.Superseded
	placed := page.InStore(*n, s.Elsewhere)
	d := page.Report(&placed)
	d.Menu, d.Data.Link = menu("/", basis(o)), under("/person", "run", o.Run)+"&user="
	d.Data.Store = s.Elsewhere
	s.follow(d, runAddress(o.Run)+"/state", now)
	var out bytes.Buffer
	if err := d.Write(&out); err != nil {
		return nil, "", err
	}
	s.reports.put(madeReport{key: key, policy: d.Policy(), html: out.Bytes(), at: s.Clock.Now()})
	return out.Bytes(), d.Policy(), nil
}

// The function "basis" returns the name of the run if the run read everybody, and otherwise "". The people, the policy
// and the thresholds can be shown only from the snapshot of such a run.
func basis(o *runs.Overview) string {
	if o.User != "" || o.Copy != "" || o.Restore != "" {
		return ""
	}
	return o.Run
}

// The method "follow" makes a page reload itself when its state changes. The address "from" answers with the state.
func (s *Site) follow(d *page.Document, from string, now *state) {
	if now.Live {
		d.Live = &page.Live{From: from, Version: now.Version, Every: asksEvery}
	}
}

const asksEvery = 5 * time.Second

// The method "unfinished" answers with the overview of a run whose report does not exist or cannot be made.
func (s *Site) unfinished(a *asked, o *runs.Overview, now *state, failed string) error {
	d := document(func(w *page.Words) string { return o.Run + " – idleseat" }, "/", "", content("unfinished", func(w *page.Words) any {
		return struct {
			*page.Words
			*runs.Overview
			Failed string
			Done   doneView
		}{w, o, failed, s.doneOf(w, o)}
	}))
	s.follow(d, runAddress(o.Run)+"/state", now)
	return a.show(http.StatusOK, d)
}

type doneView struct {
	Tone, Text string
	Counts     []countView
	More       []string // notes about the kind of the run, such as that it is a restore
}

type countView struct {
	Name  string
	Count int
}

func (s *Site) doneOf(w *page.Words, o *runs.Overview) (v doneView) {
	v.Text = w.T("stage." + string(o.Stage))
	switch o.Stage {
	case runs.StageUnreadable:
		v.Tone = "bad"
	case runs.StagePlanned:
		v.Text = s.waits(w, o)
	case runs.StageEnded:
		if v.Tone = "good"; o.Results[runs.Failed] > 0 {
			v.Tone = "bad"
		}
		if len(o.Results) == 0 {
			v.Text = w.T("serve.nothing")
		}
	}
	if len(o.Damage) > 0 {
		v.Tone = "bad"
	}
	for _, status := range []runs.Status{runs.Done, runs.Announced, runs.Pending, runs.Kept, runs.Refused, runs.Failed} {
		if n := o.Results[status]; n > 0 {
			v.Counts = append(v.Counts, countView{w.Or("status", string(status)), n})
		}
	}
	for _, more := range []struct{ key, of string }{{"serve.restores", o.Restore}, {"serve.only", o.User}, {"serve.over", o.Copy}, {"serve.restored", o.Restored}} {
		if more.of != "" {
			v.More = append(v.More, w.T(more.key, more.of))
		}
	}
	return v
}

// The method "waits" returns the reason why no change of a plan has begun.
func (s *Site) waits(w *page.Words, o *runs.Overview) string {
	switch {
	case o.Mode == "audit":
		return w.T("waits.audit")
	case o.Superseded != "":
		return w.T("waits.superseded")
	case s.Clock.Now().After(o.Expires):
		return w.T("waits.expired")
	case o.Verdict == plan.Hold:
		return w.T("waits.hold")
	case o.Verdict == plan.Review:
		return w.T("waits.review")
	default:
		return w.T("waits.apply")
	}
}

// keptReports is the maximum number of report pages that the site keeps in memory. A page has up to 5 MB.
const keptReports = 4

// keptFor is the time for which the site keeps a report page. It is short, because a page also shows results of later
// runs, such as a restore.
const keptFor = time.Minute

// The type "reports" keeps the newest report pages.
type reports struct {
	mu   sync.Mutex
	list []madeReport // newest first
}

type madeReport struct {
	key, policy string
	html        []byte
	at          time.Time
}

func (c *reports) get(key string, now time.Time) (html []byte, policy string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.list {
		if r.key == key && now.Sub(r.at) < keptFor {
			return r.html, r.policy
		}
	}
	return nil, ""
}

func (c *reports) put(r madeReport) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append([]madeReport{r}, c.list[:min(len(c.list), keptReports-1)]...)
}
