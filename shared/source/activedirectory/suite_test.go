package activedirectory

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// env is a real or simulated directory that a test has filled. The package must behave in the same way on a real and on
// a simulated directory.
type env struct {
	config   Config
	domain   string               // NetBIOS name
	people   []directory.ADUser   // the required result of ListPeople; the server chooses SID and GUID
	others   []string             // sAMAccountNames of accounts that are not people
	fresh    map[string]time.Time // the required last logon of ReadPerson, by sAMAccountName; only dates that differ from the field "people"
	group    string               // DN of a group with members
	direct   []string             // sAMAccountNames of the members that the group lists
	nested   []string             // sAMAccountNames of the members of the groups that the group lists
	writable string               // DN of a group that the account may change
	outside  []string             // sAMAccountNames of some people who are not in the group

	rename  func(t *testing.T, dn string) // renames a person
	replace func(t *testing.T, dn string) // deletes a person and creates another account with the same names
}

func testDirectory(t *testing.T, e env) {
	d := open(t, e.config)
	people := listed(t, d)
	t.Run("people", func(t *testing.T) { testPeople(t, e, people) })
	t.Run("accounts that are no people", func(t *testing.T) { testOthers(t, e, d, people) })
	t.Run("base from the controller", func(t *testing.T) { testNoBase(t, e, people) })
	t.Run("fresh evidence", func(t *testing.T) { testFresh(t, e, d, people) })
	t.Run("find", func(t *testing.T) { testFind(t, e, d, people) })
	t.Run("groups", func(t *testing.T) { testGroups(t, e, d) })
	t.Run("members", func(t *testing.T) { testMembers(t, e, d, people) })
	t.Run("changes", func(t *testing.T) { testChanges(t, d, people) })
	t.Run("write", func(t *testing.T) { testWrite(t, e, d, people) })
	t.Run("nested member", func(t *testing.T) { testNested(t, e, d, people) })
	t.Run("missing things", func(t *testing.T) { testMissing(t, e, d, people) })
	t.Run("changed meanwhile", func(t *testing.T) { testMeanwhile(t, e, d, people) })
	t.Run("refusals", func(t *testing.T) { testRefusals(t, e) })
}

func listed(t *testing.T, d *Directory) map[string]directory.ADUser {
	t.Helper()
	people := map[string]directory.ADUser{}
	err := d.ListPeople(t.Context(), func(u directory.ADUser) error {
		if _, twice := people[u.SAMAccount]; twice {
			t.Errorf("%s is listed twice", u.SAMAccount)
		}
		people[u.SAMAccount] = u
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return people
}

// The function "canonical" returns a DN in one spelling. Servers escape characters in different ways.
func canonical(t *testing.T, dn string) string {
	t.Helper()
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		t.Fatalf("%q: %v", dn, err)
	}
	return parsed.String()
}

func testPeople(t *testing.T, e env, people map[string]directory.ADUser) {
	keys := map[string]bool{}
	for _, want := range e.people {
		got, ok := people[want.SAMAccount]
		if !ok {
			t.Errorf("%s is not listed", want.SAMAccount)
			continue
		}
		if keys[got.SID] || keys[got.GUID] || !sidPattern.MatchString(got.SID) || len(got.GUID) != 24 {
			t.Errorf("%s: SID %q or GUID %q is no key", want.SAMAccount, got.SID, got.GUID)
		}
		keys[got.SID], keys[got.GUID] = true, true
		want.SID, want.GUID = got.SID, got.GUID
		want.DN, got.DN = canonical(t, want.DN), canonical(t, got.DN)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.SAMAccount, diff)
		}
	}
}

func testOthers(t *testing.T, e env, d *Directory, people map[string]directory.ADUser) {
	for _, sam := range e.others {
		if _, ok := people[sam]; ok {
			t.Errorf("%s is listed as a person", sam)
		}
		err := d.ask(t.Context(), func(s *session) error {
			found, err := s.search("look for "+sam, e.config.Base, ldap.ScopeWholeSubtree, "(sAMAccountName="+sam+")", []string{"1.1"})
			if err == nil && len(found.Entries) != 1 {
				t.Errorf("%s is not in the directory, so this test shows nothing", sam)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func testNoBase(t *testing.T, e env, people map[string]directory.ADUser) {
	e.config.Base = ""
	if got := listed(t, open(t, e.config)); len(got) != len(people) {
		t.Errorf("%d people without a base, %d with it", len(got), len(people))
	}
}

func testFresh(t *testing.T, e env, d *Directory, people map[string]directory.ADUser) {
	for i, want := range e.people {
		if i == 40 {
			break // it would take too long to read everybody from every controller
		}
		want = people[want.SAMAccount]
		if last, ok := e.fresh[want.SAMAccount]; ok {
			want.LastLogonTimestamp = last
		}
		got, err := d.ReadPerson(t.Context(), want.SID)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", want.SAMAccount, err, diff)
		}
	}
	// The added address belongs to none of the listed controllers. The address must not change the result.
	e.config.URLs = append(slices.Clone(e.config.URLs), stalled(t))
	e.config.Timeout = 5 * time.Second
	someone := people[e.people[0].SAMAccount]
	if got, err := open(t, e.config).ReadPerson(t.Context(), someone.SID); err != nil || got.DN != someone.DN {
		t.Errorf("with a stalled address: %+v, %v", got, err)
	}
}

func testFind(t *testing.T, e env, d *Directory, people map[string]directory.ADUser) {
	for _, p := range e.people[:min(20, len(e.people))] {
		want := people[p.SAMAccount]
		for _, name := range []string{p.UserPrincipalName, p.SAMAccount, e.domain + `\` + p.SAMAccount, want.SID} {
			got, err := d.FindPerson(t.Context(), name)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("FindPerson(%q): %v (-want +got):\n%s", name, err, diff)
			}
		}
	}
	for _, name := range []string{"", "*", "a*", `\`, `OTHER\` + e.people[0].SAMAccount, "S-1-5-21-1-2-3-4", "x)(objectClass=*", "\x00", "nobody@nowhere.example"} {
		if got, err := d.FindPerson(t.Context(), name); !errors.Is(err, directory.ErrNoPerson) {
			t.Errorf("FindPerson(%q) = %s, %v; want directory.ErrNoPerson", name, got.DN, err)
		}
	}
}

func members(t *testing.T, d *Directory, group string, direct bool, people map[string]directory.ADUser) []string {
	t.Helper()
	bySID := map[string]string{}
	for sam, p := range people {
		bySID[p.SID] = sam
	}
	names := []string{}
	err := d.ListMembers(t.Context(), group, direct, func(sid string) error {
		names = append(names, bySID[sid])
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	slices.Sort(names)
	return names
}

func testGroups(t *testing.T, e env, d *Directory) {
	byDN, err := d.FindGroup(t.Context(), e.group)
	if err != nil {
		t.Fatal(err)
	}
	if len(byDN.GUID) != 36 || byDN.Created.IsZero() || byDN.ID == "" {
		t.Errorf("by DN: %+v", byDN)
	}
	byGUID, err := d.FindGroup(t.Context(), directory.GroupByGUID(byDN.GUID, ""))
	byGUID.Ref = byDN.Ref
	if diff := cmp.Diff(byDN, byGUID); diff != "" || err != nil {
		t.Errorf("by GUID (-by DN +got), %v:\n%s", err, diff)
	}
	for _, name := range []string{"CN=Nobody," + e.group, "<GUID=00000000-0000-4000-8000-000000000000>", "<GUID=x>", ""} {
		if g, err := d.FindGroup(t.Context(), name); !errors.Is(err, directory.ErrNoGroup) {
			t.Errorf("%q: %+v, %v", name, g, err)
		}
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(e.group, "CN="), ",")
	with := func(part string, most int) []string {
		dns, err := d.GroupsWith(t.Context(), part, most)
		if err != nil {
			t.Errorf("groups with %q: %v", part, err)
		}
		return dns
	}
	part := strings.ToUpper(name[1 : len(name)-1])
	if dns := with(part, 20); !slices.ContainsFunc(dns, func(dn string) bool { return canonical(t, dn) == canonical(t, byDN.ID) }) {
		t.Errorf("groups with %q: %q, without %q", part, dns, byDN.ID)
	}
	if dns := with("*", 20); len(dns) > 0 {
		t.Errorf("groups with a star: %q", dns)
	}
	if dns := with("", 1); len(dns) != 1 {
		t.Errorf("one group: %q", dns)
	}
}

func testMembers(t *testing.T, e env, d *Directory, people map[string]directory.ADUser) {
	for _, c := range []struct {
		group  string
		direct bool
		want   []string
	}{
		{e.group, true, slices.Sorted(slices.Values(e.direct))},
		{e.group, false, slices.Sorted(slices.Values(append(slices.Clone(e.direct), e.nested...)))},
	} {
		if diff := cmp.Diff(c.want, members(t, d, c.group, c.direct, people)); diff != "" {
			t.Errorf("members of %s, direct %v (-want +got):\n%s", c.group, c.direct, diff)
		}
	}
	for _, c := range []struct {
		sam, group     string
		direct, within bool
	}{
		{e.direct[0], e.group, true, true},
		{e.nested[0], e.group, false, true},
		{e.outside[0], e.writable, false, false},
	} {
		for direct, want := range map[bool]bool{true: c.direct, false: c.within} {
			got, err := d.MemberOf(t.Context(), people[c.sam].SID, c.group, direct)
			if err != nil || got != want {
				t.Errorf("MemberOf(%s, %s, direct %v) = %v, %v; want %v", c.sam, c.group, direct, got, err, want)
			}
		}
	}
}

func testMissing(t *testing.T, e env, d *Directory, people map[string]directory.ADUser) {
	someone, ctx := people[e.people[0].SAMAccount], t.Context()
	for _, dn := range []string{"CN=None," + e.group, e.config.Base, someone.DN, "no DN", "", "DC=elsewhere,DC=example"} {
		_, err := d.MemberOf(ctx, someone.SID, dn, true)
		for what, err := range map[string]error{
			"ListMembers": d.ListMembers(ctx, dn, false, func(string) error { return nil }),
			"MemberOf":    err,
			"AddMember":   d.AddMember(ctx, dn, someone.GUID),
		} {
			if !errors.Is(err, directory.ErrNoGroup) {
				t.Errorf("%s of %q: %v, want directory.ErrNoGroup", what, dn, err)
			}
		}
	}
	const nobody = "S-1-5-21-1-2-3-4"
	_, errRead := d.ReadPerson(ctx, nobody)
	_, errMember := d.MemberOf(ctx, nobody, e.group, true)
	for what, err := range map[string]error{
		"ReadPerson": errRead, "MemberOf": errMember,
		"AddMember":          d.AddMember(ctx, e.writable, annaGUID),
		"RemoveMember":       d.RemoveMember(ctx, e.writable, annaGUID),
		"AddMember, no GUID": d.AddMember(ctx, e.writable, "no GUID"),
	} {
		if !errors.Is(err, directory.ErrNoPerson) {
			t.Errorf("%s of nobody: %v, want directory.ErrNoPerson", what, err)
		}
	}
}

func testRefusals(t *testing.T, e env) {
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("s3cret-and-wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	ca := otherCA(t)
	for _, c := range []struct {
		name  string
		spoil func(*Config)
		want  string
	}{
		{"wrong password", func(c *Config) { c.PasswordFile = wrong }, "Invalid Credentials (49)"},
		{"wrong account", func(c *Config) { c.Bind = "nobody@nowhere.example" }, "bind as nobody@nowhere.example: Invalid Credentials (49)"},
		{"wrong CA", func(c *Config) { c.CAFile = ca }, "not signed by the CA in " + ca},
		{"wrong base", func(c *Config) { c.Base = "OU=None," + c.Base }, "check IDLESEAT_AD_BASE"},
	} {
		e := e
		c.spoil(&e.config)
		err := open(t, e.config).ListPeople(t.Context(), func(directory.ADUser) error { return nil })
		t.Log(err)
		checkError(t, err, c.want)
	}
}
