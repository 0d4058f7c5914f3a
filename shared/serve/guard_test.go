package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/store"
)

const testPort = "8420"

func siteOf(s store.Store) *Site {
	return New(Settings{Store: s, Location: "/srv/acme", Clock: clock.Real, Next: func(command string) string { return "idleseat " + command }})
}

func request(s *Site, method, target string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:" + testPort
	r.AddCookie(&http.Cookie{Name: "idleseat_" + testPort, Value: s.Keys.pass})
	return r
}

func answerTo(s *Site, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler(testPort).ServeHTTP(w, r)
	return w
}

func TestWhoMayPass(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"the browser":               {func(*http.Request) {}, http.StatusOK},
		"localhost":                 {func(r *http.Request) { r.Host = "localhost:8420" }, http.StatusOK},
		"letter case":               {func(r *http.Request) { r.Host = "LocalHost:8420" }, http.StatusOK},
		"IPv6":                      {func(r *http.Request) { r.Host = "[::1]:8420" }, http.StatusOK},
		"HEAD":                      {func(r *http.Request) { r.Method = http.MethodHead }, http.StatusOK},
		"a link here":               {func(r *http.Request) { fetched(r, "same-origin", "navigate", "document") }, http.StatusOK},
		"a script here":             {func(r *http.Request) { fetched(r, "same-origin", "cors", "empty") }, http.StatusOK},
		"typed":                     {func(r *http.Request) { fetched(r, "none", "navigate", "document") }, http.StatusOK},
		"a link elsewhere":          {func(r *http.Request) { fetched(r, "cross-site", "navigate", "document") }, http.StatusOK},
		"own origin":                {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:8420") }, http.StatusOK},
		"rebound name":              {func(r *http.Request) { r.Host = "evil.example:8420" }, http.StatusMisdirectedRequest},
		"rebound name without port": {func(r *http.Request) { r.Host = "evil.example" }, http.StatusMisdirectedRequest},
		"name that starts right":    {func(r *http.Request) { r.Host = "localhost.evil.example:8420" }, http.StatusMisdirectedRequest},
		"another port":              {func(r *http.Request) { r.Host = "127.0.0.1:8421" }, http.StatusMisdirectedRequest},
		"no port":                   {func(r *http.Request) { r.Host = "127.0.0.1" }, http.StatusMisdirectedRequest},
		"no host":                   {func(r *http.Request) { r.Host = "" }, http.StatusMisdirectedRequest},
		"dot at the end":            {func(r *http.Request) { r.Host = "localhost.:8420" }, http.StatusMisdirectedRequest},
		"another loopback":          {func(r *http.Request) { r.Host = "127.0.0.2:8420" }, http.StatusMisdirectedRequest},
		"decimal address":           {func(r *http.Request) { r.Host = "2130706433:8420" }, http.StatusMisdirectedRequest},
		"POST":                      {func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		"PUT":                       {func(r *http.Request) { r.Method = http.MethodPut }, http.StatusMethodNotAllowed},
		"DELETE":                    {func(r *http.Request) { r.Method = http.MethodDelete }, http.StatusMethodNotAllowed},
		"OPTIONS":                   {func(r *http.Request) { r.Method = http.MethodOptions }, http.StatusMethodNotAllowed},
		"TRACE":                     {func(r *http.Request) { r.Method = http.MethodTrace }, http.StatusMethodNotAllowed},
		"made up":                   {func(r *http.Request) { r.Method = "GETS" }, http.StatusMethodNotAllowed},
		"a script elsewhere":        {func(r *http.Request) { fetched(r, "cross-site", "no-cors", "empty") }, http.StatusForbidden},
		"a picture elsewhere":       {func(r *http.Request) { fetched(r, "cross-site", "no-cors", "image") }, http.StatusForbidden},
		"another port's script":     {func(r *http.Request) { fetched(r, "same-site", "cors", "empty") }, http.StatusForbidden},
		"a frame elsewhere":         {func(r *http.Request) { fetched(r, "cross-site", "navigate", "iframe") }, http.StatusForbidden},
		"another origin":            {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:8421") }, http.StatusForbidden},
		"null origin":               {func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden},
		"no cookie":                 {func(r *http.Request) { r.Header.Del("Cookie") }, http.StatusForbidden},
		"wrong cookie":              {func(r *http.Request) { r.Header.Set("Cookie", "idleseat_8420=wrong") }, http.StatusForbidden},
		"empty cookie":              {func(r *http.Request) { r.Header.Set("Cookie", "idleseat_8420=") }, http.StatusForbidden},
		"another port's cookie": {func(r *http.Request) {
			r.Header.Set("Cookie", strings.Replace(r.Header.Get("Cookie"), "8420", "8421", 1))
		}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := siteOf(&store.Memory{})
			r := request(s, http.MethodGet, "/")
			tt.change(r)
			w := answerTo(s, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			wantProtected(t, w.Header())
			if tt.status != http.StatusOK && strings.Contains(w.Body.String(), "/srv/acme") {
				t.Error("a refusal names the store")
			}
		})
	}
}

func fetched(r *http.Request, site, mode, dest string) {
	r.Header.Set("Sec-Fetch-Site", site)
	r.Header.Set("Sec-Fetch-Mode", mode)
	r.Header.Set("Sec-Fetch-Dest", dest)
}

// wantProtected checks the headers that the function "protect" sets in every answer.
func wantProtected(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	policy := h.Values("Content-Security-Policy")
	if len(policy) != 1 || !strings.HasPrefix(policy[0], "default-src 'none'") || !strings.Contains(policy[0], "frame-ancestors 'none'") || strings.Contains(policy[0], "unsafe") {
		t.Errorf("Content-Security-Policy %q", policy)
	}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("the header %s lets other origins in", name)
		}
	}
}

// TestKey: an address with the key leads to the pages. The answer redirects to the same address without the key.
func TestKey(t *testing.T) {
	t.Parallel()
	s := siteOf(&store.Memory{})
	once := s.Keys.Once()
	enter := func(target string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Host = "localhost:" + testPort
		return answerTo(s, r)
	}
	for _, tt := range []struct{ target, to string }{
		{"/?key=" + s.Keys.Key, "/"},
		{"/runs/r?key=" + s.Keys.Key + "&lang=sv", "/runs/r?lang=sv"},
		{"/%2Fevil.example/x?key=" + s.Keys.Key, "/evil.example/x"},
		{"/%5Cevil.example/x?key=" + s.Keys.Key, "/evil.example/x"},
		{"/a%2F..%2Fb?key=" + s.Keys.Key, "/b"},
		{"/?key=" + once, "/"},
		{"/?key=" + once, ""}, // the key from Once, used a second time
		{"/?key=", ""},
		{"/?key=wrong", ""},
		{"/?key=wrong&key=" + s.Keys.Key, ""},
	} {
		w := enter(tt.target)
		if diff := cmp.Diff(tt.to, w.Header().Get("Location")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.target, diff)
		}
		cookies := w.Result().Cookies()
		if tt.to == "" {
			if w.Code != http.StatusForbidden || len(cookies) > 0 {
				t.Errorf("%s: status %d, cookies %v", tt.target, w.Code, cookies)
			}
			continue
		}
		if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || cookies[0].Value != s.Keys.pass || strings.Contains(s.Keys.pass, s.Keys.Key) {
			t.Errorf("%s: cookies %v", tt.target, cookies)
		}
	}
	for name, w := range map[string]*httptest.ResponseRecorder{"wrong host": func() *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/?key="+s.Keys.Key, nil)
		r.Host = "evil.example:" + testPort
		return answerTo(s, r)
	}()} {
		if w.Code != http.StatusMisdirectedRequest || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: status %d with cookies %v", name, w.Code, w.Result().Cookies())
		}
	}
}

func TestListenOnThisMachineAlone(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "[::ffff:127.0.0.1]:0": true, "127.0.0.1:": true,
		":0": false, "0.0.0.0:0": false, "[::]:0": false, "192.168.1.1:0": false, "example.com:0": false, "10.0.0.1:0": false, "[::1%25eth0]:0": false,
		"*:0": false, "2130706433:0": false,
	} {
		l, err := Listen(t.Context(), address)
		switch {
		case good && err != nil:
			t.Errorf("%s: %v", address, err)
		case good:
			if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
				t.Errorf("%s listens on %s", address, ip)
			}
			_ = l.Close()
		case !errors.Is(err, ErrNotLoopback):
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"", "127.0.0.1", "8420", "127.0.0.1:port"} {
		if l, err := Listen(t.Context(), address); err == nil {
			_ = l.Close()
			t.Errorf("%q is no address", address)
		}
	}
}

// TestServeEnds: Serve answers until its context ends, and then returns nil.
func TestServeEnds(t *testing.T) {
	t.Parallel()
	l, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := siteOf(&store.Memory{})
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	jar := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := jar.Get(Address(l, s.Keys.Key))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d", answer.StatusCode)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(answer.Cookies()[0])
	answer, err = jar.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "This store has no runs yet.") || !strings.Contains(string(text), "idleseat plan --policy policy.yaml") {
		t.Errorf("status %d, %v: %.3000s", answer.StatusCode, err, text)
	}
	end()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(endWithin + time.Minute):
		t.Error("it does not end")
	}
	if _, err := jar.Get("http://" + l.Addr().String() + "/"); err == nil {
		t.Error("it still answers")
	}
}
