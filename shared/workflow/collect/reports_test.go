package collect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	usageText = `
tenant: ` + tenant + `
attributes: {copilotUse: copilot.lastActivity}
licenses: {e3: {sku: SPE_E3}, exo: {sku: EXCHANGESTANDARD}}
rules:
  - {name: copilot, license: e3, when: copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue(), then: remove}
  - {name: signin, license: exo, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
`
	copilotHead = "\ufeffReport Refresh Date,Report Period,User Principal Name,Display Name,Last Activity Date\r\n"
)

func usageRun(t *testing.T, report string, fail error) (*bench, *decision.Run) {
	t.Helper()
	b := newBench(t)
	b.entra.usage = map[string]string{"copilot": report}
	if fail != nil {
		b.entra.fail = fails{"Report": fail}
	}
	one, two := anna, bo
	for _, u := range []*directory.EntraUser{&one, &two} {
		u.LastSuccessful, u.Created, u.UserType, u.Enabled = daysAgo(3), daysAgo(1000), "Member", directory.Yes
		u.Assignments = []directory.Assignment{{SKU: "sku-e3", State: "Active"}, {SKU: "sku-exo", State: "Active"}}
	}
	b.entra.pages = [][]directory.EntraUser{{one}, {two}}
	b.AD = nil
	in := Start{Run: "run", AsOf: asOf, Policy: load(t, usageText), Text: usageText}
	begin, err := b.Begin(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	entra, err := b.ReadEntra(t.Context(), begin, in.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Seal(t.Context(), "run", entra, snapshot.Reading{Source: directory.AD, Absent: true}); err != nil {
		t.Fatal(err)
	}
	r, err := decision.Open(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	return b, r
}

func outcomes(t *testing.T, r *decision.Run) map[string]policy.Outcome {
	t.Helper()
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]policy.Outcome{}
	var h directory.Accounts
	if err := r.Read(t.Context(), 0, &h); err != nil {
		t.Fatal(err)
	}
	for p := range h.Join() {
		for rule, v := range judge.AskAll(p) {
			got[p.UserPrincipalName()[:2]+" "+rule.Name] = v.Outcome
		}
	}
	return got
}

// TestADeadReportStopsItsOwnRules: the health of a report matters only to the rules that name its signals.
func TestADeadReportStopsItsOwnRules(t *testing.T) {
	t.Parallel()
	rows := "2026-11-21,180,anna@x.example,Anna,2026-09-01\r\n2026-11-21,180,BO@x.example,Bo,\r\n2026-11-21,180,cid@x.example,Cid,2026-11-20\r\n"
	for name, tc := range map[string]struct {
		report string
		fail   error
		state  plan.FeedState
		reason string
		want   policy.Outcome // outcome of the rule that names Copilot, for both people
	}{
		"well":      {copilotHead + rows, nil, plan.Healthy, "", policy.Reclaim},
		"forbidden": {"", errors.New("access refused"), plan.Unhealthy, "the usage report copilot: access refused", policy.Undecided},
		"stalled":   {copilotHead + strings.ReplaceAll(rows, "2026-11-21", "2026-11-10"), nil, plan.Unhealthy, "it is of 2026-11-10, 13 days old", policy.Undecided},
		"concealed": {copilotHead + strings.ReplaceAll(rows, "@", ""), nil, plan.Unhealthy, "it conceals names", policy.Undecided},
		"no dates":  {copilotHead + strings.NewReplacer(",2026-11-20", ",", ",2026-09-01", ",").Replace(rows), nil, plan.Unhealthy, "no Copilot activity date of any of 3 people", policy.Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, r := usageRun(t, tc.report, tc.fail)
			if f := r.Feeds[directory.CopilotUse]; f.State != tc.state || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("%+v", f)
			}
			if f := r.Feeds[directory.SignIns]; f.State != plan.Healthy {
				t.Errorf("sign-ins: %+v", f)
			}
			want := map[string]policy.Outcome{"an copilot": tc.want, "bo copilot": tc.want, "an signin": policy.Keep, "bo signin": policy.Keep}
			if diff := cmp.Diff(want, outcomes(t, r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestReportIsBound: a run does not read a table whose hash differs from the hash in the manifest.
func TestReportIsBound(t *testing.T) {
	t.Parallel()
	b, r := usageRun(t, copilotHead+"2026-11-21,180,anna@x.example,Anna,2026-11-20\r\n", nil)
	key := r.Manifest.Reports[0].Key
	text, err := store.GetBytes(t.Context(), b.Store, key, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 1
	if err := store.PutBytes(t.Context(), b.Store, key, text); err != nil {
		t.Fatal(err)
	}
	var h directory.Accounts
	if err := r.Read(t.Context(), 0, &h); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("read: %v", err)
	}
}

// TestReportOfAnotherRun: a snapshot without a report cannot be used with rules that need the report.
func TestReportOfAnotherRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.one(t, start(t, "")); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(text, "when: AzureAdSistaLogon.hasNoValue()", "when: copilotUse.hasValue()", 1) + "attributes: {copilotUse: copilot.lastActivity}\n"
	err := BeginOver(t.Context(), b.Store, "run", Start{Run: "run-2", AsOf: asOf, Policy: load(t, text), Text: text}, "v1", clock)
	if !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), "it did not read the usage report copilot") {
		t.Error(err)
	}
}

func (b *bench) one(t *testing.T, in Start) error {
	t.Helper()
	begin, err := b.Begin(t.Context(), in)
	if err != nil {
		return err
	}
	entra, err := b.ReadEntra(t.Context(), begin, in.Policy)
	if err != nil {
		return err
	}
	return b.Seal(t.Context(), in.Run, entra, snapshot.Reading{Source: directory.AD, Absent: true})
}

// TestAReportLosesADay: the next report shows no activity of a person who was active. The rule is undecided until a
// report shows that day again, or until an operator accepts the report.
func TestAReportLosesADay(t *testing.T) {
	t.Parallel()
	others := "2026-11-21,180,bo@x.example,Bo,2026-11-20\r\n2026-11-21,180,cid@x.example,Cid,2026-11-20\r\n"
	b, _ := usageRun(t, copilotHead+others+"2026-11-21,180,anna@x.example,Anna,2026-11-19\r\n", nil)
	if err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: "run"}, true); err != nil {
		t.Fatal(err)
	}
	b.entra.usage = map[string]string{"copilot": copilotHead + others + "2026-11-21,180,anna@x.example,Anna,\r\n"}
	for run, tc := range map[string]struct {
		accept bool
		want   policy.Outcome
	}{"run-2": {false, policy.Undecided}, "run-3": {true, policy.Reclaim}} {
		in := Start{Run: run, AsOf: asOf, Policy: load(t, usageText), Text: usageText, AcceptFeeds: tc.accept}
		if err := b.one(t, in); err != nil {
			t.Fatal(err)
		}
		r, err := decision.Open(t.Context(), b.Store, run)
		if err != nil {
			t.Fatal(err)
		}
		if got := outcomes(t, r); got["an copilot"] != tc.want || got["bo copilot"] != policy.Keep {
			t.Errorf("%s: %v, want %s", run, got, tc.want)
		}
	}
}

// TestADamagedReportIsLostForOneNight: what a run stored about a usage report is damaged. In the runs of the next night,
// the rules about this report are undecided, unless an operator accepts the report. In the night after that, they decide
// again, and still notice a known day of use that the report lacks now.
func TestADamagedReportIsLostForOneNight(t *testing.T) {
	t.Parallel()
	const bo, cid = "2026-11-21,180,bo@x.example,Bo,2026-11-20\r\n", "2026-11-21,180,cid@x.example,Cid,2026-11-20\r\n"
	const anna = "2026-11-21,180,anna@x.example,Anna,2026-09-01\r\n"
	overwrite := func(objects map[string][]byte, key string) { objects[key] = []byte("{") }
	remove := func(objects map[string][]byte, key string) { delete(objects, key) }
	for name, tc := range map[string]struct {
		key    func(*decision.Run) string
		damage func(objects map[string][]byte, key string)
	}{
		"its table":            {func(r *decision.Run) string { return r.Manifest.Reports[0].Key }, overwrite},
		"its table is missing": {func(r *decision.Run) string { return r.Manifest.Reports[0].Key }, remove},
		"its manifest":         {func(r *decision.Run) string { return layout.Manifest(r.Begin.Run) }, overwrite},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := usageRun(t, copilotHead+bo+cid+anna, nil)
			next := func(run, rows string) *decision.Run {
				b.entra.usage = map[string]string{"copilot": copilotHead + rows}
				if err := b.one(t, Start{Run: run, AsOf: asOf, Policy: load(t, usageText), Text: usageText}); err != nil {
					t.Fatal(err)
				}
				r, err := decision.Open(t.Context(), b.Store, run)
				if err := errors.Join(err, history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: run}, true)); err != nil {
					t.Fatal(err)
				}
				return r
			}
			if err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: "run"}, true); err != nil {
				t.Fatal(err)
			}
			lost := next("run2", bo+cid+anna)
			memory := b.Store.(*store.Memory)
			objects := memory.Objects()
			tc.damage(objects, tc.key(lost))
			memory.Become(objects)
			third := next("run3", bo+cid+anna)
			if f := third.Feeds[directory.CopilotUse]; f.State != plan.Unhealthy || !strings.Contains(f.Reason, "what run run2 knew of it cannot be read any more, so nobody can tell") {
				t.Errorf("the signal in the run after: %+v", f)
			}
			if got := outcomes(t, third); got["an copilot"] != policy.Undecided || got["bo copilot"] != policy.Undecided {
				t.Errorf("the run after decides: %v", got)
			}
			read := b.Now()
			for _, again := range []struct {
				run   string
				later time.Duration
			}{{"run31", time.Minute}, {"run32", 20*time.Hour - time.Second}} {
				b.Now = func() time.Time { return read.Add(again.later) }
				r := next(again.run, bo+cid+anna)
				if f := r.Feeds[directory.CopilotUse]; f.State != plan.Unhealthy || !strings.Contains(f.Reason, "what run run2 knew of it cannot be read any more") {
					t.Errorf("the signal %s later: %+v", again.later, f)
				}
			}
			b.Now = func() time.Time { return read.Add(20 * time.Hour) }
			fourth := next("run4", strings.Replace(bo, "2026-11-20", "", 1)+cid+anna)
			if f := fourth.Feeds[directory.CopilotUse]; f.State != plan.Healthy {
				t.Errorf("the signal in the night after: %+v", f)
			}
			if got := outcomes(t, fourth); got["an copilot"] != policy.Reclaim || got["bo copilot"] != policy.Undecided { // the new report lacks Bo's day
				t.Errorf("the night after decides: %v", got)
			}
		})
	}
}

// TestAReportAfterAPlanOverAnOldSnapshot: after a night in which Anna was active, somebody plans over the snapshot of an
// older night. The next report lacks Anna's day. It is compared with the newest report that was read, so the rule is
// undecided.
func TestAReportAfterAPlanOverAnOldSnapshot(t *testing.T) {
	t.Parallel()
	const others = "2026-11-21,180,bo@x.example,Bo,2026-11-20\r\n2026-11-21,180,cid@x.example,Cid,2026-11-20\r\n"
	b, _ := usageRun(t, copilotHead+others+"2026-11-21,180,anna@x.example,Anna,\r\n", nil)
	planned := func(run string) {
		if err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: run}, true); err != nil {
			t.Fatal(err)
		}
	}
	planned("run")
	b.entra.usage = map[string]string{"copilot": copilotHead + others + "2026-11-21,180,anna@x.example,Anna,2026-11-19\r\n"}
	in := Start{Run: "run2", AsOf: asOf, Policy: load(t, usageText), Text: usageText}
	if err := b.one(t, in); err != nil {
		t.Fatal(err)
	}
	planned("run2")
	in.Run = "run3"
	if err := BeginOver(t.Context(), b.Store, "run", in, "v1", clock); err != nil {
		t.Fatal(err)
	}
	planned("run3")
	b.entra.usage = map[string]string{"copilot": copilotHead + others + "2026-11-21,180,anna@x.example,Anna,\r\n"}
	in.Run = "run4"
	if err := b.one(t, in); err != nil {
		t.Fatal(err)
	}
	r, err := decision.Open(t.Context(), b.Store, "run4")
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(t, r); got["an copilot"] != policy.Undecided || got["bo copilot"] != policy.Keep {
		t.Errorf("%v", got)
	}
}
