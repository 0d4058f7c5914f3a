package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/idleseat/idleseat/shared/policy"
)

type policyCmd struct {
	Check policyCheckCmd `cmd:"" help:"Compile a policy file and report every fault in it."`
	Test  policyTestCmd  `cmd:"" help:"Ask the rules about golden users and compare."`
}

type policyCheckCmd struct {
	File string `arg:"" help:"The policy file."`
}

// Run compiles a policy file.
func (c *policyCheckCmd) Run(a *app) error {
	p, _, err := policyFlag{c.File}.load()
	if err != nil {
		return err
	}
	for _, note := range p.Over(clock()) {
		fmt.Fprintf(a.stderr, "%s: %s\n", c.File, note)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: good; %d rules, %d licenses, mode %s, tenant %s\n", c.File, len(p.Rules), len(p.Licenses), p.Mode, p.Tenant)
	return err
}

type policyTestCmd struct {
	File string `arg:"" help:"The policy file; its golden users are beside it, in NAME_test.yaml."`
}

// Run asks the rules about the golden users beside a policy.
func (c *policyTestCmd) Run(a *app) error {
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
	out := &printer{w: a.stdout}
	for _, f := range report.Failed {
		out.printf("%s:%d: %s: rule %s: expected %s, got %s: %s\n", golden, f.Line, f.Case, f.Rule, f.Expected, f.Got, f.Why)
	}
	out.printf("%s: %d cases passed, %d expectations failed\n", golden, len(report.Passed), len(report.Failed))
	if out.err == nil && len(report.Failed) > 0 {
		return fmt.Errorf("%d expectations of %s failed", len(report.Failed), golden)
	}
	return out.err
}
