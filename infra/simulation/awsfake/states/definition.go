// Package states runs the shipped definition of the state machine on this machine, for tests, as Step Functions does.
// The definition is in Amazon States Language with JSONPath. A test provides the functions, queues and topics. Load
// rejects all that the package does not implement. Retries, catches, time limits, heartbeats and the limit of 256 KiB
// follow the specification of the language and the documentation of the service.
package states

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Definition is a loaded state machine.
type Definition struct {
	Comment        string
	QueryLanguage  string
	TimeoutSeconds int
	states
}

// The type "states" has the states of a state machine, of a branch of a Parallel state, or of the processor of a Map
// state.
type states struct {
	StartAt string
	States  map[string]*state
}

// The type "state" is one state. Its type, such as Task, determines which fields it can have.
type state struct {
	Type    string
	Comment string
	Next    string
	End     bool

	Resource         string
	Parameters       json.RawMessage
	ResultSelector   json.RawMessage
	ResultPath       json.RawMessage // null: the result is dropped
	OutputPath       string
	TimeoutSeconds   int
	HeartbeatSeconds int
	Retry            []retrier
	Catch            []catcher

	Result json.RawMessage // in a Pass state only

	Choices []rule // the fields Choices and Default are in a Choice state only
	Default string

	SecondsPath string // in a Wait state only

	ErrorPath, CausePath string // in a Fail state only

	Branches []states // in a Parallel state only

	ItemsPath                  string // the fields from ItemsPath to ItemProcessor are in a Map state only
	ItemSelector               json.RawMessage
	MaxConcurrency             int
	ToleratedFailurePercentage *float64
	Label                      string
	ItemProcessor              *processor
}

type processor struct {
	ProcessorConfig struct{ Mode, ExecutionType string }
	states
}

type retrier struct {
	ErrorEquals     []string
	IntervalSeconds int
	MaxAttempts     *int
	BackoffRate     float64
	MaxDelaySeconds int
	JitterStrategy  string
}

type catcher struct {
	ErrorEquals []string
	ResultPath  json.RawMessage
	Next        string
}

// The variable "fields" has the fields that a state can have, by type of state. Each state can also have Type and
// Comment.
var fields = map[string][]string{
	"Task":     {"Next", "End", "Resource", "Parameters", "ResultSelector", "ResultPath", "OutputPath", "TimeoutSeconds", "HeartbeatSeconds", "Retry", "Catch"},
	"Pass":     {"Next", "End", "Result", "ResultPath"},
	"Choice":   {"Choices", "Default"},
	"Wait":     {"Next", "End", "SecondsPath"},
	"Succeed":  {"OutputPath"},
	"Fail":     {"ErrorPath", "CausePath"},
	"Parallel": {"Next", "End", "Branches", "ResultSelector", "ResultPath", "Retry", "Catch"},
	"Map":      {"Next", "End", "ItemsPath", "ItemSelector", "MaxConcurrency", "ToleratedFailurePercentage", "Label", "ItemProcessor", "ResultPath", "Retry", "Catch"},
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9]+)\}`)

// Load parses a definition. It replaces each placeholder, such as ${ReadQueue}, by the substitution with this name. A
// missing or unused substitution is an error, as is all that the package does not implement.
func Load(text []byte, substitutions map[string]string) (*Definition, error) {
	var faults []error
	used := map[string]bool{}
	whole := placeholder.ReplaceAllStringFunc(string(text), func(found string) string {
		name := placeholder.FindStringSubmatch(found)[1]
		value, known := substitutions[name]
		if used[name] = true; !known {
			faults = append(faults, fmt.Errorf("nothing is given for ${%s}", name))
		}
		return value
	})
	for _, name := range slices.Sorted(maps.Keys(substitutions)) {
		if !used[name] {
			faults = append(faults, fmt.Errorf("the definition has no ${%s}", name))
		}
	}
	d := new(Definition)
	if err := strict([]byte(whole), d); err != nil {
		return nil, errors.Join(append(faults, err)...)
	}
	if d.QueryLanguage != "JSONPath" {
		faults = append(faults, fmt.Errorf("query language %q is not implemented", d.QueryLanguage))
	}
	faults = append(faults, d.check("", false)...)
	return d, errors.Join(faults...)
}

// The function "strict" decodes JSON and rejects unknown fields.
func strict(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// UnmarshalJSON decodes a state. It rejects fields that the package does not implement for this type of state.
func (s *state) UnmarshalJSON(text []byte) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil {
		return err
	}
	type plain state
	if err := strict(text, (*plain)(s)); err != nil {
		return err
	}
	allowed, known := fields[s.Type]
	if !known {
		return fmt.Errorf("type %q of a state is not implemented", s.Type)
	}
	for name := range given {
		if name != "Type" && name != "Comment" && !slices.Contains(allowed, name) {
			return fmt.Errorf("field %s of a %s is not implemented", name, s.Type)
		}
	}
	// A null ResultPath and a missing ResultPath have different meanings. The map "given" has the text null for a null,
	// and no entry for a missing one.
	s.ResultPath = given["ResultPath"]
	return nil
}

var resources = []string{invokeFunction, sendMessage, publish}

const (
	invokeFunction = "arn:aws:states:::lambda:invoke"
	sendMessage    = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
	publish        = "arn:aws:states:::sns:publish"
)

// The method "check" returns an error for each state that the package cannot run. The parameter "express" says that the
// states are in an Express child execution, which cannot wait for a task token.
func (m *states) check(at string, express bool) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	goes := func(from, to string) {
		if m.States[to] == nil {
			fault("%s%s goes to %q, which is not there", at, from, to)
		}
	}
	goes("it", m.StartAt)
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		s := m.States[name]
		switch ends := s.Type == "Succeed" || s.Type == "Fail" || s.Type == "Choice"; {
		case ends:
		case (s.Next != "") == s.End:
			fault("%s%s needs either Next or End", at, name)
		case s.Next != "":
			goes(name, s.Next)
		}
		for _, c := range s.Catch {
			goes(name, c.Next)
		}
		for _, f := range s.faults(express) {
			fault("%s%s: %w", at, name, f)
		}
		for _, r := range s.Choices {
			goes(name, r.Next)
		}
		if s.Default != "" {
			goes(name, s.Default)
		}
		for i := range s.Branches {
			faults = append(faults, s.Branches[i].check(fmt.Sprintf("%s%s/%d/", at, name, i), express)...)
		}
		if p := s.ItemProcessor; p != nil {
			faults = append(faults, p.check(at+name+"/", express || p.ProcessorConfig.ExecutionType == "EXPRESS")...)
		}
	}
	return faults
}

func (s *state) faults(express bool) (faults []error) {
	for _, p := range []string{s.OutputPath, s.SecondsPath, s.ErrorPath, s.CausePath, s.ItemsPath} {
		if _, err := parsePath(p); p != "" && err != nil {
			faults = append(faults, err)
		}
	}
	for _, template := range []json.RawMessage{s.Parameters, s.ResultSelector, s.ItemSelector} {
		faults = append(faults, checkTemplate(template)...)
	}
	for _, r := range s.Choices {
		faults = append(faults, r.faults()...)
	}
	switch {
	case s.Type == "Task" && !slices.Contains(resources, s.Resource):
		faults = append(faults, fmt.Errorf("resource %q is not implemented", s.Resource))
	case s.Type == "Task" && express && strings.HasSuffix(s.Resource, ".waitForTaskToken"):
		faults = append(faults, errors.New("an Express execution cannot wait for a token"))
	case s.Type == "Map" && (s.ItemProcessor == nil || s.ItemsPath == ""):
		faults = append(faults, errors.New("a Map needs ItemsPath and ItemProcessor"))
	case s.Type == "Map" && s.ItemProcessor.ProcessorConfig.Mode != "INLINE" && s.ItemProcessor.ProcessorConfig.Mode != "DISTRIBUTED":
		faults = append(faults, fmt.Errorf("mode %q of a Map is not implemented", s.ItemProcessor.ProcessorConfig.Mode))
	case s.Type == "Map" && s.ToleratedFailurePercentage != nil && *s.ToleratedFailurePercentage != 0:
		faults = append(faults, errors.New("tolerance of failures is not implemented"))
	}
	for _, r := range s.Retry {
		if r.JitterStrategy != "" && r.JitterStrategy != "FULL" && r.JitterStrategy != "NONE" {
			faults = append(faults, fmt.Errorf("jitter %q is not implemented", r.JitterStrategy))
		}
	}
	return faults
}
