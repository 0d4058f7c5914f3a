package states

import (
	"encoding/json"
	"errors"
	"fmt"
)

type rule struct {
	Next string

	And []rule
	Or  []rule
	Not *rule

	Variable      string
	IsPresent     *bool
	IsString      *bool
	BooleanEquals *bool
	StringEquals  *string
	NumericEquals *float64
}

// UnmarshalJSON decodes a choice rule. It rejects comparisons that the package does not implement.
func (r *rule) UnmarshalJSON(text []byte) error {
	type plain rule
	var known struct {
		Comment string
		plain
	}
	if err := strict(text, &known); err != nil {
		return err
	}
	*r = rule(known.plain)
	return nil
}

func (r *rule) faults() (faults []error) {
	comparisons := 0
	for _, given := range []bool{len(r.And) > 0, len(r.Or) > 0, r.Not != nil, r.IsPresent != nil, r.IsString != nil, r.BooleanEquals != nil, r.StringEquals != nil, r.NumericEquals != nil} {
		if given {
			comparisons++
		}
	}
	if comparisons != 1 {
		faults = append(faults, fmt.Errorf("a choice rule has %d comparisons, not one", comparisons))
	}
	if len(r.And)+len(r.Or) == 0 && r.Not == nil {
		if _, err := parsePath(r.Variable); err != nil {
			faults = append(faults, err)
		}
	}
	for _, inner := range append(append([]rule{}, r.And...), r.Or...) {
		faults = append(faults, inner.faults()...)
	}
	if r.Not != nil {
		faults = append(faults, r.Not.faults()...)
	}
	return faults
}

var errNowhere = errors.New("the variable leads nowhere")

// The method "holds" reports whether the rule applies. If a value that it compares is missing, this is an error, except
// with IsPresent.
func (r *rule) holds(input, context any) (bool, error) {
	switch {
	case len(r.And) > 0:
		for i := range r.And {
			if ok, err := r.And[i].holds(input, context); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	case len(r.Or) > 0:
		for i := range r.Or {
			if ok, err := r.Or[i].holds(input, context); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case r.Not != nil:
		ok, err := r.Not.holds(input, context)
		return !ok, err
	}
	p, err := parsePath(r.Variable)
	if err != nil {
		return false, err
	}
	v, found := p.get(input, context)
	if r.IsPresent != nil {
		return found == *r.IsPresent, nil
	}
	if !found {
		return false, fmt.Errorf("%w: %s", errNowhere, r.Variable)
	}
	switch v := v.(type) {
	case string:
		return r.IsString != nil && *r.IsString || r.StringEquals != nil && v == *r.StringEquals, nil
	case bool:
		return r.BooleanEquals != nil && v == *r.BooleanEquals || r.IsString != nil && !*r.IsString, nil
	case float64:
		return r.NumericEquals != nil && v == *r.NumericEquals || r.IsString != nil && !*r.IsString, nil
	}
	return r.IsString != nil && !*r.IsString, nil
}

func size(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return len(b)
}
