package lookback

import (
	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

// The function "figures" draws the charts of a rule and leaves out a chart that has nothing to show. The parameter "i"
// is the index of the rule, and "id" is its id in the page.
func figures(w *page.Words, a *backtest.Answer, i int, id string) (all []page.Drawn) {
	b := a.Kept()
	c := page.Tried(w, b, &b.Rules[i], id)
	for _, d := range []*page.Drawn{c.Regret, c.Hits, c.Money} {
		if d != nil {
			all = append(all, *d)
		}
	}
	return all
}
