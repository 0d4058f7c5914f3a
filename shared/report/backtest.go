package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Backtest is the result of a backtest, kept for the reports of later runs. It says what each rule would have done in
// earlier nights with other numbers of days.
type Backtest struct {
	Version  int            `json:"version"` // backtestVersion
	Run      string         `json:"run"`     // the last night of the backtest
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	Nights   int            `json:"nights"`
	People   int            `json:"people"` // the number of people on the last night
	Currency string         `json:"currency"`
	Accepted float64        `json:"acceptedRegret"` // the largest accepted share of people who come back after the rule took the license, from 0 to 1
	Within   int            `json:"within"`         // a return counts if it comes within this number of days after the rule took the license
	Rules    []BacktestRule `json:"rules"`
}

// BacktestRule is the result for one rule.
type BacktestRule struct {
	Rule        string              `json:"rule"`
	License     string              `json:"license"`
	Words       []string            `json:"words"`                 // the conditions "for" and "when" in the policy of the backtest
	Days        int                 `json:"days"`                  // the number of days that the policy of the backtest has
	Recommended int                 `json:"recommended,omitempty"` // 0 if the backtest recommends no number of days
	Thresholds  []BacktestThreshold `json:"thresholds"`            // by Days, smallest first
}

// BacktestThreshold is the result for one rule with one number of days. A hit is a night on which the rule would have
// taken the license from a person (backtest.Threshold).
type BacktestThreshold struct {
	Days          int     `json:"days"`
	People        int     `json:"people"` // people with at least one hit
	Seats         int     `json:"seats"`  // people from whom the rule reclaims on the last night
	MonthlySaving float64 `json:"monthlySaving"`
	Returned      int     `json:"returned"` // hits after which the person came back
	Known         int     `json:"known"`    // hits after which the person is known to have come back or stayed away
	// Rate is Returned divided by Known. Low and High are the bounds of the 95% confidence interval of Rate. They are 0
	// and 1 if Known is 0.
	Rate float64 `json:"rate"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

const backtestVersion = 1

// Limits of a stored backtest. A larger one is not shown. A backtest tries at most 32 numbers of days.
const (
	mostBacktestRules      = 1000
	mostBacktestThresholds = 40
)

// PutBacktest keeps a backtest for the reports of later runs. It replaces a kept backtest with the same last night. It
// fails if the figures of the backtest do not fit together.
func PutBacktest(ctx context.Context, s store.Store, b *Backtest) error {
	kept := *b
	kept.Version = backtestVersion
	if why := kept.unfit(); why != "" {
		return fmt.Errorf("keep the backtest: %s", why)
	}
	if err := store.PutJSON(ctx, s, layout.Noted(layout.Backtests, b.Run), &kept); err != nil {
		return fmt.Errorf("keep the backtest: %w", err)
	}
	return nil
}

// The method "backtested" adds the newest kept backtest that uses no night after this run. If that backtest is damaged
// or has another version, the method adds a note instead.
func (g *gathering) backtested(ctx context.Context) error {
	if g.OnePerson || g.Restores != "" {
		return nil
	}
	newest := ""
	for key, err := range g.store.List(ctx, layout.Backtests) {
		if err != nil {
			return err
		}
		if run := layout.NameIn(layout.Backtests, key); run <= g.Run && layout.Noted(layout.Backtests, run) == key {
			newest = run // names of runs sort by time
		}
	}
	if newest == "" {
		return nil
	}
	b := &Backtest{}
	err := store.GetJSON(ctx, g.store, layout.Noted(layout.Backtests, newest), b)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil && !errors.Is(err, store.ErrDamaged) {
		return err
	}
	why := ""
	switch {
	case err != nil:
		why = err.Error()
	case b.Run != newest:
		why = "it is about run " + b.Run
	default:
		why = b.unfit()
	}
	if why != "" {
		g.Notes = append(slices.Clone(g.Notes), fmt.Sprintf("the backtest of run %s is not shown: %s", newest, why))
		return nil
	}
	g.Backtest = b
	return nil
}

// The method "unfit" returns why the backtest cannot be shown, or "".
func (b *Backtest) unfit() string {
	if b.Version != backtestVersion {
		return fmt.Sprintf("it has version %d, and this idleseat reads version %d", b.Version, backtestVersion)
	}
	if b.Nights < 1 || b.Within < 1 || b.To.Before(b.From) || !share(b.Accepted) || len(b.Rules) > mostBacktestRules {
		return "its nights do not fit together"
	}
	for i := range b.Rules {
		r := &b.Rules[i]
		if len(r.Thresholds) == 0 || len(r.Thresholds) > mostBacktestThresholds {
			return fmt.Sprintf("rule %s has %d numbers of days", r.Rule, len(r.Thresholds))
		}
		last := 0
		for k := range r.Thresholds {
			if t := &r.Thresholds[k]; t.Days <= last || t.odd() {
				return fmt.Sprintf("the figures of rule %s for %d days do not fit together", r.Rule, t.Days)
			}
			last = r.Thresholds[k].Days
		}
	}
	return ""
}

var dayNumbers = regexp.MustCompile(`days\(\s*\d+\s*\)`)

// About reports whether the backtest is about the rule "now" as it is in the present policy. The texts must be equal,
// except for the numbers of days.
func (r *BacktestRule) About(now *Rule) bool {
	same := func(a, b string) bool {
		return dayNumbers.ReplaceAllString(a, "days") == dayNumbers.ReplaceAllString(b, "days")
	}
	return r.Rule == now.Name && r.License == now.License && slices.EqualFunc(r.Words, now.Words, same)
}

func (t *BacktestThreshold) odd() bool {
	rate := 0.0
	if t.Known > 0 {
		rate = float64(t.Returned) / float64(t.Known)
	}
	return t.People < 0 || t.Seats < 0 || t.Returned < 0 || t.Returned > t.Known || math.Abs(t.Rate-rate) > 1e-9 ||
		!share(t.Low) || !share(t.High) || t.Low > t.Rate+1e-9 || t.High < t.Rate-1e-9 || math.IsNaN(t.MonthlySaving) || math.IsInf(t.MonthlySaving, 0)
}

func share(x float64) bool { return x >= 0 && x <= 1 }
