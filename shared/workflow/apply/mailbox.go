package apply

import (
	"context"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// userMailbox reports whether a blocked account has a user mailbox, and not a shared one. It looks in the mailbox usage
// report of the run. It returns false if the run has no such report, or if the account is not blocked.
func (j *job) userMailbox(ctx context.Context, d *plan.Decision) (bool, error) {
	boxes := j.run.Begin.Mailboxes
	if !d.Blocked || boxes == nil || boxes.Key == "" {
		return false, nil
	}
	if j.userBoxes == nil {
		asked, users := map[string]bool{}, map[string]bool{}
		for i := range j.plan.Changes {
			asked[strings.ToLower(j.plan.Changes[i].UserPrincipalName)] = true
		}
		err := store.GetLines(ctx, j.Store, boxes.Key, func(m *directory.Mailbox) error {
			if name := strings.ToLower(m.UserPrincipalName); asked[name] && m.UserMailbox() {
				users[name] = true
			}
			return nil
		})
		if err != nil {
			return false, fmt.Errorf("read the mailbox usage report of run %s: %w", j.plan.Run, err)
		}
		j.userBoxes = users
	}
	return j.userBoxes[strings.ToLower(d.UserPrincipalName)], nil
}
