package endtoend

import (
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// The type "module" is infra/terraform with evaluated locals. The variables have their defaults or the values of
// loadModuleWith. What AWS chooses at the creation of a resource, such as an ARN, is invented.
type module struct {
	variables map[string]cty.Value
	locals    map[string]cty.Value
	defaults  map[string]cty.Value       // defaults of the variables; NilVal: no default
	resources map[string]*hclsyntax.Body // by kind and name, as in aws_sqs_queue.relay
	outputs   map[string]bool
}

func object(values map[string]string) cty.Value {
	all := map[string]cty.Value{}
	for name, v := range values {
		all[name] = cty.StringVal(v)
	}
	return cty.ObjectVal(all)
}

// The function "made" returns the invented attributes of resources and data sources. They use the account and the
// region of template_test.go.
func made() map[string]cty.Value {
	queue := func(name string) cty.Value {
		return object(map[string]string{"arn": queueARN(name), "url": queueURL(name), "name": stack + "-ad-" + name})
	}
	functions := map[string]cty.Value{}
	for name := range functionLimits {
		functions[name] = object(map[string]string{"arn": functionARN(name), "qualified_arn": versionARN(name)})
	}
	machines := map[string]cty.Value{}
	for _, n := range entrances {
		machines[string(n)] = object(map[string]string{"arn": entranceARN(n)})
	}
	one := func(kind string, v cty.Value) cty.Value { return cty.ObjectVal(map[string]cty.Value{kind: v}) }
	return map[string]cty.Value{
		"data": cty.ObjectVal(map[string]cty.Value{
			"aws_caller_identity": one("current", object(map[string]string{"account_id": account})),
			"aws_region":          one("current", object(map[string]string{"region": region})),
			"aws_partition":       one("current", object(map[string]string{"partition": "aws"})),
		}),
		"path":                  object(map[string]string{"module": "."}),
		"aws_kms_key":           one("objects", cty.TupleVal([]cty.Value{object(map[string]string{"arn": keyARN})})),
		"aws_sns_topic":         one("notices", object(map[string]string{"arn": "arn:aws:sns:" + region + ":" + account + ":" + stack + "-notices"})),
		"aws_sfn_state_machine": one("run", cty.ObjectVal(machines)),
		"aws_iam_role":          one("policy", object(map[string]string{"arn": "PolicyRole.Arn"})),
		"aws_lambda_function":   one("function", cty.ObjectVal(functions)),
		"aws_sqs_queue": cty.ObjectVal(map[string]cty.Value{
			"relay": cty.ObjectVal(map[string]cty.Value{"read": queue("read"), "write": queue("write")}),
			"dead":  cty.ObjectVal(map[string]cty.Value{"read": queue("read-dead"), "write": queue("write-dead")}),
		}),
	}
}

var tfFunctions = map[string]function.Function{
	"jsonencode": stdlib.JSONEncodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "merge": stdlib.MergeFunc, "concat": stdlib.ConcatFunc, "lookup": stdlib.LookupFunc,
	"flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc,
	"trimsuffix": stdlib.TrimSuffixFunc,
}

func loadModule(t *testing.T) *module {
	t.Helper()
	return loadModuleWith(t, nil)
}

func loadModuleWith(t *testing.T, more map[string]string) *module {
	t.Helper()
	files, err := filepath.Glob("../terraform/*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	m := &module{variables: map[string]cty.Value{}, locals: map[string]cty.Value{}, defaults: map[string]cty.Value{}, resources: map[string]*hclsyntax.Body{}, outputs: map[string]bool{}}
	for name, v := range map[string]string{"tenant_id": "tenant", "read_client_id": "reader", "write_client_id": "writer", "relay_ca_bundle": "CA", "active_directory": "on"} {
		m.variables[name] = cty.StringVal(v)
	}
	for name, v := range more {
		m.variables[name] = cty.StringVal(v)
	}
	parser, open := hclparse.NewParser(), map[string]hcl.Expression{}
	for _, file := range files {
		f, faults := parser.ParseHCLFile(file)
		if faults.HasErrors() {
			t.Fatal(faults)
		}
		for _, b := range f.Body.(*hclsyntax.Body).Blocks {
			switch b.Type {
			case "locals":
				for name, a := range b.Body.Attributes {
					open[name] = a.Expr
				}
			case "resource":
				m.resources[b.Labels[0]+"."+b.Labels[1]] = b.Body
			case "output":
				m.outputs[b.Labels[0]] = true
			case "variable":
				m.defaults[b.Labels[0]] = cty.NilVal
				if d := b.Body.Attributes["default"]; d != nil {
					m.defaults[b.Labels[0]], _ = d.Expr.Value(nil) // defaults are constants, so an evaluation needs no context
					if m.variables[b.Labels[0]] == cty.NilVal {
						m.variables[b.Labels[0]] = m.defaults[b.Labels[0]]
					}
				}
			}
		}
	}
	m.settle(t, open)
	return m
}

// The method "settle" evaluates the locals repeatedly until all are known, because they may refer to each other.
func (m *module) settle(t *testing.T, open map[string]hcl.Expression) {
	t.Helper()
	for len(open) > 0 {
		known := made()
		known["var"], known["local"] = cty.ObjectVal(m.variables), cty.ObjectVal(m.locals)
		context, before := &hcl.EvalContext{Variables: known, Functions: tfFunctions}, len(open)
		var last hcl.Diagnostics
		for name, e := range open {
			v, faults := e.Value(context)
			if faults.HasErrors() || !v.IsWhollyKnown() {
				last = faults
				continue
			}
			m.locals[name] = v
			delete(open, name)
		}
		if len(open) == before {
			t.Fatalf("%d locals cannot be evaluated: %v", len(open), last)
		}
	}
}

func local[T any](t *testing.T, m *module, name string) T {
	t.Helper()
	text, err := ctyjson.Marshal(m.locals[name], m.locals[name].Type())
	if err != nil {
		t.Fatal(err)
	}
	return convert[T](t, jsonText(text))
}

// jsonText is encoded JSON text, which encoding/json copies without a change.
type jsonText []byte

func (j jsonText) MarshalJSON() ([]byte, error) { return j, nil }
