package activedirectory

import (
	"errors"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const emeaBase = "DC=emea,DC=example,DC=test"

func emeaPerson(rid byte) *ber.Packet {
	attributes := []string{"objectSid", "\x01\x02\x00\x00\x00\x00\x00\x05\x16\x00\x00\x00" + string(rid) + "\x00\x00\x00",
		"objectGUID", strings.Repeat(string(rid), 16), "sAMAccountName", "q", "objectClass", "user"}
	return entry("CN=q,"+emeaBase, append(attributes, readable...)...)
}

// ofSeats are the members of the group "seats": anna, a person and a group of the second domain, a contact, and a
// person of another forest. One SID is in hexadecimal, the form of Windows. The fake returns one value in each answer,
// and Windows returns 1,500.
var ofSeats = []string{
	"<GUID=01>;<SID=S-1-5-21-1>;" + anna,
	"<GUID=02>;<SID=01020000000000051600000002000000>;CN=q," + emeaBase,
	"<GUID=09>;<SID=S-1-5-22-9>;CN=Inner," + emeaBase,
	"<GUID=77>;CN=contact," + emeaBase,
	"<GUID=88>;<SID=S-1-5-99-1-1-1-8>;CN=S-1-5-99-1-1-1-8,CN=ForeignSecurityPrincipals," + testBase,
}

func corpAnswers(r request) []*ber.Packet {
	none := searchDone(ldap.LDAPResultNoSuchObject)
	switch {
	case r.op != ldap.ApplicationSearchRequest:
		return nil
	case strings.HasPrefix(r.base, "<GUID=67676767"): // anna is in the group
		return found(seatsEntry())
	case strings.HasPrefix(r.base, "<GUID=01010101"), strings.Contains(r.filter, "S-1-5-21-1"):
		return found(person(1, "objectClass", "user"))
	case strings.HasPrefix(r.base, "<GUID="):
		return none
	case r.base == seats && len(r.attributes) == 1 && r.attributes[0] == "member":
		return found(entry(seats, "member;range=0-0", ofSeats[0]))
	case r.base == seats && len(r.attributes) == 1:
		for i := 1; i < len(ofSeats); i++ {
			if r.attributes[0] == "member;range="+string(rune('0'+i))+"-*" {
				end := string(rune('0' + i))
				if i == len(ofSeats)-1 {
					end = "*"
				}
				return found(entry(seats, "member;range="+string(rune('0'+i))+"-"+end, ofSeats[i]))
			}
		}
		return searchDone(ldap.LDAPResultOperationsError)
	case r.base == seats:
		return found(seatsEntry())
	case strings.Contains(r.filter, "objectClass=group"), strings.Contains(r.filter, "objectSid"), strings.Contains(r.filter, "sAMAccountName"):
		return found()
	default:
		return found(person(1, "objectClass", "user"))
	}
}

func emeaAnswers(r request) []*ber.Packet {
	inner := func() *ber.Packet {
		return entry("CN=Inner,"+emeaBase, "objectClass", "group", "objectGUID", strings.Repeat("i", 16), "objectSid", "\x01\x02\x00\x00\x00\x00\x00\x05\x16\x00\x00\x00\x09\x00\x00\x00",
			"member", "<GUID=03>;<SID=S-1-5-22-3>;CN=q,"+emeaBase, descriptor, openDescriptor)
	}
	switch {
	case r.op != ldap.ApplicationSearchRequest:
		return nil
	case r.base == "CN=Inner,"+emeaBase && len(r.attributes) == 1 && r.attributes[0] == "member":
		return found(inner()) // no member belongs to another domain
	case strings.HasPrefix(r.filter, "(|(objectSid="): // which of the members are groups
		var seen []*ber.Packet
		if strings.Contains(r.filter, "S-1-5-22-2)") {
			seen = append(seen, emeaPerson(2))
		}
		if strings.Contains(r.filter, "S-1-5-22-9)") {
			seen = append(seen, inner())
		}
		if strings.Contains(r.filter, "S-1-5-22-3)") {
			seen = append(seen, emeaPerson(3))
		}
		return found(seen...)
	case r.base == "CN=Inner,"+emeaBase:
		return found(inner())
	case strings.Contains(r.filter, "objectClass=group"):
		return found()
	case strings.Contains(r.filter, "memberOf:"), strings.Contains(r.filter, "S-1-5-22-3"):
		return found(emeaPerson(3))
	case strings.Contains(r.filter, "S-1-5-22-2"), strings.Contains(r.filter, "sAMAccountName=q"), strings.HasPrefix(r.base, "<GUID=02020202"):
		return found(emeaPerson(2))
	case strings.HasPrefix(r.base, "<GUID="):
		return searchDone(ldap.LDAPResultNoSuchObject)
	default:
		return found(emeaPerson(2), emeaPerson(3))
	}
}

func newForest(t *testing.T, emea home) (*Forest, *fake) {
	t.Helper()
	corp := newController(t, home{name: "dc1.corp.test", servers: []string{"dc1.corp.test"}}, corpAnswers)
	emea.base = emeaBase
	second := newController(t, emea, emeaAnswers)
	c := config(t, corp.ca, corp.url, second.url)
	c.Base = "OU=People," + testBase + ";" + emeaBase
	f, err := NewForest(c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.domains {
		d.dialer.Resolver = noNames
	}
	return f, corp
}

var emeaHome = home{name: "dc9.emea.test", servers: []string{"dc9.emea.test"}}

func TestForestReads(t *testing.T) {
	t.Parallel()
	f, _ := newForest(t, emeaHome)
	var all []string
	if err := f.ListPeople(t.Context(), func(u directory.ADUser) error { all = append(all, u.SID); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"S-1-5-21-1", "S-1-5-22-2", "S-1-5-22-3"}, all); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	for _, sid := range []string{"S-1-5-21-1", "S-1-5-22-2"} {
		if u, err := f.ReadPerson(t.Context(), sid); err != nil || u.SID != sid {
			t.Errorf("read %s: %+v, %v", sid, u, err)
		}
	}
	if _, err := f.ReadPerson(t.Context(), "S-1-5-99-1"); !errors.Is(err, directory.ErrNoPerson) {
		t.Errorf("somebody of no domain: %v", err)
	}
	if u, err := f.FindPerson(t.Context(), "q"); err != nil || u.SID != "S-1-5-22-2" {
		t.Errorf("found %+v, %v", u, err)
	}
	if watermark, err := f.ListFull(t.Context(), nil, func(directory.ADUser) error { return nil }); watermark != nil || err != nil {
		t.Errorf("watermark %v, %v", watermark, err)
	}
	if _, err := f.ListChanges(t.Context(), directory.Watermark{}, nil, nil, nil); !errors.Is(err, directory.ErrNoWatermark) {
		t.Errorf("changes: %v", err)
	}
}

func TestForestMembers(t *testing.T) {
	t.Parallel()
	f, _ := newForest(t, emeaHome)
	for direct, want := range map[bool][]string{true: {"S-1-5-21-1", "S-1-5-22-2"}, false: {"S-1-5-21-1", "S-1-5-22-2", "S-1-5-22-3"}} {
		var got []string
		err := f.ListMembers(t.Context(), seats, direct, func(sid string) error { got = append(got, sid); return nil })
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("members, direct %t: %v (-want +got):\n%s", direct, err, diff)
		}
	}
	for sid, want := range map[string][2]bool{"S-1-5-21-1": {true, true}, "S-1-5-22-2": {true, true}, "S-1-5-22-3": {false, true}} {
		direct, err1 := f.MemberOf(t.Context(), sid, seats, true)
		nested, err2 := f.MemberOf(t.Context(), sid, seats, false)
		if diff := cmp.Diff(want, [2]bool{direct, nested}); err1 != nil || err2 != nil || diff != "" {
			t.Errorf("%s: %v, %v (-want +got):\n%s", sid, err1, err2, diff)
		}
	}
	if _, err := f.MemberOf(t.Context(), "S-1-5-21-1", "CN=x,DC=elsewhere", true); !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("a group of no domain: %v", err)
	}
}

// TestForestWrites: only members from the group's own domain can be added or removed.
func TestForestWrites(t *testing.T) {
	t.Parallel()
	f, corp := newForest(t, emeaHome)
	if err := f.AddMember(t.Context(), seats, annaGUID); err != nil { // the group already lists her
		t.Error(err)
	}
	var refused *directory.Refusal
	if err := f.RemoveMember(t.Context(), seats, "AgICAgICAgICAgICAgICAg=="); !errors.As(err, &refused) || !strings.Contains(err.Error(), "another domain") {
		t.Errorf("a member of the other domain: %v", err)
	}
	if err := f.RemoveMember(t.Context(), seats, "BQUFBQUFBQUFBQUFBQUFBQ=="); !errors.Is(err, directory.ErrNoPerson) {
		t.Errorf("nobody: %v", err)
	}
	for _, r := range corp.requests() {
		if r.op == ldap.ApplicationModifyRequest {
			t.Errorf("written: %+v", r)
		}
	}
	if may, err := f.CanWrite(t.Context(), seats); err != nil || !may {
		t.Errorf("may write %t, %v", may, err)
	}
}

// TestDomainFoundByTheOther: a domain without a configured controller is reached through the controllers in CN=Sites.
// If they do not answer, the reading fails.
func TestDomainFoundByTheOther(t *testing.T) {
	t.Parallel()
	corp := newController(t, home{name: "dc1.corp.test", servers: []string{"dc9.emea.test"}}, corpAnswers)
	c := config(t, corp.ca, corp.url)
	c.Base = testBase + ";" + emeaBase
	f, err := NewForest(c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.domains {
		d.dialer.Resolver = noNames
	}
	err = f.ListPeople(t.Context(), func(directory.ADUser) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "ldaps://dc9.emea.test: connect") {
		t.Errorf("error %v", err)
	}
}

func TestValuesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]string{
		"member;range=1-*": "asked for from 0", "member;range=0-": "values came as", "member;range=0-5": "came with 1 values",
		"member;binary": "asked for from 0", "member;range=x-y": "asked for from 0",
	} {
		f := newFake(t, onSearch(func(r request) []*ber.Packet {
			if r.filter == "(objectClass=group)" {
				return found(seatsEntry())
			}
			return found(entry(seats, name, ofSeats[0]))
		}))
		_, err := open(t, config(t, f.ca, f.url)).foreignMembers(t.Context(), seats)
		if err == nil || !strings.Contains(err.Error(), fails) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := newFake(t, onSearch(func(r request) []*ber.Packet {
		if r.filter == "(objectClass=group)" {
			return found(seatsEntry())
		}
		return found(entry(seats, "member", "CN=not extended,"+emeaBase))
	}))
	if _, err := open(t, config(t, f.ca, f.url)).foreignMembers(t.Context(), seats); err == nil || !strings.Contains(err.Error(), "begin with its GUID") {
		t.Errorf("a plain DN: %v", err)
	}
}
