package command

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plain/terminal"
)

// The type "printer" writes text to w and keeps the first error. A line break in an argument becomes a space, so an
// argument cannot look like a line of its own.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		for i, arg := range args {
			if text, err := arg.(error); err && text != nil {
				args[i] = oneLine(text.Error())
			} else if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
				args[i] = oneLine(v.String())
			}
		}
		if out, fits := p.w.(*terminal.Out); fits {
			p.err = out.Print(fmt.Sprintf(format, args...))
			return
		}
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// The method "whole" prints a line, such as a command to copy, without breaking it on a narrow terminal.
func (p *printer) whole(indent int, line string) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, "%*s%s\n", indent, "", oneLine(line))
	}
}

// The method "table" prints rows in aligned columns that fit the terminal. The first row is the header.
func (p *printer) table(rows [][]string) {
	if p.err != nil {
		return
	}
	out, fits := p.w.(*terminal.Out)
	if !fits {
		out = terminal.NewOut(p.w, terminal.Screen{}, false, nil)
	}
	p.err = out.Table(rows)
}

const shownRows = 25

// shortTable prints the first rows of a table, and how many it leaves out. The argument "rest" says where the reader
// finds the other rows.
func (p *printer) shortTable(rows [][]string, rest string) {
	more := len(rows) - 1 - shownRows
	if more <= 0 {
		p.table(rows)
		return
	}
	p.table(rows[:1+shownRows])
	p.printf("  … and %d more; %s\n", more, rest)
}

func oneLine(text string) string { return plain.OneLine(text) }

// The method "person" returns the name of a person, or the id if there is no name or if the text goes into a log.
func (a *Process) person(name, id string) string {
	if a.logs {
		return id
	}
	return cmp.Or(name, id)
}

// The function "flowing" returns a writer that breaks lines to the width of the terminal.
func flowing(w io.Writer) io.Writer {
	if out, fits := w.(*terminal.Out); fits {
		return out.Flowing()
	}
	return w
}

func moreAre(n int) string {
	if n == 1 {
		return "1 more is"
	}
	return fmt.Sprintf("%d more are", n)
}

func amount(sum float64, currency string) string {
	return strings.TrimSpace(fmt.Sprintf("%.2f %s", sum, currency))
}

// maxReasons is the maximum number of different reasons that the type "top" counts. shownReasons is the maximum number
// that it prints.
const (
	maxReasons   = 10_000
	shownReasons = 12
)

// The type "top" counts people by reason, and prints the most frequent reasons first.
type top struct {
	counts map[string]int
	total  int
	others int
}

func newTop() *top { return &top{counts: map[string]int{}} }

func (t *top) add(reason string) {
	t.total++
	if _, known := t.counts[reason]; !known && len(t.counts) == maxReasons {
		t.others++
		return
	}
	t.counts[reason]++
}

func (t *top) print(out *printer, title string) {
	if t.total == 0 {
		return
	}
	reasons := slices.SortedFunc(maps.Keys(t.counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.counts[b], t.counts[a]), cmp.Compare(a, b))
	})
	out.printf("%s: %d\n", title, t.total)
	others := t.others
	for i, r := range reasons {
		if i < shownReasons {
			out.printf("  %6d  %s\n", t.counts[r], r)
		} else {
			others += t.counts[r]
		}
	}
	if others > 0 {
		out.printf("  %6d  for other reasons\n", others)
	}
	out.printf("\n")
}
