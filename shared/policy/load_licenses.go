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

// The method "license" reads one license. It returns the license even if it has a fault. Otherwise each rule that names
// the license would be reported as faulty, too.
func (l *loader) license(e entry) *License {
	before := len(l.faults)
	o := l.section(e.value, "license "+e.key.Value, "licenses.NAME")
	license := &License{Name: e.key.Value, SKU: o.text("sku"), Title: o.text("title")}
	if id := strings.ToLower(license.SKU); guid.MatchString(id) {
		license.SKU = id // Graph writes skuIds in lower case
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

// licenseNames matches names of licenses, which are parts of the keys of stored objects.
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

// sameProduct rejects two names for one product. With them, two rules could change one license of a person twice.
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
