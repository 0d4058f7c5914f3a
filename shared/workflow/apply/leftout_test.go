package apply

import (
	"slices"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
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

// TestKindOfAnAccountThatIsNotRead: Bo's account is blocked, so it may be a shared mailbox, and only Active Directory
// shows the type. It counts although the settings leave the account out. The license is kept while nobody knows it.
func TestKindOfAnAccountThatIsNotRead(t *testing.T) {
	t.Parallel()
	const sid, shared, user = "S-1-5-21-77", "34359738368", "2147483648"
	const isShared = "exempt: exempt: the account is of the kind shared: msExchRecipientTypeDetails is " + shared + ", of an account that IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves out"
	leftOut := func(recipient string, hidden ...string) func(*fakeAD) {
		return func(f *fakeAD) {
			f.people[sid] = &directory.ADUser{SID: sid, GUID: "guid-bo", RecipientType: recipient, Unreadable: hidden}
			f.leftOut = sid
		}
	}
	nothing := func(*fakeAD) {}
	down := func(f *fakeAD) {
		f.people[sid] = &directory.ADUser{SID: sid, GUID: "guid-bo", RecipientType: shared}
		f.fail = map[string]error{"ReadPerson " + sid: errDown}
	}
	for name, tc := range map[string]struct {
		ad        func(*fakeAD)
		converted bool
		joined    bool // whether a recent run read both accounts
		keep      string
	}{
		"shared":               {leftOut(shared), false, false, isShared},
		"shared and converted": {leftOut(shared), true, false, isShared},
		"a user's":             {leftOut(user), false, true, ""},
		"hidden":               {leftOut("", "msExchRecipientTypeDetails"), false, false, "undecided: ad.msExchRecipientTypeDetails may not be read"},
		"not shown any more":   {nothing, false, true, "undecided: the kind of the account is not known: synced from Active Directory, but no account with its SID was found there"},
		"never shown":          {nothing, false, false, ""},
		"no answer":            {down, false, false, "undecided: the kind of the account is not known: Active Directory was not read; Active Directory could not be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, want := changeBo, runs.Done
			c.SID = sid
			if tc.keep != "" {
				want = runs.Kept
			}
			ready := func(changes ...plan.Change) *bench {
				b := newBench(t, changes...)
				b.remembers(t, c)
				account := known.Account{Key: known.KeyOf(c.User), Newest: [directory.ActivityDates]known.Second{2: known.SecondOf(idle)}, Seen: known.Always}
				if tc.joined {
					account.Joined = known.SecondOf(asOf)
				}
				p := &known.Partition{Accounts: [2][]known.Account{directory.Entra: {account}}}
				if err := known.Put(t.Context(), b.Store, "run", 0, p); err != nil {
					t.Fatal(err)
				}
				b.plan(t, func(p *plan.Plan) { p.Changes = changes })
				bo := b.entra.users[c.User]
				bo.SID, bo.ImmutableID, bo.Synced, bo.Enabled = sid, "guid-bo", !tc.converted, directory.No
				tc.ad(b.ad)
				return b
			}
			b, r := ready(c), newRelayed(t, ready(c, freeDora)) // without freeDora, the relay is not asked
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

// TestBegunAndLeftOutAlone: Egon is in Active Directory alone. After a change was begun, the settings leave his account
// out. The change ends by what his groups show, and does not count as a change of a deleted account.
func TestBegunAndLeftOutAlone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change plan.Change
		begin  func(*testing.T, *bench)
		want   []runs.Status // the results of calls that follow one another
		logged ledger.Outcome
		citrix bool // whether the group Citrix lists him in the end
	}{
		"taken": {freeEgon, func(t *testing.T, b *bench) {
			b.ad.deaf = true
			b.apply(t, runs.Pending, "still shows the member")
			b.ad.in = members{}
		}, []runs.Status{runs.Done}, ledger.Done, false},
		"not taken yet": {freeEgon, func(t *testing.T, b *bench) {
			b.ad.deaf = true
			b.apply(t, runs.Pending, "still shows the member")
		}, []runs.Status{runs.Pending, runs.Kept}, ledger.RolledBack, true},
		"a rollback waits": {freeEgon, func(t *testing.T, b *bench) {
			b.ad.deaf = true
			b.apply(t, runs.Pending, "still shows the member")
			b.recall(t, freeEgon.User)
			b.ad.fail = map[string]error{"AddMember #1": errDown}
			b.apply(t, runs.Pending, "going back is not finished")
			b.ad.in = members{}
		}, []runs.Status{runs.Pending, runs.Kept}, ledger.Restored, true},
		"joined, and not left": {demoteEgon, func(t *testing.T, b *bench) {
			b.ad.lost = map[string]error{joinEgon: errDown}
			b.apply(t, runs.Pending, "did not go through")
		}, []runs.Status{runs.Kept}, ledger.RolledBack, true},
		"a restore of a run waits": {freeEgon, func(t *testing.T, b *bench) {
			c := freeEgon
			c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
			b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{c} })
			touched := &history.Planned{Run: "r0", Touches: []history.Touch{{User: c.User, License: "citrix"}}}
			if err := history.PutPlanned(t.Context(), b.Store, touched, true); err != nil {
				t.Fatal(err)
			}
			b.put(t, ledger.Intent{Person: c.User, SID: c.SID, License: "citrix", Run: "r0", Rule: "citrix", Via: "ad-group", Source: citrixDN, At: daysAgo(10), Before: ledger.Holding{InGroups: []string{citrixDN}}}, ledger.Done)
			b.lag()
			b.ad.in, b.ad.people[c.SID].LastLogonTimestamp = members{}, daysAgo(1)
			b.ad.fail = map[string]error{"AddMember #1": errDown}
			b.apply(t, runs.Pending, "going back is not finished")
		}, []runs.Status{runs.Done}, ledger.Done, true},
	} {
		for _, scope := range []runs.Scope{runs.Begun, runs.All} {
			t.Run(name+" "+string(scope), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, tc.change)
				tc.begin(t, b)
				b.ad.deaf, b.ad.fail, b.ad.lost, b.ad.leftOut = false, nil, nil, freeEgon.SID
				b.at(b.now.Add(time.Hour))
				for _, want := range tc.want {
					r, err := b.Apply(t.Context(), Request{Run: "run", Scope: scope})
					if err != nil || len(r.Results) != 1 || r.Results[0].Status != want {
						t.Fatalf("%+v, %v; want %s", r, err, want)
					}
					b.lag()
				}
				b.logged(t, tc.change, string(tc.logged))
				if got := slices.Contains(b.ad.in[citrixDN], freeEgon.SID); got != tc.citrix {
					t.Errorf("in the group Citrix: %t", got)
				}
				if slices.Contains(b.ad.in[liteDN], freeEgon.SID) {
					t.Error("in the group Lite still")
				}
			})
		}
	}
}

// TestReturnAndLeftOutAlone: a run planned the restore of Egon, who is in Active Directory alone. Then the settings
// leave his account out, so no rule knows that he is back. Nothing is begun.
func TestReturnAndLeftOutAlone(t *testing.T) {
	t.Parallel()
	c := freeEgon
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	b := newBench(t, c)
	b.ad.leftOut = c.SID
	b.apply(t, runs.Kept, leftOutNow)
	b.wrote(t)
	b.logged(t, c, "")
}

// TestNoticeAndLeftOutAlone: a run planned to announce a change to Egon, who is in Active Directory alone. Then the
// settings leave his account out. Nothing is announced, and the note says why.
func TestNoticeAndLeftOutAlone(t *testing.T) {
	t.Parallel()
	c := freeEgon
	c.Via = plan.Notice
	b := newBench(t, c)
	b.ad.leftOut = c.SID
	b.apply(t, runs.Kept, leftOutNow)
	b.logged(t, c, "")
}
