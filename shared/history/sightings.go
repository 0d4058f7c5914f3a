package history

import (
	"iter"
	"maps"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// sightingLasts is how long a sighting is kept. A sighting must last until the next healthy reading, which remembers it
// with the rest of the account.
const sightingLasts = 90 * 24 * time.Hour

// Sighting returns the dates of activity that a change read from an account at the last moment. It is nil when no such
// date is later than the dates of the last reading.
func (s *Digest) Sighting(account string) *directory.Sighting {
	if s == nil {
		return nil
	}
	return s.sightings[account]
}

// Sighted yields the accounts that have a sighting, in no order.
func (s *Digest) Sighted() iter.Seq[string] {
	if s == nil {
		return func(func(string) bool) {}
	}
	return maps.Keys(s.sightings)
}

// saw adds a sighting, if there is one. The newest of each date counts.
func (s *Digest) saw(seen *directory.Sighting) {
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

// forget drops sightings that have expired or are from the future.
func (s *Digest) forget() {
	for account, seen := range s.sightings {
		if age := s.At.Sub(seen.At); age > sightingLasts || age < 0 {
			delete(s.sightings, account)
		}
	}
}
