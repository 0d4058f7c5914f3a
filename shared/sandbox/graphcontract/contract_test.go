package graphcontract

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// description is small, and has each feature that Graph's own uses.
const description = `
openapi: 3.0.4
info: {title: t, version: v1}
paths:
  /users:
    get:
      parameters:
      - {name: $top, in: query, schema: {type: integer, minimum: 0}}
      - {name: $count, in: query, schema: {type: boolean}}
      - {name: $select, in: query, style: form, explode: false, schema: {type: array, uniqueItems: true, items: {type: string}}}
      responses:
        2XX: {description: d, content: {application/json: {schema: {type: object, properties: {value: {type: array, items: {$ref: '#/components/schemas/microsoft.graph.user'}}}}}}}
        4XX: {description: d, content: {application/json: {schema: {type: object, required: [error], properties: {error: {type: object}}}}}}
  /groups/{group-id}/members/$ref:
    post:
      requestBody: {content: {application/json: {schema: {type: object, required: ['@odata.id'], properties: {'@odata.id': {type: string}}}}}}
      responses: {'204': {description: d}}
components:
  schemas:
    microsoft.graph.thing: {type: object, properties: {id: {type: string}}}
    microsoft.graph.user:
      allOf:
      - $ref: '#/components/schemas/microsoft.graph.thing'
      - type: object
        properties:
          displayName: {type: string, nullable: true}
          createdDateTime: {type: string, format: date-time}
          detail: {anyOf: [{$ref: '#/components/schemas/microsoft.graph.thing'}, {type: object, nullable: true}]}
`

func loaded(t *testing.T) *contract {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spec.yaml")
	if err := os.WriteFile(path, []byte(description), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method, target, body string
		status               int
		answer               string
		want                 string // part of the only fault; "": none
	}{
		"fits":                {"GET", "/users?$top=5&$select=id,displayName&$skiptoken=x", "", 200, `{"@odata.context":"c","value":[{"id":"1","displayName":null}]}`, ""},
		"unknown path":        {"GET", "/people", "", 200, `{}`, "no such path"},
		"unknown method":      {"DELETE", "/users", "", 204, ``, "no such path"},
		"unknown option":      {"GET", "/users?$expand=x", "", 200, `{"value":[]}`, "$expand is not described"},
		"option twice":        {"GET", "/users?$top=1&$top=2", "", 200, `{"value":[]}`, "2 times"},
		"no number":           {"GET", "/users?$top=many", "", 200, `{"value":[]}`, "no number"},
		"negative":            {"GET", "/users?$top=-1", "", 200, `{"value":[]}`, "$top"},
		"no boolean":          {"GET", "/users?$count=yes", "", 200, `{"value":[]}`, "$count"},
		"selected unknown":    {"GET", "/users?$select=nickname", "", 200, `{"value":[]}`, `$select of "nickname"`},
		"unknown property":    {"GET", "/users", "", 200, `{"value":[{"nick":"x"}]}`, `answer.value[0] has "nick"`},
		"wrong type":          {"GET", "/users", "", 200, `{"value":[{"id":7}]}`, "answer.value[0].id"},
		"null among people":   {"GET", "/users", "", 200, `{"value":[null]}`, "answer.value[0]"},
		"bad date":            {"GET", "/users", "", 200, `{"value":[{"createdDateTime":"yesterday"}]}`, "createdDateTime"},
		"nullable part":       {"GET", "/users", "", 200, `{"value":[{"detail":null}]}`, ""},
		"unknown within part": {"GET", "/users", "", 200, `{"value":[{"detail":{"x":1}}]}`, `detail has "x"`},
		"derived type":        {"GET", "/users", "", 200, `{"value":[{"@odata.type":"#microsoft.graph.thing","displayName":"x"}]}`, `has "displayName"`},
		"unknown type":        {"GET", "/users", "", 200, `{"value":[{"@odata.type":"#microsoft.graph.other"}]}`, "type #microsoft.graph.other"},
		"error envelope":      {"GET", "/users?$top=many", "", 400, `{"error":{}}`, ""},
		"error without":       {"GET", "/users", "", 400, `{}`, `lacks "error"`},
		"status unknown":      {"GET", "/users", "", 500, `{"error":{}}`, "status 500"},
		"half an answer":      {"GET", "/users", "", 200, `{"value":[`, "no JSON"},
		"reference":           {"POST", "/groups/g/members/$ref", `{"@odata.id":"x"}`, 204, ``, ""},
		"no reference":        {"POST", "/groups/g/members/$ref", `{}`, 204, ``, `lacks "@odata.id"`},
		"body with 204":       {"POST", "/groups/g/members/$ref", `{"@odata.id":"x"}`, 204, `{}`, "a body with status 204"},
		"body with GET":       {"GET", "/users", "{}", 200, `{"value":[]}`, "request body"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.answer)
			})
			r := httptest.NewRequest(test.method, "/v1.0"+test.target, strings.NewReader(test.body))
			faults := loaded(t).serve(httptest.NewRecorder(), r, next)
			if test.want == "" && len(faults) > 0 || test.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], test.want)) {
				t.Errorf("faults = %q, want one with %q", faults, test.want)
			}
		})
	}
}

func TestLoadRefusesWhatIsNoDescription(t *testing.T) {
	t.Parallel()
	if _, err := load(filepath.Join(t.TempDir(), "absent.yaml")); err == nil {
		t.Error("load of an absent file succeeded")
	}
}
