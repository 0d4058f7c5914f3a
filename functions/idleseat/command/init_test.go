package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/workflow/draft"
)

// The function "started" runs the command init, and then the commands that its output names.
func started(s *shell, args ...string) (said string, p printed) {
	s.t.Helper()
	s.setenv("IDLESEAT_POLICY", s.path("first.yaml"))
	said = string(s.want(exitDone, append([]string{"init"}, args...)...).out)
	s.want(exitDone, "policy", "check", s.path("first.yaml"))
	s.want(exitDone, "policy", "test", s.path("first.yaml"))
	s.want(exitDone, "policy", "explain", s.path("first.yaml"))
	a := s.run("plan", "--format", "json")
	if a.status != exitDone && a.status != exitHeld {
		s.t.Fatalf("plan: exit status %d: %s", a.status, a.err)
	}
	if err := json.Unmarshal(a.out, &p); err != nil {
		s.t.Fatal(err)
	}
	if p.Mode != policy.Audit {
		s.t.Errorf("mode %s", p.Mode)
	}
	s.want(exitHeld, "apply", p.Run, "--yes")
	s.unwritten()
	return said, p
}

func TestInit(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 600})
	said, p := started(s, "--price", "m365-e3=39", "--price", "exchange-online=4", "--currency", "SEK")
	for _, want := range []string{"employeeType", "Active Directory answers", "breakglass@contoso.example", "The first plan of a tenant is usually held", "mode audit", "What comes next:\n  idleseat doctor\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("init does not say %q:\n%s", want, said)
		}
	}
	if len(p.Changes) == 0 || p.Changes[0].MonthlySaving == 0 || p.Currency != "SEK" {
		t.Errorf("%d changes, currency %s", len(p.Changes), p.Currency)
	}
	rules := map[string]bool{}
	for _, c := range p.Changes {
		rules[c.Rule] = true
	}
	if !rules["m365-e3-idle-60"] {
		t.Errorf("no change of E3: %v", rules)
	}
	for _, c := range p.Changes {
		if c.UserPrincipalName == "breakglass@contoso.example" {
			t.Error("the account for an emergency loses its license")
		}
	}
}

// TestInitOverwritesNothing: if one of its files exists, init reads no directory and writes no file.
func TestInitOverwritesNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"first.yaml", "first_test.yaml", "first_note.md"} {
		s := newShell(t, sandbox.Options{})
		s.setenv("IDLESEAT_POLICY", s.path("first.yaml"))
		s.write(name, "mine")
		if a := s.want(exitUsage, "init"); !strings.Contains(a.err, name+" exists") || !strings.Contains(a.err, "--force") {
			t.Errorf("%s: %s", name, a.err)
		}
		if len(s.company.Requests()) > 0 {
			t.Errorf("%s: the tenant was read, although nothing could be written", name)
		}
		var names []string
		entries, err := os.ReadDir(s.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "first") {
				names = append(names, e.Name())
			}
		}
		if text, err := os.ReadFile(s.path(name)); err != nil || string(text) != "mine" || cmp.Diff([]string{name}, names) != "" {
			t.Errorf("%s: %q, %v, files %v", name, text, err, names)
		}
		s.want(exitDone, "init", "--force")
		s.want(exitDone, "policy", "test", s.path("first.yaml"))
	}
}

// TestInitOfAStrangeTenant: data that Graph refuses count as not read, and init still writes a policy. Without the
// products of the tenant, init fails and writes none.
func TestInitOfAStrangeTenant(t *testing.T) {
	t.Parallel()
	refuse := func(paths ...string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for _, path := range paths {
					if r.URL.Path == path && r.Method == http.MethodGet {
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(http.StatusForbidden)
						fmt.Fprint(w, `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`)
						return
					}
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	t.Run("no Active Directory, a hidden group, nobody has a type", func(t *testing.T) {
		t.Parallel()
		s := newShell(t, sandbox.Options{Users: 300})
		for _, name := range []string{"URLS", "BASE", "BIND", "PASSWORD_FILE", "CA"} {
			s.setenv("IDLESEAT_AD_"+name, "")
		}
		s.company.Company.ChangeGroup("LIC-M365-E3", sandbox.GroupChange{Hidden: true})
		s.company.Company.SetUPN(9, "clara@fabrikam.example")
		for i := range s.company.Company.Size() {
			s.company.Company.SetEmployeeType(i, "")
		}
		said, _ := started(s)
		for _, want := range []string{"LIC-M365-E3 hides its members", "employeeType is empty for 100 %, so the rule asks accountEnabled only", "synced from Active Directory, which is not set up here", "People have names in 2 domains"} {
			if !strings.Contains(said, want) {
				t.Errorf("init does not say %q:\n%s", want, said)
			}
		}
	})
	t.Run("groups and subscriptions are refused", func(t *testing.T) {
		t.Parallel()
		s := newShell(t, sandbox.Options{Users: 300})
		s.company.Intercept(refuse("/v1.0/groups", "/v1.0/directory/subscriptions"))
		s.setenv("IDLESEAT_POLICY", s.path("first.yaml"))
		said := string(s.want(exitDone, "init").out)
		for _, want := range []string{"Groups that give licenses are unread", "Which products are only tried is unread", "403"} {
			if !strings.Contains(said, want) {
				t.Errorf("init does not say %q:\n%s", want, said)
			}
		}
		s.want(exitDone, "policy", "test", s.path("first.yaml"))
	})
	t.Run("people are refused", func(t *testing.T) {
		t.Parallel()
		s := newShell(t, sandbox.Options{Users: 300})
		s.company.Intercept(refuse("/v1.0/users"))
		s.setenv("IDLESEAT_POLICY", s.path("first.yaml"))
		said := string(s.want(exitDone, "init").out)
		if !strings.Contains(said, "The people of Entra ID are unread") || strings.Contains(said, "is empty for") {
			t.Errorf("init says:\n%s", said)
		}
		s.want(exitDone, "policy", "test", s.path("first.yaml"))
	})
	t.Run("the products are refused", func(t *testing.T) {
		t.Parallel()
		s := newShell(t, sandbox.Options{})
		s.company.Intercept(refuse("/v1.0/subscribedSkus"))
		s.setenv("IDLESEAT_POLICY", s.path("first.yaml"))
		if a := s.want(exitFailed, "init"); !strings.Contains(a.err, "Organization.Read.All") {
			t.Errorf("init says: %s", a.err)
		}
		if _, err := os.Stat(s.path("first.yaml")); err == nil {
			t.Error("a policy was written")
		}
	})
}

// TestInterview: init asks only for values that neither the flags nor the tenant give. After an invalid answer, it asks
// again.
func TestInterview(t *testing.T) {
	t.Parallel()
	seen := &draft.Seen{
		Tenant: sandbox.TenantID, SKUs: []directory.SKU{{ID: "1", PartNumber: "VISIOCLIENT", Enabled: 9, Consumed: 9, PlansRead: true}},
		AD: draft.AD{Configured: true, Citrix: []string{"CN=A,DC=x", "CN=B,DC=x"}},
	}
	tests := map[string]struct {
		given   draft.Wishes
		answers []string
		want    draft.Wishes
	}{
		"all": {answers: []string{"3", "2", "seats", "User", "much", "12,50", "", "euro", "eur", " a@x , b@x"},
			want: draft.Wishes{Citrix: "CN=B,DC=x", Model: "user", Prices: map[string]float64{"visioclient": 12.5}, Currency: "EUR", Exempt: []string{"a@x", "b@x"}}},
		"nothing": {answers: []string{"", "", ""}, want: draft.Wishes{Prices: map[string]float64{}}},
		"flags": {given: draft.Wishes{Citrix: "CN=A,DC=x", Model: "device", Prices: map[string]float64{"citrix": 1}, Currency: "SEK", Exempt: []string{"a@x"}},
			want: draft.Wishes{Citrix: "CN=A,DC=x", Model: "device", Prices: map[string]float64{"citrix": 1}, Currency: "SEK", Exempt: []string{"a@x"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, asked := tc.given, 0
			err := interview(seen, &w, func(question string) (string, error) {
				if asked == len(tc.answers) {
					return "", errors.New("one question too many")
				}
				asked++
				if lines := "Which group gives Citrix?\n  1  CN=A,DC=x\n  2  CN=B,DC=x\n"; asked == 1 && name == "all" && !strings.HasPrefix(question, lines) {
					t.Errorf("the groups are not in lines of their own: %q", question)
				}
				return tc.answers[asked-1], nil
			})
			if diff := cmp.Diff(tc.want, w); err != nil || diff != "" || asked != len(tc.answers) {
				t.Errorf("%v, %d questions (-want +got):\n%s", err, asked, diff)
			}
		})
	}
}
