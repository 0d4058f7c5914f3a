package collect

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

func (b *bench) companyOf(t *testing.T) *sandbox.Company {
	t.Helper()
	s, err := sandbox.Start(sandbox.Options{Users: 1500, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b.Now = time.Now
	b.AD, err = activedirectory.New(activedirectory.Config{URLs: []string{s.ADURL}, Base: s.Base, Bind: s.Bind, PasswordFile: s.PasswordFile, CAFile: s.CAFile}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s.Company
}

// logOn makes those people log on whose replicated logon date is older than "from" and younger than "to". It returns
// their number.
func logOn(c *sandbox.Company, from, to time.Duration) (people int) {
	for i := range c.Size() {
		p := c.Person(i)
		if p.AD == nil {
			continue
		}
		if age := time.Since(p.AD.LastLogonTimestamp); age > from && age < to {
			people++
			c.LogOn(i)
		}
	}
	return people
}

// TestChangesOfSandbox: a delta reading gives the same result as a full reading after people logged on. If another
// company answers, the run must read it in full.
func TestChangesOfSandbox(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	b := newBench(t)
	company := b.companyOf(t)
	b.night(t, "run-1", sandbox.CitrixGroup)
	recent := logOn(company, 0, 13*day)
	if r := b.night(t, "run-2", sandbox.CitrixGroup); recent == 0 || r.WhyFull != "" || r.Changed != 0 {
		t.Errorf("%d logged on, %d changed, in full: %q", recent, r.Changed, r.WhyFull)
	}
	idle := logOn(company, 15*day, 1000*day)
	r := b.night(t, "run-3", sandbox.CitrixGroup)
	if idle == 0 || r.WhyFull != "" || r.Changed != idle {
		t.Errorf("%d came back, %d changed, in full: %q", idle, r.Changed, r.WhyFull)
	}
	full := newBench(t)
	full.AD, full.Now = b.AD, time.Now
	want := full.night(t, "run-3", sandbox.CitrixGroup)
	if d := cmp.Diff(full.everybody(t, &want), b.everybody(t, &r)); d != "" {
		t.Errorf("(-full +changes):\n%s", d)
	}
	b.companyOf(t)
	if r := b.night(t, "run-4", sandbox.CitrixGroup); !strings.Contains(r.WhyFull, "another database") {
		t.Errorf("another database was believed: %q", r.WhyFull)
	}
}
