package sandbox

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// The method "touched" records that an object was changed at the controller c.writer. This controller shows the change
// at once, and the others show it later. The caller must hold the lock.
func (c *Company) touched(o object) {
	now := c.now()
	for _, k := range c.controllers {
		if k.gone {
			continue
		}
		due := now
		if k.number != c.writer && o.group != accountObject {
			due = due.Add(k.from[c.writer].delay)
		}
		a := arrival{o, c.writer}
		made := now
		if was, waits := k.waits[a]; waits {
			made = was.made
		}
		k.waits[a] = times{made, due}
		if k.number == c.writer && o.group != accountObject { // a change of an account may have further parts
			k.view.mu.Lock()
			k.take(a)
			k.view.mu.Unlock()
		}
	}
}

// The method "receive" makes the view show all changes that have arrived.
func (k *controller) receive() {
	c := k.of
	c.mu.Lock()
	defer c.mu.Unlock()
	k.view.mu.Lock()
	defer k.view.mu.Unlock()
	now, regrouped := c.now(), k.grouped != c.grouped
	for a, t := range k.waits {
		stopped := a.group != accountObject && a.from != k.number && !k.from[a.from].stopped.IsZero()
		if regrouped && a.group >= 0 || !stopped && !t.due.After(now) {
			k.take(a)
		}
	}
	k.describe(now)
}

// The method "take" makes the view show the present state of an object.
func (k *controller) take(a arrival) {
	delete(k.waits, a)
	c, v, i := k.of, k.view, a.person
	v.forgetEntry(i)
	switch a.group {
	case accountObject:
		k.takeAccount(i)
	case stampObject:
		k.own[i].stamp = newest(k.own[i].stamp, c.stamps[i])
		k.changed(i, nil)
	default:
		m := membership{a.group, i}
		if in, changed := c.joined[m]; changed {
			v.joined[m] = in
		}
		v.members.forget(a.group)
	}
}

// The method "takeAccount" makes the view show an account with its memberships. An account that was created again has
// no logon dates of its own yet.
func (k *controller) takeAccount(i int) {
	c, v := k.of, k.view
	one := change{}
	if is := c.changes[i]; is != nil {
		one = *is
	}
	if was := v.changes[i]; one.replaced > 0 && (was == nil || was.replaced != one.replaced) {
		k.own[i] = logons{stamp: c.stamps[i]}
	}
	k.changed(i, &one)
	for a := range k.waits {
		if a.person == i && a.group >= 0 {
			k.take(a)
		}
	}
	v.members.forgetAll()
}

// The method "changed" gives a person's object in the view the next USN of this controller. The argument "to" has the
// new values, or is nil if they stay.
func (k *controller) changed(i int, to *change) {
	v := k.view
	if to == nil {
		to = v.changes[i]
	}
	if to == nil {
		to = &change{}
	}
	v.moved++
	to.usn = v.highestUSN()
	v.changes[i] = to
}

// The method "describe" brings up to date what the view says about groups and about the controllers.
func (k *controller) describe(now time.Time) {
	c, v := k.of, k.view
	v.adAhead = c.adAhead
	vector := k.upToDate(now)
	old := k.grouped != c.grouped || k.listed != c.listed
	if !old && vector == k.vector {
		return
	}
	if old {
		k.grouped, k.listed, k.objects = c.grouped, c.listed, c.objectsWith(c.controllers)
		v.present.Store(c.present.Load())
		v.members.forgetAll()
		v.forgetEntries()
	}
	k.vector, v.fixed = vector, slices.Clone(k.objects)
	extend(v.fixed, BaseDN, attribute{"replUpToDateVector", []string{vector}})
}

// The method "objectsWith" returns the objects that are not people, with the given controllers in the list of servers.
func (c *Company) objectsWith(all []*controller) []*entry {
	list := slices.DeleteFunc(slices.Clone(c.fixed), func(e *entry) bool { return strings.HasSuffix(e.dn, ","+sitesDN) })
	for _, k := range all {
		if !k.gone {
			list = append(list, controllerEntries(k.name, k.host)...)
			extend(list, list[len(list)-1].dn, attribute{"invocationId", []string{k.invocation.raw()}})
		}
	}
	return list
}

// The method "upToDate" returns the replUpToDateVector of a controller. It says of each other controller until when the
// changes made there have arrived here.
func (k *controller) upToDate(now time.Time) string {
	var cursors []cursor
	for _, of := range k.of.controllers {
		if of == k || of.gone {
			continue
		}
		until := earliest(now, k.from[of.number].stopped)
		for a, t := range k.waits {
			if a.from == of.number {
				until = earliest(until, t.made)
			}
		}
		cursors = append(cursors, cursor{of.invocation, of.view.highestUSN(), until})
	}
	return vectorOf(cursors)
}

// The type "cursor" says up to which USN, and until when, the changes of a controller have arrived.
type cursor struct {
	invocation guid
	usn        int
	until      time.Time
}

// vectorOf returns the value of replUpToDateVector: an UPTODATE_VECTOR_V2_EXT with cursors (MS-DRSR). The times are
// DSTIME, in seconds since 1601.
func vectorOf(cursors []cursor) string {
	const from1601 = 11_644_473_600 // seconds from 1601 to 1970
	vector := binary.LittleEndian.AppendUint32(nil, 2)
	vector = append(vector, 0, 0, 0, 0, byte(len(cursors)), 0, 0, 0, 0, 0, 0, 0)
	for _, x := range cursors {
		vector = binary.LittleEndian.AppendUint64(append(vector, x.invocation.raw()...), uint64(x.usn))
		vector = binary.LittleEndian.AppendUint64(vector, uint64(x.until.Unix()+from1601))
	}
	return string(vector)
}

// modifyMembers makes all changes of a request at this controller, or none. The controller checks them against its own
// copy, which may lack changes of another controller.
func (k *controller) modifyMembers(m *modifyRequest) error {
	c := k.of
	c.mu.Lock()
	defer c.mu.Unlock()
	k.view.mu.RLock()
	g, writes, err := k.view.allWrites(m)
	k.view.mu.RUnlock()
	c.writing(k.number, func() {
		for _, x := range writes {
			c.setMember(g, x.person, x.in)
		}
	})
	return err
}
