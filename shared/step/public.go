package step

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/idleseat/idleseat/shared/plain"
)

// The constant "longest" is the maximum length of an error message, in bytes. The state machine collects the errors of
// many parallel steps, and its data may have at most 256 KiB (Step Functions quotas).
const longest = 1000

// More people can read the log, the history of the execution and the message to operators than the store. So the
// function "public" returns the message of err without names of people and groups. It removes all text that looks like
// a name (see plain.Nameless), and the names in the request "in".
func public(err error, in any) string {
	text := plain.Line(plain.Without(plain.Nameless(err.Error(), plain.IsID), asked(in)))
	if len(text) <= longest {
		return text
	}
	cut := longest
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + " …"
}

// The function "asked" returns the strings that an operator wrote into the request "in", because each of them may be a
// name. It leaves out ids, and strings of one or two bytes.
func asked(in any) (names []string) {
	text, err := json.Marshal(in)
	if err != nil {
		return nil
	}
	var whole map[string]any
	if json.Unmarshal(text, &whole) != nil {
		return nil // the input is not an object, so no operator wrote it
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if name := strings.TrimSpace(v); len(name) > 2 && !plain.IsID(name) {
				names = append(names, name)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		case map[string]any:
			for name, inner := range v {
				walk(inner)
				if inner == nil || !slices.Contains(known, name) {
					walk(name)
				}
			}
		}
	}
	for _, part := range []string{"request", "user"} {
		walk(whole[part])
	}
	return names
}

// The variable "known" lists the names of the JSON fields that a request may have. Any other name was made up by an
// operator, and may be the name of a person.
var known = []string{"user", "apply", "scheduled", "acceptFeeds", "planHash", "override", "restore"}

// The function "named" returns an error for the state machine, with the public message of err. The type of the error is
// Refused if err matches one of the errors in "final". Otherwise it is the constant "failed", and the state machine
// retries the step.
func named(err error, in any, final []error) error {
	e := messages.InvokeResponse_Error{Type: failed, Message: public(err, in)}
	for _, f := range final {
		if errors.Is(err, f) {
			e.Type = Refused
		}
	}
	return e
}
