package directory

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A contradiction between two accounts of an earlier reading stays in force. A contradiction of the kind Disagreed ends
// when a reading shows that the two accounts agree. A contradiction of any kind ends when a full reading does not show
// it and no recent reading saw the accounts together.
func TestContradictionIsRemembered(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	recent, old := Past{Contradicted: Disagreed, Joined: at}, Past{Contradicted: Disagreed}
	shared, sharedOld := Past{Contradicted: Shared, Joined: at}, Past{Contradicted: Shared}
	entra := func(past Past) []EntraUser {
		return []EntraUser{{ID: "e", SID: "S-1", ImmutableID: "g", Synced: true, Past: past}}
	}
	ad := func(past Past) []ADUser { return []ADUser{{SID: "S-1", GUID: "g", Past: past}} }
	cloud := func(past Past) []EntraUser { return []EntraUser{{ID: "e", Past: past}} }
	undated := [Signals]string{Entra: "stalled", AD: "stalled"}
	tests := map[string]struct {
		accounts  Accounts
		entra, ad Presence
		doubt     string // a part of the sentence; empty if there is no doubt
	}{
		"AD not read":                          {Accounts{EntraState: Present, Entra: entra(recent)}, Contradictory, Contradictory, "its accounts in Entra ID and Active Directory contradicted each other on 2026-11-20, and Active Directory was not read in full this time; it is decided again when both directories are read and agree"},
		"AD not read for long":                 {Accounts{EntraState: Present, Entra: entra(old)}, Contradictory, Contradictory, "in an earlier reading, and Active Directory was not"},
		"AD read in part, the two agree":       {Accounts{EntraState: Present, Entra: entra(sharedOld), AD: ad(sharedOld)}, Contradictory, Contradictory, "Active Directory was not read in full"},
		"dates unknown, the account long gone": {Accounts{EntraState: Present, ADState: Present, Stale: undated, Entra: entra(old)}, Present, Missing, "synced from"},
		"AD read, the account missed":          {Accounts{EntraState: Present, ADState: Present, Entra: entra(recent)}, Contradictory, Contradictory, "contradicted each other on 2026-11-20, and one of the accounts was not read this time; if it is gone for good, plan with --accept-feeds, or wait for 30 days"},
		"AD read, the account long gone":       {Accounts{EntraState: Present, ADState: Present, Entra: entra(old)}, Present, Missing, "synced from"},
		"AD read, the two agree":               {Accounts{EntraState: Present, ADState: Present, Entra: entra(recent), AD: ad(recent)}, Present, Present, ""},
		"dates unknown, the two agree":         {Accounts{EntraState: Present, ADState: Present, Stale: undated, Entra: entra(recent), AD: ad(recent)}, Present, Present, ""},
		"dates unknown, one of two long gone":  {Accounts{EntraState: Present, ADState: Present, Stale: undated, Entra: entra(sharedOld), AD: ad(sharedOld)}, Present, Present, ""},
		"nothing known, AD not read":           {Accounts{EntraState: Present, Entra: entra(Past{Joined: at})}, Present, NotRead, ""},
		"two claimed one, AD not read":         {Accounts{EntraState: Present, Entra: entra(sharedOld)}, Contradictory, Contradictory, "another account claimed the same SID or onPremisesImmutableId in an earlier reading, and Active Directory was not read"},
		"two claimed one, no SID, no AD":       {Accounts{EntraState: Present, Entra: cloud(sharedOld)}, Contradictory, Contradictory, "another account claimed the same SID or onPremisesImmutableId in an earlier reading, and Active Directory was not read"},
		"two claimed one, one missed":          {Accounts{EntraState: Present, ADState: Present, Entra: entra(shared), AD: ad(Past{})}, Contradictory, Contradictory, "one of the accounts was not read this time"},
		"two claimed one, so says AD":          {Accounts{EntraState: Present, ADState: Present, Entra: entra(Past{}), AD: ad(shared)}, Contradictory, Contradictory, "one of the accounts was not read this time"},
		"two claimed one, one long gone":       {Accounts{EntraState: Present, ADState: Present, Entra: entra(sharedOld), AD: ad(sharedOld)}, Present, Present, ""},
		"two claimed one, Entra read in part":  {Accounts{ADState: Present, Entra: entra(Past{}), AD: ad(sharedOld)}, Contradictory, Contradictory, "Entra ID was not read in full"},
		"Entra not read":                       {Accounts{ADState: Present, AD: ad(old)}, NotRead, Contradictory, "in an earlier reading, and Entra ID was not read in full"},
		"dates of Entra unknown, long gone":    {Accounts{EntraState: Present, ADState: Present, Stale: undated, AD: ad(old)}, NoAccount, Present, ""},
		"Entra read, the account missed":       {Accounts{EntraState: Present, ADState: Present, AD: ad(recent)}, Missing, Contradictory, "one of the accounts was not read this time"},
		"Entra read, the account long gone":    {Accounts{EntraState: Present, ADState: Present, AD: ad(old)}, NoAccount, Present, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			people := 0
			for p := range tc.accounts.Join() {
				if people++; p.EntraState != tc.entra || p.ADState != tc.ad {
					t.Errorf("Entra %d, AD %d, want %d, %d", p.EntraState, p.ADState, tc.entra, tc.ad)
				}
				if !strings.Contains(p.Doubt, tc.doubt) || (tc.doubt == "") != (p.Doubt == "") {
					t.Errorf("doubt %q, want %q", p.Doubt, tc.doubt)
				}
			}
			if people != 1 {
				t.Errorf("%d people", people)
			}
		})
	}
}

// Met stores a contradiction in each account that takes part in it. A reading of only one directory changes nothing.
func TestMet(t *testing.T) {
	t.Parallel()
	before, now := time.Unix(1000, 0), time.Unix(2000, 0)
	noted := func(c Contradiction, at time.Time) Past { return Past{Contradicted: c, Joined: at} }
	e := func(id, sid, anchor string, past Past) EntraUser {
		return EntraUser{ID: id, SID: sid, ImmutableID: anchor, Synced: true, Past: past}
	}
	a := func(sid, guid string, past Past) ADUser { return ADUser{SID: sid, GUID: guid, Past: past} }
	tests := map[string]struct {
		accounts Accounts
		want     []Past // the Past of the Entra accounts, then that of the Active Directory accounts
	}{
		"the anchor disagrees": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{e("e", "S-1", "other", Past{})}, AD: []ADUser{a("S-1", "g", Past{})}},
			[]Past{noted(Disagreed, now), noted(Disagreed, now)},
		},
		"two Entra accounts carry one SID": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{e("e", "S-1", "g", Past{}), e("f", "S-1", "g", Past{})}, AD: []ADUser{a("S-1", "g", Past{})}},
			[]Past{noted(Shared, now), noted(Shared, now), noted(Shared, now)},
		},
		"two AD accounts carry one SID": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{e("e", "S-1", "g", Past{})}, AD: []ADUser{a("S-1", "g", Past{}), a("S-1", "h", Past{})}},
			[]Past{noted(Shared, now), noted(Shared, now), noted(Shared, now)},
		},
		"two claim one, by SID and by immutable id": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{e("e", "S-1", "g", Past{}), e("f", "", "g", Past{})}, AD: []ADUser{a("S-1", "g", Past{})}},
			[]Past{noted(Shared, now), noted(Shared, now), noted(Shared, now)},
		},
		"mended": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{e("e", "S-1", "g", noted(Disagreed, before))}, AD: []ADUser{a("S-1", "g", noted(Disagreed, before))}},
			[]Past{noted(0, now), noted(0, now)},
		},
		"AD not read": {
			Accounts{EntraState: Present, Entra: []EntraUser{e("e", "S-1", "g", noted(Disagreed, before))}},
			[]Past{noted(Disagreed, before)},
		},
		"one of two missed": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{e("e", "S-1", "g", noted(Shared, before))}, AD: []ADUser{a("S-1", "g", noted(Shared, before))}},
			[]Past{noted(Shared, before), noted(Shared, before)},
		},
		"gone for good": {
			Accounts{EntraState: Present, ADState: Present, Entra: []EntraUser{e("e", "S-1", "g", noted(Disagreed, time.Time{}))}, AD: []ADUser{a("S-2", "h", noted(Disagreed, time.Time{}))}},
			[]Past{{}, {}},
		},
		"Entra not read": {
			Accounts{ADState: Present, AD: []ADUser{a("S-1", "g", noted(Disagreed, before))}},
			[]Past{noted(Disagreed, before)},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for p := range tc.accounts.Join() {
				p.Met(now)
			}
			var got []Past
			for _, u := range tc.accounts.Entra {
				got = append(got, u.Past)
			}
			for _, u := range tc.accounts.AD {
				got = append(got, u.Past)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("noted (-want +got):\n%s", d)
			}
		})
	}
}
