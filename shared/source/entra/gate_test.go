package entra

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	abs "github.com/microsoft/kiota-abstractions-go"
)

// TestGate: only requests that the gate allows leave the process. It does not allow a request that Graph would treat
// as the deletion of a user.
func TestGate(t *testing.T) {
	t.Parallel()
	const base = "https://graph.microsoft.com/v1.0"
	group, user := base+"/groups/"+groupA, base+"/users/"+userA
	tests := []struct {
		method, url string
		pass        bool
	}{
		{"GET", base + "/users", true},
		{"GET", base + "/users?$skiptoken=..%2F..", true},
		{"GET", "https://graph.microsoft.com/beta/users", false},
		{"GET", "https://graph.microsoft.com/v1.0evil/users", false},
		{"GET", base + "/../beta/users", false},
		{"GET", base + "/%2e%2e/beta/users", false},
		{"GET", "http://graph.microsoft.com/v1.0/users", false},
		{"GET", "https://graph.microsoft.com:444/v1.0/users", false},
		{"GET", "https://a@graph.microsoft.com/v1.0/users", false},
		{"GET", "https://evil.example/v1.0/users", false},
		{"DELETE", group + "/members/" + userA + "/$ref", true},
		{"DELETE", group + "/members/" + userA + "/%24ref", false},
		{"DELETE", group + "/members/" + userA, false},
		{"DELETE", group + "/members/" + userA + "?/$ref", false},
		{"DELETE", group + "/members/" + userA + "#/$ref", false},
		{"DELETE", group + "/members/" + userA + "/$ref/..", false},
		{"DELETE", group + "/members/" + userA + "%2F$ref", false},
		{"DELETE", group + "/members//$ref", false},
		{"DELETE", group + "/owners/" + userA + "/$ref", false},
		{"DELETE", group, false},
		{"DELETE", user, false},
		{"DELETE", user + "/$ref", false},
		{"POST", base + "/users/licenses@contoso.example/sendMail", true},
		{"POST", base + "/users/licenses%40contoso.example/sendMail", true},
		{"POST", user + "/sendMail", false},
		{"POST", base + "/me/sendMail", false},
		{"POST", base + "/users/a@x.example/b/sendMail", false},
		{"POST", base + "/users/a@x.example/messages", false},
		{"POST", base + "/users/a@x.example/sendMail/", false},
		{"POST", user + "/assignLicense", true},
		{"POST", group + "/members/$ref", true},
		{"POST", base + "/users", false},
		{"POST", base + "/$batch", false},
		{"POST", user + "/revokeSignInSessions", false},
		{"PATCH", user, false},
		{"PUT", user, false},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(tt.method, tt.url, nil)
		sent := &sink{}
		g := gate{base: mustURL(t, base), next: sent}
		_, err := g.RoundTrip(r)
		if tt.pass != (err == nil) || tt.pass != sent.reached {
			t.Errorf("%s %s: error %v, sent %t, want sent %t", tt.method, tt.url, err, sent.reached, tt.pass)
		}
		if err != nil && !errors.Is(err, errRefused) {
			t.Errorf("%s %s: error %v is no refusal", tt.method, tt.url, err)
		}
	}
}

type sink struct{ reached bool }

func (s *sink) RoundTrip(*http.Request) (*http.Response, error) {
	s.reached = true
	return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody}, nil
}

func mustURL(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestClientCannotDeleteAnything sends requests of the SDK through the client, and shows that the client uses the
// gate.
func TestClientCannotDeleteAnything(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	user, err := f.user(userA).ToDeleteRequestInformation(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	group, err := f.group(groupA).ToDeleteRequestInformation(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	member := abs.NewRequestInformation()
	member.Method = abs.DELETE
	member.SetUri(*mustURL(t, f.base.String()+"/groups/"+groupA+"/members/"+userA))
	for _, info := range []*abs.RequestInformation{user, group, member} {
		if _, err := f.send(t.Context(), call{what: "delete"}, info); !errors.Is(err, errRefused) {
			t.Errorf("error %v, want a refusal", err)
		}
	}
	if diff := cmp.Diff([]string(nil), f.asked); diff != "" {
		t.Error(diff)
	}
}
