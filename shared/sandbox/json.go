package sandbox

import (
	"encoding/json"
	"time"
)

// The type "property" is a property of an object of Graph. The function "write" appends the value as JSON, or returns
// nil if the object lacks the property.
type property[T any] struct {
	name  string
	write func(b []byte, v *T) []byte
}

// appendObject appends a JSON object with the selected properties. The argument "prefix" is empty, or an annotation
// that ends with a comma.
func appendObject[T any](b []byte, v *T, selected []property[T], prefix string) []byte {
	b = append(b, '{')
	b = append(b, prefix...)
	for _, p := range selected {
		at := len(b)
		b = append(b, '"')
		b = append(b, p.name...)
		b = append(b, `":`...)
		if written := p.write(b, v); written != nil {
			b = append(written, ',')
		} else {
			b = b[:at]
		}
	}
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

// The function "text" returns a property with a string value. An empty string becomes null.
func text[T any](name string, get func(*T) string) property[T] {
	return property[T]{name, func(b []byte, v *T) []byte { return appendText(b, get(v)) }}
}

func boolean[T any](name string, get func(*T) bool) property[T] {
	return property[T]{name, func(b []byte, v *T) []byte { return appendBool(b, get(v)) }}
}

// The function "constant" returns a property with the same JSON value in every object.
func constant[T any](name, value string) property[T] {
	return property[T]{name, func(b []byte, _ *T) []byte { return append(b, value...) }}
}

// appendText appends a JSON string, or null for the empty string.
func appendText(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // Marshal can encode any string
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// appendTime appends an instant in Graph's form, or null for the zero time.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339)
	return append(b, '"')
}

func appendList[E any](b []byte, list []E, write func(b []byte, e E) []byte) []byte {
	b = append(b, '[')
	for n, e := range list {
		if n > 0 {
			b = append(b, ',')
		}
		b = write(b, e)
	}
	return append(b, ']')
}
