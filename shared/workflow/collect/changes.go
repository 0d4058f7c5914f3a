package collect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// FullReadEvery is how long delta readings may build on one full reading. Two kinds of change give an object no new
// USN: idleseat's account gains or loses the right to read an attribute, or time passes a date that lay in the future
// when it was read.
const FullReadEvery = 7 * 24 * time.Hour

// The method "earlier" returns the Active Directory reading of the newest earlier run for everybody in the tenant. It
// fails if a delta reading cannot build on it.
func (c *Collector) earlier(ctx context.Context, b *snapshot.Begin) (*snapshot.Reading, error) {
	run, err := snapshot.Latest(ctx, c.Store, func(old *snapshot.Begin) bool {
		return old.Tenant == b.Tenant && old.User == "" && old.Copy == "" && old.Run < b.Run
	})
	if errors.Is(err, snapshot.ErrUnknownRun) {
		return nil, errors.New("no run read everybody before")
	}
	if err != nil {
		return nil, err
	}
	old, err := snapshot.GetBegin(ctx, c.Store, run)
	if err != nil {
		return nil, err
	}
	m, _, err := snapshot.GetManifest(ctx, c.Store, run)
	if err != nil {
		return nil, err
	}
	r := &m.Readings[directory.AD]
	age := c.Now().Sub(r.Full)
	switch {
	case r.Absent || r.Failed != "" || r.PartialLogon != "" || r.Watermark == nil:
		return nil, fmt.Errorf("run %s has no watermark to continue from", run)
	case old.Partitions != b.Partitions:
		return nil, fmt.Errorf("run %s has %d partitions, this one %d", run, old.Partitions, b.Partitions)
	case age < 0 || age >= FullReadEvery:
		return nil, fmt.Errorf("everybody was last read on %s", r.Full.Format(time.DateOnly))
	}
	return r, nil
}

// Since stores the earlier reading for the relay, which then reads only the changes in Active Directory. It returns the
// key of the stored object, or "" if the relay must read everybody.
func (c *Collector) Since(ctx context.Context, b *snapshot.Begin) (key string, err error) {
	before, why := c.earlier(ctx, b)
	if why != nil {
		return "", context.Cause(ctx)
	}
	key = layout.Since(b.Run)
	if err := store.PutJSONIfAbsent(ctx, c.Store, key, before); err != nil && !errors.Is(err, store.ErrExists) {
		return "", fmt.Errorf("prepare the earlier reading for run %s: %w", b.Run, err)
	}
	return key, nil
}
