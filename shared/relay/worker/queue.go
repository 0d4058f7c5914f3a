package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/idleseat/idleseat/shared/relay/protocol"
)

const (
	longPoll   = 20 * time.Second // the longest wait that SQS offers
	callTime   = 10 * time.Second // the timeout of a call to AWS, including retries
	firstPause = time.Second      // the first pause after a failure to read the queue; each further failure doubles the pause
	lastPause  = 30 * time.Second
	maxCause   = 4096 // characters of an error cause; Step Functions accepts 32,768
)

// The type "work" is a function that does the work of a message and returns the key of the object with the answer. It
// must call l.leased before every write.
type work func(l *lease, m *protocol.Message) (key string, err error)

// The type "worker" handles the messages of a queue, one at a time.
type worker struct {
	*Relay
	name       string
	url        string
	kinds      map[protocol.Kind]work
	log        *slog.Logger
	visibility time.Duration // the visibility timeout of the queue; 0 until the relay has read the timeout
}

// The method "run" works until the context ends. If the queue cannot be reached, it retries without limit, so that a
// relay survives every outage.
func (w *worker) run(ctx context.Context) {
	pause := firstPause
	for {
		err := w.next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			pause = firstPause
			continue
		}
		w.log.Error("the queue cannot be read; trying again", "pause", pause.String(), "error", err.Error())
		if w.clock.Sleep(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, lastPause)
	}
}

func (w *worker) next(ctx context.Context) error {
	if w.visibility == 0 {
		attributes, err := w.attributes(ctx)
		if err != nil {
			return err
		}
		w.visibility = attributes.visibility
		w.log.Info("waiting for messages", "visibilityTimeout", w.visibility.String())
	}
	polling, cancel := context.WithTimeout(ctx, longPoll+callTime)
	defer cancel()
	got, err := w.queues.ReceiveMessage(polling, &sqs.ReceiveMessageInput{
		QueueUrl: &w.url, MaxNumberOfMessages: 1, WaitTimeSeconds: int32(longPoll / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil {
		return fmt.Errorf("receive from queue %s: %w", w.name, err)
	}
	for _, m := range got.Messages {
		w.handle(ctx, &m)
	}
	return nil
}

type attributes struct {
	visibility time.Duration
	waiting    int  // approximate number of waiting messages
	deadLetter bool // whether the queue has a dead-letter queue
}

func (w *worker) attributes(ctx context.Context) (a attributes, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	got, err := w.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &w.url, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameVisibilityTimeout, types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameRedrivePolicy,
	}})
	if err != nil {
		return a, fmt.Errorf("read the attributes of queue %s: %w", w.name, err)
	}
	seconds, err := strconv.Atoi(got.Attributes[string(types.QueueAttributeNameVisibilityTimeout)])
	if err != nil || seconds < 1 {
		return a, fmt.Errorf("the visibility timeout of queue %s is %q; set it to 60 seconds", w.name, got.Attributes["VisibilityTimeout"])
	}
	a.visibility = time.Duration(seconds) * time.Second
	a.waiting, _ = strconv.Atoi(got.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)]) // only for display, so an unreadable number may count as 0
	a.deadLetter = got.Attributes[string(types.QueueAttributeNameRedrivePolicy)] != ""
	return a, nil
}

func (w *worker) handle(ctx context.Context, got *types.Message) {
	m, err := protocol.Parse(aws.ToString(got.Body))
	do := w.kinds[m.Kind]
	if err == nil && do == nil {
		err = fmt.Errorf("a message of kind %s does not belong to queue %s", m.Kind, w.name)
	}
	log := w.log.With("message", aws.ToString(got.MessageId), "deliveries", got.Attributes["ApproximateReceiveCount"],
		"run", m.Run, "kind", string(m.Kind), "batch", m.Batch, "attempt", m.Attempt)
	if err != nil && m.Token == "" {
		log.Error("a message that cannot be answered is left for the dead-letter queue", "error", err.Error())
		return
	}
	l := &lease{worker: w, log: log, receipt: aws.ToString(got.ReceiptHandle), token: m.Token}
	if err != nil {
		l.answer(ctx, "", &badError{err})
		return
	}
	started := w.clock.Now()
	key, err := l.hold(ctx, func() (string, error) { return do(l, m) })
	err = nameless(err, m.Groups)
	l.log = log.With("seconds", w.clock.Now().Sub(started).Seconds())
	switch {
	case errors.Is(err, errDead):
		l.log.Warn("the task waits for no answer any more; the work was stopped")
		l.delete(ctx)
	case errors.Is(err, errLost):
		l.log.Warn("the work was stopped; the message comes back by itself", "error", err.Error())
	case err != nil && ctx.Err() != nil:
		l.handBack(ctx)
	default:
		l.answer(ctx, key, err)
	}
}

// badError is a fault in the message or in its input object. Another try would fail, too.
type badError struct{ error }

func (e *badError) Unwrap() error { return e.error }

// The method "answer" ends the task with "key", or with "failure" if it is not nil. It deletes the message if Step
// Functions accepts the answer, or if the task has already ended.
func (l *lease) answer(ctx context.Context, key string, failure error) {
	calling, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	err := l.send(calling, key, failure)
	switch {
	case isDead(err):
		l.log.Warn("the task waits for no answer any more; the answer is dropped", "key", key)
	case err != nil:
		l.log.Error("the answer was not taken; the message comes back", "error", err.Error())
		return
	case failure != nil:
		l.log.Error("the task failed", "error", failure.Error())
	default:
		l.log.Info("the task is done", "key", key)
	}
	l.delete(ctx)
}

func (l *lease) send(ctx context.Context, key string, failure error) error {
	if failure != nil {
		name := protocol.ErrorFailed
		if _, bad := errors.AsType[*badError](failure); bad {
			name = protocol.ErrorBad
		}
		_, err := l.tasks.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{TaskToken: &l.token, Error: &name, Cause: aws.String(fmt.Sprintf("%.*s", maxCause, failure))})
		return err
	}
	output, err := json.Marshal(protocol.Answer{Key: key})
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	_, err = l.tasks.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &l.token, Output: aws.String(string(output))})
	return err
}

func (l *lease) delete(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	if _, err := l.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &l.url, ReceiptHandle: &l.receipt}); err != nil {
		l.log.Warn("the message could not be deleted; it comes back and is then deleted", "error", err.Error())
	}
}

func (l *lease) handBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	if err := l.show(ctx, 0); err != nil {
		l.log.Warn("the message could not be handed back; it comes back by itself", "error", err.Error())
		return
	}
	l.log.Info("stopped in the middle; the message is handed back")
}
