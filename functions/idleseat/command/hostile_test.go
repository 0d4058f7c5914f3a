package command

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The constant "hostile" is text that an attacker could write into a directory: terminal sequences, characters that
// reorder or hide text, line breaks, a tab, and a spreadsheet formula.
const hostile = "\x1b[2J\x1b]0;owned\x07\u009b31m\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\ufeff\r\nFORGED\tline\u2028FORGED\x7f=cmd|' /C calc'!A0"

// The expression "structural" matches the values from Graph that programs interpret, such as ids and dates.
var structural = regexp.MustCompile(`^([0-9a-fA-F-]{36}(_[0-9a-fA-F-]{36})?|\d{4}-\d\d-\d\dT[0-9:.]+Z|#.*|https?:.*|S-1-.*|[A-Za-z0-9+/]{22}==|)$`)

// The function "poisoned" appends the text "hostile" to strings in v. The function "fits" chooses the strings by their
// JSON names. The argument "name" is the JSON name of v.
func poisoned(v any, name string, fits func(name string) bool) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			v[k] = poisoned(inner, k, fits)
		}
	case []any:
		for i, inner := range v {
			v[i] = poisoned(inner, name, fits)
		}
	case string:
		if fits(name) && !structural.MatchString(v) && !strings.HasPrefix(name, "@odata") {
			return v + hostile
		}
	}
	return v
}

func poison(fits func(name string) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || strings.Contains(r.URL.Path, "$count") || strings.Contains(r.URL.Path, "downloads") || strings.Contains(r.URL.Path, "getMailbox") {
				next.ServeHTTP(w, r)
				return
			}
			body := poisoned(answerOf(next, r), "", fits)
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body)
		})
	}
}

// The function "failing" makes Graph answer with an error if the function "fits" returns true for the request. The
// error contains the text "hostile".
func failing(fits func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !fits(r) {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("request-id", "\u202eFORGED")
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": "Denied" + hostile, "message": "No" + hostile}})
		})
	}
}

// shownWell checks that the output of a command has no unprintable characters, and that no line begins with text of a
// directory. JSON output must be valid.
func (s *shell) shownWell(a answer, args []string) {
	s.t.Helper()
	for where, text := range map[string]string{"stdout": string(a.out), "stderr": a.err} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			s.t.Errorf("idleseat %q: raw on %s: %q", args, where, text[max(0, i-80):min(len(text), i+80)])
		}
		for line := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "FORGED") {
				s.t.Errorf("idleseat %q: the directory began a line on %s: %q", args, where, line)
			}
		}
	}
	if strings.Contains(strings.Join(args, " "), "json") && len(a.out) > 0 && !json.Valid(a.out) {
		s.t.Errorf("idleseat %q: stdout is no JSON: %.300q", args, a.out)
	}
}

// TestHostileText: no command, even one that fails, writes hostile text of a directory unchanged to a terminal or to
// changes.csv.
func TestHostileText(t *testing.T) {
	t.Parallel()
	names := func(names ...string) func(string) bool {
		return func(name string) bool {
			for _, n := range names {
				if n == name {
					return true
				}
			}
			return false
		}
	}
	tests := map[string]struct {
		before func(s *shell)
		plans  bool // whether the command can still make a plan
		policy []policyText
	}{
		"people and groups": {func(s *shell) {
			for i := range s.company.Company.Size() {
				p := s.company.Company.Person(i)
				s.company.Company.SetDepartment(i, "Sales"+hostile)
				if p.AD != nil && i%3 == 0 {
					s.company.Company.Rename(i, "Name"+strings.ReplaceAll(hostile, "\r\n", "\u2028"))
				}
			}
			s.company.Intercept(poison(names("userPrincipalName", "displayName", "department", "mail", "jobTitle", "companyName", "description", "extensionAttribute1")))
		}, true, []policyText{replace(t, "systemRole: entra.employeeType", "systemRole: entra.employeeType\n  title: entra.displayName\n  office: entra.department")}},
		"every text of Graph": {func(s *shell) { s.company.Intercept(poison(func(string) bool { return true })) }, false, nil},
		"every answer is an error": {func(s *shell) {
			s.company.Intercept(failing(func(*http.Request) bool { return true }))
		}, false, nil},
		"groups are refused": {func(s *shell) {
			s.company.Intercept(failing(func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/groups") }))
		}, false, nil},
		"writes are refused": {func(s *shell) {
			s.company.Intercept(failing(isWrite))
		}, true, nil},
		"Active Directory refuses": {func(s *shell) {
			s.company.Meddle(func(x *sandbox.Exchange) {
				if x.Method == "SEARCH" {
					x.Result, x.Message = 50, "No"+hostile
				}
				x.Serve()
			})
		}, true, nil},
		"Active Directory refuses to write": {func(s *shell) {
			s.company.Meddle(func(x *sandbox.Exchange) {
				if x.Method == "MODIFY" {
					x.Refuse(50, "No"+hostile)
					return
				}
				x.Serve()
			})
			s.t.Cleanup(func() {
				if !slices.ContainsFunc(s.company.Requests(), func(r sandbox.Request) bool { return r.Method == "MODIFY" && r.Status == 50 }) {
					s.t.Error("no write was refused, so that this test shows nothing")
				}
			})
		}, true, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 120, Seed: 3}, tc.policy...)
			tc.before(s)
			seen := map[string]bool{}
			tell := func(args ...string) answer {
				a := s.run(args...)
				s.shownWell(a, args)
				for _, mark := range []string{"\ufffd", `\u202e`, `\u001b`, `\u200b`} {
					seen[mark] = seen[mark] || strings.Contains(string(a.out)+a.err, mark)
				}
				return a
			}
			tell("plan")
			var p plan.Plan
			_ = json.NewDecoder(bytes.NewReader(tell("plan", "--format", "json").out)).Decode(&p)
			if (len(p.Changes) > 0) != tc.plans {
				t.Errorf("%d changes", len(p.Changes))
			}
			users := []string{"ingrid.halvorsen.2@contoso.example", "anna@contoso.example"}
			for _, c := range p.Changes[:min(4, len(p.Changes))] {
				users = append(users, c.User)
			}
			for _, u := range users {
				tell("explain", u)
				tell("explain", u, "--format", "json")
			}
			tell("reevaluate", users[len(users)-1], "--apply")
			tell("reevaluate", users[0], "--format", "json")
			tell("plan", "--user", users[0])
			tell("policy", "check", s.path("policy.yaml"), "--store", s.path("store"))
			mine := strings.ReplaceAll(hostile, "\r\n", "") // a name on the command line may contain no line break
			tell("policy", "check", s.path("policy"+mine+".yaml"))
			if p.Run != "" {
				tell("apply", p.Run, "--yes")
				tell("apply", p.Run, "--yes", "--format", "json")
				tell("restore", "--run", p.Run, "--yes", "--format", "json")
				tell("restore", users[0], "--yes")
			}
			tell("explain", "nobody"+mine)
			tell("plan", "--user", mine)
			tell("apply", mine, "--yes")
			tell(mine)
			if !seen["\ufffd"] || tc.plans && tc.policy != nil && !seen[`\u202e`] {
				t.Errorf("the hostile text came to nobody's eyes, so that this test shows nothing: %v", seen)
			}
			files, err := filepath.Glob(s.path("store/runs/*/changes.csv"))
			if err != nil || tc.plans != (len(files) > 0) {
				t.Errorf("%d tables, %v", len(files), err)
			}
			for _, file := range files {
				raw, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
				if i := bytes.IndexFunc(raw, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("raw in changes.csv: %q", raw[max(0, i-80):min(len(raw), i+80)])
				}
				if bytes.Contains(raw, []byte("\nFORGED")) {
					t.Error("the directory began a line of changes.csv")
				}
			}
		})
	}
}
