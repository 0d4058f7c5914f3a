// Package sandbox simulates a company on loopback, with Microsoft Graph over HTTP and Active Directory over LDAPS, for
// the demo and tests. The seed and the number of a person determine all data of the person at the start. The sandbox
// computes these data on demand and stores only the effects of writes, so a company of a million people needs little
// memory. It behaves as Microsoft documents, and answers with an error where Microsoft does not document an answer.
//
// The original name of a group is its name when the company is created. Methods identify a group by this name, even
// after a rename.
package sandbox

import (
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Facts that are the same for every simulated company.
const (
	TenantID    = "11111111-2222-3333-4444-555555555555"
	BaseDN      = "DC=corp,DC=example,DC=test"
	CitrixGroup = "CN=Citrix Users,OU=Licenses," + BaseDN
)

const day = 24 * time.Hour

// Options sets the size and the delays of a company. The zero value of each field is usable.
type Options struct {
	Users int    // number of people of all kinds; fewer than 20 become 20
	Seed  uint64 // another seed gives another company with the same proportions

	// Now returns the time for dates, license delays and request limits. nil means time.Now. The dates of people are
	// relative to the first time that Now returns.
	Now func() time.Time
	// LicenseDelay is the time from a change of membership to the change of licenses.
	LicenseDelay time.Duration
	// SyncDelay is the time that Entra Connect needs to copy a change from Active Directory to Entra ID. LicenseDelay
	// comes in addition. SetSyncDelay changes the delay. In reality, "by default every 30 minutes a synchronization
	// cycle is run" (Microsoft Learn, "Microsoft Entra Connect Sync: Scheduler").
	SyncDelay time.Duration

	// Lag is the maximum lag of reads from Graph behind writes of licenses and memberships. Accounts and their dates
	// do not lag.
	Lag time.Duration

	Seats     map[string]int // paid seats by part number; a product without an entry has enough seats for everybody
	ListLimit int            // lists of users with signInActivity per 10 s; 0: unlimited (the real limit is 5)
	// SignInPage is the largest $top with signInActivity. Above it, a request is rejected, as real Graph once did
	// above 120. If SignInPage is 0, a $top above 500 is reduced to 500.
	SignInPage int

	// Witness is called with each event when it happens. It must not call a method of the company. It may be nil.
	Witness func(Event)

	// LostController is the DNS name of a second domain controller, which the directory lists and which does not
	// answer. The first controller has received the changes that the second made before the simulation began. Empty
	// means no second controller.
	LostController string

	// Controllers is how many domain controllers the company has at first. With two or more, each has its own copy of the
	// directory (type controller). Fewer than two mean one controller.
	Controllers int

	// Absent is how many people have no account until Hire creates it. These are the people with the highest numbers.
	Absent int
}

// Company is the state of both directories. It is safe for concurrent use.
type Company struct {
	options Options
	fixed   []*entry  // the objects of Active Directory that are not people
	start   time.Time // dates of people are relative to this instant
	offsets [drawCount]uint64

	mu      sync.RWMutex
	changes map[int]*change             // effects of writes, by number of the person
	entries []atomic.Pointer[entry]     // cached Active Directory objects of people, by number; nil: not cached
	renamed map[string]int              // number of the person; a key is a changed userPrincipalName in lower case
	adAhead time.Duration               // how far the domain controller's clock is ahead
	syncs   time.Duration               // current delay of Entra Connect; see Options.SyncDelay
	moved   int                         // number of changes that got a USN
	earlier map[membership][]past[bool] // former values of each membership, oldest first
	joined  map[membership]bool         // current values of memberships that writes changed
	members memberLists
	pending []transition      // changes of membership that have not changed the licenses yet
	due     atomic.Int64      // when the first transition in pending is due, in nanoseconds since 1970; 0: pending is empty
	hand    bool              // whether an administrator or another tool makes the current change; set by byHand
	seats   map[string]*seats // seats by skuId
	history []Event

	subscribed []Subscription // rows of subscribedSkus in addition to the company's products

	regrouped map[int]GroupChange   // changed Entra groups, by index
	adGroups  map[int]ADGroupChange // changed Active Directory groups, by index
	nesting   map[[2]int]bool       // changed nestings, by index of the outer and the inner group
	present   atomic.Pointer[[]group]

	mailboxes map[int]*directory.Mailbox // changed mailboxes, by number of the person
	concealed bool                       // whether reports conceal names
	typed     bool                       // whether the mailbox usage report has the column Recipient Type
	reports   Reports                    // properties of the usage reports
	uses      map[use]time.Time          // last uses that Use has set; without an entry, the last use is the last sign-in

	// These fields are used only with several controllers.
	controllers []*controller
	at          *controller // the controller of which this Company is the view; nil: it is no view
	writer      int         // number of the controller at which changes are made; see WriteAt
	stamps      []time.Time // newest lastLogonTimestamp of each person on any controller
	grouped     int         // grows with each change of a group, apart from its members
	listed      int         // grows with each change of the list of controllers

	mails      []Mail      // mails that were sent
	mailFaults []MailFault // faults of the next requests to send a mail
}

// The type "change" has the effects of writes on a person. Zero fields have no effect.
type change struct {
	licensed    bool // whether the field "assignments" replaces the assignments that the person had at the start
	assignments []assignment
	earlier     []past[[]assignment] // former values of assignments, oldest first
	deleted     bool                 // whether the account is deleted in Entra ID
	binned      *bin                 // assignments and deletion date of the deleted account; nil: not in the bin
	outOfAD     bool                 // whether the account is in the recycle bin of Active Directory
	hired       time.Time            // when the person was hired; zero: not hired
	signIns     signIns
	enabled     directory.Flag // whether an administrator allowed or blocked the sign-in; Unset: neither
	usn         int            // uSNChanged of the object
	logOn       time.Time
	lastUse     time.Time // true last logon to Active Directory; RestoreFromBackup does not change lastUse
	fromBackup  bool      // whether logOn and lastLogonTimestamp come from a backup
	commonName  string    // new common name in Active Directory
	displayName string    // new displayName in Entra ID
	upn         string    // new user principal name
	department  string    // new department in both directories
	role        *string   // new employeeType in both directories
	location    *string   // new usageLocation
	guest       bool      // whether the Entra account became a guest account
	agent       bool      // whether the Entra account became an agent's account
	recipient   string    // msExchRecipientTypeDetails
	replaced    int       // how often the Active Directory account was deleted and created again
	made        time.Time // when the Active Directory account was last created again
	again       int       // how often the Entra account was deleted and created again
	madeAgain   time.Time // when the Entra account was last created again
	link        link      // new link to Active Directory
	hidden      []string  // attributes hidden in Active Directory, in lower case
	primary     int       // RID of the new primary group
}

// NewCompany returns a company without serving it. Start serves a company.
func NewCompany(o Options) *Company {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Users = max(o.Users, len(fixtures))
	c := &Company{
		options: o,
		fixed:   numbered(fixed),
		start:   o.Now().UTC().Truncate(time.Second),
		offsets: offsets(o.Seed), syncs: o.SyncDelay,
		changes: map[int]*change{}, renamed: map[string]int{}, mailboxes: map[int]*directory.Mailbox{},
		joined: map[membership]bool{}, earlier: map[membership][]past[bool]{},
		members:   memberLists{lists: map[int][]int32{}},
		regrouped: map[int]GroupChange{}, adGroups: map[int]ADGroupChange{}, nesting: map[[2]int]bool{},
	}
	if o.LostController != "" {
		c.fixed = append(c.fixed, controllerEntries("DC2", o.LostController)...)
		c.replicated("DC2")
	}
	c.present.Store(&groups)
	if c.Size() <= keptPeople {
		c.entries = make([]atomic.Pointer[entry], c.Size())
	}
	c.seats = c.firstSeats()
	c.withControllers(o.Controllers)
	return c
}

// Size returns the number of people of all kinds. People are numbered from 0.
func (c *Company) Size() int { return c.options.Users }

func (c *Company) now() time.Time { return c.options.Now().UTC() }

// EntraUsers iterates over the accounts that are in Entra ID now, in the order of the people's numbers.
func (c *Company) EntraUsers() iter.Seq[directory.EntraUser] {
	return func(yield func(directory.EntraUser) bool) {
		for i := range c.Size() {
			if p := c.Person(i); p.Entra != nil && !yield(*p.Entra) {
				return
			}
		}
	}
}

// ADUsers iterates over the users that are in Active Directory now, in the order of the people's numbers.
func (c *Company) ADUsers() iter.Seq[directory.ADUser] {
	return func(yield func(directory.ADUser) bool) {
		for i := range c.Size() {
			if p := c.Person(i); p.AD != nil && !yield(*p.AD) {
				return
			}
		}
	}
}

// LogOn logs a person on to the domain now. As in real Active Directory, lastLogonTimestamp changes only if its value
// is more than 14 days old.
func (c *Company) LogOn(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.controllers) > 0 {
		c.logOnAt(i, c.writer)
		return
	}
	t := c.profile(i)
	before := c.datesOf(i, t).stamp
	ch := c.changeOf(i)
	ch.logOn, ch.fromBackup = c.now().Truncate(time.Second), false
	ch.lastUse = ch.logOn
	if !c.datesOf(i, t).stamp.Equal(before) {
		c.move(i)
	}
}

// RestoreFromBackup restores a person's Active Directory object, as an authoritative restore (ntdsutil) does. The
// argument "logOn" is the last logon in the backup.
func (c *Company) RestoreFromBackup(i int, logOn time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.changeOf(i)
	ch.logOn, ch.fromBackup = logOn.Truncate(time.Second), true
	c.move(i)
}

// changeOf returns the changes of a person, which the caller may modify under the write lock. It therefore also
// removes the person's Active Directory object from the cache.
func (c *Company) changeOf(i int) *change {
	c.forgetEntry(i)
	if c.changes[i] == nil {
		c.changes[i] = &change{}
	}
	return c.changes[i]
}

func (c *Company) inEntra(i int, t profile) bool {
	ch := c.changes[i]
	return t.inEntra() && !c.absent(i) && (ch == nil || !ch.deleted)
}

func (c *Company) inAD(i int, t profile) bool {
	ch := c.changes[i]
	return t.inAD() && !c.absent(i) && (ch == nil || !ch.outOfAD)
}

func (c *Company) spare(i int) bool { return i >= c.Size()-c.options.Absent }

// The method "absent" reports whether a person has not been hired yet.
func (c *Company) absent(i int) bool {
	ch := c.changes[i]
	return c.spare(i) && (ch == nil || ch.hired.IsZero())
}
