package evidence

import (
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// Belonging tells which of the groups in question somebody is in, by the keys of the questions. Nobody knows whether
// they are in the unreadable ones. They are in none of the others.
type Belonging struct {
	In         []string
	Unreadable []string
	Why        map[string]error // of an unreadable group: the answer of the directory, where this reading met it
}

// Group is a group of Entra ID in question.
type Group struct {
	directory.Question
	Now    directory.Group // as it was found: ID, Hidden and Unreadable count
	Unseen bool            // nobody knows who is in it
	// Listed are the object ids of everybody in it. Nil: the list was not read.
	Listed map[string]bool
}

// Again reads a group again, since somebody may have deleted, emptied or hidden it. It reads the list of members of a
// group that is hidden now or was before. had tells that the group had members that cannot all have left it.
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

// list reads who is in the group. Or it reads (whether) only whether anybody is.
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

// ReadGroups tells which of the groups in question an account of Entra ID is in. memberOf leaves hidden groups out, so
// that only their own list tells who is not in them.
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

// groupsOf reads the groups of Entra ID that a person belongs to. It reads each list once, and only when it is asked for.
// It belongs to one goroutine.
type groupsOf struct {
	entra Entra
	user  string // object id

	read [2][]string // not nil once read
}

// of returns the ids of the groups that the person belongs to, or (direct) that list the person themselves.
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
