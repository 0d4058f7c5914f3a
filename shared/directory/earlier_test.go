package directory

import "testing"

// A group that loses many members at once is in doubt, although some are left. A fault may take a group's members in two
// steps. The number from before both steps stays the trusted one, so the second step is in doubt, too.
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
	}
	if before, is := (*Earlier)(nil).Shrunk(nested, 0); before != 0 || is {
		t.Errorf("no earlier run: %d, %t", before, is)
	}
}

// The holders whose accounts exempt them may become fewer, because they are exempt in another way or are undecided. If
// they are simply not exempt any more, an attribute may be lost. The licenses that runs take from other people do not
// hide the loss. Counts with many more undecided holders are not trusted.
func TestExemptionIsLost(t *testing.T) {
	t.Parallel()
	before := EarlierExempt{Asks: "e3", Holders: 1000, Exempt: 120, ByAccount: 100, Undecided: 3}
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
		"undecided":              {func(now *EarlierExempt) { now.Exempt, now.ByAccount, now.Undecided = 20, 0, 93 }, false, true},
		"few of them undecided":  {func(now *EarlierExempt) { now.Exempt, now.ByAccount, now.Undecided = 20, 0, 92 }, true, true},
		"more are undecided":     {func(now *EarlierExempt) { now.Undecided = 900 }, false, false},
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
