package directory

import "time"

// Freshness summarizes the activity dates of one source. Package plan judges the health of the feed by it.
type Freshness struct {
	// Sampled is the number of people in the summary, which may be only the first page of the source.
	Sampled      int       `json:"sampled"`
	WithActivity int       `json:"withActivity"`
	Newest       time.Time `json:"newest,omitzero"` // the newest date of all people
	// Settled counts enabled accounts that are more than 30 days old and no guests. Such accounts are expected to have
	// been used. SettledWithActivity counts those of them that have an activity date.
	Settled             int `json:"settled,omitempty"`
	SettledWithActivity int `json:"settledWithActivity,omitempty"`
	// WithHired counts the accounts of Entra ID that have a hire date.
	WithHired int `json:"withHired,omitempty"`
}

// The constant "settled" is the age at which an account is expected to have been used.
const settled = 30 * 24 * time.Hour

// SampleEntra counts one account. A date after notAfter comes from a wrong clock and does not become Newest.
func (f *Freshness) SampleEntra(u *EntraUser, notAfter time.Time) {
	if !u.Hired.IsZero() {
		f.WithHired++
	}
	f.sample(u.LastActivity(), notAfter, u.Enabled == Yes && u.UserType != "Guest" && u.Created.Before(notAfter.Add(-settled)))
}

// SampleAD is SampleEntra for Active Directory.
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

// Join adds the summary o of other people.
func (f *Freshness) Join(o Freshness) {
	f.Sampled += o.Sampled
	f.WithActivity += o.WithActivity
	f.Settled += o.Settled
	f.SettledWithActivity += o.SettledWithActivity
	f.WithHired += o.WithHired
	if o.Newest.After(f.Newest) {
		f.Newest = o.Newest
	}
}
