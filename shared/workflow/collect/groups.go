package collect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "groups" finds every Entra group that the policy names. For a group of Active Directory, it returns only
// the DN. A missing license group is an error of the policy, and so is an ambiguous name. If any other group is
// missing, its membership is unknown.
func (c *Collector) groups(ctx context.Context, in Start, earlier *directory.Earlier) ([]directory.Group, error) {
	holds := map[directory.GroupRef]bool{}
	for _, l := range in.Policy.Licenses {
		for _, ref := range l.Groups() {
			holds[ref] = true
		}
	}
	var all []directory.Group
	for _, ref := range in.Policy.GroupRefs() {
		if ref.Source == directory.AD {
			all = append(all, directory.Group{Ref: ref, ID: ref.Name, Name: ref.Name})
			continue
		}
		known := earlier.Group(ref)
		if in.AcceptFeeds && known != nil {
			known = &directory.EarlierGroup{ID: known.ID, Run: known.Run, Hidden: known.Hidden, Replaced: true}
		}
		g, err := c.group(ctx, ref, known)
		switch {
		case err == nil && known == nil: // earlier runs may know the group by another name
			earlier.Follow(ref, g.ID)
			same := earlier.Group(ref)
			g.Hidden = g.Hidden || same != nil && same.Hidden
		case err == nil:
		case holds[ref] && errors.Is(err, directory.ErrNoGroup):
			return nil, fmt.Errorf("%w: in Entra ID, %w; create the group, or correct it in the policy", ErrPolicy, err)
		case errors.Is(err, directory.ErrNoGroup):
			g.Unreadable = err.Error()
			if g.Doubt = known != nil && !known.Replaced; g.Doubt {
				g.Unreadable = fmt.Sprintf("the group %s that run %s read (object id %s) is gone; restore it, or take it out of the policy", ref, known.Run, known.ID)
			}
		case errors.Is(err, directory.ErrAmbiguousGroup):
			return nil, fmt.Errorf("%w: %w; name the object id of the right one in the policy", ErrPolicy, err)
		default:
			return nil, fmt.Errorf("find group %q: %w", ref.String(), err)
		}
		g.Ref = ref
		if holds[ref] && g.Hidden && g.Unreadable == "" {
			if g.Unseen, err = c.unseen(ctx, g); err != nil {
				return nil, fmt.Errorf("find group %q: %w", ref.String(), err)
			}
		}
		all = append(all, g)
	}
	return all, nil
}

var errShown = errors.New("the group shows its members")

// The method "unseen" reports whether a group with hidden membership also hides its members from idleseat.
func (c *Collector) unseen(ctx context.Context, g directory.Group) (bool, error) {
	err := c.Entra.ListMembers(ctx, g, "", func([]directory.Member, string) error { return errShown })
	switch {
	case errors.Is(err, errShown):
		return false, nil
	case errors.Is(err, directory.ErrHidden):
		return true, nil
	}
	return false, err
}

// The method "group" finds an Entra group. The parameter "known" is what an earlier run found for the name, or nil.
// With it, the method also finds a renamed group. If a different group has the name now, the result is in doubt,
// because any employee may create a group.
func (c *Collector) group(ctx context.Context, ref directory.GroupRef, known *directory.EarlierGroup) (directory.Group, error) {
	g, err := c.Entra.FindGroup(ctx, ref.Name)
	if known == nil {
		return g, err
	}
	g.Hidden = g.Hidden || known.Hidden
	switch {
	case err == nil && (g.ID == known.ID || known.Replaced):
		return g, nil
	case err == nil:
		g.Doubt = true
		g.Unreadable = fmt.Sprintf("the group %s is another one (object id %s) than the one that run %s read (%s); if the new one is right, name its object id in the policy or plan with --accept-feeds",
			ref, g.ID, known.Run, known.ID)
		return g, nil
	case !errors.Is(err, directory.ErrNoGroup) && !errors.Is(err, directory.ErrAmbiguousGroup):
		return g, err
	}
	same, byID := c.Entra.FindGroup(ctx, known.ID)
	if errors.Is(byID, directory.ErrNoGroup) {
		return g, err
	}
	if byID != nil {
		return g, byID
	}
	same.Hidden = same.Hidden || known.Hidden
	switch {
	case errors.Is(err, directory.ErrNoGroup):
		same.Note = fmt.Sprintf("the group %s is named %q now and was followed by its object id %s; name the id in the policy", ref, same.Name, same.ID)
	case strings.EqualFold(same.Name, ref.Name):
		same.Note = fmt.Sprintf("several groups are named %s; the one that run %s read, object id %s, is meant; name the id in the policy", ref, known.Run, same.ID)
	default:
		return g, err
	}
	return same, nil
}
