package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// The variable "answers" has the results of conditions for a person who exists only in Active Directory: "true",
// "false", "unknown" or "error". All values in Entra ID are unknown. An empty result means that Load rejects the
// condition.
var answers = []struct{ expr, want string }{
	{`seen.hasValue()`, "true"},
	{`seen.hasNoValue()`, "false"},
	{`seen.value() == timestamp("2026-11-13T12:00:00Z")`, "true"},
	{`seen.earlierThan(now - days(10))`, "false"},
	{`seen.earlierThan(now - days(10) + duration("1ns"))`, "true"},
	{`seen.laterThan(now - days(10))`, "false"},
	{`seen.laterThan(now - days(10) - duration("1ns"))`, "true"},
	{`born.hasValue()`, "false"},
	{`born.hasNoValue()`, "true"},
	{`born.earlierThan(now)`, "false"},
	{`born.laterThan(now)`, "false"},
	{`born.value() < now`, "error"},
	{`seen.optMap(x, x < now).orValue(false)`, "true"},
	{`born.orValue(timestamp("2020-01-01T00:00:00Z")) < now`, "true"},
	{`seen.earlierThan(born.value())`, "error"},
	{`seen > optional.none()`, ""},
	// An unknown operand makes member functions, operators, ternaries and lists unknown.
	{`signIn.earlierThan(now)`, "unknown"},
	{`signIn.laterThan(now)`, "unknown"},
	{`signIn.hasValue()`, "unknown"},
	{`signIn.hasNoValue()`, "unknown"},
	{`signIn.value() < now`, "unknown"},
	{`seen.earlierThan(signIn.value())`, "unknown"},
	{`signIn == seen`, "unknown"},
	{`signIn.optMap(x, x < now).orValue(true)`, "unknown"},
	{`signIn.orValue(now) == now`, "unknown"},
	{`!accountEnabled`, "unknown"},
	{`department == "Sales"`, "unknown"},
	{`department != "Sales"`, "unknown"},
	{`"Sales" == department`, "unknown"},
	{`department.startsWith("S")`, "unknown"},
	{`department in ["Sales", "IT"]`, "unknown"},
	{`"IT" in [department, "IT"]`, "unknown"},
	{`accountEnabled ? true : true`, "unknown"},
	{`seen.hasValue() ? accountEnabled : true`, "unknown"},
	{`seen.hasValue() ? true : accountEnabled`, "true"},
	{`["a", "b"].exists(x, department == x)`, "unknown"},
	{`["a", "b"].all(x, x < "c" || department == x)`, "true"},
	// An unknown operand has no effect if another one settles the result.
	{`accountEnabled && true`, "unknown"},
	{`true && accountEnabled`, "unknown"},
	{`accountEnabled && false`, "false"},
	{`false && accountEnabled`, "false"},
	{`accountEnabled || true`, "true"},
	{`true || accountEnabled`, "true"},
	{`accountEnabled || false`, "unknown"},
	{`accountEnabled || !accountEnabled`, "unknown"},
	// An operand with an error has no effect if another one settles the result. Unknown takes precedence over an error.
	{`born.value() < now || true`, "true"},
	{`true || born.value() < now`, "true"},
	{`born.value() < now && false`, "false"},
	{`born.value() < now || false`, "error"},
	{`born.value() < now || accountEnabled`, "unknown"},
	{`accountEnabled && born.value() < now`, "unknown"},
	{`1 / 0 == 1`, "error"},
	{`adDepartment == "Sales"`, "true"},
	{`adDepartment != "Sales"`, "false"},
	{`title == ""`, "true"},
	{`adEnabled`, "true"},
	{`member`, "true"},
	{`adDepartment.matches("^S")`, "true"},
	{`adDepartment.matches("^\\w+$")`, "true"}, // \w keeps its letter case
	{`["^x$"].exists(r, adDepartment.matches(r))`, "false"},
}

const answersPolicy = `
attributes:
  signIn: entra.lastActivity
  seen: ad.lastLogonTimestamp
  born: ad.created
  adDepartment: ad.department
  title: ad.title
  adEnabled: ad.accountEnabled
  member: {memberOf: {ad: CN=Staff}}
licenses: {l: {sku: SPE_E3}}
rules:
  - name: r
    license: l
    then: remove
    when: %s
`

func adOnly() *directory.Person {
	return &directory.Person{
		ADState: directory.Present,
		AD: &directory.ADUser{SID: "S-1", Department: "Sales", Enabled: directory.Yes,
			LastLogonTimestamp: noon.Add(-10 * day)},
		Memberships: []string{"ad:cn=staff"},
	}
}

type byName struct {
	policy *Policy
	person *directory.Person
}

func (b byName) ResolveName(name string) (any, bool) {
	if name == "now" {
		return types.Timestamp{Time: noon}, true
	}
	a := b.policy.variable(name)
	if a == nil {
		return nil, false
	}
	return a.celValue(b.person), true
}

func (byName) Parent() cel.Activation { return nil }

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range answers {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			p, err := LoadKept("p", []byte("tenant: 11111111-2222-3333-4444-555555555555\n"+fmt.Sprintf(answersPolicy, "|\n      "+tt.expr)))
			if tt.want == "" {
				if err == nil {
					t.Error("the condition was accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			ours, plain := bothWays(t, p, p.Rules[0].when, adOnly())
			if ours != tt.want || plain != tt.want {
				t.Errorf("the Judge says %s, CEL says %s, want %s", ours, plain, tt.want)
			}
		})
	}
}

func bothWays(t *testing.T, p *Policy, c *condition, who *directory.Person) (ours, plain string) {
	t.Helper()
	flag, value := judge(t, p, noon).eval(c, who)
	out, _, _ := plainProgram(t, c).Eval(byName{p, who})
	return answerWord(flag, value), answerWord(directory.Unset, out)
}

func plainProgram(t *testing.T, c *condition) cel.Program {
	t.Helper()
	program, err := c.env.Program(c.checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// FuzzCondition: the Judge evaluates a condition with a program of its own. Its result must equal that of plain CEL.
func FuzzCondition(f *testing.F) {
	for _, a := range answers {
		f.Add(a.expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		p := load(t, fmt.Sprintf(answersPolicy, "'true'"))
		c, err := newCompiler(&reader{name: "p", lines: strings.Split(expr, "\n")}, p)
		if err != nil {
			t.Fatal(err)
		}
		cond := c.compile(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: expr, Line: 1, Column: 1}, "when")
		if cond == nil {
			if len(c.faults) == 0 {
				t.Fatal("neither a condition nor a fault")
			}
			return
		}
		for _, who := range []*directory.Person{adOnly(), employee(), {}} {
			if ours, plain := bothWays(t, p, cond, who); ours != plain {
				t.Errorf("the Judge says %s, CEL says %s", ours, plain)
			}
		}
	})
}

func answerWord(flag directory.Flag, value any) string {
	switch v := value.(type) {
	case nil:
		return map[directory.Flag]string{directory.Yes: "true", directory.No: "false"}[flag]
	case types.Bool:
		return fmt.Sprint(bool(v))
	case *types.Unknown:
		return "unknown"
	case *types.Err:
		return "error"
	}
	return fmt.Sprintf("%T", value)
}

func TestNewest(t *testing.T) {
	t.Parallel()
	old, young := noon.Add(-9*day), noon.Add(-day)
	const cloudOnly = directory.Presence(255) // means an account that is Present and not synced
	const mapping = "newest(entra.created, ad.created)"
	tests := []struct {
		name      string
		entra, ad directory.Presence
		entraDate bool
		adDate    bool
		want      string
	}{
		{"both", directory.Present, directory.Present, true, true, "2026-11-22T12:00:00Z"},
		{"one date", directory.Present, directory.Present, true, false, "2026-11-14T12:00:00Z"},
		{"no date", directory.Present, directory.Present, false, false, "no value"},
		{"no AD account", directory.Present, directory.NoAccount, true, false, "2026-11-14T12:00:00Z"},
		{"no Entra account and no date", directory.NoAccount, directory.Present, false, false, "no value"},
		{"no account at all", directory.NoAccount, directory.NoAccount, false, false, "no account"},
		{"AD not read", directory.Present, directory.NotRead, true, false, "not read"},
		{"AD not read, cloud-only", cloudOnly, directory.NotRead, true, false, "2026-11-14T12:00:00Z"},
		{"AD account missing", directory.Present, directory.Missing, true, false, "not read"},
		{"the accounts contradict", directory.Present, directory.Contradictory, true, true, "not read"},
		{"Entra not read", directory.NotRead, directory.Present, false, true, "not read"},
	}
	a, fault := parseMapping("created", mapping)
	if fault != "" {
		t.Fatal(fault)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &directory.Person{EntraState: tt.entra, ADState: tt.ad, Entra: &directory.EntraUser{Synced: true}, AD: &directory.ADUser{}}
			if tt.entra == cloudOnly {
				p.EntraState, p.Entra.Synced = directory.Present, false
			}
			if tt.entraDate {
				p.Entra.Created = old
			}
			if tt.adDate {
				p.AD.Created = young
			}
			want := Evidence{Attribute: "created", Field: mapping, Value: tt.want}
			if diff := cmp.Diff(want, a.evidence(p)); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
		})
	}
}

// The function "later" returns the later of two dates. The result is "no value" only if neither has a value. Its field
// Through says how far the reports reach, so it comes from the report that ends first.
func TestLater(t *testing.T) {
	t.Parallel()
	old, young, never := noon.Add(-200*day), noon.Add(-10*day), time.Time{}
	horizon, first, last := noon.Add(-182*day), noon.Add(-3*day), noon.Add(-2*day)
	value := func(state directory.Knowledge, at, through time.Time) directory.Value {
		return directory.Value{State: state, Time: at, Through: through}
	}
	const known, none, since = directory.Known, directory.None, directory.NoneSince
	for name, tc := range map[string]struct{ a, b, want directory.Value }{
		"two dates":                         {value(known, old, never), value(known, young, never), value(known, young, never)},
		"a date and none":                   {value(known, old, never), value(none, never, never), value(known, old, never)},
		"a date, and none in a report":      {value(known, old, never), value(none, horizon, last), value(known, old, last)},
		"none, and none in a report":        {value(none, never, never), value(none, horizon, last), value(none, horizon, last)},
		"two reports without a date":        {value(since, horizon, first), value(since, horizon.Add(day), last), value(since, horizon.Add(day), first)},
		"a report without a date, and none": {value(since, horizon, last), value(none, never, never), value(since, horizon, last)},
		"none since then, an older date":    {value(since, horizon, last), value(known, old, never), value(known, horizon, last)},
		"none since then, a newer date":     {value(since, horizon, last), value(known, young, never), value(known, young, last)},
		"dates of two reports":              {value(known, old, first), value(known, young, last), value(known, young, first)},
		"the newer report has the old date": {value(known, old, last), value(known, young, first), value(known, young, first)},
		"two reports that end on one day":   {value(known, old, last), value(known, young, last), value(known, young, last)},
	} {
		for _, pair := range [][2]directory.Value{{tc.a, tc.b}, {tc.b, tc.a}} {
			got := later(pair[0], pair[1])
			if tc.want.State == none {
				got.Time = tc.want.Time // "no value" has no time that anybody reads
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("%s, %s first (-want +got):\n%s", name, pair[0].Time, d)
			}
		}
	}
}
