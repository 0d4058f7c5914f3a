package history

import (
	"iter"
	"maps"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// sightingLasts is how long a sighting is kept. It must last until the next healthy reading. That reading stores the
// dates with the other remembered data of the account.
const sightingLasts = 90 * 24 * time.Hour

// Sighting returns the activity dates of an account that were read just before a change. It returns nil if there are no
// such dates, or if the digest has dropped them.
func (s *Digest) Sighting(account string) *directory.Sighting {
	if s == nil {
		return nil
	}
	return s.sightings[account]
}

// Sighted yields the accounts that have a sighting, in no particular order.
func (s *Digest) Sighted() iter.Seq[string] {
	if s == nil {
		return func(func(string) bool) {}
	}
	return maps.Keys(s.sightings)
}

// The method "saw" adds a sighting, which may be nil. If an account has several sightings, the method keeps the newest
// date of each kind.
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

// The method "forget" drops sightings that have expired or lie in the future.
func (s *Digest) forget() {
	for account, seen := range s.sightings {
		if age := s.At.Sub(seen.At); age > sightingLasts || age < 0 {
			delete(s.sightings, account)
		}
	}
}
