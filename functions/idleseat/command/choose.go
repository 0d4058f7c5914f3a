package command

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// choiceFlags choose changes from a plan. Without these flags, all changes are chosen.
type choiceFlags struct {
	Only   string `help:"Apply only the changes of the people whom a file lists: one userPrincipalName, id or line of changes.csv on a line. It makes a new plan of them." placeholder:"FILE"`
	Except string `help:"Apply all changes but those of the people whom a file lists, as --only does." placeholder:"FILE"`
	Limit  *int   `help:"Apply only the first N changes, the longest idle first, as --only does." placeholder:"N"`
}

func (c *choiceFlags) given() bool { return c.Only != "" || c.Except != "" || c.Limit != nil }

func (c *choiceFlags) choice() (in plan.Choice, err error) {
	if c.Limit != nil {
		if in.Limit = *c.Limit; in.Limit < 1 {
			return in, fmt.Errorf("--limit %d: give a number of at least 1", in.Limit)
		}
	}
	if c.Only != "" {
		if in.Only, err = readPicks(c.Only); err != nil {
			return in, fmt.Errorf("--only: %w", err)
		}
	}
	if c.Except != "" {
		if in.Except, err = readPicks(c.Except); err != nil {
			return in, fmt.Errorf("--except: %w", err)
		}
	}
	return in, nil
}

// The method "choose" makes a plan of the chosen changes of plan p, as a new run, and prints it. It refuses if p may
// not be applied now. A hold because of limits is no obstacle, because the limits are checked again for the new plan.
func (c *applyCmd) choose(a *Process, s store.Store, line *pipeline, p *plan.Plan, inForce string) (*plan.Plan, error) {
	switch {
	case p.Restores != "":
		return nil, usageError{fmt.Errorf("run %s restores what another run took; for one person: %s", p.Run, c.next(a, "restore U --run "+p.Restores))}
	case p.Chosen != nil:
		return nil, usageError{fmt.Errorf("the changes of run %s were chosen from run %s already; choose from that run again", p.Run, p.Chosen.From)}
	case c.Override != "":
		return nil, usageError{errors.New("--override-limits names a plan by its hash, and the plan of the chosen changes is made only now: leave it out, and give it to that plan if it is held")}
	}
	in, err := c.choice()
	if err != nil {
		return nil, usageError{err}
	}
	b, err := snapshot.GetBegin(a.Context, s, p.Run)
	if err != nil {
		return nil, err
	}
	asked := history.Request{Policy: inForce, Left: 1}
	if p.Verdict == plan.Hold && p.Overridable {
		asked.Override = p.PlanHash // the limits are checked for the new plan, so p itself may exceed them
	}
	admitted, refusal, err := history.Admit(a.Context, s, p, b, asked, a.Clock.Now())
	if err != nil {
		return nil, err
	}
	if refusal == "" {
		refusal = admitted.Closed
	}
	if refusal != "" {
		return nil, fmt.Errorf("%w to choose from run %s: %s", runs.ErrRefused, p.Run, refusal)
	}
	changes, err := p.Choose(in)
	if err != nil {
		return nil, usageError{fmt.Errorf("choose from run %s: %w; `%s` shows its changes", p.Run, err, c.next(a, "show "+p.Run))}
	}
	chosen, err := line.choose(a.Context, b, p.PlanHash, changes)
	if err != nil {
		return nil, err
	}
	return chosen, c.printChoice(a, s, chosen)
}

// printChoice prints the plan of a choice. With --format json it prints to stderr, because stdout has only the results.
func (c *applyCmd) printChoice(a *Process, s store.Store, p *plan.Plan) error {
	r, err := decision.Open(a.Context, s, p.Run)
	if err != nil {
		return err
	}
	to := *a
	if c.json() {
		to.Stdout = a.Stderr
	}
	return planText(&to, s, r, p, c.next(a, "apply "+p.Run))
}

// The method "unseen" refuses --yes if the choice is from a plan that is on hold because of limits. Otherwise a script
// that makes a choice every night would bypass the limits without a human.
func (c *applyCmd) unseen(a *Process, p *plan.Plan) error {
	if !c.Yes || p.Chosen == nil || len(p.Chosen.Lifted) == 0 {
		return nil
	}
	return fmt.Errorf("%w: limits hold run %s, so --yes does not approve a choice from it unseen; look at the %s of run %s, then:  %s",
		runs.ErrRefused, p.Chosen.From, plain.Many(len(p.Changes)+len(p.Notices), "change"), p.Run, c.next(a, "apply "+p.Run+" --yes"))
}

func chosenText(out *printer, p *plan.Plan) {
	out.printf("  chosen by the operator from the plan of run %s: %d to be made, %d left out\n", p.Chosen.From, len(p.Changes)+len(p.Notices), p.Chosen.LeftOut)
	if len(p.Changes)+len(p.Notices) == 0 {
		out.printf("  what was chosen is done or pending already, or refused below; for others, choose with --except or a larger --limit\n")
	}
	for _, why := range p.Chosen.Lifted {
		out.printf("  holds that run and not this choice, which is small: %s\n", why)
	}
	out.printf("\n")
}

// readPicks reads a list of people. The file has a name on each line, or is a CSV file with the columns of changes.csv.
// The separator is a comma, a semicolon or a tab. A header names the columns. Without a header, the first column is the
// name, and the fourth column, if present, is the license.
func readPicks(path string) ([]plan.Pick, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("%s is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)", path)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	rows := csv.NewReader(bytes.NewReader(text))
	rows.Comma, rows.LazyQuotes, rows.FieldsPerRecord, rows.TrimLeadingSpace = separator(text), true, -1, true
	at, first, picks := columns{name: []int{0}, license: 3}, true, []plan.Pick{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if head, is := header(row); is && first {
			at, first = head, false
			continue
		}
		first = false
		line, _ := rows.FieldPos(0)
		pick := plan.Pick{Line: line, License: at.cell(row, at.license)}
		for _, n := range at.name {
			if pick.Name == "" {
				pick.Name = at.cell(row, n)
			}
		}
		switch {
		case strings.TrimSpace(strings.Join(row, "")) == "":
		case pick.Name == "":
			return nil, fmt.Errorf("%s: line %d names nobody", path, line)
		default:
			picks = append(picks, pick)
		}
	}
	if len(picks) == 0 {
		return nil, fmt.Errorf("%s names nobody", path)
	}
	return picks, nil
}

// The type "columns" has the indexes of the columns of a file. The field "license" is -1 if the file has no column for
// the license.
type columns struct {
	name    []int
	license int
}

func (columns) cell(row []string, n int) string {
	if n < 0 || n >= len(row) {
		return ""
	}
	// Remove the quote that changes.csv has before a text that looks like a formula.
	return strings.TrimSpace(strings.TrimPrefix(row[n], "'"))
}

// The function "header" reads a row as the header of a file, and reports whether it is one. In the result, a column of
// ids comes before a column of userPrincipalNames, because an id belongs to one person only.
func header(row []string) (columns, bool) {
	at := columns{license: -1}
	for _, wanted := range []string{"user", "userPrincipalName"} {
		for i, title := range row {
			if strings.EqualFold(strings.TrimSpace(title), wanted) {
				at.name = append(at.name, i)
			}
		}
	}
	for i, title := range row {
		if strings.EqualFold(strings.TrimSpace(title), "license") {
			at.license = i
		}
	}
	return at, len(at.name) > 0
}

// The function "separator" returns the comma, the semicolon or the tab: the most frequent one in the first line.
func separator(text []byte) rune {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	best, most := ',', 0
	for _, r := range []rune{',', ';', '\t'} {
		if n := bytes.Count(line, []byte(string(r))); n > most {
			best, most = r, n
		}
	}
	return best
}
