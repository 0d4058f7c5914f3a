package judge

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const oneDay = 24 * time.Hour

var (
	start = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	mail  = Rule{License: "e3", Idle: 60 * oneDay, Grace: 14 * oneDay, NewHolder: 14 * oneDay, EnabledAgain: 14 * oneDay}
)

func on(days int) time.Time { return start.Add(time.Duration(days) * oneDay) }

func anna(what What, day int, holds bool) Event {
	return Event{What: what, At: on(day), Person: "anna", License: "e3", Holds: holds}
}

func shown(e Event, at time.Time) Event {
	e.Shown = at
	return e
}

// The functions "seen" and "failed" return the event of a night. In the night of "seen", the tool read the directories.
// In the night of "failed", it could not. In the night of "unread", it could not read the directory of Anna's license.
func seen(day int) Event   { return Event{What: Night, At: on(day), Text: "nothing"} }
func failed(day int) Event { return Event{What: Night, At: on(day), Text: Failed} }

func unread(day int) Event {
	return Event{What: Night, At: on(day), Text: "nothing", Unread: []string{"e3"}}
}

func withNotice() Event {
	r := mail
	r.Notice = 14 * oneDay
	return Event{What: Ruled, At: on(1), Rule: &r}
}

// The variable "first" is how the stories begin: Anna was hired long ago, holds the license, and a plan lists the
// removal.
var first = []Event{anna(Hired, -900, true), anna(Holding, -900, true), anna(Planned, -1, false)}

func hear(t *testing.T, j *Judge, events ...Event) {
	t.Helper()
	for _, e := range events {
		if err := j.Hear(e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRemoved: each story ends with the removal of a license. The judge must find a fault if the story has a reason to
// keep the license, and no fault otherwise.
func TestRemoved(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		story []Event
		at    time.Time
		want  Why // empty: the removal is right
	}{
		"idle":                           {nil, on(100), ""},
		"used":                           {[]Event{shown(anna(Used, 50, true), on(51))}, on(100), Wrong},
		"used long ago":                  {[]Event{shown(anna(Used, 30, true), on(31))}, on(100), ""},
		"used, shown too late":           {[]Event{shown(anna(Used, 99, true), on(100))}, on(100).Add(time.Minute), ""},
		"used, shown in time":            {[]Event{shown(anna(Used, 99, true), on(100))}, on(100).Add(3 * time.Minute), Wrong},
		"another license used":           {[]Event{{What: Used, At: on(99), Person: "anna", License: "citrix"}}, on(100), ""},
		"new":                            {[]Event{anna(Hired, 90, true), anna(Holding, -9, true), anna(Planned, 91, true)}, on(100), Wrong},
		"made again":                     {[]Event{anna(Remade, 90, true)}, on(100), Wrong},
		"made again, and used":           {[]Event{anna(Remade, 20, true), anna(Used, 30, true)}, on(100), ""},
		"exempt":                         {[]Event{anna(Exempted, 1, true)}, on(100), Wrong},
		"exempt no more":                 {[]Event{anna(Exempted, 1, true), anna(Exempted, 2, false)}, on(100), ""},
		"outside":                        {[]Event{anna(Outside, 1, true)}, on(100), Wrong},
		"outside of another":             {[]Event{{What: Outside, At: on(1), Person: "anna", License: "citrix", Holds: true}}, on(100), ""},
		"stuck":                          {[]Event{anna(Stuck, 1, true)}, on(100), ""},
		"restored while pending":         {[]Event{anna(Removed, 49, true), anna(Pending, 49, true), anna(Given, 50, true), anna(Planned, 51, true)}, on(100), ""},
		"restored after a read":          {[]Event{anna(Removed, 49, true), anna(Pending, 49, true), anna(Freed, 49, true), anna(Given, 50, true), anna(Planned, 51, true)}, on(100), Wrong},
		"the tool goes back after it":    {[]Event{anna(Removed, 49, true), anna(Pending, 49, true), anna(Freed, 49, true), anna(Undone, 50, true), anna(Planned, 51, true)}, on(100), ""},
		"taken again, and not yet read":  {[]Event{anna(Removed, 1, true), anna(Freed, 1, true), anna(Given, 2, true), anna(Planned, 3, true), anna(Removed, 70, true), anna(Pending, 70, true), anna(Given, 71, true), anna(Planned, 71, true)}, on(100), ""},
		"restored after it was seen":     {[]Event{anna(Removed, 48, true), anna(Pending, 48, true), seen(49), anna(Given, 50, true), anna(Planned, 51, true)}, on(100), Wrong},
		"restored after it was done":     {[]Event{anna(Removed, 48, true), anna(Pending, 48, true), anna(Pending, 49, false), anna(Given, 50, true), anna(Planned, 51, true)}, on(100), Wrong},
		"the tool goes back":             {[]Event{anna(Removed, 48, true), anna(Pending, 48, true), seen(49), anna(Undone, 50, true), anna(Planned, 51, true)}, on(100), ""},
		"the tool goes back in one call": {[]Event{anna(Removed, 48, true), anna(Undone, 48, true), anna(Pending, 48, false), anna(Planned, 51, true)}, on(100), ""},
		"no, a night was between":        {[]Event{anna(Removed, 48, true), seen(49), anna(Undone, 50, true), anna(Planned, 51, true)}, on(100), Wrong},
		"the tool restores":              {[]Event{anna(Removed, 48, true), anna(Pending, 48, true), anna(Pending, 49, false), anna(Undone, 50, true), anna(Planned, 51, true)}, on(100), Wrong},
		"enabled again, and blocked now": {[]Event{anna(Enabled, 1, false), seen(2), anna(Enabled, 95, true), anna(Enabled, 98, false)}, on(100), ""},
		"restored, then made again":      {[]Event{anna(Removed, 20, true), anna(Given, 50, true), anna(Remade, 55, true), anna(Planned, 90, true)}, on(100), ""},
		"restored to another account":    {[]Event{anna(Removed, 40, true), anna(Parted, 45, true), anna(Given, 50, true), anna(Planned, 51, true)}, on(100), ""},
		"taken before the copy":          {[]Event{anna(Removed, 20, true), {What: Forgot, At: on(30)}, anna(Given, 50, true), anna(Planned, 51, true)}, on(100), Wrong},
		"taken after the copy":           {[]Event{anna(Removed, 40, true), {What: Forgot, At: on(30)}, anna(Given, 50, true), anna(Planned, 51, true)}, on(100), ""},
		"given unseen since the copy":    {[]Event{seen(90), anna(Removed, 92, true), {What: Forgot, At: on(91)}, anna(Given, 95, true), anna(Planned, 96, true)}, on(100), ""},
		"given and seen since the copy":  {[]Event{seen(90), anna(Removed, 92, true), {What: Forgot, At: on(91)}, seen(94), anna(Given, 95, true), anna(Planned, 96, true)}, on(100), Wrong},
		"a room":                         {[]Event{anna(Hired, -900, false), anna(Holding, -900, true), anna(Planned, 1, true)}, on(100), Wrong},
		"restored":                       {[]Event{anna(Removed, 40, true), anna(Given, 50, true), anna(Planned, 51, true)}, on(100), Wrong},
		"restored, idle since":           {[]Event{anna(Removed, 9, true), anna(Given, 10, true), anna(Planned, 11, true)}, on(100), ""},
		"somebody else took and gave it": {[]Event{anna(Released, 40, true), anna(Given, 50, true), anna(Planned, 51, true)}, on(100), ""},
		"held in another way since":      {[]Event{anna(Removed, 20, true), anna(Holding, 21, true)}, on(100), ""},
		"taken twice":                    {[]Event{anna(Removed, 90, true)}, on(100), Twice},
		"enabled again":                  {[]Event{anna(Enabled, 1, false), seen(2), anna(Enabled, 95, true)}, on(100), Wrong},
		"blocked as a night ends":        {[]Event{seen(95), anna(Enabled, 95, false), anna(Enabled, 96, true)}, on(100), ""},
		"blocked as a night begins":      {[]Event{anna(Enabled, 95, false), seen(95), anna(Enabled, 96, true)}, on(100), Wrong},
		"blocked where no night saw":     {[]Event{anna(Enabled, 95, false), anna(Enabled, 96, true)}, on(100), ""},
		"lost in an unread night":        {[]Event{anna(Released, 94, true), unread(95), anna(Given, 96, true), anna(Planned, 97, true)}, on(100), ""},
		"blocked in a failed night":      {[]Event{anna(Enabled, 94, false), failed(95), anna(Enabled, 96, true)}, on(100), ""},
		"enabled long ago":               {[]Event{anna(Enabled, 1, false), seen(2), anna(Enabled, 80, true)}, on(100), ""},
		"new in the license":             {[]Event{anna(Released, 1, true), seen(2), anna(Given, 95, true), anna(Planned, 96, true)}, on(100), Wrong},
		"lost where no night saw":        {[]Event{anna(Released, 94, true), anna(Given, 95, true), anna(Planned, 96, true)}, on(100), ""},
		"in no plan":                     {[]Event{anna(Released, 1, true), anna(Given, 2, true)}, on(100), Hidden},
		"not announced":                  {[]Event{withNotice()}, on(100), Wrong},
		"announced":                      {[]Event{withNotice(), anna(Told, 85, true)}, on(100), ""},
		"announced before the copy":      {[]Event{withNotice(), anna(Told, 20, true), anna(Removed, 40, true), {What: Forgot, At: on(30)}, anna(Given, 50, true), anna(Planned, 51, true)}, on(100), ""},
		"announced after the copy":       {[]Event{withNotice(), anna(Told, 35, true), anna(Removed, 60, true), {What: Forgot, At: on(30)}, anna(Given, 61, true), anna(Planned, 62, true)}, on(100), Wrong},
		"announced, and a write unseen":  {[]Event{withNotice(), anna(Told, 20, true), anna(Removed, 40, true), anna(Pending, 40, true), anna(Given, 50, true), anna(Planned, 51, true)}, on(100), ""},
		"announced, and a write seen":    {[]Event{withNotice(), anna(Told, 20, true), anna(Removed, 30, true), anna(Given, 31, true), anna(Planned, 51, true)}, on(100), Wrong},
		"announced, but for an hour":     {[]Event{withNotice(), anna(Told, 99, true)}, on(100), Wrong},
		"used since it was announced":    {[]Event{withNotice(), anna(Told, 1, true), anna(Used, 20, true), anna(Told, 95, true)}, on(100), Wrong},
	}
	for name, tc := range tests {
		j := New(mail)
		hear(t, j, first...)
		hear(t, j, tc.story...)
		before := len(j.Faults())
		hear(t, j, Event{What: Removed, At: tc.at, Person: "anna", License: "e3"})
		var got Why
		if faults := j.Faults()[before:]; len(faults) > 0 {
			got = faults[0].Why
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, tc.want, j.Faults())
		}
	}
}

// TestStranger: a second machine with its own store cannot know which licenses were restored, but it must know who
// signed in.
func TestStranger(t *testing.T) {
	t.Parallel()
	for day, want := range map[int]int{50: 1, 20: 0} {
		j := New(mail)
		hear(t, j, first...)
		hear(t, j, anna(Removed, 1, true), anna(Given, 90, true), anna(Planned, 91, true), anna(Used, day, true))
		e := anna(Removed, 100, true)
		e.Stranger = true
		hear(t, j, e)
		if got := len(j.Faults()); got != want {
			t.Errorf("used on day %d: %d faults, want %d: %v", day, got, want, j.Faults())
		}
	}
}

// TestAnnouncedBeforeAStranger: the first machine announces a removal. A second machine with its own store then takes
// the license, and somebody restores it. The first machine may later take the license without a new announcement.
func TestAnnouncedBeforeAStranger(t *testing.T) {
	t.Parallel()
	j := New(mail)
	hear(t, j, first...)
	e := anna(Removed, 50, true)
	e.Stranger = true
	hear(t, j, withNotice(), anna(Told, 20, true), e, anna(Given, 60, true), anna(Planned, 61, true), anna(Removed, 90, true))
	if faults := j.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}

// TestTakenByAStranger: a second machine with its own store takes a license, and somebody restores it. If the first
// machine then takes the license, this is no fault, because it cannot know of the restore.
func TestTakenByAStranger(t *testing.T) {
	t.Parallel()
	j := New(mail)
	hear(t, j, first...)
	e := anna(Removed, 50, true)
	e.Stranger = true
	hear(t, j, e, anna(Given, 60, true), anna(Planned, 61, true), anna(Removed, 90, true))
	if faults := j.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}

// TestTakenByAStrangerBetweenTwoNights: a second machine takes a license, and somebody restores it. Then the first
// machine takes the license. This is a fault if the first machine read the directory between the two: it then saw that
// the person is a new holder. Otherwise it is no fault.
func TestTakenByAStrangerBetweenTwoNights(t *testing.T) {
	t.Parallel()
	for night, want := range map[int]int{48: 0, 51: 1} {
		j := New(mail)
		hear(t, j, Event{What: Ruled, At: on(-900), Rule: &mail})
		hear(t, j, first...)
		e := anna(Removed, 50, true)
		e.Stranger = true
		hear(t, j, seen(48), e)
		if night > 50 {
			hear(t, j, seen(night))
		}
		hear(t, j, anna(Given, 52, true), seen(53), anna(Planned, 53, true), anna(Removed, 54, true))
		if faults := j.Faults(); len(faults) != want {
			t.Errorf("the last night before the license was restored is %d: %v, want %d faults", night, faults, want)
		}
	}
}

// The function "nights" returns a story with several kinds of faults.
func nights() []Event {
	bo := func(what What, day int) Event {
		return Event{What: what, At: on(day), Person: "bo", License: "e3", Holds: true}
	}
	story := append([]Event{{What: Ruled, At: on(-900), Rule: &mail}}, first...)
	story = append(story, bo(Hired, -900), bo(Holding, -900), bo(Used, -1))
	for night := range 40 {
		story = append(story, bo(Used, night), Event{What: Night, At: on(night), Text: "apply"})
	}
	return append(story, Event{What: Night, At: on(41)}, Event{What: Night, At: on(42), Text: "hold"},
		Event{What: Night, At: on(43), Text: "hold", Reasons: []string{"a source is down"}},
		anna(Mailless, 44, true), anna(Ended, 44, false), anna(Ended, 44, true), Event{What: Lose, At: on(45), Person: "bo", License: "e3", Text: "open"})
}

func TestNights(t *testing.T) {
	t.Parallel()
	j := New()
	hear(t, j, nights()...)
	want := []Why{Missed, Silent, Silent, Without, Early, Lost}
	var got []Why
	for _, f := range j.Faults() {
		got = append(got, f.Why)
	}
	if d := cmp.Diff(want, got); d != "" || j.Clear() != 1 {
		t.Fatalf("%d clear, faults (-want +got):\n%s", j.Clear(), d)
	}
	if f := j.Faults()[0]; f.Person != "anna" || f.String() != "2026-04-01T02:00:00Z missed: anna e3: may be taken since 2026-03-01" {
		t.Errorf("%s", f)
	}
}

// TestRead: the judge finds the same faults in a story through Read and through Hear.
func TestRead(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	for _, e := range nights() {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(text, '\n'))
	}
	heard, read := New(), New()
	hear(t, heard, nights()...)
	if err := read.Read(&lines); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(heard.Faults(), read.Faults()); d != "" {
		t.Errorf("faults (-heard +read):\n%s", d)
	}
	for text, want := range map[string]string{
		`{"what":"used","at":"2026-03-01T02:00:00Z","person":"nobody"}`:                                                                     "nobody hired",
		`{"what":"ruled","at":"2026-03-01T02:00:00Z"}`:                                                                                      "without a rule",
		`{"what":"hired","at":"2026-03-01T02:00:00Z","person":"a"}` + "\n" + `{"what":"vanished","person":"a","at":"2026-03-01T02:00:00Z"}`: "there is no event",
		`{"whence":"?"}`: "unknown field",
		`{"what":`:       "event 1",
	} {
		if err := New().Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestKnowsNothingOfTheProduct: neither the judge nor command court links a package of the product.
func TestKnowsNothingOfTheProduct(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".", "../court").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.Lines(string(out)) {
		if pkg = strings.TrimSpace(pkg); strings.HasPrefix(pkg, "github.com/idleseat/") && !strings.Contains(pkg, "/infra/nights/") {
			t.Errorf("the judge links %s", pkg)
		}
	}
	if !strings.Contains(string(out), "infra/nights/judge") {
		t.Errorf("go list tells nothing: %s", out)
	}
}
