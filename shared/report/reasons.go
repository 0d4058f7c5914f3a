package report

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/policy"
)

// reasonCounts counts reasons. Reasons that differ only in numbers, dates and names of people count as the same reason.
type reasonCounts map[reasonKey]*ReasonCount

type reasonKey struct {
	rule, kind string
	outcome    policy.Outcome
}

// mostReasons is the maximum number of different reasons. Further reasons of one rule with the same outcome and the
// same remedy count as one reason.
const mostReasons = 1000

func (c reasonCounts) add(r ReasonCount) {
	k := reasonKey{r.Rule, own.ReplaceAllString(r.Reason, "…"), r.Outcome}
	if c[k] == nil && len(c) >= mostReasons {
		k.kind = r.Remedy
	}
	if c[k] == nil {
		c[k] = &r
	}
	c[k].People++
	c[k].Reason = common(c[k].Reason, r.Reason)
}

// The variable "own" matches words with an at sign or a digit, which differ from person to person.
var own = regexp.MustCompile(`[^\s]*[@0-9][^\s]*`)

// The function "common" returns the text a, with "…" in place of each word in which the text b differs. If the numbers
// of words differ, it returns the text a.
func common(a, b string) string {
	if a == b {
		return a
	}
	words, others := strings.Split(a, " "), strings.Split(b, " ")
	if len(words) != len(others) {
		return a
	}
	for i := range words {
		if words[i] != others[i] {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

// The method "list" returns the reasons, most frequent first.
func (c reasonCounts) list() []ReasonCount {
	all := make([]ReasonCount, 0, len(c))
	for _, r := range c {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}
