package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

type mutant struct {
	id   int
	pkg  string // name of its package
	name string // for example "small/small.go odd: % to *: v%2"; it has no line number, so it stays the same when other lines change
	text string // replaces the source text while the mutant is on
}

type site struct {
	from, to  int    // offsets in the file
	statement bool   // whether the site is a statement; a mutant can leave out a statement
	typ       string // type of an expression
	mutants   []*mutant
}

type finder struct {
	*source
	sites map[[2]int]*site
	order []*site
	seen  map[string]int // number of mutants by name; the second mutant with a name gets the suffix " (2)"
}

// The function "find" returns the places of a file at which a mutant can change the code, in their order in the file.
// It searches only the bodies of functions, because tables of constants have no behavior.
func find(s *source) []*site {
	f := &finder{source: s, sites: map[[2]int]*site{}, seen: map[string]int{}}
	for _, d := range s.file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		name := functionName(fn)
		ast.PreorderStack(fn, nil, func(n ast.Node, stack []ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && f.isText(call) {
				return false
			}
			f.visit(name, n, stack)
			return true
		})
	}
	return f.order
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if g, ok := t.(*ast.IndexExpr); ok {
		t = g.X
	}
	return fmt.Sprintf("%s.%s", t, fn.Name.Name)
}

// isText reports whether a call only makes text for people: a call of package fmt, log or slog, or of errors.New. The
// call and its arguments get no mutants, because tests need not check such text.
func (f *finder) isText(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	o := f.info.Uses[sel.Sel]
	if o == nil || o.Pkg() == nil {
		return false
	}
	switch o.Pkg().Path() {
	case "fmt", "log", "log/slog":
		return true
	case "errors":
		return o.Name() == "New"
	}
	return false
}

func (f *finder) add(function string, n ast.Node, typ, operator, text string) {
	from, to := f.span(n)
	at := f.sites[[2]int{from, to}]
	if at == nil {
		at = &site{from: from, to: to, statement: typ == "", typ: typ}
		f.sites[[2]int{from, to}] = at
		f.order = append(f.order, at)
	}
	for _, m := range at.mutants {
		if m.text == text {
			return // an earlier operator has made a mutant with the same text
		}
	}
	name := fmt.Sprintf("%s %s: %s: %s", f.name, function, operator, folded(f.at(n)))
	f.seen[name]++
	if k := f.seen[name]; k > 1 {
		name = fmt.Sprintf("%s (%d)", name, k)
	}
	at.mutants = append(at.mutants, &mutant{pkg: f.pkg.Name(), name: name, text: text})
}

// The function "folded" returns source text on one line, shortened to 100 characters.
func folded(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 100 {
		return string(r[:97]) + "..."
	}
	return text
}

func (f *finder) visit(function string, n ast.Node, stack []ast.Node) {
	if s, ok := n.(ast.Stmt); ok {
		f.statement(function, s, stack)
	}
	for _, e := range wholes(n) {
		f.whole(function, n, e)
	}
	switch n := n.(type) {
	case *ast.BinaryExpr:
		f.binary(function, n)
	case *ast.UnaryExpr:
		f.unary(function, n)
	case *ast.CallExpr:
		f.call(function, n)
	case *ast.ReturnStmt:
		f.returned(function, n, stack)
	}
}

// isBool reports whether an expression has type bool and is not a constant.
func (f *finder) isBool(e ast.Expr) bool {
	tv, ok := f.info.Types[e]
	if !ok || tv.Value != nil || !tv.IsValue() {
		return false
	}
	return types.Identical(types.Default(tv.Type), types.Typ[types.Bool])
}

// The method "number" returns the numeric type of an expression as source text. It returns false for a constant and for
// an expression that is not numeric. It also returns false if the file cannot name the type, because it does not import
// the type's package.
func (f *finder) number(e ast.Expr) (string, bool) {
	tv, ok := f.info.Types[e]
	if !ok || tv.Value != nil || !tv.IsValue() {
		return "", false
	}
	b, ok := tv.Type.Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsNumeric == 0 || b.Info()&types.IsUntyped != 0 {
		return "", false
	}
	return f.typeName(tv.Type)
}

// timeMethod returns the receiver and the name of the method if a call is a call of a method of time.Time. Otherwise it
// returns nil and "".
func (f *finder) timeMethod(call *ast.CallExpr) (recv ast.Expr, name string) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil, ""
	}
	s := f.info.Selections[sel]
	if s == nil || s.Kind() != types.MethodVal || types.TypeString(s.Recv(), nil) != "time.Time" {
		return nil, ""
	}
	return sel.X, sel.Sel.Name
}

// The map "orders" has the two mutants of each comparison: one with the boundary moved, and the negation. For example,
// < becomes <= and >=. The comparisons == and != have no boundary.
var orders = map[token.Token]struct{ boundary, negated token.Token }{
	token.LSS: {token.LEQ, token.GEQ},
	token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ},
	token.GEQ: {token.GTR, token.LSS},
	token.EQL: {negated: token.NEQ},
	token.NEQ: {negated: token.EQL},
}

var arithmetic = map[token.Token]token.Token{
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
}
