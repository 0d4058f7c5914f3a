package command

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
	"github.com/idleseat/idleseat/shared/workflow/backtest/lookback"
)

type backtestCmd struct {
	storeFlag
	formatFlag
	Policy   string `help:"The policy whose rules are tried; the newest run's own when not given." env:"IDLESEAT_POLICY" placeholder:"F"`
	Rule     string `help:"The rule to try; all rules when not given." placeholder:"N"`
	Days     []int  `help:"The numbers of days to try. The rule's own is always tried, too." default:"30,45,60,90" placeholder:"30,45,60,90"`
	Constant int    `help:"Which days(n) of the rule to replace, if its condition has several." placeholder:"N"`
	Regret   string `help:"The largest share of those hit that may come back." default:"2%" placeholder:"2%"`
	Report   string `help:"Write a page with charts to this file, too. An existing file is replaced." placeholder:"FILE"`
	Keep     bool   `help:"Keep the result in the store. The reports of later runs then show its charts."`
	Within   int    `help:"Within how many days a return counts for the recommendation: 7, 30 or 90." default:"30" placeholder:"30"`
}

// Run evaluates rules with other thresholds on the snapshots that the store has kept. It prints from how many people
// each threshold would have taken a license, and how many of them were active again later.
func (c *backtestCmd) Run(a *Process) error {
	accepted, err := share(c.Regret)
	if err != nil {
		return usageError{fmt.Errorf("--regret %s: %w", c.Regret, err)}
	}
	for _, days := range c.Days {
		if days < 1 || days > 3650 {
			return usageError{fmt.Errorf("--days %d: give numbers of days from 1 to 3650", days)}
		}
	}
	open := c.view
	if c.Keep {
		open = c.existing
	}
	s, err := open(a)
	if err != nil {
		return err
	}
	name, text, err := c.policy(a, s)
	if err != nil {
		return err
	}
	bar := newProgress(a)
	bar.begins("reading the kept nights")
	answer, err := backtest.Run(a.Context, s, backtest.Question{
		PolicyName: name, Policy: text, Rule: c.Rule, Days: c.Days, Constant: c.Constant, Regret: accepted, Within: c.Within,
		Now: a.Clock.Now(), Workers: min(runtime.GOMAXPROCS(0), 4), Progress: bar.nights,
	})
	bar.clear()
	if errors.Is(err, backtest.ErrQuestion) {
		return usageError{err}
	}
	if err != nil {
		return fmt.Errorf("look back in %s: %w", c.Store, err)
	}
	if c.Report != "" {
		if err := writeReport(c.Report, answer); err != nil {
			return err
		}
	}
	if c.Keep {
		if err := report.PutBacktest(a.Context, s, answer.Kept()); err != nil {
			return fmt.Errorf("%w; the answer is not lost: leave out --keep", err)
		}
	}
	if c.json() {
		return writeJSON(a.json, answer)
	}
	return printBacktest(a, answer)
}

// writeReport writes the page of a backtest to a file. The file is private, because the page names departments.
func writeReport(path string, answer *backtest.Answer) error {
	var text bytes.Buffer
	if err := lookback.Write(&text, answer); err != nil {
		return err
	}
	if err := writePrivate(path, text.Bytes()); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// writePrivate replaces the content of a file. It first takes the file's permissions from everybody except the owner. A
// device, such as /dev/stdout, keeps its permissions.
func writePrivate(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = file.Chmod(0o600)
	}
	if err == nil {
		_, err = file.Write(text)
	}
	return errors.Join(err, file.Close())
}

// The method "policy" returns the policy of --policy, or else the policy of the newest run for everybody. A run whose
// name has a time in the future does not count.
func (c *backtestCmd) policy(a *Process, s store.Store) (name string, text []byte, err error) {
	if c.Policy != "" {
		_, text, err := policyFlag{c.Policy}.load()
		return c.Policy, []byte(text), err
	}
	run, err := snapshot.Latest(a.Context, s, func(b *snapshot.Begin) bool {
		return b.User == "" && !snapshot.Ahead(b.Run, a.Clock.Now())
	})
	if err != nil {
		return "", nil, fmt.Errorf("look in %s: %w", c.Store, err)
	}
	b, err := snapshot.GetBegin(a.Context, s, run)
	if err != nil {
		return "", nil, err
	}
	return "policy of run " + run, []byte(b.Policy), nil
}

// The function "share" parses a percentage. It returns 0.02 for "2%".
func share(text string) (float64, error) {
	number, _ := strings.CutSuffix(strings.TrimSpace(text), "%")
	percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return 0, errors.New("give a percentage from 0% to 100%")
	}
	return percent / 100, nil
}

func printBacktest(a *Process, answer *backtest.Answer) error {
	out := &printer{w: a.Stdout}
	out.printf("%s from %s to %s, %s in the last one\n", plain.Many(answer.Nights, "night"), dayOf(answer.From), dayOf(answer.To), plain.Many(answer.People, "person"))
	if answer.Gap > 1 {
		out.printf("  the longest time between two nights is %s; a return in a gap is dated by its newest sign-in\n", plain.Many(answer.Gap, "day"))
	}
	for _, d := range answer.Doubted {
		out.printf("  on %s the signal %s was not healthy, so that rules which read it were undecided: %s\n", plain.Many(d.Nights, "night"), d.Signal, d.Reason)
	}
	for i, l := range answer.LeftOut {
		if i == shownReasons {
			out.printf("  … and %d more snapshots left out\n", len(answer.LeftOut)-i)
			break
		}
		out.printf("  left out: run %s: %s\n", l.Run, l.Why)
	}
	for _, n := range answer.NotTried {
		out.printf("\nrule %s is not tried: %s\n", n.Rule, n.Why)
	}
	for i := range answer.Rules {
		printTried(out, answer, &answer.Rules[i])
	}
	out.printf("\nA hit is the first night on which the rule reclaims the license of somebody who is not hit already. It ends when the person\n" +
		"is active again. Those hit on the first night had been idle for any time before; the rates for a number of days are of\n" +
		"the later hits, with 95%% confidence. All rates leave out hits that are younger than the days in question.\n")
	return out.err
}

func printTried(out *printer, answer *backtest.Answer, r *backtest.Rule) {
	out.printf("\nrule %s, license %s%s, %s a month for each seat\n", r.Name, r.License, plain.Prefixed(" → ", r.To), amount(r.SeatPrice, answer.Currency))
	rows := [][]string{{"DAYS", "PEOPLE HIT", "ON THE FIRST NIGHT", "LATER", "BACK IN 7 DAYS", "IN 30 DAYS", "IN 90 DAYS", "IDLE ON THE LAST NIGHT", "SAVES A MONTH"}}
	for _, t := range r.Thresholds {
		days := fmt.Sprint(t.Days)
		if t.InForce {
			days += " (in force)"
		}
		row := []string{days, fmt.Sprint(t.People), fmt.Sprint(t.Stock.Hits), fmt.Sprint(t.Flow.Hits)}
		for _, g := range t.Flow.Regret {
			row = append(row, regret(&g))
		}
		rows = append(rows, append(row, fmt.Sprint(t.Seats), amount(t.MonthlySaving, answer.Currency)))
	}
	out.table(rows)
	shown := r.Days
	if c := r.Choice; c.Days > 0 {
		shown = c.Days
		out.printf("  recommended: %s, with at most %s back within %d days: %s\n", plain.Many(c.Days, "day"), backtest.Percent(answer.Accepted), answer.Within, c.Reason)
	} else {
		out.printf("  no recommendation: %s\n", c.Reason)
	}
	i := slices.IndexFunc(r.Thresholds, func(t backtest.Threshold) bool { return t.Days == shown })
	rows = [][]string{{"DEPARTMENT", "HITS", "BACK IN 30 DAYS"}}
	for _, d := range r.Thresholds[i].Departments {
		name := d.Name
		if name == "" {
			name = "(none)"
		}
		rows = append(rows, []string{name, fmt.Sprint(d.Hits), regret(&d.Regret[1])})
	}
	if len(rows) > 1 {
		out.printf("\n  at %s, by department, with the hits of the first night:\n", plain.Many(shown, "day"))
		out.shortTable(rows, "--format json lists all")
	}
}

// The function "regret" returns a text: how many of the people whom a rule hit came back, their share, and the
// confidence limits of this share.
func regret(r *backtest.Regret) string {
	if r.Known() == 0 {
		return "not known yet"
	}
	return fmt.Sprintf("%d of %d: %s (%s to %s)", r.Returned, r.Known(), backtest.Percent(r.Rate), backtest.Percent(r.Low), backtest.Percent(r.High))
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }
