package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

type graphError struct {
	status        int
	code, message string
	header        http.Header
}

func (e *graphError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message)
}

func badRequest(format string, a ...any) *graphError {
	return &graphError{status: http.StatusBadRequest, code: "Request_BadRequest", message: fmt.Sprintf(format, a...)}
}

func unsupportedQuery(format string, a ...any) *graphError {
	return &graphError{status: http.StatusBadRequest, code: "Request_UnsupportedQuery", message: fmt.Sprintf(format, a...)}
}

func notFound(id string) *graphError {
	return &graphError{status: http.StatusNotFound, code: "Request_ResourceNotFound",
		message: fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)}
}

func denied() *graphError {
	return &graphError{status: http.StatusForbidden, code: "Authorization_RequestDenied", message: "Insufficient privileges to complete the operation."}
}

// notSimulated returns the error for a request that real Graph may answer but the sandbox cannot.
func notSimulated(what string) *graphError {
	return &graphError{status: http.StatusNotImplemented, code: "notImplemented", message: "The simulated company does not " + what + "."}
}

// tooMany returns the error for a request above a limit. The client may try again after "wait".
func tooMany(wait time.Duration) *graphError {
	h := http.Header{}
	h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	h.Set("x-ms-throttle-scope", "Tenant_Application/Read/"+requestID(0)+"/"+TenantID)
	h.Set("x-ms-throttle-information", "ResourceUnitLimitExceeded")
	return &graphError{http.StatusTooManyRequests, "TooManyRequests", "Too many requests. Wait before you ask again.", h}
}

func (e *graphError) envelope(now time.Time, request, client string) []byte {
	type inner struct {
		Date    string `json:"date"`
		Request string `json:"request-id"`
		Client  string `json:"client-request-id"`
	}
	type main struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Inner   inner  `json:"innerError"`
	}
	b, _ := json.Marshal(map[string]main{"error": {e.code, e.message, inner{now.Format("2006-01-02T15:04:05"), request, client}}})
	return b
}

// requestID returns a GUID that depends on n only, so the same requests have the same ids in each run of a test.
func requestID(n uint64) string {
	d := dice{n}
	var g guid
	for i := range g {
		g[i] = byte(d.next())
	}
	return g.String()
}

// The type "limiter" allows a number of requests in any interval of the length "per".
type limiter struct {
	allowed int // 0: any number
	per     time.Duration
	at      []time.Time // when the allowed requests came, oldest first
}

// The method "take" returns 0 if the limiter allows a request at "now", or else how long the client must wait.
func (l *limiter) take(now time.Time) time.Duration {
	for len(l.at) > 0 && (now.Sub(l.at[0]) >= l.per || l.at[0].After(now)) { // the clock may go back when a test restores a state from Company.Keep
		l.at = l.at[1:]
	}
	if l.allowed > 0 && len(l.at) >= l.allowed {
		return l.per - now.Sub(l.at[0])
	}
	l.at = append(l.at, now)
	return 0
}
