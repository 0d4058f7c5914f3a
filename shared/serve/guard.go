package serve

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"sync"
)

// The type "guard" admits only requests of the person who started the command.
//
// It is not enough that the server listens on loopback. Another site can make its host name resolve to 127.0.0.1 (DNS
// rebinding), so the Host header must name this machine. All users of this machine reach loopback, also users who may
// not read the store, so the first request must have a key that only the terminal shows. The guard then sends the
// browser a cookie for the following requests.
type guard struct {
	hosts  map[string]bool // values of the header Host
	cookie string          // the name of the cookie; it contains the port, because browsers send a cookie to every port of a host
	keys   *Keys
	next   http.Handler
	refuse func(w http.ResponseWriter, r *http.Request, status int, why string)
}

// Keys are the secrets of one server.
type Keys struct {
	// Key is the key in the address that the terminal shows. A browser can use it any number of times.
	Key  string
	pass string // the value of the cookie

	mu   sync.Mutex
	once map[string]bool
}

// NewKeys returns new secrets.
func NewKeys() *Keys { return &Keys{Key: rand.Text(), pass: rand.Text(), once: map[string]bool{}} }

// Once returns a key that works only once, for the command line of a browser, which other users of the machine can
// see.
func (k *Keys) Once() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := rand.Text()
	k.once[key] = true
	return key
}

// The method "opens" reports whether the key in an address is valid. A key from Once is valid only for the first call.
func (k *Keys) opens(key string) bool {
	if same(key, k.Key) {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	right := k.once[key]
	delete(k.once, key)
	return right
}

// The function "same" reports whether two secrets are equal, in the same time for all secrets of the same length.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// hostsOf returns the values of the Host header that a browser on this machine sends for the port.
func hostsOf(port string) map[string]bool {
	hosts := map[string]bool{}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		host := net.JoinHostPort(name, port)
		hosts[host] = true
		if bare, ok := strings.CutSuffix(host, ":80"); ok {
			hosts[bare] = true // browsers leave out the default port of the scheme
		}
	}
	return hosts
}

const keyParameter = "key"

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	switch {
	case !g.hosts[strings.ToLower(r.Host)]:
		g.refuse(w, r, http.StatusMisdirectedRequest, "host")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		g.refuse(w, r, http.StatusMethodNotAllowed, "method")
	case foreign(r):
		g.refuse(w, r, http.StatusForbidden, "foreign")
	case r.URL.Query().Has(keyParameter):
		g.enter(w, r)
	case !g.knows(r):
		g.refuse(w, r, http.StatusForbidden, "key")
	default:
		g.next.ServeHTTP(w, r)
	}
}

// The function "protect" sets the headers of every answer. A page replaces the Content-Security-Policy with its own.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// The function "foreign" reports whether the guard must refuse a request because a page of another site made it (W3C,
// Fetch Metadata Request Headers). A link on another site may open a page of this site. If a browser sends neither
// Origin nor Sec-Fetch-Site, only the cookie protects the pages.
func foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && !strings.EqualFold(origin, "http://"+r.Host) {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

func (g *guard) enter(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !g.keys.opens(query.Get(keyParameter)) {
		g.refuse(w, r, http.StatusForbidden, "key")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.keys.pass, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	query.Del(keyParameter)
	to := *r.URL
	// If a path began with two slashes, a browser would read the name after them as the name of another host.
	to.Scheme, to.Host, to.Path, to.RawPath, to.RawQuery = "", "", "/"+strings.TrimLeft(to.Path, "/\\"), "", query.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

func (g *guard) knows(r *http.Request) bool {
	for _, c := range r.CookiesNamed(g.cookie) {
		if same(c.Value, g.keys.pass) {
			return true
		}
	}
	return false
}
