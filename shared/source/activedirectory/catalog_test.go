package activedirectory

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestMembersOfAnotherDomain reads a group. One of its members is a group of a domain that is not configured. If that
// member may have people of the configured domain within it, the members must be unknown.
func TestMembersOfAnotherDomain(t *testing.T) {
	t.Parallel()
	const user, universal, global = "user", "-2147483640", "-2147483646"
	sid := func(rid byte) string {
		return "\x01\x02\x00\x00\x00\x00\x00\x05\x16\x00\x00\x00" + string(rid) + "\x00\x00\x00"
	}
	for name, c := range map[string]struct {
		members map[byte]string // in the global catalog, by RID: "user", or the groupType; nil if there is no global catalog
		fails   []string
	}{
		"global group":    {members: map[byte]string{2: user, 9: global}},
		"universal group": {members: map[byte]string{2: user, 9: universal}, fails: []string{`its member "CN=Inner,DC=emea,`, "name its domain in IDLESEAT_AD_BASE, too, as " + testBase + ";" + emeaBase}},
		"unseen user":     {members: map[byte]string{9: global}, fails: []string{`its member "CN=q,DC=emea,`, "IDLESEAT_AD_BASE"}},
		"no catalog":      {fails: []string{"3269: connect: ", "IDLESEAT_AD_BASE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			corp := newFake(t, corpAnswers)
			d := open(t, config(t, corp.ca, corp.url))
			if c.members != nil {
				catalog := newController(t, home{mute: true}, onSearch(func(r request) []*ber.Packet {
					var shown []*ber.Packet
					for rid, kind := range c.members {
						class := []string{"objectClass", "group", "groupType", kind}
						if kind == user {
							class = []string{"objectClass", "user"}
						}
						shown = append(shown, entry("CN=x,"+emeaBase, append(class, "objectSid", sid(rid))...))
					}
					return found(shown...)
				}))
				at, err := parseController(corp.url)
				if err != nil {
					t.Fatal(err)
				}
				stand(t, d, catalog, at.catalog())
			}
			f := &Forest{domains: []*Directory{d}}
			list := func(direct bool) (got []string, err error) {
				err = f.ListMembers(t.Context(), seats, direct, func(sid string) error { got = append(got, sid); return nil })
				slices.Sort(got)
				return slices.Compact(got), err
			}
			got, err := list(false)
			if len(c.fails) == 0 {
				if diff := cmp.Diff([]string{"S-1-5-21-1"}, got); diff != "" || err != nil {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
			for _, part := range c.fails {
				if !errors.Is(err, directory.ErrNoGroup) || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want %q", err, part)
				}
			}
			if _, err := list(true); err != nil {
				t.Errorf("the group's own list: %v", err)
			}
			if in, err := f.MemberOf(t.Context(), "S-1-5-21-1", seats, false); err != nil || !in {
				t.Errorf("a listed person: %t, %v", in, err)
			}
		})
	}
}

// TestMemberOfWithGroupOfAnotherDomain: the only member of a group is a group of a domain that is not configured.
// Whether a person belongs to the outer group must then be unknown.
func TestMemberOfWithGroupOfAnotherDomain(t *testing.T) {
	t.Parallel()
	corp := newFake(t, onSearch(func(r request) []*ber.Packet {
		switch {
		case r.base == seats && len(r.attributes) == 1 && r.attributes[0] == "member":
			return found(entry(seats, "member", ofSeats[2]))
		case strings.Contains(r.filter, "(member:"):
			return found()
		}
		return corpAnswers(r)
	}))
	in, err := open(t, config(t, corp.ca, corp.url)).MemberOf(t.Context(), "S-1-5-21-1", seats, false)
	if in || !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("member %t, %v; want unknown", in, err)
	}
}

// TestOtherMembers: two domains are configured, and a group has a member from outside its own domain. With nested
// groups, the kind of this member decides whether all members are known. Without nested groups, they are always known.
func TestOtherMembers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ member, fails string }{
		"another forest":      {member: ofSeats[4]},
		"everybody":           {"<GUID=88>;<SID=S-1-5-11>;CN=S-1-5-11,CN=ForeignSecurityPrincipals," + testBase, "stands for accounts that no list names"},
		"unseen in its home":  {"<GUID=08>;<SID=S-1-5-22-8>;CN=hidden," + emeaBase, "may not read 1 members of the group"},
		"SID of no domain":    {"<GUID=08>;<SID=S-1-5-99-8>;CN=moved," + emeaBase, "S-1-5-99-8 of a member is of none of the domains"},
		"an unnamed domain":   {"<GUID=08>;<SID=S-1-5-23-8>;CN=x,DC=apac,DC=example,DC=test", testBase + ";DC=apac,DC=example,DC=test"},
		"contact of a domain": {member: ofSeats[3]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			corp := newFake(t, onSearch(func(r request) []*ber.Packet {
				if r.base == seats && len(r.attributes) == 1 && r.attributes[0] == "member" {
					return found(entry(seats, "member", c.member))
				}
				return corpAnswers(r)
			}))
			emea := emeaHome
			emea.base = emeaBase
			second := newController(t, emea, emeaAnswers)
			conf := config(t, corp.ca, corp.url, second.url)
			conf.Base = testBase + ";" + emeaBase
			f, err := NewForest(conf, func() time.Time { return testNow })
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.domains {
				d.dialer.Resolver = noNames
			}
			for direct, fails := range map[bool]string{true: "", false: c.fails} {
				err := f.ListMembers(t.Context(), seats, direct, func(string) error { return nil })
				checkError(t, err, fails)
				if fails != "" && !errors.Is(err, directory.ErrNoGroup) {
					t.Errorf("%v does not make the members unknown", err)
				}
			}
		})
	}
}
