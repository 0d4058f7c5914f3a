package states

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The type "step" is a step of a path: the name of a member, or the index of an element if the name is empty.
type step struct {
	name  string
	index int
}

// The type "path" selects a value in the state's input ($) or in the context object ($$).
type path struct {
	context bool
	steps   []step
}

var pathStep = regexp.MustCompile(`^(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\])`)

// parsePath parses a path such as $.people[0].id. It rejects filters, slices and wildcards, which the package does not
// implement.
func parsePath(text string) (path, error) {
	var p path
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return p, fmt.Errorf("path %q does not begin with $", text)
	}
	rest, p.context = strings.CutPrefix(rest, "$")
	for rest != "" {
		found := pathStep.FindStringSubmatch(rest)
		if found == nil {
			return p, fmt.Errorf("path %q is not implemented", text)
		}
		s := step{name: found[1]}
		if s.name == "" {
			s.index, _ = strconv.Atoi(found[2]) // the pattern matches only digits here
		}
		p.steps, rest = append(p.steps, s), rest[len(found[0]):]
	}
	return p, nil
}

// The method "get" returns the value at the path. If a part of the path is missing, "found" is false.
func (p path) get(input, context any) (value any, found bool) {
	if value = input; p.context {
		value = context
	}
	for _, s := range p.steps {
		switch v := value.(type) {
		case map[string]any:
			if value, found = v[s.name]; !found || s.name == "" {
				return nil, false
			}
		case []any:
			if s.name != "" || s.index >= len(v) {
				return nil, false
			}
			value = v[s.index]
		default:
			return nil, false
		}
	}
	return value, true
}

// The function "value" returns the value at a path. If there is none, this is a failure.
func value(text string, input, context any) (any, *Failure) {
	p, err := parsePath(text)
	if err != nil {
		return nil, &Failure{runtimeError, err.Error()}
	}
	v, found := p.get(input, context)
	if !found {
		return nil, &Failure{"States.ParameterPathFailure", fmt.Sprintf("the path %q leads nowhere", text)}
	}
	return v, nil
}

var toText = regexp.MustCompile(`^States\.JsonToString\((\$[^()]*)\)$`)

// checkTemplate returns an error for each member of a payload template whose value the package cannot evaluate.
func checkTemplate(template json.RawMessage) (faults []error) {
	if len(template) == 0 {
		return nil
	}
	var v any
	if err := json.Unmarshal(template, &v); err != nil {
		return []error{err}
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				text, isText := inner.(string)
				if !strings.HasSuffix(name, ".$") {
					walk(inner)
					continue
				}
				if found := toText.FindStringSubmatch(text); found != nil {
					text = found[1]
				}
				if _, err := parsePath(text); !isText || err != nil {
					faults = append(faults, fmt.Errorf("%s: %v is not implemented", name, inner))
				}
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(v)
	return faults
}

// The function "fill" evaluates a payload template: it returns the template with each path replaced by the value at the
// path.
func fill(template json.RawMessage, input, context any) (any, *Failure) {
	var v any
	if err := json.Unmarshal(template, &v); err != nil {
		return nil, &Failure{runtimeError, err.Error()}
	}
	return fillIn(v, input, context)
}

func fillIn(template, input, context any) (any, *Failure) {
	switch t := template.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for name, inner := range t {
			plain, dynamic := strings.CutSuffix(name, ".$")
			var failure *Failure
			if dynamic {
				out[plain], failure = evaluate(inner.(string), input, context) // checkTemplate has checked that the value is a string
			} else {
				out[name], failure = fillIn(inner, input, context)
			}
			if failure != nil {
				return nil, failure
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(t))
		for i, inner := range t {
			var failure *Failure
			if out[i], failure = fillIn(inner, input, context); failure != nil {
				return nil, failure
			}
		}
		return out, nil
	}
	return template, nil
}

// The function "evaluate" returns the value of a text in a template. The text is a path, or a call of
// States.JsonToString with a path.
func evaluate(text string, input, context any) (any, *Failure) {
	found := toText.FindStringSubmatch(text)
	if found == nil {
		return value(text, input, context)
	}
	v, failure := value(found[1], input, context)
	if failure != nil {
		return nil, failure
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &Failure{"States.IntrinsicFailure", err.Error()}
	}
	return string(b), nil
}

// The function "place" returns the input with a result at the place that ResultPath names, as in "$.found". ResultPath
// can name only one member of an object. Any other ResultPath is a failure. If ResultPath is missing or "$", the
// function returns the result. If it is null, the function returns the input.
func place(where json.RawMessage, input, result any) (any, *Failure) {
	if len(where) == 0 {
		return result, nil
	}
	var text *string
	if err := json.Unmarshal(where, &text); err != nil {
		return nil, &Failure{runtimeError, err.Error()}
	}
	switch {
	case text == nil:
		return input, nil
	case *text == "$":
		return result, nil
	}
	p, err := parsePath(*text)
	whole, isObject := input.(map[string]any)
	if err != nil || len(p.steps) != 1 || p.context || !isObject {
		return nil, &Failure{"States.ResultPathMatchFailure", fmt.Sprintf("ResultPath %q cannot be applied", *text)}
	}
	out := make(map[string]any, len(whole)+1)
	for name, v := range whole {
		out[name] = v
	}
	out[p.steps[0].name] = result
	return out, nil
}
