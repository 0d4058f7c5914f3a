package command

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The method "remove" deletes the objects whose keys match a pattern. Each pattern must match at least one key.
func (s *shell) remove(patterns ...string) {
	s.t.Helper()
	for _, p := range patterns {
		found, err := filepath.Glob(s.path("store/" + p))
		if err != nil || len(found) == 0 {
			s.t.Fatalf("%s: %d found, %v", p, len(found), err)
		}
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// earlierLedger rewrites the ledger and a run's manifest in the format of older versions, without hashes and without
// GUIDs of groups.
func (s *shell) earlierLedger(run string) {
	s.t.Helper()
	ledgers, err := filepath.Glob(s.path("store/ledger/*/*/*.json"))
	if err != nil || len(ledgers) == 0 {
		s.t.Fatalf("%d objects, %v", len(ledgers), err)
	}
	for _, file := range append(ledgers, s.path("store/runs/"+run+"/manifest.json")) {
		var object map[string]any
		raw, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(raw, &object)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		for _, field := range []string{"bound", "intent", "sourceGuid", "targetGuid", "sha256"} {
			delete(object, field)
		}
		if readings, ok := object["readings"].([]any); ok {
			for _, r := range readings {
				delete(r.(map[string]any), "groups")
			}
		}
		if raw, err = json.Marshal(object); err == nil {
			err = os.WriteFile(file, raw, 0o600)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestRestoreFromLedgerAlone: a restore returns every license although other objects than the ledger are lost or
// damaged. If no run is left in the store, the restore also needs a policy.
func TestRestoreFromLedgerAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]func(s *shell, run string){
		"no run is left":              func(s *shell, _ string) { s.remove("runs") },
		"nor any history":             func(s *shell, _ string) { s.remove("runs", "history") },
		"no beginning":                func(s *shell, _ string) { s.remove("runs/*/begin.json") },
		"no manifest":                 func(s *shell, run string) { s.remove("runs/" + run + "/manifest.json") },
		"no people":                   func(s *shell, run string) { s.remove("runs/" + run + "/people/*") },
		"manifests are damaged":       func(s *shell, run string) { s.object("runs/"+run+"/manifest.json", "{") },
		"no list of its plan":         func(s *shell, run string) { s.remove("history/plans/" + run + ".json") },
		"the list is damaged":         func(s *shell, run string) { s.object("history/plans/"+run+".json", "{") },
		"an earlier version wrote it": (*shell).earlierLedger,
		"the policy is broken":        func(s *shell, _ string) { s.write("policy.yaml", "rules: [") },
		"the policy is in audit": func(s *shell, _ string) {
			s.write("policy.yaml", strings.Replace(string(s.company.Policy()), "mode: review", "mode: audit", 1))
		},
	}
	for name, lose := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 200, Seed: 9, LicenseDelay: 20 * time.Millisecond})
			before := holding(s.company.Company)
			p := s.plan(exitDone)
			s.done(p.Run)
			lose(s, p.Run)
			if r := s.restored(p.Changes[0].UserPrincipalName); r.Count(runs.Done) == 0 || r.Count(runs.Done) != len(r.Results) {
				t.Errorf("one user: %+v", r)
			}
			s.restored("--run", p.Run)
			s.asBefore(before)
			if a := s.want(exitUsage, "restore", "--run", p.Run, "--yes"); !strings.Contains(a.err, "nothing to restore") {
				t.Errorf("again: %s", a.err)
			}
		})
	}
	t.Run("nothing but the ledger", func(t *testing.T) {
		t.Parallel()
		s := newShell(t, sandbox.Options{Users: 100, Seed: 9, LicenseDelay: 20 * time.Millisecond})
		p := s.plan(exitDone)
		s.done(p.Run)
		s.remove("runs", "history", "../policy.yaml")
		if a := s.want(exitHeld, "restore", "--run", p.Run, "--yes"); !strings.Contains(a.err, "give it with --policy") {
			t.Errorf("without a policy: %s", a.err)
		}
		if a := s.want(exitUsage, "restore", "--run", "20200101T000000Z-00000000", "--yes"); !strings.Contains(a.err, "the ledger has nothing of it") {
			t.Errorf("a run that never was: %s", a.err)
		}
	})
}

// TestRestoreOfWhatWasBegun: a run has pending changes, and its stored objects are lost. A restore of this run rolls
// back the pending changes and returns the licenses that the run took, so everybody holds the same as before the run.
func TestRestoreOfWhatWasBegun(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 9, LicenseDelay: 700 * time.Millisecond})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	if a := s.want(exitDone, "apply", p.Run, "--yes", "--format", "json"); !bytes.Contains(a.out, []byte(`"pending"`)) {
		t.Fatal("nothing is pending")
	}
	s.remove("runs/" + p.Run)
	s.restored("--run", p.Run)
	s.asBefore(before)
}

// idOfE3 is the object id of the group that assigns E3. idAnew is the object id of the group that replaces it in the
// function "remade".
const (
	idOfE3 = "60000000-0000-4000-8000-000000000001"
	idAnew = "60000000-0000-4000-8000-0000000000e3"
)

// The function "remade" replaces the group that assigns E3 by a new group with the same name, licenses and members, as
// if somebody had deleted the group and created it again.
func remade(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, idOfE3) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":"Request_ResourceNotFound","message":"Resource '`+idOfE3+`' does not exist or one of its queried reference-property objects are not present."}}`)
			return
		}
		inner := r.Clone(r.Context())
		inner.URL = &url.URL{Path: strings.ReplaceAll(r.URL.Path, idAnew, idOfE3), RawQuery: strings.ReplaceAll(r.URL.RawQuery, idAnew, idOfE3)}
		kept := &recorder{header: w.Header(), status: http.StatusOK}
		next.ServeHTTP(kept, inner)
		w.Header().Del("Content-Length")
		w.WriteHeader(kept.status)
		_, _ = io.WriteString(w, strings.ReplaceAll(kept.body.String(), idOfE3, idAnew))
	})
}

// TestRestoreIntoPresentGroup makes the original group unusable. If the policy names a usable group, the restore uses
// that group. Otherwise the restore is refused with the reason.
func TestRestoreIntoPresentGroup(t *testing.T) {
	t.Parallel()
	e3 := func(change func(g map[string]any)) func(http.Handler) http.Handler {
		return edited("/groups", func(g map[string]any) {
			if g["id"] == idOfE3 {
				change(g)
			}
		})
	}
	tests := map[string]struct {
		fault func(http.Handler) http.Handler
		want  runs.Status
		note  string
	}{
		"made again":        {remade, runs.Done, "restored by the group entra:LIC-M365-E3, since " + idOfE3 + " cannot: it is gone"},
		"dynamic":           {e3(func(g map[string]any) { g["groupTypes"] = []any{"DynamicMembership"} }), runs.Refused, "is dynamic"},
		"role-assignable":   {e3(func(g map[string]any) { g["isAssignableToRole"] = true }), runs.Refused, "is role-assignable"},
		"license moved off": {e3(func(g map[string]any) { g["assignedLicenses"] = []any{} }), runs.Refused, "does not grant SPE_E3"},
		"grants more": {e3(func(g map[string]any) {
			g["assignedLicenses"] = append(g["assignedLicenses"].([]any), map[string]any{"skuId": "84a661c4-e949-4bd2-a560-ed7766fcaf2b", "disabledPlans": []any{}})
		}), runs.Refused, "grants 2 products at once"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 9, LicenseDelay: 20 * time.Millisecond})
			before := holding(s.company.Company)
			p := s.plan(exitDone)
			moved, _ := s.change(p, by("m365-idle-60", plan.EntraGroup))
			s.done(p.Run)
			s.company.Intercept(tc.fault)
			status := exitDone
			if tc.want == runs.Refused {
				status = exitHeld
			}
			r, _ := s.restoring(status, moved.UserPrincipalName)
			x := r.Of(&moved)
			if x == nil || x.Status != tc.want || !strings.Contains(x.Note, tc.note) {
				t.Fatalf("%+v, want %s with %q", x, tc.want, tc.note)
			}
			s.company.Intercept(nil)
			if tc.want == runs.Refused {
				if r, _ = s.restoring(exitDone, moved.UserPrincipalName); r.Of(&moved).Status != runs.Done {
					t.Errorf("mended: %+v", r.Of(&moved))
				}
			}
			s.restored("--run", p.Run)
			s.asBefore(before)
		})
	}
}
