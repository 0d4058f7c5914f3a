package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licensesName is the name of a file in each archive. This file has the licenses of the linked modules.
const licensesName = "LICENSES-OF-MODULES.txt"

// The variable "legal" matches the names of the files that must be distributed with a binary: licenses, notices and
// patent grants.
var legal = regexp.MustCompile(`(?i)^(?:un)?(?:licen[cs]e|copying|notice|patents|copyright)(?:[-_.].*)?$`)

type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// licenseText is a text that one or more modules have as a license or notice. The field "of" lists these files, such as
// "golang.org/x/sys v0.1.0: LICENSE".
type licenseText struct {
	content string
	of      []string
}

// writeLicenses writes a file with the licenses of all modules in a program, each text once. It searches the folder of
// each linked package and the folders above it in the same module, because a part of a module may have its own license.
// A module without a license is an error.
func (r release) writeLicenses(ctx context.Context, source, system, arch string, tags []string, to string) error {
	var list bytes.Buffer
	args := append([]string{"list", "-deps", "-json=Dir,Standard,Root,Module"}, tags...)
	if err := r.runTo(ctx, &list, []string{"GOOS=" + system, "GOARCH=" + arch}, "go", append(args, "./"+source)...); err != nil {
		return err
	}
	files, err := legalFiles(&list)
	if err != nil {
		return fmt.Errorf("find the licenses of what is in %s: %w", source, err)
	}
	var texts []*licenseText
	for _, f := range files {
		content, err := os.ReadFile(f.path)
		if err != nil {
			return fmt.Errorf("read a license: %w", err)
		}
		same := string(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")))
		at := slices.IndexFunc(texts, func(t *licenseText) bool { return t.content == same })
		if at < 0 {
			at, texts = len(texts), append(texts, &licenseText{content: same})
		}
		texts[at].of = append(texts[at].of, f.name)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "The licenses of the modules in this program, and of the standard library of Go.\n")
	for _, t := range texts {
		fmt.Fprintf(&out, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(t.of, "\n"), strings.TrimRight(t.content, "\n"))
	}
	return os.WriteFile(to, out.Bytes(), 0o644)
}

// The type "legalFile" is a file with a license, a notice or a patent grant. The field "name" is its name in the
// output, such as "golang.org/x/sys v0.1.0: LICENSE".
type legalFile struct{ name, path string }

// legalFiles returns the licenses, notices and patent grants of packages, sorted by name. The reader "packages" has the
// output of `go list -json`. A module without such a file is an error.
func legalFiles(packages io.Reader) ([]legalFile, error) {
	seen, found, modules := map[string]bool{}, []legalFile{}, map[string]bool{}
	for d := json.NewDecoder(packages); ; {
		var p struct {
			Dir, Root string
			Standard  bool
			Module    *module
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		name, top := "Go", p.Root
		if m := p.Module; m != nil && m.Main {
			continue
		} else if m != nil {
			if m.Replace != nil {
				m = m.Replace
			}
			name, top = m.Path+" "+m.Version, m.Dir
		} else if !p.Standard {
			return nil, fmt.Errorf("the package in %s is of no module", p.Dir)
		}
		modules[name] = modules[name] || false
		for dir := p.Dir; ; dir = filepath.Dir(dir) {
			inside, err := filepath.Rel(top, dir)
			if err != nil || strings.HasPrefix(inside, "..") || seen[dir] {
				break
			}
			seen[dir] = true
			entries, err := os.ReadDir(dir)
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				if !e.IsDir() && legal.MatchString(e.Name()) && !strings.HasSuffix(e.Name(), ".go") {
					modules[name] = true
					found = append(found, legalFile{name + ": " + filepath.ToSlash(filepath.Join(inside, e.Name())), filepath.Join(dir, e.Name())})
				}
			}
		}
	}
	for name, has := range modules {
		if !has {
			return nil, fmt.Errorf("%s has no license", name)
		}
	}
	slices.SortFunc(found, func(a, b legalFile) int { return strings.Compare(a.name, b.name) })
	return found, nil
}
