package gate

// mostEvents is the largest number of events in the history of an execution. Step Functions ends an execution that
// writes more events (quotas of a standard workflow).
const mostEvents = 25_000

// Each constant is the largest number of events that a part of an execution can write, if every task fails and is
// retried as often as the definition allows. A round applies the batches, counts the results and waits. A test computes
// the numbers from the definition.
const (
	baseEvents  = 2_200 // everything but the rounds
	roundEvents = 40    // a round, without its batches
	entraEvents = 60    // a batch of Entra ID
	adEvents    = 340   // a batch of Active Directory
)

// The method "afford" removes the batches whose events may not fit into the history of the execution, and sets the
// field Events. The parameter "spent" is the number of events of earlier rounds. If no open batch fits, no further
// round begins.
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

// The function "within" returns the first batches that fit into the given number of events, and the number that
// remains. The parameter "each" is the largest number of events of one batch.
func within(batches []Batch, each, left int) ([]Batch, int) {
	n := min(len(batches), max(0, left)/each)
	return batches[:n], left - n*each
}
