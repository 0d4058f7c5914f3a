package sandbox

import (
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"
)

// A company may have several domain controllers (Options.Controllers). Each has its own copy of the directory, its
// view. A write happens at one controller, and reaches the others after a delay or when replication runs again (MS-ADTS
// 3.1.1.1.9). The Company itself has the state after the last write, which no view may show yet.
//
// Memberships and lastLogonTimestamp are delayed. A change of an account, of a group's name or of the list of
// controllers is on all controllers at once. These changes are not simulated per controller.

// The type "controller" is one of several domain controllers. The lock of the Company guards all fields except "view".
type controller struct {
	of         *Company
	number     int
	name, host string
	view       *Company // what the controller's copy of the directory shows
	own        []logons // the logon dates in this copy, by person; the lock of the view guards it
	invocation guid
	gone       bool // whether the controller was demoted
	waits      map[arrival]times
	from       []inbound // replication from each other controller, by its number
	grouped    int       // the value of Company.grouped in the view
	listed     int       // the value of Company.listed in the view
	objects    []*entry  // the objects that are not people, without the vector
	vector     string    // replUpToDateVector in the view
	backup     *backup   // nil: no backup was made
}

// logons are the logon dates of one person on one controller. lastLogon is not replicated, and lastLogonTimestamp is.
type logons struct{ last, stamp time.Time }

// The type "arrival" is a change that a view does not show yet: of an object, and made at a controller.
type arrival struct {
	object
	from int
}

// The type "object" is what replicates as a whole: a membership, an account (group is accountObject), or a
// lastLogonTimestamp (group is stampObject).
type object struct{ group, person int }

const accountObject, stampObject = -1, -2

// The type "times" says when the oldest change of an arrival was made, and when it is due.
type times struct{ made, due time.Time }

// The type "inbound" is the replication from one controller to another.
type inbound struct {
	delay   time.Duration
	stopped time.Time // since when; zero: it runs
}

// withControllers gives a new company its controllers. At first, lastLogon of a person is at one of them, at a random
// one, and another may have an older date.
func (c *Company) withControllers(n int) {
	if n < 2 {
		return
	}
	c.stamps = make([]time.Time, c.Size())
	for range n {
		c.another()
	}
	for i := range c.Size() {
		x, d := c.datesOf(i, c.profile(i)), c.dice(i, streamControllers)
		c.stamps[i] = x.stamp
		at := d.below(n)
		for _, k := range c.controllers {
			k.own[i].stamp = x.stamp
			switch older := x.logon.Add(-day - seconds(&d, 200*day)); {
			case k.number == at:
				k.own[i].last = x.logon
			case !x.logon.IsZero() && older.After(x.created) && d.below(2) == 0:
				k.own[i].last = older
			}
		}
	}
}

// The constant "hostOf" is the DNS name of a controller. A client that uses the name and not the address of the server
// reaches nobody, and learns this at once.
const hostOf = "127.0.0.%d"

// The method "another" adds a controller whose view shows the first state of the company.
func (c *Company) another() *controller {
	n := len(c.controllers)
	k := &controller{
		of: c, number: n, name: fmt.Sprintf("DC%d", n+1), host: fmt.Sprintf(hostOf, n+2), own: make([]logons, c.Size()),
		waits: map[arrival]times{}, from: make([]inbound, n), grouped: c.grouped, listed: -1,
	}
	rand.Read(k.invocation[:])
	k.view = &Company{
		options: c.options, start: c.start, offsets: c.offsets, at: k,
		changes: map[int]*change{}, joined: map[membership]bool{}, members: memberLists{lists: map[int][]int32{}},
	}
	if c.Size() <= keptPeople {
		k.view.entries = make([]atomic.Pointer[entry], c.Size())
	}
	c.controllers = append(c.controllers, k)
	for _, each := range c.controllers {
		each.from = append(each.from, inbound{})
	}
	k.view.present.Store(c.present.Load())
	c.listed++
	return k
}

// The method "dc" returns the name and the DNS name of the controller of this view, or of the company's only one.
func (c *Company) dc() (name, host string) {
	if c.at == nil {
		return "DC1", controllerHost
	}
	return c.at.name, c.at.host
}

// The method "ready" brings the state up to date before an operation on Active Directory.
func (c *Company) ready() {
	if c.at == nil {
		c.advance()
		return
	}
	c.at.of.advance()
	c.at.receive()
}
