package plan

import (
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// perBatch is the maximum number of changes that one call of the Lambda function applies. Even when Graph is slow,
// such a call ends well within the 15 minutes that a function may run.
const perBatch = 100

// Batch is a part of a plan that one call of the Lambda function applies. A batch of changes is for one directory, so a
// directory that is down delays only its own batches.
type Batch struct {
	Name    string // such as entra-0001, ad-0001 or notice-0001
	Changes []Change
}

// Batches divides the changes of a plan into batches: first the changes in Entra ID, then those in Active Directory,
// then the notices, each in the order of the plan. The result is deterministic.
func (p *Plan) Batches() []Batch {
	var written [directory.Sources][]Batch
	for _, c := range p.Changes {
		in := c.Via.WrittenIn()
		written[in] = fill(written[in], in.String(), c)
	}
	var notices []Batch
	for _, c := range p.Notices {
		notices = fill(notices, "notice", c)
	}
	return append(slices.Concat(written[:]...), notices...)
}

func fill(batches []Batch, where string, c Change) []Batch {
	if n := len(batches); n == 0 || len(batches[n-1].Changes) == perBatch {
		batches = append(batches, Batch{Name: fmt.Sprintf("%s-%04d", where, n+1)})
	}
	last := &batches[len(batches)-1]
	last.Changes = append(last.Changes, c)
	return batches
}
