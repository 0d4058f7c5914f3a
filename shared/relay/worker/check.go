package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

const checkTime = time.Minute

// Check tries everything that a relay must be able to do, and writes one line for each check to "to". It changes
// nothing except a probe in the store. The argument "groups" has the DNs of the groups whose members the relay must be
// allowed to change. The result reports whether all checks passed.
func (r *Relay) Check(ctx context.Context, to io.Writer, groups []string) bool {
	good := true
	try := func(what string, check func(context.Context) (string, error)) {
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		defer cancel()
		said, err := check(ctx)
		mark := "ok  "
		if err != nil {
			good, mark, said = false, "FAIL", strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		fmt.Fprintf(to, "%s  %s: %s\n", mark, what, said)
	}
	try("Active Directory", r.checkAD)
	for _, dn := range groups {
		try(fmt.Sprintf("group %q", dn), func(ctx context.Context) (string, error) { return r.checkGroup(ctx, dn) })
	}
	try("store", r.checkStore)
	try("task answers", r.checkTasks)
	for _, w := range r.workers() {
		try("queue "+w.name, w.check)
	}
	return good
}

// checkAD reads Active Directory as the relay does: first one person in a list of people, and then this person from
// every controller.
func (r *Relay) checkAD(ctx context.Context) (string, error) {
	var first directory.ADUser
	if err := evidence.SampleAD(ctx, r.ad, 1, func(u *directory.ADUser) { first = *u }); err != nil {
		return "", err
	}
	if first.SID == "" {
		return "", errors.New("bound, but saw nobody: check IDLESEAT_AD_BASE and what the account may read")
	}
	if _, err := r.ad.ReadPerson(ctx, first.SID); err != nil {
		return "", err
	}
	return "bound; read a person, and the last logon from every controller", nil
}

func (r *Relay) checkGroup(ctx context.Context, dn string) (string, error) {
	may, err := r.ad.CanWrite(ctx, dn)
	if err == nil && !may {
		err = errors.New("the account may not change its members: give it the right to write member")
	}
	return "the account may change its members", err
}

func (r *Relay) checkStore(ctx context.Context) (string, error) {
	// The probe is in the folder of a run that cannot exist.
	probe, wrote := layout.Probe(), rand.Text()
	if err := store.PutJSON(ctx, r.store, probe, wrote); err != nil {
		return "", err
	}
	var read string
	if err := store.GetJSON(ctx, r.store, probe, &read); err != nil {
		return "", err
	}
	if read != wrote {
		return "", fmt.Errorf("object %s was written, but another was read; is somebody else checking now?", probe)
	}
	// Without the right s3:ListBucket, S3 answers a request for a missing object with status 403, so this request
	// tests the right.
	if _, err := r.exists(ctx, probe+"-"+rand.Text()); err != nil {
		return "", fmt.Errorf("ask for an object that is not there (does this need s3:ListBucket?): %w", err)
	}
	return "wrote and read back " + probe, nil
}

// checkTasks sends a heartbeat and two answers with a token of no task. If Step Functions replies that there is no
// such task, the relay has the right to answer tasks.
func (r *Relay) checkTasks(ctx context.Context) (string, error) {
	token := aws.String("relay-check-" + rand.Text())
	_, errBeat := r.tasks.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: token})
	_, errSuccess := r.tasks.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: token, Output: aws.String("{}")})
	_, errFailure := r.tasks.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{TaskToken: token})
	var faults []error
	for _, err := range []error{errBeat, errSuccess, errFailure} {
		if !isDead(err) {
			faults = append(faults, err)
		}
	}
	return "may send heartbeats and answers", errors.Join(faults...)
}

// The method "check" tries to hide and to delete a message that does not exist. It receives only from an empty queue,
// because a message that is received and not handled counts as a failed delivery.
func (w *worker) check(ctx context.Context) (string, error) {
	a, err := w.attributes(ctx)
	if err != nil {
		return "", err
	}
	if !a.deadLetter {
		return "", errors.New("it has no dead-letter queue: a message that cannot be worked on would come back for ever")
	}
	none := &lease{worker: w, receipt: "relay-check"}
	errShow := none.show(ctx, 0)
	_, errDelete := w.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &w.url, ReceiptHandle: &none.receipt})
	received := "receiving was not tried, since messages are waiting"
	if a.waiting == 0 {
		received = "may receive"
		err = w.receiveNone(ctx)
	}
	return fmt.Sprintf("visibility timeout %s, %d waiting; %s, hide and delete messages", a.visibility, a.waiting, received),
		errors.Join(ignoreBadReceipt(errShow), ignoreBadReceipt(errDelete), err)
}

// receiveNone tries to receive from an empty queue. If a message has arrived in the meantime, it makes the message
// visible again.
func (w *worker) receiveNone(ctx context.Context) error {
	got, err := w.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &w.url, MaxNumberOfMessages: 1})
	if err != nil {
		return fmt.Errorf("receive from queue %s: %w", w.name, err)
	}
	for _, m := range got.Messages {
		l := &lease{worker: w, receipt: aws.ToString(m.ReceiptHandle)}
		err = errors.Join(err, l.show(ctx, 0))
	}
	return err
}

// ignoreBadReceipt returns nil if err says that the receipt handle is invalid, because such an error shows that the
// relay may make the call.
func ignoreBadReceipt(err error) error {
	if e, ok := errors.AsType[smithy.APIError](err); ok && (e.ErrorCode() == "ReceiptHandleIsInvalid" || e.ErrorCode() == "InvalidParameterValue") {
		return nil
	}
	return err
}
