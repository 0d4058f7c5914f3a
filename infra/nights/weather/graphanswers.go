package weather

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func decimal(n int) string { return strconv.Itoa(n) }

// errorPage is an error page of a gateway (OneDrive/onedrive-api-docs#697).
const errorPage = `<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN' 'http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd'>` +
	`<html><head><title>Service unavailable</title></head><body><h2>Our services aren't available right now</h2></body></html>`

func refusal(header http.Header, status int, code, message string) *answer {
	a := &answer{header: header.Clone(), status: status, sent: -1}
	a.header.Set("Content-Type", "application/json")
	a.body, _ = json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}}) // Marshal can encode any string
	return a
}

// The function "failure" returns an answer with the given status of 500 or more. Its body is Graph's error, a page of
// HTML, or empty.
func failure(header http.Header, status int, d dice) *answer {
	code := map[int]string{500: "InternalServerError", 502: "BadGateway", 503: "serviceNotAvailable", 504: "GatewayTimeout"}[status]
	a := refusal(header, status, code, "The service failed. Try again.")
	if status == http.StatusServiceUnavailable && d.next()%2 == 0 {
		a.header.Set("Retry-After", decimal(pick(d, 1, 5, 30)))
	}
	switch d.below(3) {
	case 0:
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		a.body = []byte(errorPage)
	case 1:
		a.body = nil
	}
	return a
}

// The method "denied" returns an answer with status 403 if a fault of this night denies the read. Otherwise it returns
// nil.
func (x *request) denied(header http.Header) *answer {
	if x.r.Method != http.MethodGet || x.w.tonight(graphDenied) == nil {
		return nil
	}
	what, id := x.asked()
	var kind Kind
	share, whom := 1.0, "everybody"
	switch {
	case (what == users || what == oneUser) && x.selects("signInActivity"):
		kind = GraphDatesDenied
	case what == members:
		kind, whom, share = GraphMembersDenied, id, 1./3
	case what == subscriptions:
		kind = GraphSKUsDenied
	case what == reports:
		kind = GraphReportsDenied
	}
	if _, hit := x.w.befalls(x.n, kind, whom, share); !hit {
		return nil
	}
	return refusal(header, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

// The method "instead" returns the answer that a fault of kind k gives in place of Graph's answer. It returns nil if
// Graph still answers: without a fault, and after the delay of GraphSlow.
func (x *request) instead(k Kind, d dice, next http.Handler, header http.Header) *answer {
	switch k {
	case GraphSlow:
		x.w.sleep(time.Duration(1+d.below(80)) * time.Second)
	case GraphThrottled, GraphThrottledUntil:
		return x.throttled(k, d, header)
	case Graph500:
		return failure(header, http.StatusInternalServerError, d)
	case Graph502:
		return failure(header, http.StatusBadGateway, d)
	case Graph503:
		return failure(header, http.StatusServiceUnavailable, d)
	case Graph504:
		return failure(header, http.StatusGatewayTimeout, d)
	case GraphReset:
		return &answer{reset: true, header: header}
	case GraphStalled:
		if x.r.Method != http.MethodGet && d.below(2) == 0 {
			ask(next, header, x.r)
		}
		x.w.sleep(time.Duration(90+d.below(200)) * time.Second)
		return &answer{reset: true, header: header}
	case GraphToken:
		return refusal(header, http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	}
	return nil
}

func (x *request) throttled(k Kind, d dice, header http.Header) *answer {
	a := refusal(header, http.StatusTooManyRequests, "TooManyRequests", "Too many requests. Wait before you ask again.")
	wait := pick(d, 1, 2, 10, 30, 120, 290, 900)
	a.header.Set("Retry-After", decimal(wait))
	if k == GraphThrottledUntil {
		a.header.Set("Retry-After", x.w.clock.Now().Add(time.Duration(wait)*time.Second).UTC().Format(http.TimeFormat))
	}
	return a
}

// The method "lost" returns an answer that does not show whether a write succeeded: an error with status 504, the first
// half of the body, or a closed connection.
func (x *request) lost(a *answer, d dice) *answer {
	switch d.below(3) {
	case 0:
		return failure(a.header, http.StatusGatewayTimeout, d)
	case 1:
		if len(a.body) > 0 {
			a.sent = len(a.body) / 2
			return a
		}
	}
	return &answer{reset: true, header: a.header}
}

// The method "cut" decides by chance whether the body of the answer to a read is damaged, and damages it: it is cut
// off, or replaced by a page of HTML.
func (x *request) cut(a *answer) {
	if len(a.body) == 0 || x.w.tonight(graphBodies) == nil {
		return
	}
	kinds := graphBodies
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		kinds = []Kind{GraphCutLength, GraphCutChunks, GraphHTML}
	}
	k, d := x.w.meets(x.n, x.o, kinds)
	part := d.below(len(a.body))
	switch k {
	case GraphCutLength:
		a.sent = part
	case GraphCutChunks:
		a.sent, a.chunks = part, true
	case GraphCutJSON:
		if behind := bytes.LastIndexByte(a.body[:part], '}') + 1; behind > 0 && d.next()%2 == 0 {
			part = behind
		}
		a.body = a.body[:part]
	case GraphHTML:
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		a.body = []byte(errorPage)
	}
}

// The method "skewed" changes the header Date of an answer on a night with GraphClock.
func (x *request) skewed(a *answer) *answer {
	d, hit := x.w.befalls(x.n, GraphClock, "Date", 1)
	if at, err := http.ParseTime(a.header.Get("Date")); hit && err == nil {
		a.header.Set("Date", at.Add(skew(d)).UTC().Format(http.TimeFormat))
	}
	return a
}

// The function "skew" returns how far a clock is ahead. A negative result means that it is behind.
func skew(d dice) time.Duration {
	by := pick(dice(d.next()), 2*time.Minute, 8*time.Minute, 20*time.Minute, 5*time.Hour, 26*time.Hour, 3*24*time.Hour)
	return pick(d, by, -by)
}
