package sandbox

import (
	"maps"
	"slices"
)

// Keep saves the state of the company. The returned function restores it, any number of times, so that many trials can
// start from one state. The clock is not part of the state.
func (c *Company) Keep() (back func()) {
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	kept := &Company{}
	kept.become(c)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.become(kept)
		c.forget()
	}
}

// The method "become" copies the state of o to c. Later changes of one company do not affect the other.
func (c *Company) become(o *Company) {
	c.fixed, c.adAhead, c.syncs, c.moved, c.hand = o.fixed, o.adAhead, o.syncs, o.moved, o.hand
	c.concealed, c.typed, c.reports = o.concealed, o.typed, o.reports
	c.renamed, c.joined, c.mailboxes = maps.Clone(o.renamed), maps.Clone(o.joined), maps.Clone(o.mailboxes)
	c.uses = maps.Clone(o.uses)
	c.mails, c.mailFaults = slices.Clone(o.mails), slices.Clone(o.mailFaults)
	c.regrouped, c.adGroups, c.nesting = maps.Clone(o.regrouped), maps.Clone(o.adGroups), maps.Clone(o.nesting)
	c.present.Store(o.present.Load())
	c.due.Store(o.due.Load())
	c.pending, c.history, c.subscribed = slices.Clone(o.pending), slices.Clone(o.history), slices.Clone(o.subscribed)
	c.changes, c.earlier, c.seats = map[int]*change{}, map[membership][]past[bool]{}, map[string]*seats{}
	for i, ch := range o.changes {
		one := *ch
		one.earlier, one.hidden, one.signIns.coming = slices.Clone(ch.earlier), slices.Clone(ch.hidden), slices.Clone(ch.signIns.coming)
		if ch.binned != nil {
			bin := *ch.binned
			one.binned = &bin
		}
		if ch.signIns.instead != nil {
			instead := *ch.signIns.instead
			one.signIns.instead = &instead
		}
		c.changes[i] = &one
	}
	for m, list := range o.earlier {
		c.earlier[m] = slices.Clone(list)
	}
	for sku, s := range o.seats {
		one := *s
		c.seats[sku] = &one
	}
}

func (c *Company) forget() {
	c.forgetEntries()
	for g := range groups {
		c.members.forget(g)
	}
}
