package story_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/story"
)

// reasonFiles lists the files whose texts become reasons for which nothing is changed.
var reasonFiles = []string{
	"../policy/gap.go", "../policy/grace.go", "../policy/holder.go",
	"../directory/join.go", "../directory/contradiction.go", "../directory/past.go",
	"../plan/direct.go", "../plan/entragroup.go", "../plan/adgroup.go", "../plan/route.go", "../plan/mail.go",
	"../decision/decide.go", "../decision/past.go", "../decision/first.go", "../decision/memory.go",
	"../workflow/gate/guard.go", "../workflow/gate/gate.go", "../workflow/gate/choice.go",
}

// noReasons are texts of these files that are no reasons, or only parts of one.
var noReasons = []string{
	"x and x x x", "x x, and x", "through a group", "the group x gives x x", "x, which x", "the group x x", // their parts have remedies
	"is not known: x",                                                                                       // the part after the colon has
	"; saves nothing: x", "the person is in the group by way of a group within it, too, and stays entitled", // such changes are made
	"whether a group within the group entitles the person, too, is not known: the account may not read its members",
	"the assignment is in error and takes no seat",
	"active again on x, after run x took the license on x",                                                                                   // the license is given back
	"x; it was made again from what run x read",                                                                                              // a note of the plan
	"x; its people are decided from the next run on, and people without a date when one comes; to decide them now, plan with --accept-feeds", // a note of the plan
}

// TestEveryReasonHasARemedy reads the reasons from the code that makes them. Each text that a function returns, assigns
// to a refusal or a doubt, or adds to the gaps has a remedy.
func TestEveryReasonHasARemedy(t *testing.T) {
	t.Parallel()
	found, excused := 0, map[string]bool{}
	for _, file := range reasonFiles {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range reasonsIn(parsed) {
			found++
			if slices.Contains(noReasons, text) {
				excused[text] = true
				continue
			}
			if story.Remedy(text) == "" {
				t.Errorf("%s: no remedy for %q", file, text)
			}
		}
	}
	for _, text := range noReasons {
		if !excused[text] {
			t.Errorf("no file has %q any more", text)
		}
	}
	if found < 70 {
		t.Errorf("only %d texts were found, so this shows little", found)
	}
}

// reasonsIn returns the texts of at least three words in a file that may become reasons.
func reasonsIn(file *ast.File) (texts []string) {
	add := func(e ast.Expr) {
		if text := textOf(e); strings.Count(text, " ") >= 2 && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				add(e)
			}
		case *ast.AssignStmt:
			for i, e := range n.Rhs {
				if s, is := n.Lhs[min(i, len(n.Lhs)-1)].(*ast.SelectorExpr); is && slices.Contains([]string{"Refused", "Doubt", "Reason"}, s.Sel.Name) {
					add(e)
				}
			}
		case *ast.CallExpr:
			if s, is := n.Fun.(*ast.SelectorExpr); is && s.Sel.Name == "add" && len(n.Args) == 3 {
				add(n.Args[2])
			}
		}
		return true
	})
	return texts
}

var verb = regexp.MustCompile(`%[.0-9]*[a-zA-Z]`)

// textOf returns the text of an expression, with x for each part that is not written out.
func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil || e.Kind != token.STRING {
			return "x"
		}
		return verb.ReplaceAllString(text, "x")
	case *ast.BinaryExpr:
		return textOf(e.X) + textOf(e.Y)
	case *ast.ParenExpr:
		return textOf(e.X)
	case *ast.CallExpr:
		if name := fmt.Sprint(e.Fun); strings.Contains(name, "Sprintf") && len(e.Args) > 0 {
			return textOf(e.Args[0])
		}
	}
	return "x"
}
