package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/channel"
	"github.com/idleseat/idleseat/shared/card"
)

// The type "naps" is a clock that does not wait. It records the requested durations.
type naps struct {
	mu    sync.Mutex
	slept []time.Duration
}

var now = time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)

func (n *naps) Now() time.Time { return now }

func (n *naps) Sleep(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slept = append(n.slept, d)
	return ctx.Err()
}

var message = &card.Card{Subject: "seats: done, 3 changes", Tone: card.Good, Facts: []card.Fact{{Heading: "Run", Text: "r"}}, Next: "Nothing needs to be done.", Report: "https://reports.example/r"}

func client(t *testing.T, s *channel.Server, address string) (*Client, *naps) {
	t.Helper()
	to, err := Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	clock := new(naps)
	return &Client{To: to, Clock: clock, Transport: s.Transport()}, clock
}

func secretless(t *testing.T, text string) {
	t.Helper()
	for _, part := range []string{channel.Signature, channel.Token, "T00000000", "/workflows/", "sig="} {
		if strings.Contains(text, part) {
			t.Errorf("%q is in %q", part, text)
		}
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	s := channel.Start()
	t.Cleanup(s.Close)
	for _, address := range []string{s.Teams(), s.Slack()} {
		c, clock := client(t, s, address)
		if err := c.Post(t.Context(), message); err != nil || len(clock.slept) > 0 {
			t.Errorf("%v: %v, waited %v", c.To, err, clock.slept)
		}
	}
	if d := cmp.Diff([]string{string(message.Teams()), string(message.Slack())}, s.Shown()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestPostThatFails: the error shows the code in the vendor's answer. The client repeats a post only if another attempt
// may succeed.
func TestPostThatFails(t *testing.T) {
	t.Parallel()
	says := func(status int, body string, header ...string) func(int, http.ResponseWriter) bool {
		return func(_ int, w http.ResponseWriter) bool {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body) // an error means that the client disconnected
			return true
		}
	}
	first := func(fail func(int, http.ResponseWriter) bool) func(int, http.ResponseWriter) bool {
		return func(attempt int, w http.ResponseWriter) bool { return attempt == 1 && fail(attempt, w) }
	}
	cut := func(_ int, w http.ResponseWriter) bool {
		c, _, err := w.(http.Hijacker).Hijack()
		return err == nil && c.Close() == nil
	}
	for name, tc := range map[string]struct {
		slack bool
		fail  func(int, http.ResponseWriter) bool
		want  string // a part of the error; empty if the channel shows the message
		posts int
		slept []time.Duration
	}{
		"removed":                     {slack: true, fail: says(404, "no_service"), want: "Slack did not take the message: it answers 404 (no_service): it was removed", posts: 1},
		"archived":                    {slack: true, fail: says(410, "channel_is_archived\n"), want: "410 (channel_is_archived): its channel is archived", posts: 1},
		"an unknown code":             {slack: true, fail: says(400, "invalid_blocks"), want: "it answers 400 (invalid_blocks)", posts: 1},
		"no ok":                       {slack: true, fail: says(200, "<html>sign in</html>"), want: "it answers 200", posts: 1},
		"its own address":             {slack: true, fail: says(404, "services"), want: "it answers 404: the webhook is gone", posts: 1},
		"echoes the address":          {fail: says(400, `{"error":{"code":"`+channel.Signature+`","message":"`+channel.Signature+`"}}`), want: "it answers 400", posts: 1},
		"the workflow is off":         {fail: says(400, `{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"x"}}`), want: "the workflow is switched off", posts: 1},
		"no JSON":                     {fail: says(403, "<html>"), want: "Microsoft Teams did not take the message: it answers 403: the webhook is gone or does not let us in", posts: 1},
		"too large":                   {fail: says(413, ""), want: "it answers 413", posts: 1},
		"elsewhere":                   {fail: says(302, "", "Location", "https://evil.example/"+channel.Signature), want: "302, which leads elsewhere and is not followed", posts: 1},
		"elsewhere with the body":     {fail: says(308, "", "Location", "/again"), want: "308, which leads elsewhere", posts: 1},
		"busy once":                   {slack: true, fail: first(says(429, "rate_limited", "Retry-After", "7")), posts: 2, slept: []time.Duration{7 * time.Second}},
		"busy until a date":           {fail: first(says(429, "", "Retry-After", now.Add(9*time.Second).Format(http.TimeFormat))), posts: 2, slept: []time.Duration{9 * time.Second}},
		"busy without a word":         {fail: first(says(429, "")), posts: 2, slept: []time.Duration{time.Second}},
		"busy for a time in the past": {fail: first(says(429, "", "Retry-After", now.Add(-time.Hour).Format(http.TimeFormat))), posts: 2, slept: []time.Duration{time.Second}},
		"busy for an hour":            {slack: true, fail: says(429, "rate_limited", "Retry-After", "3600"), want: "it answers 429 (rate_limited): too many messages", posts: 1},
		"busy for ever":               {fail: says(503, "", "Retry-After", "99999999999999999999"), want: "it answers 503", posts: 3, slept: []time.Duration{time.Second, 2 * time.Second}},
		"a fault once":                {slack: true, fail: first(says(500, "rollup_error")), posts: 2, slept: []time.Duration{time.Second}},
		"cut off once":                {fail: first(cut), posts: 2, slept: []time.Duration{time.Second}},
		"cut off always":              {fail: cut, want: "it cannot be reached", posts: 3, slept: []time.Duration{time.Second, 2 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := channel.Start()
			t.Cleanup(s.Close)
			s.Fail(tc.fail)
			address := s.Teams()
			if tc.slack {
				address = s.Slack()
			}
			c, clock := client(t, s, address)
			err := c.Post(t.Context(), message)
			if tc.want == "" && (err != nil || len(s.Shown()) != 1) || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || len(s.Shown()) > 0) {
				t.Errorf("%v, shown %d", err, len(s.Shown()))
			}
			if d := cmp.Diff(tc.slept, clock.slept); d != "" || len(s.Posts()) != tc.posts {
				t.Errorf("%d posts, waits (-want +got):\n%s", len(s.Posts()), d)
			}
			secretless(t, fmt.Sprint(err))
		})
	}
}

func TestPostThatReachesNobody(t *testing.T) {
	t.Parallel()
	s := channel.Start()
	t.Cleanup(s.Close)
	gone := channel.Start()
	gone.Close()
	ended, end := context.WithCancel(t.Context())
	end()
	for name, tc := range map[string]struct {
		ctx       context.Context
		address   string
		transport http.RoundTripper
		want      string
	}{
		"nobody listens": {t.Context(), gone.Teams(), gone.Transport(), "it cannot be reached"},
		"nobody trusts":  {t.Context(), s.Teams(), http.DefaultTransport, "certificate"},
		"no such host":   {t.Context(), "https://webhook.invalid/services/?sig=" + channel.Signature, http.DefaultTransport, "did not take the message"},
		"broken off":     {ended, s.Teams(), s.Transport(), "broken off"},
		"quotes it":      {t.Context(), s.Teams(), failing{}, "(address left out)"},
	} {
		c, _ := client(t, s, tc.address)
		c.Transport = tc.transport
		err := c.Post(tc.ctx, message)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
		secretless(t, fmt.Sprint(err))
	}
	if len(s.Shown()) > 0 {
		t.Errorf("shown: %q", s.Shown())
	}
}

type failing struct{}

func (failing) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, errors.New("proxy refused " + r.URL.String() + " of " + r.URL.Host)
}

func TestReach(t *testing.T) {
	t.Parallel()
	s := channel.Start()
	c, _ := client(t, s, s.Teams())
	if err := c.Reach(t.Context()); err != nil || len(s.Posts()) > 0 {
		t.Errorf("%v, %d posts", err, len(s.Posts()))
	}
	s.Close()
	if err := c.Reach(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("%v", err)
	} else {
		secretless(t, err.Error())
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	const sig = "?sig=" + channel.Signature
	for address, want := range map[string]string{
		"https://hooks.slack.com/services/T0/B0/x\n":                                                         "Slack",
		"https://HOOKS.slack-gov.com/services/T0/B0/x":                                                       "Slack",
		"https://prod-12.westeurope.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke" + sig:      "Microsoft Teams",
		"https://default1.0a.environment.api.powerplatform.com:443/powerautomate/automations/direct/x" + sig: "Microsoft Teams",
		"https://hooks.slack.com/triggers/T0/1/x":                                                            "! a workflow of Slack takes no blocks",
		"https://contoso.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d":                               "! Microsoft has retired",
		"http://hooks.slack.com/services/T0/B0/" + channel.Token:                                             "! must begin with https://",
		"hooks.slack.com/services/T0/B0/" + channel.Token:                                                    "! begins with https://",
		"https://user:" + channel.Token + "@hooks.slack.com/services/x":                                      "! begins with https://",
		"https:///services/" + channel.Token:                                                                 "! begins with https://",
		"https://hooks.slack.com/services/T0/B0/%zz" + channel.Token:                                         "! begins with https://",
		"":    "! it is empty",
		" \n": "! it is empty",
		`{"url":"https://hooks.slack.com/services/` + channel.Token + `"}`: "! begins with https://",
		"https://a.example/1" + sig + "\nhttps://a.example/2":              "! on one line",
		"https://a.example/" + strings.Repeat("x", mostAddress):            "! on one line",
		"https://a.example/\u202e" + sig:                                   "! on one line",
	} {
		a, err := Parse(address)
		if refused, is := strings.CutPrefix(want, "! "); is {
			if err == nil || !strings.Contains(err.Error(), refused) {
				t.Errorf("%q: %v, %v", address, a, err)
			}
			secretless(t, fmt.Sprint(err))
			continue
		}
		if err != nil || a.Vendor() != want {
			t.Errorf("%q: %v, %v", address, a, err)
		}
	}
}

func TestAddressIsNotShown(t *testing.T) {
	t.Parallel()
	s := channel.Start()
	t.Cleanup(s.Close)
	for _, address := range []string{s.Teams(), s.Slack()} {
		a, err := Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{fmt.Sprint(a), fmt.Sprintf("%v %+v %#v %q %s", a, a, a, a, a), string(text)} {
			secretless(t, shown)
			if !strings.Contains(shown, "address left out") {
				t.Errorf("%q", shown)
			}
		}
	}
}
