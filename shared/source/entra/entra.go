// Package entra reads people, licenses and groups from Microsoft Entra ID through Microsoft Graph. Its only changes in
// Entra ID are those of direct licenses and of members of groups. It also sends mail.
//
// The Graph SDK builds the requests, and azidentity gets the tokens. This package sends and repeats the requests, and
// decodes the answers, so that it can reject a list that is too short. If such a list passed unnoticed, people would
// lose licenses that they need.
package entra

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	abs "github.com/microsoft/kiota-abstractions-go"
	khttp "github.com/microsoft/kiota-http-go"
	kjson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/subscribedskus"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/time/rate"

	"github.com/idleseat/idleseat/shared/clock"
)

// listRate is the rate of requests for lists with sign-in activity. Graph allows an application five such requests per
// tenant in ten seconds. With evenly spaced requests, the client never exceeds this limit and never has to wait after a
// refusal.
const listRate = rate.Limit(0.5)

// Client sends requests to the Microsoft Graph of one tenant. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	adapter abs.RequestAdapter
	net     http.RoundTripper // the transport below the SDK's middleware
	sign    *signer
	pace    *rate.Limiter // for lists with signInActivity; nil if there is no limit
	now     func() time.Time
	pause   func(context.Context, time.Duration) error
	older   atomic.Bool // set if Graph does not have agents; see the method selecting
	// The field "mostPages" is the largest number of pages in a list.
	mostPages int
}

// New returns a client for the Graph in cfg. It sends no request. The error has all faults of cfg, joined. The client
// compares the clock "by" with the date of every successful answer to a read, so that a wrong clock is an error and not
// a wrong verdict.
func New(cfg Config, by clock.Clock) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	target, err := parseTarget(cfg.GraphURL)
	if err != nil {
		return nil, err
	}
	sign, err := cfg.signer(target)
	if err != nil {
		return nil, err
	}
	network := khttp.GetDefaultTransport()
	adapter, err := newAdapter(gate{base: target.base, next: network}, sign)
	if err != nil {
		return nil, err
	}
	c := &Client{base: target.base, adapter: adapter, net: network, sign: sign, now: by.Now, pause: by.Sleep, mostPages: mostPages}
	if target.login != nil { // a simulation on loopback has no limit for lists
		c.pace = rate.NewLimiter(listRate, 1)
	}
	return c, nil
}

// newAdapter connects the SDK to the only HTTP client of the package. It lists the middleware explicitly, because
// kiota's default list has a random order, compresses bodies, and repeats requests with damaged bodies.
func newAdapter(out gate, sign *signer) (abs.RequestAdapter, error) {
	client := &http.Client{
		Transport: khttp.NewCustomTransportWithParentTransport(
			out,
			khttp.NewParametersNameDecodingHandler(),
		),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	adapter, err := khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		sign, kjson.NewJsonParseNodeFactory(), kjson.NewJsonSerializationWriterFactory(), client)
	if err != nil {
		return nil, err
	}
	adapter.SetBaseUrl(out.base.String())
	return adapter, nil
}

// Close closes idle connections. The client remains usable.
func (c *Client) Close() { (&http.Client{Transport: c.net}).CloseIdleConnections() }

// The method "path" returns the path parameters that every request builder of the SDK needs.
func (c *Client) path() map[string]string { return map[string]string{"baseurl": c.base.String()} }

func (c *Client) users() *users.UsersRequestBuilder {
	return users.NewUsersRequestBuilderInternal(c.path(), c.adapter)
}

func (c *Client) user(id string) *users.UserItemRequestBuilder { return c.users().ByUserId(id) }

func (c *Client) groups() *groups.GroupsRequestBuilder {
	return groups.NewGroupsRequestBuilderInternal(c.path(), c.adapter)
}

func (c *Client) group(id string) *groups.GroupItemRequestBuilder { return c.groups().ByGroupId(id) }

func (c *Client) skus() *subscribedskus.SubscribedSkusRequestBuilder {
	return subscribedskus.NewSubscribedSkusRequestBuilderInternal(c.path(), c.adapter)
}

// errNotID is the error for an id that would change the meaning of a URL or a filter.
var errNotID = errors.New("not an object id, which looks like 6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0")

// isID reports whether s is an object id in canonical form.
func isID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }
