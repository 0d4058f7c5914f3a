package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// An attacker who can write to the ledger could put any group into an entry. So the package changes a group only if a
// policy or plan also names the group for the license: the run's policy, or the run whose changes are restored. It
// changes a product only if it is the license's product.

// The method "altered" compares an open entry with the run's plan and policy. It returns the difference, or "" if there
// is none.
func (j *job) altered(ctx context.Context, e *ledger.Entry, c *plan.Change) (string, error) {
	in := targets[plan.Via(e.Via)]
	if in == nil {
		return "", nil // no write follows for an unknown target
	}
	l, to := j.run.Policy.LicenseNamed(c.License), j.run.Policy.LicenseNamed(c.To)
	if l == nil || c.To != "" && to == nil {
		return fmt.Sprintf("the run's policy does not name the licenses of %s", e.Key()), nil
	}
	sku, targetSKU := j.skuOf(l), j.skuOf(to)
	source, target := in.named(j, l, to, e.Source)
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
		if why, err := in.unmirrored(ctx, j, x.l, x.group, x.has); why != "" || err != nil {
			return why, err
		}
	}
	return "", nil
}

// skuOf returns the skuId of a license. It returns "" if "l" is nil or the tenant has no such product.
func (j *job) skuOf(l *policy.License) string {
	if l == nil || l.SKU == "" {
		return ""
	}
	return j.run.Tenant.SKUIDs[l.SKU]
}

// groupOf returns the group of a license: the object id that the run found, or the DN in Active Directory. It is "" if
// the license has no group. If several groups give the license, it is the first one.
func (j *job) groupOf(l *policy.License) string {
	switch {
	case l == nil || l.Group == nil:
		return ""
	case l.Group.Source == directory.AD:
		return l.Group.Name
	}
	return j.run.Tenant.Groups[*l.Group].ID
}

// The method "gives" reports whether a group gives a license. It compares the object ids that the run found for Entra
// ID, and the DNs in the policy for Active Directory.
func (j *job) gives(l *policy.License, group string) bool { return j.refOf(l, group) != nil }

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

// wayBack returns the intent of a restore. The parameter "in" is the intent of the restored change. The result
// "refusal" is the reason if there is no safe way. The result "note" says how the restore differs from the change.
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
	case !via.May(l):
		return in, "", fmt.Sprintf("the ledger says that %s was held by the way %s, which the policy does not have for it", in.License, in.Via), nil
	}
	note, refusal, err = targets[via].wayBack(ctx, j, l, to, &in, note)
	return in, note, refusal, err
}

// The method "known" reports whether the group belongs to the license: the policy, or the run whose changes are
// restored, must name it for the license. The parameter "name" is the name of the license.
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
