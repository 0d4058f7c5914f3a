package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// The ledger is not believed without proof: anybody who can write there could name any
// group. So a group is written only when the policy of the run names it for that
// license. A product is written only when it is the product of that license.

// altered says where an open entry of the run differs from its plan and policy. It is
// empty when the entry is what the plan began.
func (j *job) altered(ctx context.Context, e *ledger.Entry, c *plan.Change) (string, error) {
	if !plan.Via(e.Via).Known() {
		return "", nil // nothing can be written for it
	}
	l, to := j.run.Policy.LicenseNamed(c.License), j.run.Policy.LicenseNamed(c.To)
	if l == nil || c.To != "" && to == nil {
		return fmt.Sprintf("the run's policy does not name the licenses of %s", e.Key()), nil
	}
	sku, targetSKU, source, target := j.skuOf(l), j.skuOf(to), "", ""
	if plan.Via(e.Via).ByGroup() {
		source, target = j.groupOf(l), j.groupOf(to)
		if j.gives(l, e.Source) {
			source = e.Source
		}
	}
	for _, x := range []struct{ field, is, want string }{
		{"rule", e.Rule, c.Rule}, {"to", e.To, c.To}, {"back", e.RestoreOf, c.RestoreOf}, {"via", e.Via, string(c.Via)},
		{"sku", e.SKU, sku}, {"targetSku", e.TargetSKU, targetSKU}, {"source", e.Source, source}, {"target", e.Target, target},
	} {
		if !strings.EqualFold(x.is, x.want) {
			return fmt.Sprintf("the ledger object %s has %q as %s, where the plan and the policy of the run have %q: it was altered; bring back its earlier version", e.Key(), x.is, x.field, x.want), nil
		}
	}
	if why, err := j.alteredGUID(ctx, e); why != "" || err != nil {
		return why, err
	}
	for _, x := range []struct {
		l          *policy.License
		group, has string
	}{{l, directory.GroupByGUID(e.SourceGUID, e.Source), e.SourceEntra}, {to, directory.GroupByGUID(e.TargetGUID, e.Target), e.TargetEntra}} {
		if why, err := j.unmirrored(ctx, x.l, x.group, x.has, plan.Via(e.Via)); why != "" || err != nil {
			return why, err
		}
	}
	return "", nil
}

// skuOf is the skuId of a license; empty for one of Active Directory alone.
func (j *job) skuOf(l *policy.License) string {
	if l == nil || l.SKU == "" {
		return ""
	}
	return j.run.Tenant.SKUIDs[l.SKU]
}

// groupOf is the group of a license as the run resolved it: an object id, or the DN
// in Active Directory.
func (j *job) groupOf(l *policy.License) string {
	switch {
	case l == nil || l.Group == nil:
		return ""
	case l.Group.Source == directory.AD:
		return l.Group.Name
	}
	return j.run.Tenant.Groups[*l.Group].ID
}

// gives tells whether a group is one of those that give a license, as the run resolved
// them.
func (j *job) gives(l *policy.License, group string) bool { return j.refOf(l, group) != nil }

// refOf is how the policy names a group that gives a license; nil when it does not.
func (j *job) refOf(l *policy.License, group string) *directory.GroupRef {
	if l == nil || group == "" {
		return nil
	}
	for _, ref := range l.Groups() {
		id := ref.Name
		if ref.Source == directory.Entra {
			id = j.run.Tenant.Groups[ref].ID
		}
		if strings.EqualFold(id, group) {
			return &ref
		}
	}
	return nil
}

// wayBack is the entry of the change to put back, with the groups that are used for it
// now. The refusal says why there is no safe way. note says what differs from before.
func (j *job) wayBack(ctx context.Context, in ledger.Intent) (out ledger.Intent, note, refusal string, err error) {
	l, to := j.run.Policy.LicenseNamed(in.License), j.run.Policy.LicenseNamed(in.To)
	if l == nil {
		return in, "", fmt.Sprintf("the policy does not name the license %s any more; name it under licenses and restore again", in.License), nil
	}
	if sku := j.skuOf(l); in.SKU != sku || l.SKU != "" && sku == "" {
		return in, "", fmt.Sprintf("the ledger has the product %q for %s, and the policy and the tenant have %q; it is not given", in.SKU, in.License, sku), nil
	}
	if in.TargetSKU != "" && in.TargetSKU != j.skuOf(to) {
		note = fmt.Sprintf("%s is not taken: the ledger has the product %q for it, and the policy has %q", in.To, in.TargetSKU, j.skuOf(to))
		in.TargetSKU = ""
	}
	via := plan.Via(in.Via)
	switch {
	case !via.Known():
		return in, "", fmt.Sprintf("the ledger names an unknown way %q; use the version of idleseat that wrote it", in.Via), nil
	case !heldBy(l, via):
		return in, "", fmt.Sprintf("the ledger says that %s was held by the way %s, which the policy does not have for it", in.License, in.Via), nil
	case !via.ByGroup():
		return in, note, "", nil
	}
	mine := in.Target == "" || j.known(to, in.To, in.Target)
	if via.InAD() && in.Target != "" {
		if mine, err = j.adTarget(ctx, to, &in); err != nil {
			return in, "", "", err
		}
	}
	if !mine {
		note = sentences(note, fmt.Sprintf("still in the group %s, which the policy does not name for %s: if it should be left, do that by hand", in.Target, in.To))
		in.Target, in.TargetGUID, in.TargetEntra, in.InTarget = "", "", "", false
	}
	if via.InAD() {
		why, refusal, err := j.adSourceOf(ctx, l, &in)
		if err == nil && refusal == "" {
			refusal, err = j.unmirrored(ctx, l, directory.GroupByGUID(in.SourceGUID, in.Source), in.SourceEntra, via)
		}
		return in, sentences(why, note), refusal, err
	}
	source, why, refusal, err := j.sourceOf(ctx, l, in)
	in.Source = source
	return in, sentences(why, note), refusal, err
}

// heldBy tells whether the policy has a way for a license: each is held in the directory of
// its groups, and one with a SKU may be assigned directly, too.
func heldBy(l *policy.License, via plan.Via) bool {
	if l.SKU != "" {
		return via == plan.Direct || via.InAD() == l.Synced()
	}
	return via.ByGroup() && via.InAD() == (l.Group.Source == directory.AD)
}

// sourceOf is the group that gives a license back: the one that was left, else the
// policy's present one. Each is checked as on the way there.
func (j *job) sourceOf(ctx context.Context, l *policy.License, in ledger.Intent) (id, note, refusal string, err error) {
	left := "it is not one that the policy names for it"
	if j.known(l, in.License, in.Source) {
		if left, err = j.unusable(ctx, l, in.Source); err != nil || left == "" {
			return in.Source, "", "", err
		}
	}
	present := j.groupOf(l)
	if present == "" || strings.EqualFold(present, in.Source) {
		return in.Source, "", fmt.Sprintf("the group %s cannot give %s back: %s", in.Source, in.License, left), nil
	}
	why, err := j.unusable(ctx, l, present)
	if g := j.run.Tenant.Groups[*l.Group]; why == "" {
		why = j.run.Tenant.Reduced(l, &g)
	}
	if err != nil || why != "" {
		return in.Source, "", fmt.Sprintf("neither the group %s can give %s back (%s), nor the policy's present one (%s)", in.Source, in.License, left, why), err
	}
	return present, fmt.Sprintf("given back by the group %s, since %s cannot: %s", l.Group, in.Source, left), "", nil
}

// known tells whether a group gives a license, by the policy or by the run that the
// restore undoes.
func (j *job) known(l *policy.License, name, group string) bool {
	if group == "" {
		return false
	}
	if j.gives(l, group) {
		return true
	}
	same := func(g directory.Group) bool { return strings.EqualFold(g.ID, group) }
	former, was := j.run.Begin.Former[name]
	return was && same(former) || slices.ContainsFunc(j.run.Begin.FormerToo[name], same)
}

// unusable is why a group cannot give a license now; empty when it can.
func (j *job) unusable(ctx context.Context, l *policy.License, group string) (string, error) {
	if ref := j.refOf(l, group); ref != nil {
		_, refusal := j.run.Tenant.LicenseGroup(l, ref)
		return refusal, nil
	}
	g, err := j.Entra.FindGroup(ctx, group)
	switch {
	case errors.Is(err, directory.ErrNoGroup):
		return "it is gone", nil
	case err != nil:
		return "", fmt.Errorf("read the group again: %w", err)
	}
	return j.run.Tenant.Gives(l, &g, group), nil
}
