package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The type "listed" is the output of go list for a package.
type listed struct {
	ImportPath, Dir, Name, Export, ForTest string
	GoFiles, Deps                          []string
	Module                                 *struct{ Path, Dir string }
}

func list(args ...string) ([]listed, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Name,Export,ForTest,GoFiles,Deps,Module"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", strings.Join(args, " "), err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, p)
	}
}

// The type "source" is a file of a package, parsed and with the types of its expressions.
type source struct {
	pkg     *types.Package
	path    string // on this machine
	name    string // package/file; the names of the mutants start with this name
	text    []byte
	fset    *token.FileSet
	file    *ast.File
	info    *types.Info
	imports map[string]string // name of each imported package in this file, by import path
}

// The function "load" parses and type-checks the files of the packages, without test files. It also returns the path
// of the module.
func load(packages []string) ([]*source, string, error) {
	all, err := list(append([]string{"-export", "-deps"}, packages...)...)
	if err != nil {
		return nil, "", err
	}
	exports := map[string]string{}
	for _, p := range all {
		exports[p.ImportPath] = p.Export
	}
	wanted, err := list(packages...)
	if err != nil {
		return nil, "", err
	}
	var found []*source
	for _, p := range wanted {
		some, err := check(p, exports)
		if err != nil {
			return nil, "", err
		}
		found = append(found, some...)
	}
	return found, wanted[0].Module.Path, nil
}

func check(p listed, exports map[string]string) ([]*source, error) {
	fset := token.NewFileSet()
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Selections: map[*ast.SelectorExpr]*types.Selection{}, Uses: map[*ast.Ident]types.Object{}}
	var sources []*source
	var files []*ast.File
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		sources = append(sources, &source{path: path, name: p.Name + "/" + name, text: text, fset: fset, file: f, info: info})
		files = append(files, f)
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	pkg, err := conf.Check(p.ImportPath, fset, files, info)
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", p.ImportPath, err)
	}
	names := map[string]string{}
	for _, i := range pkg.Imports() {
		names[i.Path()] = i.Name()
	}
	for _, s := range sources {
		s.pkg, s.imports = pkg, imported(s.file, names)
	}
	return sources, nil
}

func imported(f *ast.File, names map[string]string) map[string]string {
	in := map[string]string{}
	for _, spec := range f.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		in[path] = names[path]
		if spec.Name != nil {
			in[path] = spec.Name.Name
		}
	}
	return in
}

// typeName returns the type as this file writes it. It returns false if the file cannot name the type, because it does
// not import the type's package.
func (s *source) typeName(t types.Type) (string, bool) {
	known := true
	name := types.TypeString(t, func(p *types.Package) string {
		if p == s.pkg {
			return ""
		}
		n, ok := s.imports[p.Path()]
		known = known && ok
		return n
	})
	return name, known
}

func (s *source) at(n ast.Node) string {
	from, to := s.span(n)
	return string(s.text[from:to])
}

func (s *source) span(n ast.Node) (from, to int) {
	return s.fset.Position(n.Pos()).Offset, s.fset.Position(n.End()).Offset
}
