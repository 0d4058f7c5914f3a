package command

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const inMarkdown = "markdown"

type planCmd struct {
	policyFlag
	storeFlag
	awsFlag
	Format string  `help:"text, json: one object on stdout and nothing else there, or markdown: a comment for a pull request, with names of people." enum:"text,json,markdown" default:"text"`
	AsOf   string  `help:"Plan as of this instant (RFC 3339, or a date: its midnight UTC). Feeds and rules are asked at it; nothing else is." placeholder:"T"`
	User   *string `help:"Plan for one user only: userPrincipalName, object id, SID or account name." placeholder:"U"`
	Accept bool    `name:"accept-feeds" help:"Take the sources for right as they are now, although one has far fewer people or dates than when it was last healthy."`
	From   string  `name:"run" help:"Plan anew over the snapshot of run R, or of the latest one, without reading the directories." placeholder:"R"`
}

// Run makes a plan and prints it.
func (c *planCmd) Run(a *Process) error {
	asOf, err := instant(c.AsOf, a.Clock.Now())
	if err != nil {
		return err
	}
	user := ""
	if c.User != nil {
		if user = *c.User; c.From != "" {
			return usageError{errors.New("--user and --run cannot be used together; give one of them")}
		}
		if err := someone(user); err != nil {
			return err
		}
	}
	if c.AWS != "" {
		return c.inAWS(a, user)
	}
	open := c.open
	if c.From != "" {
		open = c.existing
	}
	s, err := open(a)
	if err != nil {
		return err
	}
	if c.From == latest {
		if c.From, err = latestRead(a, s); err != nil {
			return err
		}
	}
	p, err := c.plan(a, s, asOf, user)
	if err != nil {
		return err
	}
	if err := printPlan(a, s, p, formatFlag{c.Format}, c.next(a, "apply "+p.Run)); err != nil {
		return err
	}
	if err := c.held(a, s, p); err != nil {
		return err
	}
	return onHold(p)
}

// inAWS starts a plan in a deployment. The deployment uses its own policy and the current time.
func (c *planCmd) inAWS(a *Process, user string) error {
	if c.AsOf != "" || c.From != "" {
		return usageError{errors.New("--as-of and --run are for plans on this machine; leave --aws out")}
	}
	if c.Format == inMarkdown {
		return usageError{errors.New("--format markdown is for plans on this machine; leave --aws out")}
	}
	wish, request := entrance.PlanEverybody, map[string]any{}
	if c.Accept {
		wish, request["acceptFeeds"] = entrance.AcceptFeeds, true
	}
	if user != "" {
		wish, request["user"] = entrance.PlanOne, user
	}
	out, err := c.start(a, wish, request)
	if err != nil {
		return err
	}
	return c.printOutcome(a, out, formatFlag{c.Format})
}

func (c *planCmd) plan(a *Process, s store.Store, asOf time.Time, user string) (*plan.Plan, error) {
	rules, text, err := c.rules(a, s)
	if err != nil {
		return nil, err
	}
	file, err := c.file()
	if err != nil {
		return nil, err
	}
	in := start{asOf: asOf, policy: rules, text: text, file: file, user: user, acceptFeeds: c.Accept}
	if c.From != "" {
		return (&pipeline{store: s, now: a.Clock.Now, tool: a.Version, report: a.reporter(s)}).again(a.Context, c.From, in)
	}
	line, err := openPipeline(a, s, newProgress(a))
	if err != nil {
		return nil, err
	}
	defer line.close()
	p, err := line.plan(a.Context, in)
	return p, a.stopped(err, untouched+"; plan again")
}

// The method "rules" loads the policy file of --policy. If only --run is given, it returns the policy that this run
// stored.
func (c *planCmd) rules(a *Process, s store.Store) (*policy.Policy, string, error) {
	if c.Policy != "" || c.From == "" {
		return c.load()
	}
	b, err := snapshot.GetBegin(a.Context, s, c.From)
	if err != nil {
		return nil, "", err
	}
	p, err := policy.Load("policy of run "+c.From, []byte(b.Policy))
	return p, b.Policy, err
}

// The function "someone" returns an error for an empty user name, which can come from an unset shell variable and would
// mean everybody.
func someone(user string) error {
	if strings.TrimSpace(user) == "" {
		return usageError{errors.New("the user is empty: give a userPrincipalName, object id, SID or account name")}
	}
	return nil
}

// The function "instant" parses --as-of. An empty text means the time "now". A time in the future is an error, because
// everybody would look idle.
func instant(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		return t, usageError{fmt.Errorf("--as-of %q is neither an RFC 3339 instant like 2026-11-23T09:00:00Z nor a date like 2026-11-23", text)}
	}
	if t.After(now) {
		return t, usageError{fmt.Errorf("--as-of %s lies in the future: everybody would look idle", text)}
	}
	return t, nil
}

func onHold(p *plan.Plan) error {
	if p.Verdict == plan.Hold {
		return onHoldError{p.HoldReasons}
	}
	return nil
}

// printPlan prints a plan. The argument "next" is the command that applies the plan. It is empty if the caller applies
// the plan at once.
func printPlan(a *Process, s store.Store, p *plan.Plan, f formatFlag, next string) error {
	if f.json() {
		body, err := s.Get(a.Context, layout.Plan(p.Run))
		if err != nil {
			return fmt.Errorf("print the plan: %w", err)
		}
		defer body.Close()
		_, err = io.Copy(a.json, body)
		return err
	}
	if f.Format == inMarkdown {
		if err := report.WriteMarkdown(a.file, p); err != nil {
			return fmt.Errorf("print the plan: %w", err)
		}
		return nil
	}
	r, err := decision.Open(a.Context, s, p.Run)
	if err != nil {
		return err
	}
	return planText(a, s, r, p, next)
}

func planText(a *Process, s store.Store, r *decision.Run, p *plan.Plan, next string) error {
	out := &printer{w: a.Stdout}
	planHead(out, p)
	for _, n := range p.Notes {
		out.printf("  note: %s\n", n)
	}
	if p.Chosen != nil {
		chosenText(out, p)
	}
	if p.FirstRun {
		out.printf("  this store knows no earlier run: nothing is compared with an earlier day, and what was restored with another folder or store is not known here\n\n")
	}
	if len(p.Changes) > 0 {
		out.shortTable(changeTable(p), layout.Changes(p.Run)+" of the store has them all")
		if slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.FirstReading }) {
			out.printf("  first reading: no run of an earlier day saw the account; plan again on another day to be sure that no date was missing only today\n")
		}
		out.printf("\n")
	}
	if len(p.Notices) > 0 {
		out.printf("  announced, to be done by a later run if the person stays away: %d\n", len(p.Notices))
	}
	if len(p.Pending)+len(p.Resumes) > 0 {
		pendingText(out, p)
	}
	if err := leftOut(a, s, r, out); err != nil {
		return err
	}
	return planEnd(out, p, next)
}

// planHead prints what was read and what the rules found, in figures.
func planHead(out *printer, p *plan.Plan) {
	out.printf("Run %s, tenant %s, as of %s, mode %s\n\n", p.Run, p.Tenant, p.AsOf.Format(time.RFC3339), p.Mode)
	for _, name := range []string{"entra", "ad"} {
		f := p.Sources[name]
		out.printf("  source %-6s %s%s\n", name, f.State, plain.Prefixed(": ", f.Reason))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Sources)) {
		if signal, known := directory.SignalNamed(name); known && signal.Reported() {
			out.printf("  signal %-6s %s%s\n", name, p.Sources[name].State, plain.Prefixed(": ", p.Sources[name].Reason))
		}
	}
	out.printf("  %s\n\n", countsOf(&p.Counts))
	if len(p.Kinds) > 0 {
		out.printf("  accounts that are no people:")
		for i, kind := range slices.Sorted(maps.Keys(p.Kinds)) {
			out.printf("%s %s %d", map[bool]string{true: ","}[i > 0], kind, p.Kinds[kind])
		}
		out.printf("\n\n")
	}
	if len(p.Rules) > 0 {
		out.table(ruleTable(p))
		out.printf("\n")
	}
}

// planEnd prints the verdict, why the plan is on hold, and the command that applies it.
func planEnd(out *printer, p *plan.Plan, next string) error {
	out.printf("%s\n", summary(p))
	switch {
	case p.Verdict == plan.Hold:
		for _, r := range p.HoldReasons {
			out.printf("  held: %s\n", r)
		}
	case p.Verdict != plan.Nothing && p.Mode == policy.Audit:
		out.printf("mode is audit: this is what would be done. Nothing may be written until the policy says review.\n")
	case next != "" && p.Verdict != plan.Nothing:
		out.printf("plan hash %s\napply it:  %s\n", p.PlanHash, next)
	case next != "" && len(p.Resumes) > 0:
		out.printf("finish what earlier runs began:  %s\n", next)
	}
	return out.err
}

func countsOf(c *plan.Counts) string { return fmt.Sprintf("people %d; %s", c.Users, c.Verdicts()) }

// ruleTable returns a row for each rule, with numbers of people. The last cell names the attributes without a value.
func ruleTable(p *plan.Plan) [][]string {
	rows := [][]string{{"RULE", "HOLDERS", "ASKED", "MATCHED", "UNDECIDED", "EXEMPT", "WITHOUT A VALUE"}}
	for i := range p.Rules {
		t := &p.Rules[i]
		holders, asked := t.ToldHolders()
		rows = append(rows, []string{t.Rule, holders, asked, fmt.Sprint(t.Reclaim), fmt.Sprint(t.Undecided), fmt.Sprint(t.Exempt), t.Told()})
	}
	return rows
}

func pendingText(out *printer, p *plan.Plan) {
	what := "finished first: " + strings.Join(p.Resumes, ", ")
	switch {
	case p.Mode == policy.Audit:
		what = "nothing is written in audit"
	case len(p.Resumes) == 0:
		what = "their runs cannot go on"
	}
	out.printf("  begun by earlier runs and not finished: %d (%s)\n", len(p.Pending), what)
	rows := [][]string{{"USER", "CHANGE", "RUN", "WHY IT WAITS"}}
	for _, b := range p.Pending {
		rows = append(rows, []string{cmp.Or(b.UserPrincipalName, b.User), plan.Arrow(b.Rule, b.License, b.To), b.Run, b.Reason})
	}
	out.toldTable(rows, layout.Plan(p.Run)+" of the store has them all")
	out.printf("\n")
}

func changeTable(p *plan.Plan) [][]string {
	rows := [][]string{{"USER", "RULE", "CHANGE", "VIA", "SAVES", "REASON"}}
	for _, c := range p.Changes {
		rows = append(rows, []string{c.UserPrincipalName, c.Rule, plan.Arrow(c.Rule, c.License, c.To), string(c.Via), amount(c.MonthlySaving, p.Currency), c.Reason})
	}
	return rows
}

// leftOut prints how many people the plan leaves out, for each reason.
func leftOut(a *Process, s store.Store, r *decision.Run, out *printer) error {
	lists := map[string]*top{"returned": newTop(), "refused": newTop(), "undecided": newTop(), "exempt": newTop()}
	err := runs.EachListed(a.Context, s, r.Begin.Run, func(list string, entry *runs.Listed) error {
		lists[list].add(entry.Reason)
		return nil
	})
	if err != nil {
		return err
	}
	_, err = r.Each(a.Context, func(d *plan.Decision) error {
		if d.Outcome == policy.Exempt {
			lists["exempt"].add(strings.TrimPrefix(d.Reason, "exempt: "))
		}
		return nil
	})
	for _, name := range []string{"returned", "refused", "undecided", "exempt"} {
		lists[name].print(out, name)
	}
	return err
}

// The function "saves" returns the verb that fits the savings of plan p: "would save", "saves" or "save".
func saves(p *plan.Plan) string {
	switch {
	case p.Mode == policy.Audit || p.Verdict == plan.Hold:
		return "would save"
	case len(p.Changes) == 1:
		return "saves"
	default:
		return "save"
	}
}

func summary(p *plan.Plan) string {
	text := fmt.Sprintf("verdict %s: %s %s %s a month", p.Verdict, plain.Many(len(p.Changes), "change"), saves(p), amount(p.MonthlySaving, p.Currency))
	if p.Deferred > 0 {
		text += fmt.Sprintf("; %s deferred to the next run", moreAre(p.Deferred))
	}
	return text
}
