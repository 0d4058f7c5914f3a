package money

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

type key struct {
	month                                     time.Time
	license, department, costCenter, currency string
}

type tally struct {
	could, freed, returned, waiting amount
	saved, unproven                 amount // the monthly price of a seat, once for each day; the method "row" divides the sum by the days of the month
	seats, seatsFreed, seatsBack    int
	seatDays                        int
}

// The type "book" adds up the figures of all seats.
type book struct {
	now      time.Time
	prices   prices
	currency string // the currency of the newest prices
	tallies  map[key]*tally
	unread   int
}

func (b *book) row(k key, t *tally) Row {
	r := Row{Month: k.month, Currency: k.currency, Line: Line{License: k.license, Department: k.department, CostCenter: k.costCenter}}
	if p, _ := b.prices.on(k.license, dayOf(b.now)); p != nil {
		r.SKU, r.SKUID = p.SKU, p.SKUID
		if !p.Renews.Before(b.now) {
			r.Renews = p.Renews
		}
	}
	days := daysIn(k.month)
	r.Figures = Figures{
		CouldFree: t.could.per(1), Freed: t.freed.per(1), Returned: t.returned.per(1), Waiting: t.waiting.per(1),
		Saved: t.saved.per(days), Unproven: t.unproven.per(days),
		Seats: t.seats, SeatsFreed: t.seatsFreed, SeatsNet: t.seatsFreed - t.seatsBack, SeatDays: t.seatDays,
	}
	r.FreedNet = r.Freed - r.Returned
	return r
}

// The method "on" returns the price of a license on the day d, and the tally of the row to which the month, the license
// and the payer belong. The price is zero if it is unknown. If the argument "given" is not nil, it overrides the price.
func (b *book) on(month, d time.Time, license string, payer *directory.Payer, given *amount) (*tally, amount) {
	k := key{month: month, license: license, department: Unknown, costCenter: Unknown, currency: b.currency}
	if payer != nil && payer.Department != nil {
		k.department = *payer.Department
	}
	if payer != nil && payer.CostCenter != nil {
		k.costCenter = *payer.CostCenter
	}
	var price amount
	if p, _ := b.prices.on(license, d); p != nil {
		k.currency, price = p.Currency, priced(p.MonthlyPrice)
	}
	if given != nil {
		price = *given
	}
	t := b.tallies[k]
	if t == nil {
		t = &tally{}
		b.tallies[k] = t
	}
	return t, price
}

// The method "at" does the same as the method "on", with today's price.
func (b *book) at(month time.Time, license string, payer *directory.Payer, given *amount) (*tally, amount) {
	return b.on(month, dayOf(b.now), license, payer, given)
}

// The method "add" adds the span s, for which a seat was free, to the figures. If s.to is not empty, the person got a
// seat of the license s.to in exchange, and the method subtracts the price of that seat.
func (b *book) add(s *span) {
	returned := !s.until.IsZero()
	until := dayOf(b.now) // only whole days count
	if returned {
		until = dayOf(s.until)
	}
	if s.saves {
		t, price := b.at(monthOf(s.from), s.license, s.payer, s.flat)
		t.freed, t.seatsFreed = t.freed+price, t.seatsFreed+1
		if returned {
			t, price := b.at(monthOf(s.until), s.license, s.payer, s.flat)
			t.returned, t.seatsBack = t.returned+price, t.seatsBack+1
		}
		b.save(s, until, returned)
	}
	if s.to == "" {
		return
	}
	t, price := b.at(monthOf(s.from), s.to, s.payer, nil)
	t.freed -= price
	if returned {
		t, price := b.at(monthOf(s.until), s.to, s.payer, nil)
		t.returned -= price
	}
	// The person uses a seat of s.to from the day of the change, even before s.license renews.
	b.each(dayOf(s.from), until, s.to, s.payer, nil, func(t *tally, price amount, days int) { t.saved -= price * amount(days) })
}

// The method "save" adds the price for the days on which the seat was free. The company stops paying for a free seat at
// the first renewal after the change, so days from this renewal on count as saved. Until then, the seat counts as
// waiting unless the person gets it back. If the renewal is unknown, the days count as unproven.
func (b *book) save(s *span, until time.Time, returned bool) {
	freed, renewal := nextDay(s.from), b.prices.renewal(s.license, s.from)
	if renewal.IsZero() {
		b.each(freed, until, s.license, s.payer, s.flat, func(t *tally, price amount, days int) { t.unproven += price * amount(days) })
		return
	}
	if renewal.After(dayOf(b.now)) && !returned {
		t, price := b.at(monthOf(b.now), s.license, s.payer, s.flat)
		t.waiting += price
	}
	if renewal.After(freed) {
		freed = renewal
	}
	b.each(freed, until, s.license, s.payer, s.flat, func(t *tally, price amount, days int) {
		t.saved, t.seatDays = t.saved+price*amount(days), t.seatDays+days
	})
}

// The method "each" splits the days from "from" to the day before "until" into parts with the same month and price, and
// calls the function "add" for each part.
func (b *book) each(from, until time.Time, license string, payer *directory.Payer, given *amount, add func(t *tally, price amount, days int)) {
	for d := from; d.Before(until); {
		month := monthOf(d)
		end := month.AddDate(0, 1, 0)
		if until.Before(end) {
			end = until
		}
		if _, i := b.prices.on(license, d); i+1 < len(b.prices[license]) {
			if next := dayOf(b.prices[license][i+1].From); next.Before(end) {
				end = next
			}
		}
		t, price := b.on(month, d, license, payer, given)
		add(t, price, int(end.Sub(d)/day))
		d = end
	}
}
