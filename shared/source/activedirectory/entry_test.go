package activedirectory

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

var testNow = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func TestTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filetime string
		want     time.Time
		wrong    bool
	}{
		{filetime: "134398980000000000", want: testNow},
		{filetime: "134398980000000012", want: testNow.Add(1200)},
		{filetime: "134399844000000000", want: testNow.Add(24 * time.Hour)},
		{filetime: "134399844010000000", wrong: true}, // a second more than a day ahead
		{filetime: "125911584000000000", want: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{filetime: "125911583999999999"}, // just before 2000
		{filetime: "116444736000000000"}, // 1970
		{filetime: "0"},                  // never
		{filetime: "-1"},                 // an interval
		{filetime: "-9223372036854775808"},
		{filetime: "9223372036854775807"},              // never
		{filetime: "9223372036854775806", wrong: true}, // year 30828
		{filetime: "9223372036854775808", wrong: true},
		{filetime: "", wrong: true},
		{filetime: "20260101000000.0Z", wrong: true},
		{filetime: "1e9", wrong: true},
		{filetime: " 1", wrong: true},
	} {
		got, err := Time(c.filetime, testNow)
		if !got.Equal(c.want) || (err != nil) != c.wrong {
			t.Errorf("Time(%q) = %v, %v; want %v, error: %v", c.filetime, got, err, c.want, c.wrong)
		}
	}
}

func TestSID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{"\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00", "S-1-5-18"},
		{"\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x02\x03\x04\xff\xff\xff\xff\x00\x00\x00\x00\xf4\x01\x00\x00",
			"S-1-5-21-67305985-4294967295-0-500"},
		{"\x01\x00\x01\x00\x00\x00\x00\x05", "S-1-1099511627781"},
		{"", ""},
		{"\x01\x01\x00\x00\x00\x00\x00\x05", ""}, // too short
		{"\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00\x00", ""},       // too long
		{"\x02\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00", ""},           // another revision
		{"\x01\xff\x00\x00\x00\x00\x00\x05" + strings.Repeat("x", 60), ""}, // the length byte is too large
	} {
		got, err := SID([]byte(c.raw))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("SID(%q) = %q, %v; want %q", c.raw, got, err, c.want)
		}
	}
}

func TestParsePerson(t *testing.T) {
	t.Parallel()
	attributes := map[string][]string{
		"objectSid":                  {rawSID(7)},
		"objectGUID":                 {"\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"},
		"mS-DS-ConsistencyGuid":      {"\x00\xff"},
		"SAMACCOUNTNAME":             {"anna"},
		"userPrincipalName":          {"anna@corp.example.test"},
		"displayName":                {"Anna \xff\x00Ås"},
		"mail":                       {"a@example.test", "second@example.test"},
		"department":                 {"Sales"},
		"employeeType":               {"Employee"},
		"employeeID":                 {"17"},
		"title":                      {"Head"},
		"company":                    {"Corp"},
		"physicalDeliveryOfficeName": {"Oslo 3"},
		"co":                         {"Norway"},
		"userAccountControl":         {"514"},
		"whenCreated":                {"19990401080910.0Z"},
		"lastLogonTimestamp":         {"134398980000000000"},
		"extensionAttribute1":        {"one"},
		"extensionAttribute15":       {"fifteen"},
		"unknownAttribute":           {"x"},
		"info":                       nil,
	}
	want := directory.ADUser{
		SID: "S-1-5-21-7", GUID: "MyIRAFVEd2aImaq7zN3u/w==", ConsistencyGUID: "AP8=", DN: "CN=a", SAMAccount: "anna",
		UserPrincipalName: "anna@corp.example.test", DisplayName: "Anna ��Ås", Mail: "a@example.test",
		Department: "Sales", EmployeeType: "Employee", EmployeeID: "17", Title: "Head", Company: "Corp", Office: "Oslo 3",
		Country: "Norway", Enabled: directory.No, Created: time.Date(1999, 4, 1, 8, 9, 10, 0, time.UTC),
		LastLogonTimestamp: testNow, Extension: directory.ExtensionAttributes{0: "one", 14: "fifteen"},
	}
	got, err := parsePerson(ldap.NewEntry("CN=a", attributes), testNow)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("parsePerson: %v (-want +got):\n%s", err, diff)
	}
}

func TestParsePersonRefuses(t *testing.T) {
	t.Parallel()
	whole := map[string]string{"objectSid": rawSID(7), "objectGUID": strings.Repeat("g", 16)}
	for _, c := range []struct{ attribute, value, want string }{
		{"objectSid", "", "objectSid"},
		{"objectGUID", "", "objectGUID"},
		{"objectSid", "S-1-5-21-7", "objectSid"},
		{"objectGUID", "short", "objectGUID: 5 bytes, not 16"},
		{"userAccountControl", "0x200", "userAccountControl"},
		{"whenCreated", "2026-01-01T00:00:00Z", "whenCreated"},
		{"lastLogonTimestamp", "yesterday\x00", `lastLogonTimestamp: "yesterday�" is no FILETIME`},
	} {
		attributes := map[string][]string{}
		for name, value := range whole {
			attributes[name] = []string{value}
		}
		attributes[c.attribute] = []string{c.value}
		if c.value == "" {
			delete(attributes, c.attribute)
		}
		_, err := parsePerson(ldap.NewEntry("CN=a", attributes), testNow)
		if !errors.Is(err, errEntry) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"CN=a"`) {
			t.Errorf("%s = %q: %v; want an error with %q", c.attribute, c.value, err, c.want)
		}
	}
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"0", "-1", "9223372036854775807", "134398980000000000", "x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Time(s, testNow)
		if got.IsZero() {
			return
		}
		ticks, _ := strconv.ParseInt(s, 10, 64)
		back := (got.Unix()+11644473600)*1e7 + int64(got.Nanosecond()/100)
		if err != nil || back != ticks || got.Year() < 2000 || got.After(testNow.Add(24*time.Hour)) {
			t.Errorf("Time(%q) = %v, %v", s, got, err)
		}
		if ticks == math.MaxInt64 {
			t.Errorf("Time(%q) is a date", s)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add("CN=a", "displayName", []byte("Anna \xff\x00"), []byte(rawSID(1)), []byte("0123456789abcdef"))
	f.Add("", "whenCreated", []byte("20260101120000.0Z"), []byte(rawSID(1)), []byte("0123456789abcdef"))
	f.Add("CN=a", "lastLogonTimestamp", []byte("134398980000000000"), []byte(rawSID(1)), []byte("0123456789abcdef"))
	f.Add("CN=a", "userAccountControl", []byte("-1"), []byte("\x01\xff"), []byte("short"))
	f.Fuzz(func(t *testing.T, dn, name string, value, sid, guid []byte) {
		e := ldap.NewEntry(dn, map[string][]string{"objectSid": {string(sid)}, "objectGUID": {string(guid)}})
		e.Attributes = append(e.Attributes, ldap.NewEntryAttribute(name, []string{string(value)}))
		u, err := parsePerson(e, testNow)
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Errorf("error is not UTF-8: %q", err)
			}
			return
		}
		if u.SID == "" || u.GUID == "" {
			t.Errorf("an entry without key passes: %+v", u)
		}
		for _, p := range directory.ADProperties {
			if s, is := p.At(&u).(*string); is && (!utf8.ValidString(*s) || strings.Contains(*s, "\x00")) {
				t.Errorf("%s is not clean: %q", p.Source, *s)
			}
		}
		if !utf8.ValidString(u.DN) {
			t.Errorf("DN is not UTF-8: %q", u.DN)
		}
	})
}

// TestDatesOfPasswordAndExpiry checks that 0 and the largest number mean no date. For a password, 0 also means that the
// person must change the password (MS-ADA3, pwdLastSet; MS-ADA1, accountExpires).
func TestDatesOfPasswordAndExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	read := func(name, value string) (directory.ADUser, error) {
		var u directory.ADUser
		err := readers[name](&u, []byte(value), now)
		return u, err
	}
	at := func(t time.Time) string { return strconv.FormatInt((t.Unix()+11644473600)*1e7, 10) }
	past, future, long := now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), time.Date(1999, 5, 1, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]directory.ADUser{
		"0": {}, "9223372036854775807": {}, "-1": {}, at(past): {PasswordSet: past}, at(future): {Unreadable: []string{"pwdLastSet"}},
	} {
		if got, err := read("pwdlastset", value); err != nil || !cmp.Equal(got, want) {
			t.Errorf("pwdLastSet %s: %+v, %v", value, got, err)
		}
	}
	for value, want := range map[string]time.Time{
		"0": {}, "9223372036854775807": {}, "9223372036854775806": {}, at(past): past, at(future): future, at(long): long,
	} {
		if got, err := read("accountexpires", value); err != nil || !got.Expires.Equal(want) {
			t.Errorf("accountExpires %s: %s, %v", value, got.Expires, err)
		}
	}
	for _, name := range []string{"pwdlastset", "accountexpires"} {
		if _, err := read(name, "soon"); err == nil {
			t.Errorf("%s is read off a word", name)
		}
	}
}
