package sandbox

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryKeyLeadsBack(t *testing.T) {
	t.Parallel()
	c := NewCompany(Options{Users: 500, Seed: 9, Now: fixedNow})
	for i := range c.Size() {
		n := c.nameOf(i, c.profile(i).kind)
		lookups := map[string]func() (int, bool){
			"id":   func() (int, bool) { return c.byID(c.guidOf(i, streamUserID).String()) },
			"upn":  func() (int, bool) { return c.byUPN(n.local + "@" + upnDomain) },
			"sid":  func() (int, bool) { return c.bySID(sidText(firstRID + i)) },
			"raw":  func() (int, bool) { return c.bySID(sidBytes(firstRID + i)) },
			"guid": func() (int, bool) { return c.byRawGUID(c.guidOf(i, streamObjectGUID).raw(), streamObjectGUID) },
			"sam":  func() (int, bool) { return c.byAccountName(accountName(i)) },
		}
		for key, lookup := range lookups {
			if got, found := lookup(); !found || got != i {
				t.Errorf("person %d by %s: %d, %t", i, key, got, found)
			}
		}
	}
}

func TestNoKeyLeadsToSomebodyElse(t *testing.T) {
	t.Parallel()
	c := NewCompany(Options{Users: 500, Seed: 9, Now: fixedNow})
	foreign := c.guidOf(3, streamForeign)
	for name, lookup := range map[string]func() (int, bool){
		"another GUID": func() (int, bool) { return c.byID(foreign.String()) },
		"beyond":       func() (int, bool) { return c.byID("00000000-0000-4000-8000-ffffffffffff") },
		"raw beyond": func() (int, bool) {
			return c.byRawGUID(string(make([]byte, 10))+"\xff\xff\xff\xff\xff\xff", streamObjectGUID)
		},
		"short":          func() (int, bool) { return c.byRawGUID("x", streamObjectGUID) },
		"group's SID":    func() (int, bool) { return c.bySID(sidText(1101)) },
		"foreign SID":    func() (int, bool) { return c.bySID("S-1-5-21-1-2-3-10003") },
		"SID beyond":     func() (int, bool) { return c.bySID(sidText(firstRID + 500)) },
		"other name":     func() (int, bool) { return c.byUPN("nobody.3@contoso.example") },
		"other domain":   func() (int, bool) { return c.byUPN("anna@fabrikam.example") },
		"no domain":      func() (int, bool) { return c.byUPN("anna") },
		"negative":       func() (int, bool) { return c.byUPN("maria.berg.-3@contoso.example") },
		"other account":  func() (int, bool) { return c.byAccountName("x0000003") },
		"unpadded":       func() (int, bool) { return c.byAccountName("u00003") },
		"account beyond": func() (int, bool) { return c.byAccountName("u0000500") },
	} {
		if i, found := lookup(); found {
			t.Errorf("%s leads to person %d", name, i)
		}
	}
}

// TestGUIDBytes checks the example of Microsoft's reference.
func TestGUIDBytes(t *testing.T) {
	t.Parallel()
	g := guid{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	got := []string{g.String(), g.base64(), fmt.Sprintf("%x", g.raw())}
	want := []string{"00112233-4455-6677-8899-aabbccddeeff", "MyIRAFVEd2aImaq7zN3u/w==", "33221100554477668899aabbccddeeff"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReplacedAccount(t *testing.T) {
	t.Parallel()
	c := NewCompany(Options{Users: 500, Seed: 9, Now: fixedNow})
	first := c.Person(1)
	sids, guids := map[string]bool{first.AD.SID: true}, map[string]bool{first.AD.GUID: true}
	c.Rename(1, "New, name")
	if u := c.Person(1).AD; u.SID != first.AD.SID || u.GUID != first.AD.GUID || c.entryOf(u.DN) == nil || c.entryOf(first.AD.DN) != nil {
		t.Errorf("renamed: %+v, before %+v", u, first.AD)
	}
	for range 3 {
		c.Replace(1)
		p := c.Person(1)
		if sids[p.AD.SID] || guids[p.AD.GUID] || len(p.ADGroups) > 0 || !p.LastLogon.IsZero() || !p.AD.Created.Equal(testStart) {
			t.Errorf("replaced: %+v in %q", p.AD, p.ADGroups)
		}
		if i, found := c.bySID(p.AD.SID); !found || i != 1 {
			t.Errorf("SID %s leads to %d, %t", p.AD.SID, i, found)
		}
		sids[p.AD.SID], guids[p.AD.GUID] = true, true
		if diff := cmp.Diff(first.Entra.SID+first.Entra.ImmutableID, p.Entra.SID+p.Entra.ImmutableID); diff != "" {
			t.Errorf("Entra ID noticed (-want +got):\n%s", diff)
		}
	}
	if _, found := c.bySID(first.AD.SID); found {
		t.Error("the first SID still leads to somebody")
	}
}
