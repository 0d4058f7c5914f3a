package lambdas

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// TestMain runs the tests or, if the Runtime API is set, serves as a Lambda function. The tests start their own binary
// as the program of this function. The input of an invocation selects what the function does.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	if os.Getenv("BROKEN") != "" {
		os.Exit(3)
	}
	served := 0
	lambda.Start(func(ctx context.Context, in string) (any, error) {
		served++
		switch in {
		case "count":
			return served, nil
		case "deadline":
			deadline, _ := ctx.Deadline()
			return time.Until(deadline) > time.Second, nil
		case "name":
			return os.Getenv("AWS_LAMBDA_FUNCTION_NAME") + " " + os.Getenv("GIVEN") + os.Getenv("HOME"), nil
		case "fail":
			return nil, errors.New("as asked")
		case "panic":
			panic("as asked")
		case "exit":
			os.Exit(1)
		case "stall":
			select {}
		case "large":
			return strings.Repeat("x", maxPayload), nil
		}
		return in, nil
	})
}

func function(t *testing.T, env ...string) *Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := &Function{Name: "f", Binary: self, Env: env, Timeout: 20 * time.Second, Memory: 256}
	t.Cleanup(f.Close)
	return f
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		calls   [][2]string // payload, and either the answer or the type of the error
	}{
		{"a sandbox is used again", 0, [][2]string{{"count", "1"}, {"count", "2"}, {"hello", `"hello"`}}},
		{"deadline", 0, [][2]string{{"deadline", "true"}}},
		{"environment", 0, [][2]string{{"name", `"f here"`}}},
		{"an error", 0, [][2]string{{"fail", "errorString"}, {"count", "2"}}},
		{"a panic ends the sandbox", 0, [][2]string{{"panic", "string"}, {"count", "1"}}},
		{"an exit", 0, [][2]string{{"exit", "Runtime.ExitError"}, {"count", "1"}}},
		{"too late", 2 * time.Second, [][2]string{{"stall", "Sandbox.Timedout"}, {"count", "1"}}},
		{"too large", 0, [][2]string{{"large", "Function.ResponseSizeTooLarge"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := function(t, "GIVEN=here")
			if tt.timeout > 0 {
				f.Timeout = tt.timeout
			}
			for _, call := range tt.calls {
				got, err := f.Invoke(t.Context(), []byte(`"`+call[0]+`"`))
				said := string(got)
				if failure, ok := errors.AsType[*Error](err); ok {
					said = failure.Type
				}
				if said != call[1] {
					t.Errorf("%s: %q (%v), want %q", call[0], said, err, call[1])
				}
			}
		})
	}
}

func TestSandboxesSideBySide(t *testing.T) {
	t.Parallel()
	f := function(t)
	f.Timeout = 5 * time.Second
	stalled := make(chan error, 1)
	go func() {
		_, err := f.Invoke(t.Context(), []byte(`"stall"`))
		stalled <- err
	}()
	for len(f.sandboxes()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if got, err := f.Invoke(t.Context(), []byte(`"count"`)); string(got) != "1" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if err := <-stalled; err == nil {
		t.Error("the stalled one answered")
	}
}

func (f *Function) sandboxes() []*sandbox {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*sandbox{}, f.all...)
}

func TestKilledAndBroken(t *testing.T) {
	t.Parallel()
	f := function(t)
	f.KillNext(0)
	_, err := f.Invoke(t.Context(), []byte(`"stall"`))
	if failure, ok := errors.AsType[*Error](err); !ok || failure.Type != "Runtime.ExitError" {
		t.Errorf("killed: %v", err)
	}
	if got, err := f.Invoke(t.Context(), []byte(`"count"`)); string(got) != "1" || err != nil || len(f.ColdStarts()) != 1 {
		t.Errorf("after it: %s, %v", got, err)
	}
	if _, err := function(t, "BROKEN=1").Invoke(t.Context(), []byte(`""`)); err == nil || !strings.Contains(err.Error(), "Runtime.ExitError") {
		t.Errorf("cannot start: %v", err)
	}
}
