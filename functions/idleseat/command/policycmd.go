package command

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

type policyCmd struct {
	Check   policyCheckCmd   `cmd:"" help:"Compile a policy file and report every fault in it."`
	Test    policyTestCmd    `cmd:"" help:"Ask the rules about golden users and compare."`
	Explain policyExplainCmd `cmd:"" help:"Say in plain words what a policy file does."`
	Schema  policySchemaCmd  `cmd:"" help:"Print the JSON Schema of a policy file, for editors."`
}

type policyCheckCmd struct {
	File  string `arg:"" help:"The policy file."`
	Store string `help:"Also look whether everybody whom the policy lists by name is in the latest snapshot of this store." placeholder:"S"`
}

// Run compiles a policy file and prints a summary. With --store, it also checks the names in the policy.
func (c *policyCheckCmd) Run(a *Process) error {
	p, text, err := policyFlag{c.File}.load()
	if err != nil {
		return err
	}
	for _, note := range p.Over(a.Clock.Now()) {
		fmt.Fprintf(a.Stderr, "%s: %s\n", c.File, oneLine(note))
	}
	if c.Store != "" {
		if err := c.names(a, p, text); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(a.Stdout, "%s: good; %s, %s, mode %s, tenant %s\n", c.File, plain.Many(len(p.Rules), "rule"), plain.Many(len(p.Licenses), "license"), p.Mode, p.Tenant)
	return err
}

// The method "names" checks the names in the policy against the latest snapshot. It returns an error if a name belongs
// to nobody. A new policy is checked before the first run, so a store that does not exist yet is no error.
func (c *policyCheckCmd) names(a *Process, p *policy.Policy, text string) error {
	if err := (storeFlag{c.Store}).check(); err != nil {
		return err
	}
	newest := ""
	s, err := a.ViewStore(a.Context, c.Store)
	if err == nil {
		newest, err = history.Newest(a.Context, s, a.Clock.Now())
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return err
	}
	out := &printer{w: a.Stdout}
	if newest == "" {
		out.printf("%s: the store %q has no run for everybody yet, so that names were not looked for\n", c.File, c.Store)
		return out.err
	}
	r, err := decision.Open(a.Context, s, newest)
	if err != nil {
		return err
	}
	r.Policy, r.Begin.Policy, r.Begin.AsOf = p, text, a.Clock.Now()
	if r.Begin.Earlier, r.Begin.Lost, err = history.Earlier(a.Context, s, newRun(a.Clock.Now()), a.Clock.Now()); err != nil {
		return err
	}
	named, err := r.Named(a.Context)
	if err != nil {
		return err
	}
	found := r.Listed(named)
	for _, note := range found.Notes {
		out.printf("%s: %s\n", c.File, note)
	}
	nobody, err := r.Lookalikes(a.Context, found.Nobody)
	if err != nil || len(nobody) == 0 {
		return errors.Join(err, out.err)
	}
	return usageError{fmt.Errorf("%s, by the snapshot of run %s: %s", c.File, newest, strings.Join(nobody, "; "))}
}

type policyTestCmd struct {
	File string `arg:"" help:"The policy file; its golden users are beside it, in NAME_test.yaml."`
}

// Run tests a policy with golden users: made-up people and their expected verdicts, in the file NAME_test.yaml beside
// the policy.
func (c *policyTestCmd) Run(a *Process) error {
	p, _, err := policyFlag{c.File}.load()
	if err != nil {
		return err
	}
	extension := filepath.Ext(c.File)
	golden := strings.TrimSuffix(c.File, extension) + "_test" + extension
	text, err := readSmall(golden)
	if err != nil {
		return usageError{fmt.Errorf("read the golden users of %s, which are beside it: %w", c.File, err)}
	}
	report, err := policy.Test(p, golden, text)
	if err != nil {
		return err
	}
	out := &printer{w: a.Stdout}
	for _, f := range report.Failed {
		out.printf("%s:%d: %s: rule %s: expected %s, got %s: %s\n", golden, f.Line, f.Case, f.Rule, f.Expected, f.Got, f.Why)
	}
	out.printf("%s: %s passed, %s failed\n", golden, plain.Many(len(report.Passed), "case"), plain.Many(len(report.Failed), "expectation"))
	if out.err == nil && len(report.Failed) > 0 {
		return fmt.Errorf("%s of %s failed", plain.Many(len(report.Failed), "expectation"), golden)
	}
	return out.err
}
