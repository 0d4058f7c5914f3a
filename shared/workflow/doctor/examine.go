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

// check is a row of the table of checks.
type check struct {
	name string
	// needs are the checks without which this one cannot be tried. Each of them stands above this one in the table.
	needs []string
	// run makes the findings. What it learns for other checks is in learned, which is called only if run ended in time.
	run func(ctx context.Context, e *exam) (findings []Finding, learned func())
}

// exam is one examination. Its members below Patient are what checks learned. A check reads them only from checks that
// it needs.
type exam struct {
	Patient
	now   time.Time
	grant entra.Grant
	skus  []directory.SKU
	first directory.ADUser // somebody in Active Directory

	hiddenDates *Mend // of people whose lastLogonTimestamp is hidden; nil: of nobody
}

// Examine runs all checks that fit the patient, and returns the findings in the order of the table. done is called with
// the name of each check when it ends; the calls may come at the same time.
func Examine(ctx context.Context, p Patient, done func(check string)) []Finding {
	return examine(ctx, p, tableFor(&p), checkTime, done)
}

// Count returns how many checks fit the patient.
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

// unmet waits for the checks that are needed, and says which of them prevents this one. A check prevents others unless
// one of its own findings is ok: of three controllers, one is enough to ask for groups.
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

// attempt runs a check. A check that does not end in time, or that panics, is unknown. A check that goes on after its
// time has no effect.
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

// sentence makes a sentence of the text of an error.
func sentence(format string, args ...any) string {
	text := strings.TrimRight(strings.Join(strings.Fields(plain.Line(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; "))), " "), ".")
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}
