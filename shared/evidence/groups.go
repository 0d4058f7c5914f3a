package evidence

import (
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// Belonging answers questions about groups for one person. In lists the keys of the questions whose group the person
// belongs to. Unreadable lists the keys of the questions whose answer is unknown. The answer to every other question is
// no.
type Belonging struct {
	In         []string
	Unreadable []string
	Why        map[string]error // errors of this reading, by unreadable group; not every unreadable group has one
}

// Group is a group in Entra ID that a question is about.
type Group struct {
	directory.Question
	Now    directory.Group // the group as it was found; only ID, Hidden and Unreadable are used
	Unseen bool            // nobody may see the members
	// Listed holds the object ids of all members. It is nil if the list was not read.
	Listed map[string]bool
}

// Again reads a group again, because it may have been deleted, emptied or hidden. It also reads the list of members if
// the group is or was hidden. If had is true, the group had several members before, so an empty list is not believed.
func Again(ctx context.Context, entra Entra, g Group, had bool) (Group, error) {
	now, err := entra.FindGroup(ctx, g.Now.ID)
	if err == nil {
		now.Hidden = now.Hidden || g.Now.Hidden
		g.Now = now
		g.Unseen, err = g.list(ctx, entra, !now.Hidden)
		g.Unseen = g.Unseen && had
	}
	if errors.Is(err, directory.ErrHidden) || errors.Is(err, directory.ErrNoGroup) {
		return Group{Question: g.Question, Now: g.Now, Unseen: true}, nil
	}
	return g, err
}

// list reads the members of the group. If whether is set, list only finds out whether there are any. nobody reports
// whether there are none.
func (g *Group) list(ctx context.Context, entra Entra, whether bool) (nobody bool, err error) {
	nobody = true
	listed := map[string]bool{}
	err = entra.ListMembers(ctx, g.Now, "", func(page []directory.Member, _ string) error {
		if nobody = nobody && len(page) == 0; whether && !nobody {
			return errEnough
		}
		for _, m := range page {
			listed[m.ID] = listed[m.ID] || m.Direct || !g.Direct
		}
		return nil
	})
	if err = ended(err); err == nil && !whether {
		g.Listed = listed
	}
	return nobody, err
}

// ReadGroups finds out which of the groups an Entra account belongs to. memberOf omits hidden groups, so only the list
// of a hidden group proves that a person does not belong to it.
func ReadGroups(ctx context.Context, entra Entra, id string, groups []Group) (b Belonging, err error) {
	of := groupsOf{entra: entra, user: id}
	for _, g := range groups {
		key := g.Key()
		if g.Unseen || g.Now.Unreadable != "" {
			b.Unreadable = append(b.Unreadable, key)
			continue
		}
		in, err := of.of(ctx, g.Direct)
		member := slices.Contains(in, g.Now.ID)
		if err == nil && !member && g.Now.Hidden && g.Listed == nil {
			_, err = g.list(ctx, entra, false)
		}
		switch {
		case errors.Is(err, directory.ErrHidden):
			b.withheld(key, err)
		case err != nil:
			return b, err
		case member || g.Listed[id]:
			b.In = append(b.In, key)
		}
	}
	return b, nil
}

func (b *Belonging) withheld(key string, why error) {
	if b.Why == nil {
		b.Why = map[string]error{}
	}
	b.Unreadable, b.Why[key] = append(b.Unreadable, key), why
}

// groupsOf reads the Entra groups that a person belongs to. It reads each list at most once, and only on demand. It is
// not safe for concurrent use.
type groupsOf struct {
	entra Entra
	user  string // the object id

	read [2][]string // the lists that have been read; nil if not read yet
}

// of returns the ids of the groups that the person belongs to. If direct is set, only groups that list the person
// directly count.
func (g *groupsOf) of(ctx context.Context, direct bool) ([]string, error) {
	n, read := 0, g.entra.GroupsOf
	if direct {
		n, read = 1, g.entra.DirectGroups
	}
	if g.read[n] == nil {
		ids, err := read(ctx, g.user)
		if err != nil {
			return nil, err
		}
		g.read[n] = append([]string{}, ids...)
	}
	return g.read[n], nil
}
