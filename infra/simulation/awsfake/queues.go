package awsfake

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

type queue struct {
	name       string
	visibility time.Duration
	receives   int    // number of receives after which a message moves to the dead-letter queue
	dead       *queue // dead-letter queue; nil: none
	messages   []*message
}

type message struct {
	id, body  string
	receipt   string // the latest receipt; earlier receipts are invalid
	received  int
	visibleAt time.Time
}

// NewQueue creates a queue and returns its URL. A received message is hidden for the time "visibility". If "receives"
// is positive, a message moves to a dead-letter queue after this number of receives.
func (s *Server) NewQueue(name string, visibility time.Duration, receives int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &queue{name: name, visibility: visibility, receives: receives}
	if receives > 0 {
		q.dead = &queue{name: name + "-dead", visibility: visibility}
		s.queues[s.queueURL(q.dead.name)] = q.dead
	}
	s.queues[s.queueURL(name)] = q
	return s.queueURL(name)
}

func (s *Server) queueURL(name string) string { return s.URL + "/123456789012/" + name }

// Send puts a message into a queue.
func (s *Server) Send(queueURL, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(s.queues[queueURL], body)
}

func (s *Server) send(q *queue, body string) *message {
	m := &message{id: rand.Text(), body: body, visibleAt: s.now()}
	q.messages = append(q.messages, m)
	s.wake()
	return m
}

// Shuffle sets the order in which queues deliver messages. If n messages are visible, a queue delivers number pick(n),
// counted from 0 in the order in which they were sent. In AWS, a standard queue keeps no order (Amazon SQS Developer
// Guide, "Amazon SQS standard queues": best-effort ordering).
func (s *Server) Shuffle(pick func(n int) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pick = pick
}

// Waiting returns the number of messages that a queue could deliver now.
func (s *Server) Waiting(queueURL string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[queueURL]
	s.bury(q)
	visible, _ := q.visible(s.now())
	return len(visible)
}

// Bodies returns the bodies of the messages in a queue. Hidden messages are included, deleted messages are not.
func (s *Server) Bodies(queueURL string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	bodies := []string{}
	for _, m := range s.queues[queueURL].messages {
		bodies = append(bodies, m.body)
	}
	return bodies
}

// DeadLetters returns the bodies of the messages that have moved to the dead-letter queue of a queue.
func (s *Server) DeadLetters(queueURL string) []string { return s.Bodies(queueURL + "-dead") }

func (s *Server) queue(url string) (*queue, error) {
	if q := s.queues[url]; q != nil {
		return q, nil
	}
	return nil, &apiError{"com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist."}
}

type receiveInput struct {
	QueueUrl                    string
	MaxNumberOfMessages         int
	WaitTimeSeconds             int
	MessageSystemAttributeNames []string
}

type receivedMessage struct {
	MessageId, ReceiptHandle, Body, MD5OfBody string
	Attributes                                map[string]string
}

func (s *Server) receiveMessage(r *http.Request, in *receiveInput) (any, error) {
	if in.MaxNumberOfMessages != 1 || in.WaitTimeSeconds > 20 {
		return nil, &apiError{"InvalidParameterValue", "messages are simulated one at a time, for at most 20 seconds"}
	}
	for wait := time.After(time.Duration(in.WaitTimeSeconds) * time.Second); ; {
		got, next, changed, err := s.take(in.QueueUrl)
		if err != nil || got != nil {
			return map[string]any{"Messages": got}, err
		}
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-wait:
			return map[string]any{}, nil
		case <-next:
		case <-changed:
		}
	}
}

// The method "take" receives one message. If no message is visible, it returns two channels. The caller must try again
// when something arrives on one of them.
func (s *Server) take(queueURL string) (got []receivedMessage, next <-chan time.Time, changed chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(queueURL)
	if err != nil {
		return nil, nil, nil, err
	}
	now := s.now()
	s.bury(q)
	visible, soonest := q.visible(now)
	if len(visible) == 0 {
		return nil, time.After(soonest), s.changed, nil
	}
	m := visible[s.pick(len(visible))]
	m.received++
	m.receipt, m.visibleAt = rand.Text(), now.Add(q.visibility)
	s.wake()
	return []receivedMessage{{m.id, m.receipt, m.body, sum(m.body), map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.received)}}}, nil, nil, nil
}

// The method "bury" moves messages to the dead-letter queue: those that are visible and were received too often.
func (s *Server) bury(q *queue) {
	visible, _ := q.visible(s.now())
	for _, m := range visible {
		if q.dead != nil && m.received >= q.receives {
			q.remove(m)
			q.dead.messages = append(q.dead.messages, m)
			s.wake()
		}
	}
}

// The method "visible" returns the messages that can be received now, in the order in which they were sent. The result
// "soonest" is the time until the next hidden message becomes visible, but at most an hour.
func (q *queue) visible(now time.Time) (list []*message, soonest time.Duration) {
	soonest = time.Hour
	for _, m := range q.messages {
		if until := m.visibleAt.Sub(now); until > 0 {
			soonest = min(soonest, until)
		} else {
			list = append(list, m)
		}
	}
	return list, soonest
}

func (q *queue) remove(m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(other *message) bool { return other == m })
}

// The method "leased" returns the message whose latest receipt is the given one, or nil.
func (q *queue) leased(receipt string) *message {
	i := slices.IndexFunc(q.messages, func(m *message) bool { return m.receipt != "" && m.receipt == receipt })
	if i < 0 {
		return nil
	}
	return q.messages[i]
}

// The function "sum" returns the MD5 hash of a body, which SQS clients check.
func sum(body string) string {
	hash := md5.Sum([]byte(body))
	return hex.EncodeToString(hash[:])
}

type receiptInput struct{ QueueUrl, ReceiptHandle string }

// deleteMessage deletes a message. If the message has a later receipt, it does nothing, and this is no error.
func (s *Server) deleteMessage(_ *http.Request, in *receiptInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	q.remove(q.leased(in.ReceiptHandle))
	s.wake()
	return struct{}{}, nil
}

type visibilityInput struct {
	QueueUrl, ReceiptHandle string
	VisibilityTimeout       int
}

func (s *Server) changeMessageVisibility(_ *http.Request, in *visibilityInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	m := q.leased(in.ReceiptHandle)
	switch {
	case m == nil:
		return nil, &apiError{"com.amazonaws.sqs#ReceiptHandleIsInvalid", "The input receipt handle is invalid."}
	case in.VisibilityTimeout < 0 || in.VisibilityTimeout > 43_200:
		return nil, &apiError{"InvalidParameterValue", "the visibility timeout must be from 0 to 43200 seconds"}
	case !m.visibleAt.After(s.now()):
		return nil, &apiError{"com.amazonaws.sqs#MessageNotInflight", "The message is not in flight."}
	}
	m.visibleAt = s.now().Add(time.Duration(in.VisibilityTimeout) * time.Second)
	s.wake()
	return struct{}{}, nil
}

type attributesInput struct {
	QueueUrl       string
	AttributeNames []string
}

func (s *Server) getQueueAttributes(_ *http.Request, in *attributesInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	waiting, _ := q.visible(s.now())
	all := map[string]string{
		"VisibilityTimeout":           strconv.Itoa(int(q.visibility / time.Second)),
		"ApproximateNumberOfMessages": strconv.Itoa(len(waiting)),
	}
	if q.dead != nil {
		redrive, err := json.Marshal(map[string]any{"deadLetterTargetArn": "arn:aws:sqs:eu-north-1:123456789012:" + q.dead.name, "maxReceiveCount": q.receives})
		if err != nil {
			return nil, err
		}
		all["RedrivePolicy"] = string(redrive)
	}
	asked := map[string]string{}
	for _, name := range in.AttributeNames {
		if value, ok := all[name]; ok {
			asked[name] = value
		}
	}
	return map[string]any{"Attributes": asked}, nil
}

type sendInput struct{ QueueUrl, MessageBody string }

func (s *Server) sendMessage(_ *http.Request, in *sendInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return map[string]string{"MessageId": s.send(q, in.MessageBody).id, "MD5OfMessageBody": sum(in.MessageBody)}, nil
}
