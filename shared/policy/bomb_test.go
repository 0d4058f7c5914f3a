package policy

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// The variable "bombs" has files for which a reader without limits would need much memory or time.
var bombs = map[string]struct {
	text string
	want string // part of the message
}{
	"billion laughs":                   {lol(10, 10), "anchor"},
	"deep lists":                       {"rules: " + strings.Repeat("[", 400_000), "not YAML"},
	"deep lists closed":                {"rules: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "must be"},
	"deep mappings":                    {deepMapping(1200), "unknown key"},
	"deep flow":                        {"rules: " + strings.Repeat("{a: ", 250_000), "not YAML"},
	"a huge scalar":                    {"tenant: " + strings.Repeat("a", 1_000_000), "tenant"},
	"a huge key":                       {strings.Repeat("a", 1_000_000) + ": 1", "not YAML"},
	"a huge file":                      {strings.Repeat("# nothing\n", 200_000), "at most"},
	"many keys":                        {lines(80_000, "k%d: 1"), "at most 1000 keys"},
	"many rules":                       {right + lines(9_000, "  - {name: r%d, license: m365-e3, when: accountEnabled, then: {changeTo: exchange-online}}"), "rules"},
	"many wrong rules":                 {right + lines(20_000, "  - {name: r%d, licence: x}"), "at most 10000"},
	"many licenses":                    {"licenses:\n" + lines(20_000, "  l%d: {sku: s%[1]d}"), "at most 1000 keys"},
	"many attributes":                  {"attributes:\n" + lines(20_000, "  a%d: entra.department"), "at most 1000 keys"},
	"many exempt users":                {"exempt:\n  users:\n" + lines(30_000, "    - user%d@x.example"), "at most 10000"},
	"many groups":                      {"exempt:\n  groups:\n" + lines(20_000, "    - {entra: G%d}"), "at most 10000"},
	"a huge condition":                 {when(strings.Repeat("accountEnabled && ", 40_000) + "true"), "exceeds"},
	"deep parentheses":                 {when(strings.Repeat("(", 4000) + "true" + strings.Repeat(")", 4000)), "recursion limit"},
	"deep negation":                    {when(strings.Repeat("!", 5000) + "true"), ""},
	"nested loops":                     {when(loops(5)), "steps for one person"},
	"nested lists":                     {when(strings.Repeat("[", 200) + "1" + strings.Repeat("]", 200) + " == []"), "recursion limit"},
	"nested lists, as deep as allowed": {when(strings.TrimSuffix(strings.Repeat(strings.Repeat("[", 20)+"1"+strings.Repeat("]", 20)+" == [] || ", 180), " || ")), ""},
	"a text that doubles":              {when(doubled(9)), "steps for one person"},
	"a bad pattern":                    {when(`department.matches("^(a+)+$")`), ""},
	"a long pattern":                   {when(`department.matches("^(` + strings.Repeat("a?", 3000) + `)$")`), "256 are allowed"},
	"a repeated pattern":               {when(`department.matches("^((((a{1,100}){1,100}){1,100}){1,100})$")`), "is too large"},
	"many patterns":                    {when(strings.TrimSuffix(strings.Repeat(`department.matches("^(a|b){1,30}$") || `, 200), " || ")), "steps for one person"},
}

func lol(levels, width int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [" + strings.TrimSuffix(strings.Repeat("lol,", width), ",") + "]\n")
	for n := range levels {
		fmt.Fprintf(&b, "a%d: &a%[1]d [%s]\n", n+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", n), width), ","))
	}
	return b.String()
}

func deepMapping(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}

func when(condition string) string {
	return strings.Replace(right, "AzureAdSistaLogon.hasNoValue()", "|\n      "+condition, 1)
}

func loops(n int) string {
	list := "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"
	text := "true"
	for i := range n {
		text = fmt.Sprintf("%s.all(x%d, %s)", list, i, text)
	}
	return text
}

func doubled(n int) string {
	text := "department"
	for range n {
		text = "[" + text + "].map(s, s + s)[0]"
	}
	return text + ` == ""`
}

// TestBombs loads files that are made to need much memory or time. Load must report a fault with its line, or the
// conditions must be cheap to evaluate. The test measures the allocated memory, which grows with the work, so it needs
// no clock.
func TestBombs(t *testing.T) {
	const mostMemory, mostMessage = 64 << 20, 64 << 10
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, err := Load("p.yaml", []byte(bomb.text))
			runtime.ReadMemStats(&after)
			if asked := after.TotalAlloc - before.TotalAlloc; asked > mostMemory {
				t.Errorf("reading %d bytes asked for %d MiB", len(bomb.text), asked>>20)
			}
			var faults Faults
			switch {
			case bomb.want == "" && err == nil:
				cheap(t, p)
			case bomb.want == "" || !errors.As(err, &faults) || len(faults) == 0:
				t.Errorf("error %.300v", err)
			case !strings.Contains(err.Error(), bomb.want) || faults[0].Line < 1 || len(err.Error()) > mostMessage:
				t.Errorf("%d bytes of message: %.300v; want %q", len(err.Error()), err, bomb.want)
			}
		})
	}
}

// The function "cheap" evaluates the conditions for a person with the longest values, and counts the steps as CEL does.
func cheap(t *testing.T, p *Policy) {
	t.Helper()
	text := types.String(strings.Repeat("a", maxText))
	for _, c := range p.conditions {
		program, err := c.env.Program(c.checked, cel.EvalOptions(cel.OptTrackCost), cel.CostLimit(maxCost))
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]any{"now": noon}
		for name, a := range p.attributes {
			switch {
			case a.celType().IsExactType(cel.StringType):
				values[name] = text
			case a.celType().IsExactType(cel.BoolType):
				values[name] = types.True
			default:
				values[name] = types.OptionalOf(types.Timestamp{Time: noon})
			}
		}
		if _, details, err := program.Eval(values); err != nil || details.ActualCost() == nil || *details.ActualCost() > maxCost {
			t.Errorf("%.100s: %v, %v", c.source, err, details)
		}
	}
}
