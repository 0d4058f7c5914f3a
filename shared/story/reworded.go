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

// The expression "advice" matches the part of a reason that recommends an addition to the condition of the rule. A
// story shows the addition under "to do".
var advice = regexp.MustCompile(`; add (&& \S+ != "" to leave such people alone, or \|\| \S+ == "") to mean them, too`)

// The function "hint" returns a sentence that begins with "Add to the condition", if the reason recommends an addition
// to the condition of the rule. Otherwise, it returns "".
func hint(text string) string {
	if m := advice.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("Add to the condition %s to include them.", m[1])
	}
	return ""
}

// The method "reworded" returns the reason of an undecided verdict for a reader who does not know idleseat.
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

const sameSID = "two Entra accounts carry the same SID"

var created = regexp.MustCompile(`^(newest\()?((entra|ad)\.created(, )?)+\)?$`)

// The method "creation" reports whether an attribute is made from the creation dates of the accounts.
func (s *Story) creation(name string) bool {
	return slices.ContainsFunc(s.Profile, func(v Value) bool { return v.Attribute == name && created.MatchString(v.Field) })
}

var idle = regexp.MustCompile(`^no (.+) since (\d{4}-\d\d-\d\d) \((\d+ days?)\)`)

// The function "decided" rewords a stored reason, such as "no sign-in since 2026-08-11 (75 days)". These days end at
// the run. The new words say so, because a reader would otherwise count the days until today.
func decided(text string) string {
	return idle.ReplaceAllString(text, "no $1 for $3 when the run decided (last: $2)")
}

var kind = regexp.MustCompile(`the account is of the kind (\w+): `)

// kindOf returns the kind of account that is the reason of an exemption, such as "guest". It returns "" if the reason
// is another one.
func kindOf(text string) string {
	if m := kind.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// The variable "waiting" has keys of remedies. If a refusal has such a remedy, the change is only postponed, or the
// refusal is intended. So a story must not say that idleseat cannot make the change.
var waiting = []string{"pending", "cooling", "superseded", "announced", "perhapsTold", "firstReading", "setback", "leftOut", "mailboxKind", "mailboxShared", "fresh"}

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

// The function "given" says how the license was restored, and for how long no rule takes it.
func given(x *Answer, past *License, one *Story) string {
	if past != nil && past.HeldAgain && strings.HasPrefix(x.Given, "restored ") {
		at := one.Read
		if past.State == history.Restored {
			at = past.Since
		}
		return fmt.Sprintf(": somebody assigned it again outside idleseat (seen on %s), which protects it for %s", day(at), plain.Many(clock.Days(at, x.Cools), "day"))
	}
	text := ", because it was " + x.Given
	if d, on := strings.CutPrefix(x.Given, "restored on "); on {
		if at, err := time.Parse(time.DateOnly, d); err == nil {
			text += fmt.Sprintf(" and is protected for %s", plain.Many(clock.Days(at, x.Cools), "day"))
		}
	}
	return text
}

var equals = regexp.MustCompile(`^(\w+) == ("[^"\\]*")$`)

// The function "unmet" returns the values that make the parts false, such as "systemRole is Contractor, not Employee".
// It returns "" unless each part is a condition of the policy that is false for known values.
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
