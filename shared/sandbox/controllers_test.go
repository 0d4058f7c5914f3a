package sandbox

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

// The type "pair" is a company with two or more controllers and a connection to each.
type pair struct {
	*testing.T
	s     *Sandbox
	c     *Company
	clock *clock
	conns []*ldap.Conn
}

func newPair(t *testing.T) *pair {
	t.Helper()
	now := newClock()
	s := start(t, Options{Users: 60, Now: now.now, Controllers: 2})
	p := &pair{T: t, s: s, c: s.Company, clock: now}
	for n := range 2 {
		p.connect(n)
	}
	return p
}

func (p *pair) connect(n int) {
	p.Helper()
	conn := dialTo(p, p.s, p.s.ADURLs()[n])
	if err := conn.Bind(p.s.Bind, string(read(p, p.s.PasswordFile))); err != nil {
		p.Fatal(err)
	}
	p.conns = append(p.conns, conn)
}

// The method "get" returns the first value of an attribute of an object on a controller.
func (p *pair) get(n int, dn, attribute string) string {
	p.Helper()
	got, err := p.conns[n].Search(request(dn, ldap.ScopeBaseObject, "(objectClass=*)", attribute))
	if err != nil || len(got.Entries) != 1 {
		p.Fatalf("%q on controller %d: %v", dn, n, err)
	}
	return string(got.Entries[0].GetRawAttributeValue(attribute))
}

func (p *pair) dates(n, i int) [2]string {
	dn := p.c.Person(i).AD.DN
	return [2]string{p.get(n, dn, "lastLogon"), p.get(n, dn, "lastLogonTimestamp")}
}

func (p *pair) members(n int) []string {
	p.Helper()
	got, err := p.conns[n].Search(request(CitrixGroup, ldap.ScopeBaseObject, "(objectClass=*)", "member"))
	if err != nil {
		p.Fatal(err)
	}
	return got.Entries[0].GetAttributeValues("member")
}

// TestLogonsOfControllers: a logon changes lastLogon at its controller only. It changes lastLogonTimestamp there if the
// date is old, and the other controller gets this date after the delay, or when the replication runs again.
func TestLogonsOfControllers(t *testing.T) {
	t.Parallel()
	const idle = 2
	p := newPair(t)
	p.c.Delay(1, 0, time.Hour)
	before, usn := p.dates(0, idle), p.get(0, "", "highestCommittedUSN")
	at := fileTime(p.clock.now().Truncate(time.Second))
	p.c.LogOnAt(idle, 1)
	if diff := cmp.Diff([2]string{at, at}, p.dates(1, idle)); diff != "" {
		t.Errorf("at the controller of the logon (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, p.dates(0, idle)); diff != "" || p.get(0, "", "highestCommittedUSN") != usn {
		t.Errorf("at the other controller at once (-want +got):\n%s", diff)
	}
	p.c.Replicate(1, 0, false)
	p.clock.turn(2 * time.Hour)
	if diff := cmp.Diff(before, p.dates(0, idle)); diff != "" {
		t.Errorf("while nothing replicates (-want +got):\n%s", diff)
	}
	p.c.Replicate(1, 0, true)
	if diff := cmp.Diff([2]string{before[0], at}, p.dates(0, idle)); diff != "" || p.get(0, "", "highestCommittedUSN") == usn {
		t.Errorf("after the replication (-want +got):\n%s", diff)
	}
	usn = p.get(1, "", "highestCommittedUSN")
	p.c.LogOnAt(idle, 1)
	again := fileTime(p.clock.now().Truncate(time.Second))
	if diff := cmp.Diff([2]string{again, at}, p.dates(1, idle)); diff != "" || p.get(1, "", "highestCommittedUSN") != usn {
		t.Errorf("a second logon on the day (-want +got):\n%s", diff)
	}
}

// TestMembersOfControllers: a membership that a client removes at one controller stays at the other one until it
// replicates.
func TestMembersOfControllers(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.c.Delay(1, 0, time.Hour)
	person := p.c.Person(2).AD.DN
	remove := func(n int) error {
		change := ldap.NewModifyRequest(CitrixGroup, nil)
		change.Delete("member", []string{person})
		return p.conns[n].Modify(change)
	}
	if err := remove(1); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(p.members(1), person) || !slices.Contains(p.members(0), person) || len(p.c.Truth(2).Citrix) > 0 {
		t.Error("removed at the second controller: it is not that this controller alone shows it")
	}
	if err := remove(1); !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
		t.Errorf("removed again at the second controller: %v", err)
	}
	if err := remove(0); err != nil {
		t.Errorf("removed at the first controller, too: %v", err)
	}
	p.c.WriteAt(1)
	p.c.SetMember(2, "Citrix Users", true)
	if !slices.Contains(p.members(1), person) || slices.Contains(p.members(0), person) {
		t.Error("added at the second controller: it is not that this controller alone shows it")
	}
	p.clock.turn(time.Hour)
	if !slices.Contains(p.members(0), person) {
		t.Error("not added at the first controller after the delay")
	}
}

// servers returns the DNS names and the raw invocationIds that a controller lists.
func (p *pair) servers(n int) (hosts, invocations []string) {
	p.Helper()
	got, err := p.conns[n].Search(request(sitesDN, ldap.ScopeWholeSubtree, "(objectClass=*)", "dNSHostName", "invocationId"))
	if err != nil {
		p.Fatal(err)
	}
	for _, e := range got.Entries {
		hosts = append(hosts, e.GetAttributeValues("dNSHostName")...)
		for _, raw := range e.GetRawAttributeValues("invocationId") {
			invocations = append(invocations, string(raw))
		}
	}
	return hosts, invocations
}

// synced returns when a controller received the changes of each other one, by raw invocationId.
func (p *pair) synced(n int) map[string]time.Time {
	const head, cursor, from1601 = 16, 32, 11_644_473_600
	raw, all := p.get(n, BaseDN, "replUpToDateVector"), map[string]time.Time{}
	for c := range slices.Chunk([]byte(raw)[head:], cursor) {
		all[string(c[:16])] = time.Unix(int64(binary.LittleEndian.Uint64(c[24:]))-from1601, 0).UTC()
	}
	return all
}

// TestRestoredController: a controller that is restored from a backup has another invocationId and lower USNs. It gets
// its changes back from the other controller, but no lastLogon.
func TestRestoredController(t *testing.T) {
	t.Parallel()
	const idle, other = 2, 3 // "other" logs on so that the controller makes a second change
	p := newPair(t)
	p.c.BackUp(1)
	_, was := p.servers(0)
	backup := p.dates(1, idle)
	at := fileTime(p.clock.now().Truncate(time.Second))
	p.c.LogOnAt(idle, 1)
	p.c.LogOnAt(other, 1)
	p.c.WriteAt(1)
	p.c.SetMember(idle, "Citrix Users", false)
	usn := p.get(1, "", "highestCommittedUSN")
	p.clock.turn(time.Hour)
	p.c.Delay(0, 1, time.Hour)
	p.c.RestoreController(1, 0)
	if got := p.get(1, "", "highestCommittedUSN"); got >= usn {
		t.Errorf("highestCommittedUSN is %s after the restore, and was %s", got, usn)
	}
	if diff := cmp.Diff(backup, p.dates(1, idle)); diff != "" {
		t.Errorf("before the replication (-want +got):\n%s", diff)
	}
	_, is := p.servers(0)
	if is[0] != was[0] || is[1] == was[1] {
		t.Errorf("invocationIds: %x, were %x", is, was)
	}
	if got := p.synced(1)[is[0]]; !got.Equal(testStart.Truncate(time.Second)) {
		t.Errorf("received the changes of the other one until %s, but the backup is of %s", got, testStart)
	}
	p.clock.turn(time.Hour)
	if diff := cmp.Diff([2]string{backup[0], at}, p.dates(1, idle)); diff != "" || slices.Contains(p.members(1), p.c.Person(idle).AD.DN) {
		t.Errorf("after the replication (-want +got):\n%s", diff)
	}
	if got := p.c.LastShown(idle); fileTime(got) != at {
		t.Errorf("the newest date of any controller: %s", got)
	}
}

// TestListOfControllers: the directory lists the controllers that are there, and says until when the changes of each
// other one have arrived.
func TestListOfControllers(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	third, err := p.s.AddController(0)
	if err != nil {
		t.Fatal(err)
	}
	p.connect(third)
	if hosts, _ := p.servers(third); fmt.Sprint(hosts) != "[127.0.0.2 127.0.0.3 127.0.0.4]" {
		t.Errorf("listed: %q", hosts)
	}
	_, ids := p.servers(0)
	began := p.clock.now().Truncate(time.Second)
	p.c.Replicate(1, 0, false)
	p.clock.turn(time.Hour)
	p.c.Delay(2, 0, time.Hour)
	p.c.LogOnAt(2, 2)
	p.clock.turn(time.Minute)
	want := map[string]time.Time{ids[1]: began, ids[2]: began.Add(time.Hour)}
	if diff := cmp.Diff(want, p.synced(0)); diff != "" {
		t.Errorf("one stopped, one late (-want +got):\n%s", diff)
	}
	p.s.Demote(third)
	if hosts, _ := p.servers(1); fmt.Sprint(hosts) != "[127.0.0.2 127.0.0.3]" || len(p.s.ADURLs()) != 2 {
		t.Errorf("listed after the third was demoted: %q, %q", hosts, p.s.ADURLs())
	}
	if got := p.dates(0, 2)[1]; got != fileTime(began.Add(time.Hour)) {
		t.Error("a demoted controller has not passed its changes on")
	}
	p.s.Reach(1, false)
	if _, err := p.conns[1].Search(request("", ldap.ScopeBaseObject, "(objectClass=*)")); err == nil {
		t.Error("a controller out of reach answers")
	}
}
