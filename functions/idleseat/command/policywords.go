package command

import (
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/policy/schema"
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

type policySchemaCmd struct{}

// Run prints the JSON Schema of a policy file.
func (policySchemaCmd) Run(a *Process) error {
	text, err := schema.Of()
	if err != nil {
		return err
	}
	_, err = a.json.Write(text)
	return err
}
