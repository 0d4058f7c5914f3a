package sandbox

import "time"

// The type "dates" has the times at which a person's accounts were created and used. The zero time means never.
type dates struct {
	created                                 time.Time
	made, madeAgain                         time.Time // when the current Active Directory and Entra accounts were created, if Replace or ReplaceInEntra created them; otherwise zero
	lastSignIn                              time.Time // the true last sign-in; Graph may show another date
	interactive, nonInteractive, successful time.Time // the dates in signInActivity; interactive and nonInteractive include failed attempts
	logon                                   time.Time // lastLogon
	stamp                                   time.Time // lastLogonTimestamp, which lags behind logon
}

// The type "span" is the time between "from" and "to" days before Company.start, the instant at which the simulation
// begins.
type span struct{ from, to int }

var (
	signInSpans = map[Activity]span{Active: {0, 44}, Recent: {45, 59}, Idle: {61, 900}, OnLeave: {100, 300}}
	logonSpans  = map[Activity]span{Active: {0, 60}, Recent: {76, 89}, Idle: {91, 900}}
)

// noSuccessBefore is when Entra ID started to store lastSuccessfulSignInDateTime.
var noSuccessBefore = time.Date(2023, 12, 1, 0, 0, 0, 0, time.UTC)

func (c *Company) datesOf(i int, t profile) dates {
	d := c.dice(i, streamDates)
	var x dates
	oldest := c.start
	if s, ok := signInSpans[t.activity]; ok && t.inEntra() {
		if t.logon == New {
			s.to = 9 // all sign-ins must be later than the creation of the account
		}
		x.signIns(&d, c.within(&d, s))
		oldest = earliest(oldest, x.interactive, x.nonInteractive, x.successful)
	}
	if s, ok := logonSpans[t.logon]; ok && t.inAD() {
		x.stamp = c.within(&d, s)
		x.logon = earliest(x.stamp.Add(seconds(&d, 13*day)), c.start.Add(-time.Duration(s.from)*day-time.Hour))
		oldest = earliest(oldest, x.stamp)
	}
	switch {
	case t.activity == New:
		x.created = c.within(&d, span{0, 6})
	case t.logon == New:
		x.created = c.within(&d, span{15, 80})
	default:
		x.created = oldest.Add(-100*day - seconds(&d, 1500*day))
	}
	x.lastSignIn = newest(x.interactive, x.nonInteractive, x.successful)
	if ch := c.changes[i]; ch != nil {
		x.used(ch, c.now())
	}
	if c.at != nil {
		x.logon, x.stamp = c.at.own[i].last, c.at.own[i].stamp
	}
	return x
}

// The method "within" returns an instant in the span, at least two hours before the start of the company.
func (c *Company) within(d *dice, s span) time.Time {
	return c.start.Add(-time.Duration(s.from)*day - 2*time.Hour - seconds(d, time.Duration(s.to-s.from)*day-3*time.Hour))
}

func seconds(d *dice, below time.Duration) time.Duration {
	return time.Duration(d.below(int(below/time.Second))) * time.Second
}

func (x *dates) signIns(d *dice, last time.Time) {
	x.interactive = last.Add(-seconds(d, 3*day))
	x.nonInteractive = last.Add(-seconds(d, day))
	x.successful = last
	switch variant := d.below(10); {
	case last.Before(noSuccessBefore):
		x.interactive, x.successful = last, time.Time{}
	case variant == 0: // the last sign-in is a phone that refreshes its token
		x.interactive = time.Time{}
	case variant == 1: // the last sign-in is a failed attempt
		x.interactive, x.successful = last, last.Add(-5*day)
	}
}

func (x *dates) used(ch *change, now time.Time) {
	if !ch.hired.IsZero() {
		x.created = ch.hired
	}
	if ch.again > 0 {
		x.madeAgain, x.lastSignIn = ch.madeAgain, time.Time{}
		x.interactive, x.nonInteractive, x.successful = time.Time{}, time.Time{}, time.Time{}
	}
	ch.signIns.show(x, now)
	if ch.replaced > 0 {
		x.made, x.logon, x.stamp = ch.made, time.Time{}, time.Time{}
	}
	if !ch.logOn.IsZero() {
		x.logon = ch.logOn
		if ch.fromBackup || ch.logOn.Sub(x.stamp) > 14*day {
			x.stamp = ch.logOn
		}
	}
}

// The function "earliest" returns the earliest of the times. It ignores zero times among "more".
func earliest(first time.Time, more ...time.Time) time.Time {
	for _, t := range more {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}
