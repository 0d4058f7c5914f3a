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
}

// Sample counts one person's date. One after notAfter is a fault of a clock and
// not the newest.
func (f *Freshness) Sample(date, notAfter time.Time) {
	f.Sampled++
	if date.IsZero() {
		return
	}
	f.WithActivity++
	if date.After(f.Newest) && !date.After(notAfter) {
		f.Newest = date
	}
}

// Join adds the dates of other people.
func (f *Freshness) Join(o Freshness) {
	f.Sampled += o.Sampled
	f.WithActivity += o.WithActivity
	if o.Newest.After(f.Newest) {
		f.Newest = o.Newest
	}
}
