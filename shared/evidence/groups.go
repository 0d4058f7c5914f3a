package evidence

import (
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// Belonging says to which of several groups a person belongs. In has the keys of these groups. Unreadable has the keys
// of the groups whose answer is unknown. For every other group in the questions, the answer is no.
type Belonging struct {
	In         []string
	Unreadable []string
	Why        map[string]error // the errors of this reading, by key of the unreadable group; some unreadable groups have no error
}

// Group is a group of Entra ID to which a person may belong.
type Group struct {
	directory.Question
	Now    directory.Group // the group as a run found it; only ID, Hidden and Unreadable are used
	Unseen bool            // this application cannot see the members
	// Listed has the object ids of all members, or is nil if the list was not read.
	Listed map[string]bool
}

// Again reads a group again, because it may have been deleted, emptied or hidden since the run read it. If the group
// hides or hid its members, Again also reads the whole list of members into Listed. It sets Unseen if the group is
// gone, if this application cannot see its members, or if the group has fewer members than "least".
func Again(ctx context.Context, entra Entra, g Group, least int) (Group, error) {
	now, err := entra.FindGroup(ctx, g.Now.ID)
	if err == nil {
		now.Hidden = now.Hidden || g.Now.Hidden
		g.Now = now
		enough := max(1, least)
		if now.Hidden {
			enough = 0
		}
		var members int
		members, err = g.list(ctx, entra, enough)
		g.Unseen = members < least
	}
	if errors.Is(err, directory.ErrHidden) || errors.Is(err, directory.ErrNoGroup) {
		return Group{Question: g.Question, Now: g.Now, Unseen: true}, nil
	}
	return g, err
}

// The method "list" reads the members of the group and returns their number. If "enough" is positive, the method stops
// after that many members and does not set Listed.
func (g *Group) list(ctx context.Context, entra Entra, enough int) (members int, err error) {
	listed := map[string]bool{}
	err = entra.ListMembers(ctx, g.Now, "", func(page []directory.Member, _ string) error {
		if members += len(page); enough > 0 && members >= enough {
			return errEnough
		}
		for _, m := range page {
			listed[m.ID] = listed[m.ID] || m.Direct || !g.Direct
		}
		return nil
	})
	if err = ended(err); err == nil && enough == 0 {
		g.Listed = listed
	}
	return members, err
}

// ReadGroups finds out to which of the groups an Entra account belongs. Graph's memberOf omits groups that hide their
// members, so ReadGroups looks in the list of members of such a group.
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
			_, err = g.list(ctx, entra, 0)
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

// groupsOf reads two lists of a person's groups: all groups, and the groups that list the person directly. It reads
// each list when a caller first needs it, and only once. It is not safe for concurrent use.
type groupsOf struct {
	entra Entra
	user  string // the object id

	read [2][]string // the lists: all groups, and direct groups; nil if not read yet
}

// The method "of" returns the ids of the groups that list the person directly or, if "direct" is not set, also through
// nested groups.
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
