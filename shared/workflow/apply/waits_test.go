package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

func (m *move) has(t *testing.T, b *bench, what ledger.Seen) bool {
	t.Helper()
	mark, err := ledger.In(b.Store).Noted(t.Context(), m.entry, what)
	if err != nil {
		t.Fatal(err)
	}
	return mark != nil
}

// TestWaiting: a change waits for the directory. A call of apply notes in the ledger what it reads: the person has lost
// the license (SeenFree) or is in the target group (SeenInTarget). After the plan has expired, the call ends the change
// or asks an operator to look in the admin center.
func TestWaiting(t *testing.T) {
	t.Parallel()
	const expired = "waits; the plan expired meanwhile: look in the admin center"
	for name, tc := range map[string]struct {
		target   string
		turned   bool
		note     string
		held     bool // whether the person is in the source group
		inTarget bool
		left     bool
		expired  bool
		fail     map[string]error
		broken   string
		status   runs.Status
		want     string
		free, in bool // whether the ledger then has the notes SeenFree and SeenInTarget
	}{
		"held, in the target":               {"g-exo", false, "waits", true, true, false, false, nil, "", runs.Pending, "waits", false, true},
		"held, not in the target":           {"g-exo", false, "waits", true, false, false, false, nil, "", runs.Pending, "waits", false, false},
		"held, in the target, left":         {"g-exo", false, "waits", true, true, true, false, nil, "", runs.Pending, "waits", false, false},
		"free, in the target, left":         {"g-exo", false, "waits", false, true, true, false, nil, "", runs.Pending, "waits", true, false},
		"free, not left":                    {"g-exo", false, "waits", false, false, false, false, nil, "", runs.Pending, "waits", false, false},
		"free, not left, no target":         {"", false, "waits", false, false, false, false, nil, "", runs.Pending, "waits", false, false},
		"goes back":                         {"g-exo", true, "waits", false, true, true, false, nil, "", runs.Pending, "waits", false, false},
		"goes back, expired":                {"g-exo", true, "waits", false, true, false, true, nil, "", runs.Pending, "waits", false, false},
		"handed over":                       {"g-exo", false, handedOver, false, true, true, false, nil, "", runs.Pending, handedOver, false, false},
		"handed over, expired":              {"g-exo", false, handedOver, false, true, false, true, nil, "", runs.Pending, handedOver, false, false},
		"the source cannot be read":         {"g-exo", false, "waits", false, true, false, true, map[string]error{"DirectGroups #1": errDown}, "", runs.Pending, "waits", false, false},
		"it cannot be noted, free":          {"g-exo", false, "waits", false, true, true, false, nil, ".free.json", troubled, "waits; write a mark into the ledger", false, false},
		"it cannot be noted, in the target": {"g-exo", false, "waits", true, true, false, false, nil, ".in-target.json", troubled, "waits; write a mark into the ledger", false, false},
		"expired, held":                     {"g-exo", false, "waits", true, true, false, true, nil, "", troubled, expired, false, true},
		"expired, left":                     {"g-exo", false, "waits", false, true, true, true, nil, "", troubled, expired, true, false},
		"expired, free and not left":        {"g-exo", false, "waits", false, true, false, true, nil, "", runs.Failed, "somebody else took the license", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			m := b.underWay(t, moveAnna, plan.EntraGroup)
			m.entry.Target, b.entra.in = tc.target, members{}
			if tc.held {
				b.entra.in.add("g-e3", "id-anna")
			}
			if tc.inTarget {
				b.entra.in.add("g-exo", "id-anna")
			}
			if m.turned = tc.turned; tc.left {
				m.left = &ledger.Mark{At: b.now}
			}
			if m.plan.Expires = b.now; tc.expired {
				m.plan.Expires = b.now.Add(-time.Second)
			}
			b.entra.fail, m.ledger = tc.fail, ledger.In(brokenStore{b.Store, tc.broken, ""})
			status, note := m.waits(t.Context(), tc.note)
			if status != tc.status || !strings.HasPrefix(note, tc.want) || status == runs.Pending && note != tc.want {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.want)
			}
			if free, in := m.has(t, b, ledger.SeenFree), m.has(t, b, ledger.SeenInTarget); free != tc.free || in != tc.in {
				t.Errorf("noted free %t, in the target %t; want %t, %t", free, in, tc.free, tc.in)
			}
		})
	}
	b := newBench(t, changeBo)
	m := b.underWay(t, changeBo, plan.Direct)
	if status, note := m.waits(t.Context(), "waits"); status != runs.Pending || note != "waits" || b.entra.count["DirectGroups"] > 0 {
		t.Errorf("held directly: %s, %q, read %v", status, note, b.entra.calls)
	}
}

// TestNoTargetToBeOutOf: a change gives no license through a group of Entra ID. A call then does not look for the
// person in such a group, even hours after the change began, and does not add the person again.
func TestNoTargetToBeOutOf(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*testing.T, *bench) *move{
		"a group alone": func(t *testing.T, b *bench) *move {
			m := b.underWay(t, freeAnna, plan.EntraGroup)
			m.entry.Target = ""
			return m
		},
		"directly":            func(t *testing.T, b *bench) *move { return b.underWay(t, changeBo, plan.Direct) },
		"in Active Directory": func(t *testing.T, b *bench) *move { return b.inAD(t, ledger.Intent{Target: liteDN, At: b.now}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			m := move(t, b)
			b.now = b.now.Add(5 * time.Hour)
			if status, note := m.outlived(t.Context(), true); status != "" || note != "" {
				t.Errorf("%s, %q", status, note)
			}
			if m.has(t, b, ledger.SecondTry) || b.entra.count["DirectGroups"] > 0 {
				t.Errorf("it was looked for in a target: %v", b.entra.calls)
			}
		})
	}
}

// TestSeenFreeForHowLong: a read showed that the license is gone, and a later read shows it again. For the time
// directory.Settling after the first read, the later read counts as out of date. After that time, somebody must have
// restored the license.
func TestSeenFreeForHowLong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		since  time.Duration
		blind  bool
		status runs.Status
		note   string
	}{
		"a moment before":   {directory.Settling - time.Second, false, runs.Pending, "the license was seen free, and is read as held"},
		"settled":           {directory.Settling, false, runs.Kept, "somebody restored it after it was seen free at "},
		"it cannot be read": {0, true, troubled, "read the ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			m := b.underWay(t, changeBo, plan.Direct)
			m.judge, m.left = b.judging(t).judge, &ledger.Mark{At: b.now.Add(-tc.since)}
			if err := m.ledger.Note(t.Context(), m.entry, ledger.SeenFree, b.now.Add(-tc.since)); err != nil {
				t.Fatal(err)
			}
			if tc.blind {
				m.ledger = ledger.In(blindStore{b.Store, "ledger/id-bo/e3/000001.free.json"})
			}
			if status, note := m.heldAgain(t.Context()); status != tc.status || !strings.HasPrefix(note, tc.note) {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			b.wrote(t)
		})
	}
}

// TestTriesOfATarget: a change waits, because the target group does not list the person. A call of apply adds the
// person again if the last try was an hour ago. If the third try was an hour ago, the change fails.
func TestTriesOfATarget(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		second, third time.Duration // time since each try; negative: no such try
		began         time.Duration
		fail          map[string]error
		blind, broken string
		status        runs.Status
		note          string
		notes         ledger.Seen // note that exists afterwards; empty: no second try
	}{
		"just begun":                    {-1, -1, doubtful - time.Second, nil, "", "", "", "", ""},
		"an hour ago":                   {-1, -1, doubtful, nil, "", "", "", "", ledger.SecondTry},
		"tried again just now":          {doubtful - time.Second, -1, 2 * doubtful, nil, "", "", "", "", ledger.SecondTry},
		"tried again an hour ago":       {doubtful, -1, 2 * doubtful, nil, "", "", "", "", ledger.ThirdTry},
		"for the third time just now":   {2 * doubtful, doubtful - time.Second, 3 * doubtful, nil, "", "", "", "", ledger.ThirdTry},
		"the third is an hour ago":      {2 * doubtful, doubtful, 3 * doubtful, nil, "", "", runs.Failed, "the target group was joined three times", ledger.ThirdTry},
		"groups cannot be read":         {-1, -1, doubtful, map[string]error{"DirectGroups #1": errDown}, "", "", troubled, "down", ""},
		"what was seen cannot be read":  {-1, -1, doubtful, nil, "in-target", "", troubled, "read the ledger", ""},
		"a try cannot be read":          {-1, -1, doubtful, nil, "second-try", "", troubled, "read the ledger", ""},
		"a try cannot be noted":         {-1, -1, doubtful, nil, "", "second-try", troubled, "write a mark into the ledger", ""},
		"the third try cannot be noted": {doubtful, -1, 2 * doubtful, nil, "", "third-try", troubled, "write a mark into the ledger", ledger.SecondTry},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			m := b.underWay(t, moveAnna, plan.EntraGroup)
			m.entry.At = b.now.Add(-tc.began)
			for try, since := range map[ledger.Seen]time.Duration{ledger.SecondTry: tc.second, ledger.ThirdTry: tc.third} {
				if since < 0 {
					continue
				}
				if err := m.ledger.Note(t.Context(), m.entry, try, b.now.Add(-since)); err != nil {
					t.Fatal(err)
				}
			}
			b.entra.fail = tc.fail
			if tc.blind != "" {
				m.ledger = ledger.In(blindStore{b.Store, "ledger/id-anna/e3/000001." + tc.blind + ".json"})
			}
			if tc.broken != "" {
				m.ledger = ledger.In(brokenStore{b.Store, tc.broken, ""})
			}
			status, note := m.outOfTarget(t.Context())
			if status != tc.status || !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			got := ledger.Seen("")
			for _, try := range []ledger.Seen{ledger.SecondTry, ledger.ThirdTry} {
				if m.has(t, b, try) {
					got = try
				}
			}
			if got != tc.notes {
				t.Errorf("noted %q, want %q", got, tc.notes)
			}
		})
	}
}
