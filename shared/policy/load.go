package policy

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// Load reads and compiles a policy file. Its messages refer to the file by name. If the file is wrong, the error is of
// type Faults and lists all faults.
func Load(name string, data []byte) (*Policy, error) { return recent.load(name, data, false) }

// LoadKept is Load for a policy that was accepted before and that a run stored. It also accepts content that this
// version of idleseat rejects, because apply must finish or roll back the changes that the run began.
func LoadKept(name string, data []byte) (*Policy, error) { return recent.load(name, data, true) }

// InAudit reports whether a text is a policy in mode audit. It returns false for a text that is no policy.
func InAudit(text string) bool {
	p, err := Load("the policy in force", []byte(text))
	return err == nil && p.Mode == Audit
}

func compiled(name string, data []byte, kept bool) (*Policy, error) {
	r, root := open(name, data, kept)
	if root == nil {
		return nil, r.faults
	}
	all, mapped := builtinAttributes()
	l := &loader{reader: r, kept: kept, policy: &Policy{
		Mode: Audit, Currency: "USD", Kinds: []string{directory.KindPerson}, attributes: all, mapped: mapped,
		Limits: Limits{StopAbovePercent: 10, StopAboveCount: 500, PerRun: 200},
	}}
	if err := l.load(root); err != nil {
		return nil, err
	}
	if len(r.faults) > 0 {
		r.faults.sort()
		return nil, r.faults
	}
	l.policy.groups = inOrder(l.named)
	return l.policy, nil
}

type loader struct {
	*reader
	policy *Policy
	kept   bool
	named  []located // every group, in the order of reading
}

func (l *loader) load(root *yaml.Node) error {
	top := l.section(root, "the policy", "")
	l.header(top)
	if n := top.fields["attributes"]; n != nil {
		if err := l.attributes(n); err != nil {
			return err
		}
	}
	compiler, err := newCompiler(l.reader, l.policy)
	if err != nil {
		return err
	}
	compiler.kept = l.kept
	if n := top.required("licenses", `the products to watch, as "licenses: {m365-e3: {sku: SPE_E3}}"`); n != nil {
		l.licenses(n)
	}
	if n := top.fields["grace"]; n != nil {
		grace := l.section(n, "grace", "grace")
		grace.count("neverSignedIn", "grace.neverSignedIn", &l.policy.Grace.NeverSignedIn)
		grace.count("newHolder", "grace.newHolder", &l.policy.Grace.NewHolder)
		grace.count("enabledAgain", "grace.enabledAgain", &l.policy.Grace.EnabledAgain)
	}
	if n := top.fields["kinds"]; n != nil {
		l.kinds(n)
	}
	if n := top.fields["anchor"]; n != nil {
		l.anchor(n)
	}
	if n := top.fields["exempt"]; n != nil {
		l.exempt(n, compiler)
	}
	if n := top.fields["limits"]; n != nil {
		l.limits(n)
	}
	if n := top.fields["notices"]; n != nil {
		l.notices(n)
	}
	if n := top.required("rules", "at least one rule"); n != nil {
		l.rules(n, compiler)
	}
	return nil
}

var (
	guid     = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
)

func (l *loader) header(top object) {
	if n := top.required("tenant", "the tenant's id, a GUID"); n != nil {
		if id, ok := l.text(n, "tenant"); ok {
			l.policy.Tenant = strings.ToLower(id)
			if !guid.MatchString(l.policy.Tenant) {
				l.fault(n, "tenant must be the tenant's id, like 11111111-2222-3333-4444-555555555555, not %s; Entra ID shows the id on its overview page", shown(n))
			}
		}
	}
	if n := top.fields["mode"]; n != nil {
		words := top.key("mode").Words
		if mode, ok := l.text(n, "mode"); ok {
			if !slices.Contains(words, mode) {
				l.fault(n, "mode must be audit, review or enforce, not %q%s", mode, didYouMean(mode, words))
			}
			l.policy.Mode = Mode(mode)
		}
	}
	if n := top.fields["currency"]; n != nil {
		if code, ok := l.text(n, "currency"); ok {
			if !currency.MatchString(code) {
				l.fault(n, "currency must be three capital letters like USD, not %q", code)
			}
			l.policy.Currency = code
		}
	}
}

func (l *loader) kinds(n *yaml.Node) {
	l.policy.Kinds = nil
	for _, item := range l.list(n, "kinds") {
		if word, ok := l.text(item, "a kind"); ok {
			if !slices.Contains(directory.AccountKinds, word) {
				l.fault(item, "there is no kind %q of accounts%s; the kinds are %s", word, didYouMean(word, directory.AccountKinds), strings.Join(directory.AccountKinds, ", "))
			}
			l.policy.Kinds = append(l.policy.Kinds, word)
		}
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		l.fault(n, "kinds is empty, so that no rule would ask about anybody; write kinds: [person]")
	}
}

func (l *loader) anchor(n *yaml.Node) {
	name, ok := l.text(n, "the anchor")
	if known := directory.Anchors(); ok && !slices.Contains(known, name) {
		l.fault(n, "%q is no anchor that is known%s; it is one of %s, or is left out for objectGUID and mS-DS-ConsistencyGuid alike", name, didYouMean(name, known), strings.Join(known, ", "))
	}
	l.policy.Anchor = directory.Anchor(name)
}

func (l *loader) limits(n *yaml.Node) {
	limits := l.section(n, "limits", "limits")
	if l.kept { // earlier versions allowed a higher number
		l.count(limits.fields["perRun"], "limits.perRun", 1, mostSeats, &l.policy.Limits.PerRun)
	} else {
		limits.count("perRun", "limits.perRun", &l.policy.Limits.PerRun)
	}
	if n := limits.fields["stopAbove"]; n != nil {
		stop := l.section(n, "limits.stopAbove", "limits.stopAbove")
		stop.number("percent", "limits.stopAbove.percent", &l.policy.Limits.StopAbovePercent)
		stop.count("count", "limits.stopAbove.count", &l.policy.Limits.StopAboveCount)
	}
}

// The method "attributes" reads the section "attributes" of a policy file. It puts into Policy.mapped first the
// attributes of the file, and then the default attributes whose names the file does not use.
func (l *loader) attributes(n *yaml.Node) error {
	env, err := language()
	if err != nil {
		return err
	}
	var own []*attribute
	for _, e := range l.entries(n, "attributes") {
		if fault := nameFault(env, e.key.Value); fault != "" {
			l.fault(e.key, "%s", fault)
			continue
		}
		a := l.attribute(e.key.Value, e.value)
		if a == nil {
			continue
		}
		if a.name == "created" && a.kind != directory.Date {
			l.fault(e.value, "created must be mapped to a date, since grace rests on it")
		}
		l.policy.attributes[a.name] = a
		own = append(own, a)
	}
	for _, a := range l.policy.mapped {
		if l.policy.attributes[a.name] == a {
			own = append(own, a)
		}
	}
	l.policy.mapped = own
	return nil
}

func (l *loader) attribute(name string, n *yaml.Node) *attribute {
	if n.Kind == yaml.MappingNode {
		o := l.section(n, "attribute "+name, "attributes.NAME")
		if g := o.required("memberOf", "a field name, or {memberOf: {entra: NAME}}"); g != nil {
			if ref, ok := l.group(g, "memberOf"); ok {
				return groupAttribute(name, newMemberQuery(ref, false))
			}
		}
		return nil
	}
	source, ok := l.text(n, "attribute "+name)
	if !ok {
		return nil
	}
	a, fault := parseMapping(name, strings.TrimSpace(source))
	if fault != "" {
		l.fault(n, "attribute %s: %s", name, fault)
		return nil
	}
	return a
}

func (l *loader) group(n *yaml.Node, what string) (directory.GroupRef, bool) {
	ref, ok := l.groupRef(n, what)
	if ok {
		l.named = append(l.named, located{ref, n.Line, n.Column})
	}
	return ref, ok
}

func (r *reader) groupRef(n *yaml.Node, what string) (directory.GroupRef, bool) {
	before := len(r.faults)
	if n.ShortTag() == "!!str" {
		r.fault(n, `%s must say in which directory the group is: {entra: %s}, or {ad: "DISTINGUISHED NAME"}`, what, n.Value)
		return directory.GroupRef{}, false
	}
	o := r.section(n, what, "GROUP")
	entra, ad := o.text("entra"), o.text("ad")
	switch {
	case len(r.faults) > before:
	case (entra == "") == (ad == ""):
		r.fault(n, `%s must name one group: {entra: NAME} or {ad: "DISTINGUISHED NAME"}`, what)
	case entra != "":
		return directory.GroupRef{Source: directory.Entra, Name: entra}, true
	case !strings.Contains(ad, "="):
		r.fault(o.fields["ad"], `%s must give the distinguished name, like "CN=Citrix Users,OU=Licenses,DC=corp,DC=example", not %q`, what, ad)
	default:
		return directory.GroupRef{Source: directory.AD, Name: ad}, true
	}
	return directory.GroupRef{}, false
}
