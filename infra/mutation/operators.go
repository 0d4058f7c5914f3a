package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// The function "wholes" returns the expressions that a node uses as conditions, and those that it returns, assigns or
// passes. An expression is not divided: the result has a && b, but neither a nor b.
func wholes(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.IfStmt:
		return []ast.Expr{n.Cond}
	case *ast.ForStmt:
		if n.Cond != nil {
			return []ast.Expr{n.Cond}
		}
	case *ast.SwitchStmt:
		if n.Tag != nil {
			return nil
		}
		var all []ast.Expr
		for _, c := range n.Body.List {
			all = append(all, c.(*ast.CaseClause).List...)
		}
		return all
	case *ast.ReturnStmt:
		return n.Results
	case *ast.AssignStmt:
		return n.Rhs
	case *ast.ValueSpec:
		return n.Values
	case *ast.CallExpr:
		return n.Args
	case *ast.KeyValueExpr:
		return []ast.Expr{n.Value}
	}
	return nil
}

// The method "whole" adds two mutants for an expression of type bool: true and false. For a literal true or false, it
// adds one mutant with the opposite value.
func (f *finder) whole(function string, parent ast.Node, e ast.Expr) {
	if id, ok := e.(*ast.Ident); ok && (id.Name == "true" || id.Name == "false") {
		tv := f.info.Types[e]
		if tv.Value != nil && types.Identical(types.Default(tv.Type), types.Typ[types.Bool]) {
			f.add(function, e, "bool", "flipped", map[string]string{"true": "false", "false": "true"}[id.Name])
		}
		return
	}
	if !f.isBool(e) {
		return
	}
	if _, loop := parent.(*ast.ForStmt); !loop { // a condition that is always true makes the loop endless, and an endless loop proves nothing about the tests
		f.add(function, e, "bool", "forced true", "true")
	}
	f.add(function, e, "bool", "forced false", "false")
}

func (f *finder) binary(function string, n *ast.BinaryExpr) {
	x, y := f.at(n.X), f.at(n.Y)
	swapped := func(op token.Token) string { return fmt.Sprintf("%s %s %s", x, op, y) }
	switch n.Op {
	case token.LAND, token.LOR:
		if !f.isBool(n) {
			return
		}
		other := token.LAND + token.LOR - n.Op
		f.add(function, n, "bool", "left alone", x)
		f.add(function, n, "bool", "right alone", y)
		f.add(function, n, "bool", fmt.Sprintf("%s to %s", n.Op, other), fmt.Sprintf("(%s) %s (%s)", x, other, y))
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		if !f.isBool(n) {
			return
		}
		o := orders[n.Op]
		if o.boundary != token.ILLEGAL {
			f.add(function, n, "bool", fmt.Sprintf("%s to %s", n.Op, o.boundary), swapped(o.boundary))
		}
		f.add(function, n, "bool", fmt.Sprintf("%s to %s", n.Op, o.negated), swapped(o.negated))
	default:
		op, ok := arithmetic[n.Op]
		typ, numeric := f.number(n)
		if ok && numeric {
			f.add(function, n, typ, fmt.Sprintf("%s to %s", n.Op, op), swapped(op))
		}
	}
}

func (f *finder) unary(function string, n *ast.UnaryExpr) {
	switch n.Op {
	case token.NOT:
		if f.isBool(n) {
			f.add(function, n, "bool", "dropped !", f.at(n.X))
		}
	case token.SUB:
		if typ, ok := f.number(n); ok {
			f.add(function, n, typ, "dropped -", f.at(n.X))
		}
	}
}

// The method "call" adds the mutants of a call: a comparison of times with a moved boundary, a time shifted the other
// way, and max in place of min or min in place of max.
func (f *finder) call(function string, n *ast.CallExpr) {
	recv, name := f.timeMethod(n)
	switch name {
	case "Before", "After":
		other := map[string]string{"Before": "After", "After": "Before"}[name]
		f.add(function, n, "bool", name+" or at", fmt.Sprintf("!%s.%s(%s)", f.at(recv), other, f.at(n.Args[0])))
	case "Add":
		if u, ok := n.Args[0].(*ast.UnaryExpr); ok && u.Op == token.SUB && f.info.Types[u].Value == nil {
			return // the method unary adds a mutant that drops the sign
		}
		if typ, ok := f.typeName(f.info.TypeOf(n.Args[0])); ok {
			f.add(function, n.Args[0], typ, "shifted the other way", fmt.Sprintf("-(%s)", f.at(n.Args[0])))
		}
	}
	if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) == 2 && (id.Name == "min" || id.Name == "max") {
		if _, builtin := f.info.Uses[id].(*types.Builtin); !builtin {
			return
		}
		if typ, ok := f.number(n); ok {
			other := map[string]string{"min": "max", "max": "min"}[id.Name]
			f.add(function, n, typ, id.Name+" to "+other, fmt.Sprintf("%s(%s, %s)", other, f.at(n.Args[0]), f.at(n.Args[1])))
		}
	}
}

// If the last result of a function is an error, the method "returned" adds a mutant that returns nil in place of the
// error.
func (f *finder) returned(function string, n *ast.ReturnStmt, stack []ast.Node) {
	if len(n.Results) == 0 {
		return
	}
	last := n.Results[len(n.Results)-1]
	results := resultsOf(stack)
	if results == nil || len(n.Results) != results.NumFields() || f.info.Types[last].IsNil() {
		return
	}
	declared := results.List[len(results.List)-1].Type
	if types.Identical(f.info.TypeOf(declared), types.Universe.Lookup("error").Type()) {
		f.add(function, last, "error", "error to nil", "nil")
	}
}

func resultsOf(stack []ast.Node) *ast.FieldList {
	for _, n := range slices.Backward(stack) {
		switch n := n.(type) {
		case *ast.FuncLit:
			return n.Type.Results
		case *ast.FuncDecl:
			return n.Type.Results
		}
	}
	return nil
}

// The method "statement" adds a mutant that leaves out a statement. A statement gets no such mutant if it defines a
// variable, assigns only to _, calls panic, or only makes text for people.
func (f *finder) statement(function string, s ast.Stmt, stack []ast.Node) {
	switch stack[len(stack)-1].(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
	default:
		return
	}
	if c, ok := stack[len(stack)-1].(*ast.CommClause); ok && c.Comm == s {
		return
	}
	left := func(what string) { f.add(function, s, "", what, "") }
	switch s := s.(type) {
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok || f.isText(call) {
			return
		}
		if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" {
			return
		}
		left("left out")
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE && !blank(s.Lhs) {
			left("left out")
		}
	case *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
		left("left out")
	case *ast.BranchStmt:
		if s.Tok == token.BREAK || s.Tok == token.CONTINUE {
			left("left out")
		}
	}
}

func blank(all []ast.Expr) bool {
	return !slices.ContainsFunc(all, func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return !ok || id.Name != "_"
	})
}
