package sample

import (
	"fmt"
	"math"
	"time"

	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

// Backtest returns an invented result of a backtest for two rules. For the first rule, it recommends a number of days.
// For the second rule, it recommends none, because the rule has no hits.
func Backtest(people int) *backtest.Answer {
	to := time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)
	a := &backtest.Answer{
		From: to.AddDate(0, 0, -180), To: to, Last: "20261129T020000Z-1a2b3c4d", Nights: 181, Gap: 2, People: people, Currency: "EUR", Accepted: 0.02, Within: 30,
		NotTried: []backtest.NotTried{{Rule: "left", Why: `its condition "when" has no days(n)`}},
		Doubted:  []backtest.Doubted{{Signal: "ad", Nights: 3, Reason: "the feed has stalled"}},
		LeftOut:  []backtest.LeftOut{{Run: "20260601T020000Z-00000001", Why: "it is damaged"}},
	}
	for i, name := range []string{"m365-idle-60", "citrix-idle-90"} {
		r := backtest.Rule{Name: name, License: "m365-e3", To: "exchange-online", Days: 60, SeatPrice: 35, Words: []string{`systemRole == "Employee"`, "AzureAdSistaLogon.earlierThan(now - days(60))"}}
		for _, days := range []int{30, 45, 60, 90, 120} {
			hits := people / days * (1 - i)
			t := backtest.Threshold{Days: days, InForce: days == 60, People: hits + people/50, Seats: hits + people/60, MonthlySaving: 35 * float64(hits+people/60)}
			t.Stock = backtest.Group{Hits: people / 50}
			t.Flow = group(hits, days)
			t.Older, t.Newer = group(hits/2, days), group(hits-hits/2, days)
			for d := range 12 {
				t.Departments = append(t.Departments, backtest.Department{Name: fmt.Sprintf("Department %d", d), Group: group(hits/(d+2), days)})
			}
			r.Thresholds = append(r.Thresholds, t)
		}
		at := &r.Thresholds[3]
		r.Choice = backtest.Choice{Learned: &at.Older.Regret[1], Checked: &at.Newer.Regret[1], Reason: "in the older half of the nights, no hit can be followed for 30 days; keep more nights"}
		if i == 0 {
			r.Choice.Days, r.Choice.Holds, r.Choice.Reason = at.Days, true, "the newer half confirms it"
		}
		a.Rules = append(a.Rules, r)
	}
	return a
}

// The function "group" returns invented counts of the people from whom a rule would have taken a license (hits). The
// share of them who came back (regret) decreases with the number of days.
func group(hits, days int) backtest.Group {
	g := backtest.Group{Hits: hits}
	for w, within := range backtest.Windows {
		known := hits - hits*within/180
		r := backtest.Regret{Days: within, Returned: known * within / (days * days / 4), NotYet: hits - known, High: 1}
		r.Stayed = known - r.Returned
		if n := float64(known); n > 0 {
			r.Rate = float64(r.Returned) / n
			half := 1.96 * math.Sqrt((r.Rate*(1-r.Rate)+1/n)/n)
			r.Low, r.High = max(0, r.Rate-half), min(1, r.Rate+half)
		}
		g.Regret[w] = r
	}
	return g
}
