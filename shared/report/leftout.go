package report

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/story"
	"github.com/idleseat/idleseat/shared/story/reason"
)

// Values of the column "why" for people whom a plan leaves out. Other values are the names of the lists in plan.json.
const (
	deferred  = "deferred"  // left for a later run, because of perRun
	exempt    = "exempt"    // exempt by the policy
	announced = "announced" // a later run makes the change
)

// leftRow is one license that the plan leaves with a person although a rule is about the license.
type leftRow struct {
	why string
	runs.Listed
}

// WriteLeftOut writes as CSV the people whom the plan of a run leaves out, with the reason and the remedy. A license
// that a rule keeps because the person uses it has no row. Memory grows with the number of rows, so only an operator's
// machine should write the file.
func WriteLeftOut(ctx context.Context, w io.Writer, s store.Store, r *decision.Run, p *plan.Plan, o Sheet) error {
	rows, err := leftOut(ctx, s, r, p)
	if err != nil {
		return err
	}
	wanted, users := map[uint64]bool{}, make([]string, 0, len(rows))
	for i := range rows {
		wanted[known.KeyOf(rows[i].User)] = true
		users = append(users, rows[i].User)
	}
	names := profilesOf(ctx, s, r, wanted)
	by, err := o.leads(ctx, users)
	if err != nil {
		return err
	}
	return o.write(w, func(row func(...string) error) error {
		err := row(append([]string{"user", "userPrincipalName", "rule", "license", "why", "reason", "remedy", "displayName", "department"}, by.titles()...)...)
		for i := range rows {
			if err != nil {
				return err
			}
			x := &rows[i]
			err = row(append([]string{
				cell(x.User), cell(x.UserPrincipalName), cell(x.Rule), cell(x.License), x.why, cell(x.Reason), cell(x.remedy()),
				cell(names[x.User].display), cell(names[x.User].department),
			}, by.cells(x.User)...)...)
		}
		return err
	})
}

// leftOut returns the announced changes, then the rows of the lists in plan.json, and then the rows that are only in
// the decisions: the exempt people and the deferred changes.
func leftOut(ctx context.Context, s store.Store, r *decision.Run, p *plan.Plan) (rows []leftRow, err error) {
	told := map[subject]bool{}
	for _, c := range p.Changes {
		told[subject{c.User, c.License}] = true
	}
	for _, c := range p.Notices {
		told[subject{c.User, c.License}] = true
		rows = append(rows, leftRow{announced, runs.Listed{User: c.User, UserPrincipalName: c.UserPrincipalName, Rule: c.Rule, License: c.License, Reason: c.Reason}})
	}
	err = runs.EachListed(ctx, s, p.Run, func(list string, entry *runs.Listed) error {
		key := subject{entry.User, entry.License}
		if list == "returned" && told[key] {
			return nil // a change restores the license
		}
		told[key] = told[key] || list != "undecided"
		rows = append(rows, leftRow{list, *entry})
		return nil
	})
	if err != nil || p.Restores != "" {
		return rows, err
	}
	_, err = r.Each(ctx, func(d *plan.Decision) error {
		one := runs.Listed{User: d.User, UserPrincipalName: d.UserPrincipalName, Rule: d.Rule, License: d.License, Reason: d.Reason}
		switch {
		case d.Outcome == policy.Exempt:
			one.Reason = strings.TrimPrefix(one.Reason, "exempt: ")
			rows = append(rows, leftRow{exempt, one})
		case d.Planned() && !told[subject{d.User, d.License}]:
			rows = append(rows, leftRow{deferred, one})
		}
		return nil
	})
	return rows, err
}

func (x *leftRow) remedy() string {
	switch x.why {
	case deferred:
		return "Nothing: a later run takes it, the longest idle first; limits.perRun says how many."
	case announced:
		return reason.Do(reason.English, "announced")
	case exempt:
		return story.Exempted(x.Reason)
	}
	var words []string
	for _, p := range reason.Parts(x.Reason) {
		if do := reason.Do(reason.English, p.Remedy); do != "" && !slices.Contains(words, do) {
			words = append(words, do)
		}
	}
	return strings.Join(words, " ")
}
