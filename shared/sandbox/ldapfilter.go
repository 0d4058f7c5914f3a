package sandbox

import (
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Matching rules of Active Directory.
const (
	ruleBitAnd  = "1.2.840.113556.1.4.803"
	ruleInChain = "1.2.840.113556.1.4.1941"
)

type condition struct {
	op    ber.Tag // ldap.FilterAnd and so on
	parts []*condition
	attr  string // lower case
	rule  string // matching rule of an extensible match
	value string
	about *entry   // object whose DN is in the field "value"; only for attributes that contain DNs
	any   []string // for a substring filter: parts that a value contains, in order and in lower case
}

const maxDepth = 50

// parseCondition parses a filter. It rejects a filter that the sandbox cannot evaluate completely.
func (c *Company) parseCondition(filter string) (*condition, error) {
	packet, err := ldap.CompileFilter(filter)
	if err != nil {
		return nil, &ldapError{ldap.LDAPResultFilterError, "bad filter: " + err.Error()}
	}
	return c.condition(packet, maxDepth)
}

func (c *Company) condition(p *ber.Packet, depth int) (*condition, error) {
	if depth == 0 {
		return nil, unwilling("The filter is nested too deeply.")
	}
	x := &condition{op: p.Tag}
	switch p.Tag {
	case ldap.FilterAnd, ldap.FilterOr, ldap.FilterNot:
		for _, child := range p.Children {
			part, err := c.condition(child, depth-1)
			if err != nil {
				return nil, err
			}
			x.parts = append(x.parts, part)
		}
		return x, nil
	case ldap.FilterPresent:
		x.attr = strings.ToLower(ber.DecodeString(p.Data.Bytes()))
	case ldap.FilterEqualityMatch:
		x.attr = strings.ToLower(ber.DecodeString(p.Children[0].Data.Bytes()))
		x.value = ber.DecodeString(p.Children[1].Data.Bytes())
	case ldap.FilterGreaterOrEqual:
		x.attr = strings.ToLower(ber.DecodeString(p.Children[0].Data.Bytes()))
		x.value = ber.DecodeString(p.Children[1].Data.Bytes())
		if !isNumber(x.attr) {
			return nil, unwilling("The simulated company does not compare %q.", x.attr)
		}
	case ldap.FilterExtensibleMatch:
		if err := x.extensible(p); err != nil {
			return nil, err
		}
	case ldap.FilterSubstrings:
		x.attr = strings.ToLower(ber.DecodeString(p.Children[0].Data.Bytes()))
		for _, part := range p.Children[1].Children {
			if part.Tag != ldap.FilterSubstringsAny {
				return nil, unwilling("The simulated company evaluates only filters like (cn=*part*).")
			}
			x.any = append(x.any, strings.ToLower(ber.DecodeString(part.Data.Bytes())))
		}
	default:
		return nil, unwilling("The simulated company does not evaluate filters of this kind: %s.", ldap.FilterMap[uint64(p.Tag)])
	}
	if x.attr == "memberof" || x.attr == "member" || x.attr == "distinguishedname" {
		x.about = c.entryOf(x.value)
	}
	return x, nil
}

func (x *condition) extensible(p *ber.Packet) error {
	for _, child := range p.Children {
		s := ber.DecodeString(child.Data.Bytes())
		switch child.Tag {
		case ldap.MatchingRuleAssertionMatchingRule:
			x.rule = s
		case ldap.MatchingRuleAssertionType:
			x.attr = strings.ToLower(s)
		case ldap.MatchingRuleAssertionMatchValue:
			x.value = s
		}
	}
	chain := x.rule == ruleInChain && (x.attr == "memberof" || x.attr == "member")
	if x.rule != ruleBitAnd && !chain {
		return unwilling("The simulated company does not evaluate the matching rule %q on %q.", x.rule, x.attr)
	}
	return nil
}

// The method "matches" evaluates the condition. As in real Active Directory, a comparison with an absent attribute is
// false, and its negation is true.
func (x *condition) matches(c *Company, e *entry) bool {
	holds := func(part *condition) bool { return part.matches(c, e) }
	switch x.op {
	case ldap.FilterAnd:
		return !slices.ContainsFunc(x.parts, func(part *condition) bool { return !holds(part) })
	case ldap.FilterOr:
		return slices.ContainsFunc(x.parts, holds)
	case ldap.FilterNot:
		return !slices.ContainsFunc(x.parts, holds)
	case ldap.FilterPresent:
		return x.attr == "objectclass" || len(e.get(x.attr)) > 0 || x.attr == "member" && e.group >= 0 && !e.hides("member") && len(c.memberDNs(e.group, 0, 0)) > 0
	case ldap.FilterGreaterOrEqual:
		return slices.ContainsFunc(e.get(x.attr), x.atLeast)
	case ldap.FilterSubstrings:
		return slices.ContainsFunc(e.get(x.attr), x.within)
	case ldap.FilterExtensibleMatch:
		if x.rule == ruleBitAnd {
			return x.bitsSet(e)
		}
	}
	switch x.attr {
	case "memberof":
		return !e.hides("memberOf") && x.about != nil && c.contains(x.about, e, x.rule == ruleInChain)
	case "member":
		return !e.hides("member") && x.about != nil && c.contains(e, x.about, x.rule == ruleInChain)
	case "distinguishedname":
		return x.about != nil && x.about.dn == e.dn
	default:
		return slices.ContainsFunc(e.get(x.attr), x.equals)
	}
}

// The method "within" reports whether a value contains the parts of a substring filter in order. It ignores letter
// case, as Active Directory does for the texts that idleseat searches.
func (x *condition) within(v string) bool {
	rest := strings.ToLower(v)
	for _, part := range x.any {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return true
}

// The method "contains" reports whether the group "outer" contains the object "inner". If "chain" is set, a person may
// also be a member through a nested group.
func (c *Company) contains(outer, inner *entry, chain bool) bool {
	if outer.group < 0 {
		return false
	}
	if inner.person >= 0 {
		t := c.profile(inner.person)
		return c.isMember(outer.group, inner.person, t) || chain && c.isTransitiveMember(outer.group, inner.person, t)
	}
	return inner.group >= 0 && slices.Contains(c.group(outer.group).nested, inner.group)
}

func (x *condition) bitsSet(e *entry) bool {
	want, err := strconv.ParseInt(x.value, 10, 64)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(e.get(x.attr), func(v string) bool {
		n, err := strconv.ParseInt(v, 10, 64)
		return err == nil && n&want == want
	})
}

// The method "equals" compares the filter's value with one value by the rules of the attribute's syntax.
func (x *condition) equals(v string) bool {
	switch x.attr {
	case "objectsid":
		return v == x.value || strings.HasPrefix(x.value, "S-1-") && sidValue(x.value) == v
	case "objectguid", "ms-ds-consistencyguid":
		return v == x.value
	case "objectcategory": // a filter may have the class of a category in place of the category's DN
		class, _, _ := strings.Cut(strings.TrimPrefix(v, "CN="), ",")
		return strings.EqualFold(v, x.value) || strings.EqualFold(class, x.value) || class == "Person" && strings.EqualFold(x.value, "user")
	default:
		return strings.EqualFold(v, x.value)
	}
}

// sidValue converts a SID of the domain from text to binary form. It returns "" for any other string.
func sidValue(s string) string {
	rid, found := strings.CutPrefix(s, domainSID+"-")
	n, err := strconv.Atoi(rid)
	if !found || err != nil {
		return ""
	}
	return sidBytes(n)
}

// The method "only" returns the people who can match the condition, so that a search for one person visits only this
// person. The result "bounded" is false if all people can match.
func (x *condition) only(c *Company) (people []int, bounded bool) {
	switch x.op {
	case ldap.FilterAnd:
		for _, part := range x.parts {
			if people, bounded = part.only(c); bounded {
				return people, true
			}
		}
		return nil, false
	case ldap.FilterOr:
		for _, part := range x.parts {
			some, ok := part.only(c)
			if !ok {
				return nil, false
			}
			people = append(people, some...)
		}
		slices.Sort(people)
		return slices.Compact(people), true
	case ldap.FilterEqualityMatch:
		return x.unique(c)
	default:
		return nil, false
	}
}

func (x *condition) unique(c *Company) (people []int, bounded bool) {
	i, found := 0, false
	switch x.attr {
	case "objectsid":
		i, found = c.bySID(x.value)
	case "objectguid":
		i, found = c.byRawGUID(x.value, streamObjectGUID)
	case "ms-ds-consistencyguid":
		i, found = c.byRawGUID(x.value, streamConsistency)
	case "samaccountname":
		i, found = c.byAccountName(x.value)
	case "userprincipalname":
		i, found = c.byFirstUPN(x.value) // SetUPN changes only the name in Entra ID
	case "distinguishedname":
		if found = x.about != nil && x.about.person >= 0; found {
			i = x.about.person
		}
	default:
		return nil, false
	}
	if !found {
		return nil, true
	}
	return []int{i}, true
}
