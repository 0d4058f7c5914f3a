package activedirectory

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// The function "administrator" returns a connection with all rights.
func administrator(t *testing.T, d *samba.Domain) *ldap.Conn {
	t.Helper()
	conn, err := d.Administrator(d.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// TestSambaChangedMeanwhile changes memberships of people after they were moved, deleted or given another primary
// group. The test testDirectory covers renamed and replaced people.
func TestSambaChangedMeanwhile(t *testing.T) {
	const moved, group, primary = "OU=Moved," + samba.Base, "CN=Seats," + samba.GroupsOU, "CN=Primary," + samba.GroupsOU
	names := []string{"Moved", "Removed", "Primary"}
	var people []samba.Person
	var members []string
	for _, name := range names {
		dn := samba.DN(name, samba.PeopleOU)
		people = append(people, samba.Person{ADUser: directory.ADUser{DN: dn, SAMAccount: strings.ToLower(name), Enabled: directory.Yes}})
		members = append(members, dn)
	}
	domain := samba.Run(t, samba.Options{
		People: people, Groups: []samba.Group{{DN: group, Members: members}, {DN: primary, Members: members[2:]}},
		LDIF: []string{"dn: " + moved + "\nobjectClass: organizationalUnit\n"},
	})
	d := open(t, Config{URLs: domain.URLs, Base: domain.Base, Bind: domain.Admin, PasswordFile: domain.PasswordFile, CAFile: domain.CAFile})
	planned := listed(t, d)
	admin, ctx := administrator(t, domain), t.Context()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	do(admin.ModifyDN(ldap.NewModifyDNRequest(members[0], "CN=Moved", true, moved)))
	leave := ldap.NewModifyRequest(group, nil)
	leave.Delete("member", []string{members[1]})
	do(admin.Modify(leave))

	for _, sam := range []string{"moved", "removed"} {
		if err := d.RemoveMember(ctx, group, planned[sam].GUID); err != nil {
			t.Errorf("remove %s: %v", sam, err)
		}
		if in, err := d.MemberOf(ctx, planned[sam].SID, group, true); err != nil || in {
			t.Errorf("%s is a member: %v, %v", sam, in, err)
		}
	}
	var rid string
	do(d.ask(ctx, func(s *session) error {
		g, err := s.group(primary)
		if err == nil {
			rid = g.sid[strings.LastIndexByte(g.sid, '-')+1:]
		}
		return err
	}))
	change := ldap.NewModifyRequest(members[2], nil)
	change.Replace("primaryGroupID", []string{rid})
	do(admin.Modify(change))
	err := d.RemoveMember(ctx, primary, planned["primary"].GUID)
	if _, refused := errors.AsType[*directory.Refusal](err); !refused {
		t.Errorf("remove from the primary group: %v, want a refusal", err)
	}
}
