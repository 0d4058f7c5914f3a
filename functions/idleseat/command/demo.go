package command

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
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
	Users  int    `help:"Size of the simulated company, 100 to 1,000,000." default:"500"`
	Seed   uint64 `help:"Seed of the simulated company: the same seed makes the same people." default:"1"`
	Nights int    `help:"How many earlier nights of the company to keep first, 0 to 365, to look back on with backtest and serve." default:"30"`
	Serve  bool   `help:"Keep the company up until Ctrl-C, and print how another terminal reaches it."`
	Shell  string `help:"The shell of that terminal: sh (bash and zsh, too) or powershell; by the operating system when not given." enum:"sh,powershell," default:"" placeholder:"SHELL"`
}

// licenseDelay is the time after which licenses follow a change of membership. In a real tenant this takes between
// minutes and a day.
const licenseDelay = 300 * time.Millisecond

// Run simulates c.Nights nights of a company, and then makes a plan. If the plan has changes and is not on hold, Run
// applies it and makes another plan. With --serve, the operator enters these commands instead.
func (c *demoCmd) Run(a *Process) error {
	if c.Users < 100 || c.Users > 1_000_000 { // a smaller company might have no recent sign-in, and its sign-in dates would look stale
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
	now := *a
	now.Clock = clock.Watch(past.Now)
	d := &demo{Process: &now, company: company, out: &printer{w: a.Stdout}}
	if err := d.open(); err != nil {
		return err
	}
	defer d.line.close()
	d.out.printf("A simulated company of %d people in Entra ID and Active Directory; kept nights before this one: %d\n\n", c.Users, c.Nights)
	if err := d.keepPast(past, d.rules, d.text, c.Nights); err != nil {
		return fmt.Errorf("keep the nights of the simulated company in %s: %w", d.folder, err)
	}
	if c.Serve {
		err = d.serve(cmp.Or(c.Shell, shellOf(runtime.GOOS)))
	} else {
		err = d.show()
	}
	return errors.Join(err, d.out.err)
}

// The type "demo" is a simulated company with its own folder. The folder remains after the demo.
type demo struct {
	*Process
	company *sandbox.Sandbox
	folder  string // the folder that has the policy and the store
	text    string // the text of the policy
	rules   *policy.Policy
	store   store.Store
	line    *pipeline
	out     *printer
}

func (d *demo) policyFile() string  { return filepath.Join(d.folder, "policy.yaml") }
func (d *demo) storeFolder() string { return filepath.Join(d.folder, "store") }

func (d *demo) open() (err error) {
	if d.folder, err = os.MkdirTemp("", "idleseat-demo-"); err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	d.text = string(d.company.Policy())
	if err := os.WriteFile(d.policyFile(), []byte(d.text), 0o600); err != nil {
		return fmt.Errorf("write the policy of the demo: %w", err)
	}
	if d.rules, err = policy.Load(d.policyFile(), []byte(d.text)); err != nil {
		return err
	}
	if d.store, err = store.Open(d.Context, d.storeFolder()); err != nil {
		return err
	}
	src := sources{
		Entra: entra.Config{GraphURL: d.company.GraphURL, Auth: entra.AuthDefault},
		AD: activedirectory.Config{
			URLs: []string{d.company.ADURL}, Base: d.company.Base, Bind: d.company.Bind,
			PasswordFile: d.company.PasswordFile, CAFile: d.company.CAFile,
		},
	}
	d.line, err = newPipeline(d.Process, d.store, src, newProgress(d.Process))
	return err
}

// The method "show" makes a plan. Unless the plan is on hold or has no changes, it applies the plan and plans again.
func (d *demo) show() error {
	p, err := d.plan()
	if err != nil {
		return err
	}
	d.out.printf("The plan:\n")
	d.out.table(ruleTable(p))
	for i := range min(3, len(p.Changes)) {
		x := p.Changes[i]
		d.out.printf("  %s: %s, because %s\n", x.UserPrincipalName, plan.Arrow(x.Rule, x.License, x.To), x.Reason)
	}
	d.out.printf("  %s\n", summary(p))
	for _, reason := range p.HoldReasons {
		d.out.printf("  held: %s\n", reason)
	}
	if p.Verdict == plan.Review || p.Verdict == plan.Apply {
		if err := d.apply(p); err != nil {
			return err
		}
		again, err := d.plan()
		if err != nil {
			return err
		}
		d.out.printf("Planned again: %s\n", summary(again))
	}
	d.out.printf("\nThe report, for a browser:  %s\n", filepath.Join(d.storeFolder(), filepath.FromSlash(layout.Report(p.Run))))
	d.out.printf("To play with, in this folder:  cd %s\n", plain.Word(d.folder))
	for _, command := range []string{"serve --open", "explain anna@contoso.example", "history ingrid.halvorsen.2@contoso.example", "backtest", "savings"} {
		d.out.printf("  %s\n", storeFlag{"store"}.next(d.Process, command))
	}
	d.out.printf("The company is gone now. This one stays up for plan, apply and restore by hand:  idleseat demo --serve\n")
	return nil
}

func (d *demo) plan() (*plan.Plan, error) {
	p, err := d.line.plan(d.Context, start{asOf: d.Clock.Now(), policy: d.rules, text: d.text, file: d.policyFile()})
	if err != nil {
		return nil, fmt.Errorf("plan, in %s: %w", d.folder, err)
	}
	return p, nil
}

func (d *demo) apply(p *plan.Plan) error {
	applier := d.line.applier()
	for {
		r, err := applier.Apply(d.Context, apply.Request{Run: p.Run})
		if err != nil {
			return fmt.Errorf("apply run %s, in %s: %w", p.Run, d.folder, err)
		}
		if r.Count(runs.Pending) == 0 {
			d.line.bar.clear()
			d.line.report(d.Context, p.Run)
			saved := 0.0
			for _, x := range r.Results {
				if x.Status == runs.Done {
					saved += x.MonthlySaving
				}
			}
			d.out.printf("Applied: %s; %s\n", counts(r.Count), freed(saved, p.Currency, false))
			if i := slices.IndexFunc(r.Results, func(x runs.Result) bool { return x.Status == runs.Kept }); i >= 0 {
				d.out.printf("  kept, for example %s: %s\n", r.Results[i].UserPrincipalName, r.Results[i].Note)
			}
			return nil
		}
		if err := d.Clock.Sleep(d.Context, licenseDelay); err != nil { // licenses follow group membership with a delay
			return fmt.Errorf("apply run %s, in %s: %w", p.Run, d.folder, err)
		}
	}
}
