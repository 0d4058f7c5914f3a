package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// membership is how this call finds out who belongs to a group of Entra ID.
type membership struct {
	unseen bool            // nobody knows who is in it
	listed map[string]bool // who is in it, when memberOf does not tell; nil: it tells
}

// readMemberships looks at the groups that exempt people or that rules ask about: since
// the run read them, somebody may have deleted, emptied or hidden one. The membership
// of such a group is unknown.
func (j *job) readMemberships(ctx context.Context) error {
	j.memberships = map[string]membership{}
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
		m, err := j.membership(ctx, &q, &g)
		if err != nil {
			return fmt.Errorf("apply run %s: read the group %s again: %w", j.plan.Run, q.Ref, err)
		}
		j.memberships[q.Ref.Key(q.Direct)] = m
	}
	return nil
}

func (j *job) membership(ctx context.Context, q *policy.MemberQuery, g *directory.Group) (m membership, err error) {
	now, err := j.Entra.FindGroup(ctx, g.ID)
	if errors.Is(err, directory.ErrNoGroup) {
		return membership{unseen: true}, nil
	}
	if err != nil {
		return m, err
	}
	key := q.Ref.Key(q.Direct)
	now.Hidden = now.Hidden || g.Hidden || slices.Contains(j.run.Manifest.Readings[directory.Entra].Hidden, key)
	seen := false
	if now.Hidden {
		m.listed = map[string]bool{}
	}
	err = j.Entra.ListMembers(ctx, now, "", func(page []directory.Member, _ string) error {
		seen = seen || len(page) > 0
		if seen && m.listed == nil {
			return errEnough
		}
		for _, one := range page {
			m.listed[one.ID] = m.listed[one.ID] || one.Direct || !q.Direct
		}
		return nil
	})
	if errors.Is(err, directory.ErrHidden) || errors.Is(err, directory.ErrNoGroup) {
		return membership{unseen: true}, nil
	}
	if err != nil && !errors.Is(err, errEnough) {
		return m, err
	}
	_, emptied := j.run.Begin.Earlier.Emptied(key, 0)
	several := emptied || j.run.Manifest.Readings[directory.Entra].Members[key] > 0 && j.run.Begin.User == ""
	m.unseen = !seen && several && !j.run.Begin.AcceptFeeds
	return m, nil
}

// entraGroups notes to which of the groups that the policy asks about a person
// belongs now.
func (j *job) entraGroups(ctx context.Context, u *directory.EntraUser, h *directory.Accounts) error {
	groups := directory.GroupsOf{User: u.ID, All: j.Entra.GroupsOf, Listed: j.Entra.DirectGroups}
	for _, q := range j.memberQueries() {
		if q.Ref.Source != directory.Entra {
			continue
		}
		key := q.Ref.Key(q.Direct)
		g, err := j.entraGroup(ctx, q.Ref)
		if err != nil {
			return err
		}
		m := j.memberships[key]
		if g.Unreadable != "" || m.unseen {
			h.Unreadable = append(h.Unreadable, key)
			continue
		}
		in, err := groups.Of(ctx, q.Direct)
		if err != nil {
			return err
		}
		if slices.Contains(in, g.ID) || m.listed[u.ID] {
			h.Memberships[u.ID] = append(h.Memberships[u.ID], key)
		}
	}
	return nil
}
