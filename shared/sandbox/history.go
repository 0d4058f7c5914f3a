package sandbox

import (
	"slices"
	"time"
)

// What is the kind of an event.
type What string

// The kinds of events: accepted writes, and the changes of licenses that follow from them.
const (
	MemberAdded      What = "member added"
	MemberRemoved    What = "member removed"
	LicensesAssigned What = "assignLicense"
	Reprocessed      What = "reprocessLicenseAssignment"
	UserDeleted      What = "user deleted"
	LicenseGained    What = "license gained"
	LicenseLost      What = "license lost"
	UserMade         What = "user made"     // hired, or created again under the same name
	UserRestored     What = "user restored" // restored from the bin
)

// Event is an accepted write, or a license that was gained or lost because of one.
type Event struct {
	At          time.Time
	What        What
	Person      int
	Group       string // first name of the group, for members
	SKU         string // skuId, for a license gained or lost
	LostMailbox bool   // the person lost the last product with a mailbox
	// ByHand means that a method of Company caused the event, and not a request to the company. Such a method acts like
	// an administrator or another tool. ByHand is also true for the license that follows the event later.
	ByHand bool
}

// note stores an event, and passes it to the witness at once.
func (c *Company) note(e Event) {
	e.ByHand = c.hand
	c.history = append(c.history, e)
	if c.options.Witness != nil {
		c.options.Witness(e)
	}
}

// History returns everything that happened since the start, in order. It is empty while nobody has written.
func (c *Company) History() []Event {
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.history)
}
