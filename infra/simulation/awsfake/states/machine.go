package states

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Machine is a state machine and all its executions.
type Machine struct {
	ARN   string
	def   *Definition
	world World

	mu         sync.Mutex
	executions map[string]*Execution // executions by name
	running    sync.WaitGroup
}

// New returns a state machine for a loaded definition. It uses the functions, queues and topics of a World.
func New(arn string, d *Definition, w World) *Machine {
	return &Machine{ARN: arn, def: d, world: w, executions: map[string]*Execution{}}
}

// ErrExists is the error of Start if another execution has the same name and another input.
var ErrExists = errors.New("ExecutionAlreadyExists")

// Start starts an execution. If the name is empty, the execution gets a random name. If there is an execution with the
// same name and input, Start returns that one.
func (m *Machine) Start(name, input string) (*Execution, error) {
	var v any
	if err := json.Unmarshal([]byte(input), &v); err != nil {
		return nil, fmt.Errorf("InvalidExecutionInput: %w", err)
	}
	if name == "" {
		name = strings.ToLower(rand.Text())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.executions[name]; known != nil {
		was, _ := json.Marshal(known.Input)
		is, _ := json.Marshal(v)
		if string(was) != string(is) {
			return nil, fmt.Errorf("%w: %s", ErrExists, name)
		}
		return known, nil
	}
	e := &Execution{
		ARN: strings.Replace(m.ARN, ":stateMachine:", ":execution:", 1) + ":" + name, Name: name, Started: time.Now(), Input: v,
		world: m.world, done: make(chan struct{}),
	}
	m.executions[name] = e
	m.running.Go(func() {
		defer close(e.done)
		ctx, cancel := context.WithTimeoutCause(context.Background(), e.scaled(float64(m.def.TimeoutSeconds)), errors.New("the execution took longer than its TimeoutSeconds"))
		defer cancel()
		output, failure := e.run(ctx, &m.def.states, v, nil)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.output, e.failure = output, failure
	})
	return e, nil
}

// Find returns the execution with the given ARN, or nil.
func (m *Machine) Find(arn string) *Execution {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.executions {
		if e.ARN == arn {
			return e
		}
	}
	return nil
}

// Wait waits until all executions have ended.
func (m *Machine) Wait() { m.running.Wait() }
