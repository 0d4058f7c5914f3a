package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is the maximum size of a file, in bytes.
const maxFile = 1 << 20

// The type "reader" walks a YAML document strictly and collects its faults.
type reader struct {
	name   string
	lines  []string
	faults Faults
}

func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	r.faultAt(n.Line, n.Column, fmt.Sprintf(format, args...))
}

func (r *reader) faultAt(line, column int, text string) {
	r.faults = append(r.faults, Fault{File: r.name, Line: max(line, 1), Column: max(column, 1), Text: text})
}

// The function "open" parses the only document in a file. The returned node is nil if there is a fault. If kept is set,
// mappings and lists have no limit, because a run stored the file.
func open(name string, data []byte, kept bool) (*reader, *yaml.Node) {
	r := &reader{name: name}
	switch {
	case len(data) > maxFile:
		r.faultAt(1, 1, fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), maxFile))
		return r, nil
	case !utf8.Valid(data):
		r.faultInvalidText(data)
		return r, nil
	}
	r.lines = strings.Split(string(data), "\n")
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		r.faultAt(1, 1, "the file is empty")
		return r, nil
	} else if err != nil {
		r.faultYAML(err)
		return r, nil
	}
	if err := decoder.Decode(&second); err == nil {
		r.fault(&second, "a second document starts here; a file has one")
	} else if !errors.Is(err, io.EOF) {
		r.faultYAML(err)
	}
	r.refuse(&doc)
	if !kept {
		r.bounded(&doc)
	}
	if len(r.faults) > 0 {
		return r, nil
	}
	return r, doc.Content[0]
}

func (r *reader) faultInvalidText(data []byte) {
	line := 1
	for l := range bytes.Lines(data) {
		if !utf8.Valid(l) {
			r.faultAt(line, 1, "the line is not valid UTF-8")
			return
		}
		line++
	}
}

// The method "refuse" reports anchors, aliases and tags, because a reviewer must see the whole meaning of a value in
// one place.
func (r *reader) refuse(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		r.fault(n, "aliases are not allowed; write the value out")
		return
	case n.Anchor != "":
		r.fault(n, "in YAML a value that begins with & is an anchor; anchors are not allowed: write the value out where it is needed, and a text in quotes")
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n, "%s", r.tagged(n))
	}
	for _, c := range n.Content {
		r.refuse(c)
	}
}

var negation = regexp.MustCompile(`^\s*(?:- +)?(\w+):\s+(![^!\s].*?)\s*(?:\s#.*)?$`)

func (r *reader) tagged(n *yaml.Node) string {
	if own := r.negated(n.Line); own != "" {
		return own
	}
	return "YAML reads an unquoted ! as a tag, and tags are not allowed; put the value in quotes, as in for: '!inPilot'"
}

// The method "negated" returns a message for a line whose value begins with an unquoted !. It returns "" for any other
// line. Lines count from 1.
func (r *reader) negated(line int) string {
	if line > len(r.lines) {
		return ""
	}
	m := negation.FindStringSubmatch(r.lines[line-1])
	if m == nil || strings.Contains(m[2], "'") {
		return ""
	}
	return fmt.Sprintf("YAML reads an unquoted ! as a tag; write %s: '%s'", m[1], m[2])
}

// The limits for one mapping or list. Checks compare entries with each other, so a file of 1 MiB could otherwise take
// minutes.
const (
	mostKeys  = 1000
	mostItems = 10_000 // exempt.users may be long
	mostRules = 250
)

func (r *reader) bounded(n *yaml.Node) {
	most, what := len(n.Content), ""
	switch n.Kind {
	case yaml.MappingNode:
		most, what = 2*mostKeys, fmt.Sprintf("a mapping has at most %d keys", mostKeys)
	case yaml.SequenceNode:
		most, what = mostItems, fmt.Sprintf("a list has at most %d entries; name a group in place of its members", mostItems)
	}
	if len(n.Content) > most {
		r.fault(n.Content[most], "%s", what)
		return
	}
	for _, c := range n.Content {
		r.bounded(c)
	}
}

type entry struct{ key, value *yaml.Node }

// The method "entries" returns the entries of a mapping in the order of the file, and reports duplicate keys.
func (r *reader) entries(n *yaml.Node, what string) []entry {
	if n.Kind != yaml.MappingNode {
		r.fault(n, "%s must be a mapping of keys to values, not %s", what, kindOf(n))
		return nil
	}
	var list []entry
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.ShortTag() != "!!str" || key.Value == "" {
			r.fault(key, "a key of %s must be text, not %s", what, kindOf(key))
			continue
		}
		if line, twice := seen[key.Value]; twice {
			r.fault(key, "%s has the key %q twice, first on line %d; delete one", what, key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		list = append(list, entry{key, n.Content[i+1]})
	}
	return list
}

type object struct {
	*reader
	node   *yaml.Node
	what   string
	path   string // the Key.Path of the mapping; empty for the whole policy and for a mapping of another file
	fields map[string]*yaml.Node
	meant  []string // keys that unknown keys probably mean
}

func (r *reader) object(n *yaml.Node, what string, known ...string) object {
	o := object{reader: r, node: n, what: what, fields: map[string]*yaml.Node{}}
	for _, e := range r.entries(n, what) {
		switch {
		case slices.Contains(known, e.key.Value):
			o.fields[e.key.Value] = e.value
		case strings.Contains(e.key.Value, "="):
			r.fault(e.key, "unknown key %q in %s; put a distinguished name in double quotes", e.key.Value, what)
			return o // the other parts of the name are no keys, either
		default:
			o.meant = append(o.meant, likely(e.key.Value, known))
			r.fault(e.key, "unknown key %q in %s%s", e.key.Value, what, cmp.Or(didYouMean(e.key.Value, known), theKeys(known)))
		}
	}
	return o
}

// mostListed limits the names in a message about an unknown name.
const mostListed = 12

func theKeys(known []string) string {
	if len(known) > mostListed {
		return ""
	}
	return "; the keys are " + strings.Join(known, ", ")
}

// The method "section" reads the mapping at a path of the table Keys.
func (r *reader) section(n *yaml.Node, what, path string) object {
	o := r.object(n, what, KeysBelow(path)...)
	o.path = path
	return o
}

// The method "key" returns the entry of the table Keys. The key must be in the table.
func (o object) key(name string) *Key { return KeyAt(strings.TrimPrefix(o.path+"."+name, ".")) }

// The method "count" reads a whole number within the bounds of the table Keys into dst.
func (o object) count(name, what string, dst *int) {
	k := o.key(name)
	o.reader.count(o.fields[name], what, int(k.Min), int(k.Max), dst)
}

func (o object) number(name, what string, dst *float64) {
	k := o.key(name)
	o.reader.number(o.fields[name], what, k.Min, k.Max, dst)
}

// The method "required" returns the value of a key, or nil. A missing key is a fault. It is not reported again if a
// message already says that a misspelt key means this key, or that the node is no mapping.
func (o object) required(key, example string) *yaml.Node {
	n := o.fields[key]
	if n == nil && o.node.Kind == yaml.MappingNode && !slices.Contains(o.meant, key) {
		o.fault(o.node, "%s lacks the key %q; write %s", o.what, key, example)
	}
	return n
}

// The method "text" returns the value of a key, or "" if it is absent or wrong.
func (o object) text(key string) string {
	n := o.fields[key]
	if n == nil {
		return ""
	}
	s, _ := o.reader.text(n, key)
	return s
}
