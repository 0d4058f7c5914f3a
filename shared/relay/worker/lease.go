package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/relay/protocol"
)

// The reasons for which a worker stops before its work is done.
var (
	errDead = errors.New("the task waits for no answer any more")
	errLost = errors.New("no heartbeat was taken for as long as the message stays hidden")
)

const maxBeat = 20 * time.Second

// The type "lease" is the right to work on a message and its task. Each heartbeat hides the message from other relays
// for another visibility timeout. Without a heartbeat, another relay may receive the message.
type lease struct {
	*worker
	log     *slog.Logger
	receipt string
	token   string

	ctx  context.Context // ends with the lease
	stop context.CancelCauseFunc
	seen moment // when the last accepted heartbeat began
}

// The method "hold" calls "do", and sends heartbeats until "do" returns. If the lease ends earlier, the error is
// errDead or errLost.
func (l *lease) hold(ctx context.Context, do func() (string, error)) (string, error) {
	l.ctx, l.stop = context.WithCancelCause(ctx)
	defer l.stop(nil)
	l.seen.set(l.clock.Now())
	// The message may have waited in the queue until its task ended. The first heartbeat shows whether the task still
	// runs.
	switch err := l.beat(l.ctx); {
	case errors.Is(err, errDead):
		return "", err
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", fmt.Errorf("%w: %w", errLost, err)
	}
	beating, release := context.WithCancel(l.ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.keep(beating)
	}()
	key, err := do()
	release()
	<-ended
	if why := l.leased(); errors.Is(why, errDead) || errors.Is(why, errLost) {
		return "", why
	}
	return key, err
}

func (l *lease) keep(ctx context.Context) {
	for l.clock.Sleep(ctx, min(l.visibility/3, maxBeat)) == nil {
		err := l.beat(ctx)
		if errors.Is(err, errDead) {
			l.stop(errDead)
		}
		if l.leased() == nil && ctx.Err() == nil && err != nil {
			l.log.Warn("a heartbeat was not taken", "error", err.Error())
		}
	}
}

func (l *lease) beat(ctx context.Context) error {
	begun := l.clock.Now()
	ctx, cancel := context.WithTimeout(ctx, l.visibility-l.seen.age(begun))
	defer cancel()
	_, err := l.tasks.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: &l.token})
	if isDead(err) {
		return errDead
	}
	if err == nil {
		err = l.show(ctx, l.visibility)
	}
	if err == nil {
		l.seen.set(begun)
	}
	return err
}

// The method "show" makes the message visible to other relays after the given time.
func (l *lease) show(ctx context.Context, after time.Duration) error {
	_, err := l.queues.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &l.url, ReceiptHandle: &l.receipt, VisibilityTimeout: int32(after / time.Second),
	})
	return err
}

// The method "leased" returns nil if the lease is still valid. Otherwise it returns the reason why the work must stop.
// Every write must call this method first, because the machine may have been suspended until after the end of the
// lease.
func (l *lease) leased() error {
	if l.ctx.Err() == nil && l.seen.age(l.clock.Now()) >= l.visibility {
		l.stop(errLost)
	}
	return context.Cause(l.ctx)
}

// isDead reports whether err is the answer of Step Functions to the token of an ended task.
func isDead(err error) bool {
	_, timedOut := errors.AsType[*sfntypes.TaskTimedOut](err)
	_, invalid := errors.AsType[*sfntypes.InvalidToken](err)
	_, gone := errors.AsType[*sfntypes.TaskDoesNotExist](err)
	return timedOut || invalid || gone
}

// The type "moment" is a point in time that several goroutines share.
type moment struct{ at atomic.Pointer[time.Time] }

func (m *moment) set(t time.Time) { m.at.Store(&t) }

// The method "age" returns the time since the moment, by the monotonic clock or by the wall clock, whichever is
// longer. Only the wall clock advances while the machine is suspended.
func (m *moment) age(now time.Time) time.Duration {
	at := *m.at.Load()
	return max(now.Sub(at), now.Round(0).Sub(at.Round(0)))
}

// namelessError is an error whose text has no names of people, for logs and for the history of executions.
type namelessError struct {
	error
	text string
}

func (e *namelessError) Error() string { return e.text }

func (e *namelessError) Unwrap() error { return e.error }

// The function "nameless" removes all names from an error, except SIDs and the DNs of the message's groups.
func nameless(err error, groups []protocol.Group) error {
	if err == nil {
		return nil
	}
	text := plain.Nameless(err.Error(), func(name string) bool {
		return strings.HasPrefix(name, "S-1-") || slices.ContainsFunc(groups, func(g protocol.Group) bool { return strings.EqualFold(g.DN, name) })
	})
	return &namelessError{err, text}
}
