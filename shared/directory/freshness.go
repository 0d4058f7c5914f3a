package directory

import "time"

// Freshness is how the activity dates of one source look as a whole, by which
// its feed is judged.
type Freshness struct {
	// Sampled is how many people it was taken from: all of them, or the first
	// page where only a look was wanted.
	Sampled      int       `json:"sampled"`
	WithActivity int       `json:"withActivity"`
	Newest       time.Time `json:"newest,omitzero"` // newest date of anybody
	// Settled are the enabled accounts that are older than settled, without guests:
	// most of them have been used. SettledWithActivity are those that have a date.
	Settled             int `json:"settled,omitempty"`
	SettledWithActivity int `json:"settledWithActivity,omitempty"`
}

// settled is the age from which on an account can be expected to have been used.
const settled = 30 * 24 * time.Hour

// SampleEntra counts one account. A date after notAfter is a fault of a clock and
// not the newest.
func (f *Freshness) SampleEntra(u *EntraUser, notAfter time.Time) {
	f.sample(u.LastActivity(), notAfter, u.Enabled == Yes && u.UserType != "Guest" && u.Created.Before(notAfter.Add(-settled)))
}

// SampleAD counts one account, as SampleEntra does.
func (f *Freshness) SampleAD(u *ADUser, notAfter time.Time) {
	f.sample(u.LastLogonTimestamp, notAfter, u.Enabled == Yes && u.Created.Before(notAfter.Add(-settled)))
}

func (f *Freshness) sample(date, notAfter time.Time, settled bool) {
	f.Sampled++
	if settled {
		f.Settled++
	}
	if date.IsZero() {
		return
	}
	f.WithActivity++
	if settled {
		f.SettledWithActivity++
	}
	if date.After(f.Newest) && !date.After(notAfter) {
		f.Newest = date
	}
}

// Join adds the dates of other people.
func (f *Freshness) Join(o Freshness) {
	f.Sampled += o.Sampled
	f.WithActivity += o.WithActivity
	f.Settled += o.Settled
	f.SettledWithActivity += o.SettledWithActivity
	if o.Newest.After(f.Newest) {
		f.Newest = o.Newest
	}
}
