package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/runs"
)

// readMemberships reads the Entra groups of exemptions and of rules again. After the run read a group, somebody may
// have deleted, emptied or hidden it. The membership of such a group is then unknown.
func (j *job) readMemberships(ctx context.Context) error {
	j.memberships = map[string]evidence.Group{}
	if j.plan.Restores != "" || j.scope == runs.Back {
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
		m, err := evidence.Again(ctx, j.Entra, known, j.populated(q))
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
func (j *job) populated(q directory.Question) bool {
	_, several := j.run.Begin.Earlier.Shrunk(q, 0)
	several = several || j.run.Manifest.Readings[q.Ref.Source].Members[q.Key()] > 0 && j.run.Begin.User == ""
	return several && !j.run.Begin.AcceptFeeds
}

// The method "doubt" makes the account's membership in some groups of Active Directory unknown: groups that somebody
// emptied, or deleted and created again, since an earlier reading.
func (j *job) doubt(ctx context.Context, a *evidence.Account) error {
	if j.doubts == nil {
		j.doubts = map[string]string{}
	}
	for _, q := range j.memberQueries() {
		key := q.Key()
		if q.Ref.Source != directory.AD || slices.Contains(a.Unreadable, key) {
			continue
		}
		why, known := j.doubts[key]
		if !known {
			var err error
			if why, err = j.doubtful(ctx, q); err != nil {
				return fmt.Errorf("read the group %s again: %w", q.Ref, err)
			}
			j.doubts[key] = why
		}
		if why != "" {
			a.In = slices.DeleteFunc(a.In, func(in string) bool { return in == key })
			a.Unreadable = append(a.Unreadable, key)
		}
	}
	return nil
}

// The method "doubtful" returns the reason why nobody knows who belongs to a group of Active Directory. It returns "" if
// there is no such reason. A license group may be empty, because changes take its members.
func (j *job) doubtful(ctx context.Context, q directory.Question) (string, error) {
	g, err := j.adGroup(ctx, q.Ref.Name)
	if err != nil || g == nil {
		return "", err // without the group, membership is unknown in any case
	}
	read := j.readGUID(q.Ref.Name)
	if read != "" && q.Direct {
		return "", nil // the method "identify" compares it
	}
	j.run.Begin.Earlier.Follow(q.Ref, g.GUID)
	if known := j.run.Begin.Earlier.Group(q.Ref); read == "" && known != nil && !j.run.Begin.AcceptFeeds {
		read = known.ID
	}
	if read != "" && g.GUID != "" && read != g.GUID {
		return fmt.Sprintf("the group %s is another one (objectGUID %s) than an earlier reading found (%s); if the new one is right, plan with --accept-feeds", q.Ref, g.GUID, read), nil
	}
	if q.Direct || !j.populated(q) {
		return "", nil
	}
	some, err := j.AD.HasMembers(ctx, q.Ref.Name)
	if errors.Is(err, directory.ErrNoGroup) { // some members are hidden, so membership is unknown unless a read shows it
		return "", nil
	}
	if err != nil || some {
		return "", err
	}
	return fmt.Sprintf("the group %s had members in an earlier reading and has none now; put them back, or plan with --accept-feeds if that is right", q.Ref), nil
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
