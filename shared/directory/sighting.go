package directory

import "time"

// Sighting is a newer date of activity of one Entra account that was read between two readings of everybody. An account
// of Active Directory has no Sighting. Before a write every controller is asked for its own lastLogon. It is later than
// the timestamp that readings of everybody compare.
type Sighting struct {
	Account string `json:"account"` // the Entra object id
	// Newest are the dates in the order of Past.Newest.
	Newest [ActivityDates]time.Time `json:"newest"`
	At     time.Time                `json:"at"` // when it was read
}

// Sighting returns the person's dates of activity when at least one of them is newer than in Past. at is when the
// person was read. It returns nil when earlier readings knew as much.
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
