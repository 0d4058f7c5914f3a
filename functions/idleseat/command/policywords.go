package command

import (
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/policy/words"
)

type policyExplainCmd struct {
	formatFlag
	File     string `arg:"" help:"The policy file."`
	Language string `help:"Language of the words: en (English) or sv (Swedish)." enum:"en,sv" default:"en"`
}

// Run says in plain words what a policy does. Leaves that are over are left out.
func (c *policyExplainCmd) Run(a *Process) error {
	p, _, err := policyFlag{c.File}.load()
	if err != nil {
		return err
	}
	text, err := words.Policy(words.Language(c.Language), p, a.Clock.Now())
	if err != nil {
		return fmt.Errorf("say %s in words: %w", c.File, err)
	}
	if c.json() {
		return writeJSON(a.json, text)
	}
	out := &printer{w: a.Stdout}
	for line := range strings.Lines(text.String()) {
		out.printf("%s\n", strings.TrimRight(line, "\n"))
	}
	return out.err
}
