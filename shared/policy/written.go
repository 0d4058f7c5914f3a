package policy

import (
	"fmt"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"github.com/idleseat/idleseat/shared/directory"
)

// Attribute describes a name that conditions use.
type Attribute struct {
	Name   string
	Kind   directory.Kind
	Fields []*directory.Field  // the fields from which the value, or the newest date, comes; empty for a group
	Group  *directory.GroupRef // the group whose members have the value true; nil for fields
	// Own means that the policy maps the name, and that the name has another meaning, or none, without the mapping.
	Own bool
}

// Attribute returns the attribute with this name, or false.
func (p *Policy) Attribute(name string) (Attribute, bool) {
	a := p.attributes[name]
	if a == nil {
		return Attribute{}, false
	}
	described := Attribute{Name: a.name, Kind: a.kind, Fields: slices.Clone(a.fields), Own: true}
	if a.group != nil {
		described.Group = &a.group.Ref
	}
	if usual := unmapped()[name]; usual != nil && usual.source == a.source {
		described.Own = false
	}
	return described, true
}

// The function "unmapped" returns the attributes of a policy that maps nothing.
var unmapped = sync.OnceValue(func() map[string]*attribute {
	all, _ := builtinAttributes()
	return all
})

// Written is a condition as its author wrote it. The expression that is evaluated differs: its texts are folded, so
// that letter case does not matter, and some attributes are read as filled or orNone (type readAs).
type Written struct {
	Root ast.Expr
	info *ast.SourceInfo
}

// Code returns a part of the condition in the language of conditions.
func (w *Written) Code(part ast.Expr) (string, error) {
	code, err := cel.ExprToString(part, w.info)
	if err != nil {
		return "", fmt.Errorf("write a part of a condition: %w", err)
	}
	return code, nil
}

// The function "writing" returns the language of conditions with a parser that leaves macros, such as exists(…), as
// written.
var writing = sync.OnceValues(func() (*cel.Env, error) {
	base, err := language()
	if err != nil {
		return nil, err
	}
	return base.Extend(cel.EnableMacroCallTracking())
})

// ParseWritten parses a condition of a policy that was loaded, such as Rule.WhenSource. It does not check types.
func ParseWritten(source string) (*Written, error) {
	env, err := writing()
	if err != nil {
		return nil, fmt.Errorf("set up CEL: %w", err)
	}
	parsed, issues := env.Parse(source)
	if issues.Err() != nil {
		return nil, fmt.Errorf("parse a condition: %w", issues.Err())
	}
	tree := parsed.NativeRep()
	return &Written{tree.Expr(), tree.SourceInfo()}, nil
}
