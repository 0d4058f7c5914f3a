// Command mutation checks whether the tests notice errors in the code that decides and writes. It makes many small
// changes, called mutants, in the packages of that code. A mutant moves the boundary of a comparison, forces a
// condition, hides an error or leaves out a statement. Each test binary is built once with all mutants, and a switch
// selects one. To test a mutant, one short process is enough.
//
// The tests of a mutant's own package run first, if they reach the mutant. A mutant lives if no test fails. On a living
// mutant, the tests of other packages that use the code then run for a limited time, such as those of the commands and
// the nights. survivors.txt must list each mutant that still lives, with the reason, and no other.
//
// go run ./infra/mutation [-own] [-again] [PACKAGE ...]
//
// An interrupt ends the run early. The command then prints what the run has found, and -again continues the run.
//
// Run the command at the top of the repository, on a machine with little other work: a test that takes too long counts
// as failed, so a slow machine would hide living mutants. A full run takes hours on one core.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path"
	"slices"
)

// The variable "judged" has the packages that get mutants, because they decide or write. In arguments and in
// survivors.txt, the last element of the path is the name of a package.
var judged = []string{"shared/ledger", "shared/plan", "shared/policy", "shared/decision", "shared/history", "shared/workflow/gate", "shared/workflow/restore", "shared/evidence", "shared/workflow/apply"}

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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := h.hunt(ctx, only, own); err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	fmt.Print(table(h, only, known))
	return h.faults(only, known), nil
}
