// Package channel simulates the webhooks of a channel of Microsoft Teams and of Slack: an HTTPS server on loopback that
// receives posts. It answers as both vendors document, and refuses posts that their documentation does not allow.
package channel

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The secret parts of the addresses. Only the owner of a webhook may know them.
const (
	Signature = "s3cr3tS1gnature-of-Teams"
	Token     = "s3cr3tT0ken0fSlack"
)

// teamsBytes is the maximum size of a message in Teams: 28 KB (Microsoft Learn, "Create Incoming Webhooks").
const teamsBytes = 28 << 10

var (
	//go:embed teams.schema.json
	teamsSchema []byte
	//go:embed slack.schema.json
	slackSchema []byte
)

// Server simulates a channel of Teams and a channel of Slack, each at its own address.
type Server struct {
	http *httptest.Server

	mu    sync.Mutex
	posts []string
	shown []string
	fail  func(attempt int, w http.ResponseWriter) bool
}

// Start starts a channel. The caller must close the channel.
func Start() *Server {
	s := new(Server)
	s.http = httptest.NewUnstartedServer(s)
	s.http.Config.ErrorLog = nil
	s.http.StartTLS()
	return s
}

// Close stops the channel.
func (s *Server) Close() { s.http.Close() }

// Teams returns the address of a Teams workflow, with the host of the simulated channel.
func (s *Server) Teams() string {
	return s.http.URL + "/powerautomate/automations/direct/workflows/abc/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=" + Signature
}

// Slack returns the address of an incoming webhook of Slack, with Slack's host. A client reaches the simulated channel
// at this address only with Transport.
func (s *Server) Slack() string {
	return "https://hooks.slack.com/services/T00000000/B00000000/" + Token
}

// Transport returns a transport that connects to the simulated channel for each request, even if the address has
// another host.
func (s *Server) Transport() http.RoundTripper {
	t := s.http.Client().Transport.(*http.Transport).Clone()
	t.TLSClientConfig.ServerName = "example.com" // the name in httptest's certificate
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.http.Listener.Addr().String())
	}
	return t
}

// CA returns the certificate that clients must trust, in PEM.
func (s *Server) CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
}

// Fail sets a function that is called before each answer. The parameter "attempt" is the number of posts so far, from
// 1. If the function has sent an answer itself, it must return true.
func (s *Server) Fail(fail func(attempt int, w http.ResponseWriter) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// Posts returns the bodies of all posts, including refused posts.
func (s *Server) Posts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.posts...)
}

// Shown returns the bodies of the posts that the channel has accepted.
func (s *Server) Shown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.shown...)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead && r.URL.Path == "/" && r.URL.RawQuery == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has disconnected
	}
	s.mu.Lock()
	s.posts = append(s.posts, string(body))
	attempt, fail := len(s.posts), s.fail
	s.mu.Unlock()
	if fail != nil && fail(attempt, w) {
		return
	}
	status, text := teams(r, body)
	if strings.HasPrefix(r.URL.Path, "/services/") {
		status, text = slack(r, body)
	}
	if status < 300 {
		s.mu.Lock()
		s.shown = append(s.shown, string(body))
		s.mu.Unlock()
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // an error means that the client disconnected
}

// The function "teams" returns the answer of a Teams workflow (Microsoft Learn, "Call, trigger, or nest workflows by
// using HTTPS endpoints").
func teams(r *http.Request, body []byte) (status int, text string) {
	switch {
	case r.URL.Query().Get("sig") != Signature:
		return http.StatusUnauthorized, `{"error":{"code":"AuthorizationFailed","message":"The authentication credentials are not valid."}}`
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed, `{"error":{"code":"TriggerRequestMethodNotValid"}}`
	case len(body) > teamsBytes:
		return http.StatusRequestEntityTooLarge, ""
	}
	if err := Check("teams", r.Header, body); err != nil {
		return http.StatusBadRequest, `{"error":{"code":"TriggerInputSchemaMismatch","message":"` + strings.ReplaceAll(err.Error(), `"`, `'`) + `"}}`
	}
	return http.StatusAccepted, ""
}

func slack(r *http.Request, body []byte) (status int, text string) {
	switch {
	case !strings.HasSuffix(r.URL.Path, "/"+Token):
		return http.StatusNotFound, "no_service"
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed, ""
	}
	if err := Check("slack", r.Header, body); err != nil {
		return http.StatusBadRequest, "invalid_blocks"
	}
	return http.StatusOK, "ok"
}

// Check returns an error if the vendor, "teams" or "slack", would refuse a post with this header and body.
func Check(vendor string, header http.Header, body []byte) error {
	if kind, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fmt.Errorf("the content type is %q", header.Get("Content-Type"))
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	schema, err := compiled(vendor)
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

func compiled(vendor string) (*jsonschema.Schema, error) {
	text, known := map[string][]byte{"teams": teamsSchema, "slack": slackSchema}[vendor]
	if !known {
		return nil, errors.New("no vendor: " + vendor)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(vendor, v); err != nil {
		return nil, err
	}
	return c.Compile(vendor)
}
