package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// entraGroup implements the interface "target" for licenses that people hold through Entra groups. The license is a
// product that the group gives, or the membership itself.
type entraGroup struct {
	ofGraph
	ofGroups
}

func (entraGroup) has(ctx context.Context, m *move, group string) (bool, error) {
	if m.groups == nil {
		groups, err := m.Entra.DirectGroups(ctx, m.change.User)
		if err != nil {
			return false, err
		}
		m.groups = append([]string{}, groups...)
	}
	return slices.Contains(m.groups, group), nil
}

func (entraGroup) write(ctx context.Context, m *move, group string, give bool) error {
	m.groups = nil
	if give {
		return m.Entra.AddMember(ctx, group, m.entry.Person)
	}
	return m.Entra.RemoveMember(ctx, group, m.entry.Person)
}

func (entraGroup) giveBack(ctx context.Context, m *move) (runs.Status, string) {
	return m.restoreGroup(ctx)
}

func (entraGroup) reread(ctx context.Context, j *job) error { return j.readGroups(ctx) }

func (entraGroup) wayBack(ctx context.Context, j *job, l, to *policy.License, in *ledger.Intent, known string) (note, refusal string, err error) {
	if in.Target != "" && !j.known(to, in.To, in.Target) {
		known = sentences(known, forget(in))
	}
	in.Source, note, refusal, err = j.sourceOf(ctx, l, *in)
	return sentences(note, known), refusal, err
}

// readGroups reads the Entra license groups again, because a group may have become dynamic, or may give more products.
// It reads nothing if no change of this call goes through an Entra group.
func (j *job) readGroups(ctx context.Context) error {
	byGroup := func(c plan.Change) bool { return c.Via == plan.EntraGroup }
	if !slices.ContainsFunc(j.batches, func(b plan.Batch) bool { return slices.ContainsFunc(b.Changes, byGroup) }) {
		return nil
	}
	for _, l := range j.run.Policy.Licenses {
		for _, ref := range l.Groups() {
			if ref.Source != directory.Entra {
				continue
			}
			if err := j.readGroup(ctx, ref); err != nil {
				return fmt.Errorf("apply run %s: read the license groups again: %w", j.plan.Run, err)
			}
		}
	}
	return nil
}

func (j *job) readGroup(ctx context.Context, ref directory.GroupRef) error {
	id := j.run.Tenant.Groups[ref].ID
	g, err := j.Entra.FindGroup(ctx, cmp.Or(id, ref.Name))
	if errors.Is(err, directory.ErrNoGroup) && j.plan.Restores != "" { // a restore uses the groups that the policy names now
		g, err = j.Entra.FindGroup(ctx, ref.Name)
	}
	switch {
	case errors.Is(err, directory.ErrNoGroup), errors.Is(err, directory.ErrAmbiguousGroup):
		g = directory.Group{ID: id, Unreadable: err.Error()}
	case err != nil:
		return err
	}
	g.Ref = ref
	j.run.Tenant.Groups[ref] = g
	return nil
}

// sourceOf returns the group through which a restore gives a license. This is the group that the person left. If that
// group does not belong to the license or cannot give it any more, it is the group that the policy names now, and the
// result "note" says so. The result "refusal" is the reason if neither group can give the license.
func (j *job) sourceOf(ctx context.Context, l *policy.License, in ledger.Intent) (id, note, refusal string, err error) {
	left := "it is not one that the policy names for it"
	if j.known(l, in.License, in.Source) {
		if left, err = j.unusable(ctx, l, in.Source); err != nil || left == "" {
			return in.Source, "", "", err
		}
	}
	present := j.groupOf(l)
	if present == "" || strings.EqualFold(present, in.Source) {
		return in.Source, "", fmt.Sprintf("the group %s cannot restore %s: %s", in.Source, in.License, left), nil
	}
	why, err := j.unusable(ctx, l, present)
	if g := j.run.Tenant.Groups[*l.Group]; why == "" {
		why = j.run.Tenant.Reduced(l, &g)
	}
	if err != nil || why != "" {
		return in.Source, "", fmt.Sprintf("neither the group %s can restore %s (%s), nor the policy's present one (%s)", in.Source, in.License, left, why), err
	}
	return present, fmt.Sprintf("restored by the group %s, since %s cannot: %s", l.Group, in.Source, left), "", nil
}

// The method "unusable" returns the reason why a group cannot give a license now. It returns "" if the group can give
// it.
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
