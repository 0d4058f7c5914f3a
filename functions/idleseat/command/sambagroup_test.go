package command

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

func administrator(t *testing.T, d *samba.Domain) *ldap.Conn {
	t.Helper()
	conn, err := d.Administrator(d.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestSambaWayBack takes Citrix from people in a real Samba domain. Then the group is renamed, and another group gets
// the old name. A restore adds people to the original group, and never to the other group.
func TestSambaWayBack(t *testing.T) {
	s := newShell(t, sandbox.Options{Users: 400, Seed: 5, LicenseDelay: 20 * time.Millisecond})
	d, _ := onPremises(t, s, samba.Options{}, nil)
	old, renamed := samba.DN("Citrix Users", samba.GroupsOU), samba.DN("Citrix 2027", samba.GroupsOU)
	admin := administrator(t, d)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := s.plan(exitDone)
	taken := slices.DeleteFunc(slices.Clone(p.Changes), func(c plan.Change) bool { return c.License != "citrix" })
	if len(taken) < 5 {
		t.Fatalf("%d are to lose Citrix", len(taken))
	}
	s.done(p.Run)
	s.longAgo()

	must(admin.ModifyDN(ldap.NewModifyDNRequest(old, "CN=Citrix 2027", true, "")))
	another := ldap.NewAddRequest(old, nil)
	another.Attribute("objectClass", []string{"top", "group"})
	another.Attribute("sAMAccountName", []string{"Citrix Users again"})
	must(admin.Add(another))

	ad, err := activedirectory.New(activedirectory.Config{URLs: d.URLs, Base: d.Base, Bind: d.Admin, PasswordFile: d.PasswordFile, CAFile: d.CAFile}, time.Now)
	must(err)
	in := func(c plan.Change, group string) bool {
		t.Helper()
		member, err := ad.MemberOf(t.Context(), c.SID, group, true)
		must(err)
		return member
	}
	one := func(c plan.Change, want runs.Status, note string) {
		t.Helper()
		status := exitDone
		if want == runs.Refused {
			status = exitHeld
		}
		r, _ := s.restoring(status, c.User)
		if x := r.Of(&c); x == nil || x.Status != want || !strings.Contains(x.Note, note) {
			t.Errorf("%+v, want %s with %q", x, want, note)
		}
		if back := in(c, renamed); back != (want == runs.Done) {
			t.Errorf("in the group: %t", back)
		}
	}
	// With the stored objects of the run, restore uses the original group, although its name has changed.
	one(taken[0], runs.Done, "is called "+renamed+" now")
	// With the ledger alone, restore uses the original group only if the policy names it.
	must(os.Rename(s.path("store/runs"), s.path("runs")))
	must(os.Rename(s.path("store/history"), s.path("history")))
	one(taken[1], runs.Refused, "held by the group that is "+renamed+" now, which the policy does not name for it")
	text, err := os.ReadFile(s.path("policy.yaml"))
	must(err)
	s.write("policy.yaml", replace(t, old, renamed)(string(text)))
	one(taken[1], runs.Done, "")
	s.write("policy.yaml", string(text))
	for _, folder := range []string{"runs", "history"} {
		must(os.RemoveAll(s.path("store/" + folder)))
		must(os.Rename(s.path(folder), s.path("store/"+folder)))
	}
	// The other people can still be restored after one account is deleted.
	gone, last := taken[2], taken[3]
	account, err := ad.ReadPerson(t.Context(), gone.SID)
	must(err)
	must(admin.Del(ldap.NewDelRequest(account.DN, nil)))
	for _, c := range taken[4:] {
		one(c, runs.Done, "")
	}
	r, _ := s.restoring(exitFailed, gone.User)
	if x := r.Of(&gone); x.Status != runs.Failed || !strings.Contains(x.Note, "no longer in Active Directory") {
		t.Errorf("the account that is gone: %+v", x)
	}
	must(admin.Del(ldap.NewDelRequest(renamed, nil)))
	r, _ = s.restoring(exitHeld, last.User)
	if x := r.Of(&last); x.Status != runs.Refused || !strings.Contains(x.Note, "and another one (") {
		t.Errorf("another group in place: %+v", x)
	}
	for _, c := range taken {
		if c.User != gone.User && in(c, old) {
			t.Errorf("%s is in another group than before", c.UserPrincipalName)
		}
	}
}
