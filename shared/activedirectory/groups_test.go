package activedirectory

import (
	"context"
	"errors"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const (
	seats = `CN=Seats\, (all) *,OU=Licenses,` + testBase
	// inFilter is its DN as a filter must hold it.
	inFilter = `CN=Seats\5c, \28all\29 \2a,OU=Licenses,` + testBase
	anna     = "CN=p," + testBase
)

// groupAnswers plays a controller with one group, to which anna may belong.
func groupAnswers(member bool, modify uint16) func(request) []*ber.Packet {
	return func(r request) []*ber.Packet {
		switch {
		case r.op == ldap.ApplicationModifyRequest:
			return result(ldap.ApplicationModifyResponse, modify, "because")
		case r.op != ldap.ApplicationSearchRequest:
			return nil
		case r.filter == "(objectClass=group)":
			return found(entry(seats))
		case r.base == anna && !member:
			return found()
		default:
			return found(person(1))
		}
	}
}

func TestSetMember(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		add    bool
		code   uint16
		member bool // as read after a refusal
		fails  string
		err    error
	}{
		{name: "added", add: true},
		{name: "removed"},
		{name: "added twice, 68", add: true, code: ldap.LDAPResultEntryAlreadyExists, member: true},
		{name: "added twice, 20", add: true, code: ldap.LDAPResultAttributeOrValueExists, member: true},
		{name: "removed twice, 53", code: ldap.LDAPResultUnwillingToPerform},
		{name: "removed twice, 16", code: ldap.LDAPResultNoSuchAttribute},
		{name: "53 while still a member", code: ldap.LDAPResultUnwillingToPerform, member: true, fails: "Unwilling To Perform (53): because"},
		{name: "68 while no member", add: true, code: ldap.LDAPResultEntryAlreadyExists, fails: "Entry Already Exists (68)"},
		{name: "not allowed", code: ldap.LDAPResultInsufficientAccessRights, fails: "Insufficient Access Rights (50)"},
		{name: "no such user", add: true, code: ldap.LDAPResultNoSuchObject, fails: "no such person", err: directory.ErrNoPerson},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, groupAnswers(c.member, c.code))
			d := open(t, config(t, f.ca, f.url))
			set := d.RemoveMember
			if c.add {
				set = d.AddMember
			}
			err := set(t.Context(), seats, anna)
			checkError(t, err, c.fails)
			if c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%v is not %q", err, c.err)
			}
			if _, refused := errors.AsType[*directory.Refusal](err); refused != (c.code == ldap.LDAPResultInsufficientAccessRights) {
				t.Errorf("a refusal: %v", refused)
			}
		})
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
	err := open(t, config(t, first.ca, first.url, second.url)).AddMember(t.Context(), seats, anna)
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
			"AddMember":    func(ctx context.Context) error { return d.AddMember(ctx, seats, anna) },
			"RemoveMember": func(ctx context.Context) error { return d.RemoveMember(ctx, seats, anna) },
		} {
			if err := call(t.Context()); !errors.Is(err, directory.ErrNoGroup) {
				t.Errorf("%s: %s: %v, want directory.ErrNoGroup", name, what, err)
			}
		}
	}
}

// TestNoGroupWithoutName guards against the rootDSE, which has no name either.
func TestNoGroupWithoutName(t *testing.T) {
	t.Parallel()
	f := newFake(t, groupAnswers(true, 0))
	err := open(t, config(t, f.ca, f.url)).ListMembers(t.Context(), "", true, func(string) error { return nil })
	if !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("got %v, want ErrNoGroup", err)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	f := newFake(t, groupAnswers(true, 0))
	d := open(t, config(t, f.ca, f.url))
	for _, c := range []struct {
		direct bool
		filter string
	}{
		{true, "(memberOf=" + inFilter + ")"},
		{false, "(memberOf:1.2.840.113556.1.4.1941:=" + inFilter + ")"},
	} {
		var got []string
		err := d.ListMembers(t.Context(), strings.ToLower(seats), c.direct, func(sid string) error {
			got = append(got, sid)
			return nil
		})
		if diff := cmp.Diff([]string{"S-1-5-21-1"}, got); err != nil || diff != "" {
			t.Errorf("ListMembers: %v (-want +got):\n%s", err, diff)
		}
		if diff := cmp.Diff("(&"+isPerson+c.filter+")", f.last().filter); diff != "" {
			t.Errorf("filter of ListMembers (-want +got):\n%s", diff)
		}
		member, err := d.MemberOf(t.Context(), "S-1-5-21-1", seats, c.direct)
		if err != nil || !member {
			t.Errorf("MemberOf = %v, %v", member, err)
		}
		if last := f.last(); last.filter != c.filter || last.base != anna {
			t.Errorf("MemberOf asked %+v", last)
		}
	}
}
