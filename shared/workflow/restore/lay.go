package restore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func isOver(ctx context.Context, s store.Store, run string) (bool, error) {
	err := runs.GoesOn(ctx, s, run)
	if runs.Gone(err) {
		return true, nil
	}
	return false, err
}

// The function "lay" stores the begin and the manifest of the run of a restore, which reads nobody. Groups and products
// come from the run that took the licenses, or from the newest run if the begin of that run is missing or damaged. A
// repeated call changes nothing.
func lay(ctx context.Context, s store.Store, in Request, changes []plan.Change, now time.Time) error {
	old, err := begun(ctx, s, in.Of)
	if err != nil {
		return err
	}
	base := old
	if base == nil {
		if base, err = newestBegun(ctx, s, now); err != nil {
			return err
		}
	}
	text, p := policyFor(in, changes, old, base)
	if p == nil {
		return fmt.Errorf("%w to restore run %s: neither the policy in force nor that of a run can be read; give it with --policy", runs.ErrRefused, in.Of)
	}
	b := &snapshot.Begin{Run: in.Run, Started: now.UTC(), Read: now.UTC(), AsOf: now.UTC(), Tenant: p.Tenant, Partitions: 1, Policy: text, Deployment: in.Deployment, Copy: in.Of}
	if base != nil {
		b.Tool, b.SKUs, b.Groups = base.Tool, base.SKUs, base.Groups
	}
	if old != nil {
		if b.Former, b.FormerToo, err = former(ctx, s, old); err != nil {
			return err
		}
	}
	if err := snapshot.PutBegin(ctx, s, b); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	m := &snapshot.Manifest{Run: in.Run, Taken: now.UTC()}
	for _, source := range []directory.Source{directory.Entra, directory.AD} {
		m.Readings[source] = snapshot.Reading{Source: source, Absent: true}
	}
	return snapshot.Seal(ctx, s, m)
}

// The function "begun" returns the begin.json of a run, or nil if it is missing or damaged.
func begun(ctx context.Context, s store.Store, run string) (*snapshot.Begin, error) {
	b, err := snapshot.GetBegin(ctx, s, run)
	if runs.Gone(err) {
		return nil, nil
	}
	return b, err
}

// newestBegun returns the begin.json of the newest run for everybody. It returns nil if there is no such run, or if the
// object is missing or damaged.
func newestBegun(ctx context.Context, s store.Store, now time.Time) (*snapshot.Begin, error) {
	newest, err := history.Newest(ctx, s, now)
	if err != nil || newest == "" {
		return nil, err
	}
	return begun(ctx, s, newest)
}

// policyFor chooses the policy for a restore. The candidates are the policy in force, and then the policies of the runs
// in "begins", whose elements may be nil. It returns the first one that names all licenses of the changes, or else the
// first one that can be read. If none can be read, p is nil. A policy for another tenant does not count.
func policyFor(in Request, changes []plan.Change, begins ...*snapshot.Begin) (text string, p *policy.Policy) {
	texts, tenant := []string{in.Policy}, ""
	for _, b := range begins {
		if b != nil {
			texts, tenant = append(texts, b.Policy), b.Tenant
		}
	}
	for _, candidate := range texts {
		c, err := policy.Load("policy", []byte(candidate))
		if err != nil || tenant != "" && c.Tenant != tenant {
			continue
		}
		if names(c, changes) {
			return candidate, c
		}
		if p == nil {
			text, p = candidate, c
		}
	}
	return text, p
}

func names(p *policy.Policy, changes []plan.Change) bool {
	for _, c := range changes {
		if p.LicenseNamed(c.License) == nil || c.To != "" && p.LicenseNamed(c.To) == nil {
			return false
		}
	}
	return true
}

// The function "former" returns the license groups of a run by the name of the license. The result "first" has the
// first group of each license, and "more" has the other ones. Both are nil if this version cannot read the policy of
// the run. The objectGUIDs of Active Directory groups are empty if the manifest is missing or damaged.
func former(ctx context.Context, s store.Store, b *snapshot.Begin) (first map[string]directory.Group, more map[string][]directory.Group, err error) {
	p, err := policy.Load("policy of run "+b.Run, []byte(b.Policy))
	if err != nil {
		return nil, nil, nil //nolint:nilerr // this version cannot read the policy; the policy in force names the groups
	}
	guids := map[string]string{}
	switch m, _, err := snapshot.GetManifest(ctx, s, b.Run); {
	case err == nil:
		guids = m.Readings[directory.AD].Groups
	case !runs.Gone(err):
		return nil, nil, err
	}
	first, more = map[string]directory.Group{}, map[string][]directory.Group{}
	for _, l := range p.Licenses {
		for i, ref := range l.Groups() {
			g := b.Group(ref)
			if g.GUID = guids[ref.Key(false)]; i == 0 {
				first[l.Name] = g
			} else {
				more[l.Name] = append(more[l.Name], g)
			}
		}
	}
	return first, more, nil
}
