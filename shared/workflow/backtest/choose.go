package backtest

import "fmt"

// Choice is the recommended threshold of a rule. Regret is the share of hits after which the person came back. The
// recommended threshold is the lowest one whose regret is certainly accepted in the older half of the nights: its whole
// confidence interval is at or below the accepted regret. A threshold is not recommended if a higher one has more
// regret than accepted. If the regret of the newer half is larger than accepted or unknown, no threshold is
// recommended.
type Choice struct {
	Days    int     `json:"days,omitempty"` // 0: none is recommended
	Reason  string  `json:"reason"`
	Learned *Regret `json:"learned,omitempty"` // regret of the older half at the threshold that Reason names
	Checked *Regret `json:"checked,omitempty"` // regret of the newer half
	// Holds reports whether the regret in the newer half of the nights (the field Checked) is at most the accepted
	// regret.
	Holds bool `json:"holds"`
}

// The function "choose" returns the recommended threshold. The parameter "window" is an index into Windows.
func choose(thresholds []Threshold, accepted float64, window int) Choice {
	best := -1
	for k := len(thresholds) - 1; k >= 0 && thresholds[k].Older.Regret[window].Rate <= accepted; k-- {
		if thresholds[k].Older.Regret[window].under(accepted) {
			best = k
		}
	}
	if best < 0 {
		return none(thresholds, accepted, window)
	}
	t := &thresholds[best]
	learned, checked := t.Older.Regret[window], t.Newer.Regret[window]
	c := Choice{Days: t.Days, Learned: &learned, Checked: &checked, Holds: checked.Known() > 0 && checked.Rate <= accepted}
	within := fmt.Sprintf("within %d days", learned.Days)
	switch {
	case c.Holds:
		c.Reason = fmt.Sprintf("the older half of the nights shows %s %s, and the newer half confirms it with %s", learned.words(), within, checked.words())
	case checked.Known() == 0:
		c.Days, c.Reason = 0, fmt.Sprintf("%d days fit the older half of the nights, with %s %s, but no hit of the newer half is old enough to check it; keep more nights", t.Days, learned.words(), within)
	case checked.Low > accepted:
		c.Days, c.Reason = 0, fmt.Sprintf("%d days fit the older half of the nights, with %s %s, but not the newer half, with %s: habits have changed, so choose more days", t.Days, learned.words(), within, checked.words())
	default:
		c.Days, c.Reason = 0, fmt.Sprintf("%d days fit the older half of the nights, with %s %s, but the newer half has %s, which may be chance; choose more days, or keep more nights", t.Days, learned.words(), within, checked.words())
	}
	return c
}

// The method "under" reports whether the whole confidence interval of a regret is at or below the accepted regret.
func (r *Regret) under(accepted float64) bool { return r.Known() > 0 && r.High <= accepted }

func none(thresholds []Threshold, accepted float64, window int) Choice {
	t := &thresholds[0] // the threshold whose regret has the lowest upper bound
	for k := range thresholds {
		if thresholds[k].Older.Regret[window].High < t.Older.Regret[window].High {
			t = &thresholds[k]
		}
	}
	r := t.Older.Regret[window]
	c := Choice{Learned: &r}
	switch {
	case r.Known() == 0:
		c.Reason = fmt.Sprintf("in the older half of the nights, no hit can be followed for %d days; keep more nights", r.Days)
	case r.Rate <= accepted:
		c.Reason = fmt.Sprintf("the older half of the nights has too few hits: even at %d days, %s came back within %d days; keep more nights, or accept more", t.Days, r.words(), r.Days)
	default:
		c.Reason = fmt.Sprintf("no threshold fits: even at %d days, %s came back within %d days; try more days", t.Days, r.words(), r.Days)
	}
	return c
}

func (r *Regret) words() string {
	return fmt.Sprintf("%d of %d hits (%s, with 95%% confidence between %s and %s)", r.Returned, r.Known(), Percent(r.Rate), Percent(r.Low), Percent(r.High))
}

// Percent writes a share as percent with one decimal.
func Percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }
