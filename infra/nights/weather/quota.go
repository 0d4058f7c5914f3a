package weather

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// GraphQuota is status 429 for an application that exceeds its quota of requests per minute. Refused requests also
// count, so a client must wait before it gets an answer again (docs-contrib, concepts/throttling.md: "Avoid immediate
// retries, because all requests accrue against your usage limits").
const GraphQuota Kind = "graph: over the quota"

// quotaTime is the period for which a request counts. It is also the Retry-After of a refused request.
const quotaTime = time.Minute

// The type "quota" limits the number of requests that Graph answers per minute, as if other applications used up the
// rest of Graph's limit.
type quota struct {
	mu    sync.Mutex
	most  int // 0: unlimited
	asked []time.Time
}

// Quota limits the number of answered requests per minute, even on calm nights. Only reads of lists count, because
// requests for one person and writes have limits of their own (docs-contrib, concepts/throttling-limits.md).
func (w *Weather) Quota(most int) {
	w.quota.mu.Lock()
	defer w.quota.mu.Unlock()
	w.quota.most = most
}

// The method "over" counts a request and reports whether it exceeds the quota.
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

// overQuota returns the refusal of a request that exceeds the quota, and otherwise nil.
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
