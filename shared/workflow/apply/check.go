package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "check" returns the reason why the plan must not be applied. If the run may only finish changes that have
// begun, the method sets the field "closed" and returns nil.
func (j *job) check(ctx context.Context, in Request) error {
	p := j.plan
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w to apply run %s: %s", runs.ErrRefused, in.Run, fmt.Sprintf(format, args...))
	}
	if why := j.inForce.forbidden(p); why != "" {
		return refuse("%s", why)
	}
	if j.scope == runs.Back && policy.InAudit(in.Policy) { // the restore of an operator names no policy
		return refuse("%s", auditInForce)
	}
	asked := history.Request{Approved: in.PlanHash, Override: j.results.Override, Policy: in.Policy, ManifestHash: j.run.ManifestHash, Left: j.left()}
	admitted, refusal, err := history.Admit(ctx, j.Store, p, j.run.Begin, asked, j.Now())
	if err != nil {
		return err
	}
	if refusal != "" {
		return refuse("%s", refusal)
	}
	j.closed, j.withdrawn = admitted.Closed, admitted.Withdrawn
	if j.stopped, err = history.Stopped(ctx, j.Store, p.Run); err != nil {
		return err
	}
	tenant, skus, err := j.Entra.Tenant(ctx)
	if err != nil {
		return fmt.Errorf("apply run %s: %w", in.Run, err)
	}
	if tenant != p.Tenant {
		return refuse("the plan is for tenant %s, but Graph answered for %s", p.Tenant, tenant)
	}
	if p.Restores != "" && len(skus) > 0 { // the list of products that the run stored may be older than the tenant's list
		j.run.Tenant.SKUIDs = directory.SKUIDs(skus)
	}
	if j.onlyGivesBack() {
		return nil
	}
	if err := j.learn(ctx); err != nil {
		return err
	}
	return j.probe(ctx, refuse)
}

// The method "learn" looks once per call for what other runs have learned of people since the plan was made. If nothing
// may begin any more, a damaged object of another run does not stop the call, because it must finish what began.
func (j *job) learn(ctx context.Context) error {
	err := j.run.Learn(ctx, j.Now())
	lost := errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound)
	if err != nil && !(lost && j.closed != "") {
		return fmt.Errorf("apply run %s: %w", j.plan.Run, err)
	}
	if j.inForce != nil {
		j.inForce.run.History = j.run.History
	}
	return nil
}

// The method "overridden" records for later plans that an operator overrode the limits of this plan.
func (j *job) overridden(ctx context.Context) error {
	if j.plan.Verdict != plan.Hold {
		return nil
	}
	return history.PutOverride(ctx, j.Store, &history.Override{Run: j.plan.Run, PlanHash: j.plan.PlanHash, By: j.approver, At: j.Now().UTC()})
}

// The method "probe" checks that the sources still deliver dates. If a source has stopped since the plan was made,
// everybody looks idle. So the method refuses the plan if a sample of accounts has too few recent dates. It reads last
// logons and compares clocks only if this call changes Active Directory. An unhealthy report only makes its dates
// unknown.
func (j *job) probe(ctx context.Context, refuse func(string, ...any) error) error {
	entra, ad := plan.FeedFacts{First: j.run.First(directory.SignIns)}, plan.FeedFacts{First: j.run.First(directory.Logons)}
	err := evidence.SampleEntra(ctx, j.Entra, func(u *directory.EntraUser) { entra.SampleEntra(u, j.Now()) })
	if err != nil {
		return fmt.Errorf("read sign-in dates before applying: %w", err)
	}
	if f := plan.Health(directory.SignIns, entra, j.Now()); f.State != plan.Healthy {
		return refuse("source entra is unhealthy: %s", f.Reason)
	}
	if err := j.readReports(ctx); err != nil {
		return err
	}
	inAD := func(b plan.Batch) bool {
		return slices.ContainsFunc(b.Changes, func(c plan.Change) bool { return c.Via.WrittenIn() == directory.AD })
	}
	if !slices.ContainsFunc(j.batches, inAD) { // the batches of this call do not need Active Directory
		return nil
	}
	if j.AD == nil {
		return refuse("it changes Active Directory, which is not set up here")
	}
	if err := j.AD.CheckClock(ctx, j.Now); err != nil {
		return fmt.Errorf("compare clocks before applying: %w", err)
	}
	err = evidence.SampleAD(ctx, j.AD, evidence.Enough, func(u *directory.ADUser) { ad.SampleAD(u, j.Now()) })
	if err != nil {
		return fmt.Errorf("read last logons before applying: %w", err)
	}
	if f := plan.Health(directory.Logons, ad, j.Now()); f.State != plan.Healthy {
		return refuse("source ad is unhealthy: %s", f.Reason)
	}
	return nil
}
