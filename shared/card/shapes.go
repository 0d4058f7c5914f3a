package card

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
)

// MostBytes is the maximum size of a message for Teams or Slack. Teams documents 28 KB (Microsoft Learn, "Create
// Incoming Webhooks"), but users saw it refuse more than 21 KB. Slack documents 40,000 characters (docs.slack.dev,
// chat.postMessage, "Truncating content").
const MostBytes = 20_000

// Limits of one message.
const (
	mostFacts   = 20
	mostHeader  = 150   // characters of a header block (docs.slack.dev, "Header block")
	mostText    = 1_000 // characters of a fact; the function "fitted" may shorten a fact further
	leastText   = 50
	mostCommand = 500 // characters; a longer command is left out, because a part of a command does something else
)

// Teams returns the card as the JSON that a webhook of Teams Workflows takes (Microsoft Learn, "Create and send
// messages"). All texts are text runs, in which Markdown has no meaning (adaptivecards.io, TextRun).
func (c *Card) Teams() []byte { return fitted(c, (*Card).teams) }

// Slack returns the card as the JSON that an incoming webhook of Slack takes (docs.slack.dev, "Sending messages using
// incoming webhooks"). The texts are elements of rich text, in which markup has no meaning. The text of the
// notification is not rich text, so this method escapes it.
func (c *Card) Slack() []byte { return fitted(c, (*Card).slack) }

type object map[string]any

// The function "fitted" writes the card. While the message is larger than MostBytes, it halves the maximum length of a
// text, down to leastText.
func fitted(c *Card, write func(*Card) object) []byte {
	for most := mostText; ; most /= 2 {
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		_ = e.Encode(write(c.within(most))) // cannot fail: the object has only strings, maps and lists
		if text := bytes.TrimSpace(out.Bytes()); len(text) <= MostBytes || most <= leastText {
			return text
		}
	}
}

// The method "within" returns the card with printable texts. If there are more than mostFacts facts, the last fact says
// how many are left out. The argument "most" is the maximum length of a text other than the subject, in characters. A
// command that is too long is left out.
func (c *Card) within(most int) *Card {
	out := &Card{Subject: cut(c.Subject, mostHeader), Tone: c.Tone, Next: cut(c.Next, most), Report: c.Report}
	for i, f := range c.Facts {
		if i == mostFacts {
			out.Facts = append(out.Facts, Fact{"More", fmt.Sprintf("%d lines are left out", len(c.Facts)-mostFacts)})
			break
		}
		out.Facts = append(out.Facts, Fact{cut(f.Heading, most), cut(f.Text, most)})
	}
	for _, s := range c.Steps {
		if len([]rune(s.Command)) <= mostCommand {
			out.Steps = append(out.Steps, Step{cut(s.To, most), plain.Line(s.Command)})
		}
	}
	return out
}

// The function "cut" returns text on one line, with at most "most" characters. An empty text becomes a hyphen, because
// both vendors refuse an empty text.
func cut(text string, most int) string {
	text = strings.TrimSpace(plain.OneLine(text))
	if text == "" {
		return "-"
	}
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

const openReport = "Open the report"

func (c *Card) teams() object {
	block := func(runs ...object) object { return object{"type": "RichTextBlock", "inlines": runs} }
	run := func(text string) object { return object{"type": "TextRun", "text": text} }
	bold := func(text string) object { return object{"type": "TextRun", "text": text, "weight": "bolder"} }
	title := object{"type": "TextRun", "text": c.Subject, "weight": "bolder", "size": "medium"}
	if c.Tone != "" {
		title["color"] = string(c.Tone)
	}
	body := []object{block(title)}
	for _, f := range c.Facts {
		body = append(body, block(bold(f.Heading+": "), run(f.Text)))
	}
	body = append(body, block(bold("Next: "), run(c.Next)))
	for _, s := range c.Steps {
		body = append(body, block(run(s.To+":")), block(object{"type": "TextRun", "text": s.Command, "fontType": "monospace"}))
	}
	content := object{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"fallbackText": c.Subject, "body": body,
	}
	if c.Report != "" {
		content["actions"] = []object{{"type": "Action.OpenUrl", "title": openReport, "url": c.Report}}
	}
	return object{"type": "message", "attachments": []object{{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": content}}}
}

func (c *Card) slack() object {
	section := func(elements ...object) object { return object{"type": "rich_text_section", "elements": elements} }
	text := func(text string) object { return object{"type": "text", "text": text} }
	bold := func(text string) object { return object{"type": "text", "text": text, "style": object{"bold": true}} }
	var facts []object
	for _, f := range c.Facts {
		facts = append(facts, bold(f.Heading+": "), text(f.Text+"\n"))
	}
	facts = append(facts, bold("Next: "), text(c.Next))
	elements := []object{section(facts...)}
	for _, s := range c.Steps {
		elements = append(elements, section(text(s.To+":")), object{"type": "rich_text_preformatted", "elements": []object{text(s.Command)}})
	}
	if c.Report != "" {
		elements = append(elements, section(object{"type": "link", "url": c.Report, "text": openReport}))
	}
	// Slack parses only the text of the notification (docs.slack.dev, "Escaping text").
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(c.Subject)
	return object{"text": escaped, "blocks": []object{
		{"type": "header", "text": object{"type": "plain_text", "text": c.Subject, "emoji": false}},
		{"type": "rich_text", "elements": elements},
	}}
}
