package entra

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
)

const premiumDenied = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"

// The functions "read" and "write" send one request each. The client repeats reads and writes under different
// conditions.
func read(c *Client) error {
	_, err := c.CountPeople(context.Background())
	return err
}

func write(c *Client) error { return c.AddMember(context.Background(), groupA, userA) }

func throttled(after string) answer {
	a := failure(429, "TooManyRequests", "Too many requests.")
	a.header = map[string]string{"Retry-After": after}
	return a
}

// The function "concurrent" returns the answer that nais/azurerator#448 and azure-cli#23081 recorded.
func concurrent(status int) answer {
	return failure(status, "Directory_ConcurrencyViolation", "Your operation conflicted with a concurrent operation on one or more of the objects. Please wait briefly and retry.")
}

func repeat(n int, a answer) []answer {
	list := make([]answer, n)
	for i := range list {
		list[i] = a
	}
	return list
}

func TestRetry(t *testing.T) {
	t.Parallel()
	counted := answer{body: `{"@odata.count":3,"value":[]}`}
	done := answer{status: 204}
	seconds := func(n ...int) (waits []time.Duration) {
		for _, s := range n {
			waits = append(waits, time.Duration(s)*time.Second)
		}
		return waits
	}
	anything := errors.New("any error")
	tests := map[string]struct {
		ask   func(*Client) error
		play  []answer
		want  error
		waits []time.Duration
	}{
		"first time":               {read, []answer{counted}, nil, nil},
		"seconds":                  {read, []answer{throttled("10"), throttled("0"), counted}, nil, seconds(10, 1)},
		"date":                     {read, []answer{throttled("Mon, 23 Nov 2026 12:00:30 GMT"), counted}, nil, seconds(30)},
		"date in the past":         {read, []answer{throttled("Mon, 23 Nov 2026 11:00:00 GMT"), counted}, nil, seconds(1)},
		"no sense":                 {read, []answer{throttled("soon"), throttled("-4"), counted}, nil, seconds(1, 2)},
		"write throttled":          {write, []answer{throttled("5"), {status: 503}, {status: 504}, done}, nil, seconds(5, 2, 4)},
		"a minute and a half":      {write, []answer{throttled("90"), done}, nil, seconds(90)},
		"wait too long":            {read, []answer{throttled("301")}, ErrThrottled, nil},
		"wait far too long":        {read, []answer{throttled("99999999999")}, ErrThrottled, nil},
		"waits too long together":  {read, repeat(3, throttled("300")), ErrThrottled, seconds(300, 300)},
		"changed by two at once":   {write, []answer{concurrent(409), concurrent(503), done}, nil, seconds(1, 2)},
		"changed by two for ever":  {write, repeat(6, concurrent(409)), anything, seconds(1, 2, 4, 8, 16)},
		"too many tries":           {read, repeat(6, failure(429, "TooManyRequests", "x")), ErrThrottled, seconds(1, 2, 4, 8, 16)},
		"server down":              {read, []answer{{status: 500}, {status: 502, body: "<html>"}, counted}, nil, seconds(1, 2)},
		"server down for a write":  {write, []answer{{status: 500}}, anything, nil},
		"gateway down for a write": {write, []answer{{status: 502}}, anything, nil},
		"hung up":                  {read, []answer{{hangUp: true}, counted}, nil, seconds(1)},
		"hung up on a write":       {write, []answer{{hangUp: true}}, errNetwork, nil},
		"not premium for a moment": {read, []answer{failure(403, premiumDenied, "x"), counted}, nil, seconds(1)},
		"not premium":              {read, repeat(4, failure(403, premiumDenied, "x")), ErrNotPremium, seconds(1, 2, 4)},
		"forbidden":                {read, []answer{forbidden}, ErrForbidden, nil},
		"bad request":              {read, []answer{failure(400, "BadRequest", "x")}, anything, nil},
		"redirect":                 {read, []answer{{status: 302, header: map[string]string{"Location": "/v1.0/users"}}}, anything, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			err := tt.ask(f.Client)
			switch {
			case tt.want == nil && err != nil, tt.want != nil && err == nil:
				t.Errorf("error %v, want %v", err, tt.want)
			case tt.want != nil && tt.want != anything && !errors.Is(err, tt.want):
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff(tt.waits, f.waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
			if len(f.asked) != len(tt.play) {
				t.Errorf("%d requests, want %d: %v", len(f.asked), len(tt.play), err)
			}
		})
	}
}

// TestWaitsWithinTheBound: the client starts no wait that is longer than the remaining time of the run.
func TestWaitsWithinTheBound(t *testing.T) {
	t.Parallel()
	f := newFake(t, throttled("90"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := f.CountPeople(ctx); !errors.Is(err, ErrThrottled) || len(f.waits) > 0 {
		t.Errorf("error %v after waits %v", err, f.waits)
	}
}

// TestRefusedAfterLostAnswer: a gateway loses the answer to the first try. If Graph then refuses the second try, it is
// unknown whether the first succeeded. If Graph says that the change already exists, the first succeeded.
func TestRefusedAfterLostAnswer(t *testing.T) {
	t.Parallel()
	lost := answer{status: 504}
	full := failure(400, badRequest, "Subscription with SKU "+skuE3+" does not have any available licenses.")
	var refusal *directory.Refusal
	f := newFake(t, lost, full)
	if err := f.ChangeLicenses(t.Context(), userA, []directory.Assignment{{SKU: skuE3}}, nil); err == nil || errors.As(err, &refusal) {
		t.Errorf("error %v", err)
	}
	for _, status := range []int{400, 403} {
		f = newFake(t, lost, failure(status, badRequest, "Something new."), answer{body: `{"id":"` + groupA + `"}`})
		if err := f.RemoveMember(t.Context(), groupA, userA); err == nil || errors.As(err, &refusal) {
			t.Errorf("%d: error %v", status, err)
		}
	}
	f = newFake(t, lost, failure(400, badRequest, "One or more removed object references do not exist for the following modified properties: 'members'."))
	if err := f.RemoveMember(t.Context(), groupA, userA); err != nil {
		t.Errorf("removed at the first try: %v", err)
	}
	f = newFake(t, lost, failure(400, badRequest, "User does not have a corresponding license."))
	if err := f.ChangeLicenses(t.Context(), userA, []directory.Assignment{{SKU: skuE3}}, []string{skuE3}); !errors.Is(err, directory.ErrNotHeld) {
		t.Errorf("taken at the first try: %v", err)
	}
}

func TestRetrySendsTheSameBody(t *testing.T) {
	t.Parallel()
	f := newFake(t, throttled("2"), answer{status: 503}, answer{status: 204})
	if err := write(f.Client); err != nil {
		t.Fatal(err)
	}
	body := `{"@odata.id":"` + f.server.URL + `/v1.0/directoryObjects/` + userA + `"}`
	if diff := cmp.Diff([]string{body, body, body}, f.bodies); diff != "" {
		t.Error(diff)
	}
	for i, head := range f.heads {
		if head.Get("Content-Encoding") != "" || head.Get("Content-Length") == "" {
			t.Errorf("try %d: headers %v, want no encoding and a length", i+1, head)
		}
	}
}

func TestRetryReusesTheConnection(t *testing.T) {
	t.Parallel()
	var connections, requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) < 4 {
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, strings.Repeat("busy ", 10_000))
			return
		}
		_, _ = io.WriteString(w, `{"@odata.count":3,"value":[]}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c, err := New(Config{GraphURL: server.URL, Auth: AuthDefault}, clock.Real)
	if err != nil {
		t.Fatal(err)
	}
	c.pause = func(context.Context, time.Duration) error { return nil }
	if err := read(c); err != nil {
		t.Fatal(err)
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("%d connections for %d requests, want 1", got, requests.Load())
	}
}

func TestRetryEndsWithTheContext(t *testing.T) {
	t.Parallel()
	f := newFake(t, throttled("5"))
	ctx, cancel := context.WithCancel(t.Context())
	f.pause = func(ctx context.Context, d time.Duration) error {
		cancel()
		return clock.Real.Sleep(ctx, d)
	}
	if _, err := f.CountPeople(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if _, err := f.CountPeople(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if len(f.asked) != 1 {
		t.Errorf("asked %v, want one request", f.asked)
	}
}

func TestReadsYieldToOthers(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer{body: `{"@odata.count":3,"value":[]}`}, answer{status: 204})
	if err := errors.Join(read(f.Client), write(f.Client)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, head := range f.heads {
		got = append(got, head.Get("x-ms-throttle-priority")+"/"+head.Get("Authorization"))
	}
	if diff := cmp.Diff([]string{"low/", "/"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsHelp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		play answer
		want []string
	}{
		"permission": {forbidden, []string{"count people", "User.Read.All", "Insufficient privileges"}},
		"throttle":   {throttled("400"), []string{"count people", "6m40s", "Retry-After: 400"}},
		"redirect":   {answer{status: 307, header: map[string]string{"Location": "https://evil.example"}}, []string{"307"}},
		"no JSON":    {answer{status: 418, header: map[string]string{"request-id": "abc"}, body: "<html>"}, []string{"418", "abc"}},
		"odd 401": {answer{status: 401, header: map[string]string{"WWW-Authenticate": "Bearer claims=none"}},
			[]string{"401 Unauthorized"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := read(newFake(t, tt.play).Client)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "http://") {
				t.Errorf("error %q holds a URL", err)
			}
		})
	}
}

func TestNetworkErrorNamesNobody(t *testing.T) {
	t.Parallel()
	f := newFake(t, repeat(6, answer{hangUp: true})...)
	_, err := f.FindGroup(t.Context(), "Anna's team")
	if !errors.Is(err, errNetwork) || strings.Contains(err.Error(), "displayName") {
		t.Errorf("error %v", err)
	}
}

func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 1<<20)
		for range maxAnswer>>20 + 1 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	c, err := New(Config{GraphURL: server.URL, Auth: AuthDefault}, clock.Real)
	if err != nil {
		t.Fatal(err)
	}
	err = c.ListPeople(t.Context(), "", func([]directory.EntraUser, string) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("error %v", err)
	}
}
