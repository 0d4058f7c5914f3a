package sandbox

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	fetch(t, s.GraphURL+"/users?$top=5")
	fetch(t, s.GraphURL+"/users/anna@contoso.example")
	fetch(t, s.GraphURL+"/nothing")
	want := []Request{
		{Method: "GET", Template: "/users", Target: "/v1.0/users?$top=5", Status: 200},
		{Method: "GET", Template: "/users/{id}", Target: "/v1.0/users/anna@contoso.example", Status: 200},
		{Method: "GET", Target: "/v1.0/nothing", Status: 404},
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Error(diff)
	}
	if n := s.Count("GET", "/users"); n != 1 {
		t.Errorf("Count = %d", n)
	}
	s.ResetRequests()
	if len(s.Requests()) != 0 {
		t.Error("requests remain after a reset")
	}
}

func TestIntercept(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/subscribedSkus") {
				http.Error(w, "<html>", http.StatusInternalServerError)
				return
			}
			if strings.HasSuffix(r.URL.Path, "/groups") {
				_, _ = io.WriteString(w, "half a pa")
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if status, body := fetch(t, s.GraphURL+"/subscribedSkus"); status != 500 || !strings.HasPrefix(body, "<html>") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := fetch(t, s.GraphURL+"/users"); status != 200 {
		t.Errorf("what is not intercepted: %d", status)
	}
	if _, body := fetch(t, s.GraphURL+"/groups"); body != "half a pa" {
		t.Errorf("body %q", body)
	}
	s.Intercept(nil)
	if status, _ := fetch(t, s.GraphURL+"/subscribedSkus"); status != 200 {
		t.Errorf("after the fault: %d", status)
	}
	var statuses []int
	for _, r := range s.Requests() {
		statuses = append(statuses, r.Status)
	}
	if diff := cmp.Diff([]int{500, 200, 200, 200}, statuses); diff != "" {
		t.Error(diff)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	s, err := Start(Options{Now: fixedNow})
	if err != nil {
		t.Fatal(err)
	}
	dial(t, s) // the connection stays open while the sandbox closes
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(s.CAFile)); !os.IsNotExist(err) {
		t.Errorf("the folder remains: %v", err)
	}
	if resp, err := http.Get(s.GraphURL + "/users"); err == nil {
		_ = resp.Body.Close()
		t.Error("Graph still answers")
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	want := []string{"IDLESEAT_GRAPH_URL=" + s.GraphURL, "IDLESEAT_AD_URLS=" + s.ADURL, "IDLESEAT_AD_BASE=DC=corp,DC=example,DC=test",
		"IDLESEAT_AD_BIND=" + s.Bind, "IDLESEAT_AD_PASSWORD_FILE=" + s.PasswordFile, "IDLESEAT_AD_CA=" + s.CAFile}
	if diff := cmp.Diff(want, s.Env()); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{s.CAFile, s.PasswordFile} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}

func TestPolicyFitsTheCompany(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Users: 20_000})
	var p struct {
		Tenant string
		Mode   string
		Exempt struct {
			Leave []struct{ Until string }
		}
		Limits struct {
			StopAbove struct{ Percent, Count int } `yaml:"stopAbove"`
			PerRun    int                          `yaml:"perRun"`
		}
		Licenses map[string]struct {
			Group struct{ AD string }
		}
	}
	if err := yaml.Unmarshal(s.Policy(), &p); err != nil {
		t.Fatal(err)
	}
	if p.Tenant != TenantID || p.Mode != "review" || p.Licenses["citrix"].Group.AD != CitrixGroup || p.Exempt.Leave[0].Until != "2027-03-23" {
		t.Errorf("policy %+v", p)
	}
	m365, citrix := ruleMatches(s.Company)
	for _, m := range []matched{m365, citrix} {
		if m.matches > p.Limits.StopAbove.Count || m.percent() > float64(p.Limits.StopAbove.Percent) {
			t.Errorf("%+v is above the limits %+v", m, p.Limits)
		}
	}
	if m365.matches+citrix.matches > p.Limits.PerRun {
		t.Errorf("%d changes do not fit in one run of %d", m365.matches+citrix.matches, p.Limits.PerRun)
	}
}
