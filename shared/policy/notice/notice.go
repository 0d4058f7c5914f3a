// Package notice writes the mail that announces a change, in the person's language. Its templates have a fixed set of
// fields and are checked when the policy is loaded, so that a notice does not fail later. The package does no I/O and
// reads no clock.
package notice

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
	"unicode"
	"unicode/utf8"
)

// Facts has the values of one notice.
type Facts struct {
	Name    string    // the person's display name
	License string    // the license that is taken or changed
	To      string    // the license that replaces it; empty if none does
	Days    int       // days from the notice to the change
	Due     time.Time // when the change may be made
	LastUse time.Time // when the license was last used; zero if no use is known
}

type fields struct{ Name, License, To, Days, Day, LastUse string }

// FieldNames returns the fields of a template, sorted.
func FieldNames() (names []string) {
	for f := range reflect.TypeFor[fields]().Fields() {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// Message is a finished notice. Body is plain text.
type Message struct{ Subject, Body string }

// Text is a notice in one language.
type Text struct{ Subject, Body *Template }

// Template is a checked template, with text, fields like {{.Name}}, and conditions like {{if .To}}.
type Template struct {
	Source string
	filled *template.Template
}

// Mistake is a mistake in a template. Lines count from 1.
type Mistake struct {
	Line int
	Text string
}

// Error returns the text without the line.
func (m *Mistake) Error() string { return m.Text }

var parseError = regexp.MustCompile(`^template: :(\d+):(?:\d+:)? ?(.*)$`)

// Compile checks a template. The mistake is nil if there is none.
func Compile(source string) (t *Template, mistake *Mistake) {
	filled, err := template.New("").Parse(source)
	if err != nil {
		m := parseError.FindStringSubmatch(err.Error())
		if m == nil {
			return nil, &Mistake{1, err.Error()}
		}
		line, _ := strconv.Atoi(m[1]) // the pattern matches digits only
		last := 1 + strings.Count(strings.TrimRight(source, "\n"), "\n")
		return nil, &Mistake{min(line, last), m[2]}
	}
	if len(filled.Templates()) > 1 {
		return nil, &Mistake{1, "a text may not define other texts"}
	}
	if filled.Tree == nil { // the source is empty or has only definitions
		return nil, &Mistake{1, "the text is empty"}
	}
	if mistake := check(source, filled.Root); mistake != nil {
		return nil, mistake
	}
	return &Template{source, filled}, nil
}

// The function "check" returns a mistake for the first part that is no text, no field and no condition on a field. It
// returns nil if there is no such part.
func check(source string, n parse.Node) *Mistake {
	wrong := func(format string, args ...any) *Mistake {
		at := min(int(n.Position()), len(source))
		return &Mistake{1 + strings.Count(source[:at], "\n"), fmt.Sprintf(format, args...)}
	}
	switch n := n.(type) {
	case nil, *parse.TextNode:
		return nil
	case *parse.ListNode:
		if n == nil { // a condition without else
			return nil
		}
		for _, part := range n.Nodes {
			if mistake := check(source, part); mistake != nil {
				return mistake
			}
		}
		return nil
	case *parse.ActionNode:
		return check(source, n.Pipe)
	case *parse.IfNode:
		for _, part := range []parse.Node{n.Pipe, n.List, n.ElseList} {
			if mistake := check(source, part); mistake != nil {
				return mistake
			}
		}
		return nil
	case *parse.PipeNode:
		if field := fieldOf(n); !slices.Contains(FieldNames(), strings.TrimPrefix(field, ".")) || !strings.HasPrefix(field, ".") {
			return wrong("%s is no field of a notice; the fields are .%s", n, strings.Join(FieldNames(), ", ."))
		}
		return nil
	}
	return wrong("%s: a notice may have only fields, like {{.Name}}, and conditions, like {{if .To}}…{{else}}…{{end}}", n)
}

// fieldOf returns the only field in a pipeline, such as ".Name", or "" for any other pipeline.
func fieldOf(p *parse.PipeNode) string {
	if len(p.Decl) > 0 || len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return ""
	}
	f, is := p.Cmds[0].Args[0].(*parse.FieldNode)
	if !is {
		return ""
	}
	return f.String()
}

func (t *Template) fill(f fields) (string, error) {
	var b strings.Builder
	if err := t.filled.Execute(&b, f); err != nil {
		return "", fmt.Errorf("write a notice: %w", err)
	}
	return b.String(), nil
}

// longestSubject is what Graph accepts, in characters (Microsoft Graph, message resource type).
const longestSubject = 255

// The function "line" removes what is not printable, such as line feeds and marks of writing direction.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

// The method "write" fills the templates. It makes each field a single line, because names in directories may contain
// any text.
func (t *Text) write(in language, about Facts) (Message, error) {
	f := fields{
		Name: line(about.Name), License: line(about.License), To: line(about.To),
		Days: strconv.Itoa(about.Days), Day: in.day(about.Due),
	}
	if !about.LastUse.IsZero() {
		f.LastUse = in.day(about.LastUse)
	}
	subject, err := t.Subject.fill(f)
	if err != nil {
		return Message{}, err
	}
	body, err := t.Body.fill(f)
	if err != nil {
		return Message{}, err
	}
	subject = line(strings.TrimSpace(strings.ReplaceAll(subject, "\n", " ")))
	if utf8.RuneCountInString(subject) > longestSubject {
		subject = string([]rune(subject)[:longestSubject-1]) + "…"
	}
	return Message{subject, strings.TrimSpace(body) + "\n"}, nil
}
