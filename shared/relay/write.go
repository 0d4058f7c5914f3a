package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/task"
)

// writeMembers makes the changes of a list, one after the other. It does not repeat a change that was already made, so
// the whole list may be repeated.
func (r *Relay) writeMembers(l *lease, m *task.Message) (string, error) {
	text, err := r.input(l, m)
	if err != nil {
		return "", err
	}
	list, err := task.ParseChanges(text)
	if err != nil {
		return "", &badError{fmt.Errorf("input %s: %w", m.Input, err)}
	}
	out := task.Results{Run: m.Run, Batch: m.Batch, Results: []task.Result{}}
	outcomes := map[string]task.Outcome{} // by id
	count := map[task.Outcome]int{}
	for _, c := range list.Changes {
		result := task.Result{ID: c.ID, Outcome: task.Skipped, Note: "the change it follows was not done"}
		if c.After == "" || outcomes[c.After] == task.Done {
			result = r.change(l, &c, list.Groups)
		}
		// A change that was interrupted says nothing about the directory.
		if err := l.held(); err != nil {
			return "", err
		}
		result.GUID, result.At = c.GUID, time.Now().UTC()
		out.Results = append(out.Results, result)
		outcomes[c.ID] = result.Outcome
		count[result.Outcome]++
		l.log.Info("change", "id", c.ID, "outcome", string(result.Outcome), "before", result.Before, "after", result.After)
	}
	l.log.Info("changes were made", "done", count[task.Done], "of", len(list.Changes))
	return r.put(l, m, "results", &out)
}

// change makes one change. It finds the person, reads whether they are in the group, compares the account with the
// evidence, writes, and reads the group again. Only the last reading counts.
func (r *Relay) change(l *lease, c *task.Change, groups []task.Group) (result task.Result) {
	result.ID = c.ID
	end := func(o task.Outcome, note string) task.Result {
		result.Outcome, result.Note = o, note
		return result
	}
	person, err := r.ad.FindPerson(l.ctx, c.SID)
	switch {
	case errors.Is(err, directory.ErrNoPerson):
		return end(task.Missing, err.Error())
	case err != nil:
		return end(task.Failed, err.Error())
	case person.SID != c.SID || person.GUID != c.GUID:
		return end(task.Missing, "the account that has this SID now is another object")
	}
	wanted := c.Action == task.Add
	if result.Before, err = r.ad.MemberOf(l.ctx, c.SID, c.Group, true); errors.Is(err, directory.ErrNoGroup) {
		return end(task.Refused, err.Error())
	} else if err != nil {
		return end(task.Failed, err.Error())
	}
	if result.After = result.Before; result.Before == wanted {
		return end(task.Done, "")
	}
	if why := r.outdated(l.ctx, c, groups); why != "" {
		return end(task.Outdated, why)
	}
	if err := l.held(); err != nil {
		return end(task.Failed, err.Error())
	}
	written := r.write(l.ctx, c, person.GUID, l.held)
	if result.After, err = r.ad.MemberOf(l.ctx, c.SID, c.Group, true); err != nil {
		return end(task.Failed, errors.Join(written, fmt.Errorf("the group could not be read again: %w", err)).Error())
	}
	refusal, refused := errors.AsType[*directory.Refusal](written)
	switch {
	case result.After == wanted:
		return end(task.Done, "")
	case refused:
		return end(task.Refused, refusal.Reason)
	case written != nil:
		return end(task.Failed, written.Error())
	default:
		return end(task.Failed, "the directory accepted the change but does not show it")
	}
}

// outdated returns why the evidence no longer supports a removal. It is empty when it does.
func (r *Relay) outdated(ctx context.Context, c *task.Change, groups []task.Group) string {
	if c.Action != task.Remove || c.Seen == nil {
		return ""
	}
	a := r.account(ctx, c.SID, groups, new(sync.Map))
	if a.Failed != "" {
		return "the account could not be read again: " + a.Failed
	}
	return c.Seen.Outdated(a.Seen)
}

// write makes a change. It sends a removal only when held returns nil, which means that the task is still ours.
func (r *Relay) write(ctx context.Context, c *task.Change, personGUID string, held func() error) error {
	if c.Action == task.Add {
		return r.ad.AddMember(ctx, c.Group, personGUID)
	}
	return r.ad.RemoveMember(directory.WithPermit(ctx, held), c.Group, personGUID)
}
