package entra

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// errRefused is the error for a request that this package must not send.
var errRefused = errors.New("refused to send")

// The map "writes" has the only changes that may leave this process, by method. Without /$ref at the end, a DELETE of
// a member would delete the user, and not the membership.
var writes = map[string]*regexp.Regexp{
	http.MethodPost:   regexp.MustCompile(`^/(users/` + id + `/assignLicense|groups/` + id + `/members/\$ref|users/` + mailbox + `/sendMail)$`),
	http.MethodDelete: regexp.MustCompile(`^/groups/` + id + `/members/` + id + `/\$ref$`),
}

const id = `[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`

// The constant "mailbox" matches the address of a mailbox in a path, with the characters that a policy may use.
const mailbox = `[A-Za-z0-9._+%-]+(?:@|%40)[A-Za-z0-9.-]+`

// The type "gate" is the last step before the network. It checks every request, whichever code built it. It sends only
// reads and the changes in "writes", and only to the base URL. The only exception is betaReport.
type gate struct {
	base *url.URL
	next http.RoundTripper
}

// RoundTrip sends a request if admit allows it.
func (g gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.admit(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper must always close the body
		}
		return nil, err
	}
	response, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Header.Del("WWW-Authenticate") // the SDK's parser of challenges can panic
	return response, nil
}

// betaReport matches the only read outside the base URL. Some older tenants have this report only in the beta version
// of Graph.
var betaReport = regexp.MustCompile(`^/beta/reports/getMicrosoft365CopilotUsageUserDetail\(period='D180'\)$`)

func (g gate) admit(r *http.Request) error {
	if r.Method == http.MethodGet && within(&url.URL{Scheme: g.base.Scheme, Host: g.base.Host, Path: "/beta"}, r.URL) == nil && betaReport.MatchString(r.URL.Path) {
		return nil
	}
	if err := within(g.base, r.URL); err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	if r.Method == http.MethodGet {
		return nil
	}
	rest := strings.TrimPrefix(r.URL.EscapedPath(), g.base.EscapedPath())
	if allowed := writes[r.Method]; allowed == nil || !allowed.MatchString(rest) {
		return fmt.Errorf("%w: %s %s is none of the writes this program may make", errRefused, r.Method, rest)
	}
	return nil
}

// The function "within" returns an error unless u lies below base. The token for base may be sent only to URLs below
// base.
func within(base, u *url.URL) error {
	clean := path.Clean(u.Path)
	below := clean == path.Clean(base.Path) || strings.HasPrefix(clean, base.Path+"/")
	if u.Scheme != base.Scheme || !strings.EqualFold(u.Host, base.Host) || u.User != nil || u.Opaque != "" || !below {
		return fmt.Errorf("%s://%s%s lies outside %s", u.Scheme, u.Host, u.EscapedPath(), base)
	}
	return nil
}
