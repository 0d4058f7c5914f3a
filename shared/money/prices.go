package money

import (
	"cmp"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/history"
)

const day = 24 * time.Hour

// dayOf returns the beginning of the day of t, in UTC.
func dayOf(t time.Time) time.Time { return t.UTC().Truncate(day) }

func nextDay(t time.Time) time.Time {
	if d := dayOf(t); d.Before(t) {
		return d.Add(day)
	}
	return dayOf(t)
}

func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func daysIn(month time.Time) int { return int(month.AddDate(0, 1, 0).Sub(month) / day) }

// The type "prices" has the known prices of each license, oldest first.
type prices map[string][]history.Price

// pricesOf returns the known prices by license. Prices of runs that began after the time "now" are left out.
func pricesOf(all []history.Price, now time.Time) prices {
	of := prices{}
	for _, p := range all {
		if !p.From.After(now) {
			of[p.License] = append(of[p.License], p)
		}
	}
	for _, list := range of {
		slices.SortStableFunc(list, func(a, b history.Price) int {
			return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Run, b.Run))
		})
	}
	return of
}

// The method "on" returns the price in force on a day, and its index. A price is in force from the day of the run that
// first had it. The first known price is also in force on the days before. The result is nil if no price is known.
func (p prices) on(license string, d time.Time) (*history.Price, int) {
	list := p[license]
	i := max(0, len(list)-1)
	for i > 0 && dayOf(list[i].From).After(d) {
		i--
	}
	if len(list) == 0 {
		return nil, 0
	}
	return &list[i], i
}

// The method "renewal" returns the first day on which the company need not pay for a seat that became free at the time
// "freed". This is the day after the next renewal of the license, or zero if no run knows a renewal. Until the renewal
// has come, a day that a later run knows replaces the day that earlier runs knew.
func (p prices) renewal(license string, freed time.Time) time.Time {
	_, i := p.on(license, dayOf(freed))
	var at time.Time
	for _, known := range p[license][min(i, len(p[license])):] {
		if !at.IsZero() && !known.From.Before(at) {
			break
		}
		if !known.Renews.IsZero() && !known.Renews.Before(freed) {
			at = known.Renews
		}
	}
	if at.IsZero() {
		return at
	}
	return nextDay(at)
}
