// Package graphcontract holds what a client sends to Microsoft Graph, and what
// a server answers, against an OpenAPI description of Graph. It is support for
// tests: put Check between client and server, and whatever the description
// does not know fails the test.
package graphcontract

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// specVariable names the description; without it the file is looked for in
// the folder shared/reference beside each parent of the package.
const (
	specVariable = "IDLESEAT_GRAPH_SUBSET"
	specFile     = "shared/reference/graph-subset.yaml"
)

// Check wraps a handler that answers as Graph under /v1.0. Each request and
// answer that the description does not allow is an error of the test. Without
// a description the test is skipped, and says so.
func Check(t testing.TB, next http.Handler) http.Handler {
	t.Helper()
	path := find()
	if path == "" {
		t.Skipf("no description of Graph: set %s to graph-subset.yaml to check the contract", specVariable)
	}
	c, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, fault := range c.serve(w, r, next) {
			t.Errorf("%s %s: %s", r.Method, r.URL.RequestURI(), fault)
		}
	})
}

func find() string {
	if path := os.Getenv(specVariable); path != "" {
		return path
	}
	folder, err := os.Getwd()
	for err == nil {
		path := filepath.Join(folder, specFile)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if filepath.Dir(folder) == folder {
			return ""
		}
		folder = filepath.Dir(folder)
	}
	return ""
}

// more describes paths that the description leaves out.
//
//go:embed more.yaml
var more []byte

// contract is a description of Graph.
type contract struct{ doc *openapi3.T }

func load(path string) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("read description of Graph %s: %w", path, err)
	}
	rest, err := openapi3.NewLoader().LoadFromData(more)
	if err != nil {
		return nil, fmt.Errorf("read what the description of Graph leaves out: %w", err)
	}
	for path, item := range rest.Paths.Map() {
		if doc.Paths.Value(path) == nil {
			doc.Paths.Set(path, item)
		}
	}
	return &contract{doc}, nil
}

// serve answers a request through next and tells every fault of both.
func (c *contract) serve(w http.ResponseWriter, r *http.Request, next http.Handler) []string {
	path, op := c.operation(r)
	if op == nil {
		next.ServeHTTP(w, r)
		return []string{"no such path and method in the description"}
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return []string{"the body cannot be read: " + err.Error()}
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	faults := c.requestFaults(r, path, op, sent)
	kept := &keeper{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(kept, r)
	// What the server refuses may be sent against the contract on purpose, but
	// the refusal must have the documented shape.
	if kept.status >= 400 {
		faults = nil
	}
	return append(faults, c.answerFaults(op, kept)...)
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
func (c *contract) operation(r *http.Request) (*openapi3.PathItem, *openapi3.Operation) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/v1.0")
	if !ok {
		return nil, nil
	}
	for template, item := range c.doc.Paths.Map() {
		if op := item.GetOperation(r.Method); op != nil && fits(template, path) {
			return item, op
		}
	}
	return nil, nil
}

func fits(template, path string) bool {
	want, parts := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(parts) {
		return false
	}
	for n, w := range want {
		variable := strings.HasPrefix(w, "{") && parts[n] != "" && !strings.HasPrefix(parts[n], "$")
		if !variable && w != parts[n] {
			return false
		}
	}
	return true
}

// answerFaults are what an answer has that the description does not.
func (c *contract) answerFaults(op *openapi3.Operation, k *keeper) []string {
	described := op.Responses.Value(fmt.Sprint(k.status))
	if described == nil {
		described = op.Responses.Value(fmt.Sprintf("%dXX", k.status/100))
	}
	if described == nil {
		return []string{fmt.Sprintf("status %d is not described", k.status)}
	}
	media := described.Value.Content.Get("application/json")
	if media == nil {
		if k.body.Len() > 0 {
			return []string{fmt.Sprintf("a body with status %d is not described", k.status)}
		}
		return nil
	}
	if kind := k.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return []string{fmt.Sprintf("content type %q instead of application/json", kind)}
	}
	return c.bodyFaults("answer", media.Schema.Value, k.body.Bytes())
}

// bodyFaults checks a JSON body against its schema.
func (c *contract) bodyFaults(what string, s *openapi3.Schema, body []byte) []string {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{what + " is no JSON: " + err.Error()}
	}
	var faults []string
	c.walk(what, s, value, &faults)
	return faults
}
