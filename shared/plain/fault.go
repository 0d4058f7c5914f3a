package plain

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Fault describes a panic for the makers of this program. It names places in the program and no data of people. So it
// gives only the type of a value that is not a runtime error. The deferred function that recovers must call it.
func Fault(value any) string {
	what := fmt.Sprintf("%T", value)
	if err, ok := value.(runtime.Error); ok {
		what = err.Error()
	}
	return fmt.Sprintf("idleseat has a fault (%s) at %s; report this line to its makers", what, strings.Join(stack(), " < "))
}

// deepest is how many calls of a stack the report of a fault shows.
const deepest = 12

// stack returns the calls of the program at the fault, the innermost first.
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
