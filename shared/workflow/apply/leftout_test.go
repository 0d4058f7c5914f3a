package apply

import (
	"slices"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestExemptThoughNotRead: Bo has the SID of an account that the settings of Active Directory leave out. The exempt
// group lists this account, so Bo keeps the license.
func TestExemptThoughNotRead(t *testing.T) {
	t.Parallel()
	const sid, exempt = "S-1-5-21-77", "exempt: exempt: member of ad:" + safeDN
	leftOut := func(f *fakeAD) {
		f.people[sid] = &directory.ADUser{SID: sid, GUID: "guid-bo", LastLogonTimestamp: asOf}
		f.leftOut = sid
	}
	for name, tc := range map[string]struct {
		ad   func(*fakeAD)
		keep string // a part of the note; empty: the license is taken
	}{
		"no account":                   {func(*fakeAD) {}, ""},
		"left out":                     {leftOut, ""},
		"no controller tells":          {func(f *fakeAD) { leftOut(f); f.fail = map[string]error{"ReadPerson " + sid: errDown} }, "Active Directory was not read; Active Directory could not be read: "},
		"left out, and exempt":         {func(f *fakeAD) { leftOut(f); f.in.add(safeDN, sid) }, exempt},
		"not found, and listed":        {func(f *fakeAD) { f.in.add(safeDN, sid) }, exempt},
		"left out, the group is gone":  {func(f *fakeAD) { leftOut(f); delete(f.groups, safeDN) }, "could not be read"},
		"left out, the group is empty": {func(f *fakeAD) { leftOut(f); f.in[safeDN] = nil }, "had members in an earlier reading and has none now"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			converted := changeBo
			converted.SID = sid
			want := runs.Done
			if tc.keep != "" {
				want = runs.Kept
			}
			ready := func(changes ...plan.Change) *bench {
				b := safeBench(t, func(*snapshot.Begin, *snapshot.Manifest) {}, tc.ad)
				b.plan(t, func(p *plan.Plan) { p.Changes = changes })
				b.entra.users["id-bo"].SID = sid
				return b
			}
			b, r := ready(converted), newRelayed(t, ready(converted, freeDora)) // without freeDora, the relay is not asked
			b.apply(t, want, tc.keep)
			r.round(t, "entra-0001", false)
			r.is(t, want, tc.keep)
			if wrote := slices.Concat(b.entra.writes(), r.entra.writes()); (len(wrote) > 0) != (want == runs.Done) {
				t.Errorf("wrote %q", wrote)
			}
		})
	}
}

// TestBegunAndLeftOut: after a license was taken, the settings leave the account out. The change can still be rolled
// back. No change begins for an account that is left out.
func TestBegunAndLeftOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	b.ad.leftOut = freeDora.SID
	b.apply(t, runs.Kept, leftOutNow)
	b.wrote(t)
	b = newBench(t, freeEgon)
	b.ad.leftOut = freeEgon.SID
	b.apply(t, runs.Kept, leftOutNow)
	b.wrote(t)
	b = newBench(t, freeDora)
	b.ad.deaf = true
	b.apply(t, runs.Pending, "still shows the member")
	b.ad.deaf, b.ad.leftOut = false, freeDora.SID
	b.goesBack(t, runs.Kept, "undecided")
	b.logged(t, freeDora, "rolled back")
	if !slices.Contains(b.ad.in[citrixDN], freeDora.SID) {
		t.Errorf("members %v", b.ad.in)
	}
}
