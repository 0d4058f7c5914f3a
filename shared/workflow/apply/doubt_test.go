package apply

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// safeDN is an exempt group in Active Directory. In earlier readings, it had the objectGUID guid-safe and 4 members. A
// group of this size is in doubt only if all its members are gone, and safeBench leaves it one member.
const safeDN = "CN=Safe,DC=corp"

var safe = directory.GroupRef{Source: directory.AD, Name: safeDN}

// safeBench returns a bench whose policy exempts the members of safeDN. The function "stored" edits what the run
// stored, and "ad" edits Active Directory.
func safeBench(t *testing.T, stored func(*snapshot.Begin, *snapshot.Manifest), ad func(*fakeAD)) *bench {
	t.Helper()
	b := newBenchOf(t, strings.Replace(text, "groups: [", `groups: [{ad: "`+safeDN+`"}, `, 1), freeDora)
	begin, err := snapshot.GetBegin(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	begin.Earlier = &directory.Earlier{
		Groups: map[string]directory.EarlierGroup{safe.Key(false): {ID: "guid-safe", Run: "earlier", At: daysAgo(1)}}, Members: map[string]int{safe.Key(false): 4},
	}
	m := &snapshot.Manifest{Run: "run"}
	stored(begin, m)
	if err := errors.Join(store.PutJSON(t.Context(), b.Store, layout.Begin("run"), begin), store.PutJSON(t.Context(), b.Store, layout.Manifest("run"), m)); err != nil {
		t.Fatal(err)
	}
	b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{freeDora} })
	b.ad.groups = map[string]directory.Group{citrixDN: {ID: citrixDN}, liteDN: {ID: liteDN}, safeDN: {ID: safeDN, GUID: "guid-safe"}}
	b.ad.in[safeDN] = []string{"S-1-5-21-9"}
	ad(b.ad)
	return b
}

// TestExemptGroupOfActiveDirectory: if an exempt group lost too many members, or was deleted and created again, the
// person keeps the license, because nobody knows who is exempt.
func TestExemptGroupOfActiveDirectory(t *testing.T) {
	t.Parallel()
	const (
		taken   = ""
		emptied = "had members in an earlier reading and has none now; put them back, or plan with --accept-feeds"
		another = "is another one (objectGUID guid-new) than an earlier reading found (guid-safe); if the new one is right, plan with --accept-feeds"
	)
	one := func(b *snapshot.Begin, _ *snapshot.Manifest) { b.User = "dora" }
	everybody := func(b *snapshot.Begin, m *snapshot.Manifest) {
		b.Earlier = nil
		m.Readings[directory.AD] = snapshot.Reading{Members: map[string]int{safe.Key(false): 2}, Groups: map[string]string{safe.Key(false): "guid-safe"}}
	}
	accepted := func(b *snapshot.Begin, _ *snapshot.Manifest) { b.User, b.AcceptFeeds = "dora", true }
	many := func(b *snapshot.Begin, m *snapshot.Manifest) { one(b, m); b.Earlier.Members[safe.Key(false)] = 47 }
	left := func(n int) func(*fakeAD) {
		return func(f *fakeAD) {
			for f.in[safeDN] = nil; len(f.in[safeDN]) < n; {
				f.in[safeDN] = append(f.in[safeDN], fmt.Sprintf("S-1-5-21-%d", 100+len(f.in[safeDN])))
			}
		}
	}
	empty := func(f *fakeAD) { f.in[safeDN] = nil }
	remake := func(f *fakeAD) { f.groups[safeDN] = directory.Group{ID: safeDN, GUID: "guid-new"} }
	for name, tc := range map[string]struct {
		stored func(*snapshot.Begin, *snapshot.Manifest)
		ad     func(*fakeAD)
		keep   string // a part of the note; empty: the license is taken
	}{
		"as before":                {one, func(*fakeAD) {}, taken},
		"emptied":                  {one, empty, emptied},
		"emptied, and accepted":    {accepted, empty, taken},
		"few members before":       {func(b *snapshot.Begin, m *snapshot.Manifest) { one(b, m); b.Earlier.Members[safe.Key(false)] = 2 }, empty, taken},
		"has shrunk":               {many, left(41), "had members in an earlier reading and has fewer than 42 now; put them back, or plan"},
		"has shrunk by a few":      {many, left(42), taken},
		"has shrunk, and accepted": {func(b *snapshot.Begin, m *snapshot.Manifest) { many(b, m); b.AcceptFeeds = true }, left(1), taken},
		"had shrunk in the last night": {func(b *snapshot.Begin, m *snapshot.Manifest) {
			many(b, m)
			b.Earlier.Left = map[string]int{safe.Key(false): 1}
		}, left(47), "exemption is not known: group ad:" + safeDN + " could not be read"},
		"moved, and has shrunk": {func(b *snapshot.Begin, m *snapshot.Manifest) {
			one(b, m)
			b.Earlier.Groups = map[string]directory.EarlierGroup{"ad:cn=safe,ou=old,dc=corp": {ID: "guid-safe", Run: "earlier", At: daysAgo(1)}}
			b.Earlier.Members = map[string]int{"ad:cn=safe,ou=old,dc=corp": 47}
			b.Earlier.Left = map[string]int{"ad:cn=safe,ou=old,dc=corp": 1}
		}, left(47), "exemption is not known: group ad:" + safeDN + " could not be read"},
		"created again":                 {one, remake, another},
		"created again, and in it":      {one, func(f *fakeAD) { remake(f); f.in.add(safeDN, "S-1-5-21-4") }, another},
		"created again, and accepted":   {accepted, remake, taken},
		"gone":                          {one, func(f *fakeAD) { delete(f.groups, safeDN) }, "could not be read"},
		"emptied after the reading":     {everybody, empty, emptied},
		"created again after that":      {everybody, remake, another},
		"everybody, as it was read":     {everybody, func(*fakeAD) {}, taken},
		"a member":                      {one, func(f *fakeAD) { f.in.add(safeDN, "S-1-5-21-4") }, "exempt: exempt: member of ad:" + safeDN},
		"nobody may say whether anyone": {one, func(f *fakeAD) { f.fail = map[string]error{"HasMembers " + safeDN: directory.ErrNoGroup} }, taken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := runs.Done
			if tc.keep != "" {
				want = runs.Kept
			}
			b := safeBench(t, tc.stored, tc.ad)
			b.apply(t, want, tc.keep)
			r := newRelayed(t, safeBench(t, tc.stored, tc.ad))
			r.round(t, "ad-0001", false)
			r.is(t, want, tc.keep)
			if wrote := slices.Concat(b.ad.writes(), r.ad.writes()); (len(wrote) > 0) != (want == runs.Done) {
				t.Errorf("wrote %q", wrote)
			}
		})
	}
	b := safeBench(t, one, func(f *fakeAD) { f.fail = map[string]error{"HasMembers " + safeDN: errDown} })
	b.apply(t, runs.Pending, "read the group ad:"+safeDN+" again: down")
	b.wrote(t)
}
