package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func TestWhatDoesNotBegin(t *testing.T) {
	t.Parallel()
	const exempting = "exempt: {groups: [{entra: LIC-Exempt}]}"
	at := func(t *testing.T, b *bench, license, to string, at time.Time) *ledger.Entry {
		t.Helper()
		e, err := ledger.In(b.Store).Begin(t.Context(), ledger.Intent{Person: "id-bo", License: license, To: to, Run: "r0", Rule: "other", Via: "direct", At: at}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	done := func(license, to string, after time.Duration) func(*testing.T, *bench, *job) {
		return func(t *testing.T, b *bench, _ *job) {
			e := at(t, b, license, to, asOf.Add(-time.Hour))
			if err := ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.RolledBack, At: asOf.Add(after)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	open := func(license, to string) func(*testing.T, *bench, *job) {
		return func(t *testing.T, b *bench, _ *job) { at(t, b, license, to, asOf.Add(-time.Hour)) }
	}
	damaged := func(license string) func(*testing.T, *bench, *job) {
		return func(t *testing.T, b *bench, _ *job) {
			at(t, b, license, "", asOf.Add(-time.Hour))
			if err := store.PutBytes(t.Context(), b.Store, "ledger/id-bo/"+license+"/000001.json", []byte("{")); err != nil {
				t.Fatal(err)
			}
		}
	}
	inForce := func(old, new string) func(*testing.T, *bench, *job) {
		return func(t *testing.T, _ *bench, j *job) {
			if err := j.force(strings.Replace(text, old, new, 1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tc := range map[string]struct {
		stand  func(*testing.T, *bench, *job)
		status runs.Status
		again  bool
		note   string // the obstacle; empty: none
	}{
		"nothing":                             {func(*testing.T, *bench, *job) {}, runs.Done, false, ""},
		"nothing may begin":                   {func(_ *testing.T, _ *bench, j *job) { j.closed = "closed" }, runs.Refused, false, "closed"},
		"asked for":                           {func(_ *testing.T, _ *bench, j *job) { j.stopped = map[string]bool{"id-bo": true} }, runs.Refused, false, "somebody asked to restore it"},
		"another's was asked for":             {func(_ *testing.T, _ *bench, j *job) { j.stopped = map[string]bool{"id-anna": true} }, runs.Done, false, ""},
		"a change to the same target":         {open("visio", "exo"), runs.Refused, false, "another run's change is still open: run r0"},
		"a change of the target":              {open("exo", ""), runs.Refused, false, "another run's change is still open: run r0"},
		"a change of another":                 {open("visio", ""), runs.Done, false, ""},
		"to the same target, since":           {done("visio", "exo", time.Second), runs.Refused, false, "another run's change is still open, or was after this plan was made: run r0 changed visio; plan again"},
		"to the same target, at that instant": {done("visio", "exo", 0), runs.Done, false, ""},
		"to the same target, before":          {done("visio", "exo", -time.Minute), runs.Done, false, ""},
		"another, since":                      {done("visio", "", time.Second), runs.Done, false, ""},
		"a damaged entry of another":          {damaged("visio"), runs.Refused, false, ""},
		"a damaged entry":                     {damaged("e3"), runs.Refused, false, ""},
		"the intent is not written":           {func(_ *testing.T, b *bench, j *job) { j.ledger = ledger.In(brokenStore{b.Store, "ledger/", ""}) }, runs.Pending, true, "nothing was done: "},
		"the ledger is not listed":            {func(_ *testing.T, b *bench, j *job) { j.ledger = ledger.In(brokenStore{b.Store, "", "ledger/"}) }, runs.Pending, true, "nothing was done: "},
		"another's entry cannot be read": {func(t *testing.T, b *bench, j *job) {
			at(t, b, "visio", "", asOf.Add(-time.Hour))
			j.ledger = ledger.In(blindStore{b.Store, "ledger/id-bo/visio/000001.json"})
		}, runs.Pending, true, "nothing was done: "},
		"what is held cannot be read": {func(_ *testing.T, b *bench, _ *job) {
			b.entra.fail = map[string]error{"GroupsOf id-bo": errDown, "DirectGroups id-bo": errDown, "GroupsOf #2": errDown, "DirectGroups #2": errDown}
		}, runs.Pending, true, "nothing was done: "},
		"another way":              {func(_ *testing.T, _ *bench, j *job) { j.plan.Changes[0].Via = plan.EntraGroup }, runs.Refused, false, "now held in another way (direct) than when it was planned (entra-group); plan again"},
		"to be announced":          {func(_ *testing.T, _ *bench, j *job) { j.plan.Changes[0].Via = plan.Notice }, runs.Refused, false, "it would now have to be announced first, or was announced already; plan again"},
		"no such rule in force":    {inForce("name: m365", "name: m366"), runs.Kept, false, "the policy in force has no rule m365"},
		"another license in force": {inForce("{sku: SPE_E3,           group: {entra: LIC-E3}}", "{sku: SPE_E3}"), runs.Kept, false, "by the policy in force the rule m365 changes other licenses"},
		"another target in force":  {inForce("{changeTo: exo}", "{changeTo: visio}"), runs.Kept, false, "by the policy in force the rule m365 changes other licenses"},
		"more days in force":       {inForce("days(60)", "days(101)"), runs.Kept, false, "by the policy in force: "},
		"fewer days in force":      {inForce("days(60)", "days(59)"), runs.Done, false, ""},
		"review in force":          {inForce("mode: enforce", "mode: review"), runs.Kept, false, "the policy in force is in mode review, and nobody approved this change"},
		"exempt in force":          {inForce(exempting, "exempt: {users: [id-bo]}"), runs.Kept, false, "by the policy in force: exempt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			j := b.jobOf(t)
			judge, err := j.run.Judge(b.now)
			if err != nil {
				t.Fatal(err)
			}
			j.judge, j.results = judge, &runs.Results{}
			tc.stand(t, b, j)
			all, err := j.fresh(t.Context(), j.plan.Changes)
			if err != nil {
				t.Fatal(err)
			}
			r := j.change(t.Context(), &j.plan.Changes[0], all["id-bo"])
			if r.Status != tc.status || r.Retry != tc.again || !strings.HasPrefix(r.Note, tc.note) {
				t.Errorf("%s, %q, again %t; want %s, %q", r.Status, r.Note, r.Retry, tc.status, tc.note)
			}
			if wrote := len(b.entra.writes()) > 0; wrote != (tc.status == runs.Done) {
				t.Errorf("wrote %v", b.entra.writes())
			}
		})
	}
}

// TestReviewInForceOfAReviewedRun: apply makes the approved changes of a run in mode review if the policy in force is
// in mode review too.
func TestReviewInForceOfAReviewedRun(t *testing.T) {
	t.Parallel()
	review := strings.Replace(text, "mode: enforce", "mode: review", 1)
	b := newBenchOf(t, review, changeBo)
	j := b.jobOf(t)
	judge, err := j.run.Judge(b.now)
	if err != nil {
		t.Fatal(err)
	}
	j.judge, j.results = judge, &runs.Results{}
	if err := j.force(strings.Replace(review, "name: visio,", "name: visual,", 1)); err != nil {
		t.Fatal(err)
	}
	all, err := j.fresh(t.Context(), j.plan.Changes)
	if err != nil {
		t.Fatal(err)
	}
	if r := j.change(t.Context(), &changeBo, all["id-bo"]); r.Status != runs.Done {
		t.Errorf("%+v", r)
	}
}

// TestMailboxThatMayBeShared: if the sign-in of an account is blocked or unknown, apply takes the license only if the
// mailbox report shows a user mailbox.
func TestMailboxThatMayBeShared(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		enabled directory.Flag
		kind    string
		want    runs.Status
	}{
		"sign-in is open":            {directory.Yes, "", runs.Done},
		"sign-in is blocked":         {directory.No, "", runs.Refused},
		"blocked, and a user's":      {directory.No, "User", runs.Done},
		"nobody knows":               {directory.Unset, "", runs.Refused},
		"nobody knows, and a user's": {directory.Unset, "User", runs.Done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := changeBo
			c.UserPrincipalName = "bo@x.example"
			b := newBenchOf(t, strings.Replace(text, "{sku: EXCHANGESTANDARD,", "{sku: EXCHANGESTANDARD, mailboxQuota: 50,", 1), c)
			u := b.entra.users["id-bo"]
			u.UserPrincipalName, u.Enabled = c.UserPrincipalName, tc.enabled
			j := b.jobOf(t)
			judge, err := j.run.Judge(b.now)
			if err != nil {
				t.Fatal(err)
			}
			j.judge, j.results = judge, &runs.Results{}
			if err := store.PutLines(t.Context(), b.Store, "boxes", func(emit func(any) error) error {
				return emit(directory.Mailbox{UserPrincipalName: c.UserPrincipalName, Kind: tc.kind})
			}); err != nil {
				t.Fatal(err)
			}
			j.run.Begin.Mailboxes = &snapshot.Mailboxes{Key: "boxes"}
			all, err := j.fresh(t.Context(), j.plan.Changes)
			if err != nil {
				t.Fatal(err)
			}
			r := j.change(t.Context(), &c, all["id-bo"])
			if r.Status != tc.want || tc.want == runs.Refused && r.Note != plan.MayBeShared {
				t.Errorf("%s, %q; want %s", r.Status, r.Note, tc.want)
			}
			if wrote := len(b.entra.writes()) > 0; wrote != (tc.want == runs.Done) {
				t.Errorf("wrote %v", b.entra.writes())
			}
		})
	}
	c := changeBo
	c.UserPrincipalName = "bo@x.example"
	b := newBenchOf(t, strings.Replace(text, "{sku: EXCHANGESTANDARD,", "{sku: EXCHANGESTANDARD, mailboxQuota: 50,", 1), c)
	b.entra.users["id-bo"].UserPrincipalName, b.entra.users["id-bo"].Enabled = c.UserPrincipalName, directory.No
	j := b.judging(t)
	j.run.Begin.Mailboxes = &snapshot.Mailboxes{Key: "boxes"}
	all, err := j.fresh(t.Context(), j.plan.Changes)
	if err != nil {
		t.Fatal(err)
	}
	j.Applier = &Applier{Store: blindStore{b.Store, "boxes"}, Entra: b.entra, AD: b.ad, Now: b.Applier.Now}
	if r := j.change(t.Context(), &c, all["id-bo"]); r.Status != runs.Pending || !r.Retry || !strings.HasPrefix(r.Note, "nothing was done: read the mailbox usage report of run run: ") {
		t.Errorf("the report cannot be read: %+v", r)
	}
	b.wrote(t)
}

// TestRefusedForItself: an open change of Bo's prevents another change of Bo's, so this is refused. Later, a newer plan
// closes the whole plan. The field Closed of the earlier refusal stays false, because the plan was not its reason.
func TestRefusedForItself(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo, moveAnna, freeAnna)
	b.begun(t, "id-bo", "visio", "exo") // this open change prevents Bo's change
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.follow()
	newer := &history.Planned{Run: "run-2", Expires: asOf.Add(plan.Lifetime)}
	if err := history.PutPlanned(t.Context(), b.Store, newer, true); err != nil {
		t.Fatal(err)
	}
	second, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, x := range second.Results {
		got[x.User+" "+x.License+" "+string(x.Status)] = x.Closed
	}
	want := map[string]bool{"id-bo e3 refused": false, "id-anna e3 pending": false, "id-anna visio done": false}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("closed (-want +got):\n%s", d)
	}
}

// TestEarlierRuleWhosePastIsDamaged: apply takes nothing if a ledger entry for the license of an earlier rule is
// damaged. Nobody then knows what the earlier rule would take.
func TestEarlierRuleWhosePastIsDamaged(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		damaged bool
		want    runs.Status
		note    string
	}{"damaged": {true, runs.Refused, "ledger/id-anna/e3/000001.json"}, "whole": {false, runs.Pending, "left the source group"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeAnna)
			book := ledger.In(b.Store)
			var last *ledger.Entry
			for _, o := range []ledger.Outcome{ledger.Failed, ledger.RolledBack} {
				e, err := book.Begin(t.Context(), ledger.Intent{Person: "id-anna", License: "e3", To: "exo", Run: "r0", Rule: "m365", Via: "entra-group", At: daysAgo(90)}, last)
				if err == nil {
					err = book.Complete(t.Context(), e, ledger.Completion{Outcome: o, At: daysAgo(90)})
				}
				if last = e; err != nil {
					t.Fatal(err)
				}
			}
			if tc.damaged {
				b.damage(t, "ledger/id-anna/e3/000001.json")
			}
			b.apply(t, tc.want, tc.note)
			if wrote := len(b.entra.writes()) > 0; wrote == tc.damaged {
				t.Errorf("wrote %v", b.entra.writes())
			}
		})
	}
}
