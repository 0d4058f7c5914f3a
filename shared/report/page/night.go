package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
)

// nightView is the page of a run in one language.
type nightView struct {
	*Words
	*report.Night
	State    state
	Signals  []signalView
	Rules    []ruleView
	Reasons  []reasonView
	Trend    *trendView
	Lookback *lookbackView
	Tables   map[string]tableView
	Came     int // rows of Night.Earlier whose person has the license again
}

// The type "state" is the summary at the top of the page.
type state struct {
	Tone     string // good, info, warn or bad
	Headline string
	Lead     string
	Reasons  []string // as runs stored them, in English
	Next     string
	Commands []string
	Statuses []statusView
}

type statusView struct {
	Name  string
	Count int
}

func newNightView(w *Words, n *report.Night, d *Data, first bool) *nightView {
	v := &nightView{Words: w, Night: n, State: newState(w, n), Tables: map[string]tableView{}}
	for _, t := range d.Tables {
		v.Tables[t.ID] = newTableView(w, t, first)
	}
	for _, s := range n.Signals {
		v.Signals = append(v.Signals, newSignalView(w, n, s))
	}
	for i := range n.Rules {
		v.Rules = append(v.Rules, newRuleView(w, n, &n.Rules[i], i))
	}
	for _, r := range n.Reasons {
		v.Reasons = append(v.Reasons, newReasonView(w, r))
	}
	if d.Store != "" && n.Deployment == "" {
		for i := range v.State.Commands {
			v.State.Commands[i] += " --store " + plain.Word(d.Store)
		}
	}
	v.Trend, v.Lookback = newTrend(w, n.Trend), newLookback(w, n)
	for _, p := range n.Earlier.Rows {
		if !p.Returned.IsZero() {
			v.Came++
		}
	}
	return v
}

// shortRun returns the day of the planning time, or the name of the run if there is no planning time.
func shortRun(n *report.Night) string {
	if n.AsOf.IsZero() {
		return n.Run
	}
	return n.AsOf.UTC().Format("2006-01-02")
}

func newState(w *Words, n *report.Night) state {
	s := state{Reasons: n.HoldReasons}
	switch {
	case n.Settled != nil && n.Settled.Refused != "" && !n.Settled.Begun:
		s.Tone, s.Headline, s.Lead = "bad", w.T("state.stopped"), w.T("state.stopped.lead")
		s.Reasons = append([]string{n.Settled.Refused}, s.Reasons...)
		s.Next, s.Commands = w.T("next.plan"), []string{planning(n)}
	case n.Settled != nil:
		s.ended(w, n)
	case n.Verdict == plan.Hold:
		s.Tone, s.Headline, s.Lead = "warn", w.T("state.hold"), w.T("state.hold.lead")
		s.Next, s.Commands = w.T("next.hold"), []string{planning(n)}
		if n.Overridable && n.Mode != policy.Audit { // audit refuses every plan
			s.Next = w.T("next.override")
			s.Commands = []string{overriding(n)}
		}
	case n.Verdict == plan.Nothing:
		s.Tone, s.Headline, s.Lead = "good", w.T("state.nothing"), w.T("state.nothing.lead")
		if n.Refused.Total > 0 {
			s.Lead += " " + w.Count("state.nothing.refused", n.Refused.Total)
		}
	case n.Superseded != "" && n.Mode != policy.Audit:
		s.Tone, s.Headline, s.Lead = "info", w.T("state.superseded"), w.T("state.superseded.lead", n.Superseded)
	case n.Mode == policy.Audit:
		s.Tone, s.Headline, s.Lead = "info", w.T("state.audit"), w.T("state.audit.lead")
		s.Next, s.Commands = w.T("next.audit"), []string{planning(n)}
	case n.Verdict == plan.Apply:
		s.Tone, s.Headline, s.Lead = "info", w.T("state.apply"), w.T("state.apply.lead")
		s.Next, s.Commands = w.T("next.apply"), []string{applying(n)}
	default:
		s.Tone, s.Headline, s.Lead = "info", w.T("state.review"), w.T("state.review.lead", w.Moment(n.Expires))
		s.Next, s.Commands = w.T("next.apply"), []string{applying(n)}
	}
	return s
}

// The method "ended" sets the state of a run that has worked on its changes.
func (s *state) ended(w *Words, n *report.Night) {
	done, failed, pending := n.Settled.Statuses[runs.Done], n.Settled.Statuses[runs.Failed], n.Settled.Statuses[runs.Pending]
	stopped := n.Settled.Refused != "" && pending > 0 // a refusal matters only while a change is pending
	switch {
	case stopped:
		s.Tone, s.Headline = "bad", w.T("state.stopped")
		s.Reasons = append([]string{n.Settled.Refused}, s.Reasons...)
	case failed > 0:
		s.Tone, s.Headline = "bad", w.T("state.failed")
	case pending > 0:
		s.Tone, s.Headline = "warn", w.T("state.pending")
	default:
		s.Tone, s.Headline = "good", w.T("state.done")
	}
	s.Lead = w.T("state.ended.lead", w.Moment(n.Settled.At))
	switch {
	case stopped:
		s.Lead = w.T("state.stopped.begun", w.Moment(n.Settled.At))
	case pending > 0:
		s.Lead = w.T("state.pending.lead", w.Moment(n.Settled.At))
	}
	for _, name := range slices.Sorted(maps.Keys(n.Settled.Statuses)) {
		if count := n.Settled.Statuses[name]; count > 0 {
			s.Statuses = append(s.Statuses, statusView{w.Or("status", string(name)), count})
		}
	}
	switch {
	case stopped && n.Restores == "":
		s.Next, s.Commands = w.T("next.stopped"), []string{restoring(n)}
	case pending > 0:
		s.Next, s.Commands = w.T("next.pending"), []string{finishing(n)}
	case done > 0 && n.Restores == "": // nobody restores a restore
		s.Next, s.Commands = w.T("next.restore"), []string{restoring(n)}
	}
}

// KindsText lists the accounts that are not people, most frequent kind first.
func (v *nightView) KindsText() string {
	kinds := slices.SortedFunc(maps.Keys(v.Kinds), func(a, b string) int {
		if v.Kinds[a] != v.Kinds[b] {
			return v.Kinds[b] - v.Kinds[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, k := range kinds {
		if v.Kinds[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", v.N(v.Kinds[k]), v.Or("kind", k)))
		}
	}
	return strings.Join(parts, ", ")
}

// AnyTurn reports whether, within the next 30 days, a rule would take a license from a person who stays idle.
func (v *nightView) AnyTurn() bool {
	return slices.ContainsFunc(v.Night.Rules, func(r report.Rule) bool { return r.Turns[2] > 0 })
}

type signalView struct {
	report.Signal
	Tone, Label string
	Age         string // the time since the newest date
	Coverage    string
	Share       float64
}

func newSignalView(w *Words, n *report.Night, s report.Signal) signalView {
	v := signalView{Signal: s, Label: w.Or("feed", string(s.State)), Coverage: w.Percent(s.Dated, s.Accounts)}
	switch s.State {
	case plan.Healthy:
		v.Tone = "good"
	case plan.Unhealthy:
		v.Tone = "bad"
	default:
		v.Tone = "mute"
	}
	if s.Accounts > 0 {
		v.Share = float64(s.Dated) / float64(s.Accounts)
	}
	if !s.Newest.IsZero() {
		v.Age = age(w, s.Newest, n.AsOf)
	}
	return v
}

// The function "age" returns the time between "then" and "now" in words. It counts days from 48 hours on.
func age(w *Words, then, now time.Time) string {
	switch hours := int(now.Sub(then).Hours()); {
	case hours < 1:
		return w.T("age.now")
	case hours < 48:
		return w.Count("age.hours", hours)
	default:
		return w.Count("age.days", clock.Days(then, now))
	}
}

type reasonView struct {
	report.ReasonCount
	Kind, Remedy string
	Said         string // the reason in the language of the page
	Table        string // the id of the table that has the people with the reason
}

func newReasonView(w *Words, r report.ReasonCount) reasonView {
	v := reasonView{ReasonCount: r, Said: w.Reason(r.Reason), Kind: w.T("outcome.refused"), Table: "refused"}
	if r.Outcome == policy.Undecided {
		v.Kind, v.Table = w.T("outcome.undecided"), "undecided"
	}
	if r.Remedy != "" {
		v.Remedy = w.Or("remedy", r.Remedy)
	}
	return v
}

// tableView is a table with the rows that the page shows without JavaScript.
type tableView struct {
	*Words
	*Table
	Caption string
	Body    [][]cell
}

// The type "cell" is one cell of the page without JavaScript.
type cell struct {
	Kind        Kind
	Column      string
	Head        string
	Text        string
	Minor       bool
	Lang        Lang
	Name, Below string // the first and the second line of a cell with a person
	Beside      string // the department of a person, or the license that the person gets in exchange
	Lines       []string
}

// Without JavaScript, the page shows plainChanges rows of the table of changes, and plainOthers rows of another table.
// It shows them only in the first language.
const (
	plainChanges = 100
	plainOthers  = 20
)

func newTableView(w *Words, t *Table, first bool) tableView {
	v := tableView{Words: w, Table: t, Caption: w.T("table." + t.ID)}
	limit := plainOthers
	if t.ID == "changes" {
		limit = plainChanges
	}
	if !first {
		limit = 0
	}
	columns := t.Heads()
	for i := range min(limit, t.Rows) {
		row := make([]cell, len(columns))
		for k, c := range columns {
			row[k] = t.cell(w, c, i)
		}
		v.Body = append(v.Body, row)
	}
	return v
}

// Numeric reports whether the cells of a column are numbers. Numbers are aligned to the right.
func (c *Column) Numeric() bool { return c.Kind == Number || c.Kind == Amount }
