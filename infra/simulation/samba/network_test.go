package samba

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestSambaReplicating: after a logon at the second controller, the first controller shows the date of the logon only
// after a replication.
func TestSambaReplicating(t *testing.T) {
	const secret = "L0gsOn!here"
	d := Run(t, Options{Replicating: true, People: []Person{{
		ADUser: directory.ADUser{DN: DN("Jo", PeopleOU), SAMAccount: "jo", Enabled: directory.Yes}, Password: secret,
	}}})
	stamped := func(i int) bool { return lookUp(t, d, d.URLs[i])["lastLogonTimestamp"] != "" }
	if err := d.LogOn(1, "jo", "wrong"); err == nil || !strings.Contains(err.Error(), "dc2.corp.example.test") {
		t.Errorf("a wrong password: %v", err)
	}
	if err := d.LogOn(1, "jo", secret); err != nil {
		t.Fatal(err)
	}
	if stamped(0) || !stamped(1) {
		t.Errorf("before replication: first %v, second %v", stamped(0), stamped(1))
	}
	if err := d.Replicate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !stamped(0) {
		t.Error("replication did not bring the date")
	}
	ips, err := Resolver(d.NameServer).LookupHost(t.Context(), "dc2.corp.example.test")
	if err != nil || len(ips) != 1 || "ldaps://"+ips[0] != d.URLs[1] {
		t.Errorf("dc2 is at %q, %v", ips, err)
	}
}
