package directory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A group that loses many members at once is in doubt, although some are left.
func TestShrunk(t *testing.T) {
	t.Parallel()
	nested := Question{Ref: GroupRef{Source: Entra, Name: "LIC-Exempt"}}
	direct := Question{Ref: nested.Ref, Direct: true}
	for _, tc := range []struct {
		q           Question
		before, now int
		want        bool
	}{
		{nested, 500, 2, true}, {nested, 500, 0, true}, {nested, 200, 50, true}, {nested, 200, 179, true}, {nested, 200, 180, false},
		{nested, 7, 1, true}, {nested, 7, 2, false}, {nested, 3, 0, true}, {nested, 2, 0, false}, {nested, 0, 9, false}, {nested, 9, 500, false},
		{direct, 500, 1, false}, {direct, 500, 0, true}, {direct, 2, 0, false},
	} {
		e := &Earlier{Members: map[string]int{tc.q.Key(): tc.before}}
		if before, is := e.Shrunk(tc.q, tc.now); before != tc.before || is != tc.want {
			t.Errorf("%s: %d of %d members are left: %d, %t", tc.q.Key(), tc.now, tc.before, before, is)
		}
		if least := e.Least(tc.q); (tc.now < least) != tc.want {
			t.Errorf("%s: %d of %d members must be left", tc.q.Key(), least, tc.before)
		}
	}
	if before, is := (*Earlier)(nil).Shrunk(nested, 0); before != 0 || is || (*Earlier)(nil).Least(nested) != 0 {
		t.Errorf("no earlier run: %d, %t", before, is)
	}
}

// Fewer holders are exempt by account than in an earlier run. If they are fewer by more than a tenth, the values of an
// attribute may be lost (Lost). They are not lost if other facts exempt these holders now. It does not matter how many
// licenses were taken from other holders. If many more holders are unknown, Lost is false, but Fewer is true.
func TestExemptionIsLost(t *testing.T) {
	t.Parallel()
	before := EarlierExempt{Asks: "e3", Holders: 1000, Exempt: 120, ByAccount: 100, Unknown: 3}
	for name, tc := range map[string]struct {
		edit        func(now *EarlierExempt)
		lost, fewer bool
	}{
		"as before":              {func(*EarlierExempt) {}, false, false},
		"a tenth":                {func(now *EarlierExempt) { now.Exempt, now.ByAccount = 110, 90 }, false, false},
		"more than a tenth":      {func(now *EarlierExempt) { now.Exempt, now.ByAccount = 109, 89 }, true, true},
		"all":                    {func(now *EarlierExempt) { now.Exempt, now.ByAccount = 20, 0 }, true, true},
		"by a group now":         {func(now *EarlierExempt) { now.ByAccount = 0 }, false, false},
		"others are less exempt": {func(now *EarlierExempt) { now.Exempt = 100 }, false, false},
		"a drain":                {func(now *EarlierExempt) { now.Holders = 800 }, false, false},
		"lost during a drain":    {func(now *EarlierExempt) { now.Exempt, now.ByAccount, now.Holders = 20, 0, 800 }, true, true},
		"more holders":           {func(now *EarlierExempt) { now.Exempt, now.ByAccount, now.Holders = 20, 0, 1900 }, true, true},
		"unknown":                {func(now *EarlierExempt) { now.Exempt, now.ByAccount, now.Unknown = 20, 0, 93 }, false, true},
		"few of them unknown":    {func(now *EarlierExempt) { now.Exempt, now.ByAccount, now.Unknown = 20, 0, 92 }, true, true},
		"more are unknown":       {func(now *EarlierExempt) { now.Unknown = 900 }, false, false},
		"another policy":         {func(now *EarlierExempt) { now.Exempt, now.ByAccount, now.Asks = 20, 0, "e5" }, false, false},
	} {
		now := before
		if tc.edit(&now); before.Lost(now) != tc.lost || before.Fewer(now) != tc.fewer {
			t.Errorf("%s: lost %t, fewer %t", name, before.Lost(now), before.Fewer(now))
		}
	}
	if now := (EarlierExempt{Asks: "e3"}); (EarlierExempt{}).Fewer(now) {
		t.Error("no earlier run, and fewer")
	}
}

// Earlier runs knew a group under one or more names, and the policy now names it in another way. Follow copies the
// facts under the latest known name to the new name. If the policy names a group by a name that another known group
// had, the facts under this name stay.
func TestFollow(t *testing.T) {
	t.Parallel()
	night := func(n int) time.Time { return time.Date(2026, 11, n, 2, 0, 0, 0, time.UTC) }
	for name, tc := range map[string]struct {
		ref    GroupRef
		id     string
		nested int // members in the trusted reading; 0: unknown
		direct int
	}{
		"by the id":            {GroupRef{Entra, "id-x"}, "id-x", 47, 40},
		"by another name":      {GroupRef{Entra, "LIC-Keep"}, "id-x", 47, 40},
		"by an old name":       {GroupRef{Entra, "LIC-Old"}, "id-x", 47, 40},
		"by the same name":     {GroupRef{Entra, "LIC-Exempt"}, "id-x", 47, 40},
		"the name of another":  {GroupRef{Entra, "LIC-Exempt"}, "id-y", 47, 40},
		"another group":        {GroupRef{Entra, "id-z"}, "id-z", 0, 0},
		"not found":            {GroupRef{Entra, "id-x"}, "", 0, 0},
		"in another directory": {GroupRef{AD, "CN=X"}, "id-x", 0, 0},
		"moved":                {GroupRef{AD, "CN=Safe,OU=New"}, "guid-s", 9, 0},
	} {
		e := &Earlier{
			Groups: map[string]EarlierGroup{
				"entra:LIC-Old": {ID: "id-x", At: night(1)}, "entra:LIC-Exempt": {ID: "id-x", At: night(3)}, "entra:LIC-Older": {ID: "id-x", At: night(2)}, "entra:LIC-Y": {ID: "id-y", At: night(3)},
				"ad:cn=safe,ou=old": {ID: "guid-s", At: night(3)},
			},
			Members: map[string]int{"entra:LIC-Old": 60, "entra:LIC-Exempt": 47, "entra/direct:LIC-Exempt": 40, "entra:LIC-Y": 3, "ad:cn=safe,ou=old": 9},
			Left:    map[string]int{"entra:LIC-Old": 6, "entra:LIC-Exempt": 1},
		}
		e.Follow(tc.ref, tc.id)
		if got, want := [2]int{e.Members[tc.ref.Key(false)], e.Members[tc.ref.Key(true)]}, [2]int{tc.nested, tc.direct}; got != want {
			t.Errorf("%s: %d members, want %d", name, got, want)
		}
		if n, doubted := e.Left[tc.ref.Key(false)]; doubted != (tc.nested == 47) || doubted && n != 1 {
			t.Errorf("%s: %d members are left, in doubt %t", name, n, doubted)
		}
		if g := e.Group(tc.ref); (g != nil) != (tc.nested > 0) || g != nil && g.At != night(3) {
			t.Errorf("%s: known as %+v", name, g)
		}
	}
	(*Earlier)(nil).Follow(GroupRef{Entra, "x"}, "id-x")
	none := &Earlier{}
	if none.Follow(GroupRef{Entra, "x"}, "id-x"); cmp.Diff(&Earlier{}, none) != "" {
		t.Errorf("nothing was known: %+v", none)
	}
}
