package money

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
)

// The function "on" returns noon of day n of the year 2026. Day 1 is January 1.
func on(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }

func taking(n int, o ledger.Outcome) *ledger.Entry {
	e := &ledger.Entry{Intent: ledger.Intent{License: "e3", Run: fmt.Sprintf("r%d", n), Rule: "idle", At: on(n), Payer: &directory.Payer{}}}
	if o != "" {
		e.Completion = &ledger.Completion{Outcome: o, At: on(n + 1)}
	}
	return e
}

func restoring(n int, o ledger.Outcome) *ledger.Entry {
	e := taking(n, o)
	e.Rule, e.RestoreOf = plan.RestoreRule, "r"
	return e
}

func held(e *ledger.Entry, since int) *ledger.Entry {
	e.HeldSince = on(since)
	return e
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entries []*ledger.Entry
		last    *history.Item
		now     int
		want    string // the days of each span
	}{
		"nothing":                            {want: ""},
		"taken":                              {entries: []*ledger.Entry{taking(1, ledger.Done)}, want: "2-"},
		"pending frees nothing":              {entries: []*ledger.Entry{taking(1, "")}, want: ""},
		"rolled back frees nothing":          {entries: []*ledger.Entry{taking(1, ledger.RolledBack), taking(5, ledger.Failed)}, want: ""},
		"announced frees nothing":            {entries: []*ledger.Entry{taking(1, ledger.Announced)}, want: ""},
		"restored before the end":            {entries: []*ledger.Entry{taking(1, ledger.Restored)}, want: ""},
		"restored":                           {entries: []*ledger.Entry{taking(1, ledger.Done), restoring(9, ledger.Done)}, want: "2-9"},
		"a restore that is pending":          {entries: []*ledger.Entry{taking(1, ledger.Done), restoring(9, "")}, want: "2-9"},
		"a restore that failed":              {entries: []*ledger.Entry{taking(1, ledger.Done), restoring(9, ledger.Failed)}, want: "2-"},
		"a restore that is still to end":     {entries: []*ledger.Entry{taking(1, ledger.Done), restoring(9, ledger.Failed)}, now: 9, want: "2-9"},
		"a restore after now":                {entries: []*ledger.Entry{taking(1, ledger.Done), restoring(9, ledger.Done)}, now: 8, want: "2-"},
		"a completion after now":             {entries: []*ledger.Entry{taking(8, ledger.Done)}, now: 8, want: ""},
		"taken, restored, taken":             {entries: []*ledger.Entry{taking(1, ledger.Done), restoring(9, ledger.Done), taking(20, ledger.Done)}, want: "2-9 21-"},
		"taken twice":                        {entries: []*ledger.Entry{taking(1, ledger.Done), taking(20, ledger.Done)}, want: "2-2 21-"},
		"taken twice, and a run saw why":     {entries: []*ledger.Entry{taking(1, ledger.Done), held(taking(20, ledger.Done), 7)}, want: "2-7 21-"},
		"held again, and then not taken":     {entries: []*ledger.Entry{taking(1, ledger.Done), held(taking(20, ledger.RolledBack), 7)}, want: "2-7"},
		"seen before it was taken":           {entries: []*ledger.Entry{taking(5, ledger.Done), held(taking(20, ledger.Done), 3)}, want: "6-6 21-"},
		"restored by somebody else":          {entries: []*ledger.Entry{taking(1, ledger.Done)}, last: &history.Item{State: history.Restored, Run: "r1", At: on(30)}, want: "2-30"},
		"an older change was restored":       {entries: []*ledger.Entry{taking(1, ledger.Done)}, last: &history.Item{State: history.Restored, Run: "r0", At: on(30)}, want: "2-"},
		"restored as the plan was about day": {entries: []*ledger.Entry{taking(5, ledger.Done)}, last: &history.Item{State: history.Restored, Run: "r5", At: on(4)}, want: "6-6"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := on(100)
			if c.now > 0 {
				now = on(c.now)
			}
			var got []string
			var facts []fact
			for _, e := range c.entries {
				facts = append(facts, factOf(e))
			}
			var restored []*history.Item
			if c.last != nil {
				restored = append(restored, c.last)
			}
			for _, s := range spansOf("e3", facts, restored, now) {
				text := fmt.Sprintf("%d-", s.from.YearDay())
				if !s.until.IsZero() {
					text += fmt.Sprint(s.until.YearDay())
				}
				got = append(got, text)
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("free on the days %q, want %q", text, c.want)
			}
		})
	}
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	known := func(from, renews int) history.Price {
		p := history.Price{License: "e3", From: on(from)}
		if renews > 0 {
			p.Renews = dayOf(on(renews))
		}
		return p
	}
	for name, c := range map[string]struct {
		prices []history.Price
		freed  int
		want   int // day of the year; 0 if unknown
	}{
		"no price":                            {freed: 5},
		"no renewal":                          {prices: []history.Price{known(1, 0)}, freed: 5},
		"annual":                              {prices: []history.Price{known(1, 60)}, freed: 5, want: 60},
		"the next one":                        {prices: []history.Price{known(1, 60), known(61, 120)}, freed: 5, want: 60},
		"freed after it":                      {prices: []history.Price{known(1, 60), known(61, 120)}, freed: 61, want: 120},
		"freed on the day, too late":          {prices: []history.Price{known(1, 60)}, freed: 60},
		"learned later":                       {prices: []history.Price{known(1, 0), known(9, 60)}, freed: 5, want: 60},
		"corrected before it":                 {prices: []history.Price{known(1, 60), known(9, 90)}, freed: 5, want: 90},
		"corrected after it":                  {prices: []history.Price{known(1, 60), known(70, 90)}, freed: 5, want: 60},
		"a failed reading replaces nothing":   {prices: []history.Price{known(1, 60), known(9, 0)}, freed: 5, want: 60},
		"freed before anything was known":     {prices: []history.Price{known(9, 60)}, freed: 5, want: 60},
		"what is known is over, and then not": {prices: []history.Price{known(1, 4), known(9, 60)}, freed: 5, want: 60},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := pricesOf(c.prices, on(300)).renewal("e3", on(c.freed))
			if got.IsZero() != (c.want == 0) || c.want > 0 && got.YearDay() != c.want {
				t.Errorf("renewal on %v, want day %d", got, c.want)
			}
		})
	}
	mid := history.Price{License: "e3", From: on(1), Renews: on(60)}
	if got := pricesOf([]history.Price{mid}, on(300)).renewal("e3", on(5)); !got.Equal(dayOf(on(61))) {
		t.Errorf("a renewal at noon saves from %v on, want the next day", got)
	}
}
