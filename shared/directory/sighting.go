package directory

import "time"

// Sighting has the activity dates of an account that was read on its own, between two readings of everybody. At least
// one date is newer than all readings of everybody showed before. Later runs remember the newer date, because a later
// reading of everybody may show an older date.
type Sighting struct {
	Account string `json:"account"` // the Entra object id or the SID
	// Newest holds the activity dates. For Entra ID they are the last interactive, the last non-interactive and the last
	// successful sign-in. For Active Directory only the first element is set, to the last logon.
	Newest [ActivityDates]time.Time `json:"newest"`
	At     time.Time                `json:"at"` // when the account was read
}

// Sightings returns the activity dates of the person's two accounts. A result is nil if the person lacks the account, or
// if no date of the account is newer than in Past. The argument "at" is the time at which the person was read.
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
