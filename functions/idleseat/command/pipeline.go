package command

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// The type "pipeline" runs the steps of a run on this machine, in the order of the state machine in AWS.
type pipeline struct {
	store  store.Store
	entra  *entra.Client
	ad     *activedirectory.Forest
	now    func() time.Time
	tool   string // version of idleseat
	bar    *progress
	report func(ctx context.Context, run string)
}

func openPipeline(a *Process, s store.Store, bar *progress) (*pipeline, error) {
	src, err := a.sources()
	if err != nil {
		return nil, err
	}
	return newPipeline(a, s, src, bar)
}

func newPipeline(a *Process, s store.Store, src sources, bar *progress) (*pipeline, error) {
	e, ad, err := src.connect(a.Clock)
	if err != nil {
		return nil, err
	}
	return &pipeline{store: s, entra: e, ad: ad, now: a.Clock.Now, tool: a.Version, bar: bar, report: a.reporter(s)}, nil
}

func (p *pipeline) close() {
	p.entra.Close()
	if p.ad != nil {
		p.ad.Close()
	}
}

func (p *pipeline) collector() *collect.Collector {
	c := &collect.Collector{Store: p.store, Entra: p.entra, Tool: p.tool, Now: p.now, Progress: p.bar.people}
	if p.ad != nil { // a nil *Forest in the interface would not equal nil
		c.AD = p.ad
	}
	return c
}

type start struct {
	asOf   time.Time
	policy *policy.Policy
	text   string
	file   string // the path of the policy file; empty in a plan with --run and without --policy, which keeps the path of the earlier run
	user   string // the only user who is read; empty for everybody
	// acceptFeeds accepts what each source lists now, even if it lists far fewer people or dates than before.
	acceptFeeds bool
	scheduled   bool // a night makes the run, so in mode enforce the plan is applied without review
}

func (p *pipeline) plan(ctx context.Context, in start) (*plan.Plan, error) {
	run := newRun(p.now())
	c := p.collector()
	s := collect.Start{Run: run, AsOf: in.asOf, Policy: in.policy, Text: in.text, PolicyFile: in.file, User: in.user, AcceptFeeds: in.acceptFeeds, Scheduled: in.scheduled}
	p.bar.begins("reading the directories")
	defer p.bar.clear()
	var err error
	if in.user != "" {
		err = c.One(ctx, s)
	} else {
		err = p.collectAll(ctx, c, s)
	}
	if err != nil {
		return nil, err
	}
	return p.decide(ctx, run)
}

// collectAll reads both directories at the same time and seals what was read as a snapshot. It fails if Entra ID cannot
// be read. It continues without Active Directory, because some rules need only Entra ID.
func (p *pipeline) collectAll(ctx context.Context, c *collect.Collector, in collect.Start) error {
	b, err := c.Begin(ctx, in)
	if err != nil {
		return err
	}
	var entra, ad snapshot.Reading
	both, reading := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		entra, err = c.ReadEntra(reading, b, in.Policy)
		return err
	})
	both.Go(func() error {
		var err error
		if ad, err = c.ReadAD(reading, b, in.Policy); err != nil && reading.Err() == nil {
			ad = snapshot.Reading{Source: directory.AD, Failed: err.Error()}
			return nil
		}
		return err
	})
	if err := both.Wait(); err != nil {
		return fmt.Errorf("run %s: %w", in.Run, err)
	}
	return c.Seal(ctx, in.Run, entra, ad)
}

// The method "again" makes a new run that plans with the snapshot of the run "old". It does not read the directories.
func (p *pipeline) again(ctx context.Context, old string, in start) (*plan.Plan, error) {
	run := newRun(p.now())
	if err := collect.BeginOver(ctx, p.store, old, collect.Start{Run: run, AsOf: in.asOf, Policy: in.policy, Text: in.text, PolicyFile: in.file, AcceptFeeds: in.acceptFeeds}, p.tool, p.now()); err != nil {
		return nil, err
	}
	return p.decide(ctx, run)
}

// The method "choose" makes a new run whose plan has only chosen changes of an earlier run. The new run uses the
// snapshot of the earlier run, whose begin.json is "b". The caller has checked that the earlier plan may be applied.
func (p *pipeline) choose(ctx context.Context, b *snapshot.Begin, planHash string, changes []plan.Change) (*plan.Plan, error) {
	rules, err := policy.Load("policy of run "+b.Run, []byte(b.Policy))
	if err != nil {
		return nil, err
	}
	choice := &snapshot.Choice{From: b.Run, PlanHash: planHash}
	for _, c := range changes {
		choice.Changes = append(choice.Changes, snapshot.Chosen{User: c.User, License: c.License})
	}
	run := newRun(p.now())
	in := collect.Start{Run: run, AsOf: b.AsOf, Policy: rules, Text: b.Policy, AcceptFeeds: b.AcceptFeeds, Choice: choice}
	if err := collect.BeginOver(ctx, p.store, b.Run, in, p.tool, p.now()); err != nil {
		return nil, err
	}
	return p.decide(ctx, run)
}

func (p *pipeline) decide(ctx context.Context, run string) (*plan.Plan, error) {
	p.bar.begins("deciding")
	defer p.bar.clear()
	r, err := decision.Open(ctx, p.store, run)
	if err != nil {
		return nil, err
	}
	partitions := make(chan int, r.Begin.Partitions)
	for n := range r.Begin.Partitions {
		partitions <- n
	}
	close(partitions)
	all, gctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), 4, r.Begin.Partitions) {
		all.Go(func() error {
			w, err := evaluate.NewWorker(r)
			if err != nil {
				return err
			}
			for n := range partitions {
				if err := w.Partition(gctx, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return nil, fmt.Errorf("run %s: %w", run, err)
	}
	made, err := gate.Run(ctx, p.store, run, p.now())
	if err == nil {
		p.report(ctx, run)
	}
	return made, err
}

// The method "reporter" returns a function that writes the report of a run. The run does not need the report, so an
// error is only printed.
func (a *Process) reporter(s store.Store) func(ctx context.Context, run string) {
	write := a.Report
	if write == nil {
		write = gate.Report
	}
	return func(ctx context.Context, run string) {
		if ctx.Err() != nil {
			return // the operator has interrupted the command
		}
		if err := write(ctx, s, run); err != nil {
			fmt.Fprintf(a.Stderr, "the report of run %s was not written, which changes nothing else: %s\n", run, oneLine(err.Error()))
		}
	}
}
