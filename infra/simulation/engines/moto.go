package engines

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Moto is a running moto, which simulates an AWS account with S3, SQS, SNS and Step Functions.
type Moto struct {
	*S3
	engine *url.URL
	invoke Invoke
}

// Invoke calls a Lambda function by its ARN. If "failed" is true, the answer is an object with errorType and
// errorMessage.
type Invoke func(ctx context.Context, arn string, payload []byte) (answer []byte, failed bool)

// The variable "start" is the Python program that starts the engine.
//
//go:embed moto.py
var start string

// StartMoto runs moto with an empty account and the given buckets until the end of the test. By itself, moto would run
// Lambda functions in containers. Its calls therefore go through a proxy, which passes calls of Lambda to "invoke", and
// all other calls back to moto.
func StartMoto(t testing.TB, invoke Invoke, buckets ...string) *Moto {
	t.Helper()
	python, address := program(t, "IDLESEAT_TEST_MOTO"), freeAddress(t)
	m := &Moto{S3: newS3("http://" + address), engine: &url.URL{Scheme: "http", Host: address}, invoke: invoke}
	proxy := httptest.NewServer(m)
	t.Cleanup(proxy.Close)
	host, port, _ := strings.Cut(address, ":")
	cmd := exec.Command(python, "-c", start, "-H", host, "-p", port)
	cmd.Env = append(os.Environ(), "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	serve(t, cmd, address)
	m.configure(t)
	for _, b := range buckets {
		m.bucket(t, b)
	}
	return m
}

// The method "configure" makes moto run state machines. By default, moto only stores them.
func (m *Moto) configure(t testing.TB) {
	t.Helper()
	answer, err := http.Post(m.URL+"/moto-api/config", "application/json", strings.NewReader(`{"stepfunctions":{"execute_state_machine":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("moto took no configuration: %s", answer.Status)
	}
}

// ServeHTTP is the proxy for the calls that moto makes. Lambda's API reference (Invoke) has the path of an invocation.
func (m *Moto) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, lambda := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions/")
	arn, called := strings.CutSuffix(name, "/invocations")
	if !lambda || !called || r.Method != http.MethodPost {
		(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(m.engine) }}).ServeHTTP(w, r)
		return
	}
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, failed := m.invoke(r.Context(), arn, payload)
	if failed {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(out) // the engine may have ended
}

// Subscribe creates an SNS topic, subscribes a queue to it, and returns the ARN of the topic.
func (m *Moto) Subscribe(ctx context.Context, topic, queueARN string) (string, error) {
	text, err := m.sns(ctx, url.Values{"Action": {"CreateTopic"}, "Name": {topic}})
	if err != nil {
		return "", err
	}
	var made struct {
		CreateTopicResponse struct{ CreateTopicResult struct{ TopicArn string } }
	}
	if err := json.Unmarshal(text, &made); err != nil {
		return "", fmt.Errorf("make the topic %s: %w", topic, err)
	}
	arn := made.CreateTopicResponse.CreateTopicResult.TopicArn
	_, err = m.sns(ctx, url.Values{"Action": {"Subscribe"}, "TopicArn": {arn}, "Protocol": {"sqs"}, "Endpoint": {queueARN}})
	return arn, err
}

// The method "sns" calls SNS. It does so without the SDK of SNS, because this package makes only two kinds of calls.
func (m *Moto) sns(ctx context.Context, form url.Values) ([]byte, error) {
	form.Set("Version", "2010-03-31")
	form.Set("ContentType", "JSON")
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20260101/"+Region+"/sns/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("SNS %s: %w", form.Get("Action"), err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("SNS %s: %s: %s", form.Get("Action"), answer.Status, bytes.TrimSpace(text))
	}
	return text, err
}
