package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/entrance"
)

type deployed struct {
	Memory, Timeout int
	Env             map[string]string
}

// TestDeploymentsAgree: the SAM template and the Terraform module have the same functions, roles, state machines,
// schedule and alarms.
func TestDeploymentsAgree(t *testing.T) {
	t.Parallel()
	sam, tf := loadTemplate(t), loadModule(t)
	got := map[string]deployed{}
	for name := range functionLimits {
		p := sam.properties(pascal(name) + "Function")
		env := convert[struct{ Variables map[string]string }](t, p["Environment"])
		got[name] = deployed{p["MemorySize"].(int), p["Timeout"].(int), env.Variables}
		if limit := functionLimits[name].Seconds(); name != "collect" && limit != float64(got[name].Timeout) {
			t.Errorf("%s runs for %v s in the tests and %d s in the deployment", name, limit, got[name].Timeout)
		}
	}
	if diff := cmp.Diff(local[map[string]deployed](t, tf, "functions"), got); diff != "" {
		t.Errorf("functions (-Terraform +SAM):\n%s", diff)
	}
	anyOrder := cmpopts.SortSlices(func(a, b statement) bool {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return string(x) < string(y)
	})
	if diff := cmp.Diff(terraformRoles(t, tf), samRoles(t, sam), anyOrder); diff != "" {
		t.Errorf("roles (-Terraform +SAM):\n%s", diff)
	}
	schedule := sam.properties("Schedule")
	for variable, property := range map[string]string{"schedule_expression": "ScheduleExpression", "schedule_timezone": "ScheduleExpressionTimezone", "schedule_state": "State"} {
		if diff := cmp.Diff(tf.variables[variable].AsString(), schedule[property]); diff != "" {
			t.Errorf("%s (-Terraform +SAM):\n%s", variable, diff)
		}
	}
	names := local[map[string]string](t, tf, "entrances")
	if len(names) != len(entrances) {
		t.Errorf("the entrances of Terraform are %v", names)
	}
	for _, n := range entrances {
		p := sam.properties(samMachine(n))
		want := local[map[string]string](t, tf, "substitutions")
		want["Entrance"] = string(n)
		if diff := cmp.Diff(want, convert[map[string]string](t, p["DefinitionSubstitutions"])); diff != "" {
			t.Errorf("substitutions of %s (-Terraform +SAM):\n%s", n, diff)
		}
		if p["Name"] != names[string(n)] || p["Name"] != n.Machine(stack) {
			t.Errorf("the machine of %s is %v in SAM and %s in Terraform", n, p["Name"], names[string(n)])
		}
	}
	if target := schedule["Target"].(map[string]any); target["Arn"] != entranceARN(entrance.Nightly) || target["Input"] != nightly {
		t.Errorf("the schedule starts %v", target)
	}
	plain, silent := sam.alarms(t)
	if diff := cmp.Diff(local[map[string]alarm](t, tf, "alarms"), plain); diff != "" {
		t.Errorf("alarms (-Terraform +SAM):\n%s", diff)
	}
	if diff := cmp.Diff(local[silentAlarms](t, tf, "silent"), silent); diff != "" {
		t.Errorf("alarms of a silent relay (-Terraform +SAM):\n%s", diff)
	}
}

// TestWebhooksAgree: with a webhook, the function gate may read the secret that has the webhook's address, and no other
// secret. No other role may read a secret.
func TestWebhooksAgree(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:webhook"
	sam, tf := loadTemplateWith(t, map[string]string{"WebhookSecret": arn}), loadModuleWith(t, map[string]string{"webhook_secret": arn})
	for name, all := range map[string]roles{"SAM": samRoles(t, sam), "Terraform": terraformRoles(t, tf)} {
		for role, list := range all {
			list = slices.DeleteFunc(slices.Clone(list), func(s statement) bool { return !slices.Contains(s.Action, "secretsmanager:GetSecretValue") })
			var want []statement
			if role == "gate" {
				want = []statement{{Effect: "Allow", Action: texts{"secretsmanager:GetSecretValue"}, Resource: texts{arn}}}
			}
			if diff := cmp.Diff(want, list, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: secrets of %s (-want +got):\n%s", name, role, diff)
			}
		}
	}
	env := convert[struct{ Variables map[string]string }](t, sam.properties("GateFunction")["Environment"])
	if got := local[map[string]deployed](t, tf, "functions")["gate"].Env["IDLESEAT_WEBHOOK_SECRET"]; got != arn || env.Variables["IDLESEAT_WEBHOOK_SECRET"] != arn {
		t.Errorf("gate knows the secret %q in Terraform and %q in SAM", got, env.Variables["IDLESEAT_WEBHOOK_SECRET"])
	}
}

// The type "alarm" has the properties of an alarm, in the form of the Terraform local "alarms". The alarms of the SAM
// template are converted to this form, so that a test can compare them.
type alarm struct {
	Text, Namespace, Metric, Statistic string
	Dimensions                         map[string]string
	Period, Periods, Threshold         int
	Below                              bool // whether a missing metric raises the alarm
}

// TestRareNights: the alarm for a missing night waits as many hours as the parameter NoRunHours says. There is no alarm
// if NoRunHours is 0 or the schedule is disabled. Operators set 0 if their nights are more than 168 hours apart,
// because CloudWatch cannot look back further.
func TestRareNights(t *testing.T) {
	t.Parallel()
	for hours, watched := range map[string]bool{"26": true, "74": true, "168": true, "0": false} {
		sam := loadTemplateWith(t, map[string]string{"NoRunHours": hours})
		plain, _ := sam.alarms(t)
		if a := plain["no-run"]; sam.conditions["NightsAreWatched"] != watched || fmt.Sprint(a.Periods) != hours || !strings.Contains(a.Text, " for "+hours+" hours.") {
			t.Errorf("%s hours: watched %v, %+v", hours, sam.conditions["NightsAreWatched"], a)
		}
	}
	if sam := loadTemplateWith(t, map[string]string{"ScheduleState": "DISABLED"}); sam.conditions["NightsAreWatched"] != false {
		t.Error("without a schedule an alarm watches for missing nights")
	}
}

// silentAlarms has the properties of the alarms on the queues of the relay, in the form of the Terraform local
// "silent". Such an alarm is raised when a message waits and no relay works, so it combines two metrics of a queue.
type silentAlarms struct {
	Text, Expression           string
	Period, Periods, Threshold int
	Metrics                    map[string]struct{ Metric, Statistic string } // by id
	Queues                     map[string]string                             // queue names by alarm
}

func (m *template) alarms(t *testing.T) (all map[string]alarm, silent silentAlarms) {
	t.Helper()
	all = map[string]alarm{}
	silent.Queues, silent.Metrics = map[string]string{}, map[string]struct{ Metric, Statistic string }{}
	for name, r := range m.resources {
		if r.(map[string]any)["Type"] != "AWS::CloudWatch::Alarm" {
			continue
		}
		p := convert[struct {
			AlarmName, AlarmDescription, Namespace, MetricName, Statistic, ComparisonOperator, TreatMissingData string
			Dimensions                                                                                          []struct{ Name, Value string }
			EvaluationPeriods                                                                                   json.Number // json.Number also accepts a string, because the value of a parameter is a string
			Period, Threshold                                                                                   int
			AlarmActions, InsufficientDataActions                                                               []string
			Metrics                                                                                             []struct {
				ID, Expression string
				MetricStat     struct {
					Stat   string
					Period int
					Metric struct {
						Namespace, MetricName string
						Dimensions            []struct{ Name, Value string }
					}
				}
			}
		}](t, m.properties(name))
		summed := len(p.Metrics) > 0 && p.Metrics[0].Expression == "SUM(METRICS())"
		for i := 1; summed && i < len(p.Metrics); i++ {
			s := p.Metrics[i].MetricStat
			p.Namespace, p.MetricName, p.Statistic, p.Period = s.Metric.Namespace, s.Metric.MetricName, s.Stat, s.Period
			if len(p.Metrics) != len(entrances)+1 || s.Metric.Dimensions[0].Value != entranceARN(entrances[i-1]) {
				t.Errorf("%s does not watch every entrance: %+v", name, p.Metrics)
			}
		}
		periods, err := p.EvaluationPeriods.Int64()
		if err != nil {
			t.Fatal(err)
		}
		a := alarm{Text: p.AlarmDescription, Namespace: p.Namespace, Metric: p.MetricName, Statistic: p.Statistic, Dimensions: map[string]string{},
			Period: p.Period, Periods: int(periods), Threshold: p.Threshold, Below: p.ComparisonOperator == "LessThanThreshold"}
		for _, d := range p.Dimensions {
			a.Dimensions[d.Name] = d.Value
		}
		if missing := map[bool]string{true: "missing", false: "notBreaching"}[a.Below]; p.TreatMissingData != missing {
			t.Errorf("%s treats missing data as %s", name, p.TreatMissingData)
		}
		if told, never := p.AlarmActions, p.InsufficientDataActions; a.Below && (len(told) != 0 || len(never) != 1) || !a.Below && (len(told) != 1 || len(never) != 0) {
			t.Errorf("%s has the actions %q and %q", name, told, never)
		}
		short := strings.TrimPrefix(p.AlarmName, stack+"-")
		if len(p.Metrics) == 0 || summed {
			all[short] = a
			continue
		}
		silent.Text, silent.Periods, silent.Threshold = a.Text, a.Periods, a.Threshold
		for _, q := range p.Metrics {
			if s := q.MetricStat; q.Expression != "" {
				silent.Expression = q.Expression
			} else {
				silent.Metrics[q.ID] = struct{ Metric, Statistic string }{s.Metric.MetricName, s.Stat}
				silent.Period, silent.Queues[short] = s.Period, s.Metric.Dimensions[0].Value
			}
		}
	}
	return all, silent
}

// TestEveryTaskIsBounded: each task in the definition has a time limit and retries, and a Catch in it or in a state
// around it. A task that waits for an answer also has a heartbeat.
func TestEveryTaskIsBounded(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../statemachine.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	tasks := 0
	var walk func(states map[string]any, caught bool)
	walk = func(states map[string]any, caught bool) {
		for name, v := range states {
			s := v.(map[string]any)
			within := caught || s["Catch"] != nil
			for _, b := range slice(s["Branches"]) {
				walk(b.(map[string]any)["States"].(map[string]any), within)
			}
			if p, ok := s["ItemProcessor"].(map[string]any); ok {
				walk(p["States"].(map[string]any), within)
			}
			if s["Type"] != "Task" {
				continue
			}
			tasks++
			for _, field := range []string{"TimeoutSeconds", "Retry"} {
				if s[field] == nil {
					t.Errorf("%s has no %s", name, field)
				}
			}
			if strings.HasSuffix(s["Resource"].(string), "waitForTaskToken") && s["HeartbeatSeconds"] == nil {
				t.Errorf("%s has no heartbeat", name)
			}
			if !within {
				t.Errorf("a failure of %s is caught nowhere", name)
			}
		}
	}
	walk(whole["States"].(map[string]any), false)
	if tasks < 15 {
		t.Errorf("%d tasks were looked at", tasks)
	}
}

func slice(v any) []any {
	s, _ := v.([]any)
	return slices.Clone(s)
}
