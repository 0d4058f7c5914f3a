// Mutation finds out whether the tests notice a mistake in the code that decides and writes. It makes many small
// changes, called mutants, to the judged packages: a comparison moved by one, a condition forced, an error hidden, a
// statement left out. Each test binary is built once with all mutants of all packages. Each mutant has a switch, so it
// costs one short process.
//
// A mutant first meets the tests of its own package that reach its place. If no test fails, the mutant lives and meets
// the tests of the packages that depend on its package, such as the commands and the nights, for a limited time. If it
// still lives, survivors.txt must list it with the reason. A mutant in that list that no longer lives, or no longer
// exists, is a fault, too.
//
//	go run ./infra/mutation [-own] [-again] [PACKAGE ...]
//
// Run it at the top of the repository, on a machine with little else to do: a test that takes too long counts as
// failed. A full run takes hours on one core.
package main

import (
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
)

// judged are the packages that decide and those that write. The list of survivors names them by the last element of
// their path.
var judged = []string{"shared/ledger", "shared/plan", "shared/policy", "shared/decision", "shared/history", "shared/workflow/gate", "shared/workflow/restore", "shared/evidence", "shared/workflow/apply"}

// folder returns the path of the judged package with a name, or "" if there is none.
func folder(name string) string {
	i := slices.IndexFunc(judged, func(p string) bool { return path.Base(p) == name })
	if i < 0 {
		return ""
	}
	return judged[i]
}

const survivorsFile = "infra/mutation/survivors.txt"

func main() {
	again := flag.Bool("again", false, "only the mutants that lived in the last run: for work on the tests")
	own := flag.Bool("own", false, "only each package's own tests: for work on the tests")
	flag.Parse()
	faults, err := run(*own, *again, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(1)
	}
	for _, f := range faults {
		fmt.Println(f)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
}

func run(own, again bool, only []string) ([]string, error) {
	for _, p := range only {
		if folder(p) == "" {
			return nil, fmt.Errorf("no package %q among %v", p, judged)
		}
	}
	if len(only) == 0 {
		for _, p := range judged {
			only = append(only, path.Base(p))
		}
	}
	known, err := readSurvivors(survivorsFile)
	if err != nil {
		return nil, err
	}
	h, err := prepare()
	if err != nil {
		return nil, err
	}
	anew := only
	if again {
		anew = nil
	}
	if err := h.recall(anew); err != nil {
		return nil, err
	}
	if err := h.hunt(only, own); err != nil {
		return nil, err
	}
	fmt.Print(table(h, only, known))
	return h.faults(only, known), nil
}
