package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// The variable "kinds" has the reasons for which a mutant may live.
var kinds = []string{
	"equivalent",  // no input gives a different result
	"text",        // only the text of a message differs, and no code depends on the text
	"cost",        // only time, memory or the number of reads differs
	"guarded",     // another check, which the text after the colon names, gives the same result before anything is written
	"unreachable", // the code handles a case that its callers exclude
}

// readSurvivors reads survivors.txt. A line without indentation has a kind, a colon and a reason. The indented lines
// below it name the mutants that live for this reason. The result has the reason of each mutant, by name.
func readSurvivors(path string) (map[string]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	reason := ""
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line = strings.TrimRight(line, " \n")
		switch name, indented := strings.CutPrefix(line, "\t"); {
		case line == "" || line[0] == '#':
		case !indented:
			kind, why, ok := strings.Cut(line, ": ")
			if !ok || !slices.Contains(kinds, kind) || strings.TrimSpace(why) == "" {
				return nil, fmt.Errorf("%s:%d: want one of %s, a colon and a reason", path, n, strings.Join(kinds, ", "))
			}
			reason = line
		case reason == "":
			return nil, fmt.Errorf("%s:%d: a mutant without a reason above it", path, n)
		case known[name] != "":
			return nil, fmt.Errorf("%s:%d: listed twice: %s", path, n, name)
		default:
			known[name] = reason
		}
	}
	return known, nil
}
