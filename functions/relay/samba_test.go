package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

// TestSamba runs the tests that kill relays against a real Active Directory.
func TestSamba(t *testing.T) {
	const people, rigs = 1200, 2 * (kills + 1)
	var o samba.Options
	for i := range people {
		o.People = append(o.People, samba.Person{ADUser: directory.ADUser{
			DN: samba.DN(sambaName(i), samba.PeopleOU), SAMAccount: sambaName(i), Enabled: directory.Yes,
			LastLogonTimestamp: time.Now().AddDate(0, 0, -100-i%50).Truncate(time.Second).UTC(),
		}})
	}
	inner := samba.Group{DN: "CN=Inner," + samba.GroupsOU, Members: dns(o.People[40:60])}
	o.Groups = append(o.Groups, inner)
	for n := range rigs {
		o.Groups = append(o.Groups, samba.Group{DN: sambaGroup(n), Members: append(dns(o.People[:30]), inner.DN)})
	}
	d := samba.Run(t, o)
	all := map[string]directory.ADUser{}
	ad, err := activedirectory.NewForest(activedirectory.Config{URLs: d.URLs, Base: samba.PeopleOU, Bind: d.Admin, PasswordFile: d.PasswordFile, CAFile: d.CAFile}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := ad.ListPeople(t.Context(), func(u directory.ADUser) error { all[u.SAMAccount] = u; return nil }); err != nil || len(all) != people {
		t.Fatalf("%d people, %v", len(all), err)
	}
	groups := make(chan string, rigs)
	for n := range rigs {
		groups <- sambaGroup(n)
	}
	newRig := func(t *testing.T) *rig {
		t.Helper()
		return newRigOn(t, 3*time.Second, sambaDomain{d, all, <-groups})
	}
	t.Run("reading", func(t *testing.T) { killedWhileReading(t, newRig) })
	t.Run("writing", func(t *testing.T) { killedWhileWriting(t, newRig) })
}

func sambaName(i int) string { return fmt.Sprintf("p%05d", i) }

func sambaGroup(n int) string { return fmt.Sprintf("CN=Seats %d,%s", n, samba.GroupsOU) }

func dns(people []samba.Person) (all []string) {
	for _, p := range people {
		all = append(all, p.DN)
	}
	return all
}

// sambaDomain implements the interface domain with a real Active Directory. Each rig has a group of its own, so
// parallel tests do not change the same group. Direct members of the group are the first 30 people, and 20 more are in
// it through a nested group.
type sambaDomain struct {
	*samba.Domain
	people map[string]directory.ADUser // all people by sAMAccountName, from an undisturbed reading
	group  string
}

func (d sambaDomain) env(proxy string) []string {
	return []string{
		"IDLESEAT_AD_URLS=ldaps://" + proxy, "IDLESEAT_AD_BASE=" + samba.PeopleOU, "IDLESEAT_AD_BIND=" + d.Admin,
		"IDLESEAT_AD_PASSWORD_FILE=" + d.PasswordFile, "IDLESEAT_AD_CA=" + d.CAFile,
	}
}

func (d sambaDomain) address() string {
	return net.JoinHostPort(strings.TrimPrefix(d.URLs[0], "ldaps://"), "636")
}

func (d sambaDomain) everyone() protocol.Message {
	m := everyone
	m.Groups = []protocol.Group{{DN: d.group, Direct: true}, {DN: d.group}, {DN: "CN=Nobody Made This," + samba.GroupsOU}}
	return m
}

func (d sambaDomain) truth(*rig) seen {
	m := d.everyone()
	want := seen{People: map[string]directory.ADUser{}, Memberships: map[string][]string{}, Nested: map[string]bool{}, Unreadable: []string{m.Groups[2].Key()}, Sampled: len(d.people)}
	for _, u := range d.people {
		want.People[u.SID] = u
	}
	for i := range 60 {
		sid := d.people[sambaName(i)].SID
		switch {
		case i < 30:
			want.Memberships[sid] = []string{m.Groups[0].Key(), m.Groups[1].Key()}
		case i >= 40:
			want.Memberships[sid], want.Nested[sid] = []string{m.Groups[1].Key()}, true
		}
	}
	return want
}

func (d sambaDomain) changes(*rig) (list protocol.Changes) {
	for i := range 20 {
		u, action := d.people[sambaName(i)], protocol.Remove
		if i >= 12 {
			u, action = d.people[sambaName(100+i)], protocol.Add
		}
		list.Changes = append(list.Changes, protocol.Change{ID: "change-" + u.SAMAccount, SID: u.SID, GUID: u.GUID, Group: d.group, Action: action})
	}
	return list
}

func (d sambaDomain) written(r *rig) map[string]int {
	r.Helper()
	made, err := d.GroupChanges()
	if err != nil {
		r.Fatal(err)
	}
	got := map[string]int{}
	for _, c := range made {
		if !strings.EqualFold(c.Group, d.group) {
			continue
		}
		name, action := strings.TrimPrefix(strings.ToLower(strings.Split(c.Member, ",")[0]), "cn="), protocol.Remove
		if c.Added {
			action = protocol.Add
		}
		got[name+" "+string(action)]++
	}
	return got
}
