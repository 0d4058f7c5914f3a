package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/relay/protocol"
)

// writeMembers makes the changes in a list one after the other. If the message is delivered again, it does not repeat
// a removal that a read shows as made.
func (r *Relay) writeMembers(l *lease, m *protocol.Message) (string, error) {
	text, err := r.input(l, m)
	if err != nil {
		return "", err
	}
	list, err := protocol.ParseChanges(text)
	if err != nil {
		return "", &badError{fmt.Errorf("input %s: %w", m.Input, err)}
	}
	out := protocol.Results{Run: m.Run, Batch: m.Batch, Results: []protocol.Result{}}
	outcomes := map[string]protocol.Outcome{} // by id of the change
	count := map[protocol.Outcome]int{}
	for _, c := range list.Changes {
		result := protocol.Result{ID: c.ID, Outcome: protocol.Skipped, Note: "the change it follows was not done"}
		if c.After == "" || outcomes[c.After] == protocol.Done {
			result = r.change(l, &c, list.Groups)
		}
		// After the end of the lease, another relay may receive the message, so this relay does not report the result.
		if err := l.leased(); err != nil {
			return "", err
		}
		result.GUID, result.At = c.GUID, r.clock.Now().UTC()
		out.Results = append(out.Results, result)
		outcomes[c.ID] = result.Outcome
		count[result.Outcome]++
		l.log.Info("change", "id", c.ID, "outcome", string(result.Outcome), "before", result.Before, "after", result.After)
	}
	l.log.Info("changes were made", "done", count[protocol.Done], "of", len(list.Changes))
	return r.put(l, layout.Written(m.Run, m.Batch, unique(m)), &out)
}

// The method "change" makes one change. Whether the change is done depends only on the last read of the group. If that
// read shows no change, the result has the directory's answer to the write. A removal with the field Seen is first
// compared with the evidence. An addition is written even if a read shows the person in the group, because the read may
// come from a controller that does not know an earlier removal yet.
func (r *Relay) change(l *lease, c *protocol.Change, groups []protocol.Group) (result protocol.Result) {
	result.ID = c.ID
	end := func(o protocol.Outcome, note string) protocol.Result {
		result.Outcome, result.Note = o, note
		return result
	}
	person, err := r.ad.FindPerson(l.ctx, c.SID)
	if errors.Is(err, directory.ErrLeftOut) { // a change can be undone even if the account has moved
		err = nil
	}
	switch {
	case err != nil: // also ErrNoPerson: this read asks one controller, and another may have the account
		return end(protocol.Failed, err.Error())
	case person.SID != c.SID || person.GUID != c.GUID:
		return end(protocol.Missing, "the account that has this SID now is another object")
	}
	wanted := c.Action == protocol.Add
	if result.Before, err = r.ad.MemberOf(l.ctx, c.SID, c.Group, true); errors.Is(err, directory.ErrNoGroup) {
		return end(protocol.Refused, err.Error())
	} else if err != nil {
		return end(protocol.Failed, err.Error())
	}
	if result.After = result.Before; !wanted && !result.Before {
		return end(protocol.Done, "")
	}
	if why := r.outdated(l.ctx, c, groups); why != "" {
		return end(protocol.Outdated, why)
	}
	if err := l.leased(); err != nil {
		return end(protocol.Failed, err.Error())
	}
	written := r.write(l.ctx, c, person.GUID, l.leased)
	if result.After, err = r.ad.MemberOf(l.ctx, c.SID, c.Group, true); err != nil {
		return end(protocol.Failed, errors.Join(written, fmt.Errorf("the group could not be read again: %w", err)).Error())
	}
	refusal, refused := errors.AsType[*directory.Refusal](written)
	switch {
	case result.After == wanted:
		return end(protocol.Done, "")
	case refused:
		return end(protocol.Refused, refusal.Reason)
	case errors.Is(written, directory.ErrNoGroup):
		return end(protocol.Refused, written.Error())
	case written != nil:
		return end(protocol.Failed, written.Error())
	default:
		return end(protocol.Failed, "the directory accepted the change but does not show it")
	}
}

// The method "outdated" returns how the account differs from the evidence on which a removal was decided, or "".
func (r *Relay) outdated(ctx context.Context, c *protocol.Change, groups []protocol.Group) string {
	if c.Action != protocol.Remove || c.Seen == nil {
		return ""
	}
	groups = slices.DeleteFunc(slices.Clone(groups), func(g protocol.Group) bool { return g.Direct }) // See ignores them
	a := r.account(ctx, c.SID, groups, new(sync.Map))
	if a.Failed != "" {
		return "the account could not be read again: " + a.Failed
	}
	return c.Seen.Outdated(a.Seen)
}

// The method "write" sends a change to the directory. The function "held" returns nil if the relay still has the lease.
// A removal calls this function immediately before the request, because the reads before the request may take long.
func (r *Relay) write(ctx context.Context, c *protocol.Change, personGUID string, held func() error) error {
	if c.Action == protocol.Add {
		return r.ad.AddMember(ctx, c.Group, personGUID)
	}
	return r.ad.RemoveMember(directory.WithPermit(ctx, held), c.Group, personGUID)
}
