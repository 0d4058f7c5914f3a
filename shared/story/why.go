package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/story/reason"
)

func (t *text) why(x *Answer, past *License) string {
	switch x.State {
	case Taken, Pending, Announced:
		if e := past.newest(); e != nil {
			return decided(strings.TrimSuffix(e.Reason, ".")) + "; rule " + e.Rule + strings.Replace(approved(e), ", approved", "; change approved", 1)
		}
	case Damaged:
		why, _, _ := strings.Cut(past.Damaged, "; ")
		return reason.Words(reason.English, why)
	case NotHeld, Return, GivenBack:
		return ""
	case Exempt:
		if kind := kindOf(x.Reason); kind != "" {
			return "the policy does not list the kind " + kind + ", so no rule applies"
		}
		why := "the exemptions of the policy come before rule " + x.Rule
		if x.Noun != "" && !x.IdleSince.IsZero() {
			why += fmt.Sprintf("; last %s %s (%s)", x.Noun, day(x.IdleSince), ago(t.story.AsOf, x.IdleSince))
		}
		return why
	}
	rule := fmt.Sprintf("rule %s says %s", x.Rule, x.verdict())
	switch {
	case x.State == Undecided:
		rule = "rule " + x.Rule + " is undecided"
	case x.State == Cooling && x.Tree.Says == policy.True:
		rule = "without that, rule " + x.Rule + " would reclaim it"
	}
	parts := telling(x)
	if len(parts) == 0 {
		return rule
	}
	texts := make([]string, len(parts))
	for i, n := range parts {
		if n.Spoken() {
			return rule + ", because " + unspelt(n, x.License)
		}
		texts[i] = said(n, x.Says)
	}
	if x.Tree.Says == policy.False {
		return rule + falseParts(parts, texts)
	}
	because := map[policy.Says]string{policy.True: "", policy.Unknown: ", because nobody knows whether this is true"}[x.Tree.Says]
	return rule + because + ": " + strings.Join(texts, "; ")
}

// falseParts returns words for parts of a rule that are false. The words are the denials of the parts (Node.Denial). If
// a part has no denial, they are the argument "texts".
func falseParts(parts []*policy.Node, texts []string) string {
	denials := make([]string, len(parts))
	for i, n := range parts {
		if n.Denial == "" {
			return ", because this is not true: " + strings.Join(texts, "; ")
		}
		denials[i] = n.Denial
	}
	return ": " + strings.Join(denials, "; ")
}

// The function "unspelt" returns words for a part of a rule that is not a condition of the policy, such as a grace
// period.
func unspelt(n *policy.Node, license string) string {
	what := map[string]string{"holder": "the person holds " + license, "exempt": "the person is exempt", "grace": "a grace period holds"}[n.Name]
	if n.Says == policy.Unknown {
		return "nobody knows whether " + what
	}
	return what
}

// The function "telling" returns the decisive parts that the reader needs. Of several parts about the same attributes,
// it returns only one. It returns parts that are not conditions of the policy, such as a grace period, only if there
// are no other parts.
func telling(x *Answer) (list []*policy.Node) {
	at := map[string]int{}
	var spoken []*policy.Node
	for _, n := range x.Decisive {
		if n.Says != x.Tree.Says {
			continue
		}
		if n.Spoken() {
			spoken = append(spoken, n)
			continue
		}
		read := ""
		for _, v := range n.Values {
			read += v.Attribute + " "
		}
		i, seen := at[read]
		switch {
		case !seen:
			at[read] = len(list)
			list = append(list, n)
		case timed(n) && !timed(list[i]):
			list[i] = n
		}
	}
	if len(list) == 0 {
		return spoken
	}
	return list
}

// The function "timed" reports whether a part compares a date with a time. Such a part tells the reader more than a
// part that asks whether there is a date.
func timed(n *policy.Node) bool {
	return strings.Contains(n.Text, "now") || strings.Contains(n.Text, "timestamp(")
}

// The method "verdict" returns the verdict that follows from the conditions of the rule alone. The decision may differ,
// because the past of the license may override this verdict.
func (x *Answer) verdict() string {
	if x.Tree.Says == policy.True {
		return policy.Reclaim.String()
	}
	return x.Outcome.String()
}

// The function "said" returns a part of a rule in words, with its values. Values that are already in the text "told"
// are left out.
func said(n *policy.Node, told string) string {
	text := cmp.Or(n.Words, n.Text)
	var values []string
	for _, v := range n.Values {
		value := short(v.Value)
		known := v.Value != "true" && v.Value != "false" && !slices.Contains(noValues, v.Value)
		if n.Says == policy.Unknown || !known || strings.Contains(told, value) || strings.Contains(text, value) {
			continue
		}
		values = append(values, v.Attribute+" is "+value)
	}
	if len(values) > 0 {
		text += " (" + strings.Join(values, ", ") + ")"
	}
	return text
}

func short(value string) string {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return day(at)
	}
	return value
}

func valuesOf(n *policy.Node) string {
	parts := make([]string, len(n.Values))
	for i, v := range n.Values {
		parts[i] = v.Attribute + " is " + v.Value
	}
	return strings.Join(parts, ", ")
}
