package command

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"

	"github.com/idleseat/idleseat/shared/directory"
)

// alteration is one altered field of one object of the store.
type alteration struct {
	kind, key string // kind and key of the object
	field     string // path of the field, with [] instead of the numbers in lists
	how       string
	body      func() []byte // returns the altered object
}

func (a *alteration) String() string { return fmt.Sprintf("%s: %s %s", a.key, a.field, a.how) }

// objectKinds lists all kinds of objects that a store may have, by their keys.
var objectKinds = []struct {
	kind string
	key  *regexp.Regexp
	text func(raw []byte) (texts [][]byte, pack func([][]byte) []byte, err error)
}{
	{"begin", regexp.MustCompile(`^runs/[^/]+/begin\.json$`), plainObject},
	{"part of Entra ID", regexp.MustCompile(`^runs/[^/]+/entra/\d+/[^/]+\.parquet$`), nil},
	{"part of Active Directory", regexp.MustCompile(`^runs/[^/]+/ad/\d+/[^/]+\.parquet$`), nil},
	{"call", regexp.MustCompile(`^runs/[^/]+/entra/calls/\d+\.json$`), plainObject},
	{"manifest", regexp.MustCompile(`^runs/[^/]+/manifest\.json$`), plainObject},
	{"standing", regexp.MustCompile(`^runs/[^/]+/history/[^/]+\.jsonl\.gz$`), lineObject},
	{"mailboxes", regexp.MustCompile(`^runs/[^/]+/mailboxes/[^/]+\.jsonl\.gz$`), lineObject},
	{"decisions", regexp.MustCompile(`^runs/[^/]+/decisions/\d+\.jsonl\.gz$`), lineObject},
	{"people", regexp.MustCompile(`^runs/[^/]+/people/[^/]+\.parquet$`), nil},
	{"members", regexp.MustCompile(`^runs/[^/]+/members/[^/]+\.parquet$`), nil},
	{"known accounts", regexp.MustCompile(`^runs/[^/]+/known/\d+\.gz$`), nil},
	{"plan", regexp.MustCompile(`^runs/[^/]+/plan\.json$`), plainObject},
	{"changes", regexp.MustCompile(`^runs/[^/]+/changes\.csv$`), nil},
	{"results", regexp.MustCompile(`^runs/[^/]+/results/[^/]+\.json$`), plainObject},
	{"planned", regexp.MustCompile(`^history/(plans|others)/[^/]+\.json$`), plainObject},
	{"override", regexp.MustCompile(`^history/overrides/[^/]+\.json$`), plainObject},
	{"withdrawal", regexp.MustCompile(`^history/withdrawn/[^/]+(/[^/]+)?\.json$`), plainObject},
	{"intent", regexp.MustCompile(`^ledger/[^/]+/[^/]+/\d{6}\.json$`), plainObject},
	{"completion", regexp.MustCompile(`^ledger/[^/]+/[^/]+/\d{6}\.done\.json$`), plainObject},
	{"mark", regexp.MustCompile(`^ledger/[^/]+/[^/]+/\d{6}\.(leaving|back|answered|free|in-target|second-try|third-try)\.json$`), plainObject},
}

// alterations returns all ways to alter one field of an object. others has the values of the same field anywhere in the
// store.
func alterations(t *testing.T, key string, raw []byte, others map[string][]string) (all []alteration) {
	t.Helper()
	for _, k := range objectKinds {
		if !k.key.MatchString(key) {
			continue
		}
		switch k.kind {
		case "known accounts":
			all = knownAlterations(t, raw)
		case "part of Entra ID", "part of Active Directory", "people", "members":
			all = tableAlterations(raw)
		case "changes":
			for _, how := range []string{"idleSince", "monthlySaving", "@"} {
				all = append(all, alteration{field: how, how: "another letter", body: func() []byte { return bytes.Replace(raw, []byte(how), []byte("x"), 1) }})
			}
		default:
			texts, pack, err := k.text(raw)
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			all = textAlterations(t, k.kind, texts, pack, others)
		}
		for i := range all {
			all[i].kind, all[i].key = k.kind, key
		}
		return all
	}
	t.Fatalf("the store has an object of no kind that this test knows, %s: say in objectKinds how it is altered", key)
	return nil
}

// tableAlterations returns ways to alter a Parquet table, whose pages are compressed. They flip a bit at eight places:
// the magic, pages of several columns, and the footer.
func tableAlterations(raw []byte) (all []alteration) {
	for i := range 8 {
		at := i * (len(raw) - 1) / 7
		all = append(all, alteration{field: fmt.Sprint("eighth ", i), how: "another bit", body: func() []byte {
			b := bytes.Clone(raw)
			b[at] ^= 1
			return b
		}})
	}
	return append(all, alteration{field: "table", how: "cut", body: func() []byte { return raw[:len(raw)/2] }},
		alteration{field: "table", how: "empty", body: func() []byte { return nil }})
}

// valuesOf returns the values of each field in some objects.
func valuesOf(t *testing.T, objects map[string][]byte) map[string][]string {
	t.Helper()
	values := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		for _, k := range objectKinds {
			if k.text == nil || !k.key.MatchString(key) {
				continue
			}
			texts, _, err := k.text(objects[key])
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			for _, text := range texts {
				for _, f := range fieldsOf(t, text) {
					if name := k.kind + f.path; !slices.Contains(values[name], f.value) && len(values[name]) < 3 {
						values[name] = append(values[name], f.value)
					}
				}
			}
		}
	}
	return values
}

func plainObject(raw []byte) ([][]byte, func([][]byte) []byte, error) {
	return [][]byte{raw}, func(texts [][]byte) []byte { return texts[0] }, nil
}

func inflated(raw []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zip)
}

func deflated(text []byte) []byte {
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, _ = zip.Write(text)
	_ = zip.Close()
	return zipped.Bytes()
}

func lineObject(raw []byte) ([][]byte, func([][]byte) []byte, error) {
	text, err := inflated(raw)
	lines := bytes.SplitAfter(text, []byte("\n"))
	return lines[:len(lines)-1], func(lines [][]byte) []byte { return deflated(bytes.Join(lines, nil)) }, err
}

// textAlterations alters every field of every text of an object.
func textAlterations(t *testing.T, kind string, texts [][]byte, pack func([][]byte) []byte, others map[string][]string) (all []alteration) {
	t.Helper()
	with := func(n int, text ...[]byte) func() []byte {
		return func() []byte {
			rest := append(append([][]byte{}, texts[:n]...), text...)
			return pack(append(rest, texts[n+1:]...))
		}
	}
	for n, text := range texts {
		if len(texts) > 1 {
			all = append(all, alteration{field: "a line", how: "dropped", body: with(n)}, alteration{field: "a line", how: "twice", body: with(n, text, text)})
		}
		for _, f := range fieldsOf(t, text) {
			for how, value := range f.altered(others[kind+f.path]) {
				all = append(all, alteration{field: f.path, how: how, body: func() []byte { return with(n, f.put(text, value))() }})
			}
			if f.member >= 0 {
				all = append(all, alteration{field: f.path, how: "dropped", body: func() []byte { return with(n, f.drop(text))() }})
			}
		}
	}
	return all
}

// field is a value in a JSON text, text[start:end]. member is the start of its name, or -1 in a list.
type field struct {
	path               string
	kind               jsontext.Kind
	start, end, member int
	value              string
	first, last        [2]int // the first and the last element of a list
}

// fieldsOf returns all values of a text, including those in lists and objects.
func fieldsOf(t *testing.T, text []byte) (all []field) {
	t.Helper()
	d := jsontext.NewDecoder(bytes.NewReader(text))
	must := func(err error) {
		if err != nil {
			t.Fatalf("%v in %.200s", err, text)
		}
	}
	var value func(path string, member int) field
	value = func(path string, member int) field {
		f := field{path: path, kind: d.PeekKind(), member: member}
		switch f.kind {
		case '{', '[':
			_, err := d.ReadToken()
			must(err)
			f.start = int(d.InputOffset()) - 1
			for n := 0; d.PeekKind() != '}' && d.PeekKind() != ']'; n++ {
				if f.kind == '[' {
					e := value(path+"[]", -1)
					if f.last = [2]int{e.start, e.end}; n == 0 {
						f.first = f.last
					}
					continue
				}
				name, err := d.ReadValue()
				must(err)
				value(path+"."+strings.Trim(string(name), `"`), int(d.InputOffset())-len(name))
			}
			_, err = d.ReadToken()
			must(err)
		default:
			raw, err := d.ReadValue()
			must(err)
			f.start = int(d.InputOffset()) - len(raw)
		}
		f.end = int(d.InputOffset())
		f.value = string(text[f.start:f.end])
		all = append(all, f)
		return f
	}
	value("", -1)
	return all[:len(all)-1] // leaves out the whole text
}

func (f *field) put(text []byte, value string) []byte {
	return []byte(string(text[:f.start]) + value + string(text[f.end:]))
}

// drop removes a member from its object, with the comma.
func (f *field) drop(text []byte) []byte {
	before, after := string(text[:f.member]), string(text[f.end:])
	if strings.HasPrefix(after, ",") {
		return []byte(before + after[1:])
	}
	return []byte(strings.TrimSuffix(before, ",") + after)
}

// altered returns other values for a value, by the kind of alteration.
func (f *field) altered(others []string) map[string]string {
	ways := map[string]string{"null": "null"}
	for _, o := range others {
		if o != f.value {
			ways["another's"] = o
			break
		}
	}
	switch f.kind {
	case '"':
		f.alteredText(ways)
	case '0':
		ways["zero"], ways["negative"], ways["a thousand times"], ways["one more"] = "0", "-1", f.value+"000", plusOne(f.value)
	case 't', 'f':
		ways["the opposite"] = map[jsontext.Kind]string{'t': "false", 'f': "true"}[f.kind]
	case '[':
		ways["emptied"] = "[]"
		if f.first[1] > 0 {
			inner := f.value[1 : len(f.value)-1]
			ways["lengthened"] = "[" + inner + "," + f.value[f.first[0]-f.start:f.first[1]-f.start] + "]"
			ways["shortened"] = "[" + strings.TrimSuffix(strings.TrimSuffix(inner, f.value[f.last[0]-f.start:f.last[1]-f.start]), ",") + "]"
		}
	case '{':
		ways["emptied"] = "{}"
	}
	for how, v := range ways {
		if v == f.value {
			delete(ways, how)
		}
	}
	return ways
}

func (f *field) alteredText(ways map[string]string) {
	text := strings.Trim(f.value, `"`)
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

// knownAlterations alters the header and every cell of a table of known accounts, as package known writes it.
func knownAlterations(t *testing.T, raw []byte) (all []alteration) {
	t.Helper()
	text, err := inflated(raw)
	if err != nil {
		t.Fatal(err)
	}
	head, table, _ := bytes.Cut(text, []byte("\n"))
	for _, f := range fieldsOf(t, head) {
		for how, value := range f.altered(nil) {
			all = append(all, alteration{field: f.path, how: how, body: func() []byte { return deflated(append(append(f.put(head, value), '\n'), table...)) }})
		}
		if f.member >= 0 {
			all = append(all, alteration{field: f.path, how: "dropped", body: func() []byte { return deflated(append(append(f.drop(head), '\n'), table...)) }})
		}
	}
	cell := func(field string, at, size int) {
		for how, value := range map[string]uint64{"zero": 0, "one": 1, "the greatest": 1<<64 - 1, "another": binary.LittleEndian.Uint64(append(bytes.Clone(table[at:at+size]), make([]byte, 8)...)) + 86400} {
			all = append(all, alteration{field: field, how: how, body: func() []byte {
				altered := bytes.Clone(table)
				copy(altered[at:at+size], binary.LittleEndian.AppendUint64(nil, value))
				return deflated(append(append(bytes.Clone(head), '\n'), altered...))
			}})
		}
	}
	count := func(name string) int {
		m := regexp.MustCompile(`"` + name + `":(\d+)`).FindSubmatch(head)
		if m == nil {
			return 0
		}
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	at := 0
	for _, source := range []string{"entra", "ad"} {
		n := count(source)
		for i := range n {
			cell(source+" key", at+8*i, 8)
			cell(source+" back", at+8*n+i, 1)
			for c := range directory.ActivityDates + 4 {
				cell(fmt.Sprintf("%s column %d", source, c), at+9*n+4*(c*n+i), 4)
			}
		}
		at += n * (9 + 4*(directory.ActivityDates+4))
	}
	for i, n := 0, count("members"); i < n; i++ {
		cell("member key", at+8*i, 8)
		cell("member since", at+8*n+4*i, 4)
	}
	return all
}
