package entra

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
)

const (
	userA  = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
	userB  = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e1"
	groupA = "e1f5a2b4-0000-4000-8000-0000000000aa"
	groupB = "e1f5a2b4-0000-4000-8000-0000000000bb"
	skuE3  = "05e9a617-0261-4cee-bb44-138d3ef5d965"
	skuEXO = "4b9405b0-7788-4568-add1-99614e613b69"
	plan   = "bea4c11e-220a-4e6d-8eb8-8ea15d019f90"
)

var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// The type "answer" is the answer to one request. The status 0 stands for 200. If "hangUp" is set, the connection ends
// without an answer.
type answer struct {
	status int
	header map[string]string
	body   string
	hangUp bool
}

// The type "fake" is a Graph that records requests and sends prepared answers. It replaces "$base" in a body with its
// own URL.
type fake struct {
	*Client
	server *httptest.Server

	mu      sync.Mutex
	play    []answer
	asked   []string // "METHOD path?query", with the query decoded
	selects []string // the $select of each request with a $select
	bodies  []string
	heads   []http.Header
	waits   []time.Duration
}

func newFake(t *testing.T, play ...answer) *fake {
	t.Helper()
	f := &fake{play: play}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	client, err := New(Config{GraphURL: f.server.URL + "/v1.0", Auth: AuthDefault}, clock.Real)
	if err != nil {
		t.Fatal(err)
	}
	client.now = func() time.Time { return today }
	client.pause = func(_ context.Context, d time.Duration) error {
		f.waits = append(f.waits, d)
		return nil
	}
	f.Client = client
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	ask := r.Method + " " + r.URL.Path
	if query := r.URL.Query(); len(query) > 0 {
		for _, name := range []string{"$filter", "$top", "$count", "$skiptoken"} {
			if v := query.Get(name); v != "" {
				ask += " " + name + "=" + v
			}
		}
		if v := query.Get("$select"); v != "" {
			f.selects = append(f.selects, v)
		}
	}
	f.asked = append(f.asked, ask)
	f.bodies = append(f.bodies, string(body))
	head := r.Header.Clone()
	f.heads = append(f.heads, head)
	w.Header().Set("Date", today.Format(http.TimeFormat))
	if len(f.play) == 0 {
		http.Error(w, "the test expects no further request", http.StatusTeapot)
		return
	}
	next := f.play[0]
	f.play = f.play[1:]
	if next.hangUp {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range next.header {
		w.Header().Set(name, value)
	}
	if next.status != 0 {
		w.WriteHeader(next.status)
	}
	_, _ = io.WriteString(w, strings.ReplaceAll(next.body, "$base", f.server.URL+"/v1.0"))
}

// The function "failure" returns an error envelope in the form that Graph sends.
func failure(status int, code, message string) answer {
	return answer{status: status, body: `{"error":{"code":"` + code + `","message":"` + message + `",` +
		`"innerError":{"date":"2026-11-23T12:00:00","request-id":"1","client-request-id":"2"}}}`}
}

var (
	notFound  = failure(404, "Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present.")
	forbidden = failure(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
)

func list(next string, entries ...string) answer {
	link := ""
	if next != "" {
		link = `"@odata.nextLink":"` + next + `",`
	}
	return answer{body: `{"@odata.context":"x",` + link + `"value":[` + strings.Join(entries, ",") + `]}`}
}
