package activedirectory

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// hardNames are common names that need escaping in a DN, in a filter or in LDIF.
var hardNames = []string{
	`Doe, Jane "JD"`, " leading", "#1 seller", `back\slash`, "round (brackets) *", "a+b;c<d>=e", "O'Neil", "Åse Ødegård",
	"محمد علي", "山田 太郎", `\2a`, "trailing ", "e\u0301 combining",
	`\00 zero`, `a\0b`, strings.Repeat("Ø", 64), strings.Repeat(`",\`, 21) + "#",
}

// TestSamba runs the suite against two real Samba controllers, with more people than three pages can hold.
func TestSamba(t *testing.T) {
	people := seeds(4100)
	e := env{
		domain: samba.NetBIOS, fresh: map[string]time.Time{}, others: []string{"PC1$", "TRUST$"},
		group: samba.DN(`Citrix, "Users" (all)`, samba.GroupsOU), writable: samba.DN(`Citrix, "Users" (all)`, samba.GroupsOU),
	}
	var direct, nested []string
	for i, p := range people {
		e.people = append(e.people, p.ADUser)
		if i < 20 {
			e.outside = append(e.outside, p.SAMAccount)
		}
		for _, last := range p.LastLogon {
			if last.After(p.LastLogonTimestamp) && last.After(e.fresh[p.SAMAccount]) {
				e.fresh[p.SAMAccount] = last
			}
		}
		switch {
		case i >= 30: // more than 1,500, the number of values of member that Windows returns at once
			direct, e.direct = append(direct, p.DN), append(e.direct, p.SAMAccount)
		case i >= 20:
			nested, e.nested = append(nested, p.DN), append(e.nested, p.SAMAccount)
		}
	}
	const empty = "CN=Empty," + samba.GroupsOU
	inner, middle := "CN=Inner,"+samba.GroupsOU, "CN=Middle,"+samba.GroupsOU
	d := samba.Run(t, samba.Options{
		Controllers: 2, People: people, LDIF: noPeople,
		Groups: []samba.Group{
			{DN: inner, Members: nested}, {DN: middle, Members: []string{inner}},
			{DN: e.group, Members: append(direct, middle)}, {DN: empty},
		},
	})
	e.config = Config{URLs: d.URLs, Base: d.Base, Bind: d.Admin, PasswordFile: d.PasswordFile, CAFile: d.CAFile}
	do := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e.rename = func(t *testing.T, dn string) {
		do(t, administrator(t, d).ModifyDN(ldap.NewModifyDNRequest(dn, `CN=New\, name`, true, "")))
	}
	e.replace = func(t *testing.T, dn string) {
		admin := administrator(t, d)
		before, err := admin.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
			"(objectClass=user)", []string{"sAMAccountName"}, nil))
		do(t, err)
		do(t, admin.Del(ldap.NewDelRequest(dn, nil)))
		again := ldap.NewAddRequest(dn, nil)
		again.Attribute("objectClass", []string{"user"})
		again.Attribute("sAMAccountName", before.Entries[0].GetAttributeValues("sAMAccountName"))
		do(t, admin.Add(again))
	}
	testDirectory(t, e)
	t.Run("empty group", func(t *testing.T) {
		for _, direct := range []bool{true, false} {
			if got := members(t, open(t, e.config), empty, direct, nil); len(got) > 0 {
				t.Errorf("members of an empty group, direct %v: %q", direct, got)
			}
		}
	})
	t.Run("names of an account", func(t *testing.T) { testBindNames(t, e, d) })
	t.Run("global catalog", func(t *testing.T) { testCatalog(t, e) })
	t.Run("wrong name", func(t *testing.T) { testWrongName(t, e) })
	t.Run("StartTLS", func(t *testing.T) { testStartTLS(t, e) })
	t.Run("stopped controller", func(t *testing.T) { testStopped(t, e, d) })
}

var noPeople = []string{
	"dn: CN=PC1,CN=Computers," + samba.Base + "\nobjectClass: computer\nsAMAccountName: PC1$\nuserAccountControl: 4096\n",
	"dn: " + trust + "\nobjectClass: user\nsAMAccountName: TRUST$\nuserAccountControl: 544\n",
	// A trust account can be made only from an existing user.
	"dn: " + trust + "\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 2080\n",
}

const trust = "CN=TRUST$,CN=Users," + samba.Base

// The function "seeds" returns n people with every kind of date. The first of them have the names in hardNames.
func seeds(n int) []samba.Person {
	now := time.Now().UTC().Truncate(time.Second)
	people := make([]samba.Person, n)
	for i := range people {
		cn := fmt.Sprintf("Person %05d", i)
		if i < len(hardNames) {
			cn = hardNames[i]
		}
		p := samba.Person{ADUser: directory.ADUser{
			DN:         samba.DN(cn, samba.PeopleOU),
			SAMAccount: fmt.Sprintf("p%05d", i), UserPrincipalName: fmt.Sprintf("p%05d@corp.example.test", i),
			DisplayName: strings.TrimSpace(cn), Mail: fmt.Sprintf("p%05d@example.test", i), Department: fmt.Sprintf("Dept %d", i%7),
			EmployeeType: []string{"Employee", "Consultant", ""}[i%3], EmployeeID: fmt.Sprint(i), Title: "Tïtle", Company: "C & Co",
			Office: "Oslo", Country: "Norway", Enabled: directory.FlagOf(i%11 != 0),
			Created: now.AddDate(0, 0, -i%4000-1),
		}}
		if i%5 != 0 {
			p.LastLogonTimestamp = now.AddDate(0, 0, -i%700-15)
		}
		if i%7 == 0 {
			p.ConsistencyGUID = base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%016d", i)))
		}
		p.LastLogon = [][]time.Time{
			nil,
			{now.AddDate(0, 0, -3), now.AddDate(0, 0, -4)},
			{{}, now.AddDate(0, 0, -2)},
			{now.AddDate(-3, 0, 0), {}},
		}[i%4]
		people[i] = p
	}
	return people
}

func testBindNames(t *testing.T, e env, d *samba.Domain) {
	for _, name := range []string{d.Admin, d.AdminDN, samba.NetBIOS + `\Administrator`} {
		e.config.Bind = name
		if _, err := open(t, e.config).FindPerson(t.Context(), "Administrator"); err != nil {
			t.Errorf("bound as %s: %v", name, err)
		}
	}
}

// testCatalog: the session asks a real global catalog about three possible members of a group. It keeps only the
// universal group, because only such a group may have members of another domain.
func testCatalog(t *testing.T, e env) {
	for _, scheme := range []string{"ldaps:", "ldap:"} {
		e.config.URLs = []string{strings.Replace(e.config.URLs[0], "ldaps:", scheme, 1)}
		d := open(t, e.config)
		var left []outsider
		err := d.ask(t.Context(), func(s *session) error {
			members := map[string]outsider{}
			filter := "(|(cn=Domain Users)(cn=Enterprise Admins)(sAMAccountName=" + ldap.EscapeFilter(e.people[0].SAMAccount) + "))"
			err := s.pages("look for members", samba.Base, filter, []string{"objectSid"}, func(found *ldap.Entry) error {
				sid, err := SID(found.GetRawAttributeValue("objectSid"))
				members[sid] = outsider{dn: found.DN}
				return err
			})
			if err != nil || len(members) != 3 {
				t.Fatalf("%d members, %v", len(members), err)
			}
			err = s.askCatalog(members)
			left = slices.Collect(maps.Values(members))
			return err
		})
		if err != nil || len(left) != 1 || left[0].dn != "CN=Enterprise Admins,CN=Users,"+samba.Base {
			t.Errorf("%s left %v, %v", scheme, left, err)
		}
	}
}

func testStartTLS(t *testing.T, e env) {
	e.config.URLs = []string{strings.Replace(e.config.URLs[0], "ldaps:", "ldap:", 1)}
	d := open(t, e.config)
	u, err := d.FindPerson(t.Context(), e.people[0].SAMAccount)
	if err == nil {
		_, err = d.ReadPerson(t.Context(), u.SID)
	}
	if err != nil {
		t.Error(err)
	}
}

func testWrongName(t *testing.T, e env) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(e.config.URLs[0], "ldaps://")
	serve(t, l, func(c net.Conn) {
		to, err := net.Dial("tcp", net.JoinHostPort(host, "636"))
		if err != nil {
			return
		}
		defer to.Close()
		go func() {
			_, _ = io.Copy(to, c)
			to.Close() // ends the other direction
		}()
		_, _ = io.Copy(c, to)
	})
	e.config.URLs = []string{"ldaps://" + l.Addr().String()}
	err = open(t, e.config).ListPeople(t.Context(), func(directory.ADUser) error { return nil })
	checkError(t, err, "its certificate is for dc1.corp.example.test, "+host+", not for 127.0.0.1")
}

// testStopped stops the first controller, and reads must still succeed. Then it stops the second, and reads must fail
// with an error that names the controller.
func testStopped(t *testing.T, e env, d *samba.Domain) {
	d.Stop(0)
	all := open(t, e.config)
	u, err := all.FindPerson(t.Context(), e.people[0].SAMAccount)
	if err != nil {
		t.Fatalf("the second controller was not asked: %v", err)
	}
	if _, err = all.ReadPerson(t.Context(), u.SID); err != nil {
		t.Errorf("the controllers are copies of one, and one of them answers: %v", err)
	}
	// The last controller stops while the caller gets the second of five pages. Two more pages may have arrived before.
	seen := 0
	last := e.config
	last.URLs = last.URLs[1:]
	err = open(t, last).ListPeople(t.Context(), func(directory.ADUser) error {
		if seen++; seen == pageSize+1 {
			d.Stop(1)
		}
		return nil
	})
	checkError(t, err, last.URLs[0]+": list people: the connection broke")
	if seen < 2*pageSize || seen > 4*pageSize || seen%pageSize != 0 {
		t.Errorf("%d people were handed on, want two pages and no more than two that had come", seen)
	}
	e.config.URLs = e.config.URLs[:1]
	_, err = open(t, e.config).FindPerson(t.Context(), e.people[0].SAMAccount)
	checkError(t, err, e.config.URLs[0]+": connect: dial tcp")
}
