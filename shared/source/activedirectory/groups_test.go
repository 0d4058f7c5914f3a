package activedirectory

import (
	"context"
	"errors"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

const (
	seats    = `CN=Seats\, (all) *,OU=Licenses,` + testBase
	anna     = "CN=p," + testBase
	annaGUID = "AQEBAQEBAQEBAQEBAQEBAQ=="
)

func seatsEntry() *ber.Packet {
	return entry(seats, "objectGUID", strings.Repeat("g", 16), "objectSid", rawSID(100), "allowedAttributesEffective", "member",
		descriptor, openDescriptor)
}

// groupAnswers returns the answers of a controller with one group. The argument "member" says whether anna is in it,
// and "modify" is the result code of a change.
func groupAnswers(member bool, modify uint16) func(request) []*ber.Packet {
	return func(r request) []*ber.Packet {
		switch {
		case r.op == ldap.ApplicationModifyRequest:
			return result(ldap.ApplicationModifyResponse, modify, "because")
		case r.op != ldap.ApplicationSearchRequest:
			return nil
		case r.filter == "(objectClass=group)":
			return found(seatsEntry())
		case strings.Contains(r.filter, "(member") && !member:
			return found()
		default:
			return found(person(1, "objectClass", "user"))
		}
	}
}

func TestSetMember(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		add     bool
		code    uint16
		before  bool // whether the group lists anna before the write
		after   bool // whether the group lists anna when it is read after a refusal
		nested  bool // whether anna is in the group through another group
		primary bool // whether the group is anna's primary group
		class   string
		fails   string
		err     error
		refused bool
		writes  int
	}{
		{name: "added", add: true, writes: 1},
		{name: "removed", before: true, writes: 1},
		{name: "is in it already", add: true, before: true},
		{name: "is out of it already"},
		{name: "added meanwhile, 68", add: true, code: ldap.LDAPResultEntryAlreadyExists, after: true, writes: 1},
		{name: "added meanwhile, 20", add: true, code: ldap.LDAPResultAttributeOrValueExists, after: true, writes: 1},
		{name: "removed meanwhile, 53", before: true, code: ldap.LDAPResultUnwillingToPerform, writes: 1},
		{name: "removed meanwhile, 16", before: true, code: ldap.LDAPResultNoSuchAttribute, writes: 1},
		{name: "53 while still a member", before: true, after: true, code: ldap.LDAPResultUnwillingToPerform, fails: "Unwilling To Perform (53): because", writes: 1},
		{name: "68 while no member", add: true, code: ldap.LDAPResultEntryAlreadyExists, fails: "Entry Already Exists (68)", writes: 1},
		{name: "not allowed", before: true, code: ldap.LDAPResultInsufficientAccessRights, fails: "Insufficient Access Rights (50)", refused: true, writes: 1},
		{name: "nested only", nested: true, fails: "by way of another group only", refused: true},
		{name: "removed meanwhile, and nested", before: true, nested: true, code: ldap.LDAPResultUnwillingToPerform,
			fails: "by way of another group only", refused: true, writes: 1},
		{name: "primary group", primary: true, fails: "is the account's primary group", refused: true},
		{name: "of another forest", class: "foreignSecurityPrincipal", fails: "belongs to another forest", refused: true},
		{name: "no user", class: "group", fails: "no such person", err: directory.ErrNoPerson},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			writes := 0
			f := newFake(t, func(r request) []*ber.Packet {
				listed := c.before
				if writes > 0 {
					listed = c.after
				}
				switch {
				case r.op == ldap.ApplicationModifyRequest:
					writes++
					return result(ldap.ApplicationModifyResponse, c.code, "because")
				case r.op != ldap.ApplicationSearchRequest:
					return nil
				case r.filter == "(objectClass=group)":
					return found(seatsEntry())
				case strings.Contains(r.filter, "(member=") && !listed, strings.Contains(r.filter, "(member:") && !c.nested:
					return found()
				}
				class, primary := c.class, "513"
				if class == "" {
					class = "user"
				}
				if c.primary {
					primary = "100"
				}
				return found(person(1, "objectClass", class, "primaryGroupID", primary))
			})
			d := open(t, config(t, f.ca, f.url))
			set := d.RemoveMember
			if c.add {
				set = d.AddMember
			}
			err := set(t.Context(), seats, annaGUID)
			checkError(t, err, c.fails)
			if c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%v is not %q", err, c.err)
			}
			if _, refused := errors.AsType[*directory.Refusal](err); refused != c.refused || writes != c.writes {
				t.Errorf("a refusal: %v, after %d writes", refused, writes)
			}
			for _, r := range f.requests() {
				if r.op == ldap.ApplicationModifyRequest && r.base != "<GUID=67676767-6767-6767-6767-676767676767>" {
					t.Errorf("%+v does not name by GUID", r)
				}
			}
		})
	}
}

func TestBadGUID(t *testing.T) {
	t.Parallel()
	f := newFake(t, groupAnswers(false, 0))
	d := open(t, config(t, f.ca, f.url))
	for _, guid := range []string{"", anna, "AQEB", "%"} {
		if err := d.AddMember(t.Context(), seats, guid); !errors.Is(err, directory.ErrNoPerson) {
			t.Errorf("%q: %v, want directory.ErrNoPerson", guid, err)
		}
	}
}

func TestGUIDDN(t *testing.T) {
	t.Parallel()
	raw := "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
	got, err := guidDN([]byte(raw))
	if want := "<GUID=00112233-4455-6677-8899-aabbccddeeff>"; err != nil || got != want {
		t.Errorf("guidDN = %q, %v; want %q", got, err, want)
	}
}

func TestCanWrite(t *testing.T) {
	t.Parallel()
	for may, e := range map[bool]*ber.Packet{
		true:  seatsEntry(),
		false: entry(seats, "objectGUID", strings.Repeat("g", 16), "objectSid", rawSID(100)),
	} {
		f := newFake(t, onSearch(func(request) []*ber.Packet { return found(e) }))
		if got, err := open(t, config(t, f.ca, f.url)).CanWrite(t.Context(), seats); err != nil || got != may {
			t.Errorf("CanWrite = %v, %v; want %v", got, err, may)
		}
	}
}

func TestBrokenWriteIsNotRepeated(t *testing.T) {
	t.Parallel()
	whole := groupAnswers(false, 0)
	first := newFake(t, func(r request) []*ber.Packet {
		if r.op == ldap.ApplicationModifyRequest {
			return cut
		}
		return whole(r)
	})
	second := newFake(t, whole)
	err := open(t, config(t, first.ca, first.url, second.url)).AddMember(t.Context(), seats, annaGUID)
	checkError(t, err, "add ")
	if len(second.requests()) > 0 {
		t.Error("a write that may have happened was sent to another controller")
	}
}

func TestNoGroup(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string][]*ber.Packet{
		"nothing of the name":        searchDone(ldap.LDAPResultNoSuchObject),
		"no DN":                      searchDone(ldap.LDAPResultInvalidDNSyntax),
		"of another domain":          searchDone(ldap.LDAPResultReferral),
		"something that is no group": found(),
	} {
		f := newFake(t, onSearch(func(request) []*ber.Packet { return answer }))
		d := open(t, config(t, f.ca, f.url))
		for what, call := range map[string]func(context.Context) error{
			"ListMembers": func(ctx context.Context) error {
				return d.ListMembers(ctx, seats, true, func(string) error { return nil })
			},
			"MemberOf": func(ctx context.Context) error {
				_, err := d.MemberOf(ctx, "S-1-5-21-1", seats, true)
				return err
			},
			"AddMember":    func(ctx context.Context) error { return d.AddMember(ctx, seats, annaGUID) },
			"RemoveMember": func(ctx context.Context) error { return d.RemoveMember(ctx, seats, annaGUID) },
		} {
			if err := call(t.Context()); !errors.Is(err, directory.ErrNoGroup) {
				t.Errorf("%s: %s: %v, want directory.ErrNoGroup", name, what, err)
			}
		}
	}
}

// TestNoGroupWithoutName: an empty DN finds no group, although it is the DN of the rootDSE.
func TestNoGroupWithoutName(t *testing.T) {
	t.Parallel()
	f := newFake(t, groupAnswers(true, 0))
	err := open(t, config(t, f.ca, f.url)).ListMembers(t.Context(), "", true, func(string) error { return nil })
	if !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("got %v, want ErrNoGroup", err)
	}
}
