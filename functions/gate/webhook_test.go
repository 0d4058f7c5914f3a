package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/channel"
	"github.com/idleseat/idleseat/shared/card"
)

// TestTell: the message goes to the address in the secret, and no error shows the address.
func TestTell(t *testing.T) {
	t.Parallel()
	s := channel.Start()
	t.Cleanup(s.Close)
	message := &card.Card{Subject: "seats: done, 3 changes", Next: "Nothing needs to be done."}
	for name, tc := range map[string]struct {
		secret string
		err    error
		want   string // a part of the error; empty if the channel shows the message
	}{
		"an address":        {secret: s.Teams() + "\n"},
		"no right":          {err: errors.New("AccessDeniedException"), want: "IDLESEAT_WEBHOOK_SECRET names: AccessDeniedException"},
		"JSON":              {secret: `{"webhook":"` + s.Teams() + `"}`, want: "IDLESEAT_WEBHOOK_SECRET names: it"},
		"a wrong signature": {secret: strings.ReplaceAll(s.Teams(), channel.Signature, "0ther"), want: "401 (AuthorizationFailed)"},
	} {
		before := len(s.Shown())
		c := &teller{secret: "arn:secret", transport: s.Transport(), read: func(_ context.Context, arn string) ([]byte, error) {
			if arn != "arn:secret" {
				t.Errorf("%s: %s is read", name, arn)
			}
			return []byte(tc.secret), tc.err
		}}
		err := c.tell(t.Context(), message)
		switch {
		case tc.want == "":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if d := cmp.Diff([]string{string(message.Teams())}, s.Shown()[before:]); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		case err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), channel.Signature) || strings.Contains(err.Error(), "0ther"):
			t.Errorf("%s: %v", name, err)
		}
	}
}
