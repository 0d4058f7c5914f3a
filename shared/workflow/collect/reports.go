package collect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "reports" reads the usage reports for the policy's signals and stores them as tables. If a report cannot
// be read, its signals are unknown for everybody.
func (c *Collector) reports(ctx context.Context, in Start) (all []usage.Reading, err error) {
	for _, r := range usage.Of(in.Policy.Signals()) {
		reading := usage.Reading{Name: r.Name}
		table, facts, err := usage.Read(ctx, c.Entra, r, c.Now())
		if err == nil && !in.AcceptFeeds {
			reading.Failed, reading.Doubted, err = c.follow(ctx, in.Run, table)
		}
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			reading.Failed = err.Error()
			all = append(all, reading)
			continue
		}
		text, err := table.Bytes()
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		// Each attempt has its own key, because a step may be repeated.
		reading.Key, reading.SHA256, reading.Signals = layout.Usage(in.Run, r.Name, layout.Attempt()), hex.EncodeToString(sum[:]), facts
		if err := store.PutBytes(ctx, c.Store, reading.Key, text); err != nil {
			return nil, err
		}
		all = append(all, reading)
	}
	return all, nil
}

// mostEarlier is the number of earlier runs in which follow and lastKinds look for an earlier report.
const mostEarlier = 30

// The method "follow" copies days of activity into the table of a report from an earlier table of the same report. It
// uses the newest earlier table that can be read. A run over the snapshot of another run read no report, so it does not
// count.
//
// If a table newer than that one is damaged or missing, the result "lost" is the reason. That table may have shown a day
// that the new report lacks, so no run of this night must trust the report. The result "doubted" is when the first run of
// the night read the report. The next night follows the new table.
func (c *Collector) follow(ctx context.Context, run string, table *usage.Table) (lost string, doubted time.Time, err error) {
	earlier, err := history.Before(ctx, c.Store, run, c.Now())
	if err != nil {
		return "", doubted, err
	}
	looked := 0
	for _, run := range earlier {
		b, err := snapshot.GetBegin(ctx, c.Store, run)
		if err == nil && b.Copy != "" {
			continue
		}
		if looked++; looked > mostEarlier {
			break
		}
		reading, last, err := c.reportOf(ctx, run, table.Report)
		switch {
		case errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrNotFound):
			if lost == "" {
				lost, doubted = fmt.Sprintf("what run %s knew of it cannot be read any more, so nobody can tell whether it lost a day since; it is trusted again by a run of another night, at least 20 hours later; to trust it now, plan with --accept-feeds: %v", run, err), c.Now()
			}
		case err != nil:
			return "", doubted, fmt.Errorf("what run %s knew of it cannot be read (plan with --accept-feeds to go on without): %w", run, err)
		case last != nil:
			table.Follow(last)
			if lost == "" && !directory.Apart(reading.Doubted, c.Now()) {
				lost, doubted = reading.Failed, reading.Doubted
			}
			return lost, doubted, nil
		}
	}
	return lost, doubted, nil
}

// reportOf returns what a run stored about a report, and its table. The table is nil if there is none. The error is
// store.ErrNotFound if the table is missing.
func (c *Collector) reportOf(ctx context.Context, run, report string) (*usage.Reading, *usage.Table, error) {
	m, _, err := snapshot.GetManifest(ctx, c.Store, run)
	if errors.Is(err, snapshot.ErrNone) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(m.Reports, func(r usage.Reading) bool { return r.Name == report && r.Key != "" })
	if i < 0 {
		return nil, nil, nil
	}
	t, err := snapshot.GetReport(ctx, c.Store, &m.Reports[i])
	return &m.Reports[i], t, err
}

func coversReports(b *snapshot.Begin, signals []directory.Signal) error {
	for _, r := range usage.Of(signals) {
		if !slices.ContainsFunc(b.Reports, func(known usage.Reading) bool { return known.Name == r.Name }) {
			return fmt.Errorf("it did not read the usage report %s", r.Name)
		}
	}
	return nil
}
