package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
)

// readMemberships reads the Entra groups of exemptions and of rules again. After the run read a group, somebody may
// have deleted, emptied or hidden it. The membership of such a group is then unknown.
func (j *job) readMemberships(ctx context.Context) error {
	j.memberships = map[string]evidence.Group{}
	if j.plan.Restores != "" {
		return nil
	}
	for _, q := range j.memberQueries() {
		if q.Ref.Source != directory.Entra {
			continue
		}
		g, err := j.entraGroup(ctx, q.Ref)
		if err != nil {
			return err
		}
		if g.Unreadable != "" {
			continue
		}
		known := evidence.Group{Question: q, Now: g}
		known.Now.Hidden = g.Hidden || slices.Contains(j.run.Manifest.Readings[directory.Entra].Hidden, q.Key())
		m, err := evidence.Again(ctx, j.Entra, known, j.populated(q.Key()))
		if err != nil {
			return fmt.Errorf("apply run %s: read the group %s again: %w", j.plan.Run, q.Ref, err)
		}
		j.memberships[q.Key()] = m
	}
	return nil
}

// The method "populated" reports whether a group is known to have had members: some when this run read it, or several
// in earlier runs. A run for one person does not count its own reading. If such a group is empty now, something is
// probably wrong. The method returns false if the operator accepted the unusual data of the run (AcceptFeeds).
func (j *job) populated(key string) bool {
	_, several := j.run.Begin.Earlier.Emptied(key, 0)
	several = several || j.run.Manifest.Readings[directory.Entra].Members[key] > 0 && j.run.Begin.User == ""
	return several && !j.run.Begin.AcceptFeeds
}

// entraGroups finds out which Entra groups of the member queries list the account now. The parameter "id" is the object
// id of the account. Groups of Active Directory are left out.
func (j *job) entraGroups(ctx context.Context, id string) (evidence.Belonging, error) {
	var groups []evidence.Group
	for _, q := range j.memberQueries() {
		if q.Ref.Source != directory.Entra {
			continue
		}
		found, err := j.entraGroup(ctx, q.Ref)
		if err != nil {
			return evidence.Belonging{}, err
		}
		g := j.memberships[q.Key()]
		g.Question, g.Now = q, found
		groups = append(groups, g)
	}
	return evidence.ReadGroups(ctx, j.Entra, id, groups)
}
