package gate

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/runs"
)

// Place says where a run took place, so that the message about it leads there.
type Place struct {
	Name      string // the subject begins with it
	Execution string // ARN; empty if no state machine made the run
	Store     string // as s3://bucket/prefix; empty if the message shows only the keys of objects
	Hints     Hints
	// Link returns the https address at which a browser finds an object of the store, or "".
	Link func(key string) string
}

// Hints are the commands that a message proposes.
type Hints interface {
	Plan() string
	// Look shows an object of a run, and Show its plan as text.
	Look(run, key string) string
	Show(run string) string
	// Doctor shows what a source lacks.
	Doctor() string
	// Asked shows what was asked for, which the message does not say, because it may name a person. There is no such
	// step where the reader knows it.
	Asked() []card.Step
	// Again shows where a failed run ended, and starts it again.
	Again(o *StepOutput) []card.Step
	Apply(run, planHash string, override bool) string
	Restore(run string) string
}

// Card returns how a run ended, and the message about it. o is the last state of the run.
func Card(o *StepOutput, at *Place) (Outcome, *card.Card) {
	l := &letter{out: o, outcome: o.outcome(), at: at}
	c := &card.Card{Subject: l.subject(), Tone: l.tone(), Facts: l.facts()}
	c.Next, c.Steps = l.next()
	if o.Report != "" {
		c.Report = at.Link(o.Report)
	}
	return l.outcome, c
}

// letter writes a message.
type letter struct {
	out     *StepOutput
	outcome Outcome
	at      *Place
}

// tone returns how much the message asks for attention.
func (l *letter) tone() card.Tone {
	switch {
	case l.outcome == Failed || l.out.Results[runs.Failed]+l.out.Resumed[runs.Failed] > 0:
		return card.Attention
	case l.outcome == Done || l.outcome == Nothing:
		return card.Good
	}
	return card.Warning
}

func (l *letter) subject() string {
	o := l.out
	what := map[Outcome]string{
		Done:    l.done(),
		Nothing: "done, nothing to change",
		Planned: fmt.Sprintf("%s planned, none applied (mode audit)", plain.Many(o.Changes, "change")),
		Waiting: fmt.Sprintf("waiting for approval, %s", plain.Many(o.Changes, "change")),
		Held:    l.held(),
		Waits:   fmt.Sprintf("%d of %s done, %d pending", o.Results[runs.Done]+o.Resumed[runs.Done], plain.Many(o.Changes+sum(o.Resumed), "change"), o.Results[runs.Pending]+o.Resumed[runs.Pending]),
		Refused: "refused, nothing was begun",
		Failed:  "FAILED, start it again",
	}[l.outcome]
	if n := o.Results[runs.Failed] + o.Resumed[runs.Failed]; n > 0 {
		what += fmt.Sprintf(", %d FAILED", n)
	}
	text := []rune(l.at.Name + ": " + what)
	if over := len(text) - 100; over > 0 { // the name of a stack may have 128 characters
		text = text[over:]
	}
	return string(text)
}

// done says what an execution did that ended well.
func (l *letter) done() string {
	if l.out.Restores != "" {
		return fmt.Sprintf("restored, %s undone", plain.Many(l.out.Results[runs.Done], "change"))
	}
	return "done, " + plain.Many(l.out.Results[runs.Done], "change")
}

// held says what a safety check stopped.
func (l *letter) held() string {
	if l.out.Results != nil || sum(l.out.Resumed) > 0 {
		return "HELD by a safety check; no further change is begun"
	}
	return "HELD by a safety check; nothing was changed"
}

func sum(of map[runs.Status]int) (n int) {
	for _, one := range of {
		n += one
	}
	return n
}

// facts returns what happened, as lines with a heading each.
func (l *letter) facts() (lines []card.Fact) {
	o := l.out
	add := func(heading, format string, args ...any) {
		lines = append(lines, card.Fact{Heading: heading, Text: fmt.Sprintf(format, args...)})
	}
	if o.Run != "" {
		add("Run", "%s", o.Run+map[bool]string{true: ", mode " + string(o.Mode)}[o.Failure == nil])
	}
	if l.at.Execution != "" {
		add("Execution", "%s", l.at.Execution)
	}
	if c := o.Counts; c != nil && c.Users > 0 { // a restore asks nobody
		add("People", "%d; %s", c.Users, c.Verdicts())
	}
	switch {
	case l.outcome == Refused, o.Failure != nil && o.Failure.Error == "":
		add("Why", "%s", o.Failure.Cause)
	case o.Failure != nil:
		add("Why", "%s: %s", o.Failure.Error, o.Failure.Cause)
	case o.Results != nil:
		add("Changes", "%d; %s; %s", o.Changes, statuses(o.Results), freed(o))
	case o.Changes == 0:
		add("Changes", "none")
	default:
		add("Changes", "%s, which would save %.2f %s a month", plain.Many(o.Changes, "change"), o.MonthlySaving, o.Currency)
	}
	if sum(o.Resumed) > 0 {
		add("Earlier", "begun by earlier runs: %s", statuses(o.Resumed))
	}
	switch {
	case o.Report != "":
		add("Report", "%s", l.at.object(o.Report))
	case o.NoReport != "":
		add("Report", "not written: %s", o.NoReport)
	}
	if o.Troubled > 0 {
		add("Trouble", "pending until a fault is mended: %s", plain.Many(o.Troubled, "change"))
	}
	if o.Refused != "" {
		add("Why", "%s", o.Refused)
	} else if l.outcome == Held {
		for _, why := range o.HoldReasons {
			add("Why", "%s", why)
		}
	}
	return lines
}

// statuses counts changes by their status.
func statuses(of map[runs.Status]int) string {
	var parts []string
	for _, s := range []runs.Status{runs.Done, runs.Announced, runs.Pending, runs.Kept, runs.Refused, runs.Failed} {
		if of[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, of[s]))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none done")
}

// freed describes a monthly saving. The saving of a restore is negative, and it is 0 where no price is known.
func freed(o *StepOutput) string {
	if o.Restores != "" || o.MonthlySaving < 0 {
		return fmt.Sprintf("%.2f %s a month paid again", math.Abs(o.MonthlySaving), o.Currency)
	}
	return fmt.Sprintf("%.2f %s a month freed", o.MonthlySaving, o.Currency)
}

// object returns the location of an object, for people.
func (p *Place) object(key string) string {
	if p.Store == "" {
		return key
	}
	return strings.TrimSuffix(p.Store, "/") + "/" + key
}
