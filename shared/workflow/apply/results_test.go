package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

const resultsFile = "runs/run/results/entra-0001.json"

func (b *bench) results(t *testing.T) runs.Results {
	t.Helper()
	p, err := runs.GetPlan(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	r, err := runs.GetResults(t.Context(), b.Store, p, p.Batches())
	if err != nil {
		t.Fatal(err)
	}
	return *r
}

// TestResultsAreKept: a second call for a run continues only the changes that are still pending. The other results stay
// as they are, and the call reads nothing about these people.
func TestResultsAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, changeBo, freeEgon)
	b.entra.users["id-bo"].LastSuccessful = daysAgo(1)
	first, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	want := &runs.Results{Run: "run", PlanHash: first.PlanHash, At: b.now, Results: []runs.Result{
		{User: "id-anna", UserPrincipalName: "anna@x.example", Rule: "m365", License: "e3", To: "exo", Status: runs.Pending, Note: "joined the target group; waiting for its license to become active", MonthlySaving: 35},
		{User: "id-bo", Rule: "m365", License: "e3", To: "exo", Status: runs.Kept, Note: "signed in 1 day ago", Sighting: &directory.Sighting{Account: "id-bo", Newest: [directory.ActivityDates]time.Time{2: daysAgo(1)}, At: b.now}},
		{User: "S-1-5-21-5", Rule: "citrix", License: "citrix", Status: runs.Done},
	}}
	if d := cmp.Diff(want, first); d != "" || len(first.PlanHash) != 64 {
		t.Errorf("results (-want +got):\n%s", d)
	}
	if d := cmp.Diff(*first, b.results(t)); d != "" {
		t.Errorf("results file (-returned +kept):\n%s", d)
	}

	b.entra.users["id-bo"].LastSuccessful = idle // Bo would lose the license if the rule were asked again
	b.follow()
	b.entra.calls, b.ad.calls = nil, nil
	second, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	want.Results[0].Note = "left the source group; waiting for its license to be freed"
	if d := cmp.Diff(want, second); d != "" {
		t.Errorf("results of the second call (-want +got):\n%s", d)
	}
	wantCalls := []string{"Tenant", "ListPeople", "FindGroup g-e3", "FindGroup g-exo", "FindGroup g-visio", "FindGroup g-exempt", "ListMembers g-exempt", "ReadPeople id-anna", "GroupsOf id-anna", "DirectGroups id-anna", leaveE3, "ReadLicenses id-anna", "DirectGroups id-anna", "ListPeople"}
	if d := cmp.Diff(wantCalls, append(b.entra.calls, b.ad.calls...)); d != "" {
		t.Errorf("calls of the second call (-want +got):\n%s", d)
	}
	b.follow()
	third, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil || third.Count(runs.Done) != 2 || third.Count(runs.Kept) != 1 {
		t.Errorf("results of the third call %+v, %v", third, err)
	}
}

// TestResultsAreLost: if the results are lost, the ledger gives the result of each change.
func TestResultsAreLost(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change plan.Change
		what   func(*bench)
		want   runs.Status
		note   string
	}{
		"done":   {changeBo, func(*bench) {}, runs.Done, ""},
		"failed": {changeBo, func(b *bench) { b.entra.fail = map[string]error{changeEXO: refusal("no free seat")} }, runs.Failed, "no free seat"},
		"rolled back": {moveAnna, func(b *bench) {
			b.entra.full["g-exo"] = "CountViolation"
			b.entra.in.add("g-exo", "id-anna")
			b.follow()
		}, runs.Kept, "CountViolation"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			tc.what(b)
			b.apply(t, tc.want, tc.note)
			writes := b.entra.writes()
			if err := store.PutBytes(t.Context(), b.Store, resultsFile, []byte("{}")); err != nil {
				t.Fatal(err)
			}
			b.entra.fail = nil
			b.apply(t, tc.want, tc.note)
			b.wrote(t, writes...)
		})
	}
}

func TestResultsCannotBeWritten(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.Store = brokenStore{Store: b.Store, put: "/results/"}
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if !errors.Is(err, errDown) || !strings.Contains(fmt.Sprint(err), "the ledger has them") || r.Count(runs.Done) != 1 {
		t.Errorf("results %+v, error %v", r, err)
	}
	b.logged(t, changeBo, "done")
}

func TestTwoLicensesOfOnePerson(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, freeAnna)
	for range 3 {
		if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
			t.Fatal(err)
		}
		b.follow()
	}
	if r := b.results(t); r.Count(runs.Done) != 2 {
		t.Errorf("results: %+v", r)
	}
	if d := cmp.Diff(members{"g-e3": {}, "g-visio": {}, "g-exo": {"id-anna"}}, b.entra.in); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
}

// TestAgain: the field Retry of a pending result is true after a failure. It is false if the change waits for the
// directory.
func TestAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		what func(*bench)
		want bool
	}{
		"waits for the license": {func(*bench) {}, false},
		"groups not readable":   {func(b *bench) { b.entra.fail = map[string]error{"GroupsOf id-anna": errDown} }, true},
		"joining is lost":       {func(b *bench) { b.entra.fail = map[string]error{joinEXO: errDown} }, true},
		"read back fails":       {func(b *bench) { b.entra.fail = map[string]error{"ReadLicenses #1": errDown} }, true},
		"no ledger":             {func(b *bench) { b.Store = brokenStore{Store: b.Store, put: "ledger/"} }, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			tc.what(b)
			b.apply(t, runs.Pending, "")
			if r := b.results(t); r.Results[0].Retry != tc.want || (r.Troubled() == 1) != tc.want {
				t.Errorf("results %+v, want again %t", r, tc.want)
			}
		})
	}
}

// TestStopped: the error of a call that is stopped says how many changes are final. The next call continues.
func TestStopped(t *testing.T) {
	t.Parallel()
	var many []plan.Change
	for i := range 2 * readAtOnce {
		c := changeBo
		c.User = fmt.Sprintf("id-%02d", i)
		many = append(many, c)
	}
	b := newBench(t, many...)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	told := 0
	b.Progress = func(done, total int) {
		if told++; done != told || total != len(many) {
			t.Errorf("progress %d of %d, want %d of %d", done, total, told, len(many))
		}
		if done == readAtOnce {
			stop()
		}
	}
	r, err := b.Apply(ctx, Request{Run: "run"})
	if !errors.Is(err, context.Canceled) || !strings.Contains(fmt.Sprint(err), "stopped, 15 changes are final") || len(r.Results) != readAtOnce {
		t.Fatalf("%d results, error %v", len(r.Results), err)
	}
	if d := cmp.Diff(*r, b.results(t)); d != "" {
		t.Errorf("results file (-returned +kept):\n%s", d)
	}
	b.Progress = nil
	if r, err = b.Apply(t.Context(), Request{Run: "run"}); err != nil || r.Count(runs.Kept) != len(many) {
		t.Errorf("results %+v, error %v", r, err)
	}
}

// TestStoppedInAGroup: a call is stopped before it has worked on all the people whom it read together. The change that
// it had begun is pending, and later changes have no result.
func TestStoppedInAGroup(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		at   string // the call to the directory during which apply is stopped
		want []runs.Status
	}{
		"all are read":           {"GroupsOf id-bo", nil},
		"before the first write": {"DirectGroups #1", nil},
		"while it writes":        {joinEXO, []runs.Status{runs.Pending}},
		"while it reads back":    {"ReadLicenses #1", []runs.Status{runs.Pending}},
		"in the last change":     {"ReadLicenses #2", []runs.Status{runs.Pending, runs.Pending}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna, changeBo)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			b.entra.at = map[string]func(){tc.at: stop}
			if tc.at != "GroupsOf id-bo" { // apply is stopped after every read succeeded
				b.entra.fail = map[string]error{tc.at: context.Canceled}
			}
			r, err := b.Apply(ctx, Request{Run: "run"})
			if !errors.Is(err, context.Canceled) || !strings.Contains(fmt.Sprint(err), "stopped, 0 changes are final") {
				t.Errorf("error %v", err)
			}
			var got []runs.Status
			for _, x := range r.Results {
				got = append(got, x.Status)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("results (-want +got):\n%s", d)
			}
		})
	}
}

// TestResultsSurviveAFailedCall: a call that fails keeps the results of earlier calls.
func TestResultsSurviveAFailedCall(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, changeBo)
	b.entra.users["id-bo"].LastSuccessful = daysAgo(1)
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.entra.fail = map[string]error{"ReadPeople #2": errDown}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err == nil {
		t.Fatal("no error")
	}
	if r := b.results(t); r.Count(runs.Kept) != 1 || r.Count(runs.Pending) != 1 {
		t.Errorf("results %+v", r)
	}
}

// TestResultsAreOfTheirEnd: the results have a time that is not before the completion of any change, although a call
// takes a while. The money of a run is computed up to this time.
func TestResultsAreOfTheirEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo, freeEgon)
	b.Applier.Now = func() time.Time { b.now = b.now.Add(time.Second); return b.now }
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil || r.Count(runs.Done) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, c := range []plan.Change{changeBo, freeEgon} {
		last, err := ledger.In(b.Store).Latest(t.Context(), c.Person(), c.License)
		if err != nil || last.Completion.At.After(r.At) {
			t.Errorf("the results are of %s; the ledger has %+v, %v", r.At, last.Completion, err)
		}
	}
}
