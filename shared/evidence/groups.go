package evidence

import (
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// Belonging has the answers to questions about one person and several groups. In has the keys of the groups to which
// the person belongs. Unreadable has the keys of the groups for which the answer is unknown. For every other group the
// answer is no.
type Belonging struct {
	In         []string
	Unreadable []string
	Why        map[string]error // the errors of this reading, by key of the unreadable group; some unreadable groups have no error
}

// Group is a group in Entra ID that is the subject of a question.
type Group struct {
	directory.Question
	Now    directory.Group // the group as a run found it; only ID, Hidden and Unreadable are used
	Unseen bool            // this application cannot see the members
	// Listed holds the object ids of all members. It is nil if the list was not read.
	Listed map[string]bool
}

// Again reads a group again, because the group may have been deleted, emptied or hidden. If the group is or was hidden,
// Again also reads the whole list of members. The argument "had" says that the group had several members before. In
// that case an empty list is not believed, and Unseen is set.
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

// The method list reads the members of the group. The result "nobody" reports whether the list of members is empty. If
// the argument "whether" is set, the method stops at the first member and does not set Listed.
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

// ReadGroups finds out to which of the groups an Entra account belongs. memberOf omits hidden groups, so only the list
// of members shows who belongs to a hidden group.
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

// groupsOf reads two lists of the Entra groups of a person: all groups, and direct groups. It reads a list only when
// needed, and at most once. It is not safe for concurrent use.
type groupsOf struct {
	entra Entra
	user  string // the object id

	read [2][]string // the lists: all groups, and direct groups; nil if not read yet
}

// The method of returns the ids of the groups to which the person belongs. If direct is set, the method leaves out
// nested membership: it returns only groups that themselves list the person.
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
