package decision

import (
	"math/rand/v2"
	"testing"

	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// A lookup finds each account of the table in any order of calls, except an account that is in the table twice.
func TestLookup(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for _, doubled := range []bool{false, true} {
		var list []known.Account
		for i := range 5000 {
			list = append(list, known.Account{Key: known.KeyOf(string(rune(i))), Seen: known.Second(i)})
		}
		if doubled {
			list = append(list, list[7])
		}
		for name, of := range map[string]func(i int) int{
			"in order":        func(i int) int { return i },
			"with gaps":       func(i int) int { return i * 3 % 5000 },
			"far ahead":       func(i int) int { return i * 40 % 5000 },
			"in any order":    func(int) int { return r.IntN(5000) },
			"one out of four": func(i int) int { return []int{i, i, i, r.IntN(5000)}[i%4] },
		} {
			l := &lookup{list: list}
			l.index()
			for i := range 5000 {
				n := of(i)
				got := l.of(list[n].Key)
				if twice := doubled && n == 7; (got == nil) != twice || got != nil && got.Seen != known.Second(n) {
					t.Fatalf("seed %d, %s: account %d is found as %v", seed, name, n, got)
				}
				if got := l.of(uint64(i)); got != nil {
					t.Fatalf("seed %d, %s: an account that is not there is found as %v", seed, name, got)
				}
			}
		}
	}
}
