package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTell(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ events, want string }{
		"skipped": {`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: SKIPPED: no shell\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`, "SKIPPED: TestA in p: no shell\nok  \tp\t0.1s\n"},
		"without a reason": {`{"Action":"skip","Package":"p","Test":"TestA"}`, "SKIPPED: TestA in p: it does not say why\n"},
		"passed":           {`{"Action":"output","Package":"p","Test":"TestA","Output":"much\n"}` + "\n" + `{"Action":"pass","Package":"p","Test":"TestA"}`, ""},
		"failed":           {`{"Action":"output","Package":"p","Test":"TestA","Output":"much\n"}` + "\n" + `{"Action":"fail","Package":"p","Test":"TestA"}`, "much\n"},
		"never ended":      {`{"Action":"output","Package":"p","Test":"TestA","Output":"panic\n"}`, "panic\n"},
		"does not build":   {`{"Action":"build-output","ImportPath":"p","Output":"a.go:1: no\n"}`, "a.go:1: no\n"},
		"no event":         {"a line of text\n" + `{"Action":"build-output","ImportPath":"p","Output":"a.go:1: no\n"}`, "a line of text\na.go:1: no\n"},
		"no tests":         {`{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}` + "\n" + `{"Action":"skip","Package":"p"}`, "?   \tp\t[no test files]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := tell(&out, strings.NewReader(tc.events)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRun runs go test in a small module. A test that fails makes the status 1, and one that is skipped does not.
func TestRun(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"skipped": {`t.Skip("no shell")`, 0, "SKIPPED: TestA in small: no shell\n"},
		"failed":  {`t.Error("wrong")`, 1, "a_test.go:3: wrong\n"},
		"broken":  {`t.Nothing()`, 1, "t.Nothing undefined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			for file, text := range map[string]string{"go.mod": "module small\n", "a_test.go": "package small\nimport \"testing\"\nfunc TestA(t *testing.T) { " + tc.body + " }\n"} {
				if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			status, err := run(t.Context(), folder, &out, []string{"./..."})
			if err != nil || status != tc.status || !strings.Contains(out.String(), tc.want) {
				t.Errorf("status %d, %v:\n%s", status, err, out.String())
			}
		})
	}
}
