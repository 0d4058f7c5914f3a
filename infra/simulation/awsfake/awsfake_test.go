package awsfake

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

func start(t *testing.T) (*Server, *sqs.Client, *sfn.Client) {
	t.Helper()
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := aws.Config{Region: "eu-north-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	return s, sqs.NewFromConfig(c), sfn.NewFromConfig(c)
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil && code != "" || err != nil && (code == "" || !strings.Contains(err.Error(), code)) {
		t.Errorf("error %v, not %q", err, code)
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	s, client, _ := start(t)
	url := s.NewQueue("q", time.Minute, 3)
	ctx := t.Context()
	receive := func(want string) (receipt *string) {
		t.Helper()
		got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 1, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"ApproximateReceiveCount"}})
		wantCode(t, err, "")
		count := ""
		for _, m := range got.Messages {
			count, receipt = m.Attributes["ApproximateReceiveCount"], m.ReceiptHandle
		}
		if diff := cmp.Diff(want, count); diff != "" {
			t.Fatalf("deliveries (-want +got):\n%s", diff)
		}
		return receipt
	}
	show := func(receipt *string, seconds int32) error {
		_, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: receipt, VisibilityTimeout: seconds})
		return err
	}
	_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello")})
	wantCode(t, err, "")

	first := receive("1")
	receive("")
	wantCode(t, show(first, 0), "")
	second := receive("2")
	wantCode(t, show(first, 0), "ReceiptHandleIsInvalid")
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: first})
	wantCode(t, err, "") // an earlier receipt does not delete the message
	s.Advance(time.Minute)
	wantCode(t, show(second, 60), "MessageNotInflight")
	third := receive("3")
	wantCode(t, show(third, 120), "")
	s.Advance(time.Minute)
	receive("") // the message is still hidden
	s.Advance(time.Minute)
	receive("") // the message has reached the maximum number of receives
	if diff := cmp.Diff([]string{"hello"}, s.DeadLetters(url)); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}

	s.Send(url, "again")
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: receive("1")})
	wantCode(t, err, "")
	if diff := cmp.Diff([]string{}, s.Bodies(url)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	other := url + "x"
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &other, ReceiptHandle: first})
	wantCode(t, err, "QueueDoesNotExist")
}

// TestLongPoll: a call that waits for a message receives a new message. It also receives a hidden message when the
// visibility timeout of the message ends.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	s, client, _ := start(t)
	url := s.NewQueue("q", time.Minute, 0)
	for _, then := range []func(){func() { s.Send(url, "hello") }, func() { s.Advance(time.Minute) }} {
		got := make(chan int, 1)
		go func() {
			out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 1, WaitTimeSeconds: 20})
			if err != nil {
				t.Error(err)
				got <- 0
				return
			}
			got <- len(out.Messages)
		}()
		then()
		if diff := cmp.Diff(1, <-got); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	s, _, client := start(t)
	ctx := t.Context()
	beat := func(k *Task) error {
		_, err := client.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: &k.Token})
		return err
	}
	success := func(k *Task, output string) error {
		_, err := client.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &k.Token, Output: &output})
		return err
	}
	ends := func(k *Task, want Result) {
		t.Helper()
		got, err := k.Wait(ctx)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("error %v, end (-want +got):\n%s", err, diff)
		}
		wantCode(t, beat(k), "TaskTimedOut")
	}
	done, failed, silent, slow := s.NewTask(time.Minute, time.Hour), s.NewTask(time.Minute, time.Hour), s.NewTask(time.Minute, time.Hour), s.NewTask(time.Minute, 90*time.Second)
	s.Advance(50 * time.Second)
	wantCode(t, beat(slow), "")
	wantCode(t, success(done, "{"), "InvalidOutput")
	wantCode(t, success(done, `"`+strings.Repeat("x", maxOutput)+`"`), "InvalidOutput")
	wantCode(t, success(done, "{}"), "")
	ends(done, Result{Output: "{}"})
	_, err := client.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{TaskToken: &failed.Token, Error: aws.String("e"), Cause: aws.String("c")})
	wantCode(t, err, "")
	ends(failed, Result{Error: "e", Cause: "c"})
	s.Advance(10 * time.Second)
	ends(silent, Result{Error: HeartbeatTimeout})
	s.Advance(30 * time.Second)
	ends(slow, Result{Error: Timeout})
	wantCode(t, success(&Task{Token: "made up"}, "{}"), "InvalidToken")
	if diff := cmp.Diff(6, s.Count("SendTaskHeartbeat")+s.Count("SendTaskFailure")); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestRefusesWhatIsNotSimulated(t *testing.T) {
	t.Parallel()
	s, client, _ := start(t)
	url := s.NewQueue("q", time.Minute, 0)
	_, err := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
	wantCode(t, err, "UnknownOperationException")
	_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), DelaySeconds: 5})
	wantCode(t, err, "SerializationException")
	s.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	})
	_, err = client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
	wantCode(t, err, "403")
}

// TestShuffle: a queue delivers its messages in the order that the function in Shuffle chooses. A received message
// stays hidden for a minute of the clock that StartAt got, and is then delivered again.
func TestShuffle(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	s, err := StartAt(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	url := s.NewQueue("q", time.Minute, 2)
	s.Shuffle(func(n int) int { return n - 1 })
	for _, body := range []string{"first", "second", "third"} {
		s.Send(url, body)
	}
	all := func() (bodies []string) {
		for s.Waiting(url) > 0 {
			got, _, _, err := s.take(url)
			if err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, got[0].Body)
		}
		return bodies
	}
	for range 2 {
		if diff := cmp.Diff([]string{"third", "second", "first"}, all()); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		now = now.Add(time.Minute)
	}
	if n := s.Waiting(url); n != 0 || len(s.DeadLetters(url)) != 3 {
		t.Errorf("%d messages wait after two receives, and %d are dead letters", n, len(s.DeadLetters(url)))
	}
}
