package command

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

const (
	idOfExempt = "60000000-0000-4000-8000-000000000003"
	skuOfE3    = "05e9a617-0261-4cee-bb44-138d3ef5d965"
)

func (s *shell) forge(c plan.Change, edit func(*ledger.Intent)) (key string) {
	s.t.Helper()
	key = "ledger/" + c.User + "/" + c.License + "/000001.json"
	raw, err := os.ReadFile(s.path("store/" + key))
	var in ledger.Intent
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	edit(&in)
	if raw, errTo := json.Marshal(in); err == nil && errTo == nil {
		s.object(key, string(raw))
		return key
	}
	s.t.Fatal(err)
	return ""
}

// TestForgedIntent alters the intent of a pending change, which is the ledger's record of what the change is to do. An
// attacker who can write only to the ledger could do the same. The command refuses the change and names the altered
// object. The person's groups and licenses stay as they are.
func TestForgedIntent(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*ledger.Intent){
		"source":  func(in *ledger.Intent) { in.Source = idOfExempt },
		"target":  func(in *ledger.Intent) { in.Target = idOfExempt },
		"product": func(in *ledger.Intent) { in.TargetSKU = skuOfE3 },
		"way":     func(in *ledger.Intent) { in.Via, in.TargetSKU = "direct", "06ebc4ee-1bb5-47dd-8120-11324bc54e06" },
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 200, Seed: 9, LicenseDelay: 300 * time.Millisecond})
			p := s.plan(exitDone)
			if a := s.want(exitDone, "apply", p.Run, "--yes", "--format", "json"); !strings.Contains(string(a.out), `"pending"`) {
				t.Fatal("nothing is pending")
			}
			moved, n := s.change(p, by("m365-idle-60", plan.EntraGroup))
			before := len(s.company.Company.History())
			key := s.forge(moved, edit)
			r := s.done(p.Run)
			x := r.Of(&moved)
			if x.Status != runs.Refused || !strings.Contains(x.Note, "the ledger object "+key+" has ") || !strings.Contains(x.Note, "it was altered") {
				t.Errorf("%+v", x)
			}
			if r.Count(runs.Done) != len(p.Changes)-1 {
				t.Errorf("%d of %d done", r.Count(runs.Done), len(p.Changes))
			}
			for _, e := range s.company.Company.History()[before:] {
				if e.Person == n && (e.What == sandbox.MemberAdded || e.What == sandbox.MemberRemoved || e.What == sandbox.LicensesAssigned) {
					t.Errorf("written by the forged intent: %+v", e)
				}
			}
		})
	}
}

// TestForgedPast adds a forged entry to the ledger: it says that a run took a license that the person never had. While
// the plan of the run exists, a restore of the license is refused. Without the data of the run, an operator can restore
// the license only for this person by name. The person then joins the group of the policy, and not the group of the
// entry.
func TestForgedPast(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond}, replace(t, "{changeTo: exchange-online}", "{changeTo: exchange-online, onReturn: restore}"))
	p := s.plan(exitDone)
	s.done(p.Run)
	gives := func(group string) bool { return strings.HasPrefix(group, "LIC-") }
	thief := -1
	for i := range s.company.Company.Size() {
		q := s.company.Company.Person(i)
		if q.Kind == sandbox.CloudOnly && q.Activity == sandbox.Active && q.Entra.EmployeeType == "Employee" && len(q.Entra.Assignments) == 0 && !slices.ContainsFunc(q.Groups, gives) {
			thief = i
		}
	}
	if thief < 0 {
		t.Fatal("nobody is without a license")
	}
	id := s.company.Company.Person(thief).Entra.ID
	forged := func(run string) {
		in := ledger.Intent{
			Person: id, License: "m365-e3", Run: run, PlanHash: p.PlanHash, Rule: "m365-idle-60", To: "exchange-online", Via: "entra-group",
			Source: idOfExempt, SKU: skuOfE3, At: time.Now().Add(-48 * time.Hour),
		}
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		s.object("ledger/"+id+"/m365-e3/000001.json", string(raw))
		s.object("ledger/"+id+"/m365-e3/000001.done.json", `{"outcome":"done","at":"`+in.At.Format(time.RFC3339)+`"}`)
	}
	nothing := func(when string) {
		t.Helper()
		if q := s.company.Company.Person(thief); slices.ContainsFunc(q.Groups, gives) || len(q.Entra.Assignments) > 0 {
			t.Fatalf("%s: the thief has %v, %v", when, q.Groups, q.Entra.Assignments)
		}
	}
	forged(p.Run)
	s.want(exitUsage, "restore", id, "--yes") // history/plans lists the people in the plan of the run, and this person is not among them
	s.remove("history/plans/" + p.Run + ".json")
	r, _ := s.restoring(exitHeld, id) // without that object, the command reads the plan of the run, and the plan lacks the person, too
	if r.Results[0].Status != runs.Refused || !strings.Contains(r.Results[0].Note, "the plan of run "+p.Run+" has no such change") {
		t.Errorf("with the plan: %+v", r.Results)
	}
	nothing("with the plan")
	s.remove("runs", "history")
	s.company.Company.SignIn(thief)
	next := s.plan(exitDone) // the store has lost its runs, so this run reads the whole ledger
	back, _ := s.change(next, func(c plan.Change) bool { return c.User == id && c.RestoreOf == p.Run })
	after := s.done(next.Run)
	if x := after.Of(&back); x.Status != runs.Refused || !strings.Contains(x.Note, "`idleseat restore "+id+"` restores it") {
		t.Errorf("by a run: %+v", x)
	}
	nothing("by a run")
	s.restored(id) // an operator names the person
	if by := slices.DeleteFunc(s.company.Company.Person(thief).Groups, func(g string) bool { return !gives(g) }); fmt.Sprint(by) != "[LIC-M365-E3]" {
		t.Errorf("restored by %v", by)
	}
}

// TestForgedOverride: an override with a wrong plan hash does not end a hold.
func TestForgedOverride(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1000, Seed: 3}, replace(t, "days(60)", "days(1)"))
	p := s.plan(exitHeld)
	text, err := os.ReadFile(s.path("policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Load("policy.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{strings.Repeat("ab", 32), ""} {
		s.object("history/overrides/"+p.Run+".json", fmt.Sprintf(`{"run":%q,"planHash":%q,"by":"kim","at":%q,"matches":{%q:1000000000}}`, p.Run, hash, time.Now().Format(time.RFC3339), rules.RuleNamed("m365-idle-60").Key()))
		if next := s.plan(exitHeld); next.Verdict != plan.Hold {
			t.Errorf("verdict %s", next.Verdict)
		}
	}
	s.object("history/overrides/"+p.Run+".json", "{")
	s.plan(exitHeld)
	s.want(exitHeld, "apply", p.Run, "--yes")
	s.unwritten()
}

// TestForgedCompletion forges a completion of a pending restore: the ledger then says that the restore is done. The
// completion lacks the hash of its intent, so the command refuses it. Otherwise the license would count as restored
// although no read has shown it.
func TestForgedCompletion(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 9, LicenseDelay: 3 * time.Minute})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	moved, _ := s.change(p, by("m365-idle-60", plan.EntraGroup))
	s.done(p.Run)
	var r runs.Results
	if err := json.Unmarshal(s.want(exitDone, "restore", moved.UserPrincipalName, "--yes", "--format", "json").out, &r); err != nil || r.Of(&moved).Status != runs.Pending {
		t.Fatalf("%+v, %v", r, err)
	}
	key := "ledger/" + moved.User + "/" + moved.License + "/000002.done.json"
	s.object(key, `{"outcome":"done","at":"2026-11-28T00:00:00Z"}`)
	var after runs.Results
	if err := json.Unmarshal(s.want(exitHeld, "apply", r.Run, "--yes", "--format", "json").out, &after); err != nil {
		t.Fatal(err)
	}
	if x := after.Of(&moved); x.Status != runs.Refused || !strings.Contains(x.Note, "the object "+key+" was written about another intent") {
		t.Errorf("%+v", x)
	}
	s.remove(key)
	for range 10 {
		if a := s.run("apply", r.Run, "--yes", "--format", "json"); a.status != exitDone || !strings.Contains(string(a.out), `"pending"`) {
			break
		}
		s.passes(time.Minute)
	}
	s.restored("--run", p.Run)
	s.asBefore(before)
}
