package policy

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// Report is the result of Test. Its cases are in the order of the file. A case fails if any of its expectations fails.
type Report struct {
	Passed []string // names of cases
	Failed []Failure
}

// Failure is an expectation that was not met.
type Failure struct {
	Case     string
	Line     int // line of the expectation in the file
	Rule     string
	Expected Outcome
	Got      Outcome
	Why      string // the reason of the actual outcome
}

// Test evaluates the policy for golden people: a YAML list of made-up cases, each with a person, a time and the
// expected outcome of rules. The error is of type Faults if the file is wrong.
//
// If the file gives no account in a directory, the person has none there. One case differs: with "synced: true" in the
// Entra account, an omitted account in Active Directory exists and was not found (directory.Missing). Texts and dates
// that the file omits have no value. Accounts are enabled unless the file says otherwise.
func Test(p *Policy, name string, data []byte) (Report, error) {
	r, root := open(name, data, false)
	if root == nil {
		return Report{}, r.faults
	}
	g := &golden{reader: r, policy: p}
	var cases []*goldenCase
	items := r.list(root, "a file of golden people")
	if root.Kind == yaml.SequenceNode && len(items) == 0 {
		r.fault(root, "there are no cases; write at least one")
	}
	seen := map[string]bool{}
	for _, item := range items {
		c := g.read(item)
		if c.name != "" && seen[c.name] {
			r.fault(item, "there are two cases named %q; give each its own name", c.name)
		}
		seen[c.name] = true
		cases = append(cases, c)
	}
	if len(r.faults) > 0 {
		r.faults.sort()
		return Report{}, r.faults
	}
	return p.try(cases)
}

type goldenCase struct {
	name   string
	now    time.Time
	person directory.Person
	expect []expectation
}

type expectation struct {
	line    int
	rule    *Rule
	outcome Outcome
}

type golden struct {
	*reader
	policy *Policy
	now    time.Time // the time of the current case
}

func goldenSKU(partNumber string) string { return "sku of " + partNumber }

func (p *Policy) try(cases []*goldenCase) (Report, error) {
	skus := map[string]string{}
	for _, part := range p.SKUs() {
		skus[part] = goldenSKU(part)
	}
	var report Report
	for _, c := range cases {
		j, err := p.NewJudge(skus, c.now)
		if err != nil {
			return Report{}, err
		}
		before := len(report.Failed)
		for _, e := range c.expect {
			v := j.Ask(e.rule, &c.person)
			if v.Outcome != e.outcome {
				report.Failed = append(report.Failed, Failure{Case: c.name, Line: e.line, Rule: e.rule.Name,
					Expected: e.outcome, Got: v.Outcome, Why: j.Reason(e.rule, &c.person, v)})
			}
		}
		if len(report.Failed) == before {
			report.Passed = append(report.Passed, c.name)
		}
	}
	return report, nil
}

func (g *golden) read(n *yaml.Node) *goldenCase {
	c := &goldenCase{}
	o := g.object(n, "a case", "name", "now", "person", "expect")
	o.required("name", "what the case shows")
	c.name = o.text("name")
	if now := o.required("now", "the instant at which the rules are asked"); now != nil {
		c.now, _ = g.date(now, "now")
		g.now = c.now
	}
	if person := o.required("person", "{entra: {…}, ad: {…}, licenses: […], groups: […]}"); person != nil {
		g.person(person, &c.person)
	}
	if expect := o.required("expect", "{RULE: keep}"); expect != nil {
		c.expect = g.expectations(expect)
	}
	return c
}

func (g *golden) expectations(n *yaml.Node) []expectation {
	var list []expectation
	for _, e := range g.entries(n, "expect") {
		rule := g.policy.RuleNamed(e.key.Value)
		if rule == nil {
			g.fault(e.key, "the policy has no rule %q%s", e.key.Value, didYouMean(e.key.Value, g.policy.ruleNames()))
		}
		word, ok := g.text(e.value, "the expected outcome")
		var outcome Outcome
		if ok && outcome.UnmarshalText([]byte(word)) != nil {
			g.fault(e.value, "an outcome is keep, reclaim, undecided, exempt or notHolder, not %q%s", word, didYouMean(word, outcomes[:]))
		}
		list = append(list, expectation{e.key.Line, rule, outcome})
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		g.fault(n, "expect is empty; name at least one rule")
	}
	return list
}

func (g *golden) person(n *yaml.Node, p *directory.Person) {
	o := g.object(n, "person", "entra", "ad", "reports", "licenses", "groups")
	entra, ad := o.fields["entra"], o.fields["ad"]
	p.EntraState = g.presence(entra, "entra")
	p.ADState = g.presence(ad, "ad")
	if p.EntraState == directory.Present {
		// If the person has an account in each directory, the Entra account is synced.
		p.Entra = &directory.EntraUser{ID: "golden", Enabled: directory.Yes, Synced: p.ADState == directory.Present}
		fill(g.reader, entra, "entra", entraSetters, p.Entra)
	}
	if p.ADState == directory.Present {
		p.AD = &directory.ADUser{SID: "golden", Enabled: directory.Yes}
		fill(g.reader, ad, "ad", adSetters, p.AD)
	}
	if ad == nil && p.Entra != nil && p.Entra.Synced {
		p.ADState = directory.Missing
	}
	if p.ADState == directory.Missing {
		p.Doubt = "synced from Active Directory, but no account was found there"
	}
	if o.fields["reports"] != nil {
		g.reports(o.fields["reports"], p)
	}
	if o.fields["licenses"] != nil {
		g.licenses(o.fields["licenses"], p)
	}
	if o.fields["groups"] != nil {
		g.groups(o.fields["groups"], p)
	}
	if n.Kind == yaml.MappingNode && entra == nil && ad == nil {
		g.fault(n, "person has neither entra nor ad; give at least one")
	}
}

// The method "presence" reads whether a person has an account. The result is NoAccount for a nil node and for the word
// "absent". It is Present for a mapping of the account's fields. It is Missing or NotRead for the words "missing" and
// "notRead". Any other value is a fault.
func (g *golden) presence(n *yaml.Node, account string) directory.Presence {
	switch {
	case n == nil:
		return directory.NoAccount
	case n.Kind == yaml.MappingNode:
		return directory.Present
	case n.Value == "absent":
		return directory.NoAccount
	case n.Value == "missing":
		return directory.Missing
	case n.Value != "notRead":
		g.fault(n, "%s must be the account's fields, absent, missing or notRead, not %s", account, shown(n))
	}
	return directory.NotRead
}

func (g *golden) licenses(n *yaml.Node, p *directory.Person) {
	for _, item := range g.list(n, "licenses") {
		name, since, ok := g.held(item)
		if !ok {
			continue
		}
		license := g.policy.LicenseNamed(name)
		switch {
		case license == nil:
			g.fault(item, "the policy has no license %q%s", name, didYouMean(name, g.policy.licenseNames()))
		case license.memberOfEntra() && p.Entra == nil:
			g.fault(item, "license %s is held in Entra, and the person has no account there", name)
		case license.holders != nil:
			p.Memberships = append(p.Memberships, license.holders.key)
			if past := p.Past(license.holders.Ref.Source); past != nil && since.After(longAgo) {
				past.MemberOf(license.holders.key, since)
			}
		case p.Entra == nil:
			g.fault(item, "license %s is held in Entra, and the person has no account there", name)
		default:
			p.Entra.Assignments = append(p.Entra.Assignments, directory.Assignment{SKU: goldenSKU(license.SKU), State: "Active", Updated: since})
		}
	}
}

var longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// The method "held" reads a license in one of two forms. For a name alone, the result "since" is longAgo. For {name:
// NAME, since: DATE}, it is the date, or zero for the word notRead in place of a date.
func (g *golden) held(n *yaml.Node) (name string, since time.Time, ok bool) {
	if n.Kind != yaml.MappingNode {
		name, ok = g.text(n, "a license")
		return name, longAgo, ok
	}
	o := g.object(n, "a license", "name", "since")
	if o.required("name", "a license of the policy") == nil {
		return "", since, false
	}
	if at := o.required("since", "the day on which it was given, or notRead"); at != nil && at.Value != "notRead" {
		since, _ = g.date(at, "since")
	}
	return o.text("name"), since, true
}

func (g *golden) groups(n *yaml.Node, p *directory.Person) {
	for _, item := range g.list(n, "groups") {
		ref, ok := g.groupRef(item, "a group")
		if !ok {
			continue
		}
		key := ref.Key(false)
		asked := slices.ContainsFunc(g.policy.MemberQueries(), func(q directory.Question) bool { return q.Key() == key })
		if !asked {
			g.fault(item, "the policy does not ask for members of %s", ref)
		}
		p.Memberships = append(p.Memberships, key)
	}
}

type setter[T any] func(*reader, *yaml.Node, *T)

func fill[T any](r *reader, n *yaml.Node, what string, setters map[string]setter[T], account *T) {
	o := r.object(n, what, slices.Sorted(maps.Keys(setters))...)
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		setters[name](r, o.fields[name], account)
	}
}

func (r *reader) instant(n *yaml.Node, dst *time.Time) { *dst, _ = r.date(n, "the value") }

// The method "word" reads a text, which may be empty.
func (r *reader) word(n *yaml.Node, dst *string) {
	if n.ShortTag() == "!!str" && strings.TrimSpace(n.Value) == "" {
		return
	}
	*dst, _ = r.text(n, "the value")
}
