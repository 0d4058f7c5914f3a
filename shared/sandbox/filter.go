package sandbox

import (
	"strings"
)

// The type "clause" is a comparison in a $filter: "path op value", "path in (values)" or "path/any()". any() asks
// whether a collection has elements.
type clause struct {
	path   string
	op     string
	values []string // without quotes
	and    *clause  // the next comparison; nil: none
}

// parseFilter parses a $filter that consists of comparisons joined by "and". It rejects any other filter.
func parseFilter(s string) (*clause, error) {
	tokens, err := filterTokens(s)
	if err != nil {
		return nil, err
	}
	p := filterParser{tokens}
	var first, last *clause
	for {
		c, err := p.comparison()
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = c
		} else {
			last.and = c
		}
		last = c
		if len(p.tokens) == 0 {
			return first, nil
		}
		if p.take() != "and" {
			return nil, errFilter
		}
	}
}

var errFilter = &graphError{status: 400, code: "BadRequest", message: "Invalid filter clause"}

func filterTokens(s string) (tokens []string, err error) {
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		end := 1
		switch s[0] {
		case '(', ')', ',':
		case '\'':
			if end = quotedEnd(s); end < 0 {
				return nil, errFilter
			}
		default:
			if end = strings.IndexAny(s, " (),'"); end < 0 {
				end = len(s)
			}
		}
		tokens, s = append(tokens, s[:end]), s[end:]
	}
	return tokens, nil
}

// quotedEnd returns the end of the quoted string at the start of s, or -1 if it is not closed. A doubled quote stands
// for a quote.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			continue
		}
		if i+1 == len(s) || s[i+1] != '\'' {
			return i + 1
		}
		i++
	}
	return -1
}

type filterParser struct{ tokens []string }

func (p *filterParser) take() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *filterParser) comparison() (*clause, error) {
	c := &clause{path: p.take(), op: p.take()}
	if path, isAny := strings.CutSuffix(c.path, "/any"); isAny {
		if c.op != "(" || p.take() != ")" {
			return nil, errFilter
		}
		return &clause{path: path, op: "any"}, nil
	}
	if c.path == "" || strings.ContainsAny(c.path[:1], "('),") {
		return nil, errFilter
	}
	switch c.op {
	case "eq", "ne", "ge", "le":
		v, err := p.value()
		c.values = []string{v}
		return c, err
	case "in":
		var err error
		c.values, err = p.list()
		return c, err
	default:
		return nil, errFilter
	}
}

func (p *filterParser) value() (string, error) {
	t := p.take()
	switch {
	case t == "" || strings.ContainsAny(t[:1], "(),"):
		return "", errFilter
	case t[0] == '\'':
		return strings.ReplaceAll(t[1:len(t)-1], "''", "'"), nil
	default:
		return t, nil
	}
}

func (p *filterParser) list() (values []string, err error) {
	if p.take() != "(" {
		return nil, errFilter
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		switch p.take() {
		case ",":
		case ")":
			return values, nil
		default:
			return nil, errFilter
		}
	}
}

func (c *clause) is(path, op string) bool {
	return c != nil && c.and == nil && c.path == path && c.op == op
}

// The method "mentions" reports whether one of the comparisons refers to a property or to a part of it.
func (c *clause) mentions(property string) bool {
	for ; c != nil; c = c.and {
		if c.path == property || strings.HasPrefix(c.path, property+"/") {
			return true
		}
	}
	return false
}

// The method "refused" returns the error for a filter that the sandbox does not support. The argument "kind" is the
// type of the filtered objects, such as "User".
func (c *clause) refused(kind string) error {
	if c.mentions("signInActivity") && c.and != nil {
		return unsupportedQuery("Filter on signInActivity is not supported with any other filterable properties.")
	}
	if c.mentions("signInActivity") {
		return notSimulated("filter on signInActivity")
	}
	return unsupportedQuery("Unsupported or invalid query filter clause specified for property '%s' of resource '%s'.", c.path, kind)
}
