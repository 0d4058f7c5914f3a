package serve

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

// The type "threshold" is a number of days in the condition of a rule. The reader of the page can try another number.
type threshold struct {
	Rule string
	From int // the number in the policy
}

// More returns the additional number of people from whom the rule reclaims with the chosen number of days. It may be
// negative.
func (v *whatIfView) More() int { return v.Changed.Then.Reclaim - v.Changed.Now.Reclaim }

// Saving returns by how much the chosen number of days raises the monthly saving of the rule.
func (v *whatIfView) Saving() float64 {
	return v.Changed.Then.MonthlySaving - v.Changed.Now.MonthlySaving
}

// Key returns the text of the threshold in an address, such as "60 m365-idle-60".
func (t threshold) Key() string { return strconv.Itoa(t.From) + " " + t.Rule }

var suggested = []int{30, 45, 60, 90, 120, 180}

// Limits of the number of days that a reader can choose. A policy has the same limits.
const (
	fewestDays = 1
	mostDays   = 3650
)

type whatIfView struct {
	*page.Words
	Run        string
	Named      string // the run that the address names; empty for the newest run
	Thresholds []threshold
	Chosen     threshold
	Days       int
	Suggested  []int
	Difference *backtest.Difference
	Changed    *backtest.RuleChange // the rule whose threshold is changed
	Data       *page.Data           // the lists of people
}

type list struct {
	*page.Table
	HTML template.HTML
}

// Lists returns the lists of people in the language of the page.
func (v *whatIfView) Lists() (all []list, err error) {
	for _, t := range v.Data.Tables {
		html, err := t.HTML(v.Words)
		if err != nil {
			return nil, err
		}
		all = append(all, list{t, html})
	}
	return all, nil
}

const mostPeople = 20_000

// whatIf answers with the effect that another number of days would have in a rule. Without a number in the address,
// the page asks for one.
func (s *Site) whatIf(a *asked) error {
	run, err := s.meant(a)
	if err != nil {
		return err
	}
	b, p, err := s.policyOf(a, run)
	if err != nil {
		return err
	}
	v := &whatIfView{Run: run, Named: a.given("run"), Thresholds: thresholdsOf(p), Suggested: suggested, Data: page.NewData()}
	if err := v.choose(a.given("rule"), a.given("days")); err != nil {
		return err
	}
	if v.Days != 0 {
		if err := s.differ(a.ctx(), b.Policy, v); err != nil {
			return err
		}
	}
	d := document(titled("serve.whatif"), "/what-if", v.Named, content("whatif", func(w *page.Words) any {
		of := *v
		of.Words = w
		return &of
	}))
	d.Data = v.Data
	return a.show(http.StatusOK, d)
}

func (s *Site) differ(ctx context.Context, text string, v *whatIfView) error {
	done, err := s.wait(ctx)
	if err != nil {
		return err
	}
	defer done()
	name := "policy of run " + v.Run
	other, err := policy.Varied(name, []byte(text), policy.Variant{Rule: v.Chosen.Rule, From: v.Chosen.From, To: v.Days})
	if err != nil {
		return err
	}
	if v.Difference, err = backtest.WhatIf(ctx, s.Store, v.Run, name, other); err != nil {
		return err
	}
	for i := range v.Difference.Rules {
		if c := &v.Difference.Rules[i]; c.Rule == v.Chosen.Rule {
			v.Changed = c
			v.people("added", c.Added)
			v.people("removed", c.Removed)
		}
	}
	v.Data.Link = under("/person", "run", v.Run) + "&user="
	return nil
}

func (v *whatIfView) people(id string, all []backtest.Person) {
	shown := page.Clean(all[:min(len(all), mostPeople)])
	t := v.Data.Table(id, len(all), len(shown))
	t.Whom(func(i int) page.Person {
		return page.Person{ID: shown[i].User, UserPrincipalName: shown[i].UserPrincipalName, Name: shown[i].DisplayName, Department: shown[i].Department}
	})
	department := t.Text("department", page.Text, func(i int) string { return shown[i].Department })
	department.Filter, department.Detail = true, true // the page shows the department beside the person
}

func thresholdsOf(p *policy.Policy) (all []threshold) {
	for _, r := range p.Rules {
		for _, n := range r.DayNumbers() {
			all = append(all, threshold{r.Name, n})
		}
	}
	return all
}

func (v *whatIfView) choose(key, days string) error {
	if len(v.Thresholds) > 0 {
		v.Chosen = v.Thresholds[0]
	}
	for _, t := range v.Thresholds {
		if t.Key() == key {
			v.Chosen = t
		}
	}
	switch {
	case key != "" && v.Chosen.Key() != key:
		return fmt.Errorf("%w: the policy of run %s has no such threshold", errQuestion, v.Run)
	case days == "":
		return nil
	}
	n, err := strconv.Atoi(days)
	if err != nil || n < fewestDays || n > mostDays {
		return fmt.Errorf("%w: give a whole number of days from %d to %d", errQuestion, fewestDays, mostDays)
	}
	v.Days = n
	return nil
}
