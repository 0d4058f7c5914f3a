// Package sandbox simulates a company on loopback: Microsoft Graph over HTTP and Active Directory over LDAPS, for the
// demo and for tests. Every person is computed on demand from the seed and a number, so a company of a million people
// uses no memory. Only the effects of writes are stored. The sandbox behaves as Microsoft documents. It answers
// everything else with an error, and never with a guess.
package sandbox

import (
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The facts of every simulated company.
const (
	TenantID    = "11111111-2222-3333-4444-555555555555"
	BaseDN      = "DC=corp,DC=example,DC=test"
	CitrixGroup = "CN=Citrix Users,OU=Licenses," + BaseDN
)

const day = 24 * time.Hour

// Options set the size and the delays of a company. The zero value of each field is usable.
type Options struct {
	Users int    // number of people of all kinds; fewer than 20 become 20
	Seed  uint64 // another seed gives another company with the same proportions

	// Now is the clock for dates, license delays and request limits. nil means time.Now. People's dates are relative to
	// its first answer.
	Now func() time.Time
	// LicenseDelay is the time from a change of membership to the license.
	LicenseDelay time.Duration
	// SyncDelay is the time in which Entra Connect brings a change of Active Directory to Entra ID. Synced groups give
	// their licenses there. The source says: "by default every 30 minutes a synchronization cycle is run" (Microsoft
	// Learn, "Microsoft Entra Connect Sync: Scheduler").
	SyncDelay time.Duration

	// Lag is how far a read of Graph may lag behind the writes. See replica.
	Lag time.Duration

	Seats      map[string]int // paid seats by part number; left out: enough for everybody
	ListLimit  int            // lists of users with signInActivity per 10 s; 0: no limit (Graph's own limit is 5)
	SignInPage int            // larger $top with signInActivity is refused, as Graph once did above 120; 0: cut to 500

	// Witness receives every event as it happens. nil: nobody receives them. It must not call the company.
	Witness func(Event)

	// LostController is the DNS name of a second domain controller that the directory lists and that does not answer.
	// Empty: there is none.
	LostController string

	// Absent is the number of people, the last ones, who are in no directory until Hire.
	Absent int
}

// Company is the state of both directories. Its methods may be called from several goroutines.
type Company struct {
	options Options
	fixed   []*entry  // the objects of Active Directory that are no people
	start   time.Time // all dates of people are relative to this instant
	offsets [drawCount]uint64

	mu      sync.RWMutex
	changes map[int]*change             // effects of writes, by person
	entries []atomic.Pointer[entry]     // cached objects of people in Active Directory; a change removes one
	renamed map[string]int              // people by a changed userPrincipalName, in lower case
	adAhead time.Duration               // lead of the domain controller's clock
	moved   int                         // number of changes with a USN
	earlier map[membership][]past[bool] // replaced memberships, in order
	joined  map[membership]bool         // memberships that writes changed
	members memberLists
	pending []transition      // changes of membership whose licenses are due
	due     atomic.Int64      // when the first of them is due, in nanoseconds since 1970; 0: none
	hand    bool              // an administrator makes the change, not a request
	seats   map[string]*seats // seats by skuId
	history []Event

	subscribed []Subscription // further rows of subscribedSkus

	regrouped map[int]GroupChange   // changed groups of Entra ID
	adGroups  map[int]ADGroupChange // changed groups of Active Directory
	nesting   map[[2]int]bool       // changed nestings, by outer and inner group
	present   atomic.Pointer[[]group]

	mailboxes map[int]*directory.Mailbox // changed mailboxes
	concealed bool                       // reports conceal names
	typed     bool                       // the mailbox usage report has the column Recipient Type
	reports   Reports                    // the usage reports
	uses      map[use]time.Time          // uses that differ from the last sign-in
}

// change is the effect of writes on a person.
type change struct {
	licensed    bool // assignments replace the person's first ones
	assignments []assignment
	earlier     []past[[]assignment] // replaced assignments, in order
	deleted     bool                 // deleted in Entra ID
	binned      *bin                 // state of the account in the bin; nil: not in the bin
	outOfAD     bool                 // in the recycle bin of Active Directory
	hired       time.Time            // for a person who was absent at first
	signIns     signIns
	enabled     directory.Flag // set by an administrator
	usn         int            // uSNChanged of the object; 0: the first one
	logOn       time.Time
	lastUse     time.Time // last use of the account in Active Directory, whatever its dates say
	fromBackup  bool      // logOn and lastLogonTimestamp come from a backup
	commonName  string    // new common name in Active Directory; empty: the first one
	displayName string    // new displayName in Entra ID; empty: the first one
	upn         string    // new user principal name; empty: the first one
	department  string    // new department in both directories; empty: the first one
	role        *string   // new employeeType in both; nil: the first one
	location    *string   // new usageLocation; nil: the first one
	guest       bool      // the Entra account is a guest's
	agent       bool      // the Entra account is an agent's
	recipient   string    // msExchRecipientTypeDetails
	replaced    int       // how many times the account in Active Directory was deleted and created again
	made        time.Time // when it was last created again
	again       int       // how many times the Entra account was deleted and created again
	madeAgain   time.Time // when it was last created again
	link        link      // changed link to Active Directory
	hidden      []string  // hidden attributes in Active Directory, in lower case
	primary     int       // RID of the primary group; 0: the first one
}

// NewCompany makes a company. It does not listen yet.
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

// Size returns the number of people of all kinds. They are numbered from 0.
func (c *Company) Size() int { return c.options.Users }

func (c *Company) now() time.Time { return c.options.Now().UTC() }

// EntraUsers yields the current accounts of Entra ID, in order.
func (c *Company) EntraUsers() iter.Seq[directory.EntraUser] {
	return func(yield func(directory.EntraUser) bool) {
		for i := range c.Size() {
			if p := c.Person(i); p.Entra != nil && !yield(*p.Entra) {
				return
			}
		}
	}
}

// ADUsers yields the current users of Active Directory, in order.
func (c *Company) ADUsers() iter.Seq[directory.ADUser] {
	return func(yield func(directory.ADUser) bool) {
		for i := range c.Size() {
			if p := c.Person(i); p.AD != nil && !yield(*p.AD) {
				return
			}
		}
	}
}

// LogOn logs a person on to the domain now. As in Active Directory, lastLogonTimestamp follows only when it is more
// than 14 days old.
func (c *Company) LogOn(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.profile(i)
	before := c.datesOf(i, t).stamp
	ch := c.changeOf(i)
	ch.logOn, ch.fromBackup = c.now().Truncate(time.Second), false
	ch.lastUse = ch.logOn
	if !c.datesOf(i, t).stamp.Equal(before) {
		c.move(i)
	}
}

// RestoreFromBackup restores a person's object of Active Directory from a backup with an earlier last logon. An
// authoritative restore (ntdsutil) restores the attributes of the backup.
func (c *Company) RestoreFromBackup(i int, logOn time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.changeOf(i)
	ch.logOn, ch.fromBackup = logOn.Truncate(time.Second), true
	c.move(i)
}

// changeOf returns the changes of a person, and removes the cached object. The caller must hold the company's lock
// while it writes.
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

// spare reports whether a person is absent at first.
func (c *Company) spare(i int) bool { return i >= c.Size()-c.options.Absent }

// absent reports whether a person is not hired yet.
func (c *Company) absent(i int) bool {
	ch := c.changes[i]
	return c.spare(i) && (ch == nil || ch.hired.IsZero())
}
