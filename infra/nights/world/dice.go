package world

import "math/rand/v2"

// The type "dice" draws random numbers for one purpose, such as the leave of one person in one night. They depend only
// on the purpose and the seed. If one event is left out, the numbers for other events therefore do not change.
type dice struct{ *rand.Rand }

// The function "throw" returns the dice for a purpose, such as "leave". The parameter "numbers" says more about the
// purpose, for example which night and which person. Equal arguments give dice with equal numbers.
func throw(seed uint64, purpose string, numbers ...int) dice {
	const prime = 0x100000001b3 // FNV-1a (IETF draft-eastlake-fnv)
	h := uint64(0xcbf29ce484222325)
	for _, b := range []byte(purpose) {
		h = (h ^ uint64(b)) * prime
	}
	for _, n := range numbers {
		h = (h ^ uint64(n)) * prime
	}
	return dice{rand.New(rand.NewPCG(seed, h))}
}

// The method "chance" returns true with the probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }
