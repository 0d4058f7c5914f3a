package decision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/usage"
)

// maxTable bounds the table of a report in bytes: ten times that of 1,000,000 people.
const maxTable = 240 << 20

// reported judges the signals of reports that the policy names, and prepares to read the
// tables of those reports when somebody is looked at.
func (r *Run) reported(ctx context.Context) {
	for _, s := range r.Policy.Signals() {
		if s.Reported() {
			r.Feeds[s] = plan.Health(s, r.ReportFacts(s, r.Manifest.Reports), r.Begin.AsOf)
		}
	}
	r.usage = sync.OnceValues(func() (usage.Tables, error) { return r.tables(ctx) })
}

// ReportFacts is what readings of reports give of a signal, compared with what it was.
func (r *Run) ReportFacts(s directory.Signal, readings []usage.Reading) plan.FeedFacts {
	facts, read := usage.FactsOf(readings, s)
	f := plan.FeedFacts{Freshness: facts.Freshness, Failed: facts.Failed, Baseline: r.baseline(s)}
	if !read {
		f.Failed = "its usage report was not read"
	}
	return f
}

// tables are the reports of the run.
func (r *Run) tables(ctx context.Context) (all usage.Tables, err error) {
	for _, reading := range r.Manifest.Reports {
		if reading.Key == "" {
			continue
		}
		text, err := store.GetBytes(ctx, r.store, reading.Key, maxTable)
		if err != nil {
			return nil, fmt.Errorf("read the usage report of run %s: %w", r.Begin.Run, err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != reading.SHA256 {
			return nil, fmt.Errorf("%w: %s is not what the manifest of run %s says", store.ErrDamaged, reading.Key, r.Begin.Run)
		}
		t, err := usage.Decode(text)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", store.ErrDamaged, reading.Key, err)
		}
		all = append(all, t)
	}
	return all, nil
}
