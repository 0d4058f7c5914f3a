package policy

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestStep(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for name, holds := range dateTests {
		for range 500 {
			at := time.Unix(1_700_000_000, r.Int64N(3)*r.Int64N(1e9))
			test := func(d time.Time) directory.Flag {
				return holds(directory.Value{State: directory.Known, Time: d}, at)
			}
			s := stepAt(at, test)
			for _, date := range []int64{at.UnixMicro() - 1e9, at.UnixMicro() - 1, at.UnixMicro(), at.UnixMicro() + 1, at.UnixMicro() + 1e9} {
				if got, want := s.of(date), test(time.UnixMicro(date)); got != want {
					t.Fatalf("seed %d: %s of %s at %s is %v, want %v", seed, name, time.UnixMicro(date), at, got, want)
				}
			}
		}
	}
}
