package policy

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

func (l *loader) licenses(n *yaml.Node) {
	list := l.entries(n, "licenses")
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		l.fault(n, "licenses is empty; name at least one")
	}
	for _, e := range list {
		license := l.license(e)
		license.index = len(l.policy.Licenses)
		l.policy.Licenses = append(l.policy.Licenses, license)
	}
}

// license reads one license. It keeps even a faulty license, because otherwise every rule that names the license would
// be reported as faulty too.
func (l *loader) license(e entry) *License {
	before := len(l.faults)
	o := l.section(e.value, "license "+e.key.Value, "licenses.NAME")
	license := &License{Name: e.key.Value, SKU: o.text("sku")}
	if id := strings.ToLower(license.SKU); guid.MatchString(id) {
		license.SKU = id // in the form that Graph uses
	}
	o.number("monthlyPrice", "monthlyPrice", &license.MonthlyPrice)
	o.count("keepSeats", "keepSeats", &license.KeepSeats)
	o.number("mailboxQuota", "mailboxQuota", &license.MailboxQuota)
	if n := o.fields["model"]; n != nil {
		words := o.key("model").Words
		if word, ok := l.text(n, "model"); ok {
			if !slices.Contains(words, word) {
				l.fault(n, "model must be user, device or concurrent, not %q", word)
			}
			license.Model = Model(word)
		}
	}
	if n := o.fields["renews"]; n != nil {
		license.Renews = l.renewal(n)
	}
	if n := o.fields["needs"]; n != nil {
		for _, item := range l.list(n, "needs") {
			if name, ok := l.text(item, "a service plan"); ok {
				license.Needs = append(license.Needs, name)
			}
		}
	}
	l.groupsOf(o, license)
	l.licenseName(e.key)
	l.sameProduct(e.value, license)
	inAD := slices.ContainsFunc(license.Groups(), func(ref directory.GroupRef) bool { return ref.Source == directory.AD })
	switch {
	case len(l.faults) > before:
	case license.SKU == "" && license.Group == nil:
		l.fault(e.value, `license %s needs "sku: PART_NUMBER", or "group: {ad: …}" or "group: {entra: …}" when membership of the group is the license`, license.Name)
	case inAD && len(license.More) > 0:
		l.fault(e.value, "license %s has several groups, and one of them is of Active Directory; name groups of Entra ID, or that one alone", license.Name)
	case license.SKU != "" && license.Model != "":
		l.fault(e.value, "license %s has a sku, whose seats are people's; leave model out", license.Name)
	case license.SKU == "" && inAD && (license.KeepSeats > 0 || license.MailboxQuota > 0 || len(license.Needs) > 0):
		l.fault(e.value, "license %s is a group of Active Directory, of which neither seats nor mailboxes nor service plans are known; leave keepSeats, mailboxQuota and needs out", license.Name)
	case license.SKU == "" && (license.KeepSeats > 0 || license.MailboxQuota > 0 || len(license.Needs) > 0):
		l.fault(e.value, "license %s has no sku, so that membership of its group is the license, of which neither seats nor mailboxes nor service plans are known; leave keepSeats, mailboxQuota and needs out, or name the sku", license.Name)
	}
	if license.SKU == "" && license.Group != nil {
		q := newMemberQuery(*license.Group, true)
		license.holders = &q
	}
	return license
}

// groupsOf reads the groups that give a license.
func (l *loader) groupsOf(o object, license *License) {
	nodes := []*yaml.Node{}
	if g := o.fields["group"]; g != nil {
		nodes = append(nodes, g)
	}
	if list := o.fields["groups"]; list != nil {
		nodes = append(nodes, l.list(list, "groups of license "+license.Name)...)
		switch {
		case o.fields["group"] != nil:
			l.fault(list, "license %s has group and groups; write one of them", license.Name)
		case list.Kind == yaml.SequenceNode && len(list.Content) == 0:
			l.fault(list, "groups of license %s is empty; name the groups that give it, or leave it out", license.Name)
		case license.SKU == "":
			l.fault(list, "license %s has several groups and no sku; name the product as sku, or give each group a license of its own", license.Name)
		}
	}
	for _, n := range nodes {
		ref, ok := l.group(n, "group of license "+license.Name)
		if !ok {
			continue
		}
		switch same := func(known directory.GroupRef) bool { return known.Key(false) == ref.Key(false) }; {
		case license.Group == nil:
			license.Group = &ref
		case slices.ContainsFunc(license.Groups(), same):
			l.fault(n, "license %s names the group %s twice", license.Name, ref)
		default:
			license.More = append(license.More, ref)
		}
	}
}

// licenseNames matches names of licenses. The names are used in keys of stored objects.
var licenseNames = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)

func (l *loader) licenseName(n *yaml.Node) {
	if !licenseNames.MatchString(n.Value) {
		l.fault(n, "license name %.80q: use 1 to 64 letters, digits, dots, dashes and underscores, with a letter or digit at both ends", n.Value)
	}
	for _, other := range l.policy.Licenses {
		if other.Name != n.Value && strings.EqualFold(other.Name, n.Value) {
			l.fault(n, "licenses %s and %s differ in letter case only", other.Name, n.Value)
		}
	}
}

// sameProduct rejects two names for the same product, because two rules could then change the same license of a person
// twice.
func (l *loader) sameProduct(n *yaml.Node, license *License) {
	for _, other := range l.policy.Licenses {
		switch {
		case license.SKU != "" && strings.EqualFold(other.SKU, license.SKU):
			l.fault(n, "licenses %s and %s are the same product %s; name it once", other.Name, license.Name, license.SKU)
		case (license.SKU == "" || other.SKU == "") && license.Group != nil && other.Group != nil && license.Group.Key(true) == other.Group.Key(true):
			l.fault(n, "licenses %s and %s are the same group %s; name it once", other.Name, license.Name, license.Group)
		}
	}
}

func (l *loader) rules(n *yaml.Node, c *compiler) {
	items := l.list(n, "rules")
	if n.Kind == yaml.SequenceNode && len(items) == 0 {
		l.fault(n, "rules is empty; write at least one")
	}
	if len(items) > mostRules && !l.kept {
		l.fault(items[mostRules], "rules has %d entries, and %d are allowed; every rule is asked about every holder, so join the rules that differ only in a name", len(items), mostRules)
		return
	}
	for _, item := range items {
		if rule := l.rule(item, c); rule != nil {
			l.policy.Rules = append(l.policy.Rules, rule)
		}
	}
}

func (l *loader) rule(n *yaml.Node, c *compiler) *Rule {
	o := l.section(n, "a rule", "rules[]")
	if n.Kind != yaml.MappingNode {
		return nil
	}
	rule := &Rule{}
	if name := o.required("name", "a short name, used in plans"); name != nil {
		rule.Name, _ = l.text(name, "name")
		if rule.Name != "" && l.policy.RuleNamed(rule.Name) != nil {
			l.fault(name, "there are two rules named %q; give each its own name", rule.Name)
		}
	}
	rule.License = l.licenseOf(o.required("license", "the name of a license above"), "license")
	rule.scope = c.compile(o.fields["for"], "for")
	rule.when = c.compile(o.required("when", "the condition under which the license is idle"), "when")
	if then := o.required("then", "remove, or {changeTo: LICENSE}"); then != nil {
		l.then(then, rule)
	}
	l.complete(rule)
	return rule
}

// complete collects what a rule reads, for Evidence and Turns.
func (l *loader) complete(rule *Rule) {
	rule.ForSource, rule.WhenSource = rule.scope.text(), rule.when.text()
	for _, c := range []*condition{rule.scope, rule.when, l.policy.exempt.when} {
		if c != nil {
			rule.conditions = append(rule.conditions, c)
			rule.asks = addNew(rule.asks, c.reads...)
		}
	}
	if l.policy.Grace.NeverSignedIn > 0 && rule.when != nil && len(rule.when.activity) > 0 {
		rule.asks = addNew(rule.asks, l.policy.attributes["created"])
	}
	for _, c := range []*condition{rule.scope, rule.when} {
		if c != nil {
			rule.fills = addNew(rule.fills, slices.DeleteFunc(slices.Clone(c.reads), func(a *attribute) bool { return a.kind == directory.Bool || a.activity() })...)
		}
	}
	rule.offsets = offsetsOf(rule.conditions)
}

// licenseOf returns the license that a node names.
func (l *loader) licenseOf(n *yaml.Node, what string) *License {
	if n == nil {
		return nil
	}
	name, ok := l.text(n, what)
	if !ok {
		return nil
	}
	license := l.policy.LicenseNamed(name)
	if license == nil {
		names := l.policy.licenseNames()
		l.fault(n, "there is no license %q%s; licenses has %s", name, didYouMean(name, names), strings.Join(names, ", "))
	}
	return license
}

// then reads what the rule does with an idle license.
func (l *loader) then(n *yaml.Node, rule *Rule) {
	if n.Kind == yaml.ScalarNode {
		if word, ok := l.text(n, "then"); ok && word != remove {
			l.fault(n, `then must be remove or {changeTo: LICENSE}, not %q`, word)
		}
		return
	}
	o := l.section(n, "then", "rules[].then")
	o.count("notice", "notice", &rule.Notice)
	if back := o.fields["onReturn"]; back != nil {
		if word, ok := l.text(back, "onReturn"); ok && word != "restore" {
			l.fault(back, "onReturn must be restore, not %q; leave it out so that the plan only lists the person", word)
		}
		rule.Restore = true
	}
	if mail := o.fields["mailbox"]; mail != nil {
		if word, ok := l.text(mail, "mailbox"); ok && word != "lost" {
			l.fault(mail, "mailbox must be lost, not %q; leave it out so that nobody is left without a mailbox", word)
		}
		rule.MailboxLost = true
	}
	if taken := o.fields[remove]; taken != nil {
		if taken.Value != "true" || o.fields["changeTo"] != nil {
			l.fault(taken, "write remove: true, or changeTo: LICENSE, and not both")
		}
		return
	}
	l.changeTo(o.required("changeTo", "{changeTo: LICENSE}, or {remove: true}"), rule)
}

func (l *loader) changeTo(n *yaml.Node, rule *Rule) {
	rule.ChangeTo = l.licenseOf(n, "changeTo")
	if rule.ChangeTo == nil || rule.License == nil {
		return
	}
	switch from, into := rule.License, rule.ChangeTo; {
	case from == into:
		l.fault(n, "a license cannot be changed to itself; write remove, or name another")
	case (from.holders == nil) != (into.holders == nil) && (from.memberOfEntra() || into.memberOfEntra()):
		l.fault(n, "one of %s and %s has a sku, and membership of a group of Entra ID is the other, so one cannot be changed to the other in one move; write remove", from.Name, into.Name)
	case (from.holders == nil) != (into.holders == nil), from.holders != nil && from.holders.Ref.Source != into.holders.Ref.Source:
		l.fault(n, "%s and %s live in different directories, so one cannot be changed to the other in one move; write remove", from.Name, into.Name)
	case from.holders == nil && from.SKU == into.SKU, from.holders != nil && from.holders.key == into.holders.key:
		l.fault(n, "%s and %s are the same product; write remove, or name another", from.Name, into.Name)
	}
}

// exempt reads the exemptions.
func (l *loader) exempt(n *yaml.Node, c *compiler) {
	o := l.section(n, "exempt", "exempt")
	public, compiled := &l.policy.Exempt, &l.policy.exempt
	if n := o.fields["users"]; n != nil {
		for _, item := range l.list(n, "exempt.users") {
			if user, ok := l.text(item, "an exempt user"); ok {
				l.oneName(item, user)
				public.Users = append(public.Users, user)
			}
		}
	}
	if n := o.fields["groups"]; n != nil {
		for _, item := range l.list(n, "exempt.groups") {
			if ref, ok := l.group(item, "an exempt group"); ok {
				public.Groups = append(public.Groups, ref)
				compiled.groups = append(compiled.groups, newMemberQuery(ref, false))
			}
		}
	}
	if n := o.fields["leave"]; n != nil {
		for _, item := range l.list(n, "exempt.leave") {
			public.Leave = append(public.Leave, l.leave(item))
		}
	}
	compiled.when = c.compile(o.fields["when"], exemptWhen)
	public.When = compiled.when.text()
	compiled.index(public)
}

// oneName rejects a text that cannot be the name of a single account, because nobody would notice an exemption that
// matches nobody.
func (l *loader) oneName(n *yaml.Node, user string) {
	switch _, account, inDomain := strings.Cut(user, `\`); {
	case strings.ContainsAny(user, "*?"):
		l.fault(n, "%q is a pattern, and people are listed by name; name each of them, or exempt them by a condition, as when: userPrincipalName.endsWith(\"@contoso.example\")", user)
	case inDomain:
		l.fault(n, "%q has a domain; write the account name alone, as %s, or the userPrincipalName or SID", user, account)
	}
}

func (l *loader) leave(n *yaml.Node) Leave {
	o := l.section(n, "a leave", "exempt.leave[]")
	o.required("user", "the user principal name")
	leave := Leave{User: o.text("user"), Reason: o.text("reason")}
	if n := o.fields["user"]; n != nil {
		l.oneName(n, leave.User)
	}
	if until := o.required("until", "the last day, like 2027-03-01"); until != nil {
		var wholeDay bool
		if leave.Until, wholeDay = l.date(until, "until"); wholeDay {
			leave.Until = leave.Until.Add(day)
		}
		leave.written = strings.TrimSpace(until.Value)
	}
	return leave
}
