package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/story/reason"
)

// The type "rowKey" identifies a row of the report. The row gets values from the decision with the same key. For a
// license that is restored, the field "rule" is plan.RestoreRule.
type rowKey struct{ user, rule, license string }

func keyOf(d *plan.Decision) rowKey {
	if d.RestoreOf != "" {
		return rowKey{d.User, plan.RestoreRule, d.License}
	}
	return rowKey{d.User, d.Rule, d.License}
}

// The method "rows" returns the rows of all lists except Pending. Several lists can have a row with the same key.
func (g *gathering) rows() map[rowKey][]*Row {
	all := map[rowKey][]*Row{}
	for _, list := range []*List[Row]{&g.Changes, &g.Notices, &g.Undecided, &g.Refused, &g.Returned} {
		for i := range list.Rows {
			r := &list.Rows[i]
			k := rowKey{r.User, r.Rule, r.License}
			if list == &g.Returned {
				k.rule = plan.RestoreRule
			}
			all[k] = append(all[k], r)
		}
	}
	return all
}

// The method "complete" adds values of a decision that the plan may lack.
func (r *Row) complete(d *plan.Decision) {
	r.To, r.Via, r.Created, r.SavesNothing = cmp.Or(r.To, d.To), cmp.Or(r.Via, d.Via), d.Created, cmp.Or(r.SavesNothing, d.SavesNothing)
	if !d.IdleSince.IsZero() {
		r.IdleSince = &d.IdleSince
	}
	r.Evidence = make([]string, 0, len(d.Evidence))
	for _, e := range d.Evidence {
		r.Evidence = append(r.Evidence, e.Attribute+" = "+e.Value)
	}
}

func (g *gathering) listed(ctx context.Context) error {
	g.Changes = g.changes(g.plan.Changes, mostChanges)
	// Changes and Notices share a limit, so that the report's file does not become too large.
	g.Notices = g.changes(g.plan.Notices, max(mostOthers, mostChanges-len(g.Changes.Rows)))
	g.Pending = List[Row]{Total: len(g.plan.Pending), Rows: []Row{}}
	for _, b := range g.plan.Pending[:min(len(g.plan.Pending), mostOthers)] {
		g.Pending.Rows = append(g.Pending.Rows, Row{User: b.User, UserPrincipalName: b.UserPrincipalName, Rule: b.Rule, License: b.License, To: b.To, Reason: b.Reason, Status: runs.Pending})
	}
	lists := map[string]*fair{"undecided": {}, "refused": {}, "returned": {}}
	reasons := reasonCounts{}
	err := runs.EachListed(ctx, g.store, g.Run, func(list string, e *runs.Listed) error {
		code, remedy := reason.Of(e.Reason)
		lists[list].add(Row{User: e.User, UserPrincipalName: e.UserPrincipalName, Rule: e.Rule, License: e.License, Reason: e.Reason, Remedy: remedy})
		switch list {
		case "undecided":
			reasons.add(ReasonCount{Rule: e.Rule, Outcome: policy.Undecided, Reason: e.Reason, Code: code, Remedy: remedy})
		case "refused":
			reasons.add(ReasonCount{Rule: e.Rule, Outcome: policy.Reclaim, Reason: e.Reason, Code: code, Remedy: remedy})
			if rule := g.rule(e.Rule); rule != nil {
				rule.Refused++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	g.Undecided, g.Refused, g.Returned = lists["undecided"].list(), lists["refused"].list(), lists["returned"].list()
	g.Reasons = reasons.list()
	return nil
}

// The method "changes" returns a row for each of the first changes. The argument "most" is the maximum number of rows.
func (g *gathering) changes(of []plan.Change, most int) List[Row] {
	list := List[Row]{Total: len(of), Rows: make([]Row, 0, min(len(of), most))}
	for _, c := range of[:min(len(of), most)] {
		row := Row{
			User: c.User, UserPrincipalName: c.UserPrincipalName, Rule: c.Rule, License: c.License, To: c.To, Via: c.Via, Reason: c.Reason,
			IdleSince: c.IdleSince, MonthlySaving: c.MonthlySaving, SavesNothing: c.SavesNothing,
		}
		if x := g.statuses[subject{c.User, c.License}]; x != nil {
			row.Status, row.Note = x.Status, x.Note
		}
		list.Rows = append(list.Rows, row)
	}
	return list
}

// The type "fair" is a list with at most mostOthers rows. Rows with the same rule and remedy are a group. When the list
// is full, a new row of a smaller group replaces a row of the largest group, so a frequent reason does not hide a rare
// one.
type fair struct {
	total, kept int
	groups      map[[2]string][]Row
}

func (f *fair) add(r Row) {
	if f.groups == nil {
		f.groups = map[[2]string][]Row{}
	}
	f.total++
	k := [2]string{r.Rule, r.Remedy}
	if f.kept == mostOthers {
		var largest [2]string
		for group, rows := range f.groups {
			if n := len(f.groups[largest]); len(rows) > n || len(rows) == n && slices.Compare(group[:], largest[:]) < 0 {
				largest = group
			}
		}
		if len(f.groups[k])+1 >= len(f.groups[largest]) {
			return
		}
		f.groups[largest] = f.groups[largest][:len(f.groups[largest])-1]
		f.kept--
	}
	f.groups[k] = append(f.groups[k], r)
	f.kept++
}

// The method "list" returns the kept rows, sorted by rule, then by reason, then by name.
func (f *fair) list() List[Row] {
	all := List[Row]{Total: f.total, Rows: make([]Row, 0, f.kept)}
	for _, rows := range f.groups {
		all.Rows = append(all.Rows, rows...)
	}
	slices.SortFunc(all.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.UserPrincipalName, b.UserPrincipalName), cmp.Compare(a.User, b.User))
	})
	return all
}
