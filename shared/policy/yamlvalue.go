package policy

import (
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (r *reader) text(n *yaml.Node, what string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null":
		r.fault(n, "%s must be text, not %s", what, kindOf(n))
	case n.ShortTag() != "!!str":
		r.fault(n, "%s must be text, not %s; put %s in quotes", what, kindOf(n), n.Value)
	case strings.TrimSpace(n.Value) == "":
		r.fault(n, "%s is empty", what)
	default:
		return n.Value, true
	}
	return "", false
}

func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "%s must be a list, not %s", what, kindOf(n))
		return nil
	}
	return n.Content
}

func (r *reader) flag(n *yaml.Node, what string) bool {
	if n.ShortTag() != "!!bool" {
		r.fault(n, "%s must be true or false, not %s", what, kindOf(n))
	}
	return strings.EqualFold(n.Value, "true")
}

// The method "number" reads a number from lo to hi into dst. If the node is nil or wrong, dst does not change.
func (r *reader) number(n *yaml.Node, what string, lo, hi float64, dst *float64) {
	if n == nil {
		return
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	if tag := n.ShortTag(); tag != "!!int" && tag != "!!float" || err != nil || !(v >= lo && v <= hi) {
		r.fault(n, "%s must be a number from %v to %v, not %s%s", what, lo, hi, shown(n), unquote(n))
		return
	}
	*dst = v
}

func (r *reader) count(n *yaml.Node, what string, lo, hi int, dst *int) {
	if n == nil {
		return
	}
	v, err := strconv.Atoi(n.Value)
	if n.ShortTag() != "!!int" || err != nil || v < lo || v > hi {
		r.fault(n, "%s must be a whole number from %d to %d, not %s%s", what, lo, hi, shown(n), unquote(n))
		return
	}
	*dst = v
}

// The function "unquote" returns the advice to remove quotes or a percent sign, or "" if the value has neither.
func unquote(n *yaml.Node) string {
	if n.ShortTag() != "!!str" {
		return ""
	}
	number, percent := strings.CutSuffix(n.Value, "%")
	switch _, err := strconv.ParseFloat(strings.TrimSpace(number), 64); {
	case err != nil:
		return ""
	case percent:
		return "; leave out the %"
	}
	return "; write it without quotes"
}

// The method "date" reads a time in UTC. The result "day" reports whether the text was a day without a time.
func (r *reader) date(n *yaml.Node, what string) (t time.Time, day bool) {
	if t, err := time.Parse(time.DateOnly, n.Value); err == nil {
		return t, true
	}
	if t, err := time.Parse(time.RFC3339, n.Value); err == nil {
		return t.UTC(), false
	}
	r.fault(n, "%s must be a date like 2027-03-01 or an instant like 2027-03-01T18:00:00Z, not %s", what, shown(n))
	return time.Time{}, false
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

// The function "shown" returns the value of a scalar, cut to a readable length, or else the kind of the node.
func shown(n *yaml.Node) string {
	if n.Value == "" {
		return kindOf(n)
	}
	return strconv.Quote(n.Value[:min(len(n.Value), 40)])
}
