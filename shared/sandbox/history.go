package sandbox

import (
	"slices"
	"time"
)

// What tells what happened in an event.
type What string

// What can happen: accepted writes, and what follows for licenses.
const (
	MemberAdded      What = "member added"
	MemberRemoved    What = "member removed"
	LicensesAssigned What = "assignLicense"
	Reprocessed      What = "reprocessLicenseAssignment"
	UserDeleted      What = "user deleted"
	LicenseGained    What = "license gained"
	LicenseLost      What = "license lost"
	UserMade         What = "user made"     // hired, or made again under the same name
	UserRestored     What = "user restored" // from the bin
)

// Event is an accepted write, or a license that was gained or lost for it.
type Event struct {
	At          time.Time
	What        What
	Person      int
	Group       string // name of the group, for members
	SKU         string // skuId, for a license gained or lost
	LostMailbox bool   // the person now holds no product with a mailbox, and held one before
	// ByHand tells that a method of Company caused the event, as an administrator or
	// somebody's tool does, and no request to the company. It holds also for a license
	// that follows later.
	ByHand bool
}

// note keeps an event, and tells the witness of it at once.
func (c *Company) note(e Event) {
	e.ByHand = c.hand
	c.history = append(c.history, e)
	if c.options.Witness != nil {
		c.options.Witness(e)
	}
}

// History is everything that happened since the start, in order. It is empty
// as long as nobody wrote.
func (c *Company) History() []Event {
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.history)
}
