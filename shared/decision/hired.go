package decision

import "github.com/idleseat/idleseat/shared/directory"

// A right that is lost, or a property that is hidden, lets Entra ID answer without any hire date. New people would then
// lose their grace. A run therefore counts the hire dates and compares them with the last healthy reading.

// HiresLost returns the number of accounts with a hire date in the last healthy reading of Entra ID, if this reading has
// far fewer. The hire date of the people without one is then unknown. Otherwise it returns 0. It also returns 0 if no
// verdict rests on hire dates, if Entra ID did not list everybody, for a run for one person, and for a run with
// --accept-feeds.
func (r *Run) HiresLost() (before int) {
	b := r.baseline(directory.Signal(directory.Entra))
	if r.Feeds[directory.Entra].Incomplete || !r.Policy.ReadsHired() || !b.FewerHired(r.Manifest.Readings[directory.Entra].Freshness) {
		return 0
	}
	return b.WithHired
}

// The method "doubtHired" marks the accounts whose hire date may be lost.
func (r *Run) doubtHired(h *directory.Accounts) {
	if r.HiresLost() == 0 {
		return
	}
	for i := range h.Entra {
		h.Entra[i].HiredInDoubt = h.Entra[i].Hired.IsZero()
	}
}

// Hires returns the number of hire dates with which later runs compare theirs. While many of them are lost, it is the
// number in the last healthy reading.
func (r *Run) Hires() int {
	now := r.Manifest.Readings[directory.Entra].Freshness
	if b := r.baseline(directory.Signal(directory.Entra)); b.FewerHired(now) {
		return b.WithHired
	}
	return now.WithHired
}
