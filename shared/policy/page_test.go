package policy

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/pages"
)

// The test is not parallel, because it may rewrite docs/policy.md.
func TestPolicyPageIsGenerated(t *testing.T) {
	pages.Generated(t, "policy.md", "keys", keysTable())
	pages.Generated(t, "policy.md", "fields", fieldsTable())
	pages.Generated(t, "policy.md", "functions", functionsTable(t))
}

func fieldsTable() string {
	var b strings.Builder
	b.WriteString("| field | name without a mapping | type | read from |\n|---|---|---|---|\n")
	for _, row := range FieldRows() {
		var bare []string
		for _, name := range row.Bare {
			bare = append(bare, "`"+name+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", row.Field, strings.Join(bare, " "), row.Type, row.From)
	}
	return b.String()
}

func keysTable() string {
	var b strings.Builder
	b.WriteString("| key | is | left out |\n|---|---|---|\n")
	for _, k := range Keys {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Path, k.Is, k.LeftOut)
	}
	return b.String()
}

var word = regexp.MustCompile(`^[a-zA-Z][a-zA-Z.]*$`)

func functionsTable(t *testing.T) string {
	t.Helper()
	env, err := language()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| function | takes | gives | as in |\n|---|---|---|---|\n")
	all := env.Functions()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !word.MatchString(name) || name == "in" {
			continue
		}
		var takes, gives []string
		for _, o := range all[name].OverloadDecls() {
			var args []string
			for _, a := range o.ArgTypes() {
				args = append(args, plainType(a.String()))
			}
			form := strings.Join(args, ", ")
			if o.IsMemberFunction() {
				form = strings.TrimSuffix(args[0]+"."+name+"("+strings.Join(args[1:], ", "), ", ") + ")"
			}
			takes, gives = append(takes, form), append(gives, plainType(o.ResultType().String()))
		}
		slices.Sort(takes)
		slices.Sort(gives)
		example := ""
		if of := functions[name]; of != "" {
			form, meaning, _ := strings.Cut(of, " is ")
			example = strings.TrimSuffix("`"+form+"`: "+meaning, ": ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, strings.Join(slices.Compact(takes), "; "), strings.Join(slices.Compact(gives), ", "), example)
	}
	return b.String()
}

func plainType(cel string) string {
	return strings.NewReplacer("optional_type(google.protobuf.Timestamp)", "date", "google.protobuf.Timestamp", "instant",
		"google.protobuf.Duration", "span", "string", "text", "optional_type", "optional", "<", "", ">", "").Replace(cel)
}

func TestLoaderReadsEveryKey(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("load*.go")
	if err != nil {
		t.Fatal(err)
	}
	source := ""
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "_test.go") {
			source += string(text)
		}
	}
	if strings.Contains(source, ".object(") {
		t.Error("the loader reads a mapping whose keys are not in the table")
	}
	for _, k := range Keys {
		name := k.Path[strings.LastIndex(k.Path, ".")+1:]
		if !strings.Contains(source, `"`+name+`"`) && name != remove {
			t.Errorf("the loader does not read %s", k.Path)
		}
	}
	for _, path := range regexp.MustCompile(`\.section\([^,]+, [^,]+(?:\+[^,]+)?, "([^"]*)"\)`).FindAllStringSubmatch(source, -1) {
		if len(KeysBelow(path[1])) == 0 {
			t.Errorf("the table has no key below %q", path[1])
		}
	}
}

func TestKeyAt(t *testing.T) {
	t.Parallel()
	for path, there := range map[string]bool{"limits.perRun": true, "rules[].then.notice": true, "limits.perrun": false, "limits.": false, "": false} {
		if k := KeyAt(path); (k != nil) != there || there && k.Path != path {
			t.Errorf("%q: %+v", path, k)
		}
	}
}
