package command

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/workflow/collect"
)

// pastClock is a clock that the demo can set to an earlier time.
type pastClock struct {
	at  atomic.Pointer[time.Time] // nil for the present
	now func() time.Time
}

func (c *pastClock) Now() time.Time {
	if at := c.at.Load(); at != nil {
		return *at
	}
	return c.now()
}

// keepPast simulates some nights before the present, and keeps a run of each night. It takes the lists of people
// directly from the simulated company, because lists over HTTP or LDAP would take most of the time.
func (d *demo) keepPast(past *pastClock, rules *policy.Policy, text string, nights int) error {
	defer past.at.Store(nil)
	for n := range nights {
		now := past.now().AddDate(0, 0, n-nights)
		past.at.Store(&now)
		d.company.Company.Live()
		run := newRun(now)
		c := d.line.collector()
		c.Entra, c.AD = livingEntra{c.Entra, d.company.Company}, livingAD{c.AD, d.company.Company}
		if err := d.line.collectAll(d.Context, c, collect.Start{Run: run, AsOf: now, Policy: rules, Text: text}); err != nil {
			return err
		}
		if _, err := d.line.decide(d.Context, run); err != nil {
			return err
		}
		d.line.bar.nights(n+1, nights)
	}
	d.line.bar.clear()
	return nil
}

// livingEntra lists the people in the Entra ID of a simulated company without HTTP.
type livingEntra struct {
	collect.Entra
	company *sandbox.Company
}

func (e livingEntra) ListPeople(ctx context.Context, _ string, page func([]directory.EntraUser, string) error) error {
	var all []directory.EntraUser
	for u := range e.company.EntraUsers() {
		all = append(all, u)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("list the people of the simulated company: %w", err)
	}
	return page(all, "")
}

// livingAD lists the people in the Active Directory of a simulated company without LDAP.
type livingAD struct {
	collect.AD
	company *sandbox.Company
}

func (a livingAD) ListFull(_ context.Context, _ []string, each func(directory.ADUser) error) (*directory.Watermark, error) {
	for u := range a.company.ADUsers() {
		if err := each(u); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
