package plain

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNameless(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`read "Anna Berg": no such person`:                     `read (name left out): no such person`,
		`"Anna \"the boss\" Berg", "x"`:                        `(name left out), (name left out)`,
		`Graph: Resource 'Anna Berg' does not exist`:           `Graph: Resource (name left out) does not exist`,
		`'Anna' and ('Berg')`:                                  `(name left out) and ((name left out))`,
		`Graph's answer about the person's license`:            `Graph's answer about the person's license`,
		`GET /users/anna%40contoso.example?$select=id: 404`:    `GET (name left out) 404`,
		`anna@contoso.example: gone`:                           `(name left out) gone`,
		`of ÅSA.öberg@contoso.example, now`:                    `of (name left out), now`,
		`account CORP\anna.berg is locked`:                     `account (name left out) is locked`,
		`group ad:CN=Berg\, Anna,OU=People,DC=corp: no answer`: `group ad:(name left out): no answer`,
		`moved to OU=Anna Berg,DC=corp; try again`:             `moved to (name left out); try again`,
		`run "20261129T020000Z-1a2b3c4d": no plan`:             `run "20261129T020000Z-1a2b3c4d": no plan`,
		`"runs/20261129T020000Z-1a2b3c4d/plan.json" is cut`:    `"runs/20261129T020000Z-1a2b3c4d/plan.json" is cut`,
		`"runs/anna/plan.json" is cut`:                         `(name left out) is cut`,
		`"S-1-5-21-1-2-3-1104" has no account`:                 `"S-1-5-21-1-2-3-1104" has no account`,
		`35 changes of 400 people, 315.00 USD`:                 `35 changes of 400 people, 315.00 USD`,
	} {
		if d := cmp.Diff(want, Nameless(text, IsID)); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}

func TestWithout(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"took nothing of anna.berg, or of Anna.Berg": "took nothing of (name left out), or of (name left out)",
		"runs/anna.berg/plan.json":                   "runs/(name left out)/plan.json",
		"joanna.berg and anna.bergs and anna.berg":   "joanna.berg and anna.bergs and (name left out)",
		"no fault here":                              "no fault here",
	} {
		if d := cmp.Diff(want, Without(text, []string{"anna.berg", "a(b"})); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
}
