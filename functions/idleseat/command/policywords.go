package command

import (
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy/schema"
	"github.com/idleseat/idleseat/shared/policy/words"
	"github.com/idleseat/idleseat/shared/snapshot"
)

type policyExplainCmd struct {
	formatFlag
	File     string `arg:"" help:"The policy file."`
	Language string `help:"Language of the words: en (English) or sv (Swedish)." enum:"en,sv" default:"en"`
	Store    string `help:"Also name the groups that the policy has by their ids, as the latest run of this store read them." placeholder:"S"`
}

// Run prints a policy in plain words, without the leaves of absence that are over.
func (c *policyExplainCmd) Run(a *Process) error {
	p, _, err := policyFlag{c.File}.load()
	if err != nil {
		return err
	}
	text, err := words.Policy(words.Language(c.Language), p, a.Clock.Now())
	if err != nil {
		return fmt.Errorf("say %s in words: %w", c.File, err)
	}
	if c.Store != "" {
		names, err := c.groups(a)
		if err != nil {
			return err
		}
		text.Named(names)
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

// The method "groups" returns the displayNames of the Entra ID groups that the policy names by object id. A key of the
// result is the object id. The names come from the newest run for everybody. Without such a run, the result is nil.
func (c *policyExplainCmd) groups(a *Process) (map[string]string, error) {
	s, err := storeFlag{c.Store}.view(a)
	if err != nil {
		return nil, err
	}
	newest, err := history.Newest(a.Context, s, a.Clock.Now())
	if err != nil {
		return nil, err
	}
	if newest == "" {
		fmt.Fprintf(a.Stderr, "%s: the store has no run for everybody yet, so groups keep their ids\n", c.File)
		return nil, nil
	}
	b, err := snapshot.GetBegin(a.Context, s, newest)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, g := range b.Groups {
		if g.Ref.Source == directory.Entra && g.Ref.Name == g.ID && g.Name != "" {
			names[g.ID] = oneLine(g.Name)
		}
	}
	return names, nil
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
