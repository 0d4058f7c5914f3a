package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/pages"
)

// onPage has the keys that docs/store.md must list. The map's key is the name of the function that returns them. The
// value is nil for a function that does not return the key of an object.
var onPage = map[string][]string{
	"Run": nil, "IsRun": nil, "IsLinePart": {"runs/<run>/<source>/<partition>/<attempt>.jsonl.gz"}, "Relay": nil, "Results": nil, "Stopped": nil, "Person": nil, "License": nil, "Attempt": nil,
	"Lease": {Lease(999999)}, "Begin": {Begin("<run>")}, "Manifest": {Manifest("<run>")}, "Part": {Part("<run>", "<source>", 7777, "<attempt>")}, "EntraCall": {EntraCall("<run>", 8888)},
	"Table": {Table("<run>", "people", 7777, "5555555555555555"), Table("<run>", "members", 7777, "5555555555555555")},
	"Since": {Since("<run>")}, "Input": {Input("<run>", "<task>")}, "Probe": {Probe()}, "DoctorProbe": {DoctorProbe()}, "DoctorOnce": {DoctorOnce()}, "Mailboxes": {Mailboxes("<run>", "<attempt>")}, "Usage": {Usage("<run>", "<report>", "<attempt>")},
	"Known": {Known("<run>", 7777)}, "ActivityGaps": {ActivityGaps("<run>", 7777)}, "History": {History("<run>", "<attempt>")}, "Freed": {Freed("<run>", "<attempt>")}, "Decisions": {Decisions("<run>", 7777)},
	"Plan": {Plan("<run>")}, "Changes": {Changes("<run>")}, "Report": {Report("<run>")}, "Point": {Point("<run>")}, "Result": {Result("<run>", "<batch>")}, "Ended": {Ended("<run>", "<batch>", "<attempt>")},
	"Noted": {Noted(Plans, "<run>"), Noted(Others, "<run>"), Noted(Overrides, "<run>"), Noted(Withdrawn, "<run>"), Noted(Backtests, "<run>")},
	"Stop":  {Stop("<run>", "<person>")}, "NameIn": nil, "Entry": {Entry("<person>", "<license>", 999999)}, "SeqIn": nil,
	"Nth":      nil,
	"Beside":   nil, // TestPageHasEveryKey asks for a line for each name that Beside takes
	"Everyone": {Everyone("<run>", 6666)}, "Evidence": {Evidence("<run>", "<batch>", "<attempt>")}, "Written": {Written("<run>", "<batch>", "<attempt>")},
}

// TestPageHasEveryKey: the tables in docs/store.md have a line for each object in the layout, and one for the policy
// file.
func TestPageHasEveryKey(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "layout.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var builders []string
	keys := slices.Concat(slices.Collect(maps.Values(onPage))...)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() {
			builders = append(builders, f.Name.Name)
		}
		for _, about := range namesOfBeside(t, d) {
			keys = append(keys, Beside("<person>", "<license>", 999999, about))
		}
	}
	slices.Sort(builders)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(onPage)), builders); diff != "" {
		t.Errorf("functions of this test and of the layout:\n%s", diff)
	}
	want := []string{"policy.yaml"}
	numbers := regexp.MustCompile(`6666|7777|8888|999999|5555555555555555`)
	for _, key := range keys {
		want = append(want, numbers.ReplaceAllStringFunc(key, func(n string) string {
			return map[string]string{"6666": "<attempt>", "7777": "<partition>", "8888": "<call>", "999999": "<entry>", "5555555555555555": "<sum>"}[n]
		}))
	}
	var described []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+/[^`]+|policy\\.yaml)` \\| .+ \\| .+ \\|$").FindAllStringSubmatch(pages.Read(t, "store.md"), -1) {
		if key := m[1]; key[len(key)-1] != '/' && !slices.Contains(described, key) {
			described = append(described, key)
		}
	}
	slices.Sort(want)
	slices.Sort(described)
	if diff := cmp.Diff(described, want); diff != "" {
		t.Errorf("keys on the page and in the layout:\n%s", diff)
	}
}

// namesOfBeside returns the values of the constants that Beside takes, if the declaration is that of these constants.
func namesOfBeside(t *testing.T, d ast.Decl) (names []string) {
	t.Helper()
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.CONST {
		return nil
	}
	for i, spec := range g.Specs {
		v := spec.(*ast.ValueSpec)
		if i == 0 && v.Names[0].Name != "Done" {
			return nil
		}
		text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, text)
	}
	return names
}

// The expression "built" matches texts of which a key is made: the beginning of a key, or its end.
var built = regexp.MustCompile(`^(runs|ledger|history)/|^[./%].*\.(json|jsonl\.gz|parquet|gz|bin)$|^\.(json|parquet)$`)

// TestNobodyElseBuildsKeys: no other package has a text of which a key of the store is made. Comments may name keys.
func TestNobodyElseBuildsKeys(t *testing.T) {
	t.Parallel()
	files := 0
	for _, folder := range []string{"..", "../../functions"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "../layout/") {
				return err
			}
			files++
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
					if value, err := strconv.Unquote(text.Value); err == nil && built.MatchString(value) {
						t.Errorf("%s: %s: a key of the store is built in layout.go", set.Position(text.Pos()), text.Value)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 300 {
		t.Errorf("%d files were read", files)
	}
}
