package judge

import (
	"testing"
	"time"
)

const oneDay = 24 * time.Hour

var (
	start = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	mail  = Rule{License: "e3", Idle: 60 * oneDay, Grace: 14 * oneDay, NewHolder: 14 * oneDay, EnabledAgain: 14 * oneDay}
)

func on(days int) time.Time { return start.Add(time.Duration(days) * oneDay) }

// TestRemoved: every reason to keep a license, and the same story without it.
func TestRemoved(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		story func(*Judge)
		at    time.Time
		want  Why // empty: right
	}{
		"idle":                 {func(*Judge) {}, on(100), ""},
		"used":                 {func(j *Judge) { j.Used("anna", on(50), on(51), "e3") }, on(100), Wrong},
		"used long ago":        {func(j *Judge) { j.Used("anna", on(30), on(31), "e3") }, on(100), ""},
		"used, shown too late": {func(j *Judge) { j.Used("anna", on(99), on(100), "e3") }, on(100).Add(time.Minute), ""},
		"used, shown in time":  {func(j *Judge) { j.Used("anna", on(99), on(100), "e3") }, on(100).Add(3 * time.Minute), Wrong},
		"another license used": {func(j *Judge) { j.Used("anna", on(99), on(99), "citrix") }, on(100), ""},
		"new":                  {func(j *Judge) { j.Hire("anna", on(90), true); j.Hold("anna", "e3", on(-9)); j.Planned("anna", "e3") }, on(100), Wrong},
		"exempt":               {func(j *Judge) { j.Exempt("anna", on(1), on(1), true) }, on(100), Wrong},
		"exempt no more":       {func(j *Judge) { j.Exempt("anna", on(1), on(1), true); j.Exempt("anna", on(2), on(2), false) }, on(100), ""},
		"outside":              {func(j *Judge) { j.Outside("anna", "e3", on(1), on(1), true) }, on(100), Wrong},
		"a room": {func(j *Judge) {
			j.Hire("anna", on(-900), false)
			j.Hold("anna", "e3", on(-900))
			j.Planned("anna", "e3")
		}, on(100), Wrong},
		"given back": {func(j *Judge) {
			j.Removed("anna", "e3", on(40))
			j.Given("anna", "e3", on(50), on(50))
			j.Planned("anna", "e3")
		}, on(100), Wrong},
		"given back, idle since": {func(j *Judge) {
			j.Removed("anna", "e3", on(9))
			j.Given("anna", "e3", on(10), on(10))
			j.Planned("anna", "e3")
		}, on(100), ""},
		"taken twice":                {func(j *Judge) { j.Removed("anna", "e3", on(90)) }, on(100), Twice},
		"enabled again":              {func(j *Judge) { j.Enabled("anna", on(1), on(1), false); j.Enabled("anna", on(95), on(95), true) }, on(100), Wrong},
		"enabled long ago":           {func(j *Judge) { j.Enabled("anna", on(1), on(1), false); j.Enabled("anna", on(80), on(80), true) }, on(100), ""},
		"new in the license":         {func(j *Judge) { j.Hold("anna", "e3", on(95)); j.Planned("anna", "e3") }, on(100), Wrong},
		"in no plan":                 {func(j *Judge) { j.Hold("anna", "e3", on(1)) }, on(100), Hidden},
		"not announced":              {func(j *Judge) { r := mail; r.Notice = 14 * oneDay; j.Change(r) }, on(100), Wrong},
		"announced":                  {func(j *Judge) { r := mail; r.Notice = 14 * oneDay; j.Change(r); j.Announced("anna", "e3", on(85)) }, on(100), ""},
		"announced, but for an hour": {func(j *Judge) { r := mail; r.Notice = 14 * oneDay; j.Change(r); j.Announced("anna", "e3", on(99)) }, on(100), Wrong},
	}
	for name, tc := range tests {
		j := New(mail)
		j.Hire("anna", on(-900), true)
		j.Hold("anna", "e3", on(-900))
		j.Planned("anna", "e3")
		tc.story(j)
		before := len(j.Faults())
		j.Removed("anna", "e3", tc.at)
		var got Why
		if faults := j.Faults()[before:]; len(faults) > 0 {
			got = faults[0].Why
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, tc.want, j.Faults())
		}
	}
}

// TestNights: silence, waiting too long, and a mailbox without license.
func TestNights(t *testing.T) {
	t.Parallel()
	j := New(mail)
	j.Hire("anna", on(-900), true)
	j.Hold("anna", "e3", on(-900))
	j.Hire("bo", on(-900), true)
	j.Hold("bo", "e3", on(-900))
	j.Used("bo", on(-1), on(-1), "e3")
	for night := range 40 {
		j.Used("bo", on(night), on(night), "e3")
		j.Night(on(night), "apply", nil)
	}
	j.Night(on(41), "", nil)
	j.Night(on(42), "hold", nil)
	j.Night(on(43), "hold", []string{"a source is down"})
	j.Mailbox("anna", on(44), 1, 0)
	j.Mailbox("anna", on(44), 0, 0)
	j.Mailbox("anna", on(44), 2, 1)
	j.Lose("bo", "e3", on(45), "open")
	want := []Why{Missed, Silent, Silent, Without, Lost}
	faults := j.Faults()
	if len(faults) != len(want) || j.Clear() != 1 {
		t.Fatalf("%d clear, faults %v", j.Clear(), faults)
	}
	for i, f := range faults {
		if f.Why != want[i] {
			t.Errorf("fault %d is %s, want %s", i, f, want[i])
		}
	}
	if faults[0].Person != "anna" || faults[0].String() != "2026-04-01T02:00:00Z missed: anna e3: may be taken since 2026-03-01" {
		t.Errorf("%s", faults[0])
	}
}
