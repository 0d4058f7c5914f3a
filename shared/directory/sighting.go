package directory

import "time"

// Sighting records newer activity dates of an Entra account that was read on its own, between two full readings. Active
// Directory accounts have no sightings, because a read before each write asks every domain controller for lastLogon. If
// a controller is removed, its last logons are lost, even if an earlier change read them.
type Sighting struct {
	Account string `json:"account"` // the Entra object id
	// Newest holds the dates in the order of Past.Newest.
	Newest [ActivityDates]time.Time `json:"newest"`
	At     time.Time                `json:"at"` // when the account was read
}

// Sighting returns the activity dates of the person's Entra account. It returns nil if no date is newer than in Past.
// The argument "at" is the time at which the person was read.
func (p *Person) Sighting(at time.Time) *Sighting {
	if p.Entra == nil {
		return nil
	}
	newest := p.Entra.Activity()
	for i, t := range newest {
		if t.Truncate(time.Second).After(p.Entra.Past.Newest[i]) {
			return &Sighting{Account: p.Entra.ID, Newest: newest, At: at.UTC()}
		}
	}
	return nil
}
