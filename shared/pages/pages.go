// Package pages checks the generated tables in docs against the code. A test passes the table that it expects, and
// fails if the page has a different one. With the flag -rewrite, the test writes the table into the page.
package pages

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the generated tables of docs")

// Read returns the text of a page in docs. The argument "name" is the file name, such as "store.md".
func Read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(find(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The function "find" returns the path of a page in the folder docs, which is next to go.mod.
func find(t testing.TB, name string) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return filepath.Join(folder, "docs", name)
		}
		if folder == filepath.Dir(folder) {
			t.Fatal("no folder above the test has a go.mod")
		}
		folder = filepath.Dir(folder)
	}
}

// Generated compares "table" with the text between the comments "<!-- generated: NAME -->" and "<!-- end of NAME -->"
// in the page with the file name "name". The argument "of" is the text in the place of NAME. Tests that check the same
// page must not run in parallel.
func Generated(t testing.TB, name, of, table string) {
	t.Helper()
	text := Read(t, name)
	begin, end := "<!-- generated: "+of+" -->\n", "<!-- end of "+of+" -->\n"
	before, rest, begins := strings.Cut(text, begin)
	is, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("docs/%s has no place for the table of %s", name, of)
	}
	switch diff := cmp.Diff(is, table); {
	case diff == "":
	case !*rewrite:
		t.Errorf("the table of %s on docs/%s is not that of the code; go test with -run %s -rewrite in this package writes it:\n%s", of, name, t.Name(), diff)
	default:
		if err := os.WriteFile(find(t, name), []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
