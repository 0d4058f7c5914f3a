package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

func table(h *hunt, only []string, known map[string]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "package\tmutants\tkilled by own tests\tby those above\tjustified\tliving\tkilled\t")
	var sum [5]int
	row := func(name string, n [5]int) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%.1f %%\t\n", name, n[0], n[1], n[2], n[3], n[4], 100*float64(n[1]+n[2])/float64(max(1, n[0])))
	}
	for _, p := range only {
		var n [5]int
		for _, m := range h.mutants {
			if m.pkg != p {
				continue
			}
			n[0]++
			switch by := h.killed[m.name]; {
			case by == folder(p):
				n[1]++
			case by != "":
				n[2]++
			case known[m.name] != "":
				n[3]++
			default:
				n[4]++
			}
		}
		row(p, n)
		for i := range n {
			sum[i] += n[i]
		}
	}
	row("all", sum)
	w.Flush()
	return b.String()
}

// The method "faults" compares the run with survivors.txt. It returns a line for each living mutant that the file does
// not list, and for each listed mutant that was killed or does not exist.
func (h *hunt) faults(only []string, known map[string]string) []string {
	var faults []string
	there := map[string]bool{}
	for _, m := range h.mutants {
		there[m.name] = true
		by := h.killed[m.name]
		switch {
		case !slices.Contains(only, m.pkg):
		case by == "" && known[m.name] == "":
			faults = append(faults, "lives: "+m.name)
		case by != "" && known[m.name] != "":
			faults = append(faults, fmt.Sprintf("listed in %s, but killed by %s: %s", survivorsFile, by, m.name))
		}
	}
	for name := range known {
		if !there[name] {
			faults = append(faults, fmt.Sprintf("listed in %s, but there is no such mutant: %s", survivorsFile, name))
		}
	}
	slices.Sort(faults)
	return faults
}
