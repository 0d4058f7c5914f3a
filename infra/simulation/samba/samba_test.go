package samba

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestSambaDomain(t *testing.T) {
	dn := DN(`Doe, "Jo" = #1`, PeopleOU)
	day := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	d := Run(t, Options{
		Controllers: 2,
		People: []Person{{
			ADUser: directory.ADUser{
				DN: dn, SAMAccount: "jo", DisplayName: " Jo", Enabled: directory.No,
				Created: day, LastLogonTimestamp: day.AddDate(0, 1, 0),
			},
			LastLogon: []time.Time{{}, day.AddDate(0, 2, 0)},
		}},
		Groups: []Group{{DN: "CN=Seats," + GroupsOU, Members: []string{dn}}},
		LDIF:   []string{"dn: OU=Extra," + Base + "\nobjectClass: organizationalUnit\n"},
	})
	want := []map[string]string{
		{"displayName": " Jo", "whenCreated": "20260301080000.0Z", "lastLogonTimestamp": "134195040000000000",
			"lastLogon": "0", "userAccountControl": "514", "memberOf": "CN=Seats," + GroupsOU},
		{"displayName": " Jo", "whenCreated": "20260301080000.0Z", "lastLogonTimestamp": "134195040000000000",
			"lastLogon": "134220960000000000", "userAccountControl": "514", "memberOf": "CN=Seats," + GroupsOU},
	}
	for i, url := range d.URLs {
		if diff := cmp.Diff(want[i], lookUp(t, d, url)); diff != "" {
			t.Errorf("controller %d (-want +got):\n%s", i, diff)
		}
	}
	d.Stop(0)
	if c, err := net.Dial("tcp", strings.TrimPrefix(d.URLs[0], "ldaps://")+":636"); err == nil {
		c.Close()
		t.Error("a stopped controller still listens")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.dir); !os.IsNotExist(err) {
		t.Errorf("after Close the folder is still there: %v", err)
	}
}

func lookUp(t *testing.T, d *Domain, url string) map[string]string {
	t.Helper()
	conn, err := d.Administrator(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	names := []string{"displayName", "whenCreated", "lastLogonTimestamp", "lastLogon", "userAccountControl", "memberOf"}
	found, err := conn.Search(ldap.NewSearchRequest(d.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		0, 0, false, "(sAMAccountName=jo)", names, nil))
	if err != nil || len(found.Entries) != 1 {
		t.Fatalf("search for jo: %d entries, %v", len(found.Entries), err)
	}
	got := map[string]string{}
	for _, a := range found.Entries[0].Attributes {
		got[a.Name] = strings.Join(a.Values, " ")
	}
	return got
}

func TestSambaIsGated(t *testing.T) {
	t.Setenv("IDLESEAT_TEST_SAMBA", "")
	skipped := false
	t.Run("without the variable", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		Run(t, Options{})
	})
	if !skipped {
		t.Error("Run started a domain although IDLESEAT_TEST_SAMBA is not set")
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	got := record("CN=a", "objectClass", "user", "mail", "", "displayName", " Å\nb", "member", "CN=x")
	want := "dn:: Q049YQ==\nobjectClass: user\ndisplayName:: IMOFCmI=\nmember:: Q049eA==\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	got = replacement("x", "lastLogon", "0")
	if diff := cmp.Diff("dn: x\nchangetype: modify\nreplace: lastLogon\nlastLogon: 0\n", got); diff != "" {
		t.Errorf("replacement (-want +got):\n%s", diff)
	}
}

func TestFiletime(t *testing.T) {
	t.Parallel()
	for want, date := range map[string]time.Time{
		"":                   {},
		"116444736000000000": time.Unix(0, 0),
		"134398980000000000": time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		"134398980000000012": time.Date(2026, 11, 23, 9, 0, 0, 1200, time.UTC),
	} {
		if got := filetime(date); got != want {
			t.Errorf("filetime(%v) = %q, want %q", date, got, want)
		}
	}
}

func TestPortsFree(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := portsFree("127.0.0.1", "0", port); err == nil {
		t.Errorf("port %s passes for free while a test listens on it", port)
	}
	l.Close()
	if err := portsFree("127.0.0.1", "0", "0"); err != nil {
		t.Error(err)
	}
}

func TestConfiguration(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: an address counts as free when LDAP's ports on it can be taken")
	}
	t.Parallel()
	c := &controller{name: "dc1", dir: t.TempDir()}
	if err := c.configure(); err != nil {
		t.Fatal(err)
	}
	conf, err := os.ReadFile(filepath.Join(c.dir, "etc", "smb.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"interfaces = " + c.address + "/8", "private dir = " + c.dir + "/private", "realm = " + realm} {
		if !strings.Contains(string(conf), want) {
			t.Errorf("smb.conf lacks %q:\n%s", want, conf)
		}
	}
}

func TestSambaDamagedSeed(t *testing.T) {
	if os.Getenv("IDLESEAT_TEST_SAMBA") != "1" {
		t.Skip("needs a real Samba domain: run make test-ad, or set IDLESEAT_TEST_SAMBA=1")
	}
	d, err := Start(t.Context(), Options{LDIF: []string{"dn: nonsense\nobjectClass: user\n"}})
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err == nil {
		err = d.Close()
	}
	if d != nil || err == nil || !strings.Contains(err.Error(), "one of 3 records cannot be read") {
		t.Errorf("Start = %v, %v; want an error", d, err)
	}
}
