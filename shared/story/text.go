package story

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
)

// Detail selects the parts of a story that Text writes.
type Detail struct {
	Past   bool // every change in the ledger
	Values bool // every value, and every part of every rule
}

// Text writes the story for a terminal: the person, and the lines about each license.
func (s *Story) Text(w io.Writer, d Detail) error {
	t := &text{w: w, story: s}
	t.line("%s", s.who())
	shown := s.shown(d)
	if s.Doubt != "" && !slices.ContainsFunc(shown, func(x *Answer) bool { return strings.Contains(x.Says, s.Doubt) || strings.Contains(x.Reason, s.Doubt) }) {
		t.line("in doubt: %s", s.Doubt)
	}
	for _, x := range shown {
		t.answer(x, d)
	}
	t.others(shown)
	t.leftovers(d)
	if d.Values && s.Run != "" {
		t.profile()
	}
	t.foot(d)
	return t.err
}

// The type "text" writes lines. A line break in an argument becomes a space, so an argument cannot look like a line of
// its own.
type text struct {
	w     io.Writer
	story *Story
	err   error
}

func (t *text) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.w, plain.Line(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")))
	}
}

// The method "labelled" writes a line with a label. It writes no line for an empty text.
func (t *text) labelled(label, what string) {
	if what != "" {
		t.line("  %-7s %s", label, what)
	}
}

var kinds = map[string]string{
	directory.KindPerson: "a person", directory.KindGuest: "a guest", directory.KindAgent: "an AI agent, not a person", directory.KindShared: "a shared mailbox",
	directory.KindRoom: "the mailbox of a room", directory.KindEquipment: "the mailbox of a piece of equipment", directory.KindService: "an account of a service",
	directory.KindUnknown: "an account of a kind that this version does not know",
}

func (s *Story) who() string {
	name := cmp.Or(s.DisplayName, s.UserPrincipalName, s.User)
	if s.UserPrincipalName != "" && s.UserPrincipalName != name {
		name += " <" + s.UserPrincipalName + ">"
	}
	if s.Run == "" {
		return name + ": no reading contains this person (deleted, or never read). Earlier changes:"
	}
	who := name + ": " + kinds[s.Kind]
	if s.KindEvidence != "" {
		who += " (" + s.KindEvidence + ")"
	}
	if s.Department != "" {
		who += ", in " + s.Department
	}
	return who
}

// The method "shown" returns the answers that Text writes. With d.Values, these are all answers. Otherwise, there is
// one answer for each license that the person holds or held (the method "before" selects it).
func (s *Story) shown(d Detail) (list []*Answer) {
	for i := range s.Answers {
		x := &s.Answers[i]
		at := slices.IndexFunc(list, func(y *Answer) bool { return y.License == x.License })
		switch {
		case d.Values:
			list = append(list, x)
		case x.State == NotHeld:
		case at < 0:
			list = append(list, x)
		case x.before(list[at]):
			list[at] = x
		}
	}
	return list
}

// The variable "ranks" has all states. If several rules are about one license, a story shows the answer whose state
// comes first in this list.
var ranks = []State{Damaged, Pending, Taken, GivenBack, Announced, Return, Idle, Cooling, Undecided, Refused, Exempt, Kept, NotHeld}

// States returns all states. If several rules are about one license, the story shows the answer whose state comes first
// in this list.
func States() []State { return slices.Clone(ranks) }

// The method "before" reports whether Text shows the answer x instead of the answer y. Both answers are about the same
// license, and the rule of y comes first in the policy.
func (x *Answer) before(y *Answer) bool {
	if a, b := slices.Index(ranks, x.State), slices.Index(ranks, y.State); a != b {
		return a < b
	}
	return x.State == Kept && !x.Turns.IsZero() && (y.Turns.IsZero() || x.Turns.Before(y.Turns))
}

func (t *text) answer(x *Answer, d Detail) {
	t.line("%s.", strings.TrimSuffix(x.Says, "."))
	lines := t.story.Lines(x)
	t.about(lines, Why)
	if d.Values {
		for _, part := range x.Tree.Parts {
			t.tree(part, "          ")
		}
	}
	t.about(lines, Next)
	if past := t.story.pastOf(x.License); !d.Past {
		t.about(lines, Before)
	} else if past != nil {
		t.entries(past)
	}
	t.about(lines, ToDo)
}

func (t *text) about(lines []Line, what About) {
	for _, l := range lines {
		switch {
		case l.About != what:
		case what == ToDo && strings.HasPrefix(l.Text, "to "): // the text itself begins with "to"
			t.line("  %s", l.Text)
		default:
			t.labelled(string(what), l.Text)
		}
	}
}

// The method "next" returns when the license is taken if the person stays away, and what would move that day.
func (t *text) next(x *Answer) string {
	now := t.story.Now
	switch {
	case !x.Turns.IsZero() && !x.Turns.After(now):
		return fmt.Sprintf("By these data it was due on %s; a new run decides.", day(x.Turns))
	case !x.Turns.IsZero() && x.Noun != "":
		return fmt.Sprintf("If no %s comes first, it is %s on %s. %s", x.Noun, taken(x.Answer.To), when(now, x.Turns), x.Change)
	case !x.Turns.IsZero():
		return fmt.Sprintf("If nothing changes, it is %s on %s. %s", taken(x.Answer.To), when(now, x.Turns), x.Change)
	case !x.Cools.IsZero():
		text := fmt.Sprintf("No rule takes it before %s.", when(now, x.Cools))
		if x.Noun != "" {
			text += fmt.Sprintf(" Each new %s postpones that date.", x.Noun)
		}
		return text
	}
	return x.Change
}

// The method "others" names the licenses of the rules if the person holds none of them.
func (t *text) others(shown []*Answer) {
	if len(shown) > 0 || t.story.Run == "" {
		return
	}
	var names []string
	for _, x := range t.story.Answers {
		if !slices.Contains(names, x.License) {
			names = append(names, x.License)
		}
	}
	t.line("holds none of the licenses that the rules are about: %s.", strings.Join(names, ", "))
}

func (t *text) profile() {
	t.line("values")
	for _, v := range t.story.Profile {
		value := v.Value
		if v.Days != nil {
			value += " (" + ago(t.story.AsOf, v.Date) + ")"
		}
		from := v.Field
		if v.Source != "" {
			from += ", " + v.Source
		}
		if !v.Read.IsZero() {
			from += ", as of " + v.Read.UTC().Format("2006-01-02 15:04 UTC") + " (" + ago(t.story.Now, v.Read) + ")"
		}
		if v.Note != "" {
			from += "; " + v.Note
		}
		t.line("  %s = %s; %s", v.Attribute, value, from)
	}
}

func (t *text) tree(n *policy.Node, indent string) {
	mark := map[policy.Says]string{policy.True: "yes", policy.False: "no ", policy.Unknown: "?  "}[n.Says]
	text := n.Text
	if n.Name == "for" || n.Name == "when" {
		text = n.Name + ": " + text
	}
	if values := valuesOf(n); values != "" {
		text += "  (" + values + ")"
	}
	if n.Why != "" {
		text += "; " + n.Why
	}
	t.line("%s%s %s", indent, mark, text)
	for _, part := range n.Parts {
		t.tree(part, indent+"    ")
	}
}

func (t *text) foot(d Detail) {
	s := t.story
	if s.Run == "" {
		return
	}
	text := fmt.Sprintf("data of %s (%s), run %s", s.Read.UTC().Format("2006-01-02 15:04 UTC"), ago(s.Now, s.Read), s.Run)
	if !d.Values {
		text += "; --verbose shows every value and every part of the rules"
	}
	t.line("%s", text)
}
