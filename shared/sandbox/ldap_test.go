package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

func start(t testing.TB, o Options) *Sandbox {
	t.Helper()
	if o.Now == nil {
		o.Now = fixedNow
	}
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func dial(t testing.TB, s *Sandbox) *ldap.Conn {
	t.Helper()
	return dialTo(t, s, s.ADURL)
}

func dialTo(t testing.TB, s *Sandbox, address string) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL(address, ldap.DialWithTLSConfig(trusting(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func dialRaw(t testing.TB, s *Sandbox) net.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.ADURL, "ldaps://"), trusting(t, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func trusting(t testing.TB, s *Sandbox) *tls.Config {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(read(t, s.CAFile)) {
		t.Fatal("no certificate in the authority's file")
	}
	return &tls.Config{RootCAs: roots}
}

func bound(t testing.TB, o Options) (*Sandbox, *ldap.Conn) {
	t.Helper()
	s := start(t, o)
	conn := dial(t, s)
	if err := conn.Bind(s.Bind, string(read(t, s.PasswordFile))); err != nil {
		t.Fatal(err)
	}
	return s, conn
}

func request(base string, scope int, filter string, attrs ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attrs, nil)
}

const peopleFilter = "(&(objectCategory=person)(objectClass=user))"

func TestBind(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	password := string(read(t, s.PasswordFile))
	tests := map[string]struct {
		name, password string
		code           uint16
	}{
		"DN":             {s.Bind, password, ldap.LDAPResultSuccess},
		"UPN":            {"SVC-idleseat@corp.example.test", password, ldap.LDAPResultSuccess},
		"domain":         {`CORP\svc-idleseat`, password, ldap.LDAPResultSuccess},
		"wrong password": {s.Bind, "wrong", ldap.LDAPResultInvalidCredentials},
		"wrong name":     {"CN=nobody," + s.Base, password, ldap.LDAPResultInvalidCredentials},
	}
	for name, test := range tests {
		err := dial(t, s).Bind(test.name, test.password)
		if test.code == 0 && err != nil || test.code != 0 && !ldap.IsErrorWithCode(err, test.code) {
			t.Errorf("%s: %v, want code %d", name, err, test.code)
		}
	}
}

func TestRootDSEBeforeBind(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	conn := dial(t, s)
	got, err := conn.Search(request("", ldap.ScopeBaseObject, "(objectClass=*)", "defaultNamingContext", "DNSHOSTNAME"))
	if err != nil {
		t.Fatal(err)
	}
	if dn := got.Entries[0].GetAttributeValue("defaultNamingContext"); dn != s.Base || got.Entries[0].GetAttributeValue("dnsHostName") != controllerHost || len(got.Entries[0].Attributes) != 2 {
		t.Errorf("rootDSE: %+v", got.Entries[0])
	}
	if _, err := conn.Search(request(s.Base, ldap.ScopeWholeSubtree, peopleFilter)); !ldap.IsErrorWithCode(err, ldap.LDAPResultOperationsError) {
		t.Errorf("search before bind: %v", err)
	}
}

func TestAttributesOfAPerson(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	entryOf := func(i int, attrs ...string) *ldap.Entry {
		got, err := conn.Search(request(s.Company.Person(i).AD.DN, ldap.ScopeBaseObject, "(objectClass=user)", attrs...))
		if err != nil || len(got.Entries) != 1 {
			t.Fatalf("person %d: %v", i, err)
		}
		return got.Entries[0]
	}
	p, e := s.Company.Person(12), entryOf(12)
	got := []string{e.GetAttributeValue("objectSid"), e.GetAttributeValue("mS-DS-ConsistencyGuid"), e.GetAttributeValue("lastLogonTimestamp"),
		e.GetAttributeValue("lastLogon"), e.GetAttributeValue("whenCreated"), e.GetAttributeValue("userAccountControl"), e.GetAttributeValue("memberOf")}
	want := []string{sidBytes(firstRID + 12), s.Company.guidOf(12, streamConsistency).raw(), fileTime(p.AD.LastLogonTimestamp),
		fileTime(p.LastLogon), p.AD.Created.Format("20060102150405") + ".0Z", "512", CitrixGroup}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	never := entryOf(3, "LASTLOGON", "lastLogonTimestamp")
	if len(never.Attributes) != 1 || never.GetAttributeValue("lastLogon") != "0" {
		t.Errorf("never logged on: %+v", never.Attributes)
	}
	if none := entryOf(3, "1.1"); len(none.Attributes) != 0 {
		t.Errorf("no attributes asked for, got %+v", none.Attributes)
	}
}

func TestFileTime(t *testing.T) {
	t.Parallel()
	if got := fileTime(testStart); got != "134398980000000000" {
		t.Errorf("fileTime = %s", got)
	}
}

func TestLimitsAreErrors(t *testing.T) {
	t.Parallel()
	var refused *ldapError
	if err := error(unwilling("no")); !errors.As(err, &refused) || err.Error() != "LDAP result 53: no" {
		t.Errorf("error %v", err)
	}
}
