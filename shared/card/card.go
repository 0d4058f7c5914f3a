// Package card makes the message to operators about the end of a run, as text for mail, as an Adaptive Card for
// Microsoft Teams, and as blocks for Slack. A card has figures, ids and commands, and no names of people.
package card

import (
	"fmt"
	"strings"
)

// Card is one message to operators about the end of a run.
type Card struct {
	Subject string // one line
	Tone    Tone
	Facts   []Fact
	Next    string // a sentence that says what the reader should do now
	Steps   []Step
	Report  string // the https address of the report; empty if a browser cannot open the report
}

// Tone is the degree of attention that a message asks for. Its values are colors of Adaptive Cards (schema 1.0,
// Colors).
type Tone string

// The tones.
const (
	Good      Tone = "good"
	Warning   Tone = "warning"   // somebody must decide or look
	Attention Tone = "attention" // something failed
)

// Fact is a line with a heading.
type Fact struct{ Heading, Text string }

// Step is an action that the reader may take, with the command to paste.
type Step struct{ To, Command string }

// Text returns the card as plain text, for mail.
func (c *Card) Text() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", c.Subject)
	for _, f := range c.Facts {
		fmt.Fprintf(&text, "%-10s %s\n", f.Heading, f.Text)
	}
	fmt.Fprintf(&text, "\nNext: %s\n", c.Next)
	for _, s := range c.Steps {
		fmt.Fprintf(&text, "\n%s:\n  %s\n", s.To, s.Command)
	}
	return strings.TrimRight(text.String(), "\n") + "\n"
}
