package command

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/idleseat/idleseat/shared/plain"
)

const ours = "IDLESEAT_"

// The variable "elsewhere" lists environment variables that only the relay and the Lambda functions read.
var elsewhere = []string{
	"IDLESEAT_DEPLOYMENT", "IDLESEAT_RELAY", "IDLESEAT_RELAY_READ_QUEUE", "IDLESEAT_RELAY_WRITE_QUEUE", "IDLESEAT_STATE_MACHINE", "IDLESEAT_WEBHOOK_SECRET",
}

var forTests = []string{"IDLESEAT_TEST_", "IDLESEAT_BENCH_"}

// The method "foreign" returns an error if the environment has an unknown variable whose name looks like a setting of
// idleseat. A misspelt setting would otherwise have no effect: the command would use another store, or read people whom
// the setting was meant to exclude.
func (a *Process) foreign(model *kong.Application) error {
	if a.Environ == nil {
		return nil
	}
	known := settings(model)
	var unknown []string
	for _, v := range a.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, ours) && !slices.Contains(known, name) && !slices.Contains(unknown, name) &&
			!slices.ContainsFunc(forTests, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	texts, meant := make([]string, len(unknown)), true
	for i, name := range unknown {
		like := nearest(name, known)
		texts[i], meant = fmt.Sprintf("there is no variable %s%s", name, like), meant && like != ""
	}
	if meant { // each unknown name has a suggestion, so the message omits the list of all names, which would hide the suggestions
		return usageError{errors.New(strings.Join(texts, " "))}
	}
	return usageError{errors.New(sentences(strings.Join(texts, " "), "a name that begins with IDLESEAT_ is one of "+strings.Join(known, ", ")))}
}

func settings(model *kong.Application) []string {
	known := slices.Clone(elsewhere)
	for _, node := range model.Leaves(false) {
		for _, f := range node.Flags {
			known = append(known, f.Envs...)
		}
	}
	for i := range reflect.TypeFor[sources]().NumField() {
		config := reflect.TypeFor[sources]().Field(i).Type
		for j := range config.NumField() {
			name, _, _ := strings.Cut(config.Field(j).Tag.Get("env"), ",")
			if strings.HasPrefix(name, ours) {
				known = append(known, name)
			}
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// The function "nearest" returns the end of an error message, which suggests the closest known name. It returns "" if
// no known name is close.
func nearest(name string, known []string) string {
	best, closest := "", 4
	for _, k := range known {
		if d := plain.Distance(name, k); d < closest {
			best, closest = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}
