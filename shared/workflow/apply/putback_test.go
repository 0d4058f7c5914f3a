package apply

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "backing" makes a restore of Egon's license, which run r0 took. It returns the job, the move, and the
// newest ledger entry of the license, or nil. The field "entry" of the move is set only if the restore wrote that
// entry.
func (b *bench) backing(t *testing.T, restores string) (*job, *move, *ledger.Entry) {
	t.Helper()
	c := freeEgon
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	j := b.judging(t)
	j.plan.Restores = restores
	page, err := j.ledger.Of(t.Context(), c.User)
	if err != nil {
		t.Fatal(err)
	}
	last, err := page.Latest(t.Context(), c.License)
	if err != nil {
		t.Fatal(err)
	}
	m := &move{job: j, page: page, change: &c, person: &directory.Person{AD: b.ad.people[c.User], ADState: directory.Present}, read: b.now}
	if last != nil && last.Run == "run" {
		m.entry = last
	}
	return j, m, last
}

// TestPuttingBackInActiveDirectory: the ledger and the reads decide whether a restore begins, continues or is refused.
func TestPuttingBackInActiveDirectory(t *testing.T) {
	t.Parallel()
	const give = "AddMember <GUID=" + citrixGUID + "> guid-egon"
	taken := func(change func(*ledger.Intent), o ledger.Outcome) func(*testing.T, *bench) {
		return func(t *testing.T, b *bench) {
			in := ledger.Intent{Person: freeEgon.User, SID: freeEgon.SID, License: "citrix", Run: "r0", Rule: "citrix", Via: "ad-group", Source: citrixDN, SourceGUID: citrixGUID, At: daysAgo(10)}
			change(&in)
			b.put(t, in, o)
			b.lag() // the license was taken long ago
		}
	}
	as := func(*ledger.Intent) {}
	begun := taken(func(in *ledger.Intent) { in.Run, in.RestoreOf, in.Rule = "run", "r0", plan.RestoreRule }, "")
	done, open := taken(as, ledger.Done), taken(as, "")
	restored := func(t *testing.T, b *bench) {
		taken(as, ledger.Restored)(t, b)
		b.ad.in.add(citrixDN, freeEgon.SID)
	}
	for name, tc := range map[string]struct {
		stand    func(*testing.T, *bench)
		restores string
		then     func(*bench, *job, *move)
		writes   []string
		status   runs.Status
		note     string
		logged   string
	}{
		"asked for":                    {done, "r0", nil, []string{give}, runs.Done, "", "done"},
		"nothing may begin":            {done, "r0", func(_ *bench, j *job, _ *move) { j.closed = "closed" }, nil, runs.Refused, "closed", "done"},
		"begun, and nothing may begin": {begun, "r0", func(_ *bench, j *job, _ *move) { j.closed = "closed" }, []string{give}, runs.Done, "", "done"},
		"the ledger has nothing":       {func(*testing.T, *bench) {}, "r0", nil, nil, runs.Refused, "it is no longer as run r0 left it; look at the ledger", ""},
		"r0 has it open, asked for":    {open, "r0", nil, []string{give}, runs.Done, "its run is being restored", "given back"},
		"r0 has it open, refused": {open, "r0", func(b *bench, _ *job, _ *move) { b.ad.fail = map[string]error{give: refusal("no")} },
			[]string{give}, runs.Failed, "its run is being restored; it could not be restored: no", "done"},
		"r0 has it open":                       {open, "", nil, nil, runs.Refused, "it is no longer as run r0 left it; look at the ledger", "open"},
		"r0's was restored, taken since":       {taken(as, ledger.Restored), "r0", nil, nil, runs.Refused, "it is no longer as run r0 left it; look at the ledger", "given back"},
		"r0's was restored":                    {restored, "r0", nil, nil, runs.Done, "as noted", "given back"},
		"r0's was restored, nothing may begin": {restored, "r0", func(_ *bench, j *job, _ *move) { j.closed = "closed" }, nil, runs.Done, "as noted", "given back"},
		"r0's was restored, not asked for":     {restored, "", nil, nil, runs.Refused, "it is no longer as run r0 left it; look at the ledger", "given back"},
		"r0's was restored, unread":            {restored, "r0", func(b *bench, _ *job, _ *move) { b.ad.fail = map[string]error{"MemberOf #1": errDown} }, nil, troubled, "nothing was done: down", "given back"},
		"r0 announced it":                      {taken(as, ledger.Announced), "r0", nil, nil, runs.Refused, "it is no longer as run r0 left it; look at the ledger", "noticed"},
		"its rule is gone, not asked for":      {taken(func(in *ledger.Intent) { in.Rule = "gone" }, ledger.Done), "", nil, nil, runs.Refused, "the run's policy has no rule gone", "done"},
		"another group by now, begun":          {begun, "r0", func(b *bench, _ *job, _ *move) { delete(b.ad.groups, directory.GroupByGUID(citrixGUID, "")) }, nil, runs.Failed, "the group that was left", "failed"},
		"the group cannot be looked up": {done, "r0", func(b *bench, _ *job, _ *move) { b.ad.fail = map[string]error{"FindGroup " + citrixDN: errDown} },
			nil, troubled, "nothing was done: down", "done"},
		"the same, begun": {begun, "r0", func(b *bench, _ *job, _ *move) { b.ad.fail = map[string]error{"FindGroup " + citrixDN: errDown} },
			nil, troubled, "down", "open"},
		"the same, r0 has it open": {open, "r0", func(b *bench, _ *job, _ *move) { b.ad.fail = map[string]error{"FindGroup " + citrixDN: errDown} },
			nil, troubled, "down", "open"},
		"no account, begun":                  {begun, "r0", func(_ *bench, _ *job, m *move) { m.person.AD, m.person.ADState = nil, directory.NoAccount }, nil, runs.Failed, "the account is no longer in Active Directory", "failed"},
		"no account read, begun":             {begun, "r0", func(_ *bench, _ *job, m *move) { m.person.AD, m.person.ADState = nil, directory.NotRead }, nil, troubled, "the Active Directory account cannot be read now", "open"},
		"no account, r0 has it open":         {open, "r0", func(_ *bench, _ *job, m *move) { m.person.AD, m.person.ADState = nil, directory.NoAccount }, nil, runs.Failed, "the account is no longer in Active Directory", "failed"},
		"no account, r0 has it open, unread": {open, "r0", func(_ *bench, _ *job, m *move) { m.person.AD, m.person.ADState = nil, directory.NotRead }, nil, troubled, "the Active Directory account cannot be read now", "open"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeEgon)
			b.ad.at(citrixDN, citrixGUID, 900)
			b.ad.in = members{}
			tc.stand(t, b)
			j, m, last := b.backing(t, tc.restores)
			if tc.then != nil {
				tc.then(b, j, m)
			}
			status, note := j.restore(t.Context(), m, last)
			if status != tc.status || !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") {
				t.Errorf("%s, %q; want %s, %q", status, note, tc.status, tc.note)
			}
			if d := cmp.Diff(tc.writes, b.ad.writes(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
			b.logged(t, freeEgon, tc.logged)
		})
	}
}

// TestPutBackWithoutActiveDirectory: a restore waits until Active Directory is set up.
func TestPutBackWithoutActiveDirectory(t *testing.T) {
	t.Parallel()
	for _, run := range []string{"run", "r0"} {
		b := newBench(t, freeEgon)
		in := ledger.Intent{Person: freeEgon.User, SID: freeEgon.SID, License: "citrix", Run: run, Rule: "citrix", Via: "ad-group", Source: citrixDN, At: daysAgo(10)}
		if run == "run" {
			in.RestoreOf, in.Rule = "r0", plan.RestoreRule
		}
		b.put(t, in, "")
		j, m, last := b.backing(t, "r0")
		j.adGroups = map[string]*directory.Group{citrixDN: {ID: citrixDN}}
		j.Applier = &Applier{Store: b.Store, Entra: b.entra, Now: b.Applier.Now}
		if status, note := j.restore(t.Context(), m, last); status != troubled || !strings.HasPrefix(note, "the Active Directory account cannot be read now") {
			t.Errorf("of %s: %s, %q", run, status, note)
		}
		b.wrote(t)
	}
}

// TestGroupInErrorIsLeftAgain: a restore added the person to a group, but the group cannot give its license. Apply must
// remove the person from the group again before the restore counts as failed.
func TestGroupInErrorIsLeftAgain(t *testing.T) {
	t.Parallel()
	b := takenFromAnna(t)
	b.entra.full["g-e3"] = "CountViolation"
	b.apply(t, runs.Pending, "waiting for its license")
	b.follow()
	b.entra.fail = map[string]error{leaveE3: errDown}
	b.apply(t, runs.Pending, "down")
	if r := b.results(t); !r.Results[0].Retry {
		t.Errorf("%+v", r.Results)
	}
	b.entra.fail = nil
	b.apply(t, runs.Failed, "the group does not give the license: no free seat")
	b.wrote(t, "AddMember g-e3 id-anna", leaveE3, leaveE3)
}

// TestRestoreLeavesNoGroupThatItDidNotJoin: if the help desk put the person into the group, a restore that fails does
// not remove the person.
func TestRestoreLeavesNoGroupThatItDidNotJoin(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]bool{"before the restore": false, "after its first write failed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := takenFromAnna(t)
			if down {
				b.entra.fail = map[string]error{"AddMember g-e3 id-anna": errDown}
				b.apply(t, runs.Pending, "going back is not finished")
				b.entra.fail = nil
			}
			b.entra.in.add("g-e3", "id-anna")
			b.entra.full["g-e3"] = "CountViolation"
			b.follow()
			b.apply(t, runs.Failed, "the group does not give the license: no free seat")
			if !slices.Contains(b.entra.in["g-e3"], "id-anna") || slices.Contains(b.entra.writes(), leaveE3) {
				t.Errorf("writes %q; members %q", b.entra.writes(), b.entra.in["g-e3"])
			}
		})
	}
}

// TestRestoreRemembersThatItJoined: a restore adds the person to a group, and records this with a mark. If the mark
// cannot be read or written, the restore waits.
func TestRestoreRemembersThatItJoined(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]func(store.Store) store.Store{
		"cannot be read":    func(s store.Store) store.Store { return blindStore{s, "ledger/id-anna/e3/000002.rejoined.json"} },
		"cannot be written": func(s store.Store) store.Store { return brokenStore{s, ".rejoined.json", ""} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := takenFromAnna(t)
			b.Store = down(b.Store)
			b.apply(t, runs.Pending, "the ledger")
			if r := b.results(t); !r.Results[0].Retry {
				t.Errorf("%+v", r.Results)
			}
		})
	}
}

// TestUndoneWithoutBeingShown: if the data of a run is gone, a restore can only roll back the open change of the run.
// The restore removes the person from the target group, even if reads do not show the person there. If the call ends
// before it stores the result, the next call finds the license restored.
func TestUndoneWithoutBeingShown(t *testing.T) {
	t.Parallel()
	c := moveAnna
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	b := newBench(t, c)
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
	b.put(t, ledger.Intent{
		Person: "id-anna", License: "e3", Run: "r0", Rule: "m365", To: "exo", Via: "entra-group", Source: "g-e3", Target: "g-exo", SKU: "sku-e3", TargetSKU: "sku-exo", At: daysAgo(1),
		Before: ledger.Holding{Assignments: []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Active"}}, InGroups: []string{"g-e3"}},
	}, "")
	b.entra.in.add("g-exo", "id-anna")
	b.Entra = hiding{b.entra, "g-exo"}
	whole := b.Store
	b.Store = brokenStore{Store: whole, put: "/results/"}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err == nil {
		t.Fatal("results that were not written are no error")
	}
	b.Store = whole
	b.logged(t, moveAnna, string(ledger.Restored))
	b.apply(t, runs.Done, "its run is being restored")
	b.wrote(t, leaveEXO)
}

// TestOpenRestoreThatWasAltered: the open entry of a restore names another source group than the one that the person
// left. The restore fails and writes nothing.
func TestOpenRestoreThatWasAltered(t *testing.T) {
	t.Parallel()
	b := restores(t, func(*ledger.Intent) {})
	first, err := ledger.In(b.Store).Latest(t.Context(), "id-anna", "e3")
	if err != nil {
		t.Fatal(err)
	}
	in := first.Intent
	in.Run, in.RestoreOf, in.Rule, in.Source = "run", "r0", plan.RestoreRule, "g-mfa"
	if _, err := ledger.In(b.Store).Begin(t.Context(), in, first); err != nil {
		t.Fatal(err)
	}
	b.apply(t, runs.Failed, "are not those by which it may be restored now; restore again")
	b.wrote(t)
}
