package graphcontract

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The constant "description" is a small page in the form of docs/graph.md. It uses all features of the form, with ~ in
// place of backquotes.
const description = `
## Operations
| method | path | options | request | answer | for |
|---|---|---|---|---|---|
| GET | ~/users~ | ~$top~ ~$count~ ~$select~ ~$skiptoken~ ~$filter~ | | page of ~user~ | product |
| GET | ~/things~ | | | page of ~user~ ~thing~ | simulation |
| GET | ~/report(d='7')~ | | | redirect | product |
| POST | ~/groups/{id}/members/$ref~ | | ~reference~ | nothing | product |
| DELETE | ~/groups/{id}/members/{id}~ | | | nothing | never |
## Query options
| option | value |
|---|---|
| ~$top~ | number from 0 to 999 |
| ~$count~ | flag |
| ~$select~ | names of properties |
| ~$skiptoken~ | token |
| ~$filter~ | a filter |
## Filters
| path | filter |
|---|---|
| ~/users~ | ~id in (ID)~ |
| ~/users~ | ~name eq 'TEXT'~ |
### Type page
| property | type | empty |
|---|---|---|
| ~@odata.context~ | text | absent |
| ~value~ | list of entries | never |
### Type thing
| property | type | empty |
|---|---|---|
| ~id~ | text | absent |
### Type user
| property | type | empty | without ~$select~ |
|---|---|---|---|
| ~id~ | text | absent | yes |
| ~displayName~ | text | null | |
| ~createdDateTime~ | date | absent | |
| ~detail~ | thing | null | |
| ~plans~ | list of id | never | |
### Type agent, a user
### Type reference
| property | type | empty |
|---|---|---|
| ~@odata.id~ | text | never |
### Type error
| property | type | empty |
|---|---|---|
| ~error~ | errorDetail | never |
### Type errorDetail
| property | type | empty |
|---|---|---|
| ~code~ ~message~ | text | never |
## Refusals
| status | code | words | simulated | recognized |
|---|---|---|---|---|
| 400 | ~Bad~ | ~too much~ | yes | |
`

func loaded(t *testing.T) *Contract {
	t.Helper()
	c, err := parse(strings.ReplaceAll(description, "~", "`"))
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
		want                 string // part of the only fault; empty: there is no fault
	}{
		"fits":                    {"GET", "/users?$top=5&$select=id,displayName&$skiptoken=x", "", 200, `{"@odata.context":"c","value":[{"id":"1","displayName":null}]}`, ""},
		"unknown path":            {"GET", "/people", "", 200, `{}`, "no such path"},
		"escaped path":            {"GET", "/report%28d=%277%27%29", "", 302, ``, "nowhere"},
		"unknown method":          {"DELETE", "/users", "", 204, ``, "no such path"},
		"unknown option":          {"GET", "/users?$expand=x", "", 200, `{"value":[]}`, "$expand is not described"},
		"option twice":            {"GET", "/users?$top=1&$top=2", "", 200, `{"value":[]}`, "2 times"},
		"no number":               {"GET", "/users?$top=many", "", 200, `{"value":[]}`, "is no number"},
		"negative":                {"GET", "/users?$top=-1", "", 200, `{"value":[]}`, "$top"},
		"no boolean":              {"GET", "/users?$count=yes", "", 200, `{"value":[]}`, "$count"},
		"selected unknown":        {"GET", "/users?$select=nickname", "", 200, `{"value":[]}`, `$select of "nickname"`},
		"unknown property":        {"GET", "/users", "", 200, `{"value":[{"nick":"x"}]}`, `answer.value[0] has "nick"`},
		"wrong type":              {"GET", "/users", "", 200, `{"value":[{"id":7}]}`, "answer.value[0].id"},
		"null among people":       {"GET", "/users", "", 200, `{"value":[null]}`, "answer.value[0]"},
		"bad date":                {"GET", "/users", "", 200, `{"value":[{"createdDateTime":"yesterday"}]}`, "createdDateTime"},
		"nullable part":           {"GET", "/users", "", 200, `{"value":[{"detail":null}]}`, ""},
		"unknown within part":     {"GET", "/users", "", 200, `{"value":[{"detail":{"x":1}}]}`, `detail has "x"`},
		"derived type":            {"GET", "/things", "", 200, `{"value":[{"@odata.type":"#microsoft.graph.thing","displayName":"x"}]}`, `has "displayName"`},
		"unknown type":            {"GET", "/users", "", 200, `{"value":[{"@odata.type":"#microsoft.graph.other"}]}`, "type #microsoft.graph.other"},
		"error envelope":          {"GET", "/users?$top=many", "", 400, `{"error":{"code":"Bad","message":"It is too much."}}`, ""},
		"error of other words":    {"GET", "/users", "", 400, `{"error":{"code":"Bad","message":"It is too little."}}`, "is not described"},
		"error of other code":     {"GET", "/users", "", 400, `{"error":{"code":"Good","message":"It is too much."}}`, "is not described"},
		"error without":           {"GET", "/users", "", 400, `{}`, `lacks "error"`},
		"status unknown":          {"GET", "/users", "", 500, `{"error":{"code":"Bad","message":"It is too much."}}`, "refusal 500"},
		"other success":           {"GET", "/users", "", 201, `{"value":[]}`, "status 201"},
		"selected and absent":     {"GET", "/users?$select=displayName", "", 200, `{"value":[{}]}`, `lacks "displayName"`},
		"selected, may be absent": {"GET", "/users?$select=createdDateTime", "", 200, `{"value":[{}]}`, ""},
		"null that is never":      {"GET", "/users?$select=plans", "", 200, `{"value":[{"plans":null}]}`, "plans is null"},
		"no id":                   {"GET", "/users?$select=plans", "", 200, `{"value":[{"plans":["x"]}]}`, "plans[0]"},
		"ids":                     {"GET", "/users?$select=plans", "", 200, `{"value":[{"plans":["6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"]}]}`, ""},
		"derived":                 {"GET", "/users?$select=id", "", 200, `{"value":[{"@odata.type":"#microsoft.graph.agent","id":"1"}]}`, ""},
		"of which type":           {"GET", "/things", "", 200, `{"value":[{"id":"1"}]}`, "@odata.type"},
		"of one type":             {"GET", "/things", "", 200, `{"value":[{"@odata.type":"#microsoft.graph.thing","id":"1"}]}`, ""},
		"never":                   {"DELETE", "/groups/g/members/u", "", 204, ``, "for never"},
		"redirect":                {"GET", "/report(d='7')", "", 302, ``, "nowhere"},
		"filter":                  {"GET", "/users?$filter=id%20in%20('1','2')", "", 200, `{"value":[]}`, ""},
		"filter of a name":        {"GET", "/users?$filter=name%20eq%20'O''Brien'", "", 200, `{"value":[]}`, ""},
		"filter unknown":          {"GET", "/users?$filter=name%20ne%20'x'", "", 200, `{"value":[]}`, "$filter"},
		"filter of sixteen":       {"GET", "/users?$filter=id%20in%20('1'" + strings.Repeat(",'2'", 15) + ")", "", 200, `{"value":[]}`, "$filter"},
		"half an answer":          {"GET", "/users", "", 200, `{"value":[`, "no JSON"},
		"reference":               {"POST", "/groups/g/members/$ref", `{"@odata.id":"x"}`, 204, ``, ""},
		"no reference":            {"POST", "/groups/g/members/$ref", `{}`, 204, ``, `lacks "@odata.id"`},
		"body with 204":           {"POST", "/groups/g/members/$ref", `{"@odata.id":"x"}`, 204, `{}`, "a body with status 204"},
		"body with GET":           {"GET", "/users", "{}", 200, `{"value":[]}`, "request body"},
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
			faults := loaded(t).serve(httptest.NewRecorder(), r, Simulation, next)
			if test.want == "" && len(faults) > 0 || test.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], test.want)) {
				t.Errorf("faults = %q, want one with %q", faults, test.want)
			}
		})
	}
}

func TestOnlyTheProductsOperations(t *testing.T) {
	t.Parallel()
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"value":[]}`)
	})
	for path, want := range map[string]int{"/v1.0/users": 0, "/v1.0/things": 1} {
		faults := loaded(t).serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, http.NoBody), Product, next)
		if len(faults) != want {
			t.Errorf("%s: faults = %q, want %d", path, faults, want)
		}
	}
}

func TestParseRefusesWhatIsNoDescription(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"nothing":           {description, ""},
		"a column less":     {"| ~/things~ | |", "| ~/things~ |"},
		"unknown type":      {"| thing | null |", "| wing | null |"},
		"unknown option":    {"| ~$top~ | number", "| ~$tip~ | number"},
		"unknown answer":    {"| redirect |", "| nowhere |"},
		"answer of no type": {"page of ~user~ |", "page of |"},
		"no status":         {"| 400 | ~Bad~", "| many | ~Bad~"},
	} {
		text := strings.ReplaceAll(strings.Replace(description, change[0], change[1], 1), "~", "`")
		if _, err := parse(text); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
	if _, err := parse(strings.ReplaceAll(description, "~", "`")); err != nil {
		t.Error(err)
	}
}

// TestChecker: the checker accepts a request to another address only after a redirect to this address. NotAsked returns
// the operations that no client has sent.
func TestChecker(t *testing.T) {
	t.Parallel()
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1.0/report(d='7')" {
			w.Header().Set("Location", "http://"+r.Host+"/file.csv")
			w.WriteHeader(http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"value":[]}`)
	})
	heard := &hearing{TB: t}
	k := loaded(t).Check(heard, Product, next)
	for path, faults := range map[string]int{"/v1.0/users": 0, "/other.csv": 1, "/v1.0/things": 1} {
		heard.faults = 0
		k.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if heard.faults != faults {
			t.Errorf("%s: %d faults, want %d", path, heard.faults, faults)
		}
	}
	if want := "GET /report(d='7'), POST /groups/{id}/members/$ref"; strings.Join(k.NotAsked(), ", ") != want {
		t.Errorf("not asked: %v, want %s", k.NotAsked(), want)
	}
	heard.faults = 0
	for _, path := range []string{"/file.csv", "/v1.0/report(d='7')", "/file.csv"} {
		k.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, http.NoBody))
	}
	if heard.faults != 1 {
		t.Errorf("a file before and after a redirect to it: %d faults, want 1", heard.faults)
	}
}

type hearing struct {
	testing.TB
	faults int
}

func (h *hearing) Errorf(string, ...any) { h.faults++ }
