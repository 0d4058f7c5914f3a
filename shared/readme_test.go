package shared_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readPages returns the texts of the Markdown pages at the top of the repository and in docs, by path.
func readPages(t *testing.T) map[string]string {
	t.Helper()
	top, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	add := func(path string) error {
		text, err := os.ReadFile(path)
		pages[path] = string(text)
		return err
	}
	for _, path := range top {
		if err := add(path); err != nil {
			t.Fatal(err)
		}
	}
	err = filepath.WalkDir("../docs", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".md") {
			return err
		}
		return add(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// The function "matches" searches all pages for a pattern. It returns the texts that the first group of the pattern
// matches, by the path of the page.
func matches(pages map[string]string, pattern string) map[string][]string {
	found := map[string][]string{}
	for path, text := range pages {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found[path] = append(found[path], m[1])
		}
	}
	return found
}

// TestREADMEIsShort: a new reader reads all of README.md, so its length is limited. A page of docs/decisions must be
// shorter still.
func TestREADMEIsShort(t *testing.T) {
	t.Parallel()
	const most = 150
	if lines := strings.Count(readPages(t)["../README.md"], "\n"); lines == 0 || lines > most {
		t.Errorf("README.md has %d lines, and %d are allowed: what is long belongs to docs", lines, most)
	}
	for page, text := range readPages(t) {
		const decision = 60
		if lines := strings.Count(text, "\n"); strings.Contains(page, "/decisions/") && lines > decision {
			t.Errorf("%s has %d lines, and %d are allowed", page, lines, decision)
		}
	}
}

func TestPagesNameTests(t *testing.T) {
	t.Parallel()
	defined := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(\w+ \*testing\.[TF]\)`)
	tests := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range defined.FindAllSubmatch(source, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	distinct := map[string]bool{}
	for page, names := range matches(readPages(t), "`((?:Test|Fuzz)\\w+)`") {
		for _, name := range names {
			distinct[name] = true
			if !tests[name] {
				t.Errorf("%s names %s, and there is no such test", page, name)
			}
		}
	}
	if len(distinct) < 180 {
		t.Errorf("the pages name %d tests, 180 or more before", len(distinct))
	}
}

func TestPagesNameTargets(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllSubmatch(makefile, -1) {
		targets[string(m[1])] = true
	}
	mains, err := filepath.Glob("../functions/*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, main := range mains {
		targets[filepath.Base(filepath.Dir(main))] = true
	}
	allKnown(t, "(?m)(?:`|^ {4})make ([a-z][a-z-]*)", targets, "%s names make %s, and the Makefile has no such target", 8)
}

// allKnown requires that every match of a pattern in the pages is known, and that there are at least "least" matches.
// The argument "unknown" is the format of the error about another match. It takes the page and the match.
func allKnown(t *testing.T, pattern string, known map[string]bool, unknown string, least int) {
	t.Helper()
	seen := 0
	for page, names := range matches(readPages(t), pattern) {
		for _, name := range names {
			seen++
			if !known[name] {
				t.Errorf(unknown, page, name)
			}
		}
	}
	if seen < least {
		t.Errorf("the pages name %d of at least %d", seen, least)
	}
}

// TestPagesNameCommands: every command that a page shows is a command of the program. The table in docs/operations.md
// has all commands of the program.
func TestPagesNameCommands(t *testing.T) {
	t.Parallel()
	commands := map[string]bool{}
	sources, err := filepath.Glob("../functions/idleseat/command/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?m)^\\s(\\w+)\\s+\\w+\\s+`cmd:").FindAllSubmatch(source, -1) {
			commands[strings.ToLower(string(m[1]))] = true
		}
	}
	allKnown(t, "(?m)(?:`|^ {4}(?:bin/)?)idleseat ([a-z]+)", commands, "%s shows idleseat %s, and there is no such command", 10)
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| command | does |")
	for name := range commands {
		if !regexp.MustCompile("(?m)^\\|.*`(policy )?" + name + "\\b").MatchString(table) {
			t.Errorf("the table of commands in docs/operations.md lacks %s", name)
		}
	}
}

// TestPagesNameFiles: every file and folder of the repository that a page names or links to exists.
func TestPagesNameFiles(t *testing.T) {
	t.Parallel()
	pages, seen := readPages(t), 0
	for page, names := range matches(pages, "`((?:functions|shared|infra|docs|\\.github)/[A-Za-z0-9_./-]+)`") {
		for _, name := range names {
			seen++
			if _, err := os.Stat(filepath.Join("..", name)); err != nil {
				t.Errorf("%s names %s: %v", page, name, err)
			}
		}
	}
	for page, links := range matches(pages, `\]\(([^):\s]+)\)`) {
		for _, link := range links {
			seen++
			file, anchor, _ := strings.Cut(link, "#")
			to := page
			if file != "" {
				to = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", page, link, err)
			}
			if anchor != "" && !slices.Contains(anchors(pages[to]), anchor) {
				t.Errorf("%s links to %s, which has no such heading", page, link)
			}
		}
	}
	if seen < 10 {
		t.Errorf("the pages name %d files", seen)
	}
}

func anchors(page string) (all []string) {
	for _, m := range regexp.MustCompile("(?m)^#+ (.+)$").FindAllStringSubmatch(page, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}
