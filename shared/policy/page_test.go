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

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/pages"
)

// The tables of fields and functions in docs/policy.md match the code. The test is not parallel because it may rewrite
// the page.
func TestPolicyPageIsGenerated(t *testing.T) {
	pages.Generated(t, "policy.md", "fields", fieldsTable(t))
	pages.Generated(t, "policy.md", "functions", functionsTable(t))
}

// fieldsTable returns a table of every field that a policy may name.
func fieldsTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| field | name without a mapping | type | read from |\n|---|---|---|---|\n")
	builtin, _ := builtinAttributes()
	for _, name := range directory.FieldNames() {
		f, _ := directory.FieldNamed(name)
		var bare []string
		for own, a := range builtin {
			if a.source == name && len(a.fields) == 1 {
				bare = append(bare, "`"+own+"`")
			}
		}
		slices.Sort(bare)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, strings.Join(bare, " "), typeName(f), readFrom(name))
	}
	return b.String()
}

func typeName(f *directory.Field) string {
	switch {
	case f.Kind == directory.Text:
		return "text"
	case f.Kind == directory.Bool:
		return "true or false"
	case f.Meaning == directory.Activity:
		return "date of use"
	case f.Meaning == directory.Creation:
		return "date of creation"
	}
	return "date"
}

// readFrom returns the Graph property or the LDAP attribute behind a field.
func readFrom(name string) string {
	source, bare, _ := strings.Cut(name, ".")
	of := "the evidence that is listed under Kinds of accounts"
	if slices.Contains(reportFields(), name) {
		return "a usage report"
	}
	switch source {
	case "entra":
		of = propertyNamed(directory.EntraProperties, bare)
	case "ad":
		of = propertyNamed(directory.ADProperties, bare)
	}
	return of
}

func propertyNamed[A any](table []directory.Property[A], name string) string {
	i := slices.IndexFunc(table, func(p directory.Property[A]) bool { return p.Name == name })
	switch {
	case i < 0:
		return "worked out from other fields"
	case table[i].Source == "":
		return "the name of the object"
	}
	return "`" + table[i].Source + "`"
}

var word = regexp.MustCompile(`^[a-zA-Z][a-zA-Z.]*$`)

// functionsTable returns a table of every function that a condition may call, without operators.
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

// plainType returns the page's word for a type of CEL.
func plainType(cel string) string {
	return strings.NewReplacer("optional_type(google.protobuf.Timestamp)", "date", "google.protobuf.Timestamp", "instant",
		"google.protobuf.Duration", "span", "string", "text", "optional_type", "optional", "<", "", ">", "").Replace(cel)
}

// places maps the loader's name for a mapping to its path in the file.
var places = map[string]string{
	"the policy": "", "grace": "grace.", "limits": "limits.", "limits.stopAbove": "limits.stopAbove.", "attribute ": "attributes.NAME.",
	"license ": "licenses.NAME.", "a rule": "rules[].", "then": "rules[].then.", "exempt": "exempt.", "a leave": "exempt.leave[].",
	"GROUP": "GROUP.",
}

// The page has a line for each key that the loader reads, and no other.
func TestPolicyPageHasEveryKey(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("load*.go")
	if err != nil {
		t.Fatal(err)
	}
	read := regexp.MustCompile(`\.object\([\w.]+, (?:"([^"]+)"[^,]*|what), ("[^)]+)\)`)
	var known []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		calls := read.FindAllStringSubmatch(string(source), -1)
		if n := strings.Count(string(source), ".object("); n != len(calls) {
			t.Errorf("%s reads %d mappings, and this test understands %d", file, n, len(calls))
		}
		for _, m := range calls {
			what := m[1]
			if what == "" {
				what = "GROUP"
			}
			path, found := places[what]
			if !found {
				t.Errorf("%s reads the mapping %q, of which this test knows no place", file, what)
			}
			for key := range strings.SplitSeq(m[2], ",") {
				known = append(known, path+strings.Trim(key, ` "`))
			}
		}
	}
	_, section, _ := strings.Cut(pages.Read(t, "policy.md"), "\n## Every key\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var described []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		described = append(described, m[1])
	}
	slices.Sort(known)
	slices.Sort(described)
	if diff := cmp.Diff(described, known); diff != "" {
		t.Errorf("keys on the page and in the loader:\n%s", diff)
	}
}
