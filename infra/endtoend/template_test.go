package endtoend

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/entrance"
)

// The simulated AWS account of the SAM template and of the Terraform module.
const (
	account    = "123456789012"
	region     = "eu-north-1"
	stack      = "idleseat"
	bucketName = stack + "-" + account + "-" + region
	keyARN     = "arn:aws:kms:" + region + ":" + account + ":key/k"
)

// The variable "given" has the parameters of the SAM deployment. loadModuleWith gives the same values to Terraform.
var given = map[string]string{
	"TenantId": "tenant", "ReadClientId": "reader", "WriteClientId": "writer", "RelayCaBundle": "CA", "ActiveDirectory": "on",
}

// The type "template" is template.yaml with evaluated intrinsic functions.
type template struct {
	parameters map[string]any
	conditions map[string]any
	resources  map[string]any
}

func loadTemplate(t *testing.T) *template {
	t.Helper()
	return loadTemplateWith(t, nil)
}

func templateRoot(t *testing.T) *yaml.Node {
	t.Helper()
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return root.Content[0]
}

func loadTemplateWith(t *testing.T, more map[string]string) *template {
	t.Helper()
	root := templateRoot(t)
	m := &template{parameters: map[string]any{}, conditions: map[string]any{}}
	whole := section(root, "Parameters")
	for i := 0; i < len(whole.Content); i += 2 {
		name := whole.Content[i].Value
		m.parameters[name] = ""
		if d := section(whole.Content[i+1], "Default"); d != nil {
			m.parameters[name] = d.Value
		}
		for _, values := range []map[string]string{given, more} {
			if v, ok := values[name]; ok {
				m.parameters[name] = v
			}
		}
	}
	conditions := section(root, "Conditions")
	for i := 0; i < len(conditions.Content); i += 2 {
		m.conditions[conditions.Content[i].Value] = m.value(t, conditions.Content[i+1])
	}
	m.resources = m.value(t, section(root, "Resources")).(map[string]any)
	return m
}

func section(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// noValue is a value that CloudFormation omits from lists.
const noValue = "AWS::NoValue"

// The method "value" evaluates a node. An unknown tag fails the test.
func (m *template) value(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Tag {
	case "!Ref":
		return m.ref(t, n.Value)
	case "!GetAtt":
		return attribute(t, n.Value)
	case "!Sub":
		return m.sub(t, n.Value)
	case "!Equals":
		return m.value(t, n.Content[0]) == m.value(t, n.Content[1])
	case "!Not":
		return m.value(t, n.Content[0]) == false
	case "!Or":
		return slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return m.value(t, c) == true })
	case "!And":
		return !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return m.value(t, c) != true })
	case "!Condition":
		return m.conditions[n.Value]
	case "!If":
		if m.conditions[n.Content[0].Value] == true {
			return m.value(t, n.Content[1])
		}
		return m.value(t, n.Content[2])
	}
	switch {
	case n.Kind == yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = m.value(t, n.Content[i+1])
		}
		return out
	case n.Kind == yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			if v := m.value(t, c); v != noValue {
				out = append(out, v)
			}
		}
		return out
	case strings.HasPrefix(n.Tag, "!!"):
		var v any
		if err := n.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	t.Fatalf("line %d: %s is not implemented", n.Line, n.Tag)
	return nil
}

func (m *template) ref(t *testing.T, name string) any {
	t.Helper()
	if v, ok := m.parameters[name]; ok {
		return v
	}
	pseudo := map[string]string{"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws", noValue: noValue}
	if v, ok := pseudo[name]; ok {
		return v
	}
	known := map[string]string{
		"Bucket": bucketName, "Notices": "arn:aws:sns:" + region + ":" + account + ":" + stack + "-notices",
		"ReadQueue": queueURL("read"), "WriteQueue": queueURL("write"), "ReadDead": queueURL("read-dead"), "WriteDead": queueURL("write-dead"),
		"ReevaluateFunction": stack + "-reevaluate",
	}
	for _, n := range entrances {
		known[samMachine(n)] = entranceARN(n)
	}
	if function, ok := strings.CutSuffix(name, "Function.Version"); ok {
		known[name] = versionARN(kebab(function))
	}
	v, ok := known[name]
	if !ok {
		t.Fatalf("!Ref %s is not implemented", name)
	}
	return v
}

func queueURL(name string) string {
	return "https://sqs." + region + ".amazonaws.com/" + account + "/" + stack + "-ad-" + name
}

func queueARN(name string) string {
	return "arn:aws:sqs:" + region + ":" + account + ":" + stack + "-ad-" + name
}

func functionARN(name string) string {
	return "arn:aws:lambda:" + region + ":" + account + ":function:" + stack + "-" + name
}

func versionARN(name string) string { return functionARN(name) + ":1" }

func samMachine(n entrance.Name) string {
	if n == entrance.Plan {
		return "StateMachine"
	}
	return pascal(string(n)) + "StateMachine"
}

// The function "pascal" converts a name such as reevaluate-apply to ReevaluateApply, its form in the template. The
// function "kebab" converts it back.
func pascal(name string) (out string) {
	for part := range strings.SplitSeq(name, "-") {
		out += strings.ToUpper(part[:1]) + part[1:]
	}
	return out
}

func kebab(name string) string {
	var out strings.Builder
	for i, c := range name {
		if unicode.IsUpper(c) && i > 0 {
			out.WriteByte('-')
		}
		out.WriteRune(unicode.ToLower(c))
	}
	return out.String()
}

func attribute(t *testing.T, of string) any {
	t.Helper()
	name, attribute, _ := strings.Cut(of, ".")
	queues := map[string]string{"ReadQueue": "read", "WriteQueue": "write", "ReadDead": "read-dead", "WriteDead": "write-dead"}
	function, isFunction := strings.CutSuffix(name, "Function")
	switch {
	case of == "Key.Arn":
		return keyARN
	case queues[name] != "" && attribute == "Arn":
		return queueARN(queues[name])
	case queues[name] != "" && attribute == "QueueName":
		return stack + "-ad-" + queues[name]
	case isFunction && attribute == "Arn":
		return functionARN(kebab(function))
	case strings.HasSuffix(name, "Log"):
		return "arn:aws:logs:::" + kebab(strings.TrimSuffix(name, "Log")) + ":*"
	case strings.HasSuffix(name, "Role"), strings.HasPrefix(of, "TrustAnchor."), strings.HasPrefix(of, "RelayProfile."):
		return of
	}
	t.Fatalf("!GetAtt %s is not implemented", of)
	return nil
}

func (m *template) sub(t *testing.T, text string) any {
	t.Helper()
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		v := any(nil)
		if strings.Contains(name, ".") {
			v = attribute(t, name)
		} else {
			v = m.ref(t, name)
		}
		out.WriteString(v.(string))
		text = after
	}
}

func (m *template) properties(name string) map[string]any {
	p, _ := m.resources[name].(map[string]any)["Properties"].(map[string]any)
	return p
}

func convert[T any](t *testing.T, v any) (out T) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
