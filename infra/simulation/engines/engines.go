// Package engines starts AWS simulators of other projects on loopback, for tests: versitygw for S3, and moto for Step
// Functions, S3, SQS and SNS. Where this project misunderstands the AWS documentation, its own simulations repeat the
// mistake, and these engines reveal it. An environment variable has the path of each engine's program. If it is not
// set, the test is skipped.
package engines

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// Region and Account are the AWS region and the account of each engine.
const (
	Region  = "eu-north-1"
	Account = "123456789012"
)

// The constant "key" is both the access key and the secret key of each engine.
const key = "foreign"

const ready = time.Minute

// The function "env" returns environment variables, as NAME=value, with which the AWS SDK calls an engine for all
// services. S3 has its own variable, because a variable for S3 in the environment would take precedence over the
// general one.
func env(url string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_ENDPOINT_URL_S3=" + url, "AWS_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=" + key, "AWS_SECRET_ACCESS_KEY=" + key,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// The function "program" returns the path of an engine's program, which is the value of an environment variable. If the
// variable is not set, it skips the test.
func program(t testing.TB, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skipf("SKIPPED: %s names no program", variable)
	}
	return path
}

// freeAddress returns a loopback address with a free port.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// The function "serve" starts a server that runs until the end of the test. It returns when the server accepts
// connections, and fails the test after a minute.
func serve(t testing.TB, cmd *exec.Cmd, address string) {
	t.Helper()
	log := new(output)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the output of the process contains the reason why the process ended
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // an error means that the process has already ended
		<-ended
		if t.Failed() {
			t.Logf("%s:\n%s", cmd.Path, log.tail())
		}
	})
	for until := time.Now().Add(ready); time.Now().Before(until); {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended before it listened", cmd.Path)
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen on %s after %v", cmd.Path, address, ready)
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text.String()
	return text[max(0, len(text)-8000):]
}
