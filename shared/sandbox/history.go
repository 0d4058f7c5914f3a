package sandbox

import (
	"slices"
	"time"
)

// What says what happened in an event.
type What string

// The kinds of events: accepted writes, and the license changes that follow from them.
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

// Event is an accepted write, or the gain or loss of a license after a write.
type Event struct {
	At          time.Time
	What        What
	Person      int
	Group       string // original name of the group, for changes of members
	SKU         string // skuId, for changes of licenses
	LostMailbox bool   // whether the person lost the last product with a mailbox
	// ByHand reports whether an administrator or another tool caused the event through a method of Company, and not a
	// request. The gain or loss of a license has the ByHand of the write that caused it.
	ByHand bool
}

func (c *Company) note(e Event) {
	e.ByHand = c.hand
	c.history = append(c.history, e)
	if c.options.Witness != nil {
		c.options.Witness(e)
	}
}

// History returns all events since the start, in order.
func (c *Company) History() []Event {
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.history)
}
