package history

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// sightingLasts is for how long a sighting is kept. The next healthy reading remembers it
// with what it knows of the account, so a sighting has to last until there is one.
const sightingLasts = 90 * 24 * time.Hour

// Sighting is what a change saw of an account at the last moment; nil: nothing later than
// the readings of everybody.
func (s *Standing) Sighting(account string) *directory.Sighting {
	if s == nil {
		return nil
	}
	return s.sightings[account]
}

// saw adds a sighting, if there is one. The newest of each date counts.
func (s *Standing) saw(seen *directory.Sighting) {
	if seen == nil {
		return
	}
	if known := s.sightings[seen.Account]; known != nil {
		for i, t := range known.Newest {
			if t.After(seen.Newest[i]) {
				seen.Newest[i] = t
			}
		}
	}
	s.sightings[seen.Account] = seen
}

// forget leaves out sightings that are over their time, or from the future.
func (s *Standing) forget() {
	for account, seen := range s.sightings {
		if age := s.At.Sub(seen.At); age > sightingLasts || age < 0 {
			delete(s.sightings, account)
		}
	}
}
