package main

import (
	"fmt"
	"slices"
	"strings"
)

// The function "rewrite" returns the text of a file in which each mutant can be switched on. Only one mutant is on at a
// time, so the text of a mutant contains no switches of other mutants.
func rewrite(s *source, sites []*site, switchPath string) string {
	sites = slices.Clone(sites)
	slices.SortFunc(sites, func(a, b *site) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	_, afterName := s.span(s.file.Name)
	var b strings.Builder
	b.Write(s.text[:afterName])
	fmt.Fprintf(&b, "; import mutated %q", switchPath)
	splice(&b, s.text, afterName, len(s.text), sites)
	return b.String()
}

// The function "splice" writes text[from:to]. At each site, it writes a choice between the original code and the
// mutants of the site.
func splice(b *strings.Builder, text []byte, from, to int, sites []*site) {
	for len(sites) > 0 {
		at := sites[0]
		inner := 1
		for inner < len(sites) && sites[inner].from < at.to {
			inner++
		}
		b.Write(text[from:at.from])
		within := func() { splice(b, text, at.from, at.to, sites[1:inner]) }
		if at.statement {
			at.writeStatement(b, within)
		} else {
			at.writeExpression(b, within)
		}
		from, sites = at.to, sites[inner:]
	}
	b.Write(text[from:to])
}

func (s *site) writeStatement(b *strings.Builder, within func()) {
	for _, m := range s.mutants {
		fmt.Fprintf(b, "if mutated.On(%d) { %s } else ", m.id, m.text)
	}
	b.WriteString("{ ")
	within()
	b.WriteString(" }")
}

func (s *site) writeExpression(b *strings.Builder, within func()) {
	fmt.Fprintf(b, "func() %s { ", s.typ)
	for _, m := range s.mutants {
		fmt.Fprintf(b, "if mutated.On(%d) { return %s }; ", m.id, m.text)
	}
	b.WriteString("return ")
	within()
	b.WriteString(" }()")
}
