package money

import (
	"cmp"
	"slices"
	"time"
)

// Unknown replaces a department or cost center that was not read when the license was taken, as in entries of older
// versions.
const Unknown = "unknown"

// Figures are the sums of one row, of one line, or of everything. Amounts are in one currency.
type Figures struct {
	// CouldFree is the monthly price of the seats that the plan would free, less the price of the seats given in
	// exchange.
	CouldFree Cents `json:"couldFree"`
	// Freed is the monthly price of the seats that runs have freed, less the price of the seats given in exchange.
	// Returned is the part of Freed that people got back, from idleseat or from somebody else. FreedNet is Freed minus
	// Returned.
	Freed    Cents `json:"freed"`
	Returned Cents `json:"returned"`
	FreedNet Cents `json:"freedNet"`
	// Saved is the amount that the company did not pay up to now, less the price of the seats given in exchange. A
	// freed seat counts from the first renewal after it became free.
	Saved Cents `json:"saved"`
	// Unproven is the amount for seats whose renewal is unknown. A contract may oblige the company to keep paying.
	// Saved does not include it.
	Unproven Cents `json:"unproven"`
	// Waiting is the monthly price of seats that are free now, and that the company pays for until a future renewal.
	Waiting Cents `json:"waiting"`

	Seats      int `json:"seats"`      // seats that the plan would free
	SeatsFreed int `json:"seatsFreed"` // seats that runs have freed so far
	SeatsNet   int `json:"seatsNet"`   // seats freed, without those that were restored
	// SeatDays counts the days on which the company did not pay for a free seat, added up over the seats. Saved is the
	// money for these days.
	SeatDays int `json:"seatDays"`
}

// The method "add" adds the figures in o to f. Both are rounded already, so a total does not depend on how the rows are
// grouped.
func (f *Figures) add(o *Figures) {
	f.CouldFree += o.CouldFree
	f.Freed += o.Freed
	f.Returned += o.Returned
	f.FreedNet += o.FreedNet
	f.Saved += o.Saved
	f.Unproven += o.Unproven
	f.Waiting += o.Waiting
	f.Seats += o.Seats
	f.SeatsFreed += o.SeatsFreed
	f.SeatsNet += o.SeatsNet
	f.SeatDays += o.SeatDays
}

// Line has the figures of one license, for one department and cost center. Department is empty for people without a
// department, and Unknown if it was not read. The same applies to CostCenter.
type Line struct {
	License    string `json:"license"`
	Department string `json:"department"`
	CostCenter string `json:"costCenter"`
	Figures
	// Renews is the next renewal of the license, or zero if it is unknown.
	Renews time.Time `json:"renews,omitzero"`
}

// Row has the figures of a line for one calendar month. Seats count in the month in which they became free, and
// restored seats in the month of the restore. CouldFree and Waiting count in the month of AsOf.
type Row struct {
	Month time.Time // the beginning of the month, in UTC
	Line
	SKU      string // the product as the policy names it; empty for a license that is a group membership
	SKUID    string // the skuId of the product
	Currency string
}

// Sums has all figures as of one time, AsOf.
type Sums struct {
	AsOf     time.Time `json:"asOf"`
	Currency string    `json:"currency"`
	Figures
	Lines []Line `json:"lines"` // sorted by license, department and cost center
	// Unread counts the licenses whose ledger entries are damaged. No other figure includes these licenses.
	Unread int `json:"unread,omitempty"`
	// OtherCurrencies lists earlier currencies of the policy. No sum includes rows in these currencies.
	OtherCurrencies []string `json:"otherCurrencies,omitempty"`
	Rows            []Row    `json:"-"` // oldest month first, then in the order of Lines
}

// Between returns the sums of the rows from the month of "from" to the month of "to". A zero time is no limit.
func (s *Sums) Between(from, to time.Time) *Sums {
	part := *s
	part.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool {
		return !from.IsZero() && r.Month.Before(monthOf(from)) || !to.IsZero() && r.Month.After(monthOf(to))
	})
	part.total()
	return &part
}

// By adds up lines, for example to one line for each department. The function "group" gets the license, the department
// and the cost center of a line, and empties those by which lines need not differ. Lines with equal results are added
// up.
func (s *Sums) By(group func(Line) Line) []Line {
	lines := []Line{}
	for _, l := range s.Lines {
		g := group(Line{License: l.License, Department: l.Department, CostCenter: l.CostCenter})
		if g.License != "" {
			g.Renews = l.Renews
		}
		i := slices.IndexFunc(lines, func(known Line) bool { return known.compare(&g) == 0 })
		if i < 0 {
			lines, i = append(lines, g), len(lines)
		}
		lines[i].add(&l.Figures)
	}
	slices.SortFunc(lines, func(a, b Line) int { return a.compare(&b) })
	return lines
}

func (l *Line) compare(o *Line) int {
	return cmp.Or(cmp.Compare(l.License, o.License), cmp.Compare(l.Department, o.Department), cmp.Compare(l.CostCenter, o.CostCenter))
}

func (s *Sums) total() {
	s.Figures, s.Lines, s.OtherCurrencies = Figures{}, []Line{}, nil
	at := map[Line]int{} // the index in Lines, by license, department and cost center
	for i := range s.Rows {
		r := &s.Rows[i]
		if r.Currency != s.Currency {
			s.OtherCurrencies = append(s.OtherCurrencies, r.Currency)
			continue
		}
		names := Line{License: r.License, Department: r.Department, CostCenter: r.CostCenter}
		n, known := at[names]
		if !known {
			n, at[names] = len(s.Lines), len(s.Lines)
			names.Renews = r.Renews
			s.Lines = append(s.Lines, names)
		}
		s.Lines[n].add(&r.Figures)
		s.Figures.add(&r.Figures)
	}
	slices.SortFunc(s.Lines, func(a, b Line) int { return a.compare(&b) })
	slices.Sort(s.OtherCurrencies)
	s.OtherCurrencies = slices.Compact(s.OtherCurrencies)
}
