package policy

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// Renewal says when the contract for a license lets the company pay for fewer seats. A day begins at midnight in UTC.
type Renewal struct {
	// Date is the only known renewal. It is zero for a contract that renews each year or each month.
	Date time.Time
	// Month and Day are a day of each year. If Month is zero, the contract renews on the first day of each month.
	Month time.Month
	Day   int
}

const monthly = "monthly"

// Next returns the first renewal that is not before t, or zero if none is known.
func (r *Renewal) Next(t time.Time) time.Time {
	t = t.UTC()
	switch {
	case !r.Date.IsZero() && r.Date.Before(t):
		return time.Time{}
	case !r.Date.IsZero():
		return r.Date
	case r.Month == 0:
		first := time.Date(t.Year(), t.Month(), r.Day, 0, 0, 0, 0, time.UTC)
		if first.Before(t) {
			first = first.AddDate(0, 1, 0)
		}
		return first
	}
	next := time.Date(t.Year(), r.Month, r.Day, 0, 0, 0, 0, time.UTC)
	if next.Before(t) {
		next = next.AddDate(1, 0, 0)
	}
	return next
}

// String returns the renewal in the form of the policy file.
func (r *Renewal) String() string {
	switch {
	case !r.Date.IsZero():
		return r.Date.Format(time.DateOnly)
	case r.Month == 0:
		return monthly
	}
	return time.Date(2001, r.Month, r.Day, 0, 0, 0, 0, time.UTC).Format("01-02")
}

func (r *reader) renewal(n *yaml.Node) *Renewal {
	if n.Value == monthly {
		return &Renewal{Day: 1}
	}
	if date, err := time.Parse(time.DateOnly, n.Value); err == nil {
		return &Renewal{Date: date}
	}
	// February 29 is refused, because most years lack it.
	if date, err := time.Parse(time.DateOnly, "2001-"+n.Value); err == nil {
		return &Renewal{Month: date.Month(), Day: date.Day()}
	}
	r.fault(n, "renews must be a date like 2027-03-01, a day that each year has, like 03-01, or monthly, not %s", shown(n))
	return nil
}
