package plain

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var texts = map[string]string{
	"":                        "",
	"Zoë Müller, 李雷, مريم 😀":  "Zoë Müller, 李雷, مريم 😀",
	"two\nlines":              "two\nlines",
	"\x1b[31mred":             "�[31mred",
	"over\rwritten\b":         "over�written�",
	"a\tb\x00c\x7f":           "a�b�c�",
	"csi\u009b2J":             "csi�2J",
	"txt.\u202eexe\u202c":     "txt.�exe�",
	"\u2066isolated\u2069":    "�isolated�",
	"\u200e\u200f\u061cmarks": "���marks",
	"zero\u200bwidth\ufeff":   "zero�width�",
	"line\u2028paragraph":     "line�paragraph",
	"tag \U000e0041":          "tag �",
	"not \xff\xfe UTF-8":      "not �� UTF-8",
	"cut \xe2\x80":            "cut ��",
	"osc\x1b]0;title\x07 end": "osc�]0;title� end",
}

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range texts {
		if d := cmp.Diff(want, Lines(text)); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
		if d := cmp.Diff(strings.ReplaceAll(want, "\n", "�"), Line(text)); d != "" {
			t.Errorf("%q on one line (-want +got):\n%s", text, d)
		}
		if strings.HasSuffix(text, "\x80") { // the Writer still waits for the rest of the rune
			continue
		}
		for pieces := range 3 {
			var to bytes.Buffer
			w := Text(&to)
			in := []byte(text)
			for len(in) > 0 {
				n := min(pieces+1, len(in))
				if _, err := w.Write(in[:n]); err != nil {
					t.Fatal(err)
				}
				in = in[n:]
			}
			if d := cmp.Diff(want, to.String()); d != "" {
				t.Errorf("%q in pieces of %d bytes (-want +got):\n%s", text, pieces+1, d)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for text := range texts {
		want := strings.ToValidUTF8(text, "�")
		var to bytes.Buffer
		if err := json.NewEncoder(JSON(&to)).Encode(map[string]string{"name": text}); err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal(to.Bytes(), &got); err != nil {
			t.Errorf("%q: %v in %s", text, err, &to)
		}
		if text != "not \xff\xfe UTF-8" && text != "cut \xe2\x80" && got["name"] != want {
			t.Errorf("%q became %q", text, got["name"])
		}
		if i := strings.IndexFunc(to.String(), raw); i >= 0 {
			t.Errorf("%q: raw in %q", text, to.String())
		}
	}
}

func raw(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }

func TestWriterFails(t *testing.T) {
	t.Parallel()
	w := Text(failing{})
	for range 2 {
		if _, err := w.Write([]byte("text")); !errors.Is(err, errBroken) {
			t.Errorf("error %v", err)
		}
	}
}

var errBroken = errors.New("broken pipe")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errBroken }

func FuzzWriter(f *testing.F) {
	for text := range texts {
		f.Add([]byte(text), 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		var to bytes.Buffer
		w := Text(&to)
		at = max(0, min(at, len(b)))
		for _, part := range [][]byte{b[:at], b[at:]} {
			if n, err := w.Write(part); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if !utf8.Valid(to.Bytes()) || strings.ContainsFunc(to.String(), raw) {
			t.Errorf("%q was let through as %q", b, &to)
		}
		if !strings.HasPrefix(Lines(string(b)), to.String()) {
			t.Errorf("%q: %q in pieces, %q as a whole", b, &to, Lines(string(b)))
		}
	})
}
