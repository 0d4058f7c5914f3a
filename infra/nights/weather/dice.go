package weather

import "slices"

// The type "dice" is a random number generator whose numbers depend only on its seed.
type dice uint64

// The method "next" returns the next number by splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
// Generators).
func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// The method "below" returns a number from 0 to n-1. It does not advance the generator: without a call of "next" in
// between, two calls return the same number.
func (d dice) below(n int) int { return int(d.next() % uint64(n)) }

// The method "float" returns a number from 0 up to, but not including, 1.
func (d dice) float() float64 { return float64(d.next()>>11) / (1 << 53) }

func pick[T any](d dice, of ...T) T { return of[d.below(len(of))] }

func shuffled[T any](list []T, d dice) []T {
	for i := len(list) - 1; i > 0; i-- {
		d.next()
		j := d.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// The function "twice" returns a list in which one to three entries are repeated at random positions.
func twice[T any](list []T, d dice) []T {
	for range min(1+d.below(3), len(list)) {
		d.next()
		from := d.below(len(list))
		d.next()
		list = slices.Insert(list, d.below(len(list)+1), list[from])
	}
	return list
}

// The function "hash" returns a number (FNV-1a) that depends on all that identifies a fault. The random decisions about
// the fault start from it, so a repeated night has the same faults.
func hash(seed uint64, night int, kind, target string, nth int) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, n := range [...]uint64{seed, uint64(night), uint64(nth)} {
		for range 8 {
			h, n = (h^n&0xff)*prime, n>>8
		}
	}
	for _, s := range [...]string{kind, "\x00", target} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * prime
		}
	}
	return h
}
