// Package graphcontract holds what a client sends to Microsoft Graph, and what a
// server answers, against the tables of docs/graph.md. It is support for tests: put
// Check between client and server, and whatever the page does not know fails the test.
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

// Read reads the description. A page that is missing or cannot be read fails the test.
func Read(t testing.TB) *Contract {
	t.Helper()
	c, err := parse(pages.Read(t, "graph.md"))
	if err != nil {
		t.Fatalf("docs/graph.md: %v", err)
	}
	return c
}

// Checker stands between a client and a server. Each request and answer that the
// description does not allow is an error of the test.
type Checker struct {
	t    testing.TB
	c    *Contract
	who  string
	next http.Handler

	mu     sync.Mutex
	asked  map[string]bool // operations, by method and path
	places map[string]bool // to which an answer has redirected
}

// Check wraps a handler that answers as Graph under /v1.0. With who Product only
// operations of the product may be asked, with Simulation those for tests, too. What an
// answer redirects to may be asked as well, and is no part of the description.
func (c *Contract) Check(t testing.TB, who string, next http.Handler) *Checker {
	return &Checker{t: t, c: c, who: who, next: next, asked: map[string]bool{}, places: map[string]bool{}}
}

// ServeHTTP answers by what is wrapped.
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

// PartialLogon are the operations of the product that nobody has asked for, by method and
// path, in the order of the page.
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

// serve answers a request through next and tells every fault of both.
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
	// What the server refuses may be sent against the contract on purpose, but
	// the refusal must have the documented shape.
	if kept.status >= 400 {
		_, refusal := c.Refusal(kept.status, kept.body.Bytes())
		return refusal
	}
	return append(faults, c.answerFaults(r, op, kept)...)
}

// keeper keeps a copy of an answer.
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

// operation finds the description of a request.
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

// Refusal returns the line of the table that an answer of status 400 or more fits, the one
// with the longest words when several fit, and the faults of the body. It is nil when
// no line fits, which is a fault.
func (c *Contract) Refusal(status int, body []byte) (*Refusal, []string) {
	value, faults := c.body("answer", []string{"error"}, nil, body)
	if len(faults) > 0 {
		return nil, faults
	}
	detail := value["error"].(map[string]any) // as the table of its type says
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
