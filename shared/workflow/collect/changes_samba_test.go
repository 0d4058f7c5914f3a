package collect

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

const (
	inner   = "OU=Inner," + samba.PeopleOU
	guests  = "OU=Guests," + samba.Base
	outside = "OU=Outside," + samba.Base
	seats   = "CN=Seats," + samba.GroupsOU
)

// TestChangesOfSamba changes people of a real Active Directory in many ways between two readings. The reading account
// is an ordinary one, which cannot see deleted people. The delta reading must give the same result as a full reading.
func TestChangesOfSamba(t *testing.T) {
	names := []string{"Same", "Edited", "Renamed", "Leaver", "Joiner", "Crossing", "Disabled", "Deleted", "Replaced", "Untyped", "Logon", "Stamp", "Tenant"}
	ad, admin := newDomain(t, names)
	b := newBench(t)
	b.AD, b.Now = ad, time.Now
	if first := b.night(t, "run-1", seats); first.Watermark == nil || first.People != len(names)-1 || first.Changed != 0 {
		t.Fatalf("first reading: %+v", first)
	}
	admin.set(in("Logon", samba.PeopleOU), "lastLogon", filetime(time.Now()))
	if r := b.night(t, "run-2", seats); r.WhyFull != "" || r.Changed != 0 {
		t.Fatalf("after a lastLogon alone: %+v", r)
	}

	admin.upset()
	r := b.night(t, "run-3", seats)
	const changed = 8 // everybody except the person who left and the person in the moved unit
	if r.WhyFull != "" || r.Changed != changed {
		t.Errorf("%d changed, read in full: %q", r.Changed, r.WhyFull)
	}
	full := newBench(t)
	full.AD, full.Now = ad, time.Now
	want := full.night(t, "run-3", seats)
	if d := cmp.Diff(full.everybody(t, &want), b.everybody(t, &r)); d != "" {
		t.Errorf("(-full +changes):\n%s", d)
	}
	if d := cmp.Diff([]any{want.People, want.Sampled, want.WithActivity, want.Newest}, []any{r.People, r.Sampled, r.WithActivity, r.Newest}); d != "" {
		t.Errorf("figures (-full +changes):\n%s", d)
	}

	// A unit moves out of the base and back. The person in the unit has not changed.
	admin.move("OU=Renamed,"+samba.PeopleOU, "OU=Renamed", outside)
	if r := b.night(t, "run-4", seats); r.WhyFull != "" || r.People != want.People-1 {
		t.Errorf("a unit has left: %+v", r)
	}
	admin.move("OU=Renamed,"+outside, "OU=Renamed", samba.PeopleOU)
	if r := b.night(t, "run-5", seats); !strings.Contains(r.WhyFull, "without having changed") || r.People != want.People {
		t.Errorf("a unit has come: %+v", r)
	}
}

// newDomain starts a domain with people of the given names below two search bases. The returned directory reads it with
// an ordinary account.
func newDomain(t *testing.T, names []string) (*activedirectory.Directory, administrator) {
	t.Helper()
	const secret = "Pa55w.rd-of-idleseat"
	logon := time.Now().UTC().Truncate(time.Second).AddDate(0, 0, -40)
	var people []samba.Person
	for _, name := range names {
		people = append(people, samba.Person{LastLogon: []time.Time{logon}, ADUser: directory.ADUser{
			DN: in(name, samba.PeopleOU), SAMAccount: name, EmployeeType: "Employee", Enabled: directory.Yes, LastLogonTimestamp: logon,
		}})
	}
	people = append(people, samba.Person{ADUser: directory.ADUser{DN: in("idleseat", samba.PeopleOU), SAMAccount: "idleseat", Enabled: directory.Yes}, Password: secret})
	domain := samba.Run(t, samba.Options{People: people, Groups: []samba.Group{{DN: seats, Members: []string{in("Same", samba.PeopleOU)}}}})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	ad, err := activedirectory.New(activedirectory.Config{
		URLs: domain.URLs, Base: samba.PeopleOU + ";" + guests, Filter: "(employeeType=*)",
		Bind: samba.NetBIOS + `\idleseat`, PasswordFile: file, CAFile: domain.CAFile,
	}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	admin := administrator{t, connect(t, domain)}
	for _, ou := range []string{inner, guests, outside} {
		admin.add(ou, "organizationalUnit", "", "")
	}
	admin.move(in("Tenant", samba.PeopleOU), "CN=Tenant", inner)
	admin.move(in("Joiner", samba.PeopleOU), "CN=Joiner", outside)
	admin.move(in("Crossing", samba.PeopleOU), "CN=Crossing", guests)
	return ad, admin
}

func (a administrator) upset() {
	a.t.Helper()
	a.set(in("Edited", samba.PeopleOU), "displayName", "Edited, now")
	a.set(in("Disabled", samba.PeopleOU), "userAccountControl", "514")
	a.set(in("Stamp", samba.PeopleOU), "lastLogonTimestamp", filetime(time.Now().Add(-time.Hour)))
	a.set(in("Untyped", samba.PeopleOU), "employeeType", "")
	a.move(in("Renamed", samba.PeopleOU), `CN=Re\, named`, "")
	a.move(in("Leaver", samba.PeopleOU), "CN=Leaver", outside)
	a.move(in("Joiner", outside), "CN=Joiner", samba.PeopleOU)
	a.move(in("Crossing", guests), "CN=Crossing", samba.PeopleOU)
	a.del(in("Deleted", samba.PeopleOU))
	a.del(in("Replaced", samba.PeopleOU))
	a.add(in("Replaced", samba.PeopleOU), "user", "replaced", "Employee")
	a.add(in("New", samba.PeopleOU), "user", "new", "Employee")
	a.move(inner, "OU=Renamed", "") // moving the unit does not change the USN of the person in it
}

func in(name, ou string) string { return "CN=" + name + "," + ou }

func filetime(at time.Time) string {
	return strconv.FormatInt((at.Unix()+11644473600)*1e7, 10)
}

type administrator struct {
	t    *testing.T
	conn *ldap.Conn
}

func connect(t *testing.T, d *samba.Domain) *ldap.Conn {
	t.Helper()
	conn, err := d.Administrator(d.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func (a administrator) must(dn string, err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatalf("%s: %v", dn, err)
	}
}

func (a administrator) add(dn, class, sam, employeeType string) {
	a.t.Helper()
	r := ldap.NewAddRequest(dn, nil)
	r.Attribute("objectClass", []string{class})
	if sam != "" {
		r.Attribute("sAMAccountName", []string{sam})
		r.Attribute("employeeType", []string{employeeType})
	}
	a.must(dn, a.conn.Add(r))
}

func (a administrator) move(dn, rdn, to string) {
	a.t.Helper()
	a.must(dn, a.conn.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, to)))
}

func (a administrator) set(dn, attribute, value string) {
	a.t.Helper()
	r := ldap.NewModifyRequest(dn, nil)
	r.Replace(attribute, []string{value})
	if value == "" {
		r.Changes[0].Modification.Vals = nil
	}
	a.must(dn, a.conn.Modify(r))
}

func (a administrator) del(dn string) {
	a.t.Helper()
	a.must(dn, a.conn.Del(ldap.NewDelRequest(dn, nil)))
}
