package directory

import "time"

// Sighting is what was read of the activity of one account of Entra ID between two
// readings of everybody, where it is later than what those knew. An account of Active
// Directory has none: at the last moment every controller tells its own last logon, which
// is later than the timestamp that readings of everybody compare.
type Sighting struct {
	Account string `json:"account"` // Entra id
	// Newest are the dates in the order of Past.Newest.
	Newest [ActivityDates]time.Time `json:"newest"`
	At     time.Time                `json:"at"` // when it was read
}

// Sighting is that of a person whose Past is known, as it was read at an instant; nil when
// earlier readings knew as much.
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
