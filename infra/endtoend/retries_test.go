package endtoend

import (
	"encoding/json"
	"os"
	"testing"
)

// expressLimit is the maximum duration of an Express execution in seconds (Step Functions quotas).
const expressLimit = 300

// newAccount is the number of functions that a new account may run at the same time. Lambda's quotas say only that it
// is less than 1,000. Account holders report 10.
const newAccount = 10

type retried struct {
	Type           string
	TimeoutSeconds int
	Retry          []struct{ IntervalSeconds, MaxAttempts, MaxDelaySeconds, BackoffRate int }
	Branches       []machineStates
	MaxConcurrency int
	ItemProcessor  *struct {
		ProcessorConfig struct{ Mode, ExecutionType string }
		machineStates
	}
}

type machineStates struct{ States map[string]retried }

// The method "longest" returns the maximum duration of a task in seconds, with all retries and the waits between them.
func (s *retried) longest() int {
	total := s.TimeoutSeconds
	for _, r := range s.Retry {
		wait := r.IntervalSeconds
		for range r.MaxAttempts {
			total += s.TimeoutSeconds + wait
			wait = min(wait*r.BackoffRate, r.MaxDelaySeconds)
		}
	}
	return total
}

// TestRetriesFit: each task with all retries ends within the time limit of its execution. A map with child executions
// calls at most half of newAccount functions at the same time.
func TestRetriesFit(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../statemachine.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		TimeoutSeconds int
		machineStates
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	tasks, children := 0, 0
	var walk func(m machineStates, limit int)
	walk = func(m machineStates, limit int) {
		for name, s := range m.States {
			for _, b := range s.Branches {
				walk(b, limit)
			}
			if p := s.ItemProcessor; p != nil {
				within := limit
				if p.ProcessorConfig.Mode == "DISTRIBUTED" {
					if s.MaxConcurrency < 1 || s.MaxConcurrency > newAccount/2 {
						t.Errorf("%s calls %d functions at once, and a new account may run %d", name, s.MaxConcurrency, newAccount)
					}
					if children++; p.ProcessorConfig.ExecutionType == "EXPRESS" {
						within = expressLimit
					}
				}
				walk(p.machineStates, within)
			}
			if s.Type != "Task" {
				continue
			}
			if tasks++; s.longest() > limit {
				t.Errorf("%s may take %d s with its tries, and its execution %d s", name, s.longest(), limit)
			}
		}
	}
	walk(whole.machineStates, whole.TimeoutSeconds)
	if tasks < 15 || children != 1 {
		t.Errorf("%d tasks and %d maps with children were looked at", tasks, children)
	}
}
