package schema

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/pages"
	"github.com/idleseat/idleseat/shared/policy"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Of()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler() // compiling checks the schema against the metaschema of its draft
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON returns the value as an editor passes it to a validator. Dates stay texts.
func asJSON(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return asJSON(t, n.Content[0])
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, asJSON(t, c))
		}
		return list
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = asJSON(t, n.Content[i+1])
		}
		return m
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if _, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

func document(t *testing.T, text string) (any, bool) {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil || n.Kind != yaml.DocumentNode {
		return nil, false
	}
	return asJSON(t, &n), true
}

// TestSchemaAcceptsPolicies: the schema accepts the policies in the files and tests of this repository that the loader
// accepts.
func TestSchemaAcceptsPolicies(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	checked := 0
	for _, text := range everyPolicy(t) {
		doc, is := document(t, text)
		if _, err := policy.Load("p", []byte(text)); err != nil || !is {
			continue
		}
		checked++
		if err := s.Validate(doc); err != nil {
			t.Errorf("the loader accepts\n%s\nand the schema does not: %v", text, err)
		}
	}
	if checked < 30 {
		t.Errorf("only %d policies were found", checked)
	}
}

func everyPolicy(t *testing.T) (list []string) {
	t.Helper()
	literal := regexp.MustCompile("(?s)`([^`]*\nrules:[^`]*)`")
	err := filepath.WalkDir("../../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		switch filepath.Ext(path) {
		case ".yaml":
			text, err := os.ReadFile(path)
			list = append(list, string(text))
			return err
		case ".go":
			text, err := os.ReadFile(path)
			for _, m := range literal.FindAllStringSubmatch(string(text), -1) {
				list = append(list, m[1])
				if !strings.Contains(m[1], "tenant:") {
					list = append(list, "tenant: 11111111-2222-3333-4444-555555555555\n"+m[1])
				}
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

const right = `tenant: 11111111-2222-3333-4444-555555555555
mode: review
currency: EUR
anchor: objectSid
kinds: [person, guest]
attributes:
  used: "newest( m365.teams , entra.lastActivity)"
  created: " entra.created "
  isPilot: {memberOf: {entra: Pilot Users}}
licenses:
  e3: {sku: SPE_E3, groups: [{entra: G}, {entra: H}], monthlyPrice: 39.5, renews: 2027-03-01, keepSeats: 0, mailboxQuota: 50, needs: [A]}
  f3: {sku: SPE_F1}
  citrix: {group: {ad: "CN=C,DC=corp"}, model: user, keepSeats: 0, needs: []}
grace: {neverSignedIn: 14, newHolder: 0, enabledAgain: 3650}
exempt:
  users: [breakglass@contoso.example]
  groups: [{entra: LIC-Exempt}]
  leave: [{user: anna@contoso.example, until: 2027-03-01, reason: parental leave}, {user: bo, until: "2027-03-01T18:00:00+01:00"}]
  when: userType == "Guest"
limits: {stopAbove: {percent: 2.5, count: 500}, perRun: 200}
notices: {from: licenses@contoso.example, manager: true, language: de, texts: {de: {subject: "Ihre Lizenz {{.License}}", body: "Hallo {{.Name}}"}}}
rules:
  - {name: a, license: e3, for: true, when: used.hasNoValue(), then: {changeTo: f3, onReturn: restore, notice: 14, mailbox: lost}}
  - {name: b, license: citrix, when: isPilot, then: remove}
  - {name: c, license: f3, when: isPilot, then: {remove: true}}
`

func TestSchemaRefusesMistakes(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	if doc, _ := document(t, right); s.Validate(doc) != nil {
		t.Fatalf("the schema refuses a right policy: %v", s.Validate(doc))
	}
	if _, err := policy.Load("p", []byte(right)); err != nil {
		t.Fatal(err)
	}
	mistakes := [][2]string{
		{"tenant: 1", "tenants: 1"}, {"tenant: 11111111-2222-3333-4444-555555555555\n", ""}, {"tenant: 1", "tenant: x"}, {"mode: review", "mode: Review"}, {"mode: review", "mode: 1"},
		{"EUR", "euro"}, {"objectSid", "objectSID"}, {"[person, guest]", "[people]"}, {"[person, guest]", "[]"}, {"[person, guest]", "person"},
		{"m365.teams", "entra.department"}, {`" entra.created "`, "entra.department"}, {`" entra.created "`, "{memberOf: {entra: G}}"}, {"isPilot: {memberOf", "is-Pilot: {memberOf"}, {"memberOf", "membersOf"},
		{"sku: SPE_E3, ", ""}, {"monthlyPrice: 39.5", "monthlyPrice: many"}, {"monthlyPrice: 39.5", "monthlyPrice: -1"}, {"renews: 2027-03-01", "renews: yearly"}, {"renews: 2027-03-01", "renews: [03-01]"}, {"mailboxQuota: 50", "mailboxQuota: 0"}, {"keepSeats: 0, mailboxQuota", "keepSeats: 1.5, mailboxQuota"},
		{"model: user", "model: seat"}, {"{sku: SPE_F1}", "{sku: SPE_F1, model: user}"}, {"{sku: SPE_F1}", "{sku: }"}, {"{sku: SPE_F1}", "{}"}, {"{sku: SPE_F1}", "SPE_F1"}, {"{sku: SPE_F1}", "{sku: 7}"},
		{"groups: [{entra: G}, {entra: H}]", "groups: []"}, {"groups: [{entra: G}, {entra: H}]", "group: {entra: G}, groups: [{entra: H}]"}, {"{entra: G}", "G"}, {"{entra: G}", "{entra: G, ad: CN=H}"}, {"{entra: G}", "{}"},
		{`"CN=C,DC=corp"`, "Citrix Users"}, {"neverSignedIn: 14", "neverSignedIn: two weeks"}, {"enabledAgain: 3650", "enabledAgain: 3651"}, {"newHolder", "newHolders"},
		{"[breakglass@contoso.example]", "breakglass@contoso.example"}, {"[breakglass@contoso.example]", `["*@contoso.example"]`}, {"[breakglass@contoso.example]", `['CORP\anna']`}, {"[breakglass@contoso.example]", `[" "]`},
		{"user: anna@contoso.example", "name: anna@contoso.example"}, {"until: 2027-03-01,", "until: next spring,"}, {"until: 2027-03-01, reason: parental leave", "reason: parental leave"}, {"until: 2027-03-01, reason: parental leave", "until: 2027-03-01, reason: [x]"},
		{"percent: 2.5", "percent: 101"}, {"count: 500", "count: 0"}, {"perRun: 200", "perRun: 5001"}, {"perRun: 200", `perRun: "200"`}, {"stopAbove: {percent: 2.5, count: 500}", "stopAbove: 10"},
		{"name: a, ", ""}, {"license: e3, for", "for"}, {"when: used.hasNoValue(), ", ""}, {"when: used.hasNoValue()", "when: 7"}, {"then: remove}", "then: delete}"}, {"then: {remove: true}", "then: {remove: false}"},
		{"then: {remove: true}", "then: {remove: true, changeTo: e3}"}, {"then: {remove: true}", "then: {}"}, {"onReturn: restore", "onReturn: yes please"}, {"notice: 14", "notice: 0"}, {"mailbox: lost", "mailbox: kept"},
		{"from: licenses@contoso.example, ", ""}, {"from: licenses@contoso.example", "from: licenses"}, {"manager: true", "manager: false"}, {"texts: {de:", "texts: {Deutsch:"}, {`, body: "Hallo {{.Name}}"`, ""}, {"language: de", "language: 7"},
		{"for: true", "far: true"},
	}
	for _, m := range mistakes {
		text := strings.Replace(right, m[0], m[1], 1)
		if text == right {
			t.Errorf("%q is not in the policy", m[0])
			continue
		}
		doc, _ := document(t, text)
		_, loader := policy.Load("p", []byte(text))
		if schema := s.Validate(doc); loader == nil || schema == nil {
			t.Errorf("%q in place of %q: the loader says %v, the schema says %v", m[1], m[0], loader, schema)
		}
	}
	for _, line := range strings.Split(right, "\n") { // the schema refuses an unknown key in any mapping
		if i := strings.Index(line, "{"); i >= 0 && !strings.Contains(line, "{memberOf") {
			doc, _ := document(t, strings.Replace(right, line, strings.Replace(line, "{", "{unknown: 1, ", 1), 1))
			if s.Validate(doc) == nil {
				t.Errorf("an unknown key is accepted in %s", line)
			}
		}
	}
}

// TestSchemaAcceptsAlteredPolicies: the schema accepts what the loader accepts, in a policy that is altered at random.
func TestSchemaAcceptsAlteredPolicies(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	values := []string{"0", "1", "7.5", "-1", "3650", "true", "True", "\"true\"", "x", "a b", "~", "\"\"", "[]", "{}", "[a]", "remove", "user", "lost", "CN=X", "2027-03-01", "2027-03-01T1:00:00,5Z",
		"1e2", "0x10", "entra.hired", "newest(ad.created)", "{entra: X}", "{ad: \"CN=X\"}", "[{entra: X}]", "{sku: S}", "person", "[person, person]", "AAA", "{changeTo: f3}", "{remove: \"true\"}"}
	accepted := 0
	for range 1500 {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(right), &n); err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(2) {
			alter(r, n.Content[0], values)
		}
		text, err := yaml.Marshal(&n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Load("p", text); err != nil {
			continue
		}
		accepted++
		if doc, _ := document(t, string(text)); s.Validate(doc) != nil {
			t.Fatalf("seed %d: the loader accepts\n%s\nand the schema does not: %v", seed, text, s.Validate(doc))
		}
	}
	if accepted < 50 {
		t.Errorf("seed %d: the loader accepted only %d of the altered policies", seed, accepted)
	}
}

func alter(r *rand.Rand, n *yaml.Node, values []string) {
	for len(n.Content) > 0 {
		step := map[yaml.Kind]int{yaml.MappingNode: 2, yaml.SequenceNode: 1}[n.Kind]
		i := step * r.IntN(len(n.Content)/step)
		at := n.Content[i+step-1]
		switch {
		case len(at.Content) > 0 && r.IntN(4) > 0:
			n = at
			continue
		case r.IntN(2) == 0:
			n.Content = slices.Delete(n.Content, i, i+step)
		default:
			var v yaml.Node
			_ = yaml.Unmarshal([]byte(values[r.IntN(len(values))]), &v)
			n.Content[i+step-1] = v.Content[0]
		}
		return
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	t.Parallel()
	text, err := Of()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range policy.Keys {
		if k.Is == "" || k.LeftOut == "" {
			t.Errorf("%s is not described", k.Path)
		}
		told, _ := json.Marshal(k.Is)
		if !bytes.Contains(text, bytes.Trim(told, `"`)) {
			t.Errorf("the schema does not describe %s", k.Path)
		}
		if k.Example == "" && !slices.Contains([]policy.Shape{policy.ChoiceKey, policy.MappingKey, policy.MappingsKey}, k.Shape) {
			t.Errorf("%s has no example", k.Path)
		}
	}
	s := compiled(t)
	checked := 0
	for _, m := range examples(s) {
		checked++
		if err := m.schema.Validate(m.example); err != nil {
			t.Errorf("an example of the schema is refused: %v", err)
		}
	}
	if checked < 25 {
		t.Errorf("only %d examples were found", checked)
	}
	if !strings.Contains(pages.Read(t, "policy.md"), "# yaml-language-server: $schema=") {
		t.Error("docs/policy.md does not say how an editor finds the schema")
	}
}

type exampleOf struct {
	schema  *jsonschema.Schema
	example any
}

func examples(s *jsonschema.Schema) (list []exampleOf) {
	if s == nil {
		return nil
	}
	for _, e := range s.Examples {
		list = append(list, exampleOf{s, e})
	}
	var below []*jsonschema.Schema
	for _, p := range s.Properties {
		below = append(below, p)
	}
	below = append(below, s.AnyOf...)
	if more, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		below = append(below, more)
	}
	if s.Items2020 != nil {
		below = append(below, s.Items2020)
	}
	for _, b := range below {
		list = append(list, examples(b)...)
	}
	return list
}
