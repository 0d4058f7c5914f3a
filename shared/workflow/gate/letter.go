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

// Place is the deployment or the store of a run. The message about the run links to the place.
type Place struct {
	Name      string // beginning of the subject of the message
	Execution string // ARN; empty if the run is not an execution of the state machine
	Store     string // as s3://bucket/prefix; empty: the message shows only the keys of objects
	Hints     Hints
	// Link returns the https address of an object of the store, for a browser. It returns "" if there is no address.
	Link func(key string) string
}

// Hints are the commands that a message proposes.
type Hints interface {
	Plan() string
	// Look returns the command that shows an object of a run. Show returns the command that shows the plan of a run as
	// text.
	Look(run, key string) string
	Show(run string) string
	// Doctor returns the command that examines the sources. The command signs in as the operator.
	Doctor() string
	// Asked returns steps that show the input of an execution. The message omits the input, because the input may name
	// a person. Asked returns nil if the reader knows the input.
	Asked() []card.Step
	// Again says how an operator continues a failed run.
	Again(o *StepOutput) (text string, steps []card.Step)
	Apply(run, planHash string, override bool) string
	// Restore returns the command that restores what a run took: from everybody, or from one user.
	Restore(run, user string) string
}

// Card returns the outcome of a run, and the message about it. The parameter "o" is the last state of the run.
func Card(o *StepOutput, at *Place) (Outcome, *card.Card) {
	l := &letter{out: o, outcome: o.outcome(), at: at}
	c := &card.Card{Subject: l.subject(), Tone: l.tone(), Facts: l.facts()}
	c.Next, c.Steps = l.next()
	if o.Report != "" {
		c.Report = at.Link(o.Report)
	}
	return l.outcome, c
}

type letter struct {
	out     *StepOutput
	outcome Outcome
	at      *Place
}

func (l *letter) tone() card.Tone {
	switch {
	case l.outcome == Failed || l.out.Results[runs.Failed]+l.out.Resumed[runs.Failed] > 0:
		return card.Attention
	case l.unmade() > 0, l.out.Stuck > 0, l.outcome == Nothing && l.out.Begun > 0:
		return card.Warning
	case l.outcome == Done || l.outcome == Nothing:
		return card.Good
	}
	return card.Warning
}

// The method "unmade" returns the number of refused changes or, for a restore, the number of licenses that it did not
// restore.
func (l *letter) unmade() int {
	if l.out.Restores != "" {
		return l.out.Unrestored
	}
	return l.out.Results[runs.Refused]
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
	if l.outcome == Nothing && o.Begun > 0 {
		what = fmt.Sprintf("nothing new to change, %d of earlier runs not finished", o.Begun)
	} else if o.Stuck > 0 {
		what += fmt.Sprintf(", %d of earlier runs half-way", o.Stuck)
	}
	if n := o.Results[runs.Failed] + o.Resumed[runs.Failed]; n > 0 {
		what += fmt.Sprintf(", %d FAILED", n)
	}
	text := []rune(l.at.Name + ": " + what)
	return string(text[max(0, len(text)-100):]) // a stack name may have 128 characters, a subject 100
}

// The method "done" returns the subject for an execution with the outcome Done, such as "done, 12 changes, 3 refused".
// The name of the place is not part of it.
func (l *letter) done() string {
	verb, not := "done", "refused"
	if l.out.Restores != "" {
		verb, not = "restored", "not restored"
	}
	text := verb + ", " + plain.Many(l.out.Results[runs.Done], "change")
	if n := l.unmade(); n > 0 {
		text += fmt.Sprintf(", %d %s", n, not)
	}
	return text
}

// The method "held" returns the subject, without the name of the place, for an execution that a safety check stopped.
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
	if c := o.Counts; c != nil && c.Users > 0 { // a restore evaluates no rules
		add("People", "%d; %s", c.Users, c.Verdicts())
	}
	switch {
	case l.outcome == Refused, o.Failure != nil && o.Failure.Error == "":
		add("Why", "%s", o.Failure.Cause)
	case o.Failure != nil:
		add("Why", "%s: %s", o.Failure.Error, o.Failure.Cause)
	case o.Changes == 0 && sum(o.Results) == 0:
		add("Changes", "none")
	case o.Results != nil:
		add("Changes", "%d; %s; %s", o.Changes, statuses(o.Results), freed(o))
	default:
		add("Changes", "%s, which would save %.2f %s a month", plain.Many(o.Changes, "change"), o.MonthlySaving, o.Currency)
	}
	lines = append(lines, l.begun()...)
	switch {
	case o.Report != "":
		add("Report", "%s", l.at.object(o.Report))
	case o.NoReport != "":
		add("Report", "not written: %s", o.NoReport)
	}
	if o.Troubled > 0 {
		add("Trouble", "pending until a fault is mended: %s", plain.Many(o.Troubled, "change"))
	}
	if o.Unrestored > 0 {
		add("Trouble", "not restored: %s", plain.Many(o.Unrestored, "license"))
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

func statuses(of map[runs.Status]int) string {
	var parts []string
	for _, s := range []runs.Status{runs.Done, runs.Announced, runs.Pending, runs.Kept, runs.Refused, runs.Failed} {
		if of[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, of[s]))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none done")
}

// The function "freed" describes a monthly saving. The saving of a restore is negative, or 0 if no price is known.
func freed(o *StepOutput) string {
	if o.Restores != "" || o.MonthlySaving < 0 {
		return fmt.Sprintf("%.2f %s a month paid again", math.Abs(o.MonthlySaving), o.Currency)
	}
	return fmt.Sprintf("%.2f %s a month freed", o.MonthlySaving, o.Currency)
}

func (p *Place) object(key string) string {
	if p.Store == "" {
		return key
	}
	return strings.TrimSuffix(p.Store, "/") + "/" + key
}
