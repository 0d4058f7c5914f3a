package command

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The method "made" returns the newest plan in the store.
func (s *shell) made() (p printed) {
	s.t.Helper()
	files, err := filepath.Glob(s.path("store/runs/*/plan.json"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no plan: %v", err)
	}
	text, err := os.ReadFile(slices.Max(files))
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func keys(changes []plan.Change) (all []string) {
	for _, c := range changes {
		all = append(all, c.User+" "+c.License)
	}
	return all
}

// TestChoose applies the changes of the people whom a file lists, and then the others. Each choice is a plan with its
// own hash.
func TestChoose(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 6})
	p := s.plan(exitDone)
	if len(p.Changes) < 6 {
		t.Fatalf("only %d changes", len(p.Changes))
	}
	s.write("some.csv", "\ufeffuser;userPrincipalName;rule;license\r\n"+
		strings.Join([]string{p.Changes[4].User, p.Changes[4].UserPrincipalName, "x", p.Changes[4].License}, ";")+"\r\n;"+strings.ToUpper(p.Changes[1].UserPrincipalName)+";;\r\n")
	want := keys(slices.DeleteFunc(slices.Clone(p.Changes), func(c plan.Change) bool {
		return c.User != p.Changes[1].User && (c.User != p.Changes[4].User || c.License != p.Changes[4].License)
	}))
	s.want(exitDone, "apply", p.Run, "--only", s.path("some.csv"), "--yes")
	some := s.made()
	if d := cmp.Diff(want, keys(some.Changes)); d != "" {
		t.Fatalf("chosen (-want +got):\n%s", d)
	}
	if some.PlanHash == p.PlanHash || some.Run == p.Run || !some.Expires.Equal(p.Expires) {
		t.Errorf("the choice is not a plan of its own that ends with the one it is from: %s, %s, %s", some.Run, some.PlanHash, some.Expires)
	}
	if d := cmp.Diff(&plan.Chosen{From: p.Run, PlanHash: p.PlanHash, LeftOut: len(p.Changes) - len(want)}, some.Chosen); d != "" {
		t.Errorf("chosen from (-want +got):\n%s", d)
	}
	left := 0
	for _, x := range some.Refused {
		if x.Reason == "left out by the operator, who chose other changes from the plan of run "+p.Run {
			left++
		}
	}
	if left != len(p.Changes)-len(want) {
		t.Errorf("%d are listed as left out, want %d", left, len(p.Changes)-len(want))
	}
	if r := s.results(some.Run); r.Count(runs.Done) != len(want) {
		t.Errorf("done: %+v", r.Results)
	}
	s.want(exitDone, "apply", p.Run, "--except", s.path("some.csv"), "--yes", "--format", "json")
	rest := s.made()
	if r := s.results(rest.Run); r.Count(runs.Done) != len(p.Changes)-len(want) || rest.Run == some.Run {
		t.Errorf("the rest: %+v", r.Results)
	}
	if a := s.want(exitUsage, "apply", rest.Run, "--limit", "1", "--yes"); !strings.Contains(a.err, "were chosen from run "+p.Run+" already") {
		t.Errorf("a choice of a choice: %s", a.err)
	}
}

// TestChooseFromHeld: an operator can choose a few changes from a plan that is on hold because of a limit. The flag
// --yes does not approve them before they were shown. All choices of the last 30 days together must stay within the
// limit.
func TestChooseFromHeld(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1200, Seed: 3}, func(text string) string {
		return regexp.MustCompile(`stopAbove: \{[^}]*\}`).ReplaceAllString(text, "stopAbove: {percent: 2, count: 500}")
	})
	p := s.plan(exitHeld)
	if len(p.Changes) < 60 || !p.Overridable {
		t.Fatalf("%d changes, held by %q", len(p.Changes), p.HoldReasons)
	}
	a := s.want(exitHeld, "apply", p.Run, "--limit", "8", "--yes")
	first := s.made()
	if !strings.Contains(a.err, "--yes does not approve a choice from it unseen") || !strings.Contains(a.err, "apply "+first.Run+" --yes") {
		t.Errorf("unseen: %s", a.err)
	}
	if !strings.Contains(string(a.out), "holds that run and not this choice, which is small: rule ") || !strings.Contains(string(a.out), first.PlanHash) {
		t.Errorf("shown: %s", a.out)
	}
	if d := cmp.Diff(keys(p.Changes[:8]), keys(first.Changes)); d != "" {
		t.Errorf("not the first ones (-want +got):\n%s", d)
	}
	if p.Counts != first.Counts {
		t.Errorf("counts %+v, want %+v", first.Counts, p.Counts)
	}
	s.unwritten()
	if a := s.want(exitHeld, "apply", p.Run, "--limit", "26"); !strings.Contains(a.err, "26 changes are chosen, and up to 25 can be made without setting the limits aside") {
		t.Errorf("26: %s", a.err)
	}
	large := s.made()
	if a := s.want(exitHeld, "apply", large.Run, "--yes"); !strings.Contains(a.err, "the plan is held: ") {
		t.Errorf("26, again: %s", a.err)
	}
	s.unwritten()
	if r := s.done(first.Run); r.Count(runs.Done) != 8 {
		t.Errorf("done: %+v", r.Results)
	}
	s.write("done.txt", strings.Join(func() (names []string) {
		for _, c := range first.Changes {
			names = append(names, c.User)
		}
		return names
	}(), "\n"))
	if a := s.want(exitHeld, "apply", p.Run, "--except", s.path("done.txt"), "--limit", "25"); !strings.Contains(a.err, "licenses in the last 30 days that are not restored") {
		t.Errorf("choices do not add up: %s", a.err)
	}
}

// TestChooseNotFromDoubt: an operator wants to apply a part of a plan. The command apply refuses if Graph no longer
// returns sign-in dates, if a newer plan has superseded the plan, or if the policy has changed.
func TestChooseNotFromDoubt(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1})
	good := s.plan(exitDone)
	s.company.Intercept(spoil(func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
		for _, u := range body["value"].([]any) {
			delete(u.(map[string]any), "signInActivity")
		}
		_ = json.NewEncoder(w).Encode(body)
	}))
	if a := s.want(exitHeld, "apply", good.Run, "--limit", "1", "--yes"); !strings.Contains(a.err, "sign-in") {
		t.Errorf("the feed broke after the plan: %s", a.err)
	}
	s.company.Intercept(nil)
	second := s.plan(exitDone)
	if a := s.want(exitHeld, "apply", good.Run, "--limit", "1", "--yes"); !strings.Contains(a.err, "to choose from run "+good.Run+": the plan of run "+second.Run+" superseded it") {
		t.Errorf("superseded: %s", a.err)
	}
	s.want(exitUsage, "apply", second.Run, "--limit", "0")
	s.want(exitUsage, "apply", second.Run, "--limit", "1", "--override-limits", second.PlanHash)
	s.write("policy.yaml", string(s.company.Policy())+"\n# edited\n")
	if a := s.want(exitHeld, "apply", second.Run, "--limit", "1", "--yes"); !strings.Contains(a.err, "the policy has changed since the plan was made; plan again") {
		t.Errorf("another policy: %s", a.err)
	}
	s.unwritten()
}

// TestChooseNobody checks that apply refuses a file with a line that names nobody in the plan. The error has the number
// of each such line.
func TestChooseNobody(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1})
	p := s.plan(exitDone)
	s.write("names", "nobody@contoso.example\n"+p.Changes[0].UserPrincipalName+"\n\n=1+1\n")
	a := s.want(exitUsage, "apply", p.Run, "--only", s.path("names"), "--yes")
	for _, want := range []string{`--only: line 1: the plan has no change for "nobody@contoso.example"; line 4: the plan has no change for "=1+1"`, "idleseat show " + p.Run} {
		if !strings.Contains(a.err, want) {
			t.Errorf("stderr lacks %q: %s", want, a.err)
		}
	}
	s.unwritten()
	if q := s.made(); q.Run != p.Run {
		t.Errorf("run %s was made", q.Run)
	}
}

func TestReadPicks(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text  string
		want  []plan.Pick
		fault string
	}{
		"names":                  {"a@x\r\n\r\n  b@x \r\n", []plan.Pick{{Line: 1, Name: "a@x"}, {Line: 3, Name: "b@x"}}, ""},
		"no line break":          {"a@x", []plan.Pick{{Line: 1, Name: "a@x"}}, ""},
		"changes.csv":            {"\ufeffuser,userPrincipalName,rule,license,to\nid,a@x,r,e3,exo\n", []plan.Pick{{Line: 2, Name: "id", License: "e3"}}, ""},
		"semicolons":             {"user;userPrincipalName;rule;license\nid;\"a;b@x\";r;e3\n", []plan.Pick{{Line: 2, Name: "id", License: "e3"}}, ""},
		"columns in other order": {"license\tUSERPRINCIPALNAME\ne3\ta@x\n", []plan.Pick{{Line: 2, Name: "a@x", License: "e3"}}, ""},
		"names alone":            {"userPrincipalName\na@x\n", []plan.Pick{{Line: 2, Name: "a@x"}}, ""},
		"lines without a header": {"id,a@x,r,e3,exo\n", []plan.Pick{{Line: 1, Name: "id", License: "e3"}}, ""},
		"a quoted formula":       {"'=a@x\n", []plan.Pick{{Line: 1, Name: "=a@x"}}, ""},
		"nothing":                {"\n\n", nil, "names nobody"},
		"a header alone":         {"user,license\n", nil, "names nobody"},
		"a row without a name":   {"user,userPrincipalName,rule,license\n,,r,e3\n", nil, "line 2 names nobody"},
		"UTF-16":                 {"\xff\xfea\x00", nil, "save it as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readPicks(path)
			if tc.fault == "" && err != nil || tc.fault != "" && (err == nil || !strings.Contains(err.Error(), tc.fault)) {
				t.Errorf("error %v, want %q", err, tc.fault)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestChoiceIsShown: the limits do not hold a choice of up to plan.MostChosen changes. For such a choice, apply prints
// every change, so that an operator approves no change unseen.
func TestChoiceIsShown(t *testing.T) {
	t.Parallel()
	if shownRows < plan.MostChosen {
		t.Errorf("%d rows are shown, and %d changes may be chosen", shownRows, plan.MostChosen)
	}
}
