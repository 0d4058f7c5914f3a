package entra

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
)

// The errors that callers distinguish.
var (
	ErrNotPremium = errors.New("the tenant has no Microsoft Entra ID P1 or P2 license, which sign-in dates need")
	ErrForbidden  = errors.New("access refused by Graph")
	ErrThrottled  = errors.New("throttled by Graph for longer than this program waits")
)

// The list "refusals" maps texts in Graph's messages to reasons, because only the message distinguishes the refusals.
var refusals = []struct{ text, reason string }{
	{inherited, "the license comes from a group; take the person out of that group instead"},
	{"does not have any available licenses", "no free seat of the license is left; buy one or free one first"},
	{"invalid usage location", "the person has no valid usage location; set usageLocation first"},
	{"depends on the service plan", "another plan of the person depends on this license; change both together"},
	{"mutually exclusive", "the license conflicts with another one the person holds; the two exclude each other"},
	{"on-premises mastered", "the group is synchronized from Active Directory; change its members there"},
	{"originated within an external service", "the group belongs to Exchange; change its members there"},
	{"dynamic membership", reasonDynamic},
	{"restricted management", reasonRestricted},
}

// The constant "inherited" is a part of Graph's message if the license to be removed comes from a group.
const inherited = "inherited from a group"

const (
	reasonDynamic        = "the group is dynamic; its rule decides who belongs to it"
	reasonRestricted     = "it belongs to a restricted management administrative unit, in which only administrators of that unit may change it"
	reasonRoleAssignable = "the group can carry administrator roles; this program must not have the right to change it"
)

// The function "refused" returns a *directory.Refusal if err is Graph's refusal of a write, and any other error
// unchanged. Without a reason in "refusals", the Refusal quotes Graph's message.
func refused(err error) error {
	var graph *graphError
	if errors.Is(err, directory.ErrUncertain) || !errors.As(err, &graph) || !graph.refuses() {
		return err
	}
	for _, r := range refusals {
		if graph.says(r.text) {
			return &directory.Refusal{Reason: r.reason, Err: err}
		}
	}
	return &directory.Refusal{Reason: fmt.Sprintf("Graph refused it: %q", graph.message), Err: err}
}

// graphError is an answer of Graph with a status of 300 or more.
type graphError struct {
	status     int
	code       string
	message    string
	requestID  string
	retryAfter string
	location   string // the target of a redirect
}

func newGraphError(response *http.Response, body []byte) *graphError {
	var envelope struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &envelope, tolerant) // an HTML answer of a proxy leaves the code and the message empty, so only the status counts
	return &graphError{
		status:     response.StatusCode,
		code:       plain.Line(envelope.Error.Code),
		message:    envelope.Error.Message,
		requestID:  plain.Line(response.Header.Get("request-id")),
		retryAfter: plain.Line(response.Header.Get("Retry-After")),
		location:   response.Header.Get("Location"),
	}
}

// Error returns Graph's answer on one line.
func (e *graphError) Error() string {
	var b strings.Builder
	if kind := e.kind(); kind != nil {
		fmt.Fprintf(&b, "%s: ", kind)
	}
	fmt.Fprintf(&b, "Graph answered %d %s", e.status, http.StatusText(e.status))
	if e.code+e.message != "" {
		fmt.Fprintf(&b, ", %s: %q", e.code, e.message)
	}
	if e.retryAfter != "" {
		fmt.Fprintf(&b, " (Retry-After: %s)", e.retryAfter)
	}
	if e.requestID != "" {
		fmt.Fprintf(&b, " (request-id %s)", e.requestID)
	}
	return b.String()
}

// Unwrap returns the sentinel error for the answer, or nil.
func (e *graphError) Unwrap() error { return e.kind() }

func (e *graphError) kind() error {
	switch {
	case e.code == "Authentication_RequestFromNonPremiumTenantOrB2CTenant":
		return ErrNotPremium
	case e.status == http.StatusForbidden:
		return ErrForbidden
	case e.status == http.StatusTooManyRequests, e.retryAfter != "":
		return ErrThrottled
	default:
		return nil
	}
}

// The method "concurrent" reports whether another client changed the same object at the same time. The request then
// changed nothing, and another try may succeed. Graph answers with status 409 (nais/azurerator#448) or 503
// (azure-cli#23081).
func (e *graphError) concurrent() bool { return e.code == "Directory_ConcurrencyViolation" }

// The method "refuses" reports whether Graph understood the request and refuses it: status 400, status 409 without a
// concurrent change, or status 403 with a message that does not say that a permission is missing.
func (e *graphError) refuses() bool {
	switch e.status {
	case http.StatusBadRequest:
		return true
	case http.StatusConflict:
		return !e.concurrent()
	case http.StatusForbidden:
		return e.message != "" && !e.lacksPermission()
	}
	return false
}

func (e *graphError) lacksPermission() bool {
	return e.status == http.StatusForbidden && e.code == "Authorization_RequestDenied" && e.says("insufficient privileges") && !e.says("administrative unit")
}

func (e *graphError) says(text string) bool {
	return strings.Contains(strings.ToLower(e.message), text)
}

// The function "answered" reports whether err is an answer of Graph with the given status.
func answered(err error, status int) bool {
	var graph *graphError
	return errors.As(err, &graph) && graph.status == status
}

// The function "says" reports whether Graph answered with status 400, and with a message that contains "text" in any
// letter case. The argument must be in lower case.
func says(err error, text string) bool {
	var graph *graphError
	return errors.As(err, &graph) && graph.status == http.StatusBadRequest && graph.says(text)
}
