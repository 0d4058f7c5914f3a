package story_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/story"
)

// TestPlanned: if a rule takes a license, the story says how the plan of the run treats it.
func TestPlanned(t *testing.T) {
	t.Parallel()
	change := plan.Change{User: "id-idle", Rule: "m365-idle-60", License: "m365-e3", To: "exchange-online", Via: plan.EntraGroup}
	for name, tc := range map[string]struct {
		plan    *plan.Plan // nil if the run has no plan
		refused string
		result  *runs.Result
		newer   bool // whether a newer run has a plan
		state   story.State
		change  string // the beginning of Change
		do      string // the beginning of Do
	}{
		"no plan":    {nil, "", nil, false, story.Idle, "A sign-in before the change keeps the license.", ""},
		"planned":    {&plan.Plan{Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{change}}, "", nil, false, story.Idle, "A sign-in", "to carry out the plan of the run, which has this change: idleseat apply " + run + " --store /srv"},
		"deferred":   {&plan.Plan{Mode: policy.Review, Verdict: plan.Review, Deferred: 3}, "", nil, false, story.Idle, "The plan of this run leaves it to a later run", ""},
		"audit":      {&plan.Plan{Mode: policy.Audit, Verdict: plan.Review, Changes: []plan.Change{change}}, "", nil, false, story.Idle, "The policy has the mode audit", ""},
		"on hold":    {&plan.Plan{Mode: policy.Review, Verdict: plan.Hold, Changes: []plan.Change{change}}, "", nil, false, story.Idle, "The plan of this run is on hold.", "to see why it is on hold: idleseat show " + run + " --store /srv"},
		"expired":    {&plan.Plan{Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{change}, Expires: now}, "", nil, false, story.Idle, "The plan of this run has expired", ""},
		"no seat":    {&plan.Plan{Mode: policy.Review, Verdict: plan.Nothing}, "no free seat of exchange-online is left for it, beside the 0 that are kept free; buy some, or free some first", nil, false, story.Refused, "", "Buy seats"},
		"kept":       {&plan.Plan{Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{change}}, "", &runs.Result{Status: runs.Kept, Note: "signed in 3 minutes ago"}, false, story.Kept, "A new run decides", ""},
		"failed":     {&plan.Plan{Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{change}}, "", &runs.Result{Status: runs.Failed, Note: "Graph answered 403"}, false, story.Refused, "", "A new run tries it again."},
		"pending":    {&plan.Plan{Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{change}}, "", &runs.Result{Status: runs.Pending}, false, story.Idle, "A sign-in", "to carry out"},
		"superseded": {&plan.Plan{Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{change}}, "", nil, true, story.Idle, "The plan of run 20261129T030000Z-00000000 has taken", ""},
		"by another": {&plan.Plan{Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{{User: "id-other", Rule: "m365-idle-60", License: "m365-e3"}}}, "", nil, false, story.Idle, "A sign-in", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{entra: []directory.EntraUser{person("idle", 90, e3), person("busy", 0)}}
			s := w.seal(t)
			if p := tc.plan; p != nil {
				p.Run = run
				if p.Expires.IsZero() {
					p.Expires = now.Add(time.Hour)
				}
				p.Bind()
				listed := func(_ context.Context, each func(*plan.Decision) error) (decision.Summary, error) {
					return decision.Summary{}, each(&plan.Decision{User: "id-idle", Rule: "m365-idle-60", License: "m365-e3", Outcome: policy.Reclaim, Refused: tc.refused})
				}
				if err := runs.PutPlan(t.Context(), s, p, listed); err != nil {
					t.Fatal(err)
				}
				become(t, s, p, tc.result)
			}
			if tc.newer {
				if err := history.PutPlanned(t.Context(), s, &history.Planned{Run: "20261129T030000Z-00000000"}, true); err != nil {
					t.Fatal(err)
				}
			}
			people, err := story.Of(t.Context(), s, story.Question{User: "id-idle", Now: now, Store: "/srv"})
			if err != nil {
				t.Fatal(err)
			}
			x := people[0].Answers[0]
			do := strings.Join(x.Do, "\n")
			if x.State != tc.state || !strings.HasPrefix(x.Change, tc.change) || (tc.change == "") != (x.Change == "") || !strings.HasPrefix(do, tc.do) || (tc.do == "") != (do == "") {
				t.Errorf("state %s, next %q, to do %q; want %s, %q, %q", x.State, x.Change, do, tc.state, tc.change, tc.do)
			}
		})
	}
}

// TestRunOfADeployment: if a deployment made the run, the commands of the story are for the deployment. This holds
// although the operator reads the run from a store.
func TestRunOfADeployment(t *testing.T) {
	t.Parallel()
	s := goodNightBut(t, func(b *snapshot.Begin) { b.Deployment = "prod" }, nil)
	people, err := story.Of(t.Context(), s, story.Question{User: "id-taken", Now: now, Store: "/srv"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := people[0].Ledger[0].Undo, "idleseat restore taken@contoso.example --aws prod"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func become(t *testing.T, s store.Store, p *plan.Plan, r *runs.Result) {
	t.Helper()
	if r == nil {
		return
	}
	one := runs.ResultOf(&p.Changes[0], r.Status, r.Note)
	if err := runs.PutResults(t.Context(), s, p.Batches()[0].Name, &runs.Results{Run: p.Run, PlanHash: p.PlanHash, At: now, Results: []runs.Result{one}}); err != nil {
		t.Fatal(err)
	}
}

// TestUnknown: a person is unknown if no snapshot and no ledger entry has the person. A name that cannot be a key of
// the ledger is not looked up there.
func TestUnknown(t *testing.T) {
	t.Parallel()
	s := (&world{entra: []directory.EntraUser{person("busy", 0)}}).seal(t)
	for _, user := range []string{"nobody@contoso.example", "id-nobody", "../../etc/passwd", `a\b`, " "} {
		if _, err := story.Of(t.Context(), s, story.Question{User: user, Now: now}); !errors.Is(err, decision.ErrUnknownUser) {
			t.Errorf("%q: %v", user, err)
		}
	}
	if _, err := story.Of(t.Context(), s, story.Question{User: "id-busy", Run: "20200101T000000Z-00000000", Now: now}); !errors.Is(err, snapshot.ErrUnknownRun) {
		t.Errorf("an unknown run: %v", err)
	}
}

// TestMembersThatProgramsRead: the JSON of a story has the members that earlier versions had.
func TestMembersThatProgramsRead(t *testing.T) {
	t.Parallel()
	s := goodNight(t)
	members := func(user string) map[string]any {
		people, err := story.Of(t.Context(), s, story.Question{User: user, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(people[0])
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	lacks := func(what string, have any, names ...string) {
		for _, name := range names {
			if _, has := have.(map[string]any)[name]; !has {
				t.Errorf("%s lacks %s: %v", what, name, have)
			}
		}
	}
	kept, idle := members("id-kept"), members("id-idle")
	lacks("a story", kept, "run", "asOf", "user", "userPrincipalName", "profile", "answers")
	lacks("a story in doubt", members("id-twin1"), "doubt")
	lacks("a value", kept["profile"].([]any)[0], "attribute", "field", "value")
	lacks("an answer", kept["answers"].([]any)[0], "user", "sid", "userPrincipalName", "rule", "license", "to", "outcome", "reason", "idleSince", "created", "evidence", "turns")
	lacks("an answer", idle["answers"].([]any)[0], "via")
	lacks("a refused answer", members("id-twoways")["answers"].([]any)[0], "refused")
	lacks("an answer of a returned person", members("id-returned")["answers"].([]any)[0], "back")
}

// TestNextByMode: the words about the next run depend on the mode of the policy.
func TestNextByMode(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{
		"enforce": "The next run restores it.",
		"review":  "The next plan restores it, once it is approved.",
		"audit":   "The next plan only lists it, because the policy has the mode audit.",
	} {
		s := goodNightBut(t, func(b *snapshot.Begin) { b.Policy = strings.Replace(b.Policy, "mode: review", "mode: "+mode, 1) }, nil)
		people, err := story.Of(t.Context(), s, story.Question{User: "id-returned", Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if x := people[0].Answers[0]; x.State != story.Return || x.Change != want {
			t.Errorf("%s: %s, %q", mode, x.State, x.Change)
		}
	}
}
