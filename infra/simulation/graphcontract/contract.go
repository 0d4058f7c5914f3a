// Package graphcontract checks requests to Microsoft Graph and their answers against the tables of docs/graph.md.
// Tests put a Checker between a client and a server. A request or an answer that docs/graph.md does not describe fails
// the test.
package graphcontract

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/idleseat/idleseat/shared/pages"
)

// Read reads docs/graph.md. If the page is missing or malformed, the test fails.
func Read(t testing.TB) *Contract {
	t.Helper()
	c, err := parse(pages.Read(t, "graph.md"))
	if err != nil {
		t.Fatalf("docs/graph.md: %v", err)
	}
	return c
}

// Checker is a handler that passes requests to a simulation of Graph. If docs/graph.md does not allow a request or an
// answer, the test fails.
type Checker struct {
	t    testing.TB
	c    *Contract
	who  string
	next http.Handler

	mu     sync.Mutex
	asked  map[string]bool // which operations clients have sent; the key is, for example, "GET /users"
	places map[string]bool // paths to which an answer has redirected a client
}

// Check returns a Checker in front of a handler that simulates Graph. If "who" is Product, clients may send only the
// product's operations. If it is Simulation, they may also send the operations for tests. A request to which an earlier
// answer redirected the client is not checked.
func (c *Contract) Check(t testing.TB, who string, next http.Handler) *Checker {
	return &Checker{t: t, c: c, who: who, next: next, asked: map[string]bool{}, places: map[string]bool{}}
}

// ServeHTTP passes a request to the wrapped handler, and checks the request and the answer.
func (k *Checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	redirected := k.places[r.URL.Path]
	if op := k.c.operation(r); op != nil {
		k.asked[op.Method+" "+op.Path] = true
	}
	k.mu.Unlock()
	if redirected {
		k.next.ServeHTTP(w, r)
		return
	}
	for _, fault := range k.c.serve(w, r, k.who, k.next) {
		k.t.Errorf("%s %s: %s", r.Method, r.URL.RequestURI(), fault)
	}
	if to, err := url.Parse(w.Header().Get("Location")); err == nil && to.Host == r.Host {
		k.mu.Lock()
		k.places[to.Path] = true
		k.mu.Unlock()
	}
}

// NotAsked returns the product's operations that no client has sent, such as "GET /users". They are in the order of
// docs/graph.md.
func (k *Checker) NotAsked() (list []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, op := range k.c.Operations {
		if name := op.Method + " " + op.Path; op.For == Product && !k.asked[name] {
			list = append(list, name)
		}
	}
	return list
}

// The method "serve" passes a request to "next". It returns what docs/graph.md does not allow about the request and the
// answer. If the handler refuses the request, it returns only what is not allowed about the refusal.
func (c *Contract) serve(w http.ResponseWriter, r *http.Request, who string, next http.Handler) []string {
	op := c.operation(r)
	if op == nil {
		next.ServeHTTP(w, r)
		return []string{"no such path and method in the description"}
	}
	if op.For == Never || who == Product && op.For != Product {
		next.ServeHTTP(w, r)
		return []string{"an operation for " + op.For}
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return []string{"the body cannot be read: " + err.Error()}
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	faults := c.requestFaults(r, op, sent)
	kept := &keeper{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(kept, r)
	// A test may send a wrong request, which the server refuses. docs/graph.md must then describe the refusal.
	if kept.status >= 400 {
		_, refusal := c.Refusal(kept.status, kept.body.Bytes())
		return refusal
	}
	return append(faults, c.answerFaults(r, op, kept)...)
}

// The type "keeper" passes an answer on to the client, and keeps a copy for the check.
type keeper struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (k *keeper) WriteHeader(status int) {
	k.status = status
	k.ResponseWriter.WriteHeader(status)
}

func (k *keeper) Write(b []byte) (int, error) {
	k.body.Write(b)
	return k.ResponseWriter.Write(b)
}

func (c *Contract) operation(r *http.Request) *Operation {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/v1.0")
	if !ok && !strings.HasPrefix(path, "/beta/") {
		return nil
	}
	i := slices.IndexFunc(c.Operations, func(op Operation) bool { return op.Method == r.Method && fits(op.Path, path) })
	if i < 0 {
		return nil
	}
	return &c.Operations[i]
}

func fits(template, path string) bool {
	want, parts := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(parts) {
		return false
	}
	for n, w := range want {
		part, err := url.PathUnescape(parts[n])
		variable := strings.HasPrefix(w, "{") && part != "" && !strings.HasPrefix(part, "$")
		if err != nil || !variable && w != part {
			return false
		}
	}
	return true
}

// Refusal finds an answer with a status of 400 or more in the table of refusals of docs/graph.md. If several lines
// match, it returns the one with the longest words. If none matches, or if the body is wrong, it returns nil and the
// faults.
func (c *Contract) Refusal(status int, body []byte) (*Refusal, []string) {
	value, faults := c.body("answer", []string{"error"}, nil, body)
	if len(faults) > 0 {
		return nil, faults
	}
	detail := value["error"].(map[string]any) // the method body has checked that the value is an object
	code, message := detail["code"].(string), strings.ToLower(detail["message"].(string))
	var best *Refusal
	for i := range c.Refusals {
		r := &c.Refusals[i]
		if r.Status == status && r.Code == code && strings.Contains(message, r.Words) && (best == nil || len(r.Words) > len(best.Words)) {
			best = r
		}
	}
	if best != nil {
		return best, nil
	}
	return nil, []string{fmt.Sprintf("the refusal %d %s %q is not described", status, code, message)}
}
