// Package sandbox simulates a company on loopback: Microsoft Graph over HTTP
// and Active Directory over LDAPS, for the demo and for tests. Every person is
// computed from the seed and a number when asked for, so a company of a
// million people costs no memory; only what was changed by writes is kept. It
// behaves as Microsoft documents it, and answers whatever the documentation
// does not allow with an error, never with a guess.
package sandbox

import (
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Facts of every simulated company.
const (
	TenantID    = "11111111-2222-3333-4444-555555555555"
	BaseDN      = "DC=corp,DC=example,DC=test"
	CitrixGroup = "CN=Citrix Users,OU=Licenses," + BaseDN
)

const day = 24 * time.Hour

// Options size and time a company. The zero value of each field is usable.
type Options struct {
	Users int    // people of every kind together; fewer than 20 become 20
	Seed  uint64 // another seed gives another company of the same proportions

	// Now is the clock that dates, license delays and request limits follow;
	// time.Now when nil. Dates of people are relative to its first answer.
	Now func() time.Time
	// LicenseDelay is the time from a change of membership to the license.
	LicenseDelay time.Duration
	// SyncDelay is the time from a change in Active Directory until Entra Connect has brought
	// it to Entra ID, where groups that are synced give licenses: "by default every 30 minutes
	// a synchronization cycle is run" (Microsoft Learn, "Microsoft Entra Connect Sync:
	// Scheduler").
	SyncDelay time.Duration

	// Lag is how far behind the writes a read of Graph may be; see replica.
	Lag time.Duration

	Seats      map[string]int // seats paid for by part number; left out: enough for everyone
	ListLimit  int            // lists of users with signInActivity per 10 s; 0: no limit (Graph's own is 5)
	SignInPage int            // larger $top with signInActivity is refused, as Graph once did beyond 120; 0: cut to 500

	// Witness sees every event as it happens; nil: nobody does. It must not ask the
	// company anything.
	Witness func(Event)

	// LostController is the DNS name of a second domain controller, which the
	// directory lists and which does not answer; empty: there is none.
	LostController string

	// Absent is how many people, the last ones, are in no directory until Hire.
	Absent int
}

// Company is the state behind both directories. Its methods may be called from
// several goroutines at once.
type Company struct {
	options Options
	fixed   []*entry  // objects of Active Directory that are no people
	start   time.Time // the instant all dates of people are relative to
	offsets [drawCount]uint64

	mu      sync.RWMutex
	changes map[int]*change             // people whom writes touched
	entries []atomic.Pointer[entry]     // of people in Active Directory, as long as they are as they were
	renamed map[string]int              // people by another userPrincipalName, in lower case
	adAhead time.Duration               // by how much the domain controller's clock is
	moved   int                         // changes of people that Active Directory counted
	earlier map[membership][]past[bool] // what they were before, in order
	joined  map[membership]bool         // memberships that writes changed
	members memberLists
	pending []transition      // changes of membership whose licenses are due
	due     atomic.Int64      // when the first of them is, in nanoseconds since 1970; 0: none
	hand    bool              // an administrator's hand is at work, no request
	seats   map[string]*seats // by skuId
	history []Event

	subscribed []Subscription // rows of subscribedSkus beside the products

	regrouped map[int]GroupChange   // groups of Entra ID that were changed
	adGroups  map[int]ADGroupChange // groups of Active Directory that were changed
	nesting   map[[2]int]bool       // of an outer and an inner group, where it was changed
	present   atomic.Pointer[[]group]

	mailboxes map[int]*directory.Mailbox // those that are not as usual
	concealed bool                       // names in reports
	typed     bool                       // the mailbox usage report has the column Recipient Type
	reports   Reports                    // of usage
	uses      map[use]time.Time          // that are not those of the last sign-in
}

// change is what writes made of a person.
type change struct {
	licensed    bool // assignments replace the person's first ones
	assignments []assignment
	earlier     []past[[]assignment] // in order
	deleted     bool                 // from Entra ID
	binned      *bin                 // what the account in the bin had; nil: it is not there
	outOfAD     bool                 // in the recycle bin of Active Directory
	hired       time.Time            // who was absent at first
	signIns     signIns
	enabled     directory.Flag // when an administrator set it
	usn         int            // of the last one that Active Directory counts
	logOn       time.Time
	lastUse     time.Time // of the account in Active Directory, whatever its dates are
	putBack     bool      // logOn is from a backup, lastLogonTimestamp with it
	commonName  string    // in Active Directory, when it was renamed
	displayName string    // in Entra ID, when it is another
	upn         string    // likewise
	department  string    // in both directories, when it is another
	role        *string   // employeeType in both, likewise
	location    *string   // usageLocation, likewise
	guest       bool      // the account in Entra ID was made a guest's
	agent       bool      // the account in Entra ID is an agent's
	recipient   string    // msExchRecipientTypeDetails
	replaced    int       // how often the account in Active Directory was deleted and made anew
	made        time.Time // when that was last
	again       int       // how often the account in Entra ID was deleted and made anew
	madeAgain   time.Time // when that was last
	link        link      // to Active Directory, when it is another
	hidden      []string  // attributes in Active Directory that may not be read, in lower case
	primary     int       // RID of the primary group; 0: as at first
}

// NewCompany makes a company; nothing listens yet.
func NewCompany(o Options) *Company {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Users = max(o.Users, len(fixtures))
	c := &Company{
		options: o,
		fixed:   numbered(fixed),
		start:   o.Now().UTC().Truncate(time.Second),
		offsets: offsets(o.Seed),
		changes: map[int]*change{}, renamed: map[string]int{}, mailboxes: map[int]*directory.Mailbox{},
		joined: map[membership]bool{}, earlier: map[membership][]past[bool]{},
		members:   memberLists{lists: map[int][]int32{}},
		regrouped: map[int]GroupChange{}, adGroups: map[int]ADGroupChange{}, nesting: map[[2]int]bool{},
	}
	if o.LostController != "" {
		c.fixed = append(c.fixed, controllerEntries("DC2", o.LostController)...)
	}
	c.present.Store(&groups)
	if c.Size() <= keptPeople {
		c.entries = make([]atomic.Pointer[entry], c.Size())
	}
	c.seats = c.firstSeats()
	return c
}

// Size returns the number of people of every kind; they are numbered from 0.
func (c *Company) Size() int { return c.options.Users }

func (c *Company) now() time.Time { return c.options.Now().UTC() }

// EntraUsers returns the accounts of Entra ID as they are now, in order.
func (c *Company) EntraUsers() iter.Seq[directory.EntraUser] {
	return func(yield func(directory.EntraUser) bool) {
		for i := range c.Size() {
			if p := c.Person(i); p.Entra != nil && !yield(*p.Entra) {
				return
			}
		}
	}
}

// ADUsers returns the users of Active Directory as they are now, in order.
func (c *Company) ADUsers() iter.Seq[directory.ADUser] {
	return func(yield func(directory.ADUser) bool) {
		for i := range c.Size() {
			if p := c.Person(i); p.AD != nil && !yield(*p.AD) {
				return
			}
		}
	}
}

// LogOn lets a person log on to the domain now. As in Active Directory,
// lastLogonTimestamp follows only when it is more than 14 days old.
func (c *Company) LogOn(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.profile(i)
	before := c.datesOf(i, t).stamp
	ch := c.changeOf(i)
	ch.logOn, ch.putBack = c.now().Truncate(time.Second), false
	ch.lastUse = ch.logOn
	if !c.datesOf(i, t).stamp.Equal(before) {
		c.move(i)
	}
}

// PutBack restores a person's object of Active Directory from a backup, as it was
// when they had last logged on at an instant: an authoritative restore (ntdsutil)
// brings the attributes of the backup back.
func (c *Company) PutBack(i int, logOn time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.changeOf(i)
	ch.logOn, ch.putBack = logOn.Truncate(time.Second), true
	c.move(i)
}

// changeOf returns what is changed of a person. The company must be locked until it is.
func (c *Company) changeOf(i int) *change {
	if i < len(c.entries) {
		c.entries[i].Store(nil)
	}
	if c.changes[i] == nil {
		c.changes[i] = &change{}
	}
	return c.changes[i]
}

// inEntra reports whether the person has an account in Entra ID now.
func (c *Company) inEntra(i int, t profile) bool {
	ch := c.changes[i]
	return t.inEntra() && !c.absent(i) && (ch == nil || !ch.deleted)
}

// inAD reports whether the person has an account in Active Directory now.
func (c *Company) inAD(i int, t profile) bool {
	ch := c.changes[i]
	return t.inAD() && !c.absent(i) && (ch == nil || !ch.outOfAD)
}

// spare reports whether somebody is absent at first.
func (c *Company) spare(i int) bool { return i >= c.Size()-c.options.Absent }

// absent reports whether somebody is yet to be hired.
func (c *Company) absent(i int) bool {
	ch := c.changes[i]
	return c.spare(i) && (ch == nil || ch.hired.IsZero())
}
