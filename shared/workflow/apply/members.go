package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
)

// readMemberships reads the Entra groups of exemptions and of rules again. If somebody has deleted, emptied or hidden
// such a group since the run, nobody knows who belongs to it.
func (j *job) readMemberships(ctx context.Context) error {
	j.memberships = map[string]evidence.Group{}
	if j.onlyGivesBack() {
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
		j.run.Begin.Earlier.Follow(q.Ref, g.ID) // the policy in force may name the group anew
		known := evidence.Group{Question: q, Now: g}
		known.Now.Hidden = g.Hidden || slices.Contains(j.run.Manifest.Readings[directory.Entra].Hidden, q.Key())
		m, err := evidence.Again(ctx, j.Entra, known, j.least(q))
		if err != nil {
			return fmt.Errorf("apply run %s: read the group %s again: %w", j.plan.Run, q.Ref, err)
		}
		j.memberships[q.Key()] = m
	}
	return nil
}

// The method "least" returns how many members a group must have now. With fewer members, its list of members is not
// believed. A run for everybody has already compared the number of members with earlier runs, so a group that had
// members needs only one. For a run for one person, the number comes from earlier runs. It is 0 if an operator accepted
// the unusual data of the run.
func (j *job) least(q directory.Question) int {
	earlier := j.run.Begin.Earlier.Least(q)
	switch {
	case j.run.Begin.AcceptFeeds:
		return 0
	case j.run.Begin.User != "":
		return earlier
	case earlier > 0 || j.run.Manifest.Readings[q.Ref.Source].Members[q.Key()] > 0:
		return 1
	}
	return 0
}

// The method "shrunk" returns the keys of the groups that lost many members in the newest run for everybody. It returns
// nil if this run is itself for everybody, because such a group puts that run on hold.
func (j *job) shrunk() (keys []string) {
	if j.run.Begin.User == "" {
		return nil
	}
	keys = slices.Collect(maps.Keys(j.run.Shrunk()))
	if j.inForce != nil {
		keys = slices.AppendSeq(keys, maps.Keys(j.inForce.run.Shrunk()))
	}
	return keys
}

// The method "doubt" makes the account's membership unknown in some Active Directory groups: those that lost too many
// members since an earlier reading, and those that somebody deleted and created again.
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

// The method "doubtful" returns the reason why nobody can believe the members of an Active Directory group: another
// group now has its name, or it lost too many members. The result is "" if there is no reason. The number of members of
// a license group does not matter, because runs remove its members.
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
	least := j.least(q)
	if q.Direct || least == 0 {
		return "", nil
	}
	some, err := j.AD.HasMembers(ctx, q.Ref.Name, least)
	if errors.Is(err, directory.ErrNoGroup) { // some members are hidden, so membership is unknown unless a read shows it
		return "", nil
	}
	if err != nil || some {
		return "", err
	}
	left := "none"
	if least > 1 {
		left = fmt.Sprintf("fewer than %d", least)
	}
	return fmt.Sprintf("the group %s had members in an earlier reading and has %s now; put them back, or plan with --accept-feeds if that is right", q.Ref, left), nil
}

// entraGroups reads the Entra groups of all member queries again, and returns in which of them the account with the
// object id "id" is now.
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
