package gate

// mostEvents is the largest history of an execution. Step Functions ends an execution whose history has more events
// (quotas of a standard workflow).
const mostEvents = 25_000

// These constants are the most events that each part of an execution can write, if every task fails and is retried as
// often as the definition allows. A test computes them from the definition.
const (
	baseEvents  = 2_200 // everything but the rounds
	roundEvents = 40    // a round, without its batches
	entraEvents = 60    // a batch of Entra ID
	adEvents    = 340   // a batch of Active Directory
)

// afford leaves out batches for whose events the history of the execution may have no room. spent is the number of
// events of earlier rounds. If there is room for no open batch at all, no further round begins, and a later run
// finishes what is pending.
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

// within returns as many of the batches as fit, and the room that remains. Each batch writes up to each events, and
// left is the room, in events.
func within(batches []Batch, each, left int) ([]Batch, int) {
	n := min(len(batches), max(0, left)/each)
	return batches[:n], left - n*each
}
