package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The type "asker" makes requests to the simulated Graph without a network.
type asker struct {
	t testing.TB
	g http.Handler
	c *Company
}

func newAsker(t testing.TB, o Options) *asker {
	if o.Now == nil {
		o.Now = fixedNow
	}
	c := NewCompany(o)
	return &asker{t, newGraph(c), c}
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (a *asker) do(method, target, body string, header ...string) reply {
	a.t.Helper()
	r := httptest.NewRequest(method, version+strings.ReplaceAll(target, " ", "%20"), strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.g.ServeHTTP(w, r)
	x := reply{status: w.Code, header: w.Header(), text: w.Body.String()}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &x.body); err != nil {
			a.t.Fatalf("%s %s: %v in %s", method, target, err, w.Body)
		}
	}
	return x
}

func (a *asker) get(target string) reply { a.t.Helper(); return a.do("GET", target, "") }

// The method "next" returns the next link without the host and the version, or "" on the last page.
func (r reply) next() string {
	link, _ := r.body["@odata.nextLink"].(string)
	_, path, _ := strings.Cut(link, version)
	return path
}

func (r reply) value() (list []map[string]any) {
	items, _ := r.body["value"].([]any)
	for _, v := range items {
		list = append(list, v.(map[string]any))
	}
	return list
}

func (r reply) message() string {
	e, _ := r.body["error"].(map[string]any)
	m, _ := e["message"].(string)
	return m
}

func (a *asker) id(i int) string { return a.c.guidOf(i, streamUserID).String() }

func TestWrongContentIsRefused(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	target := "/users/" + a.id(9) + "/assignLicense"
	if got := a.do("POST", target, `{"addLicenses":[],"removeLicenses":[]}`, "Content-Encoding", "gzip"); got.status != 400 {
		t.Errorf("a plain body that is said to be gzip: status %d", got.status)
	}
	if got := a.do("POST", target, `{"addLicenses":[],"removeLicenses":[]}`, "Content-Type", "text/plain"); got.status != 400 {
		t.Errorf("a body of plain text: status %d", got.status)
	}
}

func TestOnlySelectedProperties(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	get := func(i int, names string) map[string]any {
		u := a.get("/users/" + a.id(i) + "?$select=" + names).body
		delete(u, "@odata.context")
		return u
	}
	if diff := cmp.Diff(map[string]any{"displayName": "Anna Lindqvist"}, get(1, "displayName")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"id": a.id(3)}, get(3, "id,signInActivity")); diff != "" {
		t.Errorf("never signed in must lack signInActivity:\n%s", diff)
	}
	cloud := get(9, "onPremisesSyncEnabled,onPremisesSecurityIdentifier,employeeType")
	if diff := cmp.Diff(map[string]any{"onPremisesSyncEnabled": nil, "onPremisesSecurityIdentifier": nil, "employeeType": "Employee"}, cloud); diff != "" {
		t.Error(diff)
	}
	defaults := get(2, "id")
	if len(defaults) != 1 {
		t.Errorf("selected id only, got %v", defaults)
	}
	plain := a.get("/users/" + a.id(2)).body
	if plain["userPrincipalName"] != "ingrid.halvorsen.2@contoso.example" || plain["accountEnabled"] != nil || plain["signInActivity"] != nil {
		t.Errorf("without $select: %v", plain)
	}
}

func (a *asker) people(target string) (list []map[string]any, pages int) {
	a.t.Helper()
	for target != "" {
		r := a.get(target)
		if r.status != 200 {
			a.t.Fatalf("%s: %d %s", target, r.status, r.message())
		}
		list, pages, target = append(list, r.value()...), pages+1, r.next()
	}
	return list, pages
}

func TestPaging(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Users: 1300})
	total := len(slices.Collect(a.c.EntraUsers()))
	for target, size := range map[string]int{
		"/users":          100,
		"/users?$top=7":   7,
		"/users?$top=999": 999,
		"/users?$top=999&$select=id,signInActivity": 500,
		"/users?$select=id,signInActivity&$top=500": 500,
	} {
		list, pages := a.people(target)
		seen := map[any]bool{}
		for _, u := range list {
			seen[u["id"]] = true
		}
		if len(list) != total || len(seen) != total || pages != (total+size-1)/size {
			t.Errorf("%s: %d users, %d ids on %d pages, want %d on %d", target, len(list), len(seen), pages, total, (total+size-1)/size)
		}
		if next := a.get(target).next(); strings.Contains(target, "$select") && !strings.Contains(next, "$select=id%2CsignInActivity") {
			t.Errorf("next link %q lost $select", next)
		}
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	ids := func(target string) (got []string) {
		r := a.get(target)
		if r.status != 200 {
			t.Errorf("%s: %s", target, r.message())
		}
		for _, v := range r.value() {
			got = append(got, v["id"].(string))
		}
		return got
	}
	in := func(list ...string) string {
		return "/users?$select=id,signInActivity&$filter=id in ('" + strings.Join(list, "','") + "')"
	}
	tests := map[string]struct {
		target string
		want   []string
	}{
		"by UPN":          {"/users?$filter=userPrincipalName eq 'ANNA@contoso.example'", []string{a.id(1)}},
		"doubled quote":   {"/users?$filter=userPrincipalName eq 'pat.o''brien.15@contoso.example'", []string{a.id(15)}},
		"guest":           {"/users?$filter=userPrincipalName eq '" + url.QueryEscape(fixtures[6].local) + "@contoso.example'", []string{a.id(6)}},
		"unknown UPN":     {"/users?$filter=userPrincipalName eq 'x@contoso.example'", nil},
		"by ids":          {in(a.id(5), a.id(2), a.id(2), "77777777-0000-4000-8000-000000000003"), []string{a.id(2), a.id(5)}},
		"not in Entra ID": {in(a.id(8)), nil},
		"group by name":   {"/groups?$filter=displayName eq 'lic-exo-p1'&$select=id", []string{groups[groupExchange].id}},
		"two of one name": {"/groups?$filter=displayName eq 'Duplicate'", []string{groups[groupDuplicate].id, groups[groupDuplicateToo].id}},
		"no such group":   {"/groups?$filter=displayName eq 'None'", nil},
		"with licenses": {"/groups?$filter=assignedLicenses/any()&$select=id", []string{
			groups[groupE3].id, groups[groupExchange].id, groups[groupDynamic].id, groups[groupSynced].id, groups[groupSuite].id,
		}},
		"AD group": {"/groups?$filter=displayName eq 'Citrix Users'", nil},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, ids(test.target)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Users: 1500})
	for g := range groups {
		if groups[g].id == "" {
			continue
		}
		var want []any
		for _, n := range groups[g].nested {
			want = append(want, groups[n].id)
		}
		for i := range a.c.Size() {
			if p := a.c.Person(i); p.Entra != nil && a.c.isMember(g, i, a.c.profile(i)) {
				want = append(want, p.Entra.ID)
			}
		}
		list, _ := a.people("/groups/" + groups[g].id + "/members?$top=99&$select=id,onPremisesSecurityIdentifier")
		var got []any
		for _, m := range list {
			got = append(got, m["id"])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("members of %s:\n%s", groups[g].name, diff)
		}
	}
	first := a.get("/groups/" + groups[groupExempt].id + "/members?$select=id,displayName,userPrincipalName").value()[0]
	want := map[string]any{"@odata.type": "#microsoft.graph.group", "id": groups[groupLeave].id, "displayName": "LIC-Exempt-Leave"}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("nested group:\n%s", diff)
	}
}

func TestMemberOf(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	names := func(target string) (got []string) {
		for _, v := range a.get(target).value() {
			got = append(got, v["displayName"].(string))
		}
		return got
	}
	const onLeave = 18
	if diff := cmp.Diff([]string{"LIC-M365-E3", "LIC-Exempt-Leave"}, names("/users/"+a.id(onLeave)+"/memberOf")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"LIC-M365-E3", "LIC-Exempt", "LIC-Exempt-Leave"}, names("/users/"+a.id(onLeave)+"/transitiveMemberOf?$select=displayName")); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersAreDeterministic(t *testing.T) {
	t.Parallel()
	read := func() string {
		return newAsker(t, Options{Users: 300, Seed: 4}).get("/users?$top=500&$select=" + everything).text
	}
	if first, second := read(), read(); first != second {
		t.Error("same seed, other bytes")
	}
}

func TestHeadersEcho(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	got := a.do("GET", "/subscribedSkus", "", "client-request-id", "mine")
	if got.header.Get("client-request-id") != "mine" || got.header.Get("request-id") == "" || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
		t.Errorf("headers: %v", got.header)
	}
}

// FuzzRequest makes any request. Graph must answer with JSON and must not panic.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{"/users?$top=5", "/users?$filter=id in ('a')", "/groups//members", "/users/%zz", "/users/a%2Fb", "/users?$skiptoken=AA", "/users?%24top=1;"} {
		f.Add(s, "{}")
	}
	a := newAsker(f, Options{})
	f.Fuzz(func(t *testing.T, target, body string) {
		u, err := url.Parse(version + target)
		if err != nil {
			return
		}
		for _, method := range []string{"GET", "POST", "DELETE"} {
			w := httptest.NewRecorder()
			r := &http.Request{Method: method, URL: u, Host: "127.0.0.1", Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
			a.g.ServeHTTP(w, r)
			if w.Code != http.StatusNoContent && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %s: %s", method, target, w.Body)
			}
		}
	})
}
