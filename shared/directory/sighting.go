package directory

import "time"

// Sighting is what was read of the activity of one account between two readings of
// everybody, where it is later than what those knew.
type Sighting struct {
	Account string `json:"account"` // Entra id or SID
	// Newest are the dates in the order of Past.Newest.
	Newest [ActivityDates]time.Time `json:"newest"`
	At     time.Time                `json:"at"` // when it was read
}

// Sightings are those of a person's accounts, whose Past is known, as they were read at
// an instant.
func (p *Person) Sightings(at time.Time) (all []Sighting) {
	add := func(account string, newest [ActivityDates]time.Time, past *Past) {
		for i, t := range newest {
			if t.Truncate(time.Second).After(past.Newest[i]) {
				all = append(all, Sighting{Account: account, Newest: newest, At: at.UTC()})
				return
			}
		}
	}
	if u := p.Entra; u != nil {
		add(u.ID, u.Activity(), &u.Past)
	}
	if a := p.AD; a != nil {
		add(a.SID, a.Activity(), &a.Past)
	}
	return all
}
