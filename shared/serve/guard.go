package serve

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"sync"
)

// guard lets only this machine's user pass. It answers every other request itself.
//
// Loopback alone would not do. A page of another site can ask this server for pages when its host name resolves to
// 127.0.0.1 (DNS rebinding), so the host must be one of this machine. Other users of this machine reach loopback too,
// but may not read the store's folder, so the first request must carry a key that only the terminal shows. The guard
// sends the browser a cookie for the following requests.
type guard struct {
	hosts  map[string]bool // values of the header Host
	cookie string          // the name of the cookie; browsers do not keep the cookies of two ports apart
	keys   *Keys
	next   http.Handler
	refuse func(w http.ResponseWriter, r *http.Request, status int, why string)
}

// Keys are the secrets of one server.
type Keys struct {
	// Key opens the pages to whoever gives it in the address. It is for the terminal.
	Key  string
	pass string // the value of the cookie

	mu   sync.Mutex
	once map[string]bool
}

// NewKeys returns new secrets.
func NewKeys() *Keys { return &Keys{Key: rand.Text(), pass: rand.Text(), once: map[string]bool{}} }

// Once returns a key that opens the pages a single time. It is for the command line of a browser, which other users of
// the machine can see.
func (k *Keys) Once() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := rand.Text()
	k.once[key] = true
	return key
}

// opens reports whether a key in an address is right.
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

// same compares two secrets in a time that does not depend on where they differ.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// hostsOf returns the values of the header Host by which a browser on this machine names the port.
func hostsOf(port string) map[string]bool {
	hosts := map[string]bool{}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		host := net.JoinHostPort(name, port)
		hosts[host] = true
		if bare, ok := strings.CutSuffix(host, ":80"); ok {
			hosts[bare] = true // browsers leave out the port of the scheme
		}
	}
	return hosts
}

// keyParameter is the parameter of an address that carries a key.
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

// protect sets the headers that every answer has. The Content-Security-Policy of a page is stricter than this one, and
// replaces it.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// foreign reports whether a page of another site made the request. A reader may follow a link to a page here. Nothing
// else may come from elsewhere (W3C, Fetch Metadata Request Headers). A browser that sends none of these headers is
// known by its cookie alone.
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

// enter exchanges the key in an address for the cookie, and leads to the address without the key.
func (g *guard) enter(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !g.keys.opens(query.Get(keyParameter)) {
		g.refuse(w, r, http.StatusForbidden, "key")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.keys.pass, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	query.Del(keyParameter)
	to := *r.URL
	// A path that starts with two slashes would lead to another host.
	to.Scheme, to.Host, to.Path, to.RawPath, to.RawQuery = "", "", "/"+strings.TrimLeft(to.Path, "/\\"), "", query.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// knows reports whether the request has the cookie.
func (g *guard) knows(r *http.Request) bool {
	for _, c := range r.CookiesNamed(g.cookie) {
		if same(c.Value, g.keys.pass) {
			return true
		}
	}
	return false
}
