package decision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

func put(t *testing.T, r *Run, partition int, d plan.Decision, sum Summary) {
	t.Helper()
	err := r.Put(t.Context(), partition, func(emit func(*plan.Decision) error) (Summary, error) { return sum, emit(&d) })
	if err != nil {
		t.Fatal(err)
	}
}

func tallies(reclaim int) []plan.Tally {
	return []plan.Tally{{Rule: "m365", Holders: 9, Keep: 1, Reclaim: reclaim, Undecided: 3, Exempt: 4}, {Rule: "m365-long"}, {Rule: "citrix", Holders: 1}}
}

func TestPutAndEach(t *testing.T) {
	t.Parallel()
	r := world{partitions: 2}.seal(t)
	first := plan.Decision{
		User: "id-a", UserPrincipalName: `a"<b>@x.example`, Rule: "m365", License: "e3", To: "exo", Outcome: policy.Reclaim, Reason: "no sign-in",
		IdleSince: daysAgo(70), Created: daysAgo(900), Via: plan.Direct, Evidence: []policy.Evidence{{Attribute: "created", Value: "2024"}},
	}
	second := plan.Decision{User: "id-b", Rule: "citrix", License: "citrix", Outcome: policy.Undecided, Reason: "not read", Refused: "why"}
	put(t, r, 1, second, Summary{People: 30, Tallies: tallies(5)})
	put(t, r, 0, first, Summary{People: 20, Tallies: tallies(2)})
	var got []plan.Decision
	sum, err := r.Each(t.Context(), func(d *plan.Decision) error {
		got = append(got, *d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]plan.Decision{first, second}, got); d != "" {
		t.Errorf("decisions (-put +read):\n%s", d)
	}
	want := Summary{People: 50, Tallies: []plan.Tally{{Rule: "m365", Holders: 18, Keep: 2, Reclaim: 7, Undecided: 6, Exempt: 8}, {Rule: "m365-long"}, {Rule: "citrix", Holders: 2}}}
	if d := cmp.Diff(want, sum); d != "" {
		t.Errorf("summary (-want +got):\n%s", d)
	}
}

func TestEachWantsEveryPartitionToItsEnd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lines []any // lines of partition 1; nil if the partition is missing
		is    error
	}{
		"missing":              {nil, store.ErrNotFound},
		"empty":                {[]any{}, store.ErrDamaged},
		"without summary":      {[]any{plan.Decision{User: "a"}}, store.ErrDamaged},
		"of another policy":    {[]any{line{Summary: &Summary{Tallies: tallies(1)[:1]}}}, store.ErrDamaged},
		"a line of other kind": {[]any{[]string{"x"}}, store.ErrDamaged},
		"unknown outcome":      {[]any{map[string]string{"user": "a", "outcome": "maybe"}}, store.ErrDamaged},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := world{partitions: 2}.seal(t)
			put(t, r, 0, plan.Decision{User: "id-a"}, Summary{Tallies: tallies(1)})
			if tc.lines != nil {
				putRaw(t, r, 1, tc.lines)
			}
			sum, err := r.Each(t.Context(), func(*plan.Decision) error { return nil })
			if !errors.Is(err, tc.is) || !strings.Contains(fmt.Sprint(err), "partition 1") {
				t.Errorf("error %v, want %v for partition 1", err, tc.is)
			}
			if d := cmp.Diff(Summary{}, sum); d != "" {
				t.Errorf("a summary all the same (-want +got):\n%s", d)
			}
		})
	}
	r := world{}.seal(t)
	putRaw(t, r, 0, []any{struct{}{}, line{Summary: &Summary{Tallies: make([]plan.Tally, len(r.Policy.Rules))}}})
	if _, err := r.Each(t.Context(), func(*plan.Decision) error { return nil }); !errors.Is(err, store.ErrDamaged) {
		t.Error("a line without a decision passes")
	}
}

func putRaw(t *testing.T, r *Run, partition int, lines []any) {
	t.Helper()
	err := store.PutLines(t.Context(), r.store, layout.Decisions("run", partition), func(emit func(any) error) error {
		for _, l := range lines {
			if err := emit(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestErrorsOfCallersPassThrough(t *testing.T) {
	t.Parallel()
	r := world{}.seal(t)
	stop := errors.New("stop")
	err := r.Put(t.Context(), 0, func(func(*plan.Decision) error) (Summary, error) { return Summary{}, stop })
	if !errors.Is(err, stop) {
		t.Errorf("Put: %v", err)
	}
	if _, err := r.Each(t.Context(), func(*plan.Decision) error { return nil }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a partition whose writing failed is there: %v", err)
	}
	put(t, r, 0, plan.Decision{User: "id-a"}, Summary{Tallies: tallies(1)})
	_, err = r.Each(t.Context(), func(*plan.Decision) error { return stop })
	if !errors.Is(err, stop) || errors.Is(err, store.ErrDamaged) {
		t.Errorf("Each: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Each(ended, func(*plan.Decision) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Each, cancelled: %v", err)
	}
}

// TestOutlooksOfAllPartitions: an earlier version evaluated some partitions. Their outlooks are missing, or count fewer
// or more days. The sum over all partitions omits days that this version does not count.
func TestOutlooksOfAllPartitions(t *testing.T) {
	t.Parallel()
	r := world{partitions: 5}.seal(t)
	counted := func(n int) Summary {
		sum := Summary{Tallies: tallies(1), Outlooks: r.outlooks(), Turning: []Turning{{Key: uint64(n), On: int64(n)}}}
		sum.Outlooks[1].Turns[3], sum.Outlooks[1].Idle.Never = n, n
		return sum
	}
	longer, shorter := counted(1), counted(1)
	longer.Outlooks[1].Turns = append(longer.Outlooks[1].Turns, 9)
	shorter.Outlooks[1].Turns = shorter.Outlooks[1].Turns[:4]
	for n, sum := range []Summary{counted(2), {Tallies: tallies(1)}, longer, shorter, counted(5)} {
		put(t, r, n, plan.Decision{User: "u"}, sum)
	}
	got, err := r.Each(t.Context(), func(*plan.Decision) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := r.outlooks()
	want[1].Turns[3], want[1].Idle.Never = 9, 9
	if d := cmp.Diff(want, got.Outlooks); d != "" {
		t.Errorf("outlooks (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]Turning{{Key: 2, On: 2}, {Key: 1, On: 1}, {Key: 1, On: 1}, {Key: 5, On: 5}}, got.Turning); d != "" {
		t.Errorf("turning (-want +got):\n%s", d)
	}
}

// TestVerdictsThatTurnSoonest: a summary lists the verdicts that turn to reclaim soonest, at most mostTurning for all
// partitions. They may be spread unevenly, so each partition keeps more of them than mostTurning divided by the number
// of partitions.
func TestVerdictsThatTurnSoonest(t *testing.T) {
	t.Parallel()
	for partitions, most := range map[int]int{1: mostTurning, 8: 1100} {
		r := world{partitions: partitions}.seal(t)
		for n := range partitions {
			sum := Summary{Tallies: tallies(1)}
			for i := range mostTurning + 500 {
				if n == 0 {
					sum.Turning = append(sum.Turning, Turning{Key: uint64(i), On: int64(mostTurning + 500 - i)})
				}
			}
			put(t, r, n, plan.Decision{User: "u"}, sum)
		}
		got, err := r.Each(t.Context(), func(*plan.Decision) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Turning) != most {
			t.Fatalf("%d partitions: %d verdicts are kept, want %d", partitions, len(got.Turning), most)
		}
		for i, one := range got.Turning {
			if one.On != int64(i+1) {
				t.Fatalf("%d partitions: verdict %d turns at %d", partitions, i, one.On)
			}
		}
	}
}
