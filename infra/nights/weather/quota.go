package weather

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// GraphQuota: 429 when an application has asked for more than the quota in a minute. A
// request that is refused counts, too, so that nobody gets through who does not wait
// (docs-contrib, concepts/throttling.md: "Avoid immediate retries, because all requests
// accrue against your usage limits").
const GraphQuota Kind = "graph: over the quota"

// quotaTime is the time in which requests are counted, and the Retry-After of a refusal.
const quotaTime = time.Minute

// quota is what an application may ask of a tenant that others keep busy.
type quota struct {
	mu    sync.Mutex
	most  int // 0: there is no quota
	asked []time.Time
}

// Quota bounds how many requests a minute are answered, on calm nights, too. Those for one
// person are not counted: limits are set for each resource (docs-contrib,
// concepts/throttling-limits.md).
func (w *Weather) Quota(most int) {
	w.quota.mu.Lock()
	defer w.quota.mu.Unlock()
	w.quota.most = most
}

// over counts a request, and tells whether it is one too many.
func (q *quota) over(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.most == 0 {
		return false
	}
	for len(q.asked) > 0 && now.Sub(q.asked[0]) >= quotaTime {
		q.asked = q.asked[1:]
	}
	q.asked = append(q.asked, now)
	return len(q.asked) > q.most
}

// overQuota is the answer to a request that is one too many, else nil.
func (w *Weather) overQuota(r *http.Request, header http.Header) *answer {
	if strings.HasPrefix(r.URL.Path, "/v1.0/users/") || r.Method != http.MethodGet || !w.quota.over(w.clock.Now()) {
		return nil
	}
	a := refusal(header, http.StatusTooManyRequests, "TooManyRequests", "Too many requests. Wait before you ask again.")
	a.header.Set("Retry-After", decimal(int(quotaTime/time.Second)))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused++
	return a
}
