package directory

import "time"

// Sighting has the activity dates that a reading of one account showed just before a change. At least one of them is
// newer than in any earlier reading of everybody. Later runs keep them, because a later reading of everybody may show
// an older date.
type Sighting struct {
	Account string `json:"account"` // the Entra object id or the SID
	// Newest has the last interactive, non-interactive and successful sign-in or, for Active Directory, the last logon
	// in the first element.
	Newest [ActivityDates]time.Time `json:"newest"`
	At     time.Time                `json:"at"` // when the account was read
}

// Sightings returns the activity dates of the two accounts. A result is nil without an account, and if no date is newer
// than in Past. The result "ad" is also nil if a logon is in the future. The argument "at" is when the person was read.
func (p *Person) Sightings(at time.Time) (entra, ad *Sighting) {
	if p.Entra != nil {
		entra = sighting(p.Entra.ID, p.Entra.Activity(), &p.Entra.Past, at)
	}
	if p.AD != nil && !p.AD.DatesInDoubt {
		ad = sighting(p.AD.SID, p.AD.Activity(), &p.AD.Past, at)
	}
	return entra, ad
}

func sighting(account string, newest [ActivityDates]time.Time, past *Past, at time.Time) *Sighting {
	for i, t := range newest {
		if t.Truncate(time.Second).After(past.Newest[i]) {
			return &Sighting{Account: account, Newest: newest, At: at.UTC()}
		}
	}
	return nil
}
