package activedirectory

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// These are the schemaIDGUIDs of the only attribute and class to which the right of TestSambaLeastPrivilege applies.
const memberAttribute, groupClass = "bf9679c0-0de6-11d0-a285-00aa003049e2", "bf967a9c-0de6-11d0-a285-00aa003049e2"

// TestSambaLeastPrivilege binds as a domain user with only the right that docs/operations.md grants. Everything that
// the product needs must work. The server must refuse the changes of testNothingElse.
func TestSambaLeastPrivilege(t *testing.T) {
	const secret, licenses = "Pa55w.rd-of-idleseat", "OU=Licenses," + samba.Base
	person, account := samba.DN("Anna", samba.PeopleOU), samba.DN("idleseat", samba.PeopleOU)
	seats, other := "CN=Seats,"+licenses, "CN=Other,"+samba.GroupsOU
	domain := samba.Run(t, samba.Options{
		People: []samba.Person{
			{ADUser: directory.ADUser{DN: person, SAMAccount: "anna", Enabled: directory.Yes}},
			{ADUser: directory.ADUser{DN: account, SAMAccount: "idleseat", Enabled: directory.Yes}, Password: secret},
		},
		Groups: []samba.Group{{DN: other, Members: []string{person}}},
		LDIF: []string{
			"dn: " + licenses + "\nobjectClass: organizationalUnit\n",
			"dn: " + seats + "\nobjectClass: group\nmember: " + person + "\n",
		},
	})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	d := open(t, Config{URLs: domain.URLs, Base: domain.Base, Bind: samba.NetBIOS + `\idleseat`, PasswordFile: file, CAFile: domain.CAFile})
	ctx := t.Context()
	may := func(group string) bool {
		ok, err := d.CanWrite(ctx, group)
		if err != nil {
			t.Error(err)
		}
		return ok
	}
	people := listed(t, d)
	anna := people["anna"]
	refused := func(what string, err error) {
		t.Helper()
		if _, is := errors.AsType[*directory.Refusal](err); !is {
			t.Errorf("%s: %v, want a refusal", what, err)
		}
	}
	refused("remove before the right is granted", d.RemoveMember(ctx, seats, anna.GUID))
	if may(seats) {
		t.Error("the group counts as writable before the right is granted")
	}
	if err := domain.Permit(ctx, licenses, "(OA;CIIO;WP;"+memberAttribute+";"+groupClass+";"+people["idleseat"].SID+")"); err != nil {
		t.Fatal(err)
	}

	if !may(seats) || may(other) {
		t.Errorf("writable: %v in the organizational unit, %v outside", may(seats), may(other))
	}
	if _, err := d.ReadPerson(ctx, anna.SID); err != nil {
		t.Error(err)
	}
	for _, err := range []error{d.RemoveMember(ctx, seats, anna.GUID), d.AddMember(ctx, seats, anna.GUID)} {
		if err != nil {
			t.Error(err)
		}
	}
	refused("remove outside", d.RemoveMember(ctx, other, anna.GUID))
	testNothingElse(t, d, seats, person)
}

// testNothingElse tries, with plain LDAP, changes that the server must refuse.
func testNothingElse(t *testing.T, d *Directory, group, person string) {
	replace := func(dn, attribute, value string) *ldap.ModifyRequest {
		r := ldap.NewModifyRequest(dn, nil)
		r.Replace(attribute, []string{value})
		return r
	}
	add := ldap.NewAddRequest("CN=New,OU=Licenses,"+samba.Base, nil)
	add.Attribute("objectClass", []string{"group"})
	err := d.ask(t.Context(), func(s *session) error {
		for what, err := range map[string]error{
			"describe the group": s.conn.Modify(replace(group, "description", "mine")),
			"disable a person":   s.conn.Modify(replace(person, "userAccountControl", "514")),
			"rename a person":    s.conn.ModifyDN(ldap.NewModifyDNRequest(person, "CN=Other", true, "")),
			"delete a person":    s.conn.Del(ldap.NewDelRequest(person, nil)),
			"delete the group":   s.conn.Del(ldap.NewDelRequest(group, nil)),
			"make a group":       s.conn.Add(add),
		} {
			if !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
				t.Errorf("%s: %v, want insufficient access rights", what, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
