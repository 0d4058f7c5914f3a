package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// jobOf returns a job for the bench's run, without a judge and results.
func (b *bench) jobOf(t *testing.T) *job {
	t.Helper()
	r, err := decision.Open(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	p, err := runs.GetPlan(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	return &job{Applier: b.Applier, run: r, plan: p, ledger: ledger.In(b.Store)}
}

// TestEntryWithoutItsPlan: a ledger entry about a taken license is believed if the plan of its run, or the list that
// the run stored for later runs, has the change. If both are gone, it is believed only in a restore that an operator
// asked for.
func TestEntryWithoutItsPlan(t *testing.T) {
	t.Parallel()
	const none, over = "the plan of run r0 has no such change, so the ledger object ledger/id-anna/e3/000001.json is not believed", "not restored by a run: the plan of run r0 is over its time"
	taken := plan.Change{User: "id-anna", License: "e3", To: "exo"}
	touch := history.Touch{User: "id-anna", License: "e3"}
	with := func(change func(*plan.Change)) []plan.Change {
		c := taken
		change(&c)
		return []plan.Change{{User: "id-bo"}, c}
	}
	for name, tc := range map[string]struct {
		plan    []plan.Change // changes in the plan of the run that took the license; nil: the plan is gone
		touches []history.Touch
		spoil   string // key of the object that is damaged
		hash    string // plan hash in the entry; empty: the plan's
		run     string // run in the entry; empty: r0
		restore bool
		want    string
	}{
		"in the plan":                       {plan: with(func(*plan.Change) {})},
		"in a plan of another hash":         {plan: with(func(*plan.Change) {}), hash: "x", want: none},
		"somebody else's":                   {plan: with(func(c *plan.Change) { c.User = "id-dora" }), want: none},
		"another license":                   {plan: with(func(c *plan.Change) { c.License = "visio" }), want: none},
		"to another license":                {plan: with(func(c *plan.Change) { c.To = "" }), want: none},
		"the plan restores it":              {plan: with(func(c *plan.Change) { c.RestoreOf = "r-1" }), want: none},
		"the plan changes nothing":          {plan: []plan.Change{}, want: none},
		"no plan, in the list":              {touches: []history.Touch{{User: "id-bo", License: "e3"}, touch}},
		"no plan, another in the list":      {touches: []history.Touch{{User: "id-bo", License: "e3"}}, want: none},
		"no plan, another license listed":   {touches: []history.Touch{{User: "id-anna", License: "visio"}}, want: none},
		"a damaged plan, in the list":       {plan: with(func(*plan.Change) {}), touches: []history.Touch{touch}, spoil: "runs/r0/plan.json"},
		"neither":                           {want: over},
		"neither, asked for by an operator": {restore: true},
		"no plan, a damaged list":           {touches: []history.Touch{touch}, spoil: "history/plans/r0.json", want: over},
		"the same, asked for":               {touches: []history.Touch{touch}, spoil: "history/plans/r0.json", restore: true},
		"a run of no name":                  {run: "../x", want: "not restored by a run: the plan of run ../x is over its time"},
		"no plan, another listed, asked":    {touches: []history.Touch{{User: "id-bo", License: "e3"}}, restore: true, want: none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			j := b.jobOf(t)
			entry := &ledger.Entry{Seq: 1, Intent: ledger.Intent{Person: "id-anna", License: "e3", To: "exo", Run: "r0", PlanHash: tc.hash}}
			if tc.run != "" {
				entry.Run = tc.run
			}
			if tc.plan != nil {
				p := &plan.Plan{Run: "r0", Changes: tc.plan}
				if p.Bind(); tc.hash == "" {
					entry.PlanHash = p.PlanHash
				}
				if err := runs.PutPlan(t.Context(), b.Store, p, noDecisions); err != nil {
					t.Fatal(err)
				}
			}
			if tc.touches != nil {
				if err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: "r0", Touches: tc.touches}, true); err != nil {
					t.Fatal(err)
				}
			}
			if tc.spoil != "" {
				if err := store.PutBytes(t.Context(), b.Store, tc.spoil, []byte("{")); err != nil {
					t.Fatal(err)
				}
			}
			if tc.restore {
				j.plan.Restores = "r0"
			}
			for range 2 { // a job reads a plan once
				why, err := j.unplanned(t.Context(), entry)
				if (tc.want == "") != (why == "") || !strings.HasPrefix(why, tc.want) || err != nil {
					t.Errorf("%q, %v; want %q", why, err, tc.want)
				}
			}
		})
	}
}

// TestPlanThatCannotBeRead: if the store fails to read a plan or a list of changes, the call fails with the error. It
// must not treat the object as missing.
func TestPlanThatCannotBeRead(t *testing.T) {
	t.Parallel()
	entry := &ledger.Entry{Seq: 1, Intent: ledger.Intent{Person: "id-anna", License: "e3", Run: "r0"}}
	for _, key := range []string{"runs/r0/plan.json", "history/plans/r0.json", "history/others/r0.json"} {
		b := newBench(t, moveAnna)
		j := b.jobOf(t)
		j.Applier = &Applier{Store: blindStore{b.Store, key}, Entra: b.entra, AD: b.ad, Now: b.Applier.Now}
		j.plan.Restores = "r0"
		if why, err := j.unplanned(t.Context(), entry); why != "" || !errors.Is(err, errDown) {
			t.Errorf("%s: %q, %v", key, why, err)
		}
	}
}

// TestUserMailbox: the mailbox usage report shows whether the mailbox of a blocked account is a user mailbox or a
// shared one.
func TestUserMailbox(t *testing.T) {
	t.Parallel()
	blocked := func(name string) *plan.Decision { return &plan.Decision{UserPrincipalName: name, Blocked: true} }
	for name, tc := range map[string]struct {
		boxes *snapshot.Mailboxes
		asked *plan.Decision
		want  bool
	}{
		"a user's":             {&snapshot.Mailboxes{Key: "boxes"}, blocked("ANNA@x.example"), true},
		"not told":             {&snapshot.Mailboxes{Key: "boxes"}, blocked("bo@x.example"), false},
		"a shared one":         {&snapshot.Mailboxes{Key: "boxes"}, blocked("cid@x.example"), false},
		"not in the plan":      {&snapshot.Mailboxes{Key: "boxes"}, blocked("dora@x.example"), false},
		"not blocked":          {&snapshot.Mailboxes{Key: "boxes"}, &plan.Decision{UserPrincipalName: "anna@x.example"}, false},
		"no report":            {nil, blocked("anna@x.example"), false},
		"a report that failed": {&snapshot.Mailboxes{Failed: "403"}, blocked("anna@x.example"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			err := store.PutLines(t.Context(), b.Store, "boxes", func(emit func(any) error) error {
				return errors.Join(emit(directory.Mailbox{UserPrincipalName: "Anna@x.example", Kind: "User"}), emit(directory.Mailbox{UserPrincipalName: "bo@x.example"}),
					emit(directory.Mailbox{UserPrincipalName: "cid@x.example", Kind: "Shared"}), emit(directory.Mailbox{UserPrincipalName: "dora@x.example", Kind: "User"}))
			})
			if err != nil {
				t.Fatal(err)
			}
			j := b.jobOf(t)
			j.run.Begin.Mailboxes = tc.boxes
			j.plan.Changes = []plan.Change{{UserPrincipalName: "anna@x.example"}, {UserPrincipalName: "Bo@x.example"}, {UserPrincipalName: "cid@x.example"}}
			for range 2 {
				got, err := j.userMailbox(t.Context(), tc.asked)
				if got != tc.want || err != nil {
					t.Errorf("%t, %v", got, err)
				}
			}
		})
	}
	b := newBench(t, moveAnna)
	j := b.jobOf(t)
	j.run.Begin.Mailboxes = &snapshot.Mailboxes{Key: "gone"}
	if got, err := j.userMailbox(t.Context(), blocked("anna@x.example")); got || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the report is gone: %t, %v", got, err)
	}
}

// TestMembership: a call reads again who is in a group that exempts people. Membership is unknown if the group is gone,
// if its members cannot be seen, or if the group had members before and is empty now.
func TestMembership(t *testing.T) {
	t.Parallel()
	const key = "entra:LIC-Exempt"
	for name, tc := range map[string]struct {
		change func(*bench, *job)
		unseen bool
		listed []string // nil: no list; the person's own groups (memberOf) decide
		is     error
	}{
		"members":           {func(b *bench, _ *job) { b.entra.in["g-exempt"] = []string{"id-bo"} }, false, nil, nil},
		"nobody, as before": {func(*bench, *job) {}, false, nil, nil},
		"gone":              {func(b *bench, _ *job) { b.entra.fail = map[string]error{"FindGroup g-exempt": directory.ErrNoGroup} }, true, nil, nil},
		"gone meanwhile":    {func(b *bench, _ *job) { b.entra.fail = map[string]error{"ListMembers g-exempt": directory.ErrNoGroup} }, true, nil, nil},
		"hidden from us":    {func(b *bench, _ *job) { b.entra.fail = map[string]error{"ListMembers g-exempt": directory.ErrHidden} }, true, nil, nil},
		"hidden, a member": {func(b *bench, _ *job) {
			b.entra.fail = map[string]error{"ListMembers g-exempt": directory.ErrHidden}
			b.entra.in["g-exempt"] = []string{"id-bo"}
		}, true, nil, nil},
		"cannot be found":  {func(b *bench, _ *job) { b.entra.fail = map[string]error{"FindGroup g-exempt": errDown} }, false, nil, errDown},
		"cannot be listed": {func(b *bench, _ *job) { b.entra.fail = map[string]error{"ListMembers g-exempt": errDown} }, false, nil, errDown},
		"hidden now, seen": {func(b *bench, _ *job) {
			b.entra.hidden, b.entra.in["g-exempt"] = "g-exempt", []string{"id-bo", "id-anna"}
		}, false, []string{"id-anna", "id-bo"}, nil},
		"hidden when it was read": {func(b *bench, j *job) {
			j.run.Manifest.Readings[0].Hidden = []string{key}
			b.entra.in["g-exempt"] = []string{"id-bo"}
		}, false, []string{"id-bo"}, nil},
		"hidden when it was found": {func(b *bench, j *job) {
			j.run.Begin.Groups[3].Hidden = true
			b.entra.in["g-exempt"] = []string{"id-bo"}
		}, false, []string{"id-bo"}, nil},
		"hidden, and nobody":                {func(b *bench, _ *job) { b.entra.hidden = "g-exempt" }, false, []string{}, nil},
		"nobody, had some when it was read": {func(_ *bench, j *job) { j.run.Manifest.Readings[0].Members = map[string]int{key: 1} }, true, nil, nil},
		"the same, in a run for one person": {func(_ *bench, j *job) {
			j.run.Manifest.Readings[0].Members, j.run.Begin.User = map[string]int{key: 1}, "x"
		}, false, nil, nil},
		"the same, accepted": {func(_ *bench, j *job) {
			j.run.Manifest.Readings[0].Members, j.run.Begin.AcceptFeeds = map[string]int{key: 1}, true
		}, false, nil, nil},
		"nobody, had several before": {func(_ *bench, j *job) { j.run.Begin.Earlier = &directory.Earlier{Members: map[string]int{key: 3}} }, true, nil, nil},
		"the same, for one person": {func(_ *bench, j *job) {
			j.run.Begin.Earlier, j.run.Begin.User = &directory.Earlier{Members: map[string]int{key: 3}}, "x"
		}, true, nil, nil},
		"some, had many before, for one person": {func(b *bench, j *job) {
			j.run.Begin.Earlier, j.run.Begin.User = &directory.Earlier{Members: map[string]int{key: 8}}, "x"
			b.entra.in["g-exempt"] = []string{"id-bo", "id-anna"}
		}, true, nil, nil},
		"enough, had many before, for one person": {func(b *bench, j *job) {
			j.run.Begin.Earlier, j.run.Begin.User = &directory.Earlier{Members: map[string]int{key: 8}}, "x"
			b.entra.in["g-exempt"] = []string{"id-bo", "id-anna", "id-eva"}
		}, false, nil, nil},
		"some, by another name, for one person": {func(b *bench, j *job) {
			j.run.Begin.Earlier, j.run.Begin.User = &directory.Earlier{
				Groups: map[string]directory.EarlierGroup{"entra:Old": {ID: "g-exempt", At: daysAgo(1)}}, Members: map[string]int{"entra:Old": 8},
			}, "x"
			b.entra.in["g-exempt"] = []string{"id-bo", "id-anna"}
		}, true, nil, nil},
		"some, had several before": {func(b *bench, j *job) {
			j.run.Begin.Earlier = &directory.Earlier{Members: map[string]int{key: 3}}
			b.entra.in["g-exempt"] = []string{"id-bo"}
		}, false, nil, nil},
		"hidden, seen, had some": {func(b *bench, j *job) {
			b.entra.hidden, b.entra.in["g-exempt"] = "g-exempt", []string{"id-bo"}
			j.run.Manifest.Readings[0].Members = map[string]int{key: 1}
		}, false, []string{"id-bo"}, nil},
		"hidden, nobody, had some": {func(b *bench, j *job) {
			b.entra.hidden = "g-exempt"
			j.run.Manifest.Readings[0].Members = map[string]int{key: 1}
		}, true, []string{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			j := b.jobOf(t)
			tc.change(b, j)
			err := j.readMemberships(t.Context())
			if !errors.Is(err, tc.is) {
				t.Fatalf("%v, want %v", err, tc.is)
			}
			if tc.is != nil {
				if !strings.Contains(err.Error(), "apply run run: read the group entra:LIC-Exempt again") {
					t.Error(err)
				}
				return
			}
			got := j.memberships[key]
			if got.Unseen != tc.unseen || (got.Listed == nil) != (tc.listed == nil) || len(got.Listed) != len(tc.listed) {
				t.Errorf("%+v, want unseen %t, listed %v", got, tc.unseen, tc.listed)
			}
			for _, id := range tc.listed {
				if !got.Listed[id] {
					t.Errorf("%s is not listed", id)
				}
			}
			for _, id := range []string{"id-bo", "id-anna"} {
				of, err := j.entraGroups(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				in, unknown := len(of.In) == 1 && of.In[0] == key, len(of.Unreadable) == 1 && of.Unreadable[0] == key
				member := false
				for _, one := range b.entra.in["g-exempt"] {
					member = member || one == id
				}
				if unknown != tc.unseen || in != (member && !tc.unseen) {
					t.Errorf("%s: in %t, unknown %t; want member %t, unknown %t", id, in, unknown, member, tc.unseen)
				}
			}
		})
	}
	b := newBench(t, moveAnna)
	j := b.jobOf(t)
	j.plan.Restores = "r0"
	if err := j.readMemberships(t.Context()); err != nil || len(j.memberships) != 0 || len(b.entra.calls) != 0 {
		t.Errorf("a restore asks: %v, %v", err, b.entra.calls)
	}
	j.plan.Restores, b.entra.fail = "", map[string]error{"GroupsOf id-bo": errDown}
	if _, err := j.entraGroups(t.Context(), "id-bo"); !errors.Is(err, errDown) {
		t.Errorf("memberOf fails: %v", err)
	}
}
