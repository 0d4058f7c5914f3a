package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/apply"
)

type explainCmd struct {
	storeFlag
	formatFlag
	User string `arg:"" help:"The user: userPrincipalName, object id, SID or account name."`
	From string `name:"run" help:"Explain from the snapshot of run R instead of the latest that read the user; the word latest means the latest that read everybody." placeholder:"R"`
}

// Run explains the verdicts on one user from a snapshot.
func (c *explainCmd) Run(a *Process) error {
	if err := someone(c.User); err != nil {
		return err
	}
	s, err := c.open(a)
	if err != nil {
		return err
	}
	if c.From == latest {
		c.From, err = latestRead(a, s)
	}
	if err != nil {
		return err
	}
	if c.From != "" {
		return explain(a, s, c.From, c.User, c.formatFlag)
	}
	run, err := snapshot.Latest(a.Context, s, func(b *snapshot.Begin) bool {
		return b.Copy == "" && !snapshot.Ahead(b.Run, a.Clock.Now()) && (b.User == "" || strings.EqualFold(b.User, c.User))
	})
	if err != nil {
		return fmt.Errorf("look in %s: %w", c.Store, err)
	}
	return explain(a, s, run, c.User, c.formatFlag)
}

type reevaluateCmd struct {
	policyFlag
	storeFlag
	formatFlag
	awsFlag
	User  string `arg:"" help:"The user: userPrincipalName, object id, SID or account name."`
	Apply bool   `help:"Carry out what the rules say of the user, too."`
}

// reevaluation is the JSON output of the command reevaluate.
type reevaluation struct {
	Run     string                  `json:"run"`
	Verdict plan.Verdict            `json:"verdict"`
	Hold    []string                `json:"holdReasons"`
	People  []*decision.Explanation `json:"people"`
	Results []runs.Result           `json:"results,omitempty"`
}

// Run reads one user again from both directories and explains the verdicts. With --apply it also makes the changes.
func (c *reevaluateCmd) Run(a *Process) error {
	if err := someone(c.User); err != nil {
		return err
	}
	if c.AWS != "" {
		wish := entrance.PlanOne
		if c.Apply {
			wish = entrance.ChangeOne
		}
		out, err := c.start(a, wish, map[string]any{"user": c.User, "apply": c.Apply})
		if err != nil {
			return err
		}
		return c.printOutcome(a, out, c.formatFlag)
	}
	in, err := c.loadStart()
	if err != nil {
		return err
	}
	s, err := c.open(a)
	if err != nil {
		return err
	}
	line, err := openPipeline(a, s, nil)
	if err != nil {
		return err
	}
	defer line.close()
	in.asOf, in.user = a.Clock.Now(), c.User
	p, err := line.plan(a.Context, in)
	if err != nil {
		return err
	}
	answer := reevaluation{Run: p.Run, Verdict: p.Verdict, Hold: p.HoldReasons}
	if answer.People, err = explanations(a.Context, s, p.Run, c.User); err != nil {
		return err
	}
	var results *runs.Results
	if c.Apply && p.Verdict != plan.Nothing {
		if results, err = line.applier().Apply(a.Context, apply.Request{Run: p.Run, Policy: in.text, Approver: approver()}); results != nil {
			answer.Results = results.Results
			err = errors.Join(err, failures(p, results))
		}
	}
	return errors.Join(err, c.print(a, p, &answer, results), onHold(p))
}

func (c *reevaluateCmd) print(a *Process, p *plan.Plan, answer *reevaluation, results *runs.Results) error {
	if c.json() {
		return writeJSON(a.json, answer)
	}
	for _, e := range answer.People {
		if err := explanationText(a, e); err != nil {
			return err
		}
	}
	if results == nil {
		return nil
	}
	return printResults(a, p, results, c.formatFlag, c.next(a, "apply "+p.Run+" --yes"))
}

func explain(a *Process, s store.Store, run, user string, f formatFlag) error {
	people, err := explanations(a.Context, s, run, user)
	if err != nil {
		return err
	}
	if f.json() {
		return writeJSON(a.json, map[string]any{"run": run, "people": people})
	}
	for _, e := range people {
		if err := explanationText(a, e); err != nil {
			return err
		}
	}
	return nil
}

// explanations explains the verdicts on each person in the snapshot of a run who has the name user.
func explanations(ctx context.Context, s store.Store, run, user string) ([]*decision.Explanation, error) {
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	var all []*decision.Explanation
	err = r.Find(ctx, user, func(p *directory.Person) error {
		e, err := r.Explain(p, r.Begin.AsOf)
		all = append(all, e)
		return err
	})
	return all, err
}

func explanationText(a *Process, e *decision.Explanation) error {
	out := &printer{w: a.Stdout}
	out.printf("%s (%s), run %s as of %s\n", e.UserPrincipalName, e.User, e.Run, e.AsOf.Format(time.RFC3339))
	if e.Doubt != "" {
		out.printf("  in doubt: %s\n", e.Doubt)
	}
	out.printf("\n")
	var rows [][]string
	for _, v := range e.Profile {
		rows = append(rows, []string{v.Attribute, v.Value, v.Field})
	}
	out.table(rows)
	for _, x := range e.Answers {
		out.printf("\n%s, license %s: %s\n  %s\n", x.Rule, x.License, x.Outcome, x.Reason)
		if x.Refused != "" {
			out.printf("  refused: %s\n", x.Refused)
		}
		if x.Outcome == policy.Reclaim && x.Refused == "" {
			out.printf("  would be changed by way of %s%s\n", x.Via, prefixed(" to ", x.To))
		}
		if !x.Turns.IsZero() {
			out.printf("  would be reclaimed from %s on, if nothing changes\n", x.Turns.Format(time.RFC3339))
		}
		for _, v := range x.Evidence {
			out.printf("    %s = %s%s\n", v.Attribute, v.Value, prefixed("; ", v.Note))
		}
	}
	out.printf("\n")
	return out.err
}
