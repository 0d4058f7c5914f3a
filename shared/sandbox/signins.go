package sandbox

import (
	"slices"
	"time"
)

// How says how a person signed in.
type How uint8

// The kinds of sign-ins to Entra ID.
const (
	Interactive    How = 1 << iota // such as with a password
	NonInteractive                 // such as an app that refreshes its token
)

// SignIn is a sign-in to Entra ID.
type SignIn struct {
	At    time.Time
	Shown time.Time // when Graph shows the sign-in, up to 24 hours after At; zero: at once
	How   How       // one or both kinds
	// Failed reports whether the attempt failed. A failed attempt does not change lastSuccessfulSignInDateTime. It
	// changes the other two dates (docs-contrib: resources/signinactivity).
	Failed bool
}

// SignInDates are the dates of signInActivity. The zero time means null.
type SignInDates struct{ Interactive, NonInteractive, Successful time.Time }

// signIns are a person's sign-ins in the sandbox and the dates that Graph shows.
type signIns struct {
	shown   SignInDates
	last    time.Time // the last sign-in, whether Graph shows it or not
	coming  []SignIn  // sign-ins that Graph shows later; the next call of SignInAs moves the ones that are due into the field "shown"
	instead *SignInDates
}

// SignIn signs a person in to Entra ID now, and Graph shows it at once.
func (c *Company) SignIn(i int) { c.SignInAt(i, c.now()) }

// SignInAt signs a person in to Entra ID at an instant, which may be in the past. Graph shows it at once.
func (c *Company) SignInAt(i int, at time.Time) { c.SignInAs(i, SignIn{At: at, How: Interactive}) }

// SignInAs records a sign-in of a person to Entra ID, or a failed attempt.
func (c *Company) SignInAs(i int, s SignIn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.At = s.At.UTC().Truncate(time.Second)
	x, now := &c.changeOf(i).signIns, c.now()
	x.last = newest(x.last, s.At)
	x.coming = slices.DeleteFunc(append(x.coming, s), func(s SignIn) bool {
		if !s.Shown.After(now) {
			x.shown.add(s)
		}
		return !s.Shown.After(now)
	})
}

func (d *SignInDates) add(s SignIn) {
	if s.How&Interactive != 0 {
		d.Interactive = newest(d.Interactive, s.At)
	}
	if s.How&NonInteractive != 0 {
		d.NonInteractive = newest(d.NonInteractive, s.At)
	}
	if !s.Failed {
		d.Successful = newest(d.Successful, s.At)
	}
}

// ShowSignIns sets the dates that Graph shows in place of the true dates. They may be older, because real lists lose
// dates (msgraph-sdk-powershell#1898). If all are zero, Graph shows no signInActivity. If "instead" is nil, Graph
// shows the true dates again.
func (c *Company) ShowSignIns(i int, instead *SignInDates) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).signIns.instead = instead
}

// The method "show" sets the dates of signInActivity in d, as a read at "now" shows them.
func (x *signIns) show(d *dates, now time.Time) {
	d.lastSignIn = newest(d.lastSignIn, x.last)
	shown := x.shown
	for _, s := range x.coming {
		if !s.Shown.After(now) {
			shown.add(s)
		}
	}
	d.interactive, d.nonInteractive = newest(d.interactive, shown.Interactive), newest(d.nonInteractive, shown.NonInteractive)
	d.successful = newest(d.successful, shown.Successful)
	if x.instead != nil {
		d.interactive, d.nonInteractive, d.successful = x.instead.Interactive, x.instead.NonInteractive, x.instead.Successful
	}
}

func newest(first time.Time, more ...time.Time) time.Time {
	for _, t := range more {
		if t.After(first) {
			first = t
		}
	}
	return first
}
