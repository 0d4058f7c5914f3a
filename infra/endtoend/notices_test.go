package endtoend

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
)

var update = flag.Bool("update", false, "write testdata/notices.txt")

// The type "ending" is a sequence of executions in one deployment. The field "name" describes the end of the last one.
type ending struct {
	name    string
	options options
	inputs  []string // inputs of the executions; RUN stands for the run id of the first plan, and HASH for the hash of the first plan
}

// onlyCitrix matches the rules of the policy from m365-idle-60 up to the rule citrix. Tests remove them, so that all
// other rules depend on Active Directory.
var onlyCitrix = regexp.MustCompile(`(?s)  - name: m365-idle-60.*?(  - name: citrix)`)

func endings() []ending {
	small := company
	small.Users = 400
	slow := small
	slow.Users, slow.LicenseDelay = 60, 24*time.Hour
	nobody := strings.NewReplacer(`userType == "Guest"`, `userType != "" || userType == ""`)
	tight := strings.NewReplacer("percent: 10", "percent: 1")
	withoutM365 := func(policy string) string { return onlyCitrix.ReplaceAllString(policy, "$1") }
	noGate := func(function string, payload []byte) *states.Failure {
		if function == "gate" && strings.Contains(string(payload), `"op":"gate"`) {
			return &states.Failure{Error: "Runtime.ExitError", Cause: `{"errorMessage":"RequestId: 1 Error: Runtime exited without providing a reason","errorType":"Runtime.ExitError"}`}
		}
		return nil
	}
	const approve = `{"apply":"RUN","planHash":"HASH"}`
	return []ending{
		{"done, in mode enforce", options{company: small, mode: "enforce"}, []string{nightly}},
		{"nothing", options{company: small, mode: "enforce", edit: nobody.Replace}, []string{nightly}},
		{"planned, in mode audit", options{company: small, mode: "audit"}, []string{nightly}},
		{"waiting for approval, then approved, restored and approved again", options{company: small, mode: "review"}, []string{nightly, approve, `{"restore":"RUN"}`, approve}},
		{"held by a limit", options{company: small, mode: "enforce", edit: tight.Replace}, []string{nightly}},
		{"held by a feed", options{company: small, mode: "enforce", noRelay: true, edit: withoutM365}, []string{nightly}},
		{"failed", options{company: small, mode: "enforce", broken: noGate}, []string{nightly}},
		{"refused, a person that nobody knows", options{company: slow, mode: "enforce"}, []string{`{"user":"nobody.at.all@contoso.example"}`}},
		{"pending after a day", options{company: slow, mode: "enforce", hurried: true}, []string{nightly}},
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	alarms, _ := loadTemplate(t).alarms(t)
	all := make([]string, len(endings()))
	t.Run("all", func(t *testing.T) {
		for i, e := range endings() {
			t.Run(e.name, func(t *testing.T) {
				t.Parallel()
				all[i] = e.told(t, alarms)
			})
		}
	})
	const golden = "testdata/notices.txt"
	got := strings.Join(append(all, described(t)), "\n")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("notices (-want +got; go test ./infra/endtoend -run TestNotices -update writes them):\n%s", diff)
	}
}

func described(t *testing.T) string {
	plain, silent := loadTemplate(t).alarms(t)
	lines := []string{}
	for name, a := range plain {
		when := fmt.Sprintf("%s of %s %s in %d s is %d or more", a.Statistic, a.Namespace, a.Metric, a.Period, a.Threshold)
		if a.Below {
			when = fmt.Sprintf("no %s %s came in %d periods of %d s", a.Namespace, a.Metric, a.Periods, a.Period)
		}
		lines = append(lines, fmt.Sprintf("%s: %s When: %s.", name, a.Text, when))
	}
	for name := range silent.Queues {
		lines = append(lines, fmt.Sprintf("%s: %s When: %s is %d or more in %d periods of %d s.", name, silent.Text, silent.Expression, silent.Threshold, silent.Periods, silent.Period))
	}
	slices.Sort(lines)
	return "=== the alarms\n" + strings.Join(lines, "\n") + "\n"
}

// The method "told" runs the executions of an ending in order. It returns the notice, the metrics and the alarms of
// each execution as one text.
func (e ending) told(t *testing.T, alarms map[string]alarm) string {
	r := newRig(t, e.options)
	var text strings.Builder
	run, hash := "", ""
	for _, input := range e.inputs {
		if strings.Contains(input, "restore") {
			r.longAgo()
		}
		input = strings.NewReplacer("RUN", run, "HASH", hash).Replace(input)
		out, failure := r.run(input)
		if failure == nil && run == "" {
			run, hash = out["run"].(string), out["planHash"].(string)
		}
		fmt.Fprintf(&text, "=== %s: %s\n%s", e.name, input, r.heard(alarms))
	}
	return anonymous(text.String())
}

// The method "heard" returns the last notice, the metrics of the last execution, and the alarms that these metrics
// raise, as text.
func (r *rig) heard(alarms map[string]alarm) string {
	r.mu.Lock()
	last := r.notices[len(r.notices)-1]
	r.mu.Unlock()
	figures := r.figures()
	if r.failed {
		figures["AWS/States ExecutionsFailed"] = 1
	}
	raised := []string{}
	for name, a := range alarms {
		if got, there := figures[a.Namespace+" "+a.Metric]; there && !a.Below && got >= float64(a.Threshold) {
			raised = append(raised, name+" ("+a.Text+")")
		}
	}
	if len(raised) == 0 {
		raised = append(raised, "none")
	}
	slices.Sort(raised)
	told := []string{}
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		if short, ours := strings.CutPrefix(name, "Idleseat "); ours && short != "Duration" && !strings.HasPrefix(short, "FeedAgeHours") {
			told = append(told, fmt.Sprintf("%s %g", short, figures[name]))
		}
	}
	return fmt.Sprintf("Subject: %s\nFigures: %s\nAlarms:  %s\n", last, strings.Join(told, ", "), strings.Join(raised, " "))
}

// The method "figures" returns the sums of the metrics since its last call, by namespace and name. It first waits
// until the log of the function gate has the metrics of the last step, because a line can reach the log after the end
// of the execution.
func (r *rig) figures() map[string]float64 {
	gate := r.functions["arn:gate"]
	for deadline := time.Now().Add(time.Minute); !strings.Contains(gate.Logs()[r.looked["arn:gate"]:], `"Held":`); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatal("no figures of the end came")
		}
	}
	all := map[string]float64{}
	for name, f := range r.functions {
		logs := f.Logs()
		for line := range strings.Lines(logs[r.looked[name]:]) {
			var emf map[string]any
			if json.Unmarshal([]byte(line), &emf) != nil || emf["_aws"] == nil {
				continue
			}
			for metric, v := range emf {
				if n, ok := v.(float64); ok {
					all["Idleseat "+metric] += n
				}
			}
		}
		r.looked[name] = len(logs)
	}
	return all
}

// The function "anonymous" replaces each part of a text that differs between test runs, such as a run id.
func anonymous(text string) string {
	for pattern, with := range map[string]string{
		`\d{8}T\d{6}Z-[0-9a-f]{8}`:              "20261129T020000Z-1a2b3c4d",
		`\b[0-9a-f]{64}\b`:                      "2d9327dc93102f653257b92b24376af6f2121619e08de17d059fd1fc8927008a",
		`execution:idleseat([a-z-]*):[a-z0-9]+`: "execution:idleseat$1:11111111-2222-3333-4444-555555555555",
		`s3://idleseat-test/rig\d+`:             "s3://idleseat-123456789012-eu-north-1",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	return text
}
