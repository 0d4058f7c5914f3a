package history

import (
	"iter"
	"maps"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// sightingLasts is how long a sighting counts, which has the dates that were read just before a change. It must be
// longer than the time until the next healthy reading, because that reading stores the dates in the table of known
// accounts.
const sightingLasts = 90 * 24 * time.Hour

// Sighting returns the activity dates of an account that were read just before a change, or nil.
func (s *Digest) Sighting(account string) *directory.Sighting {
	if s == nil {
		return nil
	}
	return s.sightings[account]
}

// Sighted yields the accounts with a sighting, in no particular order.
func (s *Digest) Sighted() iter.Seq[string] {
	if s == nil {
		return func(func(string) bool) {}
	}
	return maps.Keys(s.sightings)
}

// The method "saw" adds a sighting, which may be nil. If the account has a sighting already, the newer of the two dates
// of each kind stays.
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

// The method "forget" drops sightings that have expired or are in the future.
func (s *Digest) forget() {
	for account, seen := range s.sightings {
		if age := s.At.Sub(seen.At); age > sightingLasts || age < 0 {
			delete(s.sightings, account)
		}
	}
}
