package sandbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFilter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		filter string
		want   *clause // nil: rejected
	}{
		"equal":           {"userPrincipalName eq 'o''brien@x'", &clause{path: "userPrincipalName", op: "eq", values: []string{"o'brien@x"}}},
		"in":              {" id in ('a' , 'b')", &clause{path: "id", op: "in", values: []string{"a", "b"}}},
		"and":             {"a eq 1 and b/c ge 2", &clause{path: "a", op: "eq", values: []string{"1"}, and: &clause{path: "b/c", op: "ge", values: []string{"2"}}}},
		"empty text":      {"a eq ''", &clause{path: "a", op: "eq", values: []string{""}}},
		"and in a string": {"a eq 'x and y'", &clause{path: "a", op: "eq", values: []string{"x and y"}}},
		"nothing":         {"", nil},
		"open quote":      {"a eq 'x", nil},
		"odd quotes":      {"a eq 'x''", nil},
		"no value":        {"a eq", nil},
		"unknown op":      {"a like 'x'", nil},
		"or":              {"a eq 1 or b eq 2", nil},
		"function":        {"startswith(a,'x')", nil},
		"not":             {"not a eq 1", nil},
		"empty list":      {"a in ()", nil},
		"open list":       {"a in ('x'", nil},
		"any":             {"a/any()", &clause{path: "a", op: "any"}},
		"any of":          {"a/any(x:x/b eq 1)", nil},
		"any ends":        {"a/any(", nil},
		"comma ends":      {"a in ('x',)", nil},
		"list of eq":      {"a eq ('x')", nil},
		"and ends":        {"a eq 1 and", nil},
		"more words":      {"a eq 1 b", nil},
		"quoted path":     {"'a' eq 1", nil},
	}
	for name, test := range tests {
		got, err := parseFilter(test.filter)
		if (err != nil) != (test.want == nil) {
			t.Errorf("%s: error %v", name, err)
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(clause{})); err == nil && diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"id in ('a','b')", "a eq 'x''y'", "a eq 1 and b ge 2", "((", "'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseFilter(s)
		if (c == nil) != (err != nil) {
			t.Errorf("parseFilter(%q) = %v, %v", s, c, err)
		}
	})
}

// FuzzCondition evaluates any LDAP filter on objects of every kind. The method "only" may limit the people whom the
// filter can match. Then no other person may match.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{"(&(objectClass=user)(!(cn=x)))", `(objectSid=\01\05)`, "(memberOf:1.2.840.113556.1.4.1941:=" + CitrixGroup + ")",
		"(userAccountControl:1.2.840.113556.1.4.803:=2)", "(member=*)", "(|(sAMAccountName=u0000003)(objectGUID=x))", "(distinguishedName=CN=a\\2cb)"} {
		f.Add(s)
	}
	c := NewCompany(Options{Now: fixedNow})
	entries := append([]*entry{}, fixed...)
	for i := range c.Size() {
		if t := c.profile(i); t.inAD() {
			entries = append(entries, c.personEntry(i, t))
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := c.parseCondition(s)
		if err != nil {
			return
		}
		people, bounded := x.only(c)
		found := map[int]bool{}
		for _, i := range people {
			found[i] = true
		}
		for _, e := range entries {
			if x.matches(c, e) && bounded && e.person >= 0 && !found[e.person] {
				t.Errorf("%q matches person %d, whom its keys leave out", s, e.person)
			}
		}
	})
}
