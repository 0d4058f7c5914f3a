package decision

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
)

// Two accounts contradict each other if an anchor does not match, or if two Entra accounts have the same SID. The
// contradiction ends when both directories are read and agree, or when one account has been missing for 30 days. An
// operator can end it with --accept-feeds, unless a directory that is set up was not read.
func TestContradictedNights(t *testing.T) {
	t.Parallel()
	e := func(id, anchor string) directory.EntraUser {
		return directory.EntraUser{ID: id, SID: "S-1", ImmutableID: anchor, Synced: true, Created: daysAgo(900), LastSuccessful: daysAgo(1)}
	}
	on := directory.ADUser{SID: "S-1", GUID: "g", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)}
	wrong, right, twin := e("e", "other"), e("e", "g"), e("f", "g")
	type night struct {
		after  int                   // days since the first night
		entra  []directory.EntraUser // nil if Entra ID is not read
		ad     []directory.ADUser    // nil if Active Directory is not read
		absent bool                  // Active Directory is no longer set up
		accept bool
		doubt  bool
	}
	one := func(u ...directory.EntraUser) []directory.EntraUser { return u }
	nobody, ad, none := []directory.EntraUser{}, []directory.ADUser{on}, []directory.ADUser{}
	for name, nights := range map[string][]night{
		"AD down, then mended":            {{0, one(wrong), ad, false, false, true}, {1, one(wrong), nil, false, false, true}, {40, one(right), nil, false, false, true}, {41, one(right), ad, false, false, false}, {42, one(right), nil, false, false, false}},
		"AD down from the first night on": {{0, one(wrong), nil, false, false, false}, {1, one(wrong), ad, false, false, true}},
		"AD missed the account":           {{0, one(wrong), ad, false, false, true}, {1, one(wrong), none, false, false, true}, {29, one(wrong), none, false, false, true}, {30, one(wrong), none, false, false, false}, {31, one(wrong), nil, false, false, false}},
		"the missed one is gone":          {{0, one(wrong), ad, false, false, true}, {1, one(wrong), none, false, true, false}, {2, one(wrong), nil, false, false, false}},
		"accepted while AD is down":       {{0, one(wrong), ad, false, false, true}, {1, one(wrong), nil, false, true, true}, {2, one(wrong), nil, false, false, true}},
		"AD is set up no more":            {{0, one(wrong), ad, false, false, true}, {1, one(wrong), nil, true, false, true}, {2, one(wrong), nil, true, true, false}, {3, one(wrong), nil, true, false, false}},
		"Entra down":                      {{0, one(wrong), ad, false, false, true}, {1, nil, ad, false, false, true}, {2, one(right), ad, false, false, false}, {3, nil, ad, false, false, false}},
		"Entra missed the account":        {{0, one(wrong), ad, false, false, true}, {1, nobody, ad, false, false, true}, {30, nobody, ad, false, false, false}},
		"one of two missed":               {{0, one(right, twin), ad, false, false, true}, {1, one(right), ad, false, false, true}, {2, one(right), nil, false, false, true}, {29, one(right), ad, false, false, true}, {30, one(right), ad, false, false, false}, {31, one(right), ad, false, false, false}},
		"one of two deleted, accepted":    {{0, one(right, twin), ad, false, false, true}, {1, one(right), ad, false, true, false}, {2, one(right), ad, false, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			last := r.lastReadings()
			for i, n := range nights {
				if i > 0 {
					r = r.nextNight(n.after)
					r.History.Baselines = last
				}
				r.Feeds, r.Begin.AcceptFeeds = [directory.Signals]plan.Feed{{State: plan.Healthy}, {State: plan.Healthy}}, n.accept
				h := accountsIn(slices.Clone(n.entra), slices.Clone(n.ad)...)
				switch {
				case n.entra == nil:
					h.EntraState, r.Feeds[directory.Entra].State = directory.NotRead, plan.Unhealthy
				case n.ad == nil && n.absent:
					h.ADState, r.Feeds[directory.AD].State = directory.NotRead, plan.Absent
				case n.ad == nil:
					h.ADState, r.Feeds[directory.AD].State = directory.NotRead, plan.Unhealthy
				}
				r.read(t, h)
				for s, f := range r.Feeds[:directory.Sources] {
					if f.State == plan.Healthy {
						last[s] = &plan.Baseline{Run: r.Begin.Run, Partitions: r.Begin.Partitions, Read: r.Begin.Read}
					}
				}
				var got []bool
				for p := range h.Join() {
					got = append(got, p.ADState == directory.Contradictory)
				}
				want := []bool{n.doubt}
				if len(n.entra) > 1 {
					want = append(want, n.doubt)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("after %d days, contradictory (-want +got):\n%s", n.after, d)
				}
			}
		})
	}
}
