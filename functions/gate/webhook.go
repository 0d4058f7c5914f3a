package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/card/webhook"
	"github.com/idleseat/idleseat/shared/clock"
)

// teller posts messages about the ends of executions to a channel of Teams or Slack.
type teller struct {
	secret    string // the ARN of the secret that contains the address of the webhook
	read      func(ctx context.Context, arn string) ([]byte, error)
	transport http.RoundTripper // nil for the default transport
}

// longestRead is the maximum time for the reading of the secret.
const longestRead = 20 * time.Second

// The method "tell" posts a message. It reads the address of the webhook from the secret each time, so a new address
// takes effect at once.
func (c *teller) tell(ctx context.Context, message *card.Card) error {
	reading, cancel := context.WithTimeout(ctx, longestRead)
	defer cancel()
	address, err := c.read(reading, c.secret)
	if err != nil {
		return fmt.Errorf("read the address from the secret that IDLESEAT_WEBHOOK_SECRET names: %w", err)
	}
	to, err := webhook.Parse(string(address))
	if err != nil {
		return fmt.Errorf("the secret that IDLESEAT_WEBHOOK_SECRET names: %w", err)
	}
	return (&webhook.Client{To: to, Clock: clock.Real, Transport: c.transport}).Post(ctx, message)
}
