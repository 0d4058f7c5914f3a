package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// offClock is an Active Directory whose method CheckClock returns the error "clock", and whose method ListPeople
// returns the error "list".
type offClock struct {
	*fakeAD
	clock, list error
	many        int // number of accounts in the list
	listed      *int
}

func (o offClock) CheckClock(context.Context, func() time.Time) error { return o.clock }

func (o offClock) ListPeople(ctx context.Context, each func(directory.ADUser) error) error {
	if o.list != nil {
		return o.list
	}
	if o.many == 0 {
		return o.fakeAD.ListPeople(ctx, each)
	}
	for i := range o.many {
		*o.listed++
		if err := each(directory.ADUser{SID: fmt.Sprint(i), LastLogonTimestamp: asOf}); err != nil {
			return err
		}
	}
	return nil
}

// TestSourcesAreProbed: before the first write, apply reads a sample of dates from each source on which the plan
// depends. It writes nothing if the sample cannot be read or has too few dates, or if the clocks cannot be compared.
func TestSourcesAreProbed(t *testing.T) {
	t.Parallel()
	undated := func(b *bench, n int) { // accounts that were enabled long ago and have no dates
		for i := range n {
			id := fmt.Sprint("new-", i)
			b.entra.users[id] = &directory.EntraUser{ID: id, Enabled: directory.Yes, Created: daysAgo(400)}
		}
	}
	undatedAD := func(b *bench, n int) {
		for i := range n {
			id := fmt.Sprint("new-", i)
			b.ad.people[id] = &directory.ADUser{SID: id, Enabled: directory.Yes, Created: daysAgo(400)}
		}
	}
	for name, tc := range map[string]struct {
		change plan.Change
		ad     offClock
		then   func(*bench, *job)
		want   string
	}{
		"well":                              {freeDora, offClock{}, func(*bench, *job) {}, ""},
		"clocks are off":                    {freeDora, offClock{clock: errDown}, func(*bench, *job) {}, "compare clocks before applying: down"},
		"the same, of Entra ID alone":       {changeBo, offClock{clock: errDown, list: errDown}, func(*bench, *job) {}, ""},
		"not listed":                        {freeDora, offClock{list: errDown}, func(*bench, *job) {}, "read last logons before applying: down"},
		"enough of them":                    {freeDora, offClock{many: 5000}, func(*bench, *job) {}, ""},
		"no Active Directory":               {freeDora, offClock{}, func(_ *bench, j *job) { j.AD = nil }, "refused to apply run run: it changes Active Directory, which is not set up here"},
		"Entra ID is not listed":            {changeBo, offClock{}, func(b *bench, _ *job) { b.entra.fail = map[string]error{"ListPeople": errDown} }, "read sign-in dates before applying: down"},
		"few have dates":                    {changeBo, offClock{}, func(b *bench, _ *job) { undated(b, 1000) }, "refused to apply run run: source entra is unhealthy: only "},
		"few have, and it is right":         {changeBo, offClock{}, func(b *bench, j *job) { undated(b, 900); j.run.Begin.AcceptFeeds = true }, ""},
		"few have them in Active Directory": {freeDora, offClock{}, func(b *bench, _ *job) { undatedAD(b, 900) }, "refused to apply run run: source ad is unhealthy: only "},
		"few have there, and it is right":   {freeDora, offClock{}, func(b *bench, j *job) { undatedAD(b, 900); j.run.Begin.AcceptFeeds = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			listed := 0
			tc.ad.fakeAD, tc.ad.listed = b.ad, &listed
			b.AD = tc.ad
			j := b.jobOf(t)
			j.batches, j.results = j.plan.Batches(), &runs.Results{}
			tc.then(b, j)
			err := j.check(t.Context(), Request{Run: "run"})
			if (err == nil) != (tc.want == "") || err != nil && !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
			if strings.HasPrefix(tc.want, "refused") != errors.Is(err, runs.ErrRefused) {
				t.Errorf("refused: %v", err)
			}
			if listed > evidence.Enough {
				t.Errorf("%d accounts were listed", listed)
			}
			b.wrote(t)
		})
	}
}

// TestResultsOfABatch: the method "of" returns the results of all changes that the plan has in a batch, even if the
// call's own copy of the batch lacks some changes.
func TestResultsOfABatch(t *testing.T) {
	t.Parallel()
	j := &job{results: &runs.Results{Run: "run"}, plan: &plan.Plan{Changes: []plan.Change{moveAnna, freeEgon}, Notices: []plan.Change{freeAnna}}}
	for _, c := range []plan.Change{moveAnna, freeAnna, freeEgon} {
		j.results.Set(runs.ResultOf(&c, runs.Done, ""))
	}
	for _, changes := range [][]plan.Change{{moveAnna}, nil} {
		one := j.of(plan.Batch{Name: "entra-0001", Changes: changes})
		if len(one.Results) != 1 || one.Results[0].User != "id-anna" || one.Results[0].License != "e3" || one.Run != "run" || len(j.results.Results) != 3 {
			t.Errorf("%+v", one)
		}
	}
}
