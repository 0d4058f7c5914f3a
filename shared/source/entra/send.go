package entra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"github.com/idleseat/idleseat/shared/directory"
)

// The limits of one request.
const (
	tryTimeout   = 90 * time.Second // of one try with its body, without the waits between tries
	maxTries     = 6
	maxWait      = 5 * time.Minute  // the longest wait between tries
	maxWaits     = 10 * time.Minute // of all waits together
	premiumTries = 4                // tries while Graph says that the tenant has no premium license
	maxAnswer    = 64 << 20         // bytes of one answer
)

var errNetwork = errors.New("the network failed")

// The type "call" has the texts for error messages about a request, and the rules for its pace and repetition.
type call struct {
	what  string // "list people"
	needs string // the application permissions that the request needs
	// The field "advice" tells an operator how to allow the request. It is empty if it is enough to grant the
	// permissions in "needs".
	advice string
	paced  bool // whether listRate applies
	write  bool
	// The field "once" means that the request must not have its effect twice. The client repeats it only if Graph says
	// that it did not accept the request.
	once bool
}

// The method "failed" returns the error for a failed request. For a read, it is a *directory.UnreadError.
func (k call) failed(err error) error {
	var graph *graphError
	forbidden := errors.As(err, &graph) && errors.Is(err, ErrForbidden)
	switch {
	case forbidden && k.advice != "":
		err = fmt.Errorf("%s: %w; %s", k.what, err, k.advice)
	case forbidden && !(k.write && graph.refuses()):
		err = fmt.Errorf("%s: %w; grant the application permission %s and admin consent", k.what, err, k.needs)
	default:
		err = fmt.Errorf("%s: %w", k.what, err)
	}
	if k.write {
		return err
	}
	return &directory.UnreadError{Err: err}
}

// The method "send" sends a request and returns the body of Graph's answer. If another try may succeed, it tries again
// after the wait that Graph requests. It fails if the waits become too long.
func (c *Client) send(ctx context.Context, k call, info *abs.RequestInformation) ([]byte, error) {
	if info.Method == abs.GET {
		info.Headers.TryAdd("x-ms-throttle-priority", "low") // with this header, Graph serves interactive requests first
	} else {
		info.Headers.TryAdd("Content-Length", strconv.Itoa(len(info.Content))) // otherwise kiota sends the body in chunks
	}
	var waited time.Duration
	uncertain := false
	for try := 1; ; try++ {
		if k.paced && c.pace != nil {
			if err := c.pause(ctx, c.pace.ReserveN(c.now(), 1).DelayFrom(c.now())); err != nil {
				return nil, k.failed(err)
			}
		}
		if info.Method != abs.GET {
			if err := directory.Permit(ctx); err != nil && uncertain {
				return nil, k.failed(fmt.Errorf("%w: %w", err, directory.ErrUncertain))
			} else if err != nil {
				return nil, k.failed(err)
			}
		}
		body, err := c.try(ctx, info)
		if err == nil {
			return body, nil
		}
		if uncertain {
			err = fmt.Errorf("%w: %w", err, directory.ErrUncertain)
		}
		if ctx.Err() != nil || !worthRepeating(err, info.Method, try) || k.once && !untaken(err) {
			return nil, k.failed(err)
		}
		uncertain = info.Method != abs.GET && (uncertain || mayBeMade(err))
		if err := c.rest(ctx, err, try, &waited); err != nil {
			return nil, k.failed(err)
		}
	}
}

// The method "rest" waits after a failed try and adds the wait to "waited". It returns an error at once if no try is
// left, if the wait or the total would exceed its limit, or if the wait would last beyond the deadline of ctx.
func (c *Client) rest(ctx context.Context, failed error, try int, waited *time.Duration) error {
	wait := c.waitAfter(failed, try)
	end, bound := ctx.Deadline()
	if try == maxTries || wait > maxWait || *waited+wait > maxWaits || bound && time.Until(end) < wait {
		return fmt.Errorf("gave up after try %d, the next would be due in %s: %w", try, wait, failed)
	}
	*waited += wait
	return c.pause(ctx, wait)
}

func (c *Client) try(ctx context.Context, info *abs.RequestInformation) ([]byte, error) {
	if err := c.sign.ready(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	var (
		body   []byte
		failed error
	)
	take := abs.NewRequestHandlerOption()
	take.SetResponseHandler(func(response any, _ abs.ErrorMappings) (any, error) {
		answer := response.(*http.Response)
		body, failed = readAnswer(answer)
		c.sign.hide(failed)
		if failed == nil && info.Method == abs.GET {
			failed = c.sameTime(answer.Header.Get("Date"))
		}
		return nil, nil
	})
	info.AddRequestOptions([]abs.RequestOption{take})
	if err := c.adapter.SendNoContent(ctx, info, nil); err != nil {
		return nil, withoutURL(err)
	}
	return body, failed
}

// sameTime returns an error if the Date header of a successful answer and the clock of this machine differ too much. A
// server with a clock sends the header with every such answer (RFC 9110, section 6.6.1). The answer to a write is not
// checked, because the change is already made.
func (c *Client) sameTime(date string) error {
	told, err := http.ParseTime(date)
	if err != nil {
		return nil //nolint:nilerr // a header that is not a date does not prove that a clock is wrong
	}
	return directory.CheckClock("Microsoft Graph", told, c.now())
}

// readAnswer reads a body to its end, so that the connection can be reused.
func readAnswer(response *http.Response) ([]byte, error) {
	defer func() { _ = response.Body.Close() }() // Close of a read-only body reports nothing useful
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case response.StatusCode >= 300:
		return nil, newGraphError(response, body)
	case err != nil:
		return nil, fmt.Errorf("%w while the answer of Graph was read: %w", errNetwork, err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("the answer of Graph is larger than %d MiB", maxAnswer>>20)
	}
	return body, nil
}

// withoutURL removes the URL that net/http adds to its errors, because URLs contain names of people.
func withoutURL(err error) error {
	var failed *url.Error
	switch {
	case errors.Is(err, errRefused), errors.Is(err, errToken):
		return err
	case errors.As(err, &failed):
		return fmt.Errorf("%w: %w", errNetwork, failed.Err)
	default:
		return err
	}
}

// worthRepeating reports whether another try may help. Like Microsoft's client for Graph (kiota, retry_handler.go), it
// returns true for every request after status 429, 503 or 504. A write with 503 or 504 may have succeeded nevertheless,
// because a gateway may have lost the answer. The method "send" then marks an error of the next try as uncertain. After
// a network failure and after status 500 or 502, a write is not repeated. Its result is unknown, so the caller reads
// the result.
func worthRepeating(err error, method abs.HttpMethod, try int) bool {
	if errors.Is(err, errNetwork) {
		return method == abs.GET
	}
	var graph *graphError
	var file *fileError
	status := 0
	switch {
	case errors.As(err, &file):
		status = file.code
	case !errors.As(err, &graph):
		return false
	case graph.concurrent():
		return true
	default:
		status = graph.status
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusInternalServerError, http.StatusBadGateway:
		return method == abs.GET
	default: // Graph sometimes mistakes a tenant with a premium license for a tenant without a premium license
		return method == abs.GET && errors.Is(err, ErrNotPremium) && try < premiumTries
	}
}

// mayBeMade reports whether a write that failed with err may have succeeded. A gateway can lose the answer of the
// server behind it.
func mayBeMade(err error) bool {
	var graph *graphError
	return errors.As(err, &graph) && !graph.concurrent() && graph.status >= http.StatusInternalServerError
}

// waitAfter returns how long to wait after a failed try. The wait is as long as Graph requests. If Graph requests no
// wait, the time doubles with each try.
func (c *Client) waitAfter(err error, try int) time.Duration {
	var graph *graphError
	var file *fileError
	asked := ""
	switch {
	case errors.As(err, &graph):
		asked = graph.retryAfter
	case errors.As(err, &file):
		asked = file.retryAfter
	}
	if seconds, err := strconv.Atoi(asked); err == nil && seconds >= 0 {
		return max(time.Duration(min(seconds, 1e6))*time.Second, time.Second)
	}
	if at, err := http.ParseTime(asked); err == nil {
		return max(at.Sub(c.now()), time.Second)
	}
	return time.Second << (try - 1)
}
