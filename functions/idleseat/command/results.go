package command

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

var errNotApproved = fmt.Errorf("%w: the plan was not approved; answer yes, or give --yes", runs.ErrRefused)

// The function "approved" asks at the terminal whether to apply the plan. It returns an error if the answer is not yes,
// or if stdin is no terminal. The argument "next" is the command with which the operator can decide later.
func approved(a *Process, p *plan.Plan, next string) error {
	if !a.atTerminal() {
		return errNotApproved
	}
	answer, err := a.ask(question(p))
	if err != nil {
		return a.stopped(err, halfway(p, nil, next))
	}
	if !strings.EqualFold(answer, "yes") {
		return errNotApproved
	}
	return nil
}

// The function "question" returns the question whether to apply a plan. The question says what the answer yes does.
func question(p *plan.Plan) string {
	what := "Apply " + plain.Many(len(p.Changes), "change") + " of run " + p.Run
	if p.Restores != "" {
		what = "Restore " + restored(p) + ", taken by run " + p.Restores + ","
	}
	var finish, rollBack int
	for _, b := range p.Pending {
		if p.Restores != "" && b.Run == p.Restores {
			rollBack++
		} else {
			finish++
		}
	}
	var parts []string
	if len(p.Changes) > 0 {
		parts = append(parts, what)
	}
	if rollBack > 0 {
		parts = append(parts, "roll back "+plain.Many(rollBack, "unfinished change")+" of run "+p.Restores)
	}
	if finish > 0 {
		parts = append(parts, "finish "+plain.Many(finish, "pending change")+" of earlier runs")
	}
	if len(parts) == 0 {
		parts = []string{what} // earlier runs have pending changes, but the plan does not list them
	}
	text := strings.Join(parts, " and ")
	return fmt.Sprintf("%s in tenant %s (plan %s…)? [yes/no]", strings.ToUpper(text[:1])+text[1:], p.Tenant, p.PlanHash[:12])
}

// The function "restored" returns a text with the licenses that a plan restores and the people who get them.
func restored(p *plan.Plan) string {
	people, names := map[string]bool{}, []string{}
	for i := range p.Changes {
		people[p.Changes[i].User] = true
		names = append(names, p.Changes[i].License)
	}
	if len(people) == 1 {
		return strings.Join(names, " and ") + " to " + cmp.Or(p.Changes[0].UserPrincipalName, p.Changes[0].User)
	}
	return plain.Many(len(p.Changes), "license") + " to " + strconv.Itoa(len(people)) + " people"
}

// printResults prints the results of a plan. The argument "earlier" is the number of pending changes that earlier runs
// began. The argument "next" is the command that finishes the pending changes.
func printResults(a *Process, p *plan.Plan, r *runs.Results, earlier int, f formatFlag, next string) error {
	if f.json() {
		return writeJSON(a.json, r)
	}
	out := &printer{w: a.Stdout}
	rows := [][]string{{"USER", "CHANGE", "STATUS", "NOTE"}}
	for _, x := range r.Results {
		rows = append(rows, []string{x.UserPrincipalName, plan.Arrow(x.Rule, x.License, x.To), string(x.Status), x.Note})
	}
	out.toldTable(rows, "the run's results have them all")
	out.printf("\n")
	return out.became(p, r, earlier, next)
}

// The method "became" prints the results of a plan in figures. Its arguments are those of printResults.
func (p *printer) became(of *plan.Plan, r *runs.Results, earlier int, next string) error {
	saved := 0.0
	for _, x := range r.Results {
		if x.Status == runs.Done {
			saved += x.MonthlySaving
		}
	}
	p.printf("%s; %s\n", counts(r.Count), freed(saved, of.Currency, of.Restores != ""))
	return p.waits(r.Count(runs.Pending)+earlier, next)
}

func (p *printer) waits(pending int, next string) error {
	if pending > 0 {
		p.printf("%s for the directory, often for minutes; then finish:  %s\n", stillWait(pending), next)
	}
	return p.err
}

func stillWait(pending int) string {
	if pending == 1 {
		return "1 pending change waits"
	}
	return fmt.Sprintf("%d pending changes wait", pending)
}

// The function "freed" returns a monthly saving in words. The saving of a restore is negative, or 0 if no price is
// known.
func freed(saving float64, currency string, restored bool) string {
	if restored || saving < 0 {
		return amount(math.Abs(saving), currency) + " a month paid again"
	}
	return amount(saving, currency) + " a month freed"
}

func counts(of func(runs.Status) int) string {
	var parts []string
	for _, s := range []runs.Status{runs.Done, runs.Announced, runs.Pending, runs.Kept, runs.Refused, runs.Failed} {
		if n := of(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, n))
		}
	}
	return strings.Join(parts, ", ")
}
