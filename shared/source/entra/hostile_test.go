package entra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/rows"
)

const secretToken = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.c2VjcmV0"

type fixedToken struct{}

func (fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: secretToken, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// The type "stranger" is a server that no request of the client may reach.
type stranger struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newStranger(t *testing.T) *stranger {
	t.Helper()
	s := &stranger{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header.Get("Authorization")))
		fmt.Fprint(w, `{"value":[]}`)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestTheTokenStays sends hostile answers of Graph. No request may leave the base URL, no list may be read forever,
// and no error may contain the token.
func TestTheTokenStays(t *testing.T) {
	t.Parallel()
	other := newStranger(t)
	elsewhere := strings.TrimPrefix(other.URL, "http://")
	port := strings.TrimPrefix(elsewhere, "127.0.0.1:")
	places := map[string]string{ // $base is the address of the fake Graph
		"another host":            other.URL + "/v1.0/users?$skiptoken=x",
		"another host, no scheme": "//" + elsewhere + "/v1.0/users",
		"another name of it":      "http://localhost:" + port + "/v1.0/users",
		"https":                   "https://" + elsewhere + "/v1.0/users",
		"Graph as the user":       "http://graph.microsoft.com@" + elsewhere + "/v1.0/users",
		"Graph before a dot":      "http://graph.microsoft.com." + elsewhere + "/v1.0/users",
		"a password":              strings.Replace(other.URL, "://", "://a:b@", 1) + "/v1.0/users",
		"a backslash":             "http:\\\\" + elsewhere + "\\v1.0\\users",
		"a file":                  "file:///etc/passwd",
		"no slashes":              "http:" + elsewhere,
		"metadata of a machine":   "http://169.254.169.254/latest/meta-data/",
		"no address":              "http://[::1",
		"a control":               "http://127.0.0.1:" + port + "/v1.0/\r\nX: y",
	}
	within := map[string]string{
		"beta":                  "$origin/beta/users",
		"up and down":           "$base/../beta/users",
		"up and down, encoded":  "$base/%2e%2e/beta/users",
		"a name that begins so": "$origin/v1.0evil/users",
		"relative":              "/v1.0/users?$skiptoken=x",
	}
	type reading func(*fake) error
	people := func(f *fake) error {
		return f.ListPeople(t.Context(), "", func([]directory.EntraUser, string) error { return nil })
	}
	write := func(f *fake) error {
		return f.ChangeLicenses(t.Context(), userA, []directory.Assignment{{SKU: skuEXO}}, []string{skuE3})
	}
	try := func(t *testing.T, do reading, play ...answer) {
		t.Helper()
		f := newFake(t, play...)
		f.sign.credential = fixedToken{}
		for i := range f.play {
			for name, value := range f.play[i].header {
				f.play[i].header[name] = strings.NewReplacer("$base", f.server.URL+"/v1.0", "$origin", f.server.URL).Replace(value)
			}
			f.play[i].body = strings.ReplaceAll(f.play[i].body, "$origin", f.server.URL)
		}
		err := do(f)
		if err == nil || strings.Contains(err.Error(), secretToken) {
			t.Errorf("error %v", err)
		}
		if len(f.asked) != 1 || !strings.Contains(f.heads[0].Get("Authorization"), secretToken) {
			t.Errorf("asked %q with %q", f.asked, f.heads)
		}
		if len(f.play) > 0 && len(play) == 1 {
			t.Error("the answer was not used")
		}
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, place := range places {
			if strings.ContainsAny(place, "\r\n") {
				continue // Go's server cannot send this header
			}
			t.Run(fmt.Sprint(status, " to ", name), func(t *testing.T) {
				t.Parallel()
				redirect := answer{status: status, header: map[string]string{"Location": place}, body: `{"value":[]}`}
				if name != "no address" { // net/http treats a redirect without an address as broken, so the client repeats a read
					try(t, people, redirect)
				}
				try(t, write, redirect)
			})
		}
		t.Run(fmt.Sprint(status, " to itself"), func(t *testing.T) {
			t.Parallel()
			redirect := answer{status: status, header: map[string]string{"Location": "$base/users"}, body: "{}"}
			try(t, people, redirect)
			try(t, write, redirect)
		})
	}
	for name, link := range within {
		places[name] = link
	}
	for name, link := range places {
		t.Run("next link to "+name, func(t *testing.T) {
			t.Parallel()
			try(t, people, answer{body: `{"@odata.nextLink":` + quoted(link) + `,"value":[{"id":"` + userA + `"}]}`})
		})
	}
	t.Run("an error that shows the request", func(t *testing.T) {
		t.Parallel()
		shown := failure(400, "Bad "+secretToken, "Authorization: Bearer "+secretToken)
		shown.header = map[string]string{"request-id": secretToken, "Retry-After": secretToken}
		try(t, people, shown)
		try(t, write, shown)
	})
	t.Cleanup(func() {
		if len(other.asked) > 0 {
			t.Errorf("a stranger was asked: %q", other.asked)
		}
	})
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", `\r`, "\n", `\n`).Replace(text) + `"`
}

// TestReportGetsNoToken: the host of a report's file gets no token, and the client follows no redirect from it.
func TestReportGetsNoToken(t *testing.T) {
	t.Parallel()
	other := newStranger(t)
	for name, place := range map[string]string{"at once": other.URL + "/report", "by a second redirect": "$base/report"} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, answer{status: 302, header: map[string]string{"Location": place}}, answer{status: 302, header: map[string]string{"Location": other.URL + "/second"}})
			f.play[0].header["Location"] = strings.ReplaceAll(place, "$base", f.server.URL+"/v1.0")
			f.sign.credential = fixedToken{}
			if err := f.Mailboxes(t.Context(), func(directory.Mailbox) error { return nil }); err == nil {
				t.Error("no error")
			}
			for i, head := range f.heads {
				if has := head.Get("Authorization") != ""; has != (i == 0) {
					t.Errorf("request %d, %s, has a token: %t", i, f.asked[i], has)
				}
			}
		})
	}
	if !slices.Equal(other.asked, []string{"GET /report "}) {
		t.Errorf("the stranger was asked %q", other.asked)
	}
}

// TestListWithoutEnd: if every page of a list links to a new page, the reading ends with an error.
func TestListWithoutEnd(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string]string{"of pages with people": `{"id":"` + userA + `"}`, "of empty pages": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n++
				w.Header().Set("Date", today.Format(http.TimeFormat))
				fmt.Fprintf(w, `{"@odata.nextLink":"%s/v1.0/users?$skiptoken=%d","value":[%s]}`, server.URL, n, entries)
			}))
			defer server.Close()
			c, err := New(Config{GraphURL: server.URL + "/v1.0", Auth: AuthDefault}, clock.Real)
			if err != nil {
				t.Fatal(err)
			}
			c.now = func() time.Time { return today }
			if entries != "" {
				c.mostPages = 30
			}
			err = c.ListPeople(t.Context(), "", func([]directory.EntraUser, string) error { return nil })
			if err == nil || !strings.Contains(err.Error(), "has not ended after") || n > mostEmpty+2 {
				t.Errorf("%d pages, error %v", n, err)
			}
		})
	}
}

// TestReportWithoutEnd: if a quotation mark in a report is never closed, the rest of the file is a single field. The
// reading then ends with an error.
func TestReportWithoutEnd(t *testing.T) {
	t.Parallel()
	header := strings.Join([]string{columnRefreshed, columnName, columnDeleted, columnStorage, columnArchive, columnRecoverable}, ",")
	endless := &endlessReader{}
	err := readMailboxes(io.MultiReader(strings.NewReader(header+"\n\""), endless), today, func(directory.Mailbox) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "a row is longer") || endless.read > 2*rows.Longest {
		t.Errorf("%d bytes read, error %v", endless.read, err)
	}
}

type endlessReader struct{ read int }

func (e *endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	if e.read += len(p); e.read > 1<<26 {
		return 0, errors.New("nobody stopped reading")
	}
	return len(p), nil
}
