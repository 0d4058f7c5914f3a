package activedirectory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// TestUnseenGroup: no read finds a group. If the account of idleseat may read the person's memberOf, this attribute
// decides whether the person is in the group. Otherwise the membership is unknown.
func TestUnseenGroup(t *testing.T) {
	t.Parallel()
	const (
		gone    = "67676767-6767-6767-6767-676767676767"
		inText  = "<GUID=" + gone + ">;<SID=S-1-5-21-100>;CN=Seats,DC=x"
		another = "<GUID=11111111-1111-1111-1111-111111111111>;<SID=S-1-5-21-101>;CN=Other,DC=x"
	)
	inHexadecimal := fmt.Sprintf("<GUID=%x>;<SID=%x>;CN=Seats,DC=x", strings.Repeat("g", 16), rawSID(100))
	closed := "\x01\x00\x04\x80" + strings.Repeat("\x00", 12) + "\x14\x00\x00\x00" + "\x04\x00\x08\x00\x00\x00\x00\x00" // an empty list permits nothing
	primary := func(guid string) []*ber.Packet { return found(entry("CN=Primary,"+testBase, "objectGUID", guid)) }
	for name, c := range map[string]struct {
		memberOf   []string
		descriptor string
		primary    []*ber.Packet // what a read of the primary group finds
		byDN, deep bool
		want       bool
		unknown    string
	}{
		"memberOf names it":                   {memberOf: []string{inText}, want: true},
		"memberOf names it in hexadecimal":    {memberOf: []string{inHexadecimal}, want: true},
		"memberOf names another group":        {memberOf: []string{another}},
		"memberOf is empty":                   {},
		"memberOf is hidden":                  {descriptor: closed, unknown: "may not read memberOf"},
		"memberOf has no GUID":                {memberOf: []string{"CN=Seats,DC=x"}, unknown: "should begin with its GUID"},
		"it is the primary group":             {primary: primary(strings.Repeat("g", 16)), want: true},
		"the primary group is not seen":       {primary: found(), unknown: "may not read the primary group"},
		"the primary group hides its GUID":    {primary: primary(""), unknown: "0 bytes are no GUID"},
		"it was named by DN":                  {byDN: true, unknown: "no such group"},
		"the members of groups in it, too":    {deep: true, unknown: "no such group"},
		"a hidden memberOf that names others": {memberOf: []string{another}, descriptor: closed, unknown: "may not read memberOf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.primary == nil {
				c.primary = primary(strings.Repeat("u", 16))
			}
			f := newFake(t, onSearch(func(r request) []*ber.Packet {
				switch {
				case r.filter == "(objectClass=group)":
					return searchDone(ldap.LDAPResultNoSuchObject)
				case strings.Contains(r.filter, "objectClass=group"):
					return c.primary
				case slices.Contains(r.attributes, "memberOf"):
					var values []string
					for _, v := range c.memberOf {
						values = append(values, "memberOf", v)
					}
					return found(entry(anna, values...))
				case c.descriptor == "":
					return found(person(1))
				}
				return found(entry(anna, "objectSid", rawSID(1), "objectGUID", strings.Repeat("\x01", 16), "sAMAccountName", "p",
					"userAccountControl", "512", "whenCreated", "20200101000000.0Z", "primaryGroupID", "513", descriptor, c.descriptor))
			}))
			group := directory.GroupByGUID(gone, "")
			if c.byDN {
				group = seats
			}
			got, err := open(t, config(t, f.ca, f.url)).MemberOf(t.Context(), "S-1-5-21-1", group, !c.deep)
			checkError(t, err, c.unknown)
			if got != c.want {
				t.Errorf("in the group: %v", got)
			}
			if strings.HasPrefix(c.unknown, "may not") && !errors.Is(err, directory.ErrNoGroup) {
				t.Errorf("%v is not ErrNoGroup", err)
			}
		})
	}
}

// TestSambaUnseenGroup: FindGroup returns ErrNoGroup for a deleted group and for a hidden group. MemberOf tells the two
// apart: the hidden group still has its member, and the deleted group has none. If the person's memberOf or primary
// group is hidden, MemberOf returns ErrNoGroup for both groups.
func TestSambaUnseenGroup(t *testing.T) {
	account := func(name string) samba.Person {
		return samba.Person{ADUser: directory.ADUser{DN: samba.DN(name, samba.PeopleOU), SAMAccount: name, Enabled: directory.Yes}}
	}
	at := func(name string) string { return samba.DN(name, samba.PeopleOU) }
	secret := "OU=Secret," + samba.Base
	gone, hidden := "CN=Gone,"+samba.GroupsOU, "CN=Hidden,"+secret
	h := hardenWith(t, samba.Options{
		People: []samba.Person{account("member"), account("else"), account("closed"), account("primary")},
		Groups: []samba.Group{{DN: gone, Members: []string{at("member"), at("closed")}}},
		LDIF: []string{"dn: " + secret + "\nobjectClass: organizationalUnit\n",
			"dn: " + hidden + "\nobjectClass: group\nmember: " + at("member") + "\nmember: " + at("closed") + "\nmember: " + at("primary") + "\n"},
	})
	people, names := listed(t, h.d), map[string]string{}
	for what, dn := range map[string]string{"gone": gone, "hidden": hidden} {
		g, err := h.d.FindGroup(t.Context(), dn)
		if err != nil {
			t.Fatal(err)
		}
		names[what] = directory.GroupByGUID(g.GUID, "")
		if what == "hidden" {
			h.makePrimary(at("primary"), dn)
		}
	}
	h.deny(at("closed"), "memberOf")
	if err := h.admin.Del(ldap.NewDelRequest(gone, nil)); err != nil {
		t.Fatal(err)
	}
	for dn, ace := range map[string]string{secret: "(D;;LC;;;" + h.self + ")", hidden: "(D;;GRLORP;;;" + h.self + ")"} {
		if err := h.domain.Permit(t.Context(), dn, ace); err != nil {
			t.Fatal(err)
		}
	}
	for what, in := range map[string][]string{"gone": {}, "hidden": {"member"}} {
		if _, err := h.d.FindGroup(t.Context(), names[what]); !errors.Is(err, directory.ErrNoGroup) {
			t.Errorf("the group %s: %v, want ErrNoGroup", what, err)
		}
		for name, u := range people {
			got, err := h.d.MemberOf(t.Context(), u.SID, names[what], true)
			switch unknown := name == "closed" || name == "primary"; {
			case unknown && !errors.Is(err, directory.ErrNoGroup):
				t.Errorf("%s in the group %s: %v, %v, want that it is unknown", name, what, got, err)
			case !unknown && (err != nil || got != slices.Contains(in, name)):
				t.Errorf("%s in the group %s: %v, %v", name, what, got, err)
			}
		}
	}
}
