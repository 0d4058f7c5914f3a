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
	"github.com/idleseat/idleseat/shared/policy"
)

// rewording puts a reason of a run into words for a reader who does not know how idleseat works. Runs store reasons as
// text, and other versions wrote some of them, so the story changes the words and the reasons stay.
type rewording struct {
	reason *regexp.Regexp
	words  string
}

var rewordings = []rewording{
	{regexp.MustCompile(`^(?:\S+(?:, \S+)*(?: and \S+)?) (?:is|are) not known: synced from Active Directory, but no account (with its SID )?was found there.*$`),
		"the account is synced from Active Directory, but idleseat found no account ${1}there"},
	{regexp.MustCompile(`^(.+) may not be read: the account of idleseat has no right to see (\S+) of this person$`),
		"idleseat cannot read $1: its account lacks the right to read $2 of this person"},
	{regexp.MustCompile(`^(\S+) has no value, and the condition does not say what holds then$`),
		"$1 has no value, and the rule does not say what holds then"},
	{regexp.MustCompile(`^.+ cannot be trusted: the newest (.+) date of anybody is (\d{4}-\d\d-\d\d)\S*, (\d+ days) before the planning instant: the feed has stalled$`),
		"no $1 of anyone has been recorded since $2 ($3 before this plan), so the $1 data seem to have stopped"},
	{regexp.MustCompile(`^(.+) cannot be trusted: (no domain controller answered|its usage report was not read)$`), "$1 is not known, because $2"},
	{regexp.MustCompile(`^(.*)the object (\S+) is about another person, license or number than its name(.*)$`), "${1}the content of $2 does not match its file name$3"},

	{regexp.MustCompile(`^held directly and through a group at once$`), "it is assigned both directly and through a group"},
	{regexp.MustCompile(`^held through the group (.+), which is not (\S+) of the policy$`), "it comes from the group $1, and the policy names the group $2"},
	{regexp.MustCompile(`^the group (\S+) is dynamic: its rule decides who is in it$`), "Entra ID fills the group $1 by a membership rule"},
}

// reworded returns a reason in words for a reader, or the reason itself if it has no others.
func reworded(reason string) string {
	for _, r := range rewordings {
		if r.reason.MatchString(reason) {
			return r.reason.ReplaceAllString(reason, r.words)
		}
	}
	return reason
}

// advice is what a reason says of the remedy. A story says it under "to do".
var advice = regexp.MustCompile(`; (?:add (&& \S+ != "" to leave such people alone, or \|\| \S+ == "") to mean them, too|grant it to read the attribute)`)

// hint returns what the condition of a rule may add for people without a text, or "".
func hint(reason string) string {
	if m := advice.FindStringSubmatch(reason); m != nil && m[1] != "" {
		return fmt.Sprintf("Add to the condition %s to include them.", m[1])
	}
	return ""
}

// reworded returns the reason of an undecided verdict in words for a reader. A reason has several sentences if several
// values are not known.
func (s *Story) reworded(reason string) string {
	parts := strings.Split(advice.ReplaceAllString(reason, ""), "; ")
	for i, part := range parts {
		parts[i] = strings.Replace(reworded(part), sameSID, sameSID+s.twins, 1)
		if name, none := strings.CutSuffix(part, " has no value"); none && s.creation(name) {
			parts[i] = "the account has no creation date"
		}
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
func decided(reason string) string {
	return idle.ReplaceAllString(reason, "no $1 for $3 when the run decided (last: $2)")
}

var kind = regexp.MustCompile(`the account is of the kind (\w+): `)

// kindOf returns the kind because of which an account is exempt, or "".
func kindOf(reason string) string {
	if m := kind.FindStringSubmatch(reason); m != nil {
		return m[1]
	}
	return ""
}

// waiting are the remedies of refusals that only put a change off, or that are meant.
var waiting = []string{"pending", "cooling", "superseded", "announced", "perhapsTold", "firstReading", "setback", "leftOut", "mailboxKind", "fresh"}

// refused says why a license that nobody uses stays.
func refused(x *Answer) string {
	key := Remedy(x.Refused)
	switch {
	case slices.Contains(waiting, key):
		return " and stays: " + x.Refused
	case key == "usageLocation":
		return fmt.Sprintf(", but idleseat cannot exchange it: %s cannot be assigned to an account without a usage location", cmp.Or(x.Answer.To, "a license"))
	case x.Answer.To != "":
		return ", but idleseat cannot exchange it: " + reworded(x.Refused)
	}
	return ", but idleseat cannot take it: " + reworded(x.Refused)
}

// given says how a license came back that no rule takes for a while, and for how long that protects it.
func given(x *Answer, past *License, one *Story) string {
	if past != nil && past.HeldAgain && strings.HasPrefix(x.Given, "given back ") {
		at := one.Read
		if past.State == history.Restored {
			at = past.Since
		}
		return fmt.Sprintf(": somebody assigned it again outside idleseat (seen on %s), which protects it for %d days", day(at), clock.Days(at, x.Cools))
	}
	text := ", because it was " + x.Given
	if d, on := strings.CutPrefix(x.Given, "given back on "); on {
		if at, err := time.Parse(time.DateOnly, d); err == nil {
			text += fmt.Sprintf(" and is protected for %d days", clock.Days(at, x.Cools))
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
