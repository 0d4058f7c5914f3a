package store

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

const fakeBucket = "idleseat-test"

// fakeS3 is an S3 server on loopback.
type fakeS3 struct {
	url     string
	backend *s3mem.Backend
	// The function "before" gets each request. It answers the request, or passes it to the handler "pass". It may be
	// nil.
	before func(w http.ResponseWriter, r *http.Request, pass http.Handler)
}

func newFakeS3(t *testing.T) *fakeS3 {
	t.Helper()
	f := &fakeS3{backend: s3mem.New()}
	if err := f.backend.CreateBucket(fakeBucket); err != nil {
		t.Fatal(err)
	}
	pass := gofakes3.New(f.backend).Server()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.before != nil {
			f.before(w, r, pass)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	// The server would log an error if a test closes a connection in the middle of an answer.
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// The method "store" returns a bucket without waits between retries.
func (f *fakeS3) store(prefix string) *bucket {
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(f.url),
		Region:       "eu-north-1",
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}, configure, func(o *s3.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(o.Retryer, time.Millisecond)
	})
	return &bucket{client, fakeBucket, prefix}
}

// putRaw stores an object directly on the server, without the package under test.
func putRaw(t *testing.T, f *fakeS3, key string) {
	t.Helper()
	_, err := f.backend.PutObject(fakeBucket, key, map[string]string{}, strings.NewReader("x"), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func answer(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as the test wants</Message></Error>", code)
}

func TestS3ListPages(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	var want []string
	for i := range 2500 {
		key := fmt.Sprintf("runs/%05d", i)
		want = append(want, key)
		putRaw(t, f, "p/"+key)
	}
	putRaw(t, f, "p/runs/") // consoles mark folders with such an object
	putRaw(t, f, "p2/runs/1")
	var requests atomic.Int32
	f.before = func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		requests.Add(1)
		pass.ServeHTTP(w, r)
	}
	s := f.store("p/")
	got, err := collect(s.List(t.Context(), "runs/"))
	wantErr(t, nil, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(int32(3), requests.Swap(0)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	for _, err := range s.List(t.Context(), "") {
		wantErr(t, nil, err)
		break
	}
	if diff := cmp.Diff(int32(1), requests.Load()); diff != "" {
		t.Errorf("requests of a listing that is left early (-want +got):\n%s", diff)
	}
}

func TestS3ListFailsOnALaterPage(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	for i := range 1001 {
		putRaw(t, f, fmt.Sprintf("%05d", i))
	}
	f.before = func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.URL.Query().Has("continuation-token") {
			answer(w, http.StatusForbidden, "AccessDenied")
			return
		}
		pass.ServeHTTP(w, r)
	}
	keys, err := collect(f.store("").List(t.Context(), ""))
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("a listing cut short must not look complete: %d keys, error %v", len(keys), err)
	}
}

func TestS3Conflict(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		conflicts int32
		succeeds  bool
	}{
		{"passes", 2, true},
		{"persists", 1000, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeS3(t)
			var tries atomic.Int32
			f.before = func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				if r.Method == http.MethodPut && tries.Add(1) <= tt.conflicts {
					answer(w, http.StatusConflict, codeConflict)
					return
				}
				pass.ServeHTTP(w, r)
			}
			s := f.store("p/")
			b := body("skipped|kept")
			if _, err := b.Seek(int64(len("skipped|")), io.SeekStart); err != nil {
				t.Fatal(err)
			}
			err := s.PutIfAbsent(t.Context(), "k", b)
			if tt.succeeds {
				wantErr(t, nil, err)
				wantObject(t, s, "k", "kept")
				return
			}
			if err == nil || !strings.Contains(err.Error(), codeConflict) {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(int32(retry.DefaultMaxAttempts), tries.Load()); diff != "" {
				t.Errorf("tries (-want +got):\n%s", diff)
			}
		})
	}
}

// TestS3LostAnswer: the answer to a write is lost, and the SDK repeats the write. PutIfAbsent recognizes its own
// object.
func TestS3LostAnswer(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	var puts atomic.Int32
	f.before = func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == http.MethodPut && puts.Add(1) == 1 {
			pass.ServeHTTP(httptest.NewRecorder(), r)
			answer(w, http.StatusInternalServerError, "InternalError")
			return
		}
		pass.ServeHTTP(w, r)
	}
	s := f.store("")
	wantErr(t, nil, s.PutIfAbsent(t.Context(), "k", body("mine")))
	if diff := cmp.Diff(int32(2), puts.Load()); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
	wantErr(t, ErrExists, s.PutIfAbsent(t.Context(), "k", body("theirs")))
	wantObject(t, s, "k", "mine")
}

// TestS3LostAnswerAndNoLook: the answer to a write is lost, and the repeated write finds an object at the key. This
// object cannot be read, so nobody knows whether the first write made it. PutIfAbsent reports neither success nor
// ErrExists.
func TestS3LostAnswerAndNoLook(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	var puts atomic.Int32
	f.before = func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		switch {
		case r.Method == http.MethodPut && puts.Add(1) == 1:
			pass.ServeHTTP(httptest.NewRecorder(), r)
			answer(w, http.StatusInternalServerError, "InternalError")
		case r.Method == http.MethodHead:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			pass.ServeHTTP(w, r)
		}
	}
	s := f.store("")
	err := s.PutIfAbsent(t.Context(), "k", body("mine"))
	if err == nil || errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "perhaps by this write") {
		t.Errorf("error %v", err)
	}
	wantObject(t, s, "k", "mine")
}

func TestS3ErrorsNameTheObject(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	f.before = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		answer(w, http.StatusForbidden, "AccessDenied")
	}
	s := f.store("p/")
	_, get := s.Get(t.Context(), "k")
	_, list := collect(s.List(t.Context(), "k"))
	for _, err := range []error{get, list, s.Put(t.Context(), "k", body("")), s.PutIfAbsent(t.Context(), "k", body(""))} {
		if err == nil || !strings.Contains(err.Error(), "s3://"+fakeBucket+"/p/k") || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("error %v", err)
		}
	}
}

func TestS3BodyCutShort(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	f.before = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "half")
	}
	_, err := GetBytes(t.Context(), f.store(""), "runs/1/plan.json", 100)
	wantErr(t, io.ErrUnexpectedEOF, err, "runs/1/plan.json")
}
