package apply

import (
	"slices"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestImmutableIDWithoutSID: another tool than Entra Connect gave Bo an immutable id. The Active Directory account with
// this anchor may be in an exempt group, even if the settings leave the account out. Apply must then keep the license.
func TestImmutableIDWithoutSID(t *testing.T) {
	t.Parallel()
	const sid, id, exempt = "S-1-5-21-77", "Z3VpZC1vZi1ib18xMjM0NQ==", "exempt: exempt: member of ad:" + safeDN
	account := func(f *fakeAD) { f.people[sid] = &directory.ADUser{SID: sid, GUID: id, LastLogonTimestamp: asOf} }
	for name, tc := range map[string]struct {
		ad   func(*fakeAD)
		keep string // a part of the note; empty: the license is taken
	}{
		"no account there":     {func(*fakeAD) {}, ""},
		"an account":           {account, ""},
		"exempt":               {func(f *fakeAD) { account(f); f.in.add(safeDN, sid) }, exempt},
		"exempt, and left out": {func(f *fakeAD) { account(f); f.leftOut = sid; f.in.add(safeDN, sid) }, exempt},
		"spelt in another way": {func(f *fakeAD) { account(f); f.people[sid].GUID, f.misspelt = "another", sid }, "which spells it in another way: make both the same"},
		"not looked for":       {func(f *fakeAD) { f.fail = map[string]error{"FindAnchor " + id: errDown} }, "Active Directory was not read; Active Directory could not be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := runs.Done
			if tc.keep != "" {
				want = runs.Kept
			}
			ready := func(changes ...plan.Change) *bench {
				b := safeBench(t, func(*snapshot.Begin, *snapshot.Manifest) {}, tc.ad)
				b.plan(t, func(p *plan.Plan) { p.Changes = changes })
				b.entra.users["id-bo"].ImmutableID = id
				return b
			}
			b, r := ready(changeBo), newRelayed(t, ready(changeBo, freeDora)) // without freeDora, the relay is not asked
			b.apply(t, want, tc.keep)
			r.round(t, "entra-0001", false)
			r.is(t, want, tc.keep)
			if wrote := slices.Concat(b.entra.writes(), r.entra.writes()); (len(wrote) > 0) != (want == runs.Done) {
				t.Errorf("wrote %q", wrote)
			}
		})
	}
}
