package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/source/entra"
)

type check struct {
	name string
	// The field "needs" has the names of the checks that must be ok before this check runs. They stand above it in the
	// table.
	needs []string
	// The function "run" returns the findings, and the function "learned" that stores facts for other checks. The
	// method "attempt" calls "learned" only if "run" ended in time.
	run func(ctx context.Context, e *exam) (findings []Finding, learned func())
}

// The type "exam" is one examination. Checks store facts in the fields below Patient. A check reads only the facts of
// the checks that it needs.
type exam struct {
	Patient
	now   time.Time
	grant entra.Grant
	skus  []directory.SKU
	first directory.ADUser // the first account that Active Directory lists

	hiddenDates *Mend // Mend for people with a hidden lastLogonTimestamp; nil: none is hidden
}

// Examine runs all checks that are made for p (see Count), and returns the findings in the order of the table. It calls
// "done" at the end of each check. These calls may be concurrent.
func Examine(ctx context.Context, p Patient, done func(check string)) []Finding {
	return examine(ctx, p, tableFor(&p), checkTime, done)
}

// Count returns the number of checks that doctor makes for p, which depends on whether p is a deployment.
func Count(p *Patient) int { return len(tableFor(p)) }

func tableFor(p *Patient) []check {
	if p.Stack == "" {
		return checks
	}
	return append(checks[:len(checks):len(checks)], deploymentChecks...)
}

func examine(ctx context.Context, p Patient, table []check, timeout time.Duration, done func(string)) []Finding {
	e := &exam{Patient: p, now: p.Clock.Now()}
	results := make([]*result, len(table))
	byName := map[string]*result{}
	for i, c := range table {
		results[i] = &result{ended: make(chan struct{})}
		byName[c.name] = results[i]
	}
	slots := make(chan struct{}, atOnce)
	for i, c := range table {
		go func() {
			defer close(results[i].ended)
			defer done(c.name)
			if obstacle := unmet(byName, c.needs); obstacle != "" {
				results[i].findings = []Finding{{State: NotTried, Means: "Not tried, because " + obstacle + "."}}
				return
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i].findings = e.attempt(ctx, c, timeout)
		}()
	}
	var all []Finding
	for i, c := range table {
		<-results[i].ended
		for _, f := range results[i].findings {
			if f.Check == "" {
				f.Check = c.name
			}
			all = append(all, f)
		}
	}
	return all
}

type result struct {
	findings []Finding
	ended    chan struct{}
}

// The function "unmet" waits for the checks in "needs". It returns "" if each of them has at least one finding in state
// ok, and otherwise the reason why the dependent check cannot run. For example, doctor can look for groups if one of
// three controllers answers.
func unmet(all map[string]*result, needs []string) string {
	for _, name := range needs {
		<-all[name].ended
		own := slices.DeleteFunc(slices.Clone(all[name].findings), func(f Finding) bool { return f.Check != "" && f.Check != name })
		if slices.ContainsFunc(own, func(f Finding) bool { return f.State == OK }) {
			continue
		}
		return fmt.Sprintf("the check %q is not ok", name)
	}
	return ""
}

// The method "attempt" runs a check. If the check panics, is interrupted or does not end in time, the finding has the
// state unknown. A check that continues after its time has no effect. Findings that are all ok count even after the
// time.
func (e *exam) attempt(ctx context.Context, c check, timeout time.Duration) []Finding {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	type outcome struct {
		findings []Finding
		learned  func()
	}
	ended := make(chan outcome, 1)
	go func() {
		defer func() {
			if value := recover(); value != nil {
				ended <- outcome{findings: []Finding{{State: Unknown, Means: "This check of idleseat has a fault: " + plain.Fault(value) + ".",
					Mend: &Mend{Do: "Please report this text as a fault of idleseat."}}}}
			}
		}()
		findings, learned := c.run(ctx, e)
		ended <- outcome{findings, learned}
	}()
	select {
	case got := <-ended:
		if ctx.Err() == nil || Worst(got.findings) == OK {
			if got.learned != nil {
				got.learned()
			}
			return got.findings
		}
	case <-ctx.Done():
	}
	why := fmt.Sprintf("No answer came within %s, so nothing is known.", timeout)
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		why = "You interrupted this check, so nothing is known."
	}
	return []Finding{{State: Unknown, Means: why, Mend: e.again()}}
}

func one(f Finding) ([]Finding, func()) { return []Finding{f}, nil }

// The function "sentence" formats a text, such as an error, as one sentence on one line.
func sentence(format string, args ...any) string {
	text := strings.TrimRight(strings.Join(strings.Fields(plain.Line(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; "))), " "), ".")
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}
