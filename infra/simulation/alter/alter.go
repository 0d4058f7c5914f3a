// Package alter makes altered copies of a JSON text. With them, tests show what happens if an object in the store is
// altered. In each copy, one value is dropped, emptied, lengthened, shortened, moved in time, set to null, changed in a
// number or a letter, or replaced by the value in another text.
package alter

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const day = 24 * time.Hour

// Value is a member of a JSON object or an element of a list. It can be an object or a list itself.
type Value struct {
	Path string // for example ".rules[].name"; the index of an element is left out
	Text string // the text of the value

	kind               jsontext.Kind
	start, end, member int    // the value is text[start:end]; member: index of the value's name in text, or -1 in a list
	first, last        [2]int // for a list: the start and end of its first and its last element
}

// Alteration is a copy of a text in which one value is altered.
type Alteration struct {
	Path, How string
	Text      func() []byte // the text with the altered value
}

// Values returns all values in a JSON text: members, elements, and those inside of them. It leaves out the text as a
// whole.
func Values(text []byte) (all []Value, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	defer func() { // the walk panics with the decoder's error
		if fault, is := recover().(fault); is {
			all, err = nil, fmt.Errorf("%w in %.200s", fault.error, text)
		}
	}()
	w := walk{Decoder: d, text: text}
	w.value("", -1)
	return w.all[:len(w.all)-1], nil
}

type fault struct{ error }

func must[T any](v T, err error) T {
	if err != nil {
		panic(fault{err})
	}
	return v
}

type walk struct {
	*jsontext.Decoder
	text []byte
	all  []Value
}

func (w *walk) value(path string, member int) Value {
	v := Value{Path: path, kind: w.PeekKind(), member: member}
	if v.kind != '{' && v.kind != '[' {
		raw := must(w.ReadValue())
		v.start = int(w.InputOffset()) - len(raw)
	} else {
		must(w.ReadToken())
		v.start = int(w.InputOffset()) - 1
		for n := 0; w.PeekKind() != '}' && w.PeekKind() != ']'; n++ {
			w.inner(&v, n)
		}
		must(w.ReadToken())
	}
	v.end = int(w.InputOffset())
	v.Text = string(w.text[v.start:v.end])
	w.all = append(w.all, v)
	return v
}

func (w *walk) inner(v *Value, n int) {
	if v.kind == '{' {
		name := must(w.ReadValue())
		w.value(v.Path+"."+strings.Trim(string(name), `"`), int(w.InputOffset())-len(name))
		return
	}
	e := w.value(v.Path+"[]", -1)
	if v.last = [2]int{e.start, e.end}; n == 0 {
		v.first = v.last
	}
}

// Alterations returns all altered copies of a text. For the value at a path, the function "others" returns the values
// at the same path in other texts.
func Alterations(text []byte, others func(path string) []string) (all []Alteration, err error) {
	values, err := Values(text)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		ways := v.altered(others(v.Path))
		for _, how := range slices.Sorted(maps.Keys(ways)) {
			all = append(all, Alteration{v.Path, how, func() []byte { return v.put(text, ways[how]) }})
		}
		if v.member >= 0 {
			all = append(all, Alteration{v.Path, "dropped", func() []byte { return v.drop(text) }})
		}
	}
	return all, nil
}

func (v *Value) put(text []byte, value string) []byte {
	return []byte(string(text[:v.start]) + value + string(text[v.end:]))
}

// The method "drop" returns the text without the member and the comma next to it.
func (v *Value) drop(text []byte) []byte {
	before, after := string(text[:v.member]), string(text[v.end:])
	if strings.HasPrefix(after, ",") {
		return []byte(before + after[1:])
	}
	return []byte(strings.TrimSuffix(before, ",") + after)
}

// The method "altered" returns the values that replace the value, by kind of alteration, such as "emptied". It leaves
// out replacements that change nothing.
func (v *Value) altered(others []string) map[string]string {
	ways := map[string]string{"null": "null"}
	for _, o := range others {
		if o != v.Text {
			ways["another's"] = o
			break
		}
	}
	switch v.kind {
	case '"':
		v.alteredText(ways)
	case '0':
		ways["zero"], ways["negative"], ways["a thousand times"], ways["one more"] = "0", "-1", v.Text+"000", plusOne(v.Text)
	case 't', 'f':
		ways["the opposite"] = map[jsontext.Kind]string{'t': "false", 'f': "true"}[v.kind]
	case '[':
		ways["emptied"] = "[]"
		if v.first[1] > 0 {
			inner := v.Text[1 : len(v.Text)-1]
			ways["lengthened"] = "[" + inner + "," + v.Text[v.first[0]-v.start:v.first[1]-v.start] + "]"
			ways["shortened"] = "[" + strings.TrimSuffix(strings.TrimSuffix(inner, v.Text[v.last[0]-v.start:v.last[1]-v.start]), ",") + "]"
		}
	case '{':
		ways["emptied"] = "{}"
	}
	maps.DeleteFunc(ways, func(_, text string) bool { return text == v.Text })
	return ways
}

func (v *Value) alteredText(ways map[string]string) {
	text := strings.Trim(v.Text, `"`)
	ways["empty"], ways["a letter more"] = `""`, `"`+text+`x"`
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		for how, by := range map[string]time.Duration{"a month later": 30 * day, "a year earlier": -365 * day} {
			ways[how] = `"` + at.Add(by).Format(time.RFC3339Nano) + `"`
		}
	}
	if n := len(text) - 1; n >= 0 && text[n] < 0x80 {
		ways["another last letter"] = `"` + text[:n] + map[bool]string{true: "1", false: "2"}[text[n] != '1'] + `"`
	}
}

func plusOne(text string) string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "7"
	}
	return strconv.FormatFloat(n+1, 'f', -1, 64)
}
