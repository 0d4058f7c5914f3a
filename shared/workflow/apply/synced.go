package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// unmirrored returns why a group of Entra ID is not the counterpart of a license's group in Active Directory. It is
// empty when it is the counterpart. It compares both directories and does not believe the ledger. With a wrong
// counterpart, a license would count as restored that is not there.
func (j *job) unmirrored(ctx context.Context, l *policy.License, group, counterpart string, via plan.Via) (why string, err error) {
	switch {
	case group == "" || !via.InAD() || l == nil || !l.Synced():
		if counterpart != "" {
			return fmt.Sprintf("the ledger names the group %s of Entra ID, which no license of the change follows: it was altered", counterpart), nil
		}
		return "", nil
	case counterpart == "":
		return fmt.Sprintf("the ledger does not say which group of Entra ID is synced from %s", group), nil
	}
	g, err := j.adGroup(ctx, group)
	if err != nil {
		return "", err
	}
	if g == nil {
		return fmt.Sprintf("the group %s is gone", group), nil
	}
	o, err := j.Entra.FindGroup(ctx, counterpart)
	switch {
	case errors.Is(err, directory.ErrNoGroup):
		return fmt.Sprintf("the group %s of Entra ID is gone", counterpart), nil
	case err != nil:
		return "", err
	case g.SID == "" || o.SID != g.SID:
		return fmt.Sprintf("the group %s of Entra ID is not synced from %s", counterpart, group), nil
	}
	return j.run.Tenant.Mirrors(l, &o), nil
}

// readCounterparts reads the groups of Entra ID again that are synced from license groups of Active Directory.
func (j *job) readCounterparts(ctx context.Context) error {
	for _, l := range j.run.Policy.Licenses {
		if !l.Synced() {
			continue
		}
		g, _ := j.run.Tenant.Counterpart(l)
		if g.ID == "" {
			continue // the change is refused already
		}
		now, err := j.Entra.FindGroup(ctx, g.ID)
		if errors.Is(err, directory.ErrNoGroup) {
			now, err = directory.Group{ID: g.ID, SID: g.SID, Name: g.Name, Synced: true, Unreadable: err.Error()}, nil
		}
		if err != nil {
			return fmt.Errorf("apply run %s: read the license groups again: %w", j.plan.Run, err)
		}
		j.run.Tenant.SetCounterpart(now)
	}
	return nil
}
