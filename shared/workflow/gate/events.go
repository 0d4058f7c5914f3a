package gate

// Step Functions ends an execution whose history has more events (quotas of a standard workflow).
const mostEvents = 25_000

// These are the most events that parts of an execution can write, when every task is tried as often as it may be. A
// test computes them from the definition.
const (
	baseEvents  = 2_200 // everything but the rounds
	roundEvents = 40    // a round, without its batches
	entraEvents = 60    // a batch of Entra ID
	adEvents    = 340   // a batch of Active Directory
)

// afford leaves out batches for which the history of the execution may have no room. spent has the events of earlier
// rounds. When no open batch has room, no further round begins. A later run finishes what is pending.
func (o *StepOutput) afford(spent int) {
	o.Events = spent
	if !o.Go {
		return
	}
	open, left := o.Batches.any(), mostEvents-baseEvents-spent-roundEvents
	o.Batches.Entra, left = within(o.Batches.Entra, entraEvents, left)
	o.Batches.AD, left = within(o.Batches.AD, adEvents, left)
	if o.Go = left >= 0 && o.Batches.any() == open; o.Go {
		o.Events = mostEvents - baseEvents - left
	}
}

// within returns the first batches for whose events there is room, and the room that remains.
func within(batches []Batch, each, left int) ([]Batch, int) {
	n := min(len(batches), max(0, left)/each)
	return batches[:n], left - n*each
}
