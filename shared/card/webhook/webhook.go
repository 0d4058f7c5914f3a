// Package webhook posts cards to a channel of Microsoft Teams or Slack. Everybody who has the address of a webhook can
// post to the channel. So no text and no error of this package contains a secret part of the address.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/clock"
)

// Longest limits all attempts and waits of a post together.
const (
	Longest  = time.Minute
	attempts = 3
	patience = 10 * time.Second // the time limit for one answer
	mostWait = 30 * time.Second // Post does not try again after a longer pause
	mostRead = 4 << 10          // bytes of an answer that are read
)

// Client posts cards to one address.
type Client struct {
	To    *Address
	Clock clock.Clock
	// Transport sends the requests. If it is nil, the client uses the default transport, with the proxy of the
	// environment.
	Transport http.RoundTripper
}

// Post posts a card. It repeats a post after a network error, 408, 429 and 5xx. A repeated post may show the card
// twice. Post follows no redirect.
func (c *Client) Post(ctx context.Context, message *card.Card) error {
	ctx, cancel := context.WithTimeout(ctx, Longest)
	defer cancel()
	body := message.Teams()
	if c.To.slack {
		body = message.Slack()
	}
	for attempt := 1; ; attempt++ {
		wait, err := c.once(ctx, body)
		if err == nil {
			return nil
		}
		if wait = max(wait, time.Duration(attempt)*time.Second); !errors.As(err, new(passing)) || attempt == attempts || wait > mostWait || ctx.Err() != nil {
			return fmt.Errorf("%s did not take the message: %w", c.To.Vendor(), err)
		}
		if slept := c.Clock.Sleep(ctx, wait); slept != nil {
			return fmt.Errorf("%s did not take the message: %w", c.To.Vendor(), err)
		}
	}
}

type passing struct{ error }

// The method "once" posts a body one time. The result "wait" is the pause that the vendor asks for, or zero.
func (c *Client) once(ctx context.Context, body []byte) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.To.url.String(), bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("its address cannot be asked")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := c.client().Do(req)
	if err != nil {
		return 0, passing{c.To.cause(err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostRead))
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		return 0, fmt.Errorf("it answers %d, which leads elsewhere and is not followed; copy the address anew", status)
	case status >= 200 && status < 300 && err != nil:
		return 0, passing{errors.New("its answer broke off")}
	case c.To.accepted(status, text):
		return 0, nil
	}
	refused := c.To.refusal(resp.StatusCode, text)
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests || s == http.StatusRequestTimeout || s >= 500:
		return c.pause(resp.Header.Get("Retry-After")), passing{refused}
	}
	return 0, refused
}

// The method "pause" returns the pause that a Retry-After header asks for: a number of seconds or a date (RFC 9110,
// section 10.2.3). It returns zero for any other text.
func (c *Client) pause(after string) time.Duration {
	if seconds, err := strconv.ParseUint(after, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(after); err == nil {
		return at.Sub(c.Clock.Now())
	}
	return 0
}

func (c *Client) client() *http.Client {
	return &http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Reach connects to the vendor without posting. It requests the root of the host, because a request to the address
// itself may start a workflow. It does not show whether the webhook accepts messages.
func (c *Client) Reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	front := *c.To.url
	front.Path, front.RawPath, front.RawQuery, front.Fragment = "/", "", "", ""
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, front.String(), http.NoBody)
	if err != nil {
		return errors.New("its address cannot be asked")
	}
	resp, err := c.client().Do(req)
	if err != nil {
		return c.To.cause(err)
	}
	return resp.Body.Close()
}
