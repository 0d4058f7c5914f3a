package evidence

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestTypeOfAnAccountThatIsNotRead: a converted mailbox is blocked in Entra ID, and only Active Directory shows its type.
// The type counts although IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves the account out. If no controller shows an
// account that an earlier run read, the kind is open.
func TestTypeOfAnAccountThatIsNotRead(t *testing.T) {
	t.Parallel()
	mailbox := egon
	mailbox.RecipientType = "34359738368"
	leftOut := &fakeAD{people: []directory.ADUser{mailbox}, fail: fails{"ReadPerson": directory.ErrLeftOut}}
	for name, tc := range map[string]struct {
		ad     *fakeAD
		synced bool
		kind   string
		open   bool
	}{
		"left out":            {leftOut, true, directory.KindShared, false},
		"left out, converted": {leftOut, false, directory.KindShared, false},
		"not shown":           {&fakeAD{}, true, directory.KindPerson, true},
	} {
		blocked := inEntra
		blocked.Enabled, blocked.Synced, blocked.Past.Joined = directory.No, tc.synced, logon
		p := Person{Entra: &blocked}
		p.ReadAD(t.Context(), tc.ad, egon.SID, nil)
		for person := range p.Accounts(directory.EitherGUID).Join() {
			if kind, _ := person.Kind(); kind != tc.kind || person.KindOpen() != tc.open {
				t.Errorf("%s: %s, open %t; want %s, %t", name, kind, person.KindOpen(), tc.kind, tc.open)
			}
		}
	}
}

// TestGroupsOfAnAccountThatIsNotRead: IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves the account out, or no controller
// finds it. A group may list the account nevertheless, and then the person belongs to the group.
func TestGroupsOfAnAccountThatIsNotRead(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ad      fakeAD
		leftOut bool
		in      bool
		unknown []string
	}{
		"left out":                {fakeAD{people: []directory.ADUser{egon}, fail: fails{"ReadPerson": directory.ErrLeftOut}}, true, true, nil},
		"not found":               {fakeAD{}, false, true, nil},
		"gone":                    {fakeAD{gone: true}, false, false, nil},
		"a group cannot be read":  {fakeAD{fail: fails{"MemberOf CN=VIP,DC=corp": directory.ErrNoGroup}}, false, true, []string{vip.Key()}},
		"gone, and not the group": {fakeAD{gone: true, fail: fails{"MemberOf CN=VIP,DC=corp": directory.ErrNoGroup}}, false, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.ad.in = map[string][]string{"CN=Citrix,DC=corp*": {egon.SID}}
			converted := inEntra
			converted.Synced = false
			p := Person{Entra: &converted, Groups: Belonging{In: []string{seats.Key()}}}
			p.ReadAD(t.Context(), &tc.ad, egon.SID, []directory.Question{citrix, vip})
			if p.Failed != nil || p.AD.User != nil || (p.AD.LeftOut != nil) != tc.leftOut {
				t.Fatalf("%+v, %v", p.AD, p.Failed)
			}
			want := map[string][]string{inEntra.ID: {seats.Key()}}
			if tc.in {
				want[inEntra.ID] = append(want[inEntra.ID], citrix.Key())
			}
			h := p.Accounts(directory.EitherGUID)
			if d := cmp.Diff(want, h.Memberships) + cmp.Diff(tc.unknown, h.Unreadable); d != "" {
				t.Errorf("groups (-want +got):\n%s", d)
			}
			for person := range h.Join() {
				if got := person.MemberOf(directory.AD, citrix.Key()); got != directory.FlagOf(tc.in) || person.ADState != directory.NoAccount {
					t.Errorf("in the group: %v, account: %v", got, person.ADState)
				}
			}
		})
	}
}
