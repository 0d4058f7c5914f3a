package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "only" works on the changes of one person, like a call that ended before the changes of other people.
func (b *bench) only(t *testing.T, user string) {
	t.Helper()
	j, err := b.open(t.Context(), Request{Run: "run"})
	if err == nil {
		err = errors.Join(j.check(t.Context(), Request{Run: "run"}), j.rereadGroups(t.Context()), j.readMemberships(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range j.batches {
		of.Changes = slices.DeleteFunc(slices.Clone(of.Changes), func(c plan.Change) bool { return c.User != user })
		if err := errors.Join(j.batch(t.Context(), of), runs.PutResults(t.Context(), b.Store, of.Name, j.of(of))); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOnlyWhatHasBegun: a run resumes an earlier run. The earlier run then finishes only the changes that it has begun.
// Its other changes get no result, so the earlier run can still be applied as a whole.
func TestOnlyWhatHasBegun(t *testing.T) {
	t.Parallel()
	for _, batch := range []string{"", "entra-0001"} {
		b := newBench(t, moveAnna, freeAnna, changeBo)
		for range 2 {
			b.only(t, "id-anna")
			b.follow()
		}
		b.logged(t, moveAnna, "open")
		b.logged(t, freeAnna, "done")
		if _, err := b.Apply(t.Context(), Request{Run: "run", Batch: batch, Scope: runs.Begun}); err != nil {
			t.Fatal(err)
		}
		b.logged(t, moveAnna, "done")
		b.logged(t, changeBo, "")
		status := map[string]runs.Status{}
		for _, r := range b.results(t).Results {
			status[r.License+" of "+r.User] = r.Status
		}
		if d := cmp.Diff(map[string]runs.Status{"e3 of id-anna": runs.Done, "visio of id-anna": runs.Done}, status); d != "" {
			t.Errorf("results of batch %q (-want +got):\n%s", batch, d)
		}
		if _, err := b.Apply(t.Context(), Request{Run: "run", Batch: batch}); err != nil {
			t.Fatal(err)
		}
		b.logged(t, changeBo, "done")
	}
}

// TestFormerIdHasBegun: a run has begun a restore, and the ledger has it under a former id of the person. When the run
// is resumed, it finds this restore and continues it.
func TestFormerIdHasBegun(t *testing.T) {
	t.Parallel()
	for _, scope := range []runs.Scope{runs.Begun, runs.Back} {
		c := freeDora
		c.Rule, c.RestoreOf, c.TakenAs = plan.RestoreRule, "r0", "id-dora-0"
		b := newBench(t, c)
		b.ad.people[doraSID].LastLogonTimestamp = daysAgo(1)
		b.tookCitrix(t, c.TakenAs)
		book := ledger.In(b.Store)
		last, err := book.Latest(t.Context(), c.TakenAs, "citrix")
		if err != nil {
			t.Fatal(err)
		}
		begun := last.Intent
		begun.Run, begun.Rule, begun.RestoreOf, begun.At = "run", c.Rule, "r0", b.now
		if _, err := book.Begin(t.Context(), begun, last); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Apply(t.Context(), Request{Run: "run", Scope: scope}); err != nil {
			t.Fatal(err)
		}
		b.wrote(t, "AddMember "+citrixDN+" guid-dora")
	}
}

// TestRelayReadsOnlyWhoHasBegun: the relay of a resumed run reads only the people whose changes have begun.
func TestRelayReadsOnlyWhoHasBegun(t *testing.T) {
	t.Parallel()
	for _, begun := range []bool{false, true} {
		b := newBench(t, freeEgon, freeDora)
		if begun {
			b.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-egon": errDown}
			b.only(t, freeEgon.User)
			b.logged(t, freeEgon, "open")
		}
		r := newRelayed(t, b)
		state := r.step(t, "prepare", &BatchState{Run: "run", Batch: "ad-0001", Scope: runs.Begun})
		if state.Ask != begun {
			t.Fatalf("begun %t: %+v", begun, state)
		}
		if !begun {
			state.Evidence = &protocol.Ending{Absent: true}
			if state = r.step(t, "change", state); state.Ask || len(state.Counts) != 0 {
				t.Errorf("%+v", state)
			}
			b.logged(t, freeDora, "")
			continue
		}
		var people protocol.People
		if err := store.GetJSON(t.Context(), b.Store, state.Input, &people); err != nil || !slices.Equal(people.SIDs, []string{freeEgon.SID}) {
			t.Errorf("reads %v, %v", people.SIDs, err)
		}
	}
}

// TestScopeThatCannotBeRead: a call that cannot read which changes have begun does nothing.
func TestScopeThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.Store = brokenStore{b.Store, "", "ledger/"}
	if r, err := b.Apply(t.Context(), Request{Run: "run", Scope: runs.Begun}); err == nil || r != nil {
		t.Errorf("%+v, %v", r, err)
	}
	b.wrote(t, joinEXO)
}

// TestRestoreOfOneBeginsNoOther: the restore of one person resumes a run that stopped half-way. The run begins no
// change of another person.
func TestRestoreOfOneBeginsNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, changeBo)
	b.only(t, "id-anna")
	if back := b.recall(t, "id-anna"); !slices.Equal(back.Resumes, []string{"run"}) {
		t.Fatalf("%+v", back)
	}
	p, err := runs.GetPlan(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	b.follow()
	r, err := b.Apply(t.Context(), Request{Run: "run", PlanHash: p.PlanHash, Batch: "entra-0001", Scope: runs.Begun})
	if err != nil || r.Of(&moveAnna).Status != runs.Kept || r.Of(&plan.Change{User: "id-bo", License: "e3"}) != nil {
		t.Errorf("%+v, %v", r, err)
	}
	b.logged(t, moveAnna, "given back")
	b.logged(t, changeBo, "")
}

// TestOnlyGoingBack: a call with the scope runs.Back finishes a rollback, although sign-in dates and exempt groups
// cannot be read. It touches no other change that the run has begun.
func TestOnlyGoingBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, freeAnna, changeBo)
	b.entra.fail = map[string]error{changeEXO: errDown, leaveEXO: errDown}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.entra.full["g-exo"] = "CountViolation"
	b.entra.in.remove("g-visio", "id-anna") // as the write of the first call shows
	b.follow()
	b.only(t, "id-anna")
	b.logged(t, moveAnna, "open")
	b.logged(t, changeBo, "open")
	b.entra.fail = map[string]error{"ReadPeople id-anna": errDown, "ListPeople": errDown, "GroupsOf id-anna": errDown, "FindGroup g-exempt": errDown}
	before := len(b.entra.writes())
	if _, err := b.Apply(t.Context(), Request{Run: "run", Scope: runs.Back}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{leaveEXO}, b.entra.writes()[before:]); d != "" {
		t.Errorf("writes (-want +got):\n%s", d)
	}
	b.logged(t, moveAnna, "rolled back")
	b.logged(t, changeBo, "open")
}

// TestHeldRunGoesOnWithARestore: a run on hold has begun a restore. A call with the scope runs.Back finishes the
// restore. This call needs no sign-in dates.
func TestHeldRunGoesOnWithARestore(t *testing.T) {
	t.Parallel()
	b := takenFromAnna(t)
	b.apply(t, runs.Pending, "joined the source group again")
	b.follow()
	b.entra.fail = map[string]error{"ListPeople": errDown}
	if _, err := b.Apply(t.Context(), Request{Run: "run", Scope: runs.Back}); err != nil {
		t.Fatal(err)
	}
	b.wrote(t, "AddMember g-e3 id-anna", leaveEXO)
}

// TestRestoreNeedsNoTaking: a person has left the source group. A restore rolls this change back, even if no license
// may be taken now, for example because the policy has faults or the sign-in dates are missing.
func TestRestoreNeedsNoTaking(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		policy string
		dead   bool
		user   string // the only person who is restored
	}{
		"audit":       {strings.Replace(text, "mode: enforce", "mode: audit", 1), false, ""},
		"broken":      {"rulez:", false, "id-anna"},
		"another":     {strings.Replace(text, tenant, "99999999-2222-3333-4444-555555555555", 1), false, ""},
		"no policy":   {"", false, ""},
		"dead source": {text, true, "id-anna"},
	} {
		for _, deployed := range []bool{false, true} {
			b := newBench(t, moveAnna)
			b.apply(t, runs.Pending, "joined")
			b.follow()
			b.apply(t, runs.Pending, "left the source group")
			b.recall(t, tc.user)
			b.follow()
			b.entra.fail = map[string]error{}
			for _, call := range []string{"ReadPeople id-anna", "ListPeople", "GroupsOf id-anna", "FindGroup g-exempt"} {
				if tc.dead {
					b.entra.fail[call] = errDown
				}
			}
			var err error
			if deployed {
				s := &Steps{Applier: *b.Applier, Policy: func(context.Context) (string, error) {
					if tc.policy == "" {
						return "", errDown
					}
					return tc.policy, nil
				}}
				state := &BatchState{Run: "run", Batch: "entra-0001", Scope: runs.Back}
				if state, err = s.Do(t.Context(), StepInput{Op: "prepare", Batch: *state}); err == nil {
					_, err = s.Do(t.Context(), StepInput{Op: "change", Batch: *state})
				}
			} else {
				_, err = b.Apply(t.Context(), Request{Run: "run", Scope: runs.Back})
			}
			if err != nil {
				t.Errorf("%s, deployed %t: %v", name, deployed, err)
			}
			b.wrote(t, joinEXO, leaveE3, "AddMember g-e3 id-anna")
		}
	}
}

// TestDeadFeedStopsNoReturn: sign-in dates have become too rare, and a change must be rolled back. A call is
// refused, unless its scope is runs.Back. Each call finishes the rollback and leaves the other changes as they are.
func TestDeadFeedStopsNoReturn(t *testing.T) {
	t.Parallel()
	for _, scope := range []runs.Scope{runs.All, runs.Begun, runs.Back} {
		b := newBench(t, moveAnna, changeBo)
		b.entra.fail = map[string]error{changeEXO: errDown}
		if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
			t.Fatal(err)
		}
		b.follow()
		b.entra.fail = nil
		if err := history.Stop(t.Context(), b.Store, "run", "id-anna", "later", b.now); err != nil {
			t.Fatal(err)
		}
		b.deadSignIns()
		before := len(b.entra.writes())
		r, err := b.Apply(t.Context(), Request{Run: "run", Scope: scope})
		if refused := errors.Is(err, runs.ErrRefused); refused != (scope != runs.Back) || r == nil || r.Of(&moveAnna).Status != runs.Kept {
			t.Errorf("scope %q: %+v, %v", scope, r, err)
		}
		if d := cmp.Diff([]string{leaveEXO}, b.entra.writes()[before:]); d != "" {
			t.Errorf("scope %q: writes (-want +got):\n%s", scope, d)
		}
		b.logged(t, moveAnna, "given back")
		b.logged(t, changeBo, "open")
	}
}

// TestAuditReturnsNothing: the policy in force is in mode audit. A call that gets this policy is refused and returns no
// license. A call for a restore gets no policy in force, so it returns the license.
func TestAuditReturnsNothing(t *testing.T) {
	t.Parallel()
	audit := strings.Replace(text, "mode: enforce", "mode: audit", 1)
	for _, scope := range []runs.Scope{runs.All, runs.Begun, runs.Back} {
		b := newBench(t, moveAnna)
		b.apply(t, runs.Pending, "joined")
		b.follow()
		if err := history.Stop(t.Context(), b.Store, "run", "id-anna", "later", b.now); err != nil {
			t.Fatal(err)
		}
		r, err := b.Apply(t.Context(), Request{Run: "run", Scope: scope, Policy: audit})
		if !errors.Is(err, runs.ErrRefused) || r != nil || strings.Count(err.Error(), "mode audit") != 1 {
			t.Errorf("scope %q: %+v, %v", scope, r, err)
		}
		b.wrote(t, joinEXO)
		if _, err := b.Apply(t.Context(), Request{Run: "run", Scope: runs.Back}); err != nil {
			t.Error(err)
		}
		b.logged(t, moveAnna, "given back")
	}
}

// TestNothingReturnedIsNoResult: a call is refused, and none of its changes returns a license. The call gives no
// results.
func TestNothingReturnedIsNoResult(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.deadSignIns()
	if r, err := b.Apply(t.Context(), Request{Run: "run"}); r != nil || !errors.Is(err, runs.ErrRefused) {
		t.Errorf("%+v, %v", r, err)
	}
}

// The method "deadSignIns" fills the sample of Entra ID with accounts that never signed in.
func (b *bench) deadSignIns() {
	for i := range evidence.Enough {
		id := fmt.Sprint("new-", i)
		b.entra.users[id] = &directory.EntraUser{ID: id, Enabled: directory.Yes, Created: daysAgo(400)}
	}
}

// TestRelayOfARefusedRun: a batch of Active Directory is refused, because almost nobody has a sign-in date any more.
// The relay still makes the write that returns a license.
func TestRelayOfARefusedRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora, freeEgon)
	b.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-dora": errDown, "RemoveMember " + citrixDN + " guid-egon": errDown}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.ad.fail = nil
	if err := history.Stop(t.Context(), b.Store, "run", "id-dora", "later", b.now); err != nil {
		t.Fatal(err)
	}
	b.deadSignIns()
	r := newRelayed(t, b)
	state := r.step(t, "prepare", &BatchState{Run: "run", Batch: "ad-0001"})
	state.Evidence = &protocol.Ending{Answer: protocol.Answer{Key: r.bring(t, state)}}
	if state = r.step(t, "change", state); !state.Ask {
		t.Fatalf("%+v", state)
	}
	r.write(t, state)
	if d := cmp.Diff([]string{"AddMember " + citrixDN + " guid-dora"}, b.ad.writes()[2:]); d != "" {
		t.Errorf("writes (-want +got):\n%s", d)
	}
	if x := b.resultOf(t, freeEgon); !strings.Contains(x.Note, "source entra is unhealthy") {
		t.Errorf("%+v", x)
	}
}

// TestNoEvidenceKeepsWhatReturns: a batch gets no evidence of Active Directory. It keeps the result of a change that
// returns a license, because another batch of the run works on that change.
func TestNoEvidenceKeepsWhatReturns(t *testing.T) {
	t.Parallel()
	for _, scope := range []runs.Scope{runs.Begun, runs.All} {
		b := newBench(t, freeDora, freeEgon)
		b.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-dora": errDown, "RemoveMember " + citrixDN + " guid-egon": errDown}
		if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
			t.Fatal(err)
		}
		b.ad.fail = nil
		if err := history.Stop(t.Context(), b.Store, "run", "id-dora", "later", b.now); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Apply(t.Context(), Request{Run: "run", Scope: runs.Back}); err != nil {
			t.Fatal(err)
		}
		before := b.resultOf(t, freeDora)
		none := &protocol.Ending{Error: "Relay.Failed", Cause: "the clocks differ"}
		newRelayed(t, b).step(t, "change", &BatchState{Run: "run", Batch: "ad-0001", Scope: scope, Evidence: none})
		if d := cmp.Diff(before, b.resultOf(t, freeDora)); d != "" {
			t.Errorf("scope %q: what returns (-want +got):\n%s", scope, d)
		}
		if x := b.resultOf(t, freeEgon); !x.Retry || !strings.Contains(x.Note, "the clocks differ") {
			t.Errorf("scope %q: %+v", scope, x)
		}
	}
}

// TestReturnNeedsNoFullReading: a change returns its license while something cannot be read that only a rule asks. The
// license is given again in every scope. The reading of other people stays as it is.
func TestReturnNeedsNoFullReading(t *testing.T) {
	t.Parallel()
	moved := func(t *testing.T) *bench {
		b := newBench(t, moveAnna)
		b.apply(t, runs.Pending, "joined")
		b.follow()
		b.apply(t, runs.Pending, "left the source group")
		b.follow()
		return b
	}
	taken := func(t *testing.T) *bench {
		b := safeBench(t, func(*snapshot.Begin, *snapshot.Manifest) {}, func(*fakeAD) {})
		b.ad.deaf = true
		b.apply(t, runs.Pending, "still shows the member")
		b.ad.deaf = false
		b.ad.in.remove(citrixDN, doraSID)
		return b
	}
	for name, tc := range map[string]struct {
		begin func(*testing.T) *bench
		fail  func(*bench)
		gives string
	}{
		"an exempt group of Active Directory": {taken, func(b *bench) { b.ad.fail = map[string]error{"MemberOf " + safeDN + " " + doraSID: errDown} }, "AddMember " + citrixDN + " guid-dora"},
		"the groups of Entra ID":              {moved, func(b *bench) { b.entra.fail = map[string]error{"GroupsOf id-anna": errDown} }, "AddMember g-e3 id-anna"},
		"the accounts contradict each other":  {taken, func(b *bench) { b.entra.users["id-dora"].ImmutableID = "guid-else" }, "AddMember " + citrixDN + " guid-dora"},
	} {
		for _, scope := range []runs.Scope{runs.All, runs.Begun, runs.Back} {
			for _, asked := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s %s asked %t", name, scope, asked), func(t *testing.T) {
					t.Parallel()
					b := tc.begin(t)
					c := b.changeOf(t)
					if asked {
						if err := history.Stop(t.Context(), b.Store, "run", c.User, "later", b.now); err != nil {
							t.Fatal(err)
						}
					} else {
						book := ledger.In(b.Store)
						last, err := book.Latest(t.Context(), c.User, c.License)
						if err == nil {
							_, err = book.RollBack(t.Context(), last, ledger.Mark{Outcome: ledger.RolledBack, Why: "logged on", At: b.now})
						}
						if err != nil {
							t.Fatal(err)
						}
					}
					tc.fail(b)
					if _, err := b.Apply(t.Context(), Request{Run: "run", Scope: scope}); err != nil {
						t.Fatal(err)
					}
					if x := b.resultOf(t, c); x.Status != runs.Pending || x.Retry {
						t.Errorf("%+v", x)
					}
					if wrote := append(b.entra.writes(), b.ad.writes()...); !slices.Contains(wrote, tc.gives) {
						t.Errorf("wrote %q", wrote)
					}
				})
			}
		}
	}
}

// The method "changeOf" returns the only change of the plan.
func (b *bench) changeOf(t *testing.T) plan.Change {
	t.Helper()
	p, err := runs.GetPlan(t.Context(), b.Store, "run")
	if err != nil || len(p.Changes) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	return p.Changes[0]
}

func (b *bench) resultOf(t *testing.T, c plan.Change) (x runs.Result) {
	t.Helper()
	r := b.results(t)
	if known := r.Of(&c); known != nil {
		x = *known
	}
	return x
}
