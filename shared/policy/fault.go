package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong with a file, and where. Text says what to do about
// it; a fault in a condition goes on with CEL's own pointer to the place.
type Fault struct {
	File   string
	Line   int // from 1
	Column int // from 1, in characters
	Text   string
}

// String is the fault as compilers write it, "policy.yaml:12:5: text".
func (f Fault) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Faults is every fault of one file, in the order of the file.
type Faults []Fault

// Error lists the faults, each from a new line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// didYouMean ends a message about an unknown word with the closest known one,
// or with nothing when none is close.
func didYouMean(word string, known []string) string {
	best, closest := "", len(word)/3+2
	for _, k := range known {
		// A field without its source, or the beginning of a word.
		if strings.HasSuffix(k, "."+word) || len(word) > 3 && strings.HasPrefix(k, word) {
			best = k
			break
		}
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < closest {
			best, closest = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance counts the letters to insert, delete or replace to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
