package card

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/channel"
)

var update = flag.Bool("update", false, "write the golden files")

func held() *Card {
	return &Card{
		Subject: "seats: HELD by a safety check; nothing was changed", Tone: Warning,
		Facts: []Fact{
			{"Run", "20261129T020000Z-1a2b3c4d, mode enforce"}, {"People", "400; the rules gave 532 verdicts: keep 465, reclaim 42, undecided 8, exempt 17"},
			{"Why", "rule m365-idle-60 matches 25 of 325 holders (7.7 %), more than limits.stopAbove.percent 1"},
		},
		Next:   "Review the changes. If they are wrong, correct the policy or the source.",
		Steps:  []Step{{"To look", "idleseat show 20261129T020000Z-1a2b3c4d"}, {"To plan again after a correction", "idleseat plan --aws seats"}},
		Report: "https://eu-north-1.console.aws.amazon.com/s3/object/seats?prefix=runs%2Fr%2Freport.html&region=eu-north-1",
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	for name, got := range map[string][]byte{"text.txt": []byte(held().Text()), "teams.json": held().Teams(), "slack.json": held().Slack()} {
		if strings.HasSuffix(name, ".json") {
			var out bytes.Buffer
			if err := json.Indent(&out, got, "", "  "); err != nil {
				t.Fatal(err)
			}
			got = append(out.Bytes(), '\n')
		}
		path := "testdata/" + name
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// The variable "hostile" has texts that a vendor would refuse, cut, or show differently.
var hostile = []string{
	"", "\x00\x1b[31m", "\u202egnp", "line\nbreak", "[x](https://evil.example)", "**bold** `code` <at>everyone</at>", "<!channel> <@U024BE7LH> <https://evil.example|x>",
	":tada: &amp;", `"}],"type":"x"`, strings.Repeat("漢😀", 5000), strings.Repeat(`\"`, 5000), "\xff\xfe",
}

// TestEveryCardIsTaken: a card with any content matches the schemas of Teams and Slack, and is not too large.
func TestEveryCardIsTaken(t *testing.T) {
	t.Parallel()
	many := &Card{Subject: "s", Next: "n"}
	for range 300 {
		many.Facts = append(many.Facts, Fact{"Why", strings.Repeat("漢", 2000)})
		many.Steps = append(many.Steps, Step{"To look", strings.Repeat("x", 2000)})
	}
	cards := []*Card{held(), {}, many}
	for _, text := range hostile {
		cards = append(cards, &Card{Subject: text, Tone: Attention, Facts: []Fact{{text, text}, {"Why", text}}, Next: text, Steps: []Step{{text, "idleseat plan"}}})
	}
	for _, c := range cards {
		for shape, body := range map[string][]byte{"teams": c.Teams(), "slack": c.Slack()} {
			if err := channel.Check(shape, http.Header{"Content-Type": {"application/json"}}, body); err != nil {
				t.Errorf("%s: %v\n%.600s", shape, err, body)
			}
			if len(body) > MostBytes || !utf8.Valid(body) || bytes.ContainsFunc(body, func(r rune) bool { return r == '\u202e' || r == 0x1b }) {
				t.Errorf("%s: %d bytes: %.300s", shape, len(body), body)
			}
		}
	}
}

// TestTextsStay: the messages for Teams and for Slack show each text of a card once and unchanged. The order is the
// subject, the facts, what to do next, and the steps.
func TestTextsStay(t *testing.T) {
	t.Parallel()
	c := held()
	c.Facts = append(c.Facts, Fact{"Why", "<b>*_~`|\\ & [x](y) :tada: end"})
	want := []string{c.Subject}
	for _, f := range c.Facts {
		want = append(want, f.Heading, f.Text)
	}
	want = append(want, "Next", c.Next)
	for _, s := range c.Steps {
		want = append(want, s.To, s.Command)
	}
	for name, body := range map[string][]byte{"teams": c.Teams(), "slack": c.Slack()} {
		var whole struct {
			Attachments []struct{ Content struct{ Body any } }
			Blocks      any
		}
		if err := json.Unmarshal(body, &whole); err != nil {
			t.Fatal(err)
		}
		shown := whole.Blocks
		if name == "teams" {
			shown = whole.Attachments[0].Content.Body
		}
		got := slices.DeleteFunc(texts(shown), func(s string) bool { return s == openReport })
		for i := range got {
			got[i] = strings.TrimRight(got[i], ": \n")
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if !bytes.Contains(body, []byte(c.Report)) {
			t.Errorf("%s has no link: %s", name, body)
		}
	}
	at := 0
	for _, part := range want[1:] {
		i := strings.Index(c.Text()[at:], part)
		if i < 0 {
			t.Fatalf("the text has no %q after %d:\n%s", part, at, c.Text())
		}
		at += i
	}
}

func texts(v any) (all []string) {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			all = append(all, texts(inner)...)
		}
	case map[string]any:
		if text, is := v["text"].(string); is {
			all = append(all, text)
		} else {
			all = append(all, texts(v["text"])...)
		}
		all = append(all, append(texts(v["inlines"]), texts(v["elements"])...)...)
	}
	return all
}
