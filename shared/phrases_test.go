package shared_test

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The variable "unclear" has phrases that readers have to read twice, each with what to write instead.
var unclear = map[string]string{
	`\bwhoever\b`:                "a person who",
	`\bof whom\b`:                "a sentence of its own",
	`\btold of\b`:                "that somebody reports it",
	`\bit says so\b`:             "what says what",
	`\b(is|are|was|were) told\b`: "who says it, or who knows it",
	`\blets? (it|both|them|this|that|(the |a |an )?\w+) be\b`: "who does what, in the active voice",
}

// TestNoUnclearPhrase: no comment and no text in the code, and no Markdown page, has one of the unclear phrases.
func TestNoUnclearPhrase(t *testing.T) {
	t.Parallel()
	phrases := map[*regexp.Regexp]string{}
	for pattern, instead := range unclear {
		phrases[regexp.MustCompile(`(?i)`+pattern)] = instead
	}
	texts := 0
	look := func(path, text string) {
		texts++
		text = strings.Join(strings.Fields(text), " ")
		for phrase, instead := range phrases {
			for _, at := range phrase.FindAllStringIndex(text, -1) {
				t.Errorf("%s has %q, which takes two readings; say %s: …%s…", path, text[at[0]:at[1]], instead, text[max(0, at[0]-40):min(len(text), at[1]+40)])
			}
		}
	}
	pages := readPages(t)
	for _, path := range slices.Sorted(maps.Keys(pages)) {
		look(path, pages[path])
	}
	for _, folder := range []string{".", "../functions", "../infra"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || path == "phrases_test.go" {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for place, text := range prose(path, source) {
				look(place, text)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if texts < 10_000 {
		t.Errorf("only %d texts were read", texts)
	}
}

// The function "prose" returns the comments and the texts of a Go file by their places. The lines of a comment belong
// together.
func prose(path string, source []byte) map[string]string {
	set := token.NewFileSet()
	file := set.AddFile(path, -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	found := map[string]string{}
	for begin, last := "", 0; ; {
		pos, kind, text := s.Scan()
		switch at := set.Position(pos); kind {
		case token.EOF:
			return found
		case token.COMMENT:
			if at.Line != last+1 || begin == "" {
				begin = at.String()
			}
			found[begin] += " " + strings.TrimPrefix(text, "//")
			last = at.Line
		case token.STRING:
			found[at.String()] = text
			begin = ""
		default:
			if text != "\n" {
				begin = ""
			}
		}
	}
}
