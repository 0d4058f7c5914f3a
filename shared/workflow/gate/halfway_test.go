package gate

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestNoticeNamesWhatIsHalfWay: a night that fails before it has a plan finishes nothing. Its notice has the commands
// that finish the changes that return a license. The notice of any other request has no such command.
func TestNoticeNamesWhatIsHalfWay(t *testing.T) {
	t.Parallel()
	const command = "To restore all that the run took from this person, also what is half-way:\n  idleseat restore --run earlier ann --aws seats"
	for name, tc := range map[string]struct {
		state, failure string
		down           bool
		want           string // part of the message; empty: the message has no such part
	}{
		"the policy is wrong":       {`"policy":"p"`, RefusedError, false, command},
		"Entra ID cannot be read":   {`"run":"` + aRun + `","apply":false`, "E", false, command},
		"the store is down":         {`"run":"` + aRun + `","apply":false`, "E", true, "Half-way   not known, since the store could not be read"},
		"a plan was made":           {`"run":"` + aRun + `","planHash":"` + aHash + `"`, "E", false, ""},
		"a request of one person":   {`"user":"anna"`, "E", false, ""},
		"an approval was refused":   {`"apply":"` + aRun + `"`, RefusedError, false, ""},
		"a restore that was wrong":  {`"restore":"` + aRun + `"`, RefusedError, false, ""},
		"a run that was not sealed": {`"run":"` + aRun + `"`, "E", false, command},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steps(t, quiet())
			s.Deployment = "seats"
			earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": "", "bob": "", "cid": ledger.Done})
			if err := history.Stop(t.Context(), s.Store, "earlier", "ann", "mine", clock); err != nil {
				t.Fatal(err)
			}
			if tc.down {
				s.Store = failing.Nth(s.Store, 1)
			}
			text, err := json.Marshal(Failure{Error: tc.failure, Cause: "why"})
			if err != nil {
				t.Fatal(err)
			}
			message := s.toldAt(t, "", []byte(`{`+tc.state+`,"failure":`+string(text)+`}`)).Notice.Message
			if tc.want == "" && strings.Contains(message, "--run earlier") || !strings.Contains(message, tc.want) || strings.Contains(message, "bob") {
				t.Errorf("want %q in:\n%s", tc.want, message)
			}
		})
	}
}

// TestNoticeNamesWhatNoRunFinishes: in mode audit a plan resumes nothing, and in another mode it resumes no run that is
// lost. The notice counts these changes, says what ends them, and has the commands.
func TestNoticeNamesWhatNoRunFinishes(t *testing.T) {
	t.Parallel()
	half := []plan.Begun{{User: "id-anna", License: "e3", Run: "r1", Back: true}, {User: "id-anna", License: "citrix", Run: "r1"}, {User: "id-bo", License: "e3", Run: "r2"}}
	const anna, bo = "idleseat restore --run r1 id-anna --aws seats", "idleseat restore --run r2 id-bo --aws seats"
	for name, tc := range map[string]struct {
		plan          plan.Plan
		results       *runs.Results
		tone          card.Tone
		subject       string
		parts, absent []string
	}{
		"nothing to change, in audit": {plan.Plan{Mode: policy.Audit, Verdict: plan.Nothing, Pending: half}, nil, card.Warning, "seats: nothing new to change, 3 of earlier runs not finished",
			[]string{"(mode audit): 3 changes", "In mode audit nothing is written", anna, bo}, []string{"approve", "Earlier"}},
		"a plan in audit": {plan.Plan{Mode: policy.Audit, Verdict: plan.Review, Pending: half}, nil, card.Warning, "seats: 0 changes planned, none applied (mode audit), 3 of earlier runs half-way",
			[]string{"(mode audit): 3 changes", anna, bo}, []string{"Earlier"}},
		"on hold, in audit": {plan.Plan{Mode: policy.Audit, Verdict: plan.Hold, Pending: half}, nil, card.Warning, "seats: HELD by a safety check; nothing was changed, 3 of earlier runs half-way", []string{anna, bo}, nil},
		"nothing to change, all are lost": {plan.Plan{Mode: policy.Enforce, Verdict: plan.Nothing, Pending: half}, nil, card.Warning, "seats: nothing new to change, 3 of earlier runs not finished",
			[]string{"(their runs cannot go on): 3 changes", "Restore what they took.", anna, bo}, []string{"approve", "Earlier"}},
		"nothing to change, one is lost": {plan.Plan{Mode: policy.Enforce, Verdict: plan.Nothing, Pending: half, Resumes: []string{"r1"}}, nil, card.Warning, "seats: nothing new to change, 3 of earlier runs not finished",
			[]string{"Earlier    begun by earlier runs and not finished: 2 changes\n", "(their runs cannot go on): 1 change\n", "The next scheduled run finishes what can go on.", "approve", bo}, []string{anna}},
		"all is done, one is lost": {plan.Plan{Mode: policy.Enforce, Verdict: plan.Apply, Pending: half, Resumes: []string{"r1"}}, &runs.Results{Results: []runs.Result{{Status: runs.Done}}}, card.Warning, "seats: done, 1 change, 1 of earlier runs half-way",
			[]string{"Restore what they took.", "To restore all of it", bo}, []string{anna, "Nothing needs to be done."}},
		"none is lost": {plan.Plan{Mode: policy.Enforce, Verdict: plan.Nothing, Pending: half, Resumes: []string{"r1", "r2"}}, nil, card.Warning, "seats: nothing new to change, 3 of earlier runs not finished",
			[]string{"The next scheduled run finishes these changes."}, []string{"Half-way", "restore"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.plan.Run = aRun
			_, c := Card(Ended(&tc.plan, tc.results, nil), deployed("seats", "s3://b", "", false))
			if text := c.Text(); c.Tone != tc.tone || c.Subject != tc.subject || strings.Count(text, anna) > 1 {
				t.Errorf("tone %s, subject %q:\n%s", c.Tone, c.Subject, text)
			}
			for _, part := range tc.parts {
				if !strings.Contains(c.Text(), part) {
					t.Errorf("without %q:\n%s", part, c.Text())
				}
			}
			for _, part := range append(tc.absent, "Nothing needs to be done.") {
				if strings.Contains(c.Text(), part) {
					t.Errorf("with %q:\n%s", part, c.Text())
				}
			}
		})
	}
}
