package activedirectory

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

const rights = "Pa55w.rd-of-idleseat"

// The type "hardened" is a domain with an ordinary account as reader. Tests remove rights of the reader.
type hardened struct {
	*testing.T
	domain *samba.Domain
	d      *Directory
	self   string // SID of the reading account
	admin  *ldap.Conn
}

func harden(t *testing.T, people []samba.Person, groups ...samba.Group) *hardened {
	t.Helper()
	return hardenWith(t, samba.Options{People: people, Groups: groups})
}

func hardenWith(t *testing.T, o samba.Options) *hardened {
	t.Helper()
	account := samba.Person{ADUser: directory.ADUser{DN: samba.DN("idleseat", samba.PeopleOU), SAMAccount: "idleseat", Enabled: directory.Yes}, Password: rights}
	o.People = append(o.People, account)
	domain := samba.Run(t, o)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(rights), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &hardened{T: t, domain: domain, admin: administrator(t, domain)}
	h.d = open(t, Config{URLs: domain.URLs, Base: domain.Base, Bind: samba.NetBIOS + `\idleseat`, PasswordFile: file, CAFile: domain.CAFile})
	h.self = listed(t, h.d)["idleseat"].SID
	return h
}

// The method "deny" removes the reader's right to read an attribute of an object.
func (h *hardened) deny(dn, attribute string) {
	h.Helper()
	found, err := h.admin.Search(ldap.NewSearchRequest("CN=Schema,CN=Configuration,"+samba.Base, ldap.ScopeSingleLevel, ldap.NeverDerefAliases,
		0, 0, false, "(lDAPDisplayName="+attribute+")", []string{"schemaIDGUID"}, nil))
	if err != nil || len(found.Entries) != 1 {
		h.Fatalf("%s in the schema: %v", attribute, err)
	}
	g := found.Entries[0].GetRawAttributeValue("schemaIDGUID")
	guid := fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(g), binary.LittleEndian.Uint16(g[4:]), binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
	if err := h.domain.Permit(h.Context(), dn, "(OD;;RP;"+guid+";;"+h.self+")"); err != nil {
		h.Fatal(err)
	}
}

func (h *hardened) makePrimary(account, group string) {
	h.Helper()
	found, err := h.admin.Search(ldap.NewSearchRequest(group, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"primaryGroupToken"}, nil))
	if err != nil {
		h.Fatal(err)
	}
	change := ldap.NewModifyRequest(account, nil)
	change.Replace("primaryGroupID", []string{found.Entries[0].GetAttributeValue("primaryGroupToken")})
	if err := h.admin.Modify(change); err != nil {
		h.Fatal(err)
	}
}

// TestSambaHiddenAttributes removes the reader's right to read attributes of single people. AdminSDHolder and disabled
// inheritance have the same effect.
func TestSambaHiddenAttributes(t *testing.T) {
	week := time.Now().UTC().Truncate(time.Second).AddDate(0, 0, -7)
	account := func(name string, last time.Time, employeeType string) samba.Person {
		return samba.Person{LastLogon: []time.Time{last}, ADUser: directory.ADUser{
			DN: samba.DN(name, samba.PeopleOU), SAMAccount: name, Enabled: directory.Yes, EmployeeType: employeeType, LastLogonTimestamp: last,
			ConsistencyGUID: base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%16s", name)))}}
	}
	hide := map[string][]string{
		"stamp": {"lastLogonTimestamp"}, "logon": {"lastLogon"}, "type": {"employeeType"}, "control": {"userAccountControl"},
		"created": {"whenCreated"}, "both": {"lastLogonTimestamp", "lastLogon"}, "descriptor": {"nTSecurityDescriptor"},
	}
	people := []samba.Person{account("seen", week, "Employee"), account("never", time.Time{}, ""), account("descriptor", time.Time{}, "Employee")}
	for name := range hide {
		if name != "descriptor" {
			people = append(people, account(name, week, "Employee"))
		}
	}
	h := harden(t, people)
	for name, attributes := range hide {
		for _, a := range attributes {
			if a == "nTSecurityDescriptor" { // the descriptor needs a separate right
				if err := h.domain.Permit(t.Context(), samba.DN(name, samba.PeopleOU), "(D;;RC;;;"+h.self+")"); err != nil {
					t.Fatal(err)
				}
				continue
			}
			h.deny(samba.DN(name, samba.PeopleOU), a)
		}
	}
	want := map[string][]string{
		"seen": nil, "never": nil, "stamp": {"lastLogonTimestamp"}, "logon": nil, "type": {"employeeType"}, "control": {"userAccountControl"},
		"created": {"whenCreated"}, "both": {"lastLogonTimestamp"}, "descriptor": {"lastLogonTimestamp"},
	}
	got, sids := map[string][]string{}, map[string]string{}
	_, err := h.d.ListFull(t.Context(), []string{"lastLogonTimestamp", "employeeType", "whenCreated", "extensionAttribute3", "mS-DS-ConsistencyGuid"}, func(u directory.ADUser) error {
		if _, asked := want[u.SAMAccount]; asked {
			got[u.SAMAccount], sids[u.SAMAccount] = u.Unreadable, u.SID
		}
		return nil
	})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, unreadable (-want +got):\n%s", err, diff)
	}
	for name, why := range map[string]string{
		"seen": "", "never": "", "type": "", "stamp": "may not read", "logon": "may not read", "both": "may not read", "descriptor": "may not read",
	} {
		u, err := h.d.ReadPerson(t.Context(), sids[name])
		_, partial := errors.AsType[*directory.PartialLogonError](err)
		if partial != (why != "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%s at the last moment: %v, want %q", name, err, why)
		}
		if (name == "type") != u.Hides("employeeType") {
			t.Errorf("%s at the last moment: unreadable %q", name, u.Unreadable)
		}
	}
}

// TestSambaGroups: if memberOf is hidden, the members of a group are still known. If a group hides its own list, its
// members are unknown.
func TestSambaGroups(t *testing.T) {
	account := func(name string) samba.Person {
		return samba.Person{ADUser: directory.ADUser{DN: samba.DN(name, samba.PeopleOU), SAMAccount: name, Enabled: directory.Yes}}
	}
	at := func(name string) string { return samba.DN(name, samba.PeopleOU) }
	outer, middle, inner := "CN=Outer,"+samba.GroupsOU, "CN=Middle,"+samba.GroupsOU, "CN=Inner,"+samba.GroupsOU
	hidden, around, empty := "CN=Hidden,"+samba.GroupsOU, "CN=Around,"+samba.GroupsOU, "CN=Empty,"+samba.GroupsOU
	h := harden(t, []samba.Person{account("listed"), account("unseen"), account("nested"), account("primary"), account("deep"), account("else"), account("covered")},
		samba.Group{DN: inner, Members: []string{at("nested"), at("deep")}}, samba.Group{DN: middle, Members: []string{inner}},
		samba.Group{DN: outer, Members: []string{at("listed"), at("unseen"), at("primary"), middle}},
		samba.Group{DN: hidden, Members: []string{at("listed")}}, samba.Group{DN: around, Members: []string{hidden}}, samba.Group{DN: empty})
	h.makePrimary(at("primary"), outer)
	h.makePrimary(at("deep"), inner)
	h.deny(at("unseen"), "memberOf")
	h.deny(at("nested"), "memberOf")
	h.deny(middle, "memberOf")
	h.deny(hidden, "member")
	h.deny(at("covered"), "primaryGroupID")
	people := listed(t, h.d)
	for _, c := range []struct {
		group  string
		direct bool
		want   []string // nil if the members must be unknown
	}{
		{outer, true, []string{"", "listed", "primary", "unseen"}}, // "" stands for the nested group with a hidden memberOf, because no person has the SID of the group
		{outer, false, []string{"deep", "listed", "nested", "primary", "unseen"}},
		{empty, true, []string{}},
		{empty, false, []string{}},
		{hidden, true, nil},
		{hidden, false, nil},
		{around, false, nil},
	} {
		if c.want == nil {
			err := h.d.ListMembers(t.Context(), c.group, c.direct, func(string) error { return nil })
			if !errors.Is(err, directory.ErrNoGroup) || !strings.Contains(err.Error(), "may not read member of the group") {
				t.Errorf("members of %s: %v", c.group, err)
			}
		} else if diff := cmp.Diff(c.want, members(t, h.d, c.group, c.direct, people)); diff != "" {
			t.Errorf("members of %s, direct %v (-want +got):\n%s", c.group, c.direct, diff)
		}
		for name, u := range people {
			got, err := h.d.MemberOf(t.Context(), u.SID, c.group, c.direct)
			switch {
			case c.want == nil && name == "listed" && c.group == around: // not checked, because the server itself resolves nested groups
			case c.want == nil || name == "covered":
				if !errors.Is(err, directory.ErrNoGroup) {
					t.Errorf("%s in %s: %v, %v, want that it is not known", name, c.group, got, err)
				}
			case err != nil || got != slices.Contains(c.want, name):
				t.Errorf("%s in %s, direct %v: %v, %v", name, c.group, c.direct, got, err)
			}
		}
	}
	var by []string
	err := h.d.ListPrimary(t.Context(), outer, func(sid string) error { by = append(by, sid); return nil })
	if diff := cmp.Diff([]string{people["primary"].SID}, by); err != nil || diff != "" {
		t.Errorf("by primary group: %v (-want +got):\n%s", err, diff)
	}
	var within []string
	err = h.d.ListNested(t.Context(), middle, func(sid string) error { within = append(within, sid); return nil })
	slices.Sort(within)
	wantWithin := []string{people["deep"].SID, people["nested"].SID}
	slices.Sort(wantWithin)
	if diff := cmp.Diff(wantWithin, within); err != nil || diff != "" {
		t.Errorf("by way of a group within: %v (-want +got):\n%s", err, diff)
	}
	err = h.d.RemoveMember(t.Context(), outer, people["primary"].GUID)
	if _, refused := errors.AsType[*directory.Refusal](err); !refused {
		t.Errorf("take off a primary group: %v, want a refusal", err)
	}
}
