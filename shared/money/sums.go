package money

import (
	"cmp"
	"slices"
	"time"
)

// Unknown takes the place of a department or cost center that was not read when the license was taken, or that an
// entry of an older version does not have.
const Unknown = "unknown"

// Figures are the sums of one row, of one line, or of everything. Amounts are in one currency.
type Figures struct {
	// CouldFree is the price, a month, of the seats that the plan would free.
	CouldFree Cents `json:"couldFree"`
	// Freed is the price, a month, of all seats that runs have freed. Returned is the price of those that people
	// got back, no matter who gave them back. FreedNet is the difference.
	Freed    Cents `json:"freed"`
	Returned Cents `json:"returned"`
	FreedNet Cents `json:"freedNet"`
	// Saved is what was not paid up to now. A seat counts from the first renewal after it became free.
	Saved Cents `json:"saved"`
	// Unproven is what was not paid up to now if the contract does not bind. It is the part of Saved whose renewal is
	// unknown, and is not in Saved.
	Unproven Cents `json:"unproven"`
	// Waiting is the price, a month, of seats that are free now, and are paid for until a renewal that is still to come.
	Waiting Cents `json:"waiting"`

	Seats      int `json:"seats"`      // seats that the plan would free
	SeatsFreed int `json:"seatsFreed"` // seats that runs have freed so far
	SeatsNet   int `json:"seatsNet"`   // seats freed, without those that were restored
	// SeatDays counts, in Saved, each day of each seat once.
	SeatDays int `json:"seatDays"`
}

// add adds other figures. Sums of rounded figures are exact, so a sum does not depend on the order or on the groups.
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

// Line has the figures of one license, for one department and cost center. A text is empty where people have none, and
// Unknown where that is not known.
type Line struct {
	License    string `json:"license"`
	Department string `json:"department"`
	CostCenter string `json:"costCenter"`
	Figures
	// Renews is the next renewal of the license. It is zero if that is unknown.
	Renews time.Time `json:"renews,omitzero"`
}

// Row has the figures of a line for one calendar month. Seats count in the month in which they became free. Restored
// seats count in the month in which they were restored. CouldFree and Waiting count in the month of AsOf.
type Row struct {
	Month time.Time // the beginning, in UTC
	Line
	SKU      string // the product as the policy names it; empty for a license that is membership in a group
	SKUID    string // the skuId of the product
	Currency string
}

// Sums are all figures at one time.
type Sums struct {
	AsOf     time.Time `json:"asOf"`
	Currency string    `json:"currency"`
	Figures
	Lines []Line `json:"lines"` // by license, department and cost center
	// Unread counts licenses of people whose entries in the ledger cannot be believed. They are in no figure.
	Unread int `json:"unread,omitempty"`
	// OtherCurrencies lists currencies that the policy had earlier. Their rows are in no sum.
	OtherCurrencies []string `json:"otherCurrencies,omitempty"`
	Rows            []Row    `json:"-"` // oldest month first, then as Lines
}

// Between returns the sums of the rows whose month is not before the month of from and not after the month of to. A
// zero time is no bound.
func (s *Sums) Between(from, to time.Time) *Sums {
	part := *s
	part.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool {
		return !from.IsZero() && r.Month.Before(monthOf(from)) || !to.IsZero() && r.Month.After(monthOf(to))
	})
	part.total()
	return &part
}

// By returns the lines, joined where they differ only in what the group leaves out. group keeps what the lines are
// joined by, and clears the rest.
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

// total computes the lines and the sums from the rows.
func (s *Sums) total() {
	s.Figures, s.Lines, s.OtherCurrencies = Figures{}, []Line{}, nil
	at := map[Line]int{} // the index in Lines, by the names
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
