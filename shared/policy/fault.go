package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/idleseat/idleseat/shared/plain"
)

// Fault is a fault in a file. Text says how to fix it. For a fault in a condition, Text ends with CEL's pointer to the
// place.
type Fault struct {
	File   string
	Line   int // counted from 1
	Column int // counted from 1, in characters
	Text   string
}

// String returns the fault in the format of compilers: "policy.yaml:12:5: text".
func (f Fault) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Faults lists all faults in a file, in the order of the file.
type Faults []Fault

const mostFaults = 100

// Error lists the first mostFaults faults, one per line.
func (f Faults) Error() string {
	told := f[:min(len(f), mostFaults)]
	lines := make([]string, len(told))
	for i := range told {
		lines[i] = told[i].String()
	}
	if more := len(f) - len(told); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// didYouMean suggests the closest known word, as the end of a message, or returns "". It avoids a word that may mean
// the opposite, or another word in a series (e3, e5): an author who followed it would write a policy with the wrong
// meaning.
func didYouMean(word string, known []string) string {
	if of := sourcesOf(word, known); len(of) > 0 {
		return fmt.Sprintf(`; did you mean "%s"?`, strings.Join(of, `" or "`))
	}
	if best := likely(word, known); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// The function "likely" returns the known word that the author probably means, or "".
func likely(word string, known []string) string {
	best, closest := "", slips(word)+1
	for _, k := range known {
		if len(word) > 3 && strings.HasPrefix(k, word) {
			best = k
			break
		}
		if d := plain.Distance(strings.ToLower(word), strings.ToLower(k)); d < closest && !opposite(word, k) && digits(word) == digits(k) {
			best, closest = k, d
		}
	}
	return best
}

// sourcesOf returns the full names of a field without its source: entra.created and ad.created for "created".
func sourcesOf(word string, known []string) (fields []string) {
	for _, k := range slices.Backward(known) {
		if strings.HasSuffix(k, "."+word) {
			fields = append(fields, k)
		}
	}
	return fields
}

func slips(word string) int {
	if len(word) < 5 {
		return 1
	}
	return max(2, len(word)/5)
}

// The variable "turns" lists syllables that reverse a meaning.
var (
	turns     = []string{"no", "non", "not", "un", "in", "dis", "is", "has", "hasno", "isnot"}
	opposites = [][2]string{
		{"enabled", "disabled"}, {"old", "new"}, {"early", "late"}, {"before", "after"}, {"internal", "external"}, {"first", "last"}, {"with", "without"}, {"in", "out"},
	}
)

// The function "opposite" reports whether two similar words may have different or opposite meanings.
func opposite(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	turned := func(long, short string) bool {
		return slices.ContainsFunc(turns, func(t string) bool {
			return strings.Contains(long, t) && plain.Distance(strings.Replace(long, t, "", 1), short) <= 1
		})
	}
	if (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) && max(len(a), len(b)) > min(len(a), len(b))+1 {
		return true // such as employee and employeeId
	}
	return turned(a, b) || turned(b, a) || slices.ContainsFunc(opposites, func(o [2]string) bool {
		return strings.Contains(a, o[0]) && strings.Contains(b, o[1]) && !strings.Contains(a, o[1]) || strings.Contains(a, o[1]) && strings.Contains(b, o[0]) && !strings.Contains(b, o[1])
	})
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
