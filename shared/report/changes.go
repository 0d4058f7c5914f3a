// Package report writes the files of a run that people read. It also stores figures for the reports of later runs.
package report

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// PutChanges writes the changes of a plan as changes.csv. The parameter "r" is the run of the plan. It is nil if the
// plan was not made from a snapshot, as in a restore.
func PutChanges(ctx context.Context, s store.Store, r *decision.Run, p *plan.Plan) error {
	err := store.PutSpooled(ctx, s, layout.Changes(p.Run), func(w io.Writer) error {
		return WriteChanges(ctx, w, s, r, p, Sheet{Separator: ','})
	})
	if err != nil {
		return fmt.Errorf("write the changes of run %s: %w", p.Run, err)
	}
	return nil
}

// WriteChanges writes the changes of a plan as CSV. The parameter "r" is the run of the plan. It is nil if the plan was
// not made from a snapshot, as in a restore. Names and departments are then empty.
func WriteChanges(ctx context.Context, w io.Writer, s store.Store, r *decision.Run, p *plan.Plan, o Sheet) error {
	wanted, users := map[uint64]bool{}, []string{}
	for _, c := range p.Changes {
		wanted[known.KeyOf(c.User)] = true
		users = append(users, c.User)
	}
	names := profilesOf(ctx, s, r, wanted)
	by, err := o.leads(ctx, users)
	if err != nil {
		return err
	}
	return o.write(w, func(row func(...string) error) error {
		titles := []string{"user", "userPrincipalName", "rule", "license", "to", "via", "reason", "idleSince", "monthlySaving", "currency", "displayName", "department", "idleSinceDate"}
		err := row(append(titles, by.titles()...)...)
		for _, c := range p.Changes {
			if err != nil {
				return err
			}
			idle, day := "never", ""
			if c.IdleSince != nil {
				idle, day = c.IdleSince.Format(time.RFC3339), c.IdleSince.UTC().Format(time.DateOnly)
			}
			err = row(append([]string{
				cell(c.User), cell(c.UserPrincipalName), cell(c.Rule), cell(c.License), cell(c.To), cell(string(c.Via)), cell(c.Reason), idle,
				number(c.MonthlySaving, o.Separator), cell(p.Currency), cell(names[c.User].display), cell(names[c.User].department), day,
			}, by.cells(c.User)...)...)
		}
		return err
	})
}

// profilesOf returns the names and departments of people. A key is the id of the person's account. If the data cannot
// be read, the result is nil, because no decision depends on these texts.
func profilesOf(ctx context.Context, s store.Store, r *decision.Run, wanted map[uint64]bool) map[string]profile {
	if r == nil || len(wanted) == 0 || !r.Manifest.Derives() || len(r.Manifest.People) == 0 {
		return nil
	}
	found, err := profiles(ctx, s, r, wanted)
	if err != nil {
		return nil
	}
	return found
}
