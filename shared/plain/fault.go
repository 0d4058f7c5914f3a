package plain

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Fault describes a panic for the developers. The text names places in the program and has no data of people: it quotes
// a runtime error, and writes only the type of another value. The deferred function that recovers must call Fault
// directly, because Fault leaves out exactly one function above its own call.
func Fault(value any) string {
	what := fmt.Sprintf("%T", value)
	if err, ok := value.(runtime.Error); ok {
		what = err.Error()
	}
	return fmt.Sprintf("idleseat has a fault (%s) at %s; report this line to its makers", what, strings.Join(stack(), " < "))
}

// The constant "deepest" is the maximum number of calls in the text of a fault.
const deepest = 12

// The function "stack" returns the calls that led to the panic, innermost first.
func stack() (at []string) {
	var counters [deepest + 8]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(4, counters[:])])
	for len(at) < deepest {
		f, more := frames.Next()
		if f.File != "" && !strings.HasPrefix(f.Function, "runtime.") {
			at = append(at, fmt.Sprintf("%s %s:%d", filepath.Base(f.Function), filepath.Base(f.File), f.Line))
		}
		if !more {
			break
		}
	}
	return at
}
