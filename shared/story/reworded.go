package story

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/story/reason"
)

// advice is what a reason says of the condition of the rule. A story says it under "to do".
var advice = regexp.MustCompile(`; add (&& \S+ != "" to leave such people alone, or \|\| \S+ == "") to mean them, too`)

// hint returns what the condition of a rule may add for people without a text, or "".
func hint(text string) string {
	if m := advice.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("Add to the condition %s to include them.", m[1])
	}
	return ""
}

// reworded returns the reason of an undecided verdict in words for a reader who does not know how idleseat works. A
// reason has several sentences if several values are not known.
func (s *Story) reworded(text string) string {
	var parts []string
	for _, p := range reason.Parts(text) {
		said := strings.Replace(p.In(reason.English), sameSID, sameSID+s.twins, 1)
		if name, none := strings.CutSuffix(said, " has no value"); none && s.creation(name) {
			said = "the account has no creation date"
		}
		parts = append(parts, said)
	}
	return strings.Join(slices.Compact(parts), "; ")
}

// sameSID is the doubt about accounts of Entra ID that cannot be told apart.
const sameSID = "two Entra accounts carry the same SID"

var created = regexp.MustCompile(`^(newest\()?((entra|ad)\.created(, )?)+\)?$`)

// creation reports whether an attribute is the creation of the account, in one directory or in both.
func (s *Story) creation(name string) bool {
	return slices.ContainsFunc(s.Profile, func(v Value) bool { return v.Attribute == name && created.MatchString(v.Field) })
}

var idle = regexp.MustCompile(`^no (.+) since (\d{4}-\d\d-\d\d) \((\d+ days?)\)`)

// decided rewords a reason that a run stored when it decided, so that its days are not read as those of today.
func decided(text string) string {
	return idle.ReplaceAllString(text, "no $1 for $3 when the run decided (last: $2)")
}

var kind = regexp.MustCompile(`the account is of the kind (\w+): `)

// kindOf returns the kind because of which an account is exempt, or "".
func kindOf(text string) string {
	if m := kind.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// waiting are the remedies of refusals that only put a change off, or that are meant.
var waiting = []string{"pending", "cooling", "superseded", "announced", "perhapsTold", "firstReading", "setback", "leftOut", "mailboxKind", "mailboxShared", "fresh"}

// refused says why a license that nobody uses stays.
func refused(x *Answer) string {
	switch _, key := reason.Of(x.Refused); {
	case slices.Contains(waiting, key):
		return " and stays: " + x.Refused
	case key == "usageLocation":
		return fmt.Sprintf(", but idleseat cannot exchange it: %s cannot be assigned to an account without a usage location", cmp.Or(x.Answer.To, "a license"))
	case x.Answer.To != "":
		return ", but idleseat cannot exchange it: " + reason.Words(reason.English, x.Refused)
	}
	return ", but idleseat cannot take it: " + reason.Words(reason.English, x.Refused)
}

// given says how a license came back that no rule takes for a while, and for how long that protects it.
func given(x *Answer, past *License, one *Story) string {
	if past != nil && past.HeldAgain && strings.HasPrefix(x.Given, "given back ") {
		at := one.Read
		if past.State == history.Restored {
			at = past.Since
		}
		return fmt.Sprintf(": somebody assigned it again outside idleseat (seen on %s), which protects it for %s", day(at), plain.Many(clock.Days(at, x.Cools), "day"))
	}
	text := ", because it was " + x.Given
	if d, on := strings.CutPrefix(x.Given, "given back on "); on {
		if at, err := time.Parse(time.DateOnly, d); err == nil {
			text += fmt.Sprintf(" and is protected for %s", plain.Many(clock.Days(at, x.Cools), "day"))
		}
	}
	return text
}

var equals = regexp.MustCompile(`^(\w+) == ("[^"\\]*")$`)

// unmet says which values of the person a rule does not ask about: "systemRole is Contractor, not Employee". It is
// empty if a part has no value to tell.
func unmet(parts []*policy.Node) string {
	texts := []string{}
	for _, n := range parts {
		if n.Spoken() || n.Says != policy.False || !allKnown(n) {
			return ""
		}
		text := valuesOf(n)
		if m := equals.FindStringSubmatch(n.Text); m != nil && len(n.Values) == 1 {
			text += ", not " + strings.Trim(m[2], `"`)
		}
		texts = append(texts, text)
	}
	return strings.Join(slices.Compact(texts), "; ")
}
