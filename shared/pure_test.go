package shared_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/pages"
)

// The variable "outside" lists how a package reaches files, networks, other programs or the environment: packages of
// the standard library, and the beginnings of modules that are clients.
var outside = struct{ packages, clients []string }{
	packages: []string{"os", "os/exec", "os/signal", "os/user", "io/ioutil", "syscall", "net", "net/http", "net/smtp", "crypto/tls", "database/sql", "plugin"},
	clients:  []string{"github.com/aws/", "github.com/Azure/", "github.com/microsoft/", "github.com/microsoftgraph/", "github.com/go-ldap/", "github.com/jcmturner/", "golang.org/x/sys/", "golang.org/x/term"},
}

// The variable "reaching" lists the packages that do I/O themselves. All others do it through these, or not at all.
var reaching = []string{
	"shared/card/webhook", "shared/pages", "shared/plain/terminal", "shared/relay/worker", "shared/sandbox", "shared/secret", "shared/serve", "shared/snapshot", "shared/snapshot/adread",
	"shared/source/activedirectory", "shared/source/entra", "shared/step", "shared/store", "shared/workflow/doctor",
}

// The variable "pure" lists the packages that decide, and the packages of "reaching" that each of them may reach. A
// decision reads a snapshot from the store and writes verdicts to the store, and does no other I/O.
var pure = map[string][]string{
	"shared/directory": nil, "shared/policy": nil, "shared/policy/notice": nil, "shared/policy/schema": nil, "shared/policy/words": nil, "shared/plan": nil,
	"shared/decision": {"shared/snapshot", "shared/store"},
}

// TestPureStaysPure: only the packages of "reaching" do I/O themselves, and those of "pure" reach no more of them than
// they may. Otherwise the same snapshot and policy could give two different plans.
func TestPureStaysPure(t *testing.T) {
	t.Parallel()
	imports, does := map[string][]string{}, map[string]bool{}
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, module); ok {
				imports[name] = append(imports[name], ours)
			} else if isClient := func(c string) bool { return strings.HasPrefix(i, c) }; slices.Contains(outside.packages, i) || slices.ContainsFunc(outside.clients, isClient) {
				does[name] = true
			}
		}
	}
	if diff := cmp.Diff(reaching, slices.Sorted(maps.Keys(does))); diff != "" {
		t.Errorf("packages that do I/O themselves (-as listed here +found):\n%s", diff)
	}
	for pkg, may := range pure {
		var reached []string
		for seen, next := map[string]bool{}, []string{pkg}; len(next) > 0; next = next[1:] {
			if p := next[0]; !seen[p] {
				if seen[p] = true; does[p] {
					reached = append(reached, p)
				}
				next = append(next, imports[p]...)
			}
		}
		slices.Sort(reached)
		if diff := cmp.Diff(may, reached); diff != "" {
			t.Errorf("%s reaches I/O (-as listed here +found):\n%s", pkg, diff)
		}
	}
}

// TestPureAsksNoClock: the packages of "pure" read neither the clock nor random numbers. They get the time of the run
// as an argument.
func TestPureAsksNoClock(t *testing.T) {
	t.Parallel()
	clocks := []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.NewTimer", "time.Tick"}
	for pkg := range pure {
		files, err := filepath.Glob("../" + pkg + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", pkg, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range file.Imports {
				if strings.Contains(i.Path.Value, "/rand") {
					t.Errorf("%s imports %s", name, i.Path.Value)
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && slices.Contains(clocks, x.Name+"."+s.Sel.Name) {
						t.Errorf("%s: %s.%s", set.Position(n.Pos()), x.Name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestPageSaysWhatIsPure: docs/architecture.md claims "no I/O" of some packages, and TestPureStaysPure checks each.
func TestPageSaysWhatIsPure(t *testing.T) {
	t.Parallel()
	claimed := 0
	for line := range strings.Lines(pages.Read(t, "architecture.md")) {
		pkg, rest, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(pkg, "shared/") || !strings.Contains(rest, "no I/O") || strings.Contains(rest, "no I/O but") {
			continue
		}
		claimed++
		if may, listed := pure[pkg]; !listed || len(may) > 0 {
			t.Errorf("%s claims no I/O, and no test checks it", pkg)
		}
	}
	if claimed < 3 {
		t.Errorf("the page claims no I/O of %d packages, 3 before", claimed)
	}
}
