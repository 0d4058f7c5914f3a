package policy

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

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

// noLicense reports that a rule names a license that the policy lacks. For a policy without any licenses, noLicense
// reports nothing, because the key "licenses" has a fault already.
func (l *loader) noLicense(n *yaml.Node, name string) {
	names := l.policy.licenseNames()
	switch like := didYouMean(name, names); {
	case len(names) == 0:
	case like != "":
		l.fault(n, "there is no license %q%s", name, like)
	default:
		l.fault(n, "there is no license %q; the policy has %s", name, strings.Join(names, ", "))
	}
}

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
		l.noLicense(n, name)
	}
	return license
}

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

// oneName rejects a text that cannot name a single account. Such an exemption would match nobody, and no operator would
// notice.
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
