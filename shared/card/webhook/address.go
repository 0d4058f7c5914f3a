package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
)

// Address is the address of a webhook, which is a secret. No text form of an Address shows the address itself.
type Address struct {
	url   *url.URL
	slack bool
}

// mostAddress is the maximum length of an address, in bytes. Addresses of Teams have about 300 bytes.
const mostAddress = 4096

// slackHosts has the hosts of the incoming webhooks of Slack (docs.slack.dev, "Sending messages using incoming
// webhooks") and of GovSlack.
var slackHosts = []string{"hooks.slack.com", "hooks.slack-gov.com"}

// Parse reads the address of a webhook. The text must contain nothing else. The errors do not quote the text.
func Parse(secret string) (*Address, error) {
	text := strings.TrimSpace(secret)
	switch {
	case text == "":
		return nil, errors.New("it is empty; it must be the address of a webhook, and nothing else")
	case len(text) > mostAddress || text != plain.Line(text) || strings.ContainsAny(text, " \t"):
		return nil, errors.New("it must be the address of one webhook on one line, and nothing else")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil {
		return nil, errors.New("it is no address of a webhook, which begins with https://")
	}
	if u.Scheme != "https" {
		return nil, errors.New("the address of a webhook must begin with https://, so that nobody on the way reads it")
	}
	host := strings.ToLower(u.Hostname())
	a := &Address{url: u, slack: slices.Contains(slackHosts, host)}
	switch {
	case a.slack && !strings.HasPrefix(u.Path, "/services/"):
		return nil, errors.New("this address of Slack is of no incoming webhook, which has /services/ in its path; a workflow of Slack takes no blocks")
	case strings.HasSuffix(host, ".webhook.office.com") || host == "outlook.office.com" || host == "outlook.office365.com":
		return nil, errors.New("this address is of an Office 365 connector, which Microsoft has retired; make a workflow in Teams: When a Teams webhook request is received")
	}
	return a, nil
}

// Vendor returns the name of the vendor. An address whose host is not in slackHosts counts as an address of Teams.
// Teams has no fixed list of hosts, because the host of a workflow differs by region and cloud.
func (a *Address) Vendor() string {
	if a.slack {
		return "Slack"
	}
	return "Microsoft Teams"
}

// String implements fmt.Stringer.
func (a *Address) String() string { return "the webhook of " + a.Vendor() + " (address left out)" }

// GoString implements fmt.GoStringer.
func (a *Address) GoString() string { return a.String() }

// MarshalText implements encoding.TextMarshaler.
func (a *Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// The method "accepted" reports whether an answer means success. Slack answers 200 and the text "ok" (docs.slack.dev,
// "Sending messages using incoming webhooks"). A workflow of Teams answers 202 before it runs (Microsoft Learn,
// "Receive and respond to inbound HTTPS calls", default response). If it then cannot post the card, only its run
// history shows this.
func (a *Address) accepted(status int, body []byte) bool {
	if a.slack {
		return status == http.StatusOK && strings.TrimSpace(string(body)) == "ok"
	}
	return status == http.StatusOK || status == http.StatusAccepted
}

// slackCode and teamsCode match the code in an answer of Slack or Teams.
var slackCode, teamsCode = regexp.MustCompile(`^[a-z_]{1,60}$`), regexp.MustCompile(`^[A-Za-z]{1,60}$`)

// The method "refusal" describes an answer that does not mean success. It shows only the status and the code, because
// other parts of the answer may repeat the address. Slack answers with a code as text
// (api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks). A workflow of Teams answers with JSON,
// and the code is in the member error.code.
func (a *Address) refusal(status int, body []byte) error {
	code := ""
	if a.slack {
		code = slackCode.FindString(strings.TrimSpace(string(body)))
	} else {
		var of struct{ Error struct{ Code string } }
		_ = json.Unmarshal(body, &of) // a text that is not JSON has no code
		code = teamsCode.FindString(of.Error.Code)
	}
	text := fmt.Sprintf("it answers %d", status)
	if code != "" && !strings.Contains(a.url.String(), code) {
		text += " (" + code + ")"
	}
	if means := remedies[code]; means != "" {
		return errors.New(text + ": " + means)
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return errors.New(text + ": the webhook is gone or does not let us in; make a new one and store its address")
	case http.StatusTooManyRequests:
		return errors.New(text + ": too many messages in a short time")
	}
	return errors.New(text)
}

// The map "remedies" says, for the codes of Slack and of Teams, what is wrong and what an operator can do. The comment
// of the method "refusal" has the address of the list of codes of Slack.
var remedies = map[string]string{
	"action_prohibited":                   "an administrator of the workspace does not allow it to post there",
	"channel_not_found":                   "its channel does not exist; make a new webhook and store its address",
	"channel_is_archived":                 "its channel is archived; make a webhook of another channel and store its address",
	"no_service":                          "it was removed or switched off; make a new webhook and store its address",
	"WorkflowTriggerIsNotEnabled":         "the workflow is switched off; switch it on in Teams",
	"DirectApiAuthorizationRequired":      "the signature in its address is missing; copy the whole address anew",
	"AuthorizationFailed":                 "the signature in its address is wrong; copy the whole address anew",
	"DirectApiInvalidAuthorizationScheme": "the workflow lets only signed-in people post; allow anyone to trigger it",
}

// The method "cause" returns why a request got no answer. The text does not contain the address.
func (a *Address) cause(err error) error {
	var whole *url.Error
	if errors.As(err, &whole) {
		err = whole.Err
	}
	var unknown *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("it did not answer in time")
	case errors.Is(err, context.Canceled):
		return errors.New("the wait for its answer was broken off")
	case errors.As(err, &unknown):
		return errors.New("its host is not found by DNS")
	}
	text := err.Error()
	for _, part := range []string{a.url.String(), a.url.RequestURI(), a.url.Host, a.url.Hostname()} {
		text = strings.ReplaceAll(text, part, "(address left out)")
	}
	return fmt.Errorf("it cannot be reached: %s", plain.Line(text))
}
