package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// MostMarkdown is the maximum length of a comment on GitHub, in characters
// (https://github.com/orgs/community/discussions/27190). WriteMarkdown compares the number of UTF-16 units with it.
// That is safe, because no text has fewer UTF-16 units than characters.
const MostMarkdown = 65_536

// Limits of a comment. mostReason is the maximum length of a reason, in characters.
const (
	mostReason = 300
	mostLines  = 30 // lines for hold reasons, sources, counts and notes together; also the most lines for rules
)

// WriteMarkdown writes a plan as a comment for a pull request, with at most MostMarkdown characters. Texts of
// directories and policies appear as plain text, and not as mentions, links, markup or HTML.
func WriteMarkdown(w io.Writer, p *plan.Plan) error {
	foot := fmt.Sprintf("\nPlan hash %s, run %s, policy %s. It may be applied until %s.\n", code(p.PlanHash), code(p.Run), code(short(p.PolicyHash)), p.Expires.UTC().Format(time.RFC3339))
	text := bounded{room: MostMarkdown - units(foot)}
	markdownHead(&text, p)
	if len(p.Changes) > 0 {
		markdownChanges(&text, p)
	}
	_, err := io.WriteString(w, text.String()+foot)
	return err
}

// The type "bounded" is a text with a maximum length. The field "room" is the number of UTF-16 units that still fit.
type bounded struct {
	strings.Builder
	room int
}

// The method "add" adds a part if it fits and leaves room for "after" more UTF-16 units. It reports whether it added
// the part.
func (b *bounded) add(part string, after int) bool {
	n := units(part)
	if n+after > b.room {
		return false
	}
	b.room -= n
	b.WriteString(part)
	return true
}

// The function "units" returns the length of a text in UTF-16 units.
func units(text string) (n int) {
	for _, r := range text {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

func markdownHead(text *bounded, p *plan.Plan) {
	title := map[plan.Verdict]string{plan.Apply: "a plan to apply", plan.Review: "a plan to approve", plan.Hold: "a plan on HOLD", plan.Nothing: "nothing to change"}[p.Verdict]
	if p.Mode == policy.Audit && p.Verdict != plan.Hold && p.Verdict != plan.Nothing {
		title = "a plan of what would be done (mode audit)"
	}
	would := ""
	if p.Mode == policy.Audit || p.Verdict == plan.Hold {
		would = "would "
	}
	figures := fmt.Sprintf("**%s**, which %ssave %s a month. People %d; verdicts: keep %d, reclaim %d, undecided %d, exempt %d.\n",
		plain.Many(len(p.Changes), "change"), would, sum(p.MonthlySaving, p.Currency), p.Counts.Users, p.Counts.Keep, p.Counts.Reclaim, p.Counts.Undecided, p.Counts.Exempt)
	text.add(fmt.Sprintf("### idleseat: %s\n\n%sTenant %s, as of %s.\n", title, figures, code(p.Tenant), p.AsOf.UTC().Format(time.RFC3339)), 0)
	markdownLines(text, p)
	for i := range p.Rules {
		t := &p.Rules[i]
		if i == 0 {
			text.add("\n| rule | holders | matched | undecided | exempt |\n|---|---:|---:|---:|---:|\n", 0)
		}
		if i == mostLines {
			text.add(fmt.Sprintf("\n%d more rules are in `plan.json`.\n", len(p.Rules)-mostLines), 0)
			break
		}
		holders, _ := t.ToldHolders()
		text.add(fmt.Sprintf("| %s | %s | %d | %d | %d |\n", prose(t.Rule), holders, t.Reclaim, t.Undecided, t.Exempt), 0)
	}
}

// markdownLines writes at most mostLines lines about holds, sources, counts and notes, and then the number of the other
// lines.
func markdownLines(text *bounded, p *plan.Plan) {
	shown, total := 0, 0
	line := func(format, told string) {
		if total++; total > mostLines {
			return
		}
		if shown++; shown == 1 {
			text.add("\n", 0)
		}
		text.add("- "+fmt.Sprintf(format, prose(told))+"\n", 0)
	}
	for _, why := range p.HoldReasons {
		line("**held:** %s", why)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Sources)) {
		if f := p.Sources[name]; f.State != plan.Healthy {
			line("source %s", fmt.Sprintf("%s is %s%s", name, f.State, plain.Prefixed(": ", f.Reason)))
		}
	}
	for _, count := range []struct {
		n    int
		what string
	}{{p.Deferred, "deferred to later runs"}, {len(p.Notices), "announced, to be done by a later run"}, {len(p.Pending), "begun by earlier runs and not finished"}} {
		if count.n > 0 {
			line("%s", fmt.Sprintf("%d %s", count.n, count.what))
		}
	}
	for _, note := range p.Notes {
		line("note: %s", note)
	}
	if total > shown {
		text.add(fmt.Sprintf("- %d more lines like these are in `plan.json`\n", total-shown), 0)
	}
}

// markdownChanges writes as many changes as fit, and then the number of the others.
func markdownChanges(text *bounded, p *plan.Plan) {
	const end = "\n</details>\n"
	rest := func(n int) string {
		return fmt.Sprintf("\n%d more %s not shown here; `changes.csv` of the run has them all.\n", n, map[bool]string{true: "is", false: "are"}[n == 1])
	}
	after := units(rest(len(p.Changes))) + units(end)
	head := fmt.Sprintf("\n<details><summary>%s</summary>\n\n| who | rule | change | saves a month | reason |\n|---|---|---|---:|---|\n", plain.Many(len(p.Changes), "change"))
	if !text.add(head, after) {
		text.add(rest(len(p.Changes)), 0)
		return
	}
	shown := 0
	for i := range p.Changes {
		if !text.add(markdownRow(&p.Changes[i], p.Currency), after) {
			break
		}
		shown++
	}
	if left := len(p.Changes) - shown; left > 0 {
		text.add(rest(left), units(end))
	}
	text.add(end, 0)
}

func markdownRow(c *plan.Change, currency string) string {
	to := c.To
	if to != "" {
		to = prose(to)
	}
	change := plan.Arrow(c.Rule, prose(c.License), to)
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", code(cmp.Or(c.UserPrincipalName, c.User)), prose(c.Rule), change, sum(c.MonthlySaving, currency), prose(c.Reason))
}

func sum(amount float64, currency string) string {
	return strings.TrimSpace(fmt.Sprintf("%.2f %s", amount, prose(currency)))
}

func short(hash string) string { return hash[:min(len(hash), 12)] }
