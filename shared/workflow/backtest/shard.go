package backtest

import (
	"math/bits"
	"slices"
	"sync"

	"github.com/idleseat/idleseat/shared/policy"
)

type hit struct {
	key        uint64 // decision.PersonKey
	rule       int    // index into trial.rules
	threshold  int    // index into tried.thresholds
	department int32  // index into departments.names
	night      int    // the night of the hit
	// The field "came" is the time of the return in microseconds since 1970, or policy.None. The field "shown" is the
	// night whose snapshot shows the return.
	came  int64
	shown int
	// The field "known" is the last night before "shown" on which the person's dates were known. The field "present"
	// is the last night whose snapshot has the person.
	known, present int
}

// shard has the people of one partition from whom a rule reclaimed on any night (hits). One worker at a time uses a
// shard. The slot of a person is an index into "keys".
type shard struct {
	*trial
	keys    []uint64 // by slot
	at      []int32  // a hash table of slot+1; 0: the place is free
	present []int16  // by slot: the last night whose snapshot has the person
	rules   []shardRule
	earlier *earlier // nil as long as the number of partitions has not changed
}

type shardRule struct {
	// The fields "open" and "ever" have one number for each slot, with one bit for each threshold. The bit in "open"
	// is set while the person is hit. The bit in "ever" stays set.
	open, ever []uint32
	base       []int64 // by slot: the last date of use before the open hits
	known      []int16 // by slot: the last night whose data rules out a later date of use
	// The field "night" has the night of the last hit, and "department" the number of the person's department on this
	// night. Both have one element for each slot and threshold.
	night      []int16
	department []int32
}

func newShard(t *trial) *shard {
	return &shard{trial: t, at: make([]int32, 64), rules: make([]shardRule, len(t.rules))}
}

// The method "home" returns the place of a key in the hash table, or the free place for a new key. A key is a hash, so
// its low bits give the first place to try.
func (s *shard) home(key uint64) int {
	place := int(key) & (len(s.at) - 1)
	for s.at[place] != 0 && s.keys[s.at[place]-1] != key {
		place = (place + 1) & (len(s.at) - 1)
	}
	return place
}

// The method "find" returns the slot of a person, which is an index into s.keys, or -1 if the person was never hit.
func (s *shard) find(key uint64) int {
	slot := int(s.at[s.home(key)]) - 1
	if slot < 0 && s.earlier != nil {
		slot = s.takeOver(key)
	}
	return slot
}

// takeOver moves a person from an earlier shard into this shard. It returns the new slot, or -1 if no earlier shard
// has the person.
func (s *shard) takeOver(key uint64) int {
	old, from, is := s.earlier.take(key)
	if !is {
		return -1
	}
	slot := s.put(key)
	s.present[slot] = old.present[from]
	for i := range s.rules {
		r, o, n := &s.rules[i], &old.rules[i], len(s.trial.rules[i].thresholds)
		r.open[slot], r.ever[slot], r.base[slot], r.known[slot] = o.open[from], o.ever[from], o.base[from], o.known[from]
		copy(r.night[slot*n:], o.night[from*n:(from+1)*n])
		copy(r.department[slot*n:], o.department[from*n:(from+1)*n])
		o.open[from] = 0
	}
	return slot
}

func (s *shard) put(key uint64) int {
	if 2*(len(s.keys)+1) > len(s.at) {
		s.at = make([]int32, 2*len(s.at))
		for slot, k := range s.keys {
			s.at[s.home(k)] = int32(slot + 1)
		}
	}
	s.keys, s.present = append(s.keys, key), append(s.present, 0)
	s.at[s.home(key)] = int32(len(s.keys))
	for i := range s.rules {
		r, thresholds := &s.rules[i], len(s.trial.rules[i].thresholds)
		r.open, r.ever = append(r.open, 0), append(r.ever, 0)
		r.base, r.known = append(r.base, policy.None), append(r.known, 0)
		r.night, r.department = append(r.night, make([]int16, thresholds)...), append(r.department, make([]int32, thresholds)...)
	}
	return len(s.keys) - 1
}

// The method "see" records the facts that one night shows about a person. The parameter "mask" has a bit for each
// threshold at which the rule reclaims, and "at" is the newest known date of use. The parameter "known" is true if no
// later date can exist.
func (v *visit) see(slot, rule int, mask uint32, at int64, known bool, department func() string) {
	s, r := v.shard, &v.shard.rules[rule]
	if r.open[slot] != 0 {
		if at > r.base[slot] {
			s.close(slot, rule, at, v.night, v.counts, v.each)
		} else if known {
			r.known[slot] = int16(v.night)
		}
	}
	hits := mask &^ r.open[slot]
	if v.last {
		v.counts.addSeats(rule, mask)
	}
	if hits == 0 {
		return
	}
	if r.open[slot] == 0 {
		r.base[slot], r.known[slot] = at, int16(v.night)
	}
	v.counts.addPeople(rule, hits&^r.ever[slot])
	r.open[slot], r.ever[slot] = r.open[slot]|hits, r.ever[slot]|hits
	where := v.departments.of(department())
	for ; hits != 0; hits &= hits - 1 {
		one := slot*len(s.trial.rules[rule].thresholds) + bits.TrailingZeros32(hits)
		r.night[one], r.department[one] = int16(v.night), where
	}
}

// The method "close" ends the open hits of a person: it counts them, and passes them to the function "each". The
// parameter "came" is the time of the return, or policy.None if the person did not come back.
func (s *shard) close(slot, rule int, came int64, shown int, c *counts, each func(*hit)) {
	r, thresholds := &s.rules[rule], len(s.trial.rules[rule].thresholds)
	for open := r.open[slot]; open != 0; open &= open - 1 {
		k := bits.TrailingZeros32(open)
		h := hit{
			key: s.keys[slot], rule: rule, threshold: k, department: r.department[slot*thresholds+k], night: int(r.night[slot*thresholds+k]),
			came: came, shown: shown, known: int(r.known[slot]), present: int(s.present[slot]),
		}
		h.known = max(h.known, h.night)
		c.count(&h)
		if each != nil {
			each(&h)
		}
	}
	r.open[slot] = 0
}

func (s *shard) end(c *counts, each func(*hit)) {
	for slot := range s.keys {
		for rule := range s.rules {
			s.close(slot, rule, policy.None, 0, c, each)
		}
	}
}

// The type "earlier" has the shards of an earlier division into partitions. A key does not show the partition of a
// person, so a new shard takes a person over when a night shows the person in the partition of the shard.
type earlier struct {
	mu     sync.Mutex
	shards []*shard
	people map[uint64]slotOf
}

type slotOf struct{ shard, slot int }

// The method "take" returns the earlier shard and the slot of a person. Only the first call with a key finds the
// person.
func (e *earlier) take(key uint64) (old *shard, slot int, is bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, is := e.people[key]
	if !is {
		return nil, 0, false
	}
	delete(e.people, key)
	return e.shards[at.shard], at.slot, true
}

// The function "divided" returns empty shards for another number of partitions. They later take over the people of the
// given shards.
func divided(t *trial, shards []*shard, partitions int) []*shard {
	var e *earlier
	if len(shards) > 0 {
		e = &earlier{shards: shards, people: map[uint64]slotOf{}}
		if before := shards[0].earlier; before != nil { // has the people who are not taken over yet
			e.shards = append(e.shards[:len(shards):len(shards)], before.shards...)
		}
		for i, s := range slices.Backward(e.shards) { // the entry of a newer shard replaces the entry of an older shard
			for slot, key := range s.keys {
				e.people[key] = slotOf{i, slot}
			}
		}
	}
	next := make([]*shard, partitions)
	for i := range next {
		next[i] = newShard(t)
		next[i].earlier = e
	}
	return next
}

// The function "all" returns the given shards. If the number of partitions has changed, it also returns the shards from
// before the change, because they still have the people whom no new shard has taken over.
func all(shards []*shard) []*shard {
	if len(shards) == 0 || shards[0].earlier == nil {
		return shards
	}
	return append(shards[:len(shards):len(shards)], shards[0].earlier.shards...)
}

// The type "departments" numbers the names of departments. It is safe for concurrent use.
type departments struct {
	mu    sync.Mutex
	names []string
	index map[string]int32
}

func (d *departments) of(name string) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, is := d.index[name]
	if !is {
		i = int32(len(d.names))
		d.index[name], d.names = i, append(d.names, name)
	}
	return i
}
