package activedirectory

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// TestSambaLockedAccount locks the account of idleseat with wrong passwords. The error must then say that the account
// is locked, even for the right password.
func TestSambaLockedAccount(t *testing.T) {
	const secret = "Pa55w.rd-of-idleseat"
	domain := samba.Run(t, samba.Options{
		People: []samba.Person{{ADUser: directory.ADUser{
			DN: samba.DN("idleseat", samba.PeopleOU), SAMAccount: "idleseat", Enabled: directory.Yes}, Password: secret}},
		LDIF: []string{"dn: " + samba.Base + "\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 3\n"},
	})
	with := func(password string) error {
		file := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
		d := open(t, Config{URLs: domain.URLs, Base: domain.Base, Bind: samba.NetBIOS + `\idleseat`, PasswordFile: file, CAFile: domain.CAFile})
		_, err := d.FindPerson(t.Context(), "idleseat")
		return err
	}
	if err := with(secret); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		checkError(t, with("wrong-and-s3cret"), "Invalid Credentials (49): wrong password or account")
	}
	err := with(secret)
	t.Log(err)
	checkError(t, err, `bind as CORP\idleseat: Invalid Credentials (49): the account is locked`)
}

func TestSambaExpiredController(t *testing.T) {
	ended := time.Now().Add(-time.Hour)
	domain := samba.Run(t, samba.Options{CertificateEnds: ended})
	for scheme, port := range map[string]string{"ldaps": ":636", "ldap": ":389"} { // port 389 is for StartTLS
		url := scheme + "://" + strings.TrimPrefix(domain.URLs[0], "ldaps://") + port
		d := open(t, Config{URLs: []string{url}, Base: domain.Base, Bind: domain.Admin, PasswordFile: domain.PasswordFile, CAFile: domain.CAFile})
		_, err := d.FindPerson(t.Context(), "Administrator")
		t.Log(err)
		checkError(t, err, url+": connect: its certificate for dc1.corp.example.test")
		checkError(t, err, "to "+ended.UTC().Truncate(time.Second).Format(time.RFC3339)+" only, and now it is ")
	}
}

// TestSambaForeignSecurityPrincipal: a member from another forest is not listed as a person, and its membership cannot
// be changed.
func TestSambaForeignSecurityPrincipal(t *testing.T) {
	const group, stranger = "CN=Seats," + samba.GroupsOU, "S-1-5-21-1111111111-2222222222-3333333333-1234"
	anna := samba.DN("Anna", samba.PeopleOU)
	domain := samba.Run(t, samba.Options{
		People: []samba.Person{{ADUser: directory.ADUser{DN: anna, SAMAccount: "anna", Enabled: directory.Yes}}},
		Groups: []samba.Group{{DN: group, Members: []string{anna}}},
	})
	admin := administrator(t, domain)
	join := ldap.NewModifyRequest(group, nil)
	join.Add("member", []string{"<SID=" + stranger + ">"})
	if err := admin.Modify(join); err != nil {
		t.Fatal(err)
	}
	dn := "CN=" + stranger + ",CN=ForeignSecurityPrincipals," + samba.Base
	listing := func() []string {
		t.Helper()
		found, err := admin.Search(ldap.NewSearchRequest(group, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=group)", []string{"member"}, nil))
		if err != nil || len(found.Entries) != 1 {
			t.Fatal(err)
		}
		return found.Entries[0].GetAttributeValues("member")
	}
	before := listing()
	if len(before) != 2 {
		t.Fatalf("members %q, so this test shows nothing", before)
	}
	found, err := admin.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"objectGUID"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	guid := base64.StdEncoding.EncodeToString(found.Entries[0].GetRawAttributeValue("objectGUID"))

	d := open(t, Config{URLs: domain.URLs, Base: domain.Base, Bind: domain.Admin, PasswordFile: domain.PasswordFile, CAFile: domain.CAFile})
	people, ctx := listed(t, d), t.Context()
	if got := members(t, d, group, true, people); !cmp.Equal(got, []string{"anna"}) {
		t.Errorf("members %q, want anna alone: nothing is known of a stranger", got)
	}
	for sam, u := range people {
		if u.SID == stranger {
			t.Errorf("%q is listed as a person", sam)
		}
	}
	for what, err := range map[string]error{"add": d.AddMember(ctx, group, guid), "remove": d.RemoveMember(ctx, group, guid)} {
		refused, is := errors.AsType[*directory.Refusal](err)
		if !is || !strings.Contains(refused.Reason, "belongs to another forest") {
			t.Errorf("%s: %v, want a refusal that tells of the other forest", what, err)
		}
	}
	_, errMember := d.MemberOf(ctx, stranger, group, true)
	_, errRead := d.ReadPerson(ctx, stranger)
	for what, err := range map[string]error{"MemberOf": errMember, "ReadPerson": errRead} {
		if !errors.Is(err, directory.ErrNoPerson) {
			t.Errorf("%s of a stranger: %v, want directory.ErrNoPerson", what, err)
		}
	}
	if diff := cmp.Diff(before, listing()); diff != "" {
		t.Errorf("the group was changed (-before +after):\n%s", diff)
	}
	// The group also has a member from another forest. This member must not prevent changes of the other members.
	if err := d.RemoveMember(ctx, group, people["anna"].GUID); err != nil {
		t.Error(err)
	}
	if after := listing(); len(after) != 1 {
		t.Errorf("after Anna left: %q", after)
	}
}
