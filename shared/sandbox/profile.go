package sandbox

import "math/bits"

// Kind is in which directories a person has accounts, and how the accounts are linked.
type Kind string

// The kinds of people.
const (
	Synced        Kind = "synced"             // in both directories, managed on premises
	CloudOnly     Kind = "cloud-only"         // Entra ID only
	Guest         Kind = "guest"              // Entra ID only, userType Guest
	SharedMailbox Kind = "shared mailbox"     // Entra ID only, sign-in blocked
	ADOnly        Kind = "AD-only"            // Active Directory only
	NoADAccount   Kind = "without AD account" // marked as synced, but Active Directory has no such account
	WrongAnchor   Kind = "wrong anchor"       // onPremisesImmutableId does not match the Active Directory account
)

// Activity is how a person uses an account.
type Activity string

// The activities. Each applies to Entra ID or to Active Directory.
const (
	Active  Activity = "active"
	Recent  Activity = "recent"   // idle, but not long enough for the rule
	Idle    Activity = "idle"     // idle for more than 60 days (Entra ID) or 90 days (Active Directory)
	Never   Activity = "never"    // an old account that was never used
	New     Activity = "new"      // a new account that was never used
	OnLeave Activity = "on leave" // idle, because the person is on leave
)

// The type "role" is the position of a person in the company. It decides the employeeType, whether the sign-in is
// allowed, and whether the person is in the group LIC-Exempt.
type role uint8

const (
	employee role = iota
	contractor
	disabled // an employee whose account is disabled
	exempt   // an employee in the group LIC-Exempt
)

type hold uint8

const (
	holdNothing        hold = iota
	holdE3                  // E3 by the group LIC-M365-E3
	holdE3Direct            // E3, direct
	holdE3Twice             // E3, both by the group and direct
	holdE3Dynamic           // E3 by a dynamic group
	holdE3Synced            // E3 by a group that is synced from Active Directory
	holdSuite               // E3 by a group that gives two products
	holdExchange            // Exchange Online by the group LIC-EXO-P1
	holdExchangeDirect      // Exchange Online, direct
	holdE5                  // E5, direct
)

// The type "profile" is a person without names and dates. It must be cheap to compute, because counting the members of
// a group needs the profiles of all people.
type profile struct {
	kind     Kind
	activity Activity // how the person uses Entra ID
	logon    Activity // how the person uses Active Directory
	role     role
	hold     hold
	citrix   bool // in the Citrix group
	nested   bool // in the group nested in the Citrix group
	anchored bool // mS-DS-ConsistencyGuid is set and differs from objectGUID
}

func (t profile) inEntra() bool { return t.kind != ADOnly }

func (t profile) inAD() bool {
	return t.kind == Synced || t.kind == ADOnly || t.kind == WrongAnchor
}

func (t profile) synced() bool {
	return t.kind == Synced || t.kind == NoADAccount || t.kind == WrongAnchor
}

func (t profile) enabled() bool { return t.role != disabled && t.kind != SharedMailbox }

type share[T any] struct {
	permille int
	sort     T
}

// Each list has values with their shares of all people. The last value of a list applies to everybody else. With these
// shares, each of the two rules of the demo policy matches 6 to 7 percent of the holders of its license.
var (
	kindShares     = []share[Kind]{{30, ADOnly}, {50, CloudOnly}, {20, Guest}, {15, SharedMailbox}, {5, NoADAccount}, {5, WrongAnchor}, {0, Synced}}
	activityShares = []share[Activity]{{53, Idle}, {15, Never}, {6, OnLeave}, {10, New}, {10, Recent}, {0, Active}}
	logonShares    = []share[Activity]{{54, Idle}, {16, Never}, {10, New}, {10, Recent}, {0, Active}}
	roleShares     = []share[role]{{80, contractor}, {20, disabled}, {10, exempt}, {0, employee}}
	holdShares     = []share[hold]{{720, holdE3}, {80, holdE3Direct}, {20, holdE3Twice}, {15, holdE3Dynamic}, {10, holdE3Synced},
		{10, holdSuite}, {65, holdExchange}, {30, holdE5}, {0, holdNothing}}
	guestShares  = []share[hold]{{100, holdE3Direct}, {0, holdNothing}}
	sharedShares = []share[hold]{{60, holdE3Direct}, {300, holdExchangeDirect}, {0, holdNothing}}
)

func pick[T any](shares []share[T], permille int) T {
	for _, s := range shares[:len(shares)-1] {
		if permille < s.permille {
			return s.sort
		}
		permille -= s.permille
	}
	return shares[len(shares)-1].sort
}

// The kinds of draws for a person. A draw is a number from 0 to 999 that decides one property of the profile,
// independently of draws of other kinds.
const (
	drawKind = iota
	drawActivity
	drawLogon
	drawRole
	drawHold
	drawCitrix
	drawCount
)

// The variable "steps" has the fractional parts of the square roots of the first primes, in units of 2^-64. Multiples
// of an irrational number fill the unit interval more evenly than random numbers do, so the shares are right even in a
// small company.
var steps = [drawCount]uint64{
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
	0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
}

func offsets(seed uint64) (o [drawCount]uint64) {
	d := dice{seed}
	for i := range o {
		o[i] = d.next()
	}
	return o
}

// The method "draw" returns a person's number from 0 to 999 for one kind of draw.
func (c *Company) draw(i, what int) int {
	n, _ := bits.Mul64(c.offsets[what]+uint64(i)*steps[what], 1000)
	return int(n)
}

func (c *Company) profile(i int) profile {
	if i < len(fixtures) {
		return fixtures[i].profile
	}
	t := profile{
		kind:     pick(kindShares, c.draw(i, drawKind)),
		activity: pick(activityShares, c.draw(i, drawActivity)),
		logon:    pick(logonShares, c.draw(i, drawLogon)),
		role:     pick(roleShares, c.draw(i, drawRole)),
	}
	if t.activity == New {
		t.logon = New
	} else if t.logon == New && t.activity != Active {
		t.logon = Active // the person's Entra account is old, and both accounts are created at about the same time
	}
	if c.spare(i) {
		t.activity, t.logon = New, New
	}
	c.placeLicenses(i, &t)
	return t
}

func (c *Company) placeLicenses(i int, t *profile) {
	h, x := c.draw(i, drawHold), c.draw(i, drawCitrix)
	switch t.kind {
	case ADOnly:
	case Guest:
		t.hold = pick(guestShares, h)
	case SharedMailbox:
		t.hold = pick(sharedShares, h)
	default:
		t.hold = pick(holdShares, h)
	}
	if t.hold == holdE3Synced && t.kind != Synced {
		t.hold = holdE3
	}
	if t.inAD() {
		t.nested = x < 650 && t.role == contractor
		t.citrix = x < 600 && (!t.nested || x < 50)
		t.anchored = x%20 == 7
	}
}

// The type "dice" generates reproducible random numbers (splitmix64, public domain, S. Vigna).
type dice struct{ state uint64 }

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (d *dice) below(n int) int { return int(d.next() % uint64(n)) }

// The streams of random numbers. The numbers for one purpose do not depend on the numbers for another.
const (
	streamHabits = iota
	streamNames
	streamDates
	streamUserID
	streamObjectGUID
	streamConsistency
	streamForeign
	streamReplaced // the first stream for replaced accounts; each replacement has two streams, one per directory

	streamControllers = 0xdc // far above the streams of replaced accounts
)

func (c *Company) dice(i, stream int) dice {
	d := dice{c.options.Seed ^ uint64(stream)<<56}
	return dice{d.next() ^ uint64(i)*0xd1342543de82ef95}
}
