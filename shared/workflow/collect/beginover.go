package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// BeginOver begins and seals a new run over the snapshot of an old run, with other rules or another planning time. It
// asks no directory. It fails with ErrPolicy if the old run did not read something that the policy needs, or if the old
// run's clock was ahead.
func BeginOver(ctx context.Context, s store.Store, old string, in Start, tool string, now time.Time) error {
	b, err := snapshot.GetBegin(ctx, s, old)
	if err != nil {
		return err
	}
	if snapshot.Ahead(old, now) || b.Read.After(now) {
		return fmt.Errorf("%w: run %s was read by a clock that was ahead, so it is unknown what is older and what is newer than its data; read again, without --run", ErrPolicy, old)
	}
	m, _, err := snapshot.GetManifest(ctx, s, old)
	if err != nil {
		return err
	}
	_, err = m.ColumnsFor(in.Policy.Fields())
	if err := errors.Join(err, covers(b, in.Policy)); err != nil {
		return fmt.Errorf("%w: the snapshot of run %s cannot be planned by this policy: %w; read again, without --run", ErrPolicy, old, err)
	}
	b.Run, b.Started, b.AsOf, b.Policy, b.Tool, b.AcceptFeeds, b.Copy, b.Choice = in.Run, now.UTC(), in.AsOf.UTC(), in.Text, tool, in.AcceptFeeds, old, in.Choice
	b.PolicyFile = cmp.Or(in.PolicyFile, b.PolicyFile)
	if b.Earlier, b.Lost, err = history.Earlier(ctx, s, in.Run, now); err != nil {
		return fmt.Errorf("cannot begin run %s: %w", in.Run, err)
	}
	if err := snapshot.PutBegin(ctx, s, b); err != nil {
		return err
	}
	m.Run = in.Run
	if m.History, err = history.MakeDigest(ctx, s, in.Run, now); err != nil {
		return fmt.Errorf("seal run %s: %w", in.Run, err)
	}
	return snapshot.Seal(ctx, s, m)
}

// The function "covers" returns an error if a policy is for another tenant than a run, or needs something that the run
// did not read.
func covers(b *snapshot.Begin, p *policy.Policy) error {
	if p.Tenant != b.Tenant {
		return fmt.Errorf("it is of tenant %s, the policy is for %s", b.Tenant, p.Tenant)
	}
	if err := products(b, p); err != nil {
		return err
	}
	for _, ref := range p.GroupRefs() {
		if !slices.ContainsFunc(b.Groups, func(g directory.Group) bool { return g.Ref.Key(false) == ref.Key(false) }) {
			return fmt.Errorf("it does not know the group %q", ref.String())
		}
	}
	for _, q := range p.MemberQueries() {
		if !slices.Contains(b.Members, q.Ref.Key(q.Direct)) {
			return fmt.Errorf("it does not hold the members of the group %s", q.Ref)
		}
	}
	return coversReports(b, p.Signals())
}
