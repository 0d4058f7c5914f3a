package sandbox

import (
	"crypto/rand"
	"maps"
	"slices"
	"time"
)

// WriteAt chooses the controller at which the changes that follow are made, except those over LDAP.
func (c *Company) WriteAt(controller int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writer = controller
}

// The method "writing" calls the function "write" with a controller as the place of its changes. The caller must hold
// the lock.
func (c *Company) writing(controller int, write func()) {
	before := c.writer
	defer func() { c.writer = before }()
	c.writer = controller
	write()
}

// LogOnAt logs a person on at a controller now. The controller changes lastLogonTimestamp only if its own value is at
// least 14 days old, less a random part of five days (MS-ADA1 2.352).
func (c *Company) LogOnAt(i, controller int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logOnAt(i, controller)
}

func (c *Company) logOnAt(i, controller int) {
	now := c.now().Truncate(time.Second)
	ch := c.changeOf(i)
	ch.logOn, ch.fromBackup, ch.lastUse = now, false, now
	d := dice{c.options.Seed ^ uint64(now.Unix()) ^ uint64(i)<<40}
	if stamp := c.controllers[controller].logOn(i, now); now.Sub(stamp) >= 14*day-seconds(&d, 5*day) {
		c.stamps[i] = now
		c.writing(controller, func() { c.touched(object{stampObject, i}) })
	}
}

// The method "logOn" sets lastLogon in the view, and returns lastLogonTimestamp there. Nobody logs on at a controller
// that does not have the account, so the view first shows the account.
func (k *controller) logOn(i int, now time.Time) (stamp time.Time) {
	k.view.mu.Lock()
	defer k.view.mu.Unlock()
	for a := range k.waits {
		if a.person == i && a.group == accountObject {
			k.take(a)
		}
	}
	k.view.forgetEntry(i)
	k.own[i].last = now
	return k.own[i].stamp
}

// Delay sets how long changes need from one controller to another.
func (c *Company) Delay(from, to int, delay time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.controllers[to].from[from].delay = delay
}

// Replicate stops the replication from one controller to another, or continues it. The changes that are late then
// arrive at once.
func (c *Company) Replicate(from, to int, runs bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch in := &c.controllers[to].from[from]; {
	case runs:
		in.stopped = time.Time{}
	case in.stopped.IsZero():
		in.stopped = c.now()
	}
}

// The type "backup" is a copy of a controller's database.
type backup struct {
	at      time.Time
	changes map[int]*change
	joined  map[membership]bool
	own     []logons
	moved   int
}

// BackUp copies the database of a controller. The copy replaces an earlier one.
func (c *Company) BackUp(controller int) {
	k := c.controllers[controller]
	k.receive()
	c.mu.Lock()
	defer c.mu.Unlock()
	k.backup = &backup{c.now(), cloned(k.view.changes), maps.Clone(k.view.joined), slices.Clone(k.own), k.view.moved}
}

func cloned(changes map[int]*change) map[int]*change {
	own := make(map[int]*change, len(changes))
	for i, ch := range changes {
		one := *ch
		own[i] = &one
	}
	return own
}

// RestoreController restores the database of a controller from its backup, as a restore of the system state does. The
// controller gets another invocationId and its former USNs (MS-ADTS 3.1.1.1.9, "invocationId"). All changes since the
// backup come again from the controller "from", except each lastLogon, which no other controller has. The result is
// false if there is no backup.
func (c *Company) RestoreController(controller, from int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.controllers[controller]
	if k.backup == nil {
		return false
	}
	c.deliverFrom(controller)
	v, now := k.view, c.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.changes, v.joined, v.moved, k.own = cloned(k.backup.changes), maps.Clone(k.backup.joined), k.backup.moved, slices.Clone(k.backup.own)
	rand.Read(k.invocation[:])
	late := times{k.backup.at, now.Add(k.from[from].delay)}
	for i := range c.Size() {
		k.waits[arrival{object{stampObject, i}, from}] = late
		if ch := c.changes[i]; ch != nil && ch.usn > 0 {
			k.waits[arrival{object{accountObject, i}, from}] = times{k.backup.at, now}
		}
	}
	for m := range c.joined {
		k.waits[arrival{object(m), from}] = late
	}
	v.forgetEntries()
	v.members.forgetAll()
	c.listed++
	return true
}

// The method "deliverFrom" makes all views show the changes that were made at a controller. The caller must hold the
// lock.
func (c *Company) deliverFrom(controller int) {
	for _, k := range c.controllers {
		k.view.mu.Lock()
		for a := range k.waits {
			if a.from == controller {
				k.take(a)
			}
		}
		k.view.mu.Unlock()
	}
}

// LastShown returns the newest date of a logon of a person that any controller has. It is the zero time if there is
// none.
func (c *Company) LastShown(i int) time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	last := c.stamps[i]
	for _, k := range c.controllers {
		if !k.gone {
			last = newest(last, k.own[i].last, k.own[i].stamp)
		}
	}
	return last
}
