package decision

import (
	"context"
	"fmt"
	"sync"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "reported" sets the health of the usage reports that the policy reads. Their tables are read at the first
// call of r.usage.
func (r *Run) reported(ctx context.Context) {
	for _, s := range r.Policy.Signals() {
		if s.Reported() {
			r.Feeds[s] = plan.Health(s, r.ReportFacts(s, r.Manifest.Reports), r.Begin.AsOf)
		}
	}
	r.usage = sync.OnceValues(func() (usage.Tables, error) { return tablesOf(ctx, r.store, r.Manifest) })
}

// ReportFacts returns the figures of a signal in the given usage reports. The field Baseline has the figures of the
// last healthy reading of this signal, with which the health check compares them.
func (r *Run) ReportFacts(s directory.Signal, readings []usage.Reading) plan.FeedFacts {
	facts, read := usage.FactsOf(readings, s)
	f := plan.FeedFacts{Freshness: facts.Freshness, Failed: facts.Failed, Baseline: r.baseline(s)}
	if !read {
		f.Failed = "its usage report was not read"
	}
	return f
}

func tablesOf(ctx context.Context, s store.Store, m *snapshot.Manifest) (all usage.Tables, err error) {
	for _, reading := range m.Reports {
		if reading.Key == "" {
			continue
		}
		t, err := snapshot.GetReport(ctx, s, &reading)
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", m.Run, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// Reports returns the usage reports of the run.
func (r *Run) Reports() (usage.Tables, error) { return r.usage() }
