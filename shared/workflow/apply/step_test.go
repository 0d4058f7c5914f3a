package apply

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// A relayed bench has a relay that answers from the fake directory.
type relayed struct {
	*bench
	*Steps
}

func newRelayed(t *testing.T, b *bench) relayed {
	t.Helper()
	s := &Steps{Applier: *b.Applier, Policy: func(ctx context.Context) (string, error) {
		begin, err := snapshot.GetBegin(ctx, b.Store, "run")
		return begin.Policy, err
	}, Relay: true}
	s.AD = nil // only the relay reaches Active Directory
	return relayed{b, s}
}

// The method "round" does the work of the state machine and of the relay for a batch. If "down" is true, the relay does
// not answer.
func (r relayed) round(t *testing.T, batch string, down bool) *BatchState {
	t.Helper()
	state := &BatchState{Run: "run", Batch: batch}
	for range 10 {
		state = r.step(t, "prepare", state)
		switch {
		case state.Ask && down:
			state.Evidence = &protocol.Ending{Error: "States.HeartbeatTimeout"}
		case state.Ask:
			state.Evidence = &protocol.Ending{Answer: protocol.Answer{Key: r.bring(t, state)}}
		default:
			state.Evidence = &protocol.Ending{Absent: true}
		}
		if state = r.step(t, "change", state); !state.Ask {
			return state
		}
		state.Written = &protocol.Ending{Answer: protocol.Answer{Key: r.write(t, state)}}
	}
	t.Fatal("it never ends")
	return nil
}

func (r relayed) step(t *testing.T, op string, state *BatchState) *BatchState {
	t.Helper()
	next, err := r.Do(t.Context(), StepInput{Op: op, Batch: *state})
	if err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return next
}

func (r relayed) bring(t *testing.T, state *BatchState) string {
	t.Helper()
	var people protocol.People
	if err := store.GetJSON(t.Context(), r.bench.Store, state.Input, &people); err != nil {
		t.Fatal(err)
	}
	e := protocol.Evidence{Read: r.now, Sample: []time.Time{r.now.Add(-time.Hour)}, Found: map[string]directory.Group{}}
	for _, g := range state.Groups {
		e.Groups = append(e.Groups, g.Key())
		switch found, err := r.ad.FindGroup(t.Context(), g.DN); {
		case err != nil:
			e.Unreadable = append(e.Unreadable, g.Key())
			continue
		case found.GUID != "":
			e.Found[g.DN] = found
		}
		if some, err := r.ad.HasMembers(t.Context(), g.DN, max(1, g.Least)); err == nil && !some && !g.Direct {
			e.Empty = append(e.Empty, g.Key())
		}
	}
	for _, sid := range people.SIDs {
		e.People = append(e.People, r.account(t, state, sid))
	}
	for _, id := range people.ImmutableIDs {
		var a protocol.Account
		if sid, err := r.ad.FindAnchor(t.Context(), id, people.Anchor); err == nil {
			a = r.account(t, state, sid)
		} else if !errors.Is(err, directory.ErrNoPerson) {
			a.Failed = err.Error()
		}
		a.ImmutableID = id
		e.People = append(e.People, a)
	}
	return r.put(t, state.Input+".evidence.json", e)
}

func (r relayed) account(t *testing.T, state *BatchState, sid string) protocol.Account {
	t.Helper()
	if err := r.ad.fail["ReadPerson "+sid]; err != nil {
		return protocol.Account{SID: sid, Failed: err.Error()}
	}
	a := protocol.Account{SID: sid, User: r.ad.people[sid]}
	if r.ad.leftOut == sid {
		a.User, a.LeftOut = nil, a.User
	}
	for _, g := range state.Groups {
		if in, _ := r.ad.MemberOf(t.Context(), sid, g.DN, g.Direct); in {
			a.Groups = append(a.Groups, g.Key())
		}
	}
	return a
}

func (r relayed) write(t *testing.T, state *BatchState) string {
	t.Helper()
	var list protocol.Changes
	if err := store.GetJSON(t.Context(), r.bench.Store, state.Input, &list); err != nil {
		t.Fatal(err)
	}
	var out protocol.Results
	outcomes := map[string]protocol.Outcome{}
	for _, c := range list.Changes {
		result := protocol.Result{ID: c.ID, GUID: c.GUID, Outcome: protocol.Done}
		write := r.ad.RemoveMember
		if c.Action == protocol.Add {
			write = r.ad.AddMember
		}
		if c.After != "" && outcomes[c.After] != protocol.Done {
			result.Outcome = protocol.Skipped
		} else if err := write(t.Context(), c.Group, c.GUID); err != nil {
			result.Outcome, result.Note = protocol.Failed, err.Error()
			if _, refused := errors.AsType[*directory.Refusal](err); refused {
				result.Outcome = protocol.Refused
			}
		}
		outcomes[c.ID] = result.Outcome
		out.Results = append(out.Results, result)
	}
	return r.put(t, state.Input+".results.json", out)
}

func (r relayed) put(t *testing.T, key string, v any) string {
	t.Helper()
	if err := store.PutJSON(t.Context(), r.bench.Store, key, v); err != nil {
		t.Fatal(err)
	}
	return key
}

func (r relayed) is(t *testing.T, want runs.Status, note string) {
	t.Helper()
	got := r.results(t).Results
	if len(got) != 1 || got[0].Status != want || !strings.Contains(got[0].Note, note) {
		t.Errorf("results %+v, want %s with %q", got, want, note)
	}
}

func TestByRelay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		bench func(t *testing.T) *bench
		batch string
		down  bool
		want  runs.Status
		note  string
		wrote []string
	}{
		"removed":                 {func(t *testing.T) *bench { return newBench(t, freeDora) }, "ad-0001", false, runs.Done, "", []string{"RemoveMember " + citrixDN + " guid-dora"}},
		"moved":                   {func(t *testing.T) *bench { return newBench(t, demoteEgon) }, "ad-0001", false, runs.Done, "", []string{"AddMember " + liteDN + " guid-egon", "RemoveMember " + citrixDN + " guid-egon"}},
		"nobody there":            {func(t *testing.T) *bench { return newBench(t, freeDora) }, "ad-0001", true, runs.Pending, "Check that the relay is running", nil},
		"Entra goes on":           {func(t *testing.T) *bench { return newBench(t, changeBo) }, "entra-0001", true, runs.Done, "", nil},
		"Entra goes on beside it": {func(t *testing.T) *bench { return newBench(t, changeBo, freeDora) }, "entra-0001", true, runs.Done, "", nil},
		"logged on": {func(t *testing.T) *bench {
			b := newBench(t, freeDora)
			b.ad.people["S-1-5-21-4"].LastLogonTimestamp = daysAgo(1)
			return b
		}, "ad-0001", false, runs.Kept, "logged on 1 day ago", nil},
		"refused": {refusing, "ad-0001", false, runs.Failed, "not yours", []string{"RemoveMember " + citrixDN + " guid-dora", "AddMember " + citrixDN + " guid-dora"}},
		"joined in vain": {func(t *testing.T) *bench {
			b := newBench(t, demoteEgon)
			b.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-egon": refusal("not yours")}
			return b
		}, "ad-0001", false, runs.Failed, "not yours",
			[]string{"AddMember " + liteDN + " guid-egon", "RemoveMember " + citrixDN + " guid-egon", "AddMember " + citrixDN + " guid-egon", "RemoveMember " + liteDN + " guid-egon"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRelayed(t, tt.bench(t))
			r.round(t, tt.batch, tt.down)
			if tt.want == runs.Failed { // the relay may have made the write all the same
				r.is(t, runs.Pending, tt.note)
				r.bench.lag()
				r.round(t, tt.batch, tt.down)
			}
			r.is(t, tt.want, tt.note)
			var wrote []string
			wrote = append(wrote, r.ad.writes()...)
			if strings.Join(wrote, "; ") != strings.Join(tt.wrote, "; ") {
				t.Errorf("wrote %q, want %q", wrote, tt.wrote)
			}
		})
	}
}

func refusing(t *testing.T) *bench {
	b := newBench(t, freeDora)
	b.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-dora": refusal("not yours")}
	return b
}

func TestStepsRefuse(t *testing.T) {
	t.Parallel()
	r := newRelayed(t, newBench(t, freeDora))
	for name, in := range map[string]StepInput{
		"unknown step":  {Op: "fly"},
		"unknown batch": {Op: "prepare", Batch: BatchState{Run: "run", Batch: "ad-0009"}},
		"another hash":  {Op: "change", Batch: BatchState{Run: "run", Batch: "ad-0001", PlanHash: "x"}},
	} {
		if _, err := r.Do(t.Context(), in); !errors.Is(err, runs.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRefusalIsNoted: the results of a refused batch have the reason until a later call is allowed.
func TestRefusalIsNoted(t *testing.T) {
	t.Parallel()
	r := newRelayed(t, newBench(t, changeBo))
	r.entra.tenant = "other"
	state := BatchState{Run: "run", Batch: "entra-0001", Evidence: &protocol.Ending{Absent: true}}
	if _, err := r.Do(t.Context(), StepInput{Op: "change", Batch: state}); !errors.Is(err, runs.ErrRefused) {
		t.Fatal(err)
	}
	r.is(t, runs.Pending, "nothing was done: refused to apply run run")
	if got := r.results(t); !strings.Contains(got.Refused, "Graph answered for other") || got.Troubled() != 1 {
		t.Errorf("%+v", got)
	}
	r.entra.tenant = tenant
	r.round(t, "entra-0001", false)
	r.is(t, runs.Done, "")
	if got := r.results(t); got.Refused != "" {
		t.Errorf("refused for ever: %s", got.Refused)
	}
}

// TestRefusedWhileWaiting: a change that waits for the directory keeps waiting if its batch is refused.
func TestRefusedWhileWaiting(t *testing.T) {
	t.Parallel()
	r := newRelayed(t, newBench(t, moveAnna))
	r.round(t, "entra-0001", false)
	r.is(t, runs.Pending, "waiting for its license")
	r.entra.tenant = "other"
	state := BatchState{Run: "run", Batch: "entra-0001", Evidence: &protocol.Ending{Absent: true}}
	if _, err := r.Do(t.Context(), StepInput{Op: "change", Batch: state}); !errors.Is(err, runs.ErrRefused) {
		t.Fatal(err)
	}
	r.is(t, runs.Pending, "waiting for its license")
	if got := r.results(t); got.Refused == "" || got.Troubled() != 0 {
		t.Errorf("%+v", got)
	}
}
