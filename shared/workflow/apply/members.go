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

// readMemberships reads the Entra groups of exemptions and of rules again. The membership of a group that somebody has
// deleted, emptied or hidden since the run is unknown.
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

// The method "least" returns the smallest number of members with which a group is not in doubt. A run for everybody
// compared the number of members itself, so such a group must only not be empty. A run for one person compared nothing,
// and its own reading does not count. The result is 0 if the operator accepted the unusual data of the run.
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

// The method "shrunk" returns the keys of the groups that the newest run for everybody found in doubt, if the run is for
// one person. A run for everybody with such a group is on hold.
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

// The method "doubt" makes the account's membership unknown in the Active Directory groups that lost too many members,
// or that somebody deleted and created again, since an earlier reading.
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

// The method "doubtful" returns the reason why nobody knows who belongs to an Active Directory group, or "". A license
// group may be empty, because changes take its members.
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

// entraGroups finds out which Entra groups of the member queries list the account with the object id "id" now.
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
