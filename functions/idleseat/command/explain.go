package command

import (
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/story"
	"github.com/idleseat/idleseat/shared/workflow/apply"
)

type storyFlags struct {
	storeFlag
	formatFlag
	User string `arg:"" help:"The user: userPrincipalName, object id, SID or account name."`
	From string `name:"run" help:"Tell it from the snapshot of run R instead of the latest that read the user; the word latest means the latest that read everybody." placeholder:"R"`
}

type explainCmd struct{ storyFlags }

// Run explains the verdicts on one user from a snapshot.
func (c *explainCmd) Run(a *Process) error { return c.tell(a, story.Detail{Values: a.verbose}) }

type historyCmd struct{ storyFlags }

// Run prints the same as the command explain, and the past changes of the user's licenses.
func (c *historyCmd) Run(a *Process) error {
	return c.tell(a, story.Detail{Past: true, Values: a.verbose})
}

func (c *storyFlags) tell(a *Process, d story.Detail) error {
	if err := someone(c.User); err != nil {
		return err
	}
	s, err := c.view(a)
	if err != nil {
		return err
	}
	if c.From == latest {
		if c.From, err = latestRead(a, s); err != nil {
			return err
		}
	}
	people, err := story.Of(a.Context, s, story.Question{Run: c.From, User: c.User, Now: a.Clock.Now(), Store: c.elsewhere(a)})
	if errors.Is(err, snapshot.ErrUnknownRun) && c.From == "" {
		return usageError{fmt.Errorf("nothing is known yet about %s: no run in the store has read this person; make one with `idleseat plan`", c.User)}
	}
	if errors.Is(err, decision.ErrUnknownUser) {
		return err
	}
	if err != nil {
		return fmt.Errorf("cannot look in the store %q: %w", c.Store, err)
	}
	if c.json() {
		return writeJSON(a.json, map[string]any{"run": people[0].Run, "people": people})
	}
	return tellAll(a, people, d)
}

func tellAll(a *Process, people []*story.Story, d story.Detail) error {
	for i, one := range people {
		if i > 0 {
			fmt.Fprintln(flowing(a.Stdout))
		}
		if err := one.Text(flowing(a.Stdout), d); err != nil {
			return err
		}
	}
	return nil
}

type reevaluateCmd struct {
	policyFlag
	storeFlag
	formatFlag
	awsFlag
	User  string `arg:"" help:"The user: userPrincipalName, object id, SID or account name."`
	Apply bool   `help:"Carry out what the rules say of the user, too."`
}

type reevaluation struct {
	Run     string         `json:"run"`
	Verdict plan.Verdict   `json:"verdict"`
	Hold    []string       `json:"holdReasons"`
	People  []*story.Story `json:"people"`
	Results []runs.Result  `json:"results,omitempty"`
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
	line, err := openPipeline(a, s, newProgress(a))
	if err != nil {
		return err
	}
	defer line.close()
	in.asOf, in.user = a.Clock.Now(), c.User
	p, err := line.plan(a.Context, in)
	if err != nil {
		return a.stopped(err, untouched)
	}
	answer := reevaluation{Run: p.Run, Verdict: p.Verdict, Hold: p.HoldReasons}
	var results *runs.Results
	if c.Apply && p.Verdict != plan.Nothing {
		if results, err = line.applier().Apply(a.Context, apply.Request{Run: p.Run, Policy: in.text, Approver: approver()}); err != nil && a.interrupted() {
			return a.stopped(err, halfway(p, results, c.next(a, "apply "+p.Run+" --yes")))
		}
		if results != nil {
			answer.Results = results.Results
			err = errors.Join(err, failures(p, results))
		}
		line.bar.clear()
		line.report(a.Context, p.Run)
	}
	var untold error
	answer.People, untold = story.Of(a.Context, s, story.Question{Run: p.Run, User: c.User, Now: a.Clock.Now(), Store: c.elsewhere(a)})
	return errors.Join(err, untold, c.print(a, p, &answer, results), onHold(p))
}

func (c *reevaluateCmd) print(a *Process, p *plan.Plan, answer *reevaluation, results *runs.Results) error {
	if c.json() {
		return writeJSON(a.json, answer)
	}
	if err := tellAll(a, answer.People, story.Detail{Values: a.verbose}); err != nil || results == nil {
		return err
	}
	return printResults(a, p, results, 0, c.formatFlag, c.next(a, "apply "+p.Run+" --yes"))
}
