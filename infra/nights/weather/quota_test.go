package weather

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestQuota: Graph also counts the requests that it refuses. So it refuses a client again if the client does not wait.
func TestQuota(t *testing.T) {
	t.Parallel()
	clock := newClock()
	w := New(1, clock)
	graph := w.Graph(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusOK) }))
	status := func(method, path string) int {
		answer := httptest.NewRecorder()
		graph.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
		if after := answer.Header().Get("Retry-After"); (after == "60") != (answer.Code == http.StatusTooManyRequests) {
			t.Errorf("%d with Retry-After %q", answer.Code, after)
		}
		return answer.Code
	}
	w.Quota(2)
	for step, x := range []struct {
		wait         time.Duration
		method, path string
		want         int
	}{
		{0, http.MethodGet, "/v1.0/users?$top=500", http.StatusOK},
		{0, http.MethodGet, "/v1.0/groups", http.StatusOK},
		{0, http.MethodGet, "/v1.0/groups", http.StatusTooManyRequests},
		{0, http.MethodGet, "/v1.0/users/anna", http.StatusOK},
		{0, http.MethodPost, "/v1.0/groups/1/members/$ref", http.StatusOK},
		{40 * time.Second, http.MethodGet, "/v1.0/groups", http.StatusTooManyRequests},
		{40 * time.Second, http.MethodGet, "/v1.0/groups", http.StatusOK},
		{10 * time.Second, http.MethodGet, "/v1.0/groups", http.StatusTooManyRequests},
		{time.Minute, http.MethodGet, "/v1.0/groups", http.StatusOK},
	} {
		_ = clock.Sleep(t.Context(), x.wait)
		if got := status(x.method, x.path); got != x.want {
			t.Errorf("step %d: %s %s: %d, want %d", step, x.method, x.path, got, x.want)
		}
	}
	if n := w.Counts()[string(GraphQuota)]; n != 3 {
		t.Errorf("%d counted, want 3", n)
	}
}
