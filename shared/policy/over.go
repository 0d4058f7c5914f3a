package policy

import (
	"fmt"
	"time"
)

// Over returns a sentence for each leave that has ended by now. A leave that has ended exempts nobody, and the author
// of the policy may have overlooked its end.
func (p *Policy) Over(now time.Time) (notes []string) {
	for _, l := range p.Exempt.Leave {
		if !now.Before(l.Until) {
			notes = append(notes, fmt.Sprintf("exempt.leave: the leave of %s until %s is over and exempts nobody; take it out, or give it another date", l.User, l.written))
		}
	}
	return notes
}
