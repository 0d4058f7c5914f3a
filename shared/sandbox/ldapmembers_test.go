package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

func TestRangedMembers(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{Users: 6000})
	var want []string
	for _, n := range groups[groupCitrix].nested {
		want = append(want, groups[n].dn)
	}
	for _, p := range everybody(s.Company) {
		if slices.Contains(p.ADGroups, CitrixGroup) {
			want = append(want, p.AD.DN)
		}
	}
	ask := func(attr string) map[string][]string {
		got, err := conn.Search(request(CitrixGroup, ldap.ScopeBaseObject, "(objectClass=group)", attr))
		if err != nil {
			t.Fatal(err)
		}
		m := map[string][]string{}
		for _, a := range got.Entries[0].Attributes {
			m[a.Name] = a.Values
		}
		return m
	}
	last := len(want) - 1
	tests := map[string]map[string][]string{
		"member":                 {"member": {}, "member;range=0-1499": want[:1500]},
		"member;range=0-*":       {"member;range=0-1499": want[:1500]},
		"member;range=1500-2999": {"member;range=1500-2999": want[1500:3000]},
		"member;range=3000-*":    {"member;range=3000-*": want[3000:]},
		"MEMBER;range=10-12":     {"member;range=10-12": want[10:13]},
		"member;range=10-99999":  {"member;range=10-1509": want[10:1510]},
		fmt.Sprintf("member;range=%d-%d", last, last): {fmt.Sprintf("member;range=%d-*", last): want[last:]},
		"member;range=99999-*":                        {},
	}
	for attr, want := range tests {
		if diff := cmp.Diff(want, ask(attr)); diff != "" {
			t.Errorf("%s:\n%s", attr, diff)
		}
	}
}

// The people whose membership the tests change. "in" and "alsoIn" are members of the Citrix group, and "out" is not.
// "awkwardIn" is a member with an awkward name.
const in, alsoIn, out, awkwardIn = 2, 3, 16, 15

func (s *Sandbox) isCitrixMember(i int) bool {
	return slices.Contains(s.Company.Person(i).ADGroups, CitrixGroup)
}

func TestModifyThatIsRefused(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	dn := func(i int) string { return s.Company.Person(i).AD.DN }
	steps := []struct {
		name   string
		group  string
		change func(*ldap.ModifyRequest)
		code   uint16
	}{
		{"add present", CitrixGroup, func(r *ldap.ModifyRequest) { r.Add("member", []string{dn(in)}) }, ldap.LDAPResultEntryAlreadyExists},
		{"delete absent", CitrixGroup, func(r *ldap.ModifyRequest) { r.Delete("member", []string{dn(out)}) }, ldap.LDAPResultUnwillingToPerform},
		{"no such person", CitrixGroup, func(r *ldap.ModifyRequest) { r.Add("member", []string{"CN=None," + BaseDN}) }, ldap.LDAPResultNoSuchObject},
		{"no such group", "CN=None," + BaseDN, func(r *ldap.ModifyRequest) { r.Add("member", []string{dn(out)}) }, ldap.LDAPResultNoSuchObject},
		{"not a group", dn(in), func(r *ldap.ModifyRequest) { r.Add("member", []string{dn(out)}) }, ldap.LDAPResultInsufficientAccessRights},
		{"other attribute", CitrixGroup, func(r *ldap.ModifyRequest) { r.Add("description", []string{"x"}) }, ldap.LDAPResultUnwillingToPerform},
		{"replace", CitrixGroup, func(r *ldap.ModifyRequest) { r.Replace("member", []string{dn(in)}) }, ldap.LDAPResultUnwillingToPerform},
		{"delete all", CitrixGroup, func(r *ldap.ModifyRequest) { r.Delete("member", nil) }, ldap.LDAPResultProtocolError},
		{"half wrong", CitrixGroup, func(r *ldap.ModifyRequest) { r.Delete("member", []string{dn(in), dn(out)}) }, ldap.LDAPResultUnwillingToPerform},
		{"nested group", CitrixGroup, func(r *ldap.ModifyRequest) { r.Delete("member", []string{groups[groupContractors].dn}) }, ldap.LDAPResultUnwillingToPerform},
	}
	for _, step := range steps {
		r := ldap.NewModifyRequest(step.group, nil)
		step.change(r)
		if err := conn.Modify(r); !ldap.IsErrorWithCode(err, step.code) {
			t.Errorf("%s: %v, want code %d", step.name, err, step.code)
		}
	}
	if h := s.Company.History(); len(h) != 0 || !s.isCitrixMember(in) {
		t.Fatalf("what was refused was written: %v", h)
	}
}

func TestModifyMembers(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	dn := func(i int) string { return s.Company.Person(i).AD.DN }
	r := ldap.NewModifyRequest(CitrixGroup, nil)
	r.Delete("member", []string{strings.ToUpper(dn(in)), dn(awkwardIn)})
	r.Add("member", []string{dn(out)})
	if err := conn.Modify(r); err != nil {
		t.Fatal(err)
	}
	if s.isCitrixMember(in) || s.isCitrixMember(awkwardIn) || !s.isCitrixMember(out) || !s.isCitrixMember(alsoIn) {
		t.Error("members are not those that were written")
	}
	permissive := ldap.NewModifyRequest(CitrixGroup, []ldap.Control{ldap.NewControlString(permissiveModify, true, "")})
	permissive.Delete("member", []string{dn(in)})
	if err := conn.Modify(permissive); err != nil {
		t.Errorf("permissive delete of an absent member: %v", err)
	}
	if h := s.Company.History(); len(h) != 3 || h[0].What != MemberRemoved || h[0].Group != "Citrix Users" {
		t.Errorf("history %v", h)
	}
}

// TestSyncedGroupFollows: a synced Entra group gets the members of its Active Directory group, and licenses follow the
// Entra group.
func TestSyncedGroupFollows(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	r := ldap.NewModifyRequest(groups[groupSynced].dn, nil)
	r.Delete("member", []string{s.Company.Person(14).AD.DN})
	if err := conn.Modify(r); err != nil {
		t.Fatal(err)
	}
	if p := s.Company.Person(14); len(p.Groups) != 0 || len(p.Entra.Assignments) != 0 {
		t.Errorf("still %v, %v", p.Groups, p.Entra.Assignments)
	}
}

func TestOtherOperationsAreRefused(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	dn := s.Company.Person(2).AD.DN
	add := ldap.NewAddRequest("CN=x,"+s.Base, nil)
	add.Attribute("objectClass", []string{"user"})
	for name, err := range map[string]error{"add": conn.Add(add), "delete": conn.Del(ldap.NewDelRequest(dn, nil))} {
		if !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
			t.Errorf("%s: %v", name, err)
		}
	}
	anonymous := dial(t, s)
	r := ldap.NewModifyRequest(CitrixGroup, nil)
	r.Delete("member", []string{dn})
	if err := anonymous.Modify(r); !ldap.IsErrorWithCode(err, ldap.LDAPResultOperationsError) {
		t.Errorf("modify before bind: %v", err)
	}
}
