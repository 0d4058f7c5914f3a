package step

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

func TestUntil(t *testing.T) {
	t.Parallel()
	if got := Until(t.Context(), time.Minute); !got.IsZero() {
		t.Errorf("without a deadline: %v", got)
	}
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	if got := Until(ctx, time.Minute); !got.Equal(deadline.Add(-time.Minute)) {
		t.Errorf("%v", got)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Policy(t.Context(), s, "policy.yaml"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("none there: %v", err)
	}
	if err := store.PutBytes(t.Context(), s, "policy.yaml", []byte("tenant: x\nfoo: 1\n")); err != nil {
		t.Fatal(err)
	}
	var faults policy.Faults
	if _, _, err := Policy(t.Context(), s, "policy.yaml"); !errors.Is(err, ErrPolicy) || !errors.As(err, &faults) {
		t.Errorf("with faults: %v", err)
	}
}

func TestEmit(t *testing.T) {
	t.Parallel()
	var line bytes.Buffer
	if err := (Metrics{"Held": 1}).Emit(&line, "idleseat", time.UnixMilli(5)); err != nil {
		t.Fatal(err)
	}
	var got, want any
	text := `{"_aws":{"Timestamp":5,"CloudWatchMetrics":[{"Namespace":"Idleseat","Dimensions":[["Deployment"]],"Metrics":[{"Name":"Held"}]}]},"Deployment":"idleseat","Held":1}`
	if err := errors.Join(json.Unmarshal(line.Bytes(), &got), json.Unmarshal([]byte(text), &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || bytes.Count(line.Bytes(), []byte("\n")) != 1 {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}
