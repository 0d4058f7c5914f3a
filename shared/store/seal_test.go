package store

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type sealedThing struct {
	Name string `json:"name,omitempty"`
	N    int    `json:"n,omitempty"`
}

// TestSealed: Decode accepts an unchanged object. It rejects an object that was altered or copied to another key.
func TestSealed(t *testing.T) {
	t.Parallel()
	for _, want := range []sealedThing{{}, {"a", 0}, {"b,}\"sha256\":\"", 7}} {
		b, err := Encode("folder/thing.json", want)
		var got sealedThing
		if err == nil {
			err = Decode("folder/thing.json", b, &got)
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-put +got):\n%s", b, err, d)
		}
	}
	b, err := Encode("k", sealedThing{"anna", 3})
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	sum := good[strings.LastIndex(good, `:"`)+2 : len(good)-2]
	tests := map[string]struct {
		key, text string
		refused   bool
	}{
		"as it was":              {"k", good, false},
		"of an older version":    {"k", `{"name":"anna","n":3}`, false},
		"no object":              {"k", `"text"`, false},
		"another name":           {"k", strings.Replace(good, "anna", "anne", 1), true},
		"another number":         {"k", strings.Replace(good, "3", "4", 1), true},
		"a member more":          {"k", strings.Replace(good, "{", `{"x":1,`, 1), true},
		"a member less":          {"k", strings.Replace(good, `,"n":3`, "", 1), true},
		"another key":            {"l", good, true},
		"another sum":            {"k", strings.Replace(good, sum, strings.Repeat("0", 64), 1), true},
		"a short sum":            {"k", strings.Replace(good, sum, sum[1:], 1), true},
		"no sum":                 {"k", strings.Replace(good, sum, "", 1), true},
		"a number for the sum":   {"k", strings.Replace(good, `"`+sum+`"`, "7", 1), true},
		"null for the sum":       {"k", strings.Replace(good, `"`+sum+`"`, "null", 1), true},
		"written anew":           {"k", strings.ReplaceAll(good, ":", ": "), true},
		"in another order":       {"k", `{"sha256":"` + sum + `","name":"anna","n":3}`, true},
		"the sum in capitals":    {"k", strings.Replace(good, sum, strings.ToUpper(sum), 1), true},
		"its name in capitals":   {"k", strings.Replace(good, "sha256", "SHA256", 1), true},
		"sealed and more spaces": {"k", good + " ", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var v any
			err := Decode(tc.key, []byte(tc.text), &v)
			if errors.Is(err, ErrDamaged) != tc.refused || err != nil && !strings.Contains(err.Error(), `"`+tc.key+`"`) {
				t.Errorf("%s: %v, want refused %t", tc.text, err, tc.refused)
			}
		})
	}
}

func TestSealedLines(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := []sealedThing{{"a", 1}, {"b", 2}, {"c", 3}}
	lines := func(key string) (all []sealedThing, err error) {
		err = GetLines(t.Context(), s, key, func(v *sealedThing) error {
			all = append(all, *v)
			return nil
		})
		return all, err
	}
	put := func(key string, texts []string) {
		t.Helper()
		if err := PutBytes(t.Context(), s, key, zipped(t, strings.Join(texts, ""))); err != nil {
			t.Fatal(err)
		}
	}
	err = PutLines(t.Context(), s, "k", func(emit func(any) error) error {
		for _, v := range want {
			if err := emit(v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := lines("k")
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-put +got):\n%s", err, d)
	}
	texts := linesOf(t, s, "k")
	if len(texts) != 4 {
		t.Fatalf("%d lines", len(texts))
	}
	altered := slices.Clone(texts)
	altered[1] = strings.Replace(texts[1], "2", "4", 1)
	for name, tc := range map[string]struct {
		texts   []string
		refused bool
	}{
		"as it was":            {texts, false},
		"of an older version":  {texts[:3], false},
		"a line altered":       {altered, true},
		"a line less":          {slices.Delete(slices.Clone(texts), 1, 2), true},
		"a line twice":         {slices.Insert(slices.Clone(texts), 1, texts[0]), true},
		"in another order":     {[]string{texts[1], texts[0], texts[2], texts[3]}, true},
		"a line after the end": {append(slices.Clone(texts), texts[0]), true},
		"the seal twice":       {append(slices.Clone(texts), texts[3]), true},
		"null for the sum":     {append(slices.Clone(texts[:3]), "{\"sha256\":null}\n"), true},
		"an empty seal":        {append(slices.Clone(texts[:3]), "{}\n"), true},
		"no lines":             {texts[3:], true},
	} {
		t.Run(name, func(t *testing.T) {
			put("k", tc.texts)
			if _, err := lines("k"); errors.Is(err, ErrDamaged) != tc.refused || err != nil && !tc.refused {
				t.Errorf("error %v, want refused %t", err, tc.refused)
			}
		})
	}
	wrong := GetLines(t.Context(), s, "k", func(*sealedThing) error { return fmt.Errorf("%w: no such thing", ErrDamaged) })
	if !errors.Is(wrong, ErrDamaged) || !strings.Contains(wrong.Error(), `"k": `) {
		t.Errorf("what its reader refuses: %v", wrong)
	}
	put("other", texts)
	if _, err := lines("other"); !errors.Is(err, ErrDamaged) {
		t.Errorf("copied to another key: %v", err)
	}
}

// FuzzSealed: no text causes a panic. A text that Unseal accepts has a valid seal or no seal.
func FuzzSealed(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":1,"sha256":"x"}`, `{"sha256":null}`, `[]`, `"sha256"`, ``} {
		f.Add("k", []byte(text))
	}
	b, err := Encode("k", sealedThing{"anna", 3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("k", b)
	f.Fuzz(func(t *testing.T, key string, b []byte) {
		plain, err := Unseal(key, b)
		if err != nil {
			return
		}
		var v struct {
			Sum json.RawMessage `json:"sha256"`
		}
		if json.Unmarshal(plain, &v) == nil && v.Sum != nil && string(plain) == string(b) {
			t.Errorf("taken for one without a seal: %s", b)
		}
		sum := sha256.Sum256([]byte(key + "\n" + string(plain)))
		if string(plain) != string(b) && !strings.HasSuffix(string(b), `"sha256":"`+hex.EncodeToString(sum[:])+`"}`) {
			t.Errorf("%q comes out of %q", plain, b)
		}
	})
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	if _, err := zip.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func linesOf(t *testing.T, s Store, key string) (lines []string) {
	t.Helper()
	body, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	err = EachLine(body, func(line string) error {
		lines = append(lines, line+"\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
