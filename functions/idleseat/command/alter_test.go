package command

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/idleseat/idleseat/infra/simulation/alter"
)

// alteration is one change to one object of the store.
type alteration struct {
	kind, key string // the kind, as in objectKinds, and the key of the object
	field     string // the path of the field; [] stands for every index of a list
	how       string
	body      func() []byte // returns the altered object
}

func (a *alteration) String() string { return fmt.Sprintf("%s: %s %s", a.key, a.field, a.how) }

// objectKinds lists the kinds of objects that the tests alter. The field "key" matches the keys of the objects of a
// kind. The function "text" splits an object into its JSON texts, and returns a function that makes an object of
// altered texts. The function is nil for a kind of object that does not consist of JSON texts.
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
	{"usage report", regexp.MustCompile(`^runs/[^/]+/usage/[^/]+\.bin$`), nil},
	{"mailboxes", regexp.MustCompile(`^runs/[^/]+/mailboxes/[^/]+\.jsonl\.gz$`), lineObject},
	{"decisions", regexp.MustCompile(`^runs/[^/]+/decisions/\d+\.jsonl\.gz$`), lineObject},
	{"people", regexp.MustCompile(`^runs/[^/]+/people/[^/]+\.parquet$`), nil},
	{"members", regexp.MustCompile(`^runs/[^/]+/members/[^/]+\.parquet$`), nil},
	{"known accounts", regexp.MustCompile(`^runs/[^/]+/known/\d+\.gz$`), nil},
	{"plan", regexp.MustCompile(`^runs/[^/]+/plan\.json$`), plainObject},
	{"changes", regexp.MustCompile(`^runs/[^/]+/changes\.csv$`), nil},
	{"report", regexp.MustCompile(`^runs/[^/]+/report\.html$`), nil},
	{"point of the trend", regexp.MustCompile(`^runs/[^/]+/point\.json$`), plainObject},
	{"results", regexp.MustCompile(`^runs/[^/]+/results/([^/]+/)?[^/]+\.json$`), plainObject},
	{"planned", regexp.MustCompile(`^history/(plans|others)/[^/]+\.json$`), plainObject},
	{"override", regexp.MustCompile(`^history/overrides/[^/]+\.json$`), plainObject},
	{"backtest", regexp.MustCompile(`^history/backtests/[^/]+\.json$`), plainObject},
	{"withdrawal", regexp.MustCompile(`^history/withdrawn/[^/]+(/[^/]+)?\.json$`), plainObject},
	{"intent", regexp.MustCompile(`^ledger/[^/]+/[^/]+/\d{6}\.json$`), plainObject},
	{"completion", regexp.MustCompile(`^ledger/[^/]+/[^/]+/\d{6}\.done\.json$`), plainObject},
	{"mark", regexp.MustCompile(`^ledger/[^/]+/[^/]+/\d{6}\.(leaving|back|answered|free|in-target|second-try|third-try|rejoined)\.json$`), plainObject},
}

// The function "alterations" returns the alterations of an object. The argument "others" has values that the same field
// has in other objects. A key of this map is the kind of the object followed by the path of the field.
func alterations(t *testing.T, key string, raw []byte, others map[string][]string) (all []alteration) {
	t.Helper()
	for _, k := range objectKinds {
		if !k.key.MatchString(key) {
			continue
		}
		switch k.kind {
		case "known accounts":
			all = knownAlterations(t, raw)
		case "usage report":
			all = reportAlterations(t, raw)
		case "part of Entra ID", "part of Active Directory", "people", "members":
			all = append(byteAlterations(raw), tableAlterations(t, raw)...)
		case "report":
			for _, how := range []string{"<title>", "<script", "</main>"} {
				all = append(all, alteration{field: how, how: "taken out", body: func() []byte { return bytes.Replace(raw, []byte(how), nil, 1) }})
			}
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

// valuesOf returns up to three different values of each field in the objects. A key of the result is the kind of an
// object followed by the path of a field.
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
				all, err := alter.Values(text)
				if err != nil {
					t.Fatalf("%s: %v", key, err)
				}
				for _, v := range all {
					if name := k.kind + v.Path; !slices.Contains(values[name], v.Text) && len(values[name]) < 3 {
						values[name] = append(values[name], v.Text)
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

// textAlterations returns the alterations of each field in the JSON texts of a stored object. If the object has several
// lines, it also drops and repeats each line.
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
		ways, err := alter.Alterations(text, func(path string) []string { return others[kind+path] })
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range ways {
			all = append(all, alteration{field: w.Path, how: w.How, body: func() []byte { return with(n, w.Text())() }})
		}
	}
	return all
}
