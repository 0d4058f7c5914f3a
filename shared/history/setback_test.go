package history

import (
	"fmt"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/store"
)

// A change that a run could not make has a setback. The setback disappears when a run makes the change, or after some
// nights. A plan that can no longer begin a change (closed) does not cause a setback.
func TestSetback(t *testing.T) {
	t.Parallel()
	const results = `{"results":[{"user":"ann","license":"e3","status":%s}]}`
	tests := map[string]struct {
		nights []string // the results of each night; empty if there are none
		want   int      // number of setbacks
		due    time.Time
		said   string
	}{
		"failed":                        {[]string{`"failed","note":"no seat"`}, 1, at(0), "failed in the last run: no seat"},
		"failed, refused":               {[]string{`"failed","note":"no seat"`, `"refused","note":"held twice"`}, 2, at(3).Add(-early), "refused in the last run, and 2 nights in a row could not make it: held twice"},
		"three times, a night between":  {[]string{`"failed"`, `"kept"`, "", `"failed","note":"no"`}, 3, at(7).Add(-early), "failed in the last run, and 3 nights in a row could not make it: no"},
		"not reached":                   {[]string{`"pending","again":true,"note":"down"`}, 1, at(0), "not made in the last run: down"},
		"waiting":                       {[]string{`"pending"`}, 0, time.Time{}, ""},
		"closed":                        {[]string{`"refused","closed":true`}, 0, time.Time{}, ""},
		"failed, done":                  {[]string{`"failed"`, `"done"`}, 0, time.Time{}, ""},
		"failed, damaged results since": {[]string{`"failed","note":"no"`, `{`}, 1, at(0), "failed in the last run: no"},
		"never again":                   {append([]string{`"failed"`}, make([]string, 40)...), 0, time.Time{}, ""},
		"often": {[]string{`"failed"`, `"failed"`, `"failed"`, `"failed"`, `"failed"`, `"failed"`, `"failed","note":"no"`}, 7, at(6 + mostNights).Add(-early),
			"failed in the last run, and 7 nights in a row could not make it: no"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(0)
			for night, text := range tc.nights {
				w.plans(night, "ann")
				if text != "" {
					w.results(night, results, text)
				}
				w.settle(night + 1)
			}
			b := w.settle(len(tc.nights)+1).Setback("ann", "e3")
			switch {
			case tc.want == 0 && b == nil:
			case tc.want == 0 || b == nil:
				t.Errorf("%+v, want %d times", b, tc.want)
			case b.Times != tc.want || !b.Due().Equal(tc.due) || b.Said() != tc.said:
				t.Errorf("%+v: due %s, said %q", b, b.Due(), b.Said())
			}
		})
	}
	t.Run("under way", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.settle(0)
		w.plans(0, "ann", "bob")
		w.results(0, `{"results":[{"user":"ann","license":"e3","status":%s,"again":true},{"user":"bob","license":"e3","status":"failed"}]}`, `"pending"`)
		w.writes(0, "ann", "m365", "")
		w.writes(0, "bob", "m365", ledger.Failed)
		if st := w.settle(1); st.Setback("ann", "e3") != nil || st.Setback("bob", "e3") == nil {
			t.Errorf("ann %+v, bob %+v", st.Setback("ann", "e3"), st.Setback("bob", "e3"))
		}
	})
}

func (w *world) results(night int, format, status string) {
	w.Helper()
	text := status
	if status != "{" { // otherwise the results are damaged
		text = fmt.Sprintf(format, status)
	}
	if err := store.PutBytes(w.Context(), w.store, "runs/"+nameOf(night)+"/results/entra-0001.json", []byte(text)); err != nil {
		w.Fatal(err)
	}
}

// A setback ends when the same run or a later one begins or makes the change. It also ends when it expires.
func TestSetbackEnds(t *testing.T) {
	t.Parallel()
	key := Touch{User: "ann", License: "e3"}
	for name, tc := range map[string]struct {
		item *Item
		age  time.Duration // age of the setback
		want bool          // whether the setback stays
	}{
		"nothing since":         {nil, time.Hour, true},
		"long over":             {nil, setbackLasts + time.Second, false},
		"not quite over":        {nil, setbackLasts, true},
		"taken since":           {&Item{State: Taken, Run: nameOf(6)}, time.Hour, false},
		"taken by the same run": {&Item{State: Taken, Run: nameOf(5)}, time.Hour, false},
		"taken before":          {&Item{State: Taken, Run: nameOf(4)}, time.Hour, true},
		"restored since":        {&Item{State: Restored, Run: nameOf(6)}, time.Hour, false},
		"restored before":       {&Item{State: Restored, Run: nameOf(4)}, time.Hour, true},
		"under way since":       {&Item{State: Open, Run: nameOf(6)}, time.Hour, false},
		"announced since":       {&Item{State: Announced, Run: nameOf(6)}, time.Hour, true},
		"cannot be read":        {&Item{State: Unreadable}, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := &Digest{At: at(9), items: map[Touch]*Item{}, setbacks: map[Touch]*Setback{key: {Run: nameOf(5), AsOf: at(9).Add(-tc.age), Times: 1}}}
			if tc.item != nil {
				st.items[key] = tc.item
			}
			if err := st.readResults(t.Context(), newWorld(t).store, nil); err != nil {
				t.Fatal(err)
			}
			if got := st.Setback("ann", "e3") != nil; got != tc.want {
				t.Errorf("stays: %t", got)
			}
		})
	}
}

// A change whose result in a run is "failed" or "refused" has a setback. Several such results of one run count as one.
// They count only for a limited time (setbackLasts), and do not change a setback that comes from the same run or a
// newer one.
func TestResultsThatCount(t *testing.T) {
	t.Parallel()
	failed := func(w *world, night int) *Planned {
		w.results(night, `{"results":[{"user":"ann","license":"e3","status":%s,"note":"n"},{"user":"ann","license":"e3","status":"refused"}]}`, `"failed"`)
		return &Planned{Run: nameOf(night), AsOf: at(night), Touches: []Touch{{User: "ann", License: "e3"}}}
	}
	for name, tc := range map[string]struct {
		now    time.Time
		change func(*Planned)
		before *Setback
		want   int // number of setbacks
	}{
		"lately":                   {at(1), func(*Planned) {}, nil, 1},
		"for just as long":         {at(0).Add(setbackLasts), func(*Planned) {}, nil, 1},
		"long ago":                 {at(0).Add(setbackLasts + time.Second), func(*Planned) {}, nil, 0},
		"of a plan about nobody":   {at(1), func(p *Planned) { p.Touches = nil }, nil, 0},
		"counted already":          {at(1), func(*Planned) {}, &Setback{Run: nameOf(0), AsOf: at(0), Times: 3}, 3},
		"of a run before the last": {at(1), func(*Planned) {}, &Setback{Run: nameOf(1), AsOf: at(1), Times: 3, Status: "kept"}, 3},
		"once more":                {at(1), func(*Planned) {}, &Setback{Run: nameOf(-1), AsOf: at(-1), Times: 3}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := failed(w, 0)
			tc.change(p)
			st := &Digest{At: tc.now, items: map[Touch]*Item{}, setbacks: map[Touch]*Setback{}}
			if tc.before != nil {
				st.setbacks[Touch{User: "ann", License: "e3"}] = tc.before
			}
			if err := st.readResults(t.Context(), w.store, []*Planned{p}); err != nil {
				t.Fatal(err)
			}
			b := st.Setback("ann", "e3")
			if b == nil {
				b = &Setback{}
			}
			if said := tc.want > 0 && (tc.before == nil || tc.before.Status != "kept"); said && b.Status != "refused" {
				t.Errorf("the last result of the run is %q", b.Status)
			}
			if b.Times != tc.want || tc.before != nil && tc.before.Status == "kept" && b.Status != "kept" {
				t.Errorf("%+v, want %d times", b, tc.want)
			}
		})
	}
}

func TestSetbacksOfSeveral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(0)
	w.plans(0, "ann", "bob", "cid")
	w.results(0, `{"results":[{"user":"ann","license":"e3","status":"failed"},{"user":"bob","license":"e3","status":%s},{"user":"cid","license":"e3","status":"kept"}]}`, `"failed"`)
	st := w.settle(1)
	for _, user := range []string{"ann", "bob", "cid"} {
		if st.Setback(user, "e3") == nil {
			t.Errorf("%s has no setback", user)
		}
	}
}

// A setback counts nights. A second plan within an hour is no further night.
func TestSetbackOfOneNight(t *testing.T) {
	t.Parallel()
	st := &Digest{At: at(2), items: map[Touch]*Item{}, setbacks: map[Touch]*Setback{}}
	failed := &outcome{User: "ann", License: "e3", Status: "failed"}
	for i, tc := range []struct {
		asOf time.Time
		want int
	}{{at(0), 1}, {at(0).Add(time.Hour), 1}, {at(0).Add(2 * time.Hour), 1}, {at(1), 2}, {at(1).Add(time.Hour), 2}} {
		st.count(&Planned{Run: nameOf(i), AsOf: tc.asOf}, failed)
		if b := st.Setback("ann", "e3"); b.Times != tc.want {
			t.Errorf("try %d: %+v, want %d nights", i+1, b, tc.want)
		}
	}
}
