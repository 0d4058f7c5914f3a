package reason_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/story/reason"
)

// reasonFiles lists the files whose texts become reasons why nothing is changed.
var reasonFiles = []string{
	"../../policy/gap.go", "../../policy/grace.go", "../../policy/holder.go",
	"../../directory/join.go", "../../directory/contradiction.go", "../../directory/past.go",
	"../../plan/direct.go", "../../plan/entragroup.go", "../../plan/adgroup.go", "../../plan/route.go", "../../plan/mail.go",
	"../../plan/feed.go", "../../decision/decide.go", "../../decision/past.go", "../../decision/notice.go", "../../decision/first.go", "../../decision/memory.go", "../../decision/reports.go", "../../decision/mailfor.go",
	"../../workflow/gate/guard.go", "../../workflow/gate/refusal.go", "../../workflow/gate/rungs.go", "../../workflow/gate/choice.go",
}

// TestRefusalsOfEveryTargetAreRead: a file of package plan that has the method "route" also has the refusals of a
// target. So reasonFiles must list each such file.
func TestRefusalsOfEveryTargetAreRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../plan/*.go")
	if err != nil {
		t.Fatal(err)
	}
	targets := 0
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "route" {
				targets++
				if !slices.Contains(reasonFiles, filepath.ToSlash(file)) {
					t.Errorf("%s has a target, and reasonFiles does not name it", file)
				}
			}
		}
	}
	if targets < 3 {
		t.Errorf("%d targets were found, want 3 or more", targets)
	}
}

// noReasons lists the texts in reasonFiles that only look like reasons, or that are only a part of a reason.
var noReasons = []string{
	"x and x x x", "x x, and x", "through a group", "the group x gives x x", "x, which x", "the group x x", // the parts of these texts have remedies
	"is not known: x",                                                                                       // the part after the colon has a form
	"; saves nothing: x", "the person is in the group by way of a group within it, too, and stays entitled", // the change is made in spite of these texts
	"whether a group within the group entitles the person, too, is not known: the account may not read its members",
	"the assignment is in error and takes no seat",
	"active again on x, after run x took the license on x",                                                                                     // the license is restored
	"x; it was made again from what run x read",                                                                                                // a note of the plan
	"x; its people are decided from the next night on, and people without a date when one comes; to decide them now, plan with --accept-feeds", // a note of the plan
	"run x was deleted because of its age, with what it knew of accounts; their periods of grace begin again, and people without a date are decided when one comes; keep runs for longer than the time between two readings of a directory (in AWS: RunRetentionDays)", // a note of the plan
}

// The variable "within" lists sentences in which a text from the code may stand, in place of %s. The letter x stands
// for a varying part.
var within = []string{"%s", "x %s", "the group x %s", "the group x gives x %s", "x cannot be trusted: %s", "x is not known: %s", "x; %s"}

// TestEveryReasonHasItsForm finds the reasons in the code. Each reason must have a code, a remedy, and words in both
// languages. Each form must match a reason.
func TestEveryReasonHasItsForm(t *testing.T) {
	t.Parallel()
	found, excused, used := 0, map[string]bool{}, map[string]bool{}
	for text := range stored {
		reason.Used(text, used)
	}
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
			if why := unfit(text, used); why != "" {
				t.Errorf("%s: %q %s", file, text, why)
			}
		}
	}
	for _, text := range noReasons {
		if !excused[text] {
			t.Errorf("no file has %q any more", text)
		}
	}
	for _, text := range reason.Forms() {
		if !used[text] {
			t.Errorf("no reason has the form %q", text)
		}
	}
	if found < 100 {
		t.Errorf("only %d texts were found, so this shows little", found)
	}
}

// The function "unfit" says what the text lacks as a reason: a form, a remedy or words. It returns "" if nothing is
// missing. It adds the forms of the text to the map "used".
func unfit(text string, used map[string]bool) string {
	for _, whole := range within {
		if whole == "%s" && predicate.MatchString(text) {
			continue
		}
		whole = fmt.Sprintf(whole, text)
		parts := reason.Parts(whole)
		last := parts[len(parts)-1]
		if last.Code == "" || last.Code == "notKnown" || last.Code == "feedUnhealthy" && !strings.HasSuffix(text, ": x") {
			continue
		}
		reason.Used(whole, used)
		if reason.Do(reason.English, last.Remedy) == "" || reason.Do(reason.Swedish, last.Remedy) == "" {
			return "has no remedy in each language"
		}
		if english.MatchString(last.In(reason.Swedish)) {
			return "is in Swedish " + last.In(reason.Swedish)
		}
		return ""
	}
	return "has no form"
}

// The expression "predicate" matches texts without a subject. Such a text is a reason only within a sentence of the
// variable "within".
var predicate = regexp.MustCompile(`^(is|was|has|may|cannot be (computed|trusted)|went|got|grants) `)

// The expression "english" matches words that a Swedish text does not contain.
var english = regexp.MustCompile(`\b(the|is|are|was|were|and|of|not|no|which|that|has|have)\b`)

// reasonsIn returns the texts of at least three words that may become reasons.
func reasonsIn(file *ast.File) (texts []string) {
	constants := map[string]string{}
	add := func(e ast.Expr) {
		if text := textOf(e, constants); strings.Count(text, " ") >= 2 && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, e := range n.Values {
				constants[n.Names[i].Name] = textOf(e, constants)
				if n.Names[i].IsExported() {
					add(e)
				}
			}
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				add(e)
			}
		case *ast.AssignStmt:
			for i, e := range n.Rhs {
				if s, is := n.Lhs[min(i, len(n.Lhs)-1)].(*ast.SelectorExpr); is && slices.Contains([]string{"Refused", "Doubt", "Reason", "Failed"}, s.Sel.Name) {
					add(e)
				}
			}
		case *ast.CallExpr:
			if at, is := reasonAt[nameOf(n.Fun)]; is && len(n.Args) > at {
				add(n.Args[at])
			}
		}
		return true
	})
	return texts
}

// reasonAt has the functions that get a reason as an argument. The value is the index of this argument, such as 2 for
// "add".
var reasonAt = map[string]int{"add": 2, "shows": 1, "contradict": 0, "unhealthy": 0}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

var verb = regexp.MustCompile(`%[.0-9]*[a-zA-Z]`)

// textOf returns the text of an expression. The letter x stands for a part that is no literal or constant.
func textOf(e ast.Expr, constants map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil || e.Kind != token.STRING {
			return "x"
		}
		return verb.ReplaceAllString(text, "x")
	case *ast.BinaryExpr:
		return textOf(e.X, constants) + textOf(e.Y, constants)
	case *ast.Ident:
		if text, is := constants[e.Name]; is {
			return text
		}
	case *ast.ParenExpr:
		return textOf(e.X, constants)
	case *ast.CallExpr:
		if name := fmt.Sprint(e.Fun); strings.Contains(name, "Sprintf") && len(e.Args) > 0 {
			return textOf(e.Args[0], constants)
		}
	}
	return "x"
}
