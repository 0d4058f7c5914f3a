package collect

import (
	"context"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "mailboxes" stores the mailbox usage report if a rule needs it, or if the last run knew kinds of mailboxes.
// If the report cannot be read, the run goes on, and the plan refuses the changes of such rules.
//
// For an account that exists only in Entra ID, only this report shows whether the mailbox is a room or is shared. If
// the report failed, conceals names or lacks the column, the run keeps the kinds that the last run knew. Otherwise
// every room would count as a person. The same would happen if the run no longer read the report after the last rule
// that needs it is gone from the policy.
func (c *Collector) mailboxes(ctx context.Context, in Start) (*snapshot.Mailboxes, error) {
	if !slices.ContainsFunc(in.Policy.Rules, (*policy.Rule).GuardsMailbox) {
		if kinds, err := c.lastKinds(ctx, in.Run); err != nil || len(kinds) == 0 {
			return nil, err
		}
	}
	found := &snapshot.Mailboxes{Key: layout.Mailboxes(in.Run, layout.Attempt()), Kinds: map[string]string{}} // each attempt has its own key
	var reading error
	err := store.PutLines(ctx, c.Store, found.Key, func(emit func(any) error) error {
		reading = c.Entra.Mailboxes(ctx, func(m directory.Mailbox) error {
			if m.Kind != "" && strings.Contains(m.UserPrincipalName, "@") {
				found.Shown = true
				if !m.UserMailbox() {
					found.Kinds[strings.ToLower(m.UserPrincipalName)] = m.Kind
				}
			}
			return emit(&m)
		})
		return reading
	})
	switch {
	case reading != nil && ctx.Err() == nil:
		found = &snapshot.Mailboxes{Failed: reading.Error()}
	case err != nil:
		return nil, err
	}
	if !found.Shown {
		found.Kinds, err = c.lastKinds(ctx, in.Run)
	}
	return found, err
}

// lastKinds returns the kinds of mailboxes that are stored in the newest readable run for everybody. That run may
// itself have taken the kinds over from an earlier run. A run is skipped if its report did not show kinds and it took
// none over, as in earlier versions of idleseat.
func (c *Collector) lastKinds(ctx context.Context, run string) (map[string]string, error) {
	b, err := c.lastBegin(ctx, run, func(b *snapshot.Begin) bool {
		return b.Mailboxes != nil && (b.Mailboxes.Shown || len(b.Mailboxes.Kinds) > 0)
	})
	if b == nil {
		return nil, err
	}
	return b.Mailboxes.Kinds, nil
}
