package step

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// TestNamed: the error for the state machine has the right type and a message without names of people.
func TestNamed(t *testing.T) {
	t.Parallel()
	final, other := errors.New("final"), errors.New("other")
	in := struct {
		User    string          `json:"user"`
		Request json.RawMessage `json:"request"`
	}{"anna.berg", json.RawMessage(`{"apply":"the run of Zoë","planHash":"` + strings.Repeat("ab", 32) + `","overide":true}`)}
	for name, tt := range map[string]struct {
		err        error
		kind, text string
	}{
		"refused":            {fmt.Errorf("read %q: %w", "Anna Berg", final), Refused, "read (name left out): final"},
		"failed":             {fmt.Errorf("store: %w", other), failed, "store: other"},
		"of the input":       {fmt.Errorf("nothing of anna.berg in the run of zoë: %w", final), Refused, "nothing of (name left out) in (name left out): final"},
		"a member":           {errors.New("unknown field overide"), failed, "unknown field (name left out)"},
		"a hash stays":       {fmt.Errorf("hash %s", strings.Repeat("ab", 32)), failed, "hash " + strings.Repeat("ab", 32)},
		"never of more line": {errors.New("a\nb"), failed, "a�b"},
		"long":               {errors.New(strings.Repeat("ö", longest)), failed, strings.Repeat("ö", longest/2) + " …"},
	} {
		got, ok := errors.AsType[messages.InvokeResponse_Error](named(tt.err, in, []error{final}))
		if !ok || got.Type != tt.kind || got.Message != tt.text {
			t.Errorf("%s: %v became %+v", name, tt.err, got)
		}
	}
}

// TestCareful: after a panic, the error says where the panic was. The value of the panic may contain names of people,
// so the error has only its type. A runtime error contains no names, so its text is in the error.
func TestCareful(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{"(string) at ": "Anna Berg", "index out of range": nil} {
		_, err := careful(t.Context(), 3, func(_ context.Context, i int) (int, error) {
			if value == nil {
				return []int{1}[i], nil
			}
			panic(value)
		})
		if err == nil || strings.Contains(err.Error(), "Anna") || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "public_test.go:") {
			t.Errorf("%v: %v", value, err)
		}
	}
	if out, err := careful(t.Context(), 3, func(_ context.Context, i int) (int, error) { return i, nil }); out != 3 || err != nil {
		t.Errorf("%d, %v", out, err)
	}
}
