package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/graphcontract"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "spoil" calls the function "change" for every page of the list of people. The function "change" must
// write the answer to w.
func spoil(change func(w http.ResponseWriter, r *http.Request, body map[string]any)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/users") || r.URL.Query().Get("$count") != "" {
				next.ServeHTTP(w, r)
				return
			}
			body := answerOf(next, r)
			w.Header().Set("Content-Type", "application/json")
			change(w, r, body)
		})
	}
}

// The function "edited" calls the function "edit" for every object that Graph returns from a collection, in a list or
// as a single object. It also calls "edit" for the object that contains a list.
func edited(collection string, edit func(object map[string]any)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, collection) || strings.HasSuffix(r.URL.Path, "/$count") {
				next.ServeHTTP(w, r)
				return
			}
			body := answerOf(next, r)
			list, _ := body["value"].([]any)
			for _, object := range append(list, body) {
				edit(object.(map[string]any))
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body)
		})
	}
}

func answerOf(next http.Handler, r *http.Request) (body map[string]any) {
	kept := &recorder{header: http.Header{}}
	next.ServeHTTP(kept, r)
	if err := json.Unmarshal(kept.body.Bytes(), &body); err != nil {
		panic(err)
	}
	return body
}

// recorder is a ResponseWriter that keeps an answer and does not send it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *recorder) Header() http.Header         { return h.header }
func (h *recorder) WriteHeader(status int)      { h.status = status }
func (h *recorder) Write(b []byte) (int, error) { return h.body.Write(b) }

func TestBrokenGraph(t *testing.T) {
	t.Parallel()
	answer := func(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) }
	tests := map[string]struct {
		change func(w http.ResponseWriter, r *http.Request, body map[string]any)
		want   string
	}{
		"HTML": {func(w http.ResponseWriter, _ *http.Request, _ map[string]any) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>proxy</html>")
		}, "JSON"},
		"half a page": {func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
			b, _ := json.Marshal(body)
			_, _ = w.Write(b[:len(b)/2])
		}, "people"},
		"without value": {func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
			delete(body, "value")
			answer(w, body)
		}, "value"},
		"null among the people": {func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
			body["value"].([]any)[3] = nil
			answer(w, body)
		}, "null"},
		"the same next link for ever": {func(w http.ResponseWriter, r *http.Request, body map[string]any) {
			body["@odata.nextLink"] = "http://" + r.Host + r.URL.RequestURI()
			answer(w, body)
		}, "next page leads back"},
		"a next link to another host": {func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
			body["@odata.nextLink"] = "http://127.0.0.2:9/v1.0/users?$skiptoken=x"
			answer(w, body)
		}, "127.0.0.2"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 100})
			s.company.Intercept(spoil(tc.change))
			a := s.want(exitFailed, "plan")
			if !strings.Contains(a.err, tc.want) || strings.Count(a.err, "\n") != 1 {
				t.Errorf("stderr is not one line with %q:\n%s", tc.want, a.err)
			}
			if manifests, _ := filepath.Glob(s.path("store/runs/*/manifest.json")); len(manifests) > 0 {
				t.Error("a broken reading became a snapshot")
			}
			s.unwritten()
		})
	}
}

func TestGraphAnswers500(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100})
	s.company.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0")
			http.Error(w, `{"error":{"code":"InternalServerError","message":"sorry"}}`, http.StatusInternalServerError)
		})
	})
	if a := s.want(exitFailed, "plan"); !strings.Contains(a.err, "500") || strings.Count(a.err, "\n") != 1 {
		t.Errorf("stderr:\n%s", a.err)
	}
	s.unwritten()
}

func TestFeedWithoutSignIns(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 500, Seed: 4})
	s.company.Intercept(spoil(func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
		for _, u := range body["value"].([]any) {
			delete(u.(map[string]any), "signInActivity")
		}
		_ = json.NewEncoder(w).Encode(body)
	}))
	p := s.plan(exitDone)
	if f := p.Sources["entra"]; f.State != plan.Unhealthy || !strings.Contains(f.Reason, "sign-in") {
		t.Errorf("source entra: %+v", f)
	}
	for _, c := range p.Changes {
		if c.Rule != "citrix-idle-90" {
			t.Errorf("a change from the broken feed: %+v", c)
		}
	}
	if len(p.Changes) == 0 {
		t.Error("the healthy feed gives no changes")
	}
	for _, user := range []string{"ingrid.halvorsen.2@contoso.example"} {
		if one := s.plan(exitDone, "--user", user); len(one.Changes) != 1 || one.Changes[0].Rule != "citrix-idle-90" {
			t.Errorf("one person over a broken feed: %+v", one.Changes)
		}
	}
	s.unwritten()
}

func TestShortList(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1200})
	s.company.Intercept(spoil(func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
		delete(body, "@odata.nextLink")
		_ = json.NewEncoder(w).Encode(body)
	}))
	if a := s.want(exitFailed, "plan"); !strings.Contains(a.err, "short") || strings.Count(a.err, "\n") != 1 {
		t.Errorf("stderr: %s", a.err)
	}
	s.unwritten()
}

func TestActiveDirectoryDownOrAbsent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name, value string
		state       plan.FeedState
	}{
		"down":   {"IDLESEAT_AD_URLS", "ldaps://127.0.0.1:1", plan.Unhealthy},
		"absent": {"", "", plan.Absent},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 500, Seed: 4})
			if tc.name != "" {
				s.setenv(tc.name, tc.value)
			} else {
				for _, v := range []string{"URLS", "BASE", "BIND", "PASSWORD_FILE", "CA"} {
					s.setenv("IDLESEAT_AD_"+v, "")
				}
			}
			p := s.plan(exitDone)
			if f := p.Sources["ad"]; f.State != tc.state || f.Reason == "" {
				t.Errorf("source ad: %+v", f)
			}
			for _, c := range p.Changes {
				if c.Rule != "m365-idle-60" {
					t.Errorf("a change without Active Directory: %+v", c)
				}
			}
			if len(p.Changes) == 0 || p.Verdict != plan.Review {
				t.Errorf("the rest does not go on: %d changes, %s", len(p.Changes), p.Verdict)
			}
		})
	}
}

func TestDamagedSnapshot(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100})
	p := s.plan(exitDone)
	parts, err := filepath.Glob(s.path("store/runs/" + p.Run + "/people/*.parquet"))
	if err != nil || len(parts) == 0 {
		t.Fatalf("no parts: %v", err)
	}
	raw, err := os.ReadFile(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"truncated": raw[:len(raw)/2], "altered": append(bytes.Clone(raw[:len(raw)-3]), 1, 2, 3)} {
		if err := os.WriteFile(parts[0], text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"plan", "--run", p.Run}, {"explain", "anna@contoso.example"}} {
			if a := s.want(exitFailed, args...); strings.Count(a.err, "\n") != 1 || !strings.Contains(a.err, "damaged") {
				t.Errorf("%s, %q: %s", name, args, a.err)
			}
		}
	}
	s.unwritten()
}

// TestRequests: a plan sends one request for each 500 people and one for each 999 members of a named group. The number
// of other requests is constant.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, users := range []int{100, 500, 501, 2600} {
		t.Run(fmt.Sprint(users), func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: users})
			s.plan(exitDone)
			accounts, exempt := 0, 0
			for i := range s.company.Company.Size() {
				p := s.company.Company.Person(i)
				if p.Entra != nil {
					accounts++
					for _, g := range p.Groups {
						if g == "LIC-Exempt" || g == "LIC-Exempt-Leave" {
							exempt++
						}
					}
				}
			}
			if exempt > 998 {
				t.Fatal("the formula below is for one page of members")
			}
			// The nine constant requests are the organization, the products, the renewal dates of the products, the
			// count of people, three groups by name, the groups that assign licenses, and the group that is nested in
			// the named group.
			want := (accounts+499)/500 + 1 + 9
			got := 0
			for _, r := range s.company.Requests() {
				if r.Method == http.MethodGet || r.Method == http.MethodPost {
					got++
				}
			}
			if got != want {
				t.Errorf("%d requests for %d accounts, want %d", got, accounts, want)
			}
		})
	}
}

// TestEverythingWeSendIsDocumented: each request and answer of the whole chain is in docs/graph.md, and each request of
// docs/graph.md is sent.
func TestEverythingWeSendIsDocumented(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 9, LicenseDelay: 50 * time.Millisecond}, copilotRule, citrixNotices,
		replace(t, "{entra: LIC-EXO-P1}, ", "{entra: LIC-EXO-P1}, mailboxQuota: 50,"), replace(t, "\nattributes:\n", "\nattributes:\n  teamsUse: m365.teams\n"),
		replace(t, "for: accountEnabled\n    when: copilotUse", "for: accountEnabled && teamsUse.earlierThan(now - days(9))\n    when: copilotUse"))
	s.company.Company.SetReports(sandbox.Reports{Older: true}) // Copilot's report is then requested from v1.0 and from beta
	var graph *graphcontract.Checker
	page := graphcontract.Read(t)
	s.company.Intercept(func(next http.Handler) http.Handler {
		graph = page.Check(t, graphcontract.Product, next)
		return graph
	})
	p := s.plan(exitDone)
	s.finish(p.Run)
	s.want(exitDone, "reevaluate", "nora.neumann.4@contoso.example")
	for _, op := range graph.NotAsked() {
		t.Errorf("docs/graph.md has %s as the product's, and the whole chain never asked for it", op)
	}
	for _, r := range s.company.Requests() {
		if r.Method == http.MethodDelete && !strings.HasSuffix(r.Target, "/$ref") {
			t.Errorf("%s %s would delete a user", r.Method, r.Target)
		}
		if r.Token {
			t.Errorf("%s %s carried a token", r.Method, r.Target)
		}
	}
}
