package apply

import (
	"errors"
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

func (b *bench) underWay(t *testing.T, c plan.Change, via plan.Via) *move {
	t.Helper()
	in := ledger.Intent{Person: c.User, License: c.License, To: c.To, Run: "run", Rule: c.Rule, Via: string(via), At: b.now, SKU: "sku-e3", TargetSKU: "sku-exo"}
	if via == plan.EntraGroup {
		in.Source, in.Target = "g-e3", "g-exo"
	}
	j := b.jobOf(t)
	e, err := j.ledger.Begin(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := j.ledger.Of(t.Context(), c.User)
	if err != nil {
		t.Fatal(err)
	}
	u := *b.entra.users[c.User]
	return &move{job: j, page: page, entry: e, change: &c, person: &directory.Person{Entra: &u, EntraState: directory.Present}, read: b.now}
}

func TestWriteThatFailed(t *testing.T) {
	t.Parallel()
	type believes struct{ First, Unchanged, Took bool }
	for name, tc := range map[string]struct {
		err    error
		first  bool
		status runs.Status
		note   string
		want   believes
	}{
		"handed over":                {directory.ErrDeferred, true, runs.Pending, handedOver, believes{true, false, true}},
		"not sent":                   {errAged, true, aged, "", believes{true, true, false}},
		"not sent, but tried before": {errAged, false, aged, "", believes{false, false, true}},
		"perhaps sent before":        {errors.Join(errAged, directory.ErrUncertain), true, aged, "", believes{false, false, true}},
		"no answer":                  {errDown, true, troubled, "the write did not go through, run apply again: down", believes{false, false, true}},
		"refused":                    {refusal("no seat"), true, runs.Failed, "no seat", believes{true, true, false}},
		"refused, tried before":      {refusal("no seat"), false, runs.Failed, "no seat", believes{false, false, false}},
		"the group is gone":          {directory.ErrNoGroup, true, runs.Failed, "the group is gone: ", believes{true, true, false}},
	} {
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		m.first, m.took = tc.first, true
		status, note := m.writeFailed(t.Context(), tc.err)
		if status != tc.status || !strings.HasPrefix(note, tc.note) || (note == "") != (tc.note == "") {
			t.Errorf("%s: %s, %q", name, status, note)
		}
		if d := cmp.Diff(tc.want, believes{m.first, m.unchanged, m.took}); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestLeaving: before a call takes a license, it writes a mark into the ledger. It then takes the license only while
// the evidence is fresh and no other call has begun a rollback.
func TestLeaving(t *testing.T) {
	t.Parallel()
	t.Run("first", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		m.unchanged = true
		if status, note := m.leave(t.Context()); status != "" || !m.first || !m.took || m.unchanged || m.left == nil || !m.left.At.Equal(b.now) {
			t.Errorf("%s %q: %+v", status, note, m)
		}
	})
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		before := b.now.Add(-time.Hour)
		if _, _, err := m.ledger.Leave(t.Context(), m.entry, before); err != nil {
			t.Fatal(err)
		}
		m.left = &ledger.Mark{At: before}
		if status, note := m.leave(t.Context()); status != "" || m.first || !m.took || !m.left.At.Equal(before) {
			t.Errorf("%s %q: %+v", status, note, m)
		}
		m.first = true // this call wrote the mark, and sent no write
		if m.leave(t.Context()); !m.first {
			t.Error("the second try of this call is not its first")
		}
	})
	t.Run("old evidence", func(t *testing.T) {
		t.Parallel()
		for age, want := range map[time.Duration]runs.Status{evidenceAge: "", evidenceAge + time.Second: aged} {
			b := newBench(t, changeBo)
			m := b.underWay(t, changeBo, plan.Direct)
			m.read = b.now.Add(-age)
			status, _ := m.leave(t.Context())
			mark, err := m.ledger.LeavingMark(t.Context(), m.entry)
			if status != want || err != nil || (mark != nil) != (want == "") {
				t.Errorf("%s old: %s, marked %t, %v", age, status, mark != nil, err)
			}
		}
	})
	t.Run("the mark took long", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		calls := 0
		m.Applier = &Applier{Store: b.Store, Entra: b.entra, AD: b.ad, Now: func() time.Time {
			if calls++; calls > 2 {
				return b.now.Add(time.Hour)
			}
			return b.now
		}}
		if status, _ := m.leave(t.Context()); status != aged || !m.unchanged || m.took {
			t.Errorf("%s: unchanged %t, took %t", status, m.unchanged, m.took)
		}
	})
	t.Run("turned back", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		if _, err := m.ledger.RollBack(t.Context(), m.entry, ledger.Mark{Outcome: ledger.Restored, Why: "wanted", At: b.now}); err != nil {
			t.Fatal(err)
		}
		if status, note := m.leave(t.Context()); status != runs.Kept && status != runs.Pending || !strings.HasPrefix(note, "wanted") {
			t.Errorf("%s, %q", status, note)
		}
	})
	t.Run("the mark cannot be written", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		m.ledger = ledger.In(brokenStore{b.Store, "leaving", ""})
		if status, note := m.leave(t.Context()); status != troubled || !strings.Contains(note, "down") || m.took {
			t.Errorf("%s, %q", status, note)
		}
	})
}

// TestServicePlansOfTheTarget: the target group may give its license with some service plans switched off. If a needed
// plan is off, or if the service plans of the product are not known, the method "switchedOff" returns the reason.
func TestServicePlansOfTheTarget(t *testing.T) {
	t.Parallel()
	skus := []directory.SKU{{ID: "sku-exo", PartNumber: "EXCHANGESTANDARD", PlansRead: true, Plans: []directory.ServicePlan{{ID: "mail", Name: "EXCHANGE_S_STANDARD"}, {ID: "yammer", Name: "YAMMER"}}}, {ID: "sku-e3", PartNumber: "SPE_E3", PlansRead: true, Plans: []directory.ServicePlan{{ID: "yammer", Name: "YAMMER"}}}, {ID: "sku-visio", PartNumber: "VISIO"}}
	path := func(sku string, off ...string) directory.Assignment {
		return directory.Assignment{SKU: sku, Group: "g", State: "Active", DisabledPlans: off}
	}
	const unknown = "the target group gives its license with service plans switched off: what would be left cannot be told"
	for name, tc := range map[string]struct {
		sku   string
		paths []directory.Assignment
		want  string
	}{
		"nothing off":              {"sku-exo", []directory.Assignment{path("sku-exo")}, ""},
		"what does not matter":     {"sku-exo", []directory.Assignment{path("sku-exo", "yammer")}, ""},
		"the mailbox":              {"sku-exo", []directory.Assignment{path("sku-exo", "mail")}, "the target group gives its license without the service plan EXCHANGE_S_STANDARD"},
		"the mailbox, on one path": {"sku-exo", []directory.Assignment{path("sku-exo"), path("sku-exo", "mail")}, "the target group gives its license without the service plan EXCHANGE_S_STANDARD"},
		"plans that are not known": {"sku-visio", []directory.Assignment{path("sku-visio", "x")}, unknown},
		"of the first license":     {"sku-e3", []directory.Assignment{path("sku-e3", "yammer")}, ""},
		"a product of no license":  {"sku-other", []directory.Assignment{path("sku-other", "x")}, unknown},
		"the same, with all of it": {"sku-other", []directory.Assignment{path("sku-other")}, ""},
		"of another product":       {"sku-exo", []directory.Assignment{path("sku-e3", "mail")}, ""},
		"by another group":         {"sku-exo", []directory.Assignment{{SKU: "sku-exo", Group: "h", DisabledPlans: []string{"mail"}}}, ""},
	} {
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		m.run.Tenant = plan.TenantOf(skus, nil, nil)
		m.person.Entra.Assignments = tc.paths
		if got := m.switchedOff(tc.sku, "g"); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestErrorOfAPath(t *testing.T) {
	t.Parallel()
	path := func(state, problem string) directory.Assignment {
		return directory.Assignment{SKU: "sku-exo", Group: "g", State: state, Error: problem}
	}
	for name, tc := range map[string]struct {
		paths []directory.Assignment
		want  string
	}{
		"none":                     {nil, ""},
		"active":                   {[]directory.Assignment{path("Active", "None")}, ""},
		"in error":                 {[]directory.Assignment{path("Error", "Other")}, "Other"},
		"active, another in error": {[]directory.Assignment{path("Active", "None"), path("Error", "Other")}, "Other"},
		"of another group":         {[]directory.Assignment{{SKU: "sku-exo", Group: "h", State: "Error", Error: "Other"}}, ""},
	} {
		b := newBench(t, changeBo)
		if got := b.moveOf(t, ledger.Intent{}, tc.paths...).pathError("sku-exo", "g"); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestGoneAccount: the account of an open change is deleted. If the change may have taken the license, it stays open
// for 30 days after the first reading that lacks the account, because an administrator can bring the account back. Its
// status is troubled, for which no run waits long.
func TestGoneAccount(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		left   bool
		age    time.Duration
		status runs.Status
	}{
		"not left":            {false, 0, runs.Failed},
		"left":                {true, 0, troubled},
		"left, a second less": {true, inBin - time.Second, troubled},
		"left, for as long":   {true, inBin, runs.Failed},
	} {
		b := newBench(t, changeBo)
		m := b.underWay(t, changeBo, plan.Direct)
		if tc.left {
			if _, _, err := m.ledger.Leave(t.Context(), m.entry, b.now); err != nil {
				t.Fatal(err)
			}
		}
		m.person = nil
		if tc.age > 0 {
			if status, note := m.gone(t.Context(), "gone"); status != troubled {
				t.Fatalf("%s, at first: %s, %q", name, status, note)
			}
		}
		b.now = b.now.Add(tc.age)
		if status, note := m.gone(t.Context(), "gone"); status != tc.status || !strings.HasPrefix(note, "gone") {
			t.Errorf("%s: %s, %q", name, status, note)
		}
	}
}

// TestPastOfAnotherID: the digest has an announcement under the object id of an account that is gone. The person is now
// known only by the SID. The method "past" must find the announcement by the SID, and must not alter the digest.
func TestPastOfAnotherID(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	j := b.jobOf(t)
	err := store.PutLines(t.Context(), b.Store, "past.jsonl.gz", func(emit func(any) error) error {
		told := &history.Item{User: "gone", SID: "S-7", License: "citrix", Via: plan.ADGroup, State: history.Announced, Run: "r0", At: daysAgo(5)}
		return errors.Join(emit(map[string]any{"head": map[string]any{"run": "run"}}), emit(told))
	})
	if err != nil {
		t.Fatal(err)
	}
	if j.run.History, err = history.Load(t.Context(), b.Store, &snapshot.Manifest{History: "past.jsonl.gz"}); err != nil {
		t.Fatal(err)
	}
	page, err := j.ledger.Of(t.Context(), "S-7")
	if err != nil {
		t.Fatal(err)
	}
	m := &move{job: j, page: page, change: &plan.Change{User: "S-7", SID: "S-7", License: "citrix"}}
	past, err := m.past(t.Context(), "citrix")
	if err != nil || past == nil || past.State != history.Announced || past.IdleSince == nil || !past.IdleSince.Equal(past.At) {
		t.Errorf("%+v, %v", past, err)
	}
	if known := j.run.History.Of("gone", "citrix"); known.IdleSince != nil {
		t.Errorf("what the run knows was altered: %+v", known)
	}
}

// TestPastAtTheLastMoment: the past of a license is what the newest ledger entry says. There is one exception: if the
// entry took the license, and the run's digest says that somebody then restored it by hand, the license is restored.
func TestPastAtTheLastMoment(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		o        ledger.Outcome // outcome of the entry of run r0; empty: no entry
		known    history.State  // state in the run's digest; empty: none
		knownRun string
		want     history.State
	}{
		"nothing":                   {"", "", "", ""},
		"taken":                     {ledger.Done, "", "", history.Taken},
		"taken, as the run knows":   {ledger.Done, history.Taken, "r0", history.Taken},
		"restored by others":        {ledger.Done, history.Restored, "r0", history.Restored},
		"restored, and taken again": {ledger.Done, history.Restored, "r-1", history.Taken},
		"announced since":           {ledger.Announced, history.Restored, "r0", history.Announced},
		"the ledger has nothing":    {"", history.Restored, "r0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			j := b.jobOf(t)
			if tc.o != "" {
				e, err := j.ledger.Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "e3", Run: "r0", Rule: "m365", Via: "direct", At: daysAgo(9)}, nil)
				if err == nil {
					err = j.ledger.Complete(t.Context(), e, ledger.Completion{Outcome: tc.o, At: daysAgo(8)})
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			err := store.PutLines(t.Context(), b.Store, "past.jsonl.gz", func(emit func(any) error) error {
				err := emit(map[string]any{"head": map[string]any{"run": "run"}})
				if tc.known != "" {
					err = errors.Join(err, emit(&history.Item{User: "id-bo", License: "e3", State: tc.known, Run: tc.knownRun, At: daysAgo(5)}))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if j.run.History, err = history.Load(t.Context(), b.Store, &snapshot.Manifest{History: "past.jsonl.gz"}); err != nil {
				t.Fatal(err)
			}
			page, err := j.ledger.Of(t.Context(), "id-bo")
			if err != nil {
				t.Fatal(err)
			}
			m := &move{job: j, page: page, change: &plan.Change{User: "id-bo", License: "e3"}}
			past, err := m.past(t.Context(), "e3")
			got := history.State("")
			if past != nil {
				got = past.State
			}
			if got != tc.want || err != nil {
				t.Fatalf("%+v, %v; want %q", past, err, tc.want)
			}
			if byRun := got == history.Restored; past != nil && !past.At.Equal(map[bool]time.Time{true: daysAgo(5), false: daysAgo(8)}[byRun]) {
				t.Errorf("of %s", past.At)
			}
			if announced := got == history.Announced; past != nil && (past.IdleSince != nil && past.IdleSince.Equal(past.At)) != announced {
				t.Errorf("idle since %v", past.IdleSince)
			}
		})
	}
	b := newBench(t, changeBo)
	if err := store.PutBytes(t.Context(), b.Store, "ledger/id-bo/e3/000001.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	page, err := ledger.In(b.Store).Of(t.Context(), "id-bo")
	if err != nil {
		t.Fatal(err)
	}
	m := &move{job: b.jobOf(t), page: page, change: &plan.Change{User: "id-bo", License: "e3"}}
	if past, err := m.past(t.Context(), "e3"); past != nil || !errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("damaged: %+v, %v", past, err)
	}
}
