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

// why says which rule decides and which of its parts settle the verdict.
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

// falseParts says that parts do not hold: as what holds instead, if that is known of each of them. texts are the parts
// in words.
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

// unspelt says what settles the verdict where no condition spells it out.
func unspelt(n *policy.Node, license string) string {
	what := map[string]string{"holder": "the person holds " + license, "exempt": "the person is exempt", "grace": "a grace period holds"}[n.Name]
	if n.Says == policy.Unknown {
		return "nobody knows whether " + what
	}
	return what
}

// telling returns the decisive parts without those that only lead to them: it returns one part for the same attributes,
// and parts that no condition spells out only if there are no others.
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

// timed reports whether a part compares with a time, which says more than whether there is a date.
func timed(n *policy.Node) bool {
	return strings.Contains(n.Text, "now") || strings.Contains(n.Text, "timestamp(")
}

// verdict returns the word of the verdict that the rule itself gives, before the past of the license is looked at.
func (x *Answer) verdict() string {
	if x.Tree.Says == policy.True {
		return policy.Reclaim.String()
	}
	return x.Outcome.String()
}

// said returns a part in words, with those of its values that the reader has not seen in told.
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

// short returns a time as its day, and any other value as it is.
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
