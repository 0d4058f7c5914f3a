package command

import (
	"fmt"
	"os"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/apply"
)

type demoCmd struct {
	Users int    `help:"Size of the simulated company, 100 to 1,000,000." default:"2000"`
	Seed  uint64 `help:"Seed of the simulated company: the same seed makes the same people." default:"1"`
	// Nights takes a few seconds for 30 nights of 500 people.
	Nights int `help:"How many earlier nights of the company to keep first, 0 to 365, to look back on with backtest and serve." default:"0"`
}

// licenseDelay is how long licenses lag behind a change of group membership in the simulated company. In a real
// tenant the lag is between minutes and a day.
const licenseDelay = 300 * time.Millisecond

// Run shows a whole cycle: it plans, applies the plan, and plans again.
func (c *demoCmd) Run(a *Process) error {
	if c.Users < 100 || c.Users > 1_000_000 { // a smaller company might have no recent sign-in
		return usageError{fmt.Errorf("--users %d: the company can have 100 to 1,000,000 people", c.Users)}
	}
	if c.Nights < 0 || c.Nights > 365 {
		return usageError{fmt.Errorf("--nights %d: 0 to 365 nights can be kept", c.Nights)}
	}
	past := &pastClock{now: a.Clock.Now}
	if c.Nights > 0 {
		began := a.Clock.Now().AddDate(0, 0, -c.Nights)
		past.at.Store(&began)
	}
	company, err := sandbox.Start(sandbox.Options{Users: c.Users, Seed: c.Seed, LicenseDelay: licenseDelay, Now: past.Now})
	if err != nil {
		return fmt.Errorf("start the simulated company: %w", err)
	}
	defer company.Close()
	folder, err := os.MkdirTemp("", "idleseat-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the runs of the demo: %w", err)
	}
	now := *a
	now.Clock = clock.Watch(past.Now)
	d := &demo{Process: &now, company: company, out: &printer{w: a.Stdout}}
	if d.store, err = store.Open(a.Context, folder); err != nil {
		return err
	}
	if err := d.show(c, past); err != nil {
		return err
	}
	d.out.printf("\nEverything the runs saw, planned and did lies in %s\n", folder)
	return d.out.err
}

type demo struct {
	*Process
	company *sandbox.Sandbox
	store   store.Store
	line    *pipeline
	out     *printer
}

func (d *demo) show(c *demoCmd, past *pastClock) error {
	text := d.company.Policy()
	rules, err := policy.Load("policy.yaml of the demo", text)
	if err != nil {
		return err
	}
	src := sources{
		Entra: entra.Config{GraphURL: d.company.GraphURL, Auth: entra.AuthDefault},
		AD: activedirectory.Config{
			URLs: []string{d.company.ADURL}, Base: d.company.Base, Bind: d.company.Bind,
			PasswordFile: d.company.PasswordFile, CAFile: d.company.CAFile,
		},
	}
	if d.line, err = newPipeline(d.Process, d.store, src, newProgress(d.Process)); err != nil {
		return err
	}
	defer d.line.close()
	d.out.printf("A simulated company of %d people, with the policy:\n\n%s\n", c.Users, text)
	if c.Nights > 0 {
		if err := d.keepPast(past, rules, string(text), c.Nights); err != nil {
			return err
		}
		if c.Nights > 1 {
			if err := d.tryThresholds(string(text)); err != nil {
				return err
			}
		}
		d.out.printf("\n")
	}
	d.out.printf("── The plan ──\n\n")
	p, err := d.plan(rules, string(text))
	if err != nil {
		return err
	}
	if p.Verdict == plan.Review || p.Verdict == plan.Apply {
		d.out.printf("\n── The changes ──\n\n")
		if err := d.apply(p); err != nil {
			return err
		}
	}
	d.out.printf("\n── The plan again, after the changes ──\n\n")
	_, err = d.plan(rules, string(text))
	return err
}

func (d *demo) plan(rules *policy.Policy, text string) (*plan.Plan, error) {
	p, err := d.line.plan(d.Context, start{asOf: d.Clock.Now(), policy: rules, text: text})
	if err != nil {
		return nil, err
	}
	if d.out.err != nil {
		return nil, d.out.err
	}
	return p, printPlan(d.Process, d.store, p, formatFlag{}, "the demo does so now")
}

// apply applies the plan and repeats the call until no change is pending.
func (d *demo) apply(p *plan.Plan) error {
	applier := d.line.applier()
	for {
		r, err := applier.Apply(d.Context, apply.Request{Run: p.Run})
		if err != nil {
			return err
		}
		pending := r.Count(runs.Pending)
		if pending == 0 {
			d.line.report(d.Context, p.Run)
			return printResults(d.Process, p, r, formatFlag{}, "")
		}
		d.out.printf("%s: pending changes wait until licenses have followed membership\n", counts(r.Count))
		if err := d.Clock.Sleep(d.Context, licenseDelay); err != nil {
			return err
		}
	}
}
