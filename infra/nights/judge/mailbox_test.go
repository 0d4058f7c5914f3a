package judge

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMailless: it is a fault if the tool takes the last license for a mailbox. Anna holds two licenses with a mailbox,
// e3 and exchange, and one without.
func TestMailless(t *testing.T) {
	t.Parallel()
	of := func(license string) Rule {
		r := mail
		r.License, r.Mailbox = license, license != "citrix"
		return r
	}
	about := func(what What, license string, at time.Time) Event {
		return Event{What: what, At: at, Person: "anna", License: license, Holds: true}
	}
	stranger := func(e Event) Event {
		e.Stranger = true
		return e
	}
	now, late, early := on(100), on(100).Add(-Slack+time.Second), on(100).Add(-Slack)
	taken, lost := about(Removed, "e3", now), about(Mailless, "", now.Add(time.Minute))
	tests := map[string]struct {
		story []Event
		want  []Why
	}{
		"the tool took the other, too":                 {[]Event{about(Removed, "exchange", late), taken, lost}, []Why{Without}},
		"somebody took the other too late to know":     {[]Event{about(Released, "exchange", late), taken, lost}, nil},
		"somebody took the other after the tool":       {[]Event{taken, about(Released, "exchange", now.Add(time.Second)), lost}, nil},
		"somebody took the other in time":              {[]Event{about(Released, "exchange", early), taken, lost}, []Why{Without}},
		"somebody took one without a mailbox":          {[]Event{about(Released, "citrix", late), taken, lost}, []Why{Without}},
		"somebody took and gave the same one":          {[]Event{about(Released, "e3", late), about(Given, "e3", late), about(Planned, "e3", late), taken, lost}, []Why{Without}},
		"a stranger took the other too late to know":   {[]Event{stranger(about(Removed, "exchange", late)), taken, lost}, nil},
		"a stranger took both":                         {[]Event{stranger(about(Removed, "exchange", late)), stranger(taken), lost}, []Why{Without}},
		"a stranger took it after the tool":            {[]Event{about(Removed, "exchange", late), stranger(taken), lost}, []Why{Without}},
		"the tool took none, as the judge has heard":   {[]Event{about(Released, "exchange", late), lost}, []Why{Without}},
		"the tool gave the one back that it had taken": {[]Event{taken, about(Undone, "e3", now.Add(time.Second)), about(Released, "exchange", now.Add(time.Minute)), lost}, []Why{Without}},
	}
	for name, tc := range tests {
		j := New(of("e3"), of("exchange"), of("citrix"))
		hear(t, j, anna(Hired, -900, true))
		for _, license := range []string{"e3", "exchange", "citrix"} {
			hear(t, j, about(Holding, license, on(-900)), about(Planned, license, on(-1)))
		}
		hear(t, j, tc.story...)
		var got []Why
		for _, f := range j.Faults() {
			if f.Why == Without {
				got = append(got, f.Why)
			}
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s\n%v", name, d, j.Faults())
		}
	}
}
