package sandbox

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Hire creates the accounts of an absent person and adds them to the person's groups. For a person who is present, it
// does nothing.
func (c *Company) Hire(i int) {
	c.byHand(func() {
		if !c.absent(i) {
			return
		}
		ch, t := c.changeOf(i), c.profile(i)
		ch.hired = c.now().Truncate(time.Second)
		c.move(i)
		c.members.forgetAll()
		c.note(Event{At: c.now(), What: UserMade, Person: i})
		if !t.inEntra() {
			return
		}
		first := firstAssignments(t, ch.hired)
		ch.licensed = true
		c.setAssignments(i, c.now(), slices.DeleteFunc(first, func(a assignment) bool { return a.Group != "" }))
		c.reconcile(i)
	})
}

// inBin is how long Entra ID keeps a deleted account (docs-contrib: user-delete).
const inBin = 30 * day

type bin struct {
	at    time.Time
	paths []assignment
}

// SetInBin moves a person's Entra account into the bin, or restores it with its groups and licenses (Microsoft Graph,
// "Restore deleted item"). An account can be restored for 30 days. While it is in the bin, its seats are free. The
// result "there" reports whether the account exists after the call.
func (c *Company) SetInBin(i int, in bool) (there bool) {
	c.byHand(func() {
		if t := c.profile(i); c.inEntra(i, t) == in {
			if in {
				c.delete(i)
			} else {
				c.undelete(i)
			}
		}
		there = c.inEntra(i, c.profile(i))
	})
	return there
}

func (c *Company) delete(i int) {
	now, paths := c.now(), c.assignments(i, c.profile(i))
	c.note(Event{At: now, What: UserDeleted, Person: i})
	c.setAssignments(i, now, nil)
	ch := c.changeOf(i)
	ch.deleted, ch.binned = true, &bin{now, paths}
}

func (c *Company) undelete(i int) {
	ch, now := c.changes[i], c.now()
	if ch == nil || ch.binned == nil || now.Sub(ch.binned.at) > inBin {
		return
	}
	paths := slices.DeleteFunc(slices.Clone(ch.binned.paths), func(a assignment) bool {
		_, g := c.groupByID(a.Group)
		return a.Group != "" && g == nil // the group was deleted while the account was in the bin
	})
	ch.deleted, ch.binned = false, nil
	c.note(Event{At: now, What: UserRestored, Person: i})
	c.setAssignments(i, now, paths)
	c.reconcile(i)
}

// Delete deletes a person's Entra account permanently.
func (c *Company) Delete(i int) {
	c.byHand(func() {
		if c.inEntra(i, c.profile(i)) {
			c.delete(i)
		}
		if ch := c.changes[i]; ch != nil {
			ch.binned = nil
		}
	})
}

// The method "reconcile" makes a person's licenses agree with the memberships. They disagree after the creation of an
// account, and after a restore if the groups have changed since the deletion.
func (c *Company) reconcile(i int) {
	t := c.profile(i)
	for n := range groups {
		g := c.entraGroup(n)
		if g == nil || g.id == "" {
			continue
		}
		c.rule(n, i)
		has := slices.ContainsFunc(c.assignments(i, t), func(a assignment) bool { return a.Group == g.id })
		waits := slices.ContainsFunc(c.pending, func(x transition) bool { return x.person == i && x.group == n })
		if in := c.isMember(n, i, t); in != has && !waits {
			c.later(n, i, in)
		}
	}
	c.advanceTo(c.now())
}

// SetInADBin moves a person's Active Directory account into the recycle bin, or restores it with all attributes and
// memberships (AD DS, "Active Directory Recycle Bin": link-valued attributes are preserved). Entra ID does not change.
func (c *Company) SetInADBin(i int, in bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).outOfAD = in
	c.move(i)
	c.members.forgetAll()
}

// ReplaceInEntra permanently deletes a person's Entra account and creates an unused account with the same names, its
// own object id, no licenses and no link to Active Directory. Dynamic groups whose rule matches add it.
func (c *Company) ReplaceInEntra(i int) {
	c.byHand(func() { c.replaceInEntra(i, link{state: never}) })
}

// ReplaceInBoth replaces the accounts in both directories and links the new accounts.
func (c *Company) ReplaceInBoth(i int) {
	c.byHand(func() {
		c.replaceInAD(i)
		c.replaceInEntra(i, link{linked, sidText(c.rid(i)), c.objectGUID(i).base64()})
	})
}

func (c *Company) replaceInEntra(i int, l link) {
	if c.inEntra(i, c.profile(i)) {
		c.delete(i)
	}
	for n := range groups {
		if m := (membership{n, i}); groups[n].id != "" {
			c.joined[m] = false
			delete(c.earlier, m)
			c.members.forget(n)
		}
	}
	c.pending = slices.DeleteFunc(c.pending, func(x transition) bool { return x.person == i })
	ch := c.changeOf(i)
	ch.again++
	ch.madeAgain, ch.link = c.now().Truncate(time.Second), l
	ch.deleted, ch.binned, ch.licensed, ch.assignments, ch.earlier = false, nil, true, nil, nil
	ch.signIns, ch.guest, ch.agent, ch.enabled = signIns{}, false, false, directory.Yes
	c.note(Event{At: c.now(), What: UserMade, Person: i})
	c.reconcile(i)
}
