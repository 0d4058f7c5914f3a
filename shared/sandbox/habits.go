package sandbox

import "time"

type habit struct {
	permille     int // probability in 1/1000 that the person is active on a working day
	stops, until int // the person is away on each day d with stops ≤ d < until; day 0 is the start of the company
}

const forGood = 1 << 30

// habitOf returns the habit of a person. Of the active people, a tenth leaves within a year, a tenth is away for
// months, and most work on nearly all working days. Of the idle people, a tenth comes back within a year.
func (c *Company) habitOf(i int, t profile) (h habit) {
	d := c.dice(i, streamHabits)
	h.stops, h.until = forGood, forGood
	switch t.activity {
	case Active, New:
		h.permille = pick([]share[int]{{600, 900}, {200, 400}, {120, 150}, {50, 40}, {0, 14}}, d.below(1000))
	case Recent, Idle:
		h.permille = 300
		h.stops, h.until = 0, forGood
		if d.below(10) == 0 {
			h.until = d.below(365)
		}
		return h
	default: // nobody has used the account, or the person is on leave
		h.stops = 0
		return h
	}
	switch away := d.below(365); d.below(10) {
	case 0:
		h.stops = away
	case 1:
		h.stops, h.until = away, away+30+d.below(120)
	}
	return h
}

// The method "active" reports whether a person is active on a day, counted from the start of the company. In July,
// most people are away for three weeks.
func (c *Company) active(i int, h habit, day int, date time.Time) bool {
	weekday := date.Weekday()
	holiday := date.Month() == time.July && date.Day() > 7 && date.Day() < 29 && i%10 < 7
	if day >= h.stops && day < h.until || weekday == time.Saturday || weekday == time.Sunday || holiday {
		return false
	}
	d := dice{c.options.Seed ^ uint64(i)<<20 ^ uint64(day)}
	return d.below(1000) < h.permille
}

// Live makes people sign in and log on during the day that ends now, according to their habits. The caller calls Live
// once for each day of a company's past.
func (c *Company) Live() {
	now := c.now()
	today := int(now.Sub(c.start) / day)
	for i := range c.Size() {
		t := c.profile(i)
		h := c.habitOf(i, t)
		if !t.enabled() || !c.active(i, h, today, now) {
			continue
		}
		d := dice{c.options.Seed ^ uint64(today)<<20 ^ uint64(i)}
		if t.inEntra() {
			c.SignInAt(i, now.Add(-time.Hour-seconds(&d, 9*time.Hour)))
		}
		if t.inAD() && d.below(4) > 0 {
			c.LogOn(i)
		}
	}
}
