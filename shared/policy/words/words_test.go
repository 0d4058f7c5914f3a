package words

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

var update = flag.Bool("update", false, "write the golden files")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func load(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Load("p", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// No two fields of a source have the same words.
func TestEveryFieldHasWords(t *testing.T) {
	t.Parallel()
	for _, l := range Languages {
		s := &speaker{tongue: l.tongue(), language: l, told: map[string]bool{}}
		seen := map[string]string{}
		for _, name := range directory.FieldNames() {
			f, _ := directory.FieldNamed(name)
			w, ok := fieldNamed(l, name)
			a := policy.Attribute{Name: name, Kind: f.Kind, Fields: []*directory.Field{f}}
			said := ""
			if f.Kind == directory.Bool {
				if said = s.flag(a, false); said == s.flag(a, true) {
					t.Errorf("%s: %s is the same when it is true and false", l, name)
				}
			} else {
				said = s.attribute(a)
			}
			if !ok || said == "" || strings.Contains(said, "`") || strings.Contains(said, "%") {
				t.Errorf("%s: %s has no words: %q", l, name, said)
			}
			if other := seen[said]; other != "" {
				t.Errorf("%s: %s and %s are both %q", l, other, name, said)
			}
			seen[said] = name
			if f.Kind == directory.Date && f.Meaning == directory.Activity && (w.yes == "" || w.no == "" || w.yes == w.no) {
				t.Errorf("%s: %s lacks the words for ever and never", l, name)
			}
		}
	}
}

// Both languages have words for the same things: each text exists in English and in Swedish, and both texts take the
// same number of values.
func TestLanguagesHaveTheSameWords(t *testing.T) {
	t.Parallel()
	for _, kind := range directory.AccountKinds {
		if english.whole.kinds[kind] == "" {
			t.Errorf("no words for the kind %s", kind)
		}
	}
	for _, m := range []policy.Mode{policy.Audit, policy.Review, policy.Enforce} {
		if english.whole.modes[m] == "" {
			t.Errorf("no words for the mode %s", m)
		}
	}
	for _, m := range []policy.Model{"", policy.PerUser, policy.PerDevice, policy.Concurrent} {
		if english.whole.models[m] == "" {
			t.Errorf("no words for the model %s", m)
		}
	}
	en, sv := texts("", reflect.ValueOf(english)), texts("", reflect.ValueOf(swedish))
	if len(en) < 100 {
		t.Fatalf("only %d texts were found", len(en))
	}
	gaps := func(all map[string]string) map[string]int {
		n := map[string]int{}
		for name, text := range all {
			if n[name] = strings.Count(text, "%"); text == "" {
				t.Errorf("%s is empty", name)
			}
		}
		return n
	}
	if d := cmp.Diff(gaps(en), gaps(sv)); d != "" {
		t.Errorf("the languages differ (-en +sv):\n%s", d)
	}
}

// The function "texts" collects every string of a value by its path.
func texts(path string, v reflect.Value) map[string]string {
	all := map[string]string{}
	add := func(more map[string]string) {
		for name, text := range more {
			all[name] = text
		}
	}
	switch v.Kind() {
	case reflect.String:
		all[path] = v.String()
	case reflect.Struct:
		for i := range v.NumField() {
			add(texts(path+"."+v.Type().Field(i).Name, v.Field(i)))
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			add(texts(path+"."+string(rune('a'+i)), v.Index(i)))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			add(texts(path+"."+key.String(), v.MapIndex(key)))
		}
	}
	return all
}

// TestShippedPolicies compares the words of the shipped policies with testdata. The flag -update writes the files.
func TestShippedPolicies(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"policy", "policy_usage", "policy_groups", "every"} {
		for _, l := range Languages {
			t.Run(name+" "+string(l), func(t *testing.T) {
				t.Parallel()
				file := "../../../infra/" + name + ".yaml"
				if name == "every" {
					file = "testdata/every.yaml"
				}
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				text, err := Policy(l, load(t, string(data)), noon)
				if err != nil {
					t.Fatal(err)
				}
				golden := filepath.Join("testdata", name+"."+string(l)+".txt")
				if *update {
					if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), text.String()); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			})
		}
	}
}
