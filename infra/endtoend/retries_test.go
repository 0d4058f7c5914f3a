package endtoend

import (
	"encoding/json"
	"os"
	"testing"
)

// expressLimit is how many seconds an Express execution may take (Step Functions quotas). A Standard one may take a year.
const expressLimit = 300

// retried is a state as far as its time is concerned.
type retried struct {
	Type           string
	TimeoutSeconds int
	Retry          []struct{ IntervalSeconds, MaxAttempts, MaxDelaySeconds, BackoffRate int }
	Branches       []machineStates
	ItemProcessor  *struct {
		ProcessorConfig struct{ Mode, ExecutionType string }
		machineStates
	}
}

type machineStates struct{ States map[string]retried }

// longest returns how many seconds a task may take with all of its tries and the waits between them.
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

// TestRetriesFit: all tries of a task fit into the time of its execution. A task of a child has the child's time.
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
