package doctor

import (
	"context"
	"errors"
	"io"
	"iter"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "faulty" is a store with one fault. If a function is nil, the call goes to the store.
type faulty struct {
	store.Store
	put      func() error
	get      func(key string) error
	absent   func(ctx context.Context, key string, body io.ReadSeeker) error
	list     func() error
	requests []string
}

func (s *faulty) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	s.requests = append(s.requests, key)
	if s.put != nil {
		return s.put()
	}
	return s.Store.Put(ctx, key, body)
}

func (s *faulty) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	s.requests = append(s.requests, key)
	if s.absent != nil {
		return s.absent(ctx, key, body)
	}
	return s.Store.PutIfAbsent(ctx, key, body)
}

func (s *faulty) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if s.get != nil {
		if err := s.get(key); err != nil {
			return nil, err
		}
	}
	return s.Store.Get(ctx, key)
}

func (s *faulty) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	if s.list != nil {
		return func(yield func(string, error) bool) { yield("", s.list()) }
	}
	return s.Store.List(ctx, prefix)
}

func newStore(t *testing.T) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEachIllOfAStore(t *testing.T) {
	t.Parallel()
	refused := errors.New("AccessDenied: you may not")
	tests := []struct {
		name  string
		ill   func(*faulty)
		run   func(context.Context, *exam) ([]Finding, func())
		means string
		bash  string
	}{
		{"no right to write", func(s *faulty) { s.put = func() error { return refused } }, checkStore, "AccessDenied", "aws s3 ls"},
		{"no right to read", func(s *faulty) { s.get = func(string) error { return refused } }, checkStore, "AccessDenied", "aws s3 ls"},
		{"what is missing is refused", func(s *faulty) {
			s.get = func(key string) error {
				if key != layout.DoctorProbe() {
					return refused
				}
				return nil
			}
		}, checkStore, "does not say that an object is missing", "get-caller-identity"},
		{"writes are lost", func(s *faulty) { s.put = func() error { return nil } }, checkStore, "no such object", "aws s3 ls"},
		{"no right to list", func(s *faulty) { s.list = func() error { return refused } }, checkStore, "AccessDenied", "aws s3 ls"},
		{"objects are overwritten", func(s *faulty) { s.absent = s.Store.Put }, checkConditional, "written twice", "export IDLESEAT_STORE=idleseat-store"},
		{"no right to create", func(s *faulty) {
			s.absent = func(context.Context, string, io.ReadSeeker) error { return refused }
		}, checkConditional, "AccessDenied", "aws s3 ls"},
		{"runs cannot be listed", func(s *faulty) { s.list = func() error { return refused } }, checkLastRun, "AccessDenied", "aws s3 ls"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &faulty{Store: newStore(t)}
			e := &exam{Patient: patient(), now: noon}
			e.Store, e.Location = s, "s3://bucket/prefix"
			tt.ill(s)
			findings, _ := tt.run(t.Context(), e)
			f := findings[0]
			if f.State != Failed || !strings.Contains(f.Means, tt.means) || f.Mend == nil || !strings.Contains(f.Mend.Bash, tt.bash) || f.Mend.PowerShell == "" {
				t.Fatalf("%+v, advice %+v", f, f.Mend)
			}
			if out, err := exec.Command("bash", "-n", "-c", f.Mend.Bash).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			for range 2 { // in the second round, the objects of the first examination exist
				s.put, s.get, s.absent, s.list = nil, nil, nil, nil
				if findings, _ = tt.run(t.Context(), e); order[Worst(findings)] > order[NotTried] {
					t.Errorf("after the cure: %+v", findings)
				}
			}
			for _, key := range s.requests {
				if key != layout.DoctorProbe() && key != layout.DoctorOnce() {
					t.Errorf("doctor wrote %s", key)
				}
			}
		})
	}
}

// TestOverwritingIsFoundAgain: a store that refused to overwrite an object begins to overwrite it. The next examination
// reports the fault, even after examinations without a fault.
func TestOverwritingIsFoundAgain(t *testing.T) {
	t.Parallel()
	s := &faulty{Store: newStore(t)}
	e := &exam{Patient: patient(), now: noon}
	e.Store = s
	for i, want := range []State{OK, OK, Failed} {
		if i == 2 {
			s.absent = s.Store.Put
		}
		if findings, _ := checkConditional(t.Context(), e); findings[0].State != want {
			t.Errorf("examination %d: %+v", i, findings)
		}
	}
}

func TestLastRun(t *testing.T) {
	t.Parallel()
	e := &exam{Patient: patient(), now: noon}
	e.Location = "my store"
	whole := runs.Overview{Run: "20261129T020000Z-1a2b3c4d", Stage: runs.StageEnded, Started: noon.Add(-10 * time.Hour), Verdict: plan.Review}
	for name, tt := range map[string]struct {
		alter func(*runs.Overview)
		state State
		means string
		bash  string
	}{
		"of last night": {func(*runs.Overview) {}, OK, "10 hours ago", ""},
		"damaged":       {func(o *runs.Overview) { o.Damage = []string{"plan.json is cut"} }, Failed, "plan.json is cut", "idleseat show 20261129T020000Z-1a2b3c4d --store 'my store'"},
		"without plan":  {func(o *runs.Overview) { o.Stage = runs.StageReading }, Warning, "has no plan", "idleseat show"},
		"unreadable":    {func(o *runs.Overview) { o.Stage = runs.StageUnreadable }, Warning, "has no plan", "idleseat show"},
		"on hold":       {func(o *runs.Overview) { o.Verdict, o.HoldReasons = plan.Hold, []string{"too many"} }, Warning, "on hold: too many", "idleseat show"},
		"half applied":  {func(o *runs.Overview) { o.Stage = runs.StageApplying }, Warning, "have not ended", "idleseat apply"},
		"of last week":  {func(o *runs.Overview) { o.Started = noon.Add(-7 * 24 * time.Hour) }, Warning, "7 days ago", "idleseat plan --store 'my store'"},
	} {
		o := whole
		tt.alter(&o)
		f := e.lastRun(&o)
		if f.State != tt.state || !strings.Contains(f.Means, tt.means) || (f.Mend == nil) != (tt.bash == "") || f.Mend != nil && !strings.Contains(f.Mend.Bash, tt.bash) {
			t.Errorf("%s: %+v, %+v", name, f, f.Mend)
		}
	}
}
