package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "status" returns the error of the command, or nil for status 0. The error describes each condition that is
// true: something failed, a source could not be read, the plan is on hold or waits for approval, changes are pending.
// The first true condition, in this order, decides the exit status.
func (n *night) status(s store.Store, failed error) error {
	var all []error
	status := exitDone
	add := func(as int, err error) {
		if err != nil {
			all, status = append(all, err), cmp.Or(status, as)
		}
	}
	refused := errors.Is(failed, runs.ErrRefused)
	if !refused {
		add(exitFailed, failed)
	}
	if n.results != nil {
		add(exitFailed, failures(n.plan, n.results))
	}
	add(exitFailed, n.behind)
	add(exitFailed, resumeFailed(n.count(func(r resumed) int { return r.failed })))
	why, err := notRead(context.WithoutCancel(n.a.Context), s, n.plan.Run)
	if add(exitFailed, err); err == nil {
		add(exitUnread, why)
	}
	if refused {
		add(exitHeld, failed)
	}
	switch n.plan.Verdict {
	case plan.Hold:
		add(exitHeld, onHold(n.plan))
	case plan.Review:
		add(exitHeld, fmt.Errorf("run %s is waiting for approval: %s", n.plan.Run, n.next(n.a, "apply "+n.plan.Run)))
	}
	stuck := len(n.plan.Stuck())
	if open := n.pending() - stuck; open > 0 {
		add(exitPending, fmt.Errorf("%s pending; the next run goes on with %s", plain.ManyAre(open, "change"), map[bool]string{true: "it", false: "them"}[open == 1]))
	}
	if stuck > 0 {
		add(exitPending, fmt.Errorf("%s of earlier runs half-way, and no run finishes %s (the lines above have the commands that do)", plain.ManyAre(stuck, "change"), map[bool]string{true: "it", false: "them"}[stuck == 1]))
	}
	if status == exitDone {
		return nil
	}
	return endError{status, errors.Join(all...)}
}

func (n *night) again() string {
	command := "run"
	if v, _ := n.a.Variable("IDLESEAT_POLICY"); v != n.Policy {
		command += " --policy " + plain.Word(n.Policy)
	}
	return n.next(n.a, command)
}

func (n *night) count(of func(resumed) int) (sum int) {
	for _, r := range n.earlier {
		sum += of(r)
	}
	return sum
}

// The method "pending" returns the number of changes that are pending at the end of the night. The number includes the
// open changes of earlier runs that the night did not continue.
func (n *night) pending() int {
	open := n.count(func(r resumed) int { return r.pending + r.left })
	if n.results != nil {
		open += n.results.Count(runs.Pending)
	}
	for _, b := range n.plan.Pending {
		if _, went := n.earlier[b.Run]; !went {
			open++
		}
	}
	return open
}

// notRead returns an error "why" that names the sources that the run could not read. The error "err" means that the
// manifest could not be read.
func notRead(ctx context.Context, s store.Store, run string) (why, err error) {
	m, _, err := snapshot.GetManifest(ctx, s, run)
	if err != nil {
		return nil, err
	}
	var all []error
	for _, r := range m.Readings {
		if r.Failed != "" {
			all = append(all, fmt.Errorf("%s could not be read: %s", r.Source, r.Failed))
		}
	}
	for _, r := range m.Reports {
		if r.Failed != "" {
			all = append(all, fmt.Errorf("the usage report %s could not be read: %s", r.Name, r.Failed))
		}
	}
	return errors.Join(all...), nil
}
