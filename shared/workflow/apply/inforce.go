package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// The type "inForce" is the policy in force if it differs from the run's policy. It can keep a license that the run's
// policy takes. It cannot take a license that the run's policy keeps.
type inForce struct {
	run    *decision.Run // the run, with the policy in force in place of its own policy
	judge  *policy.Judge
	groups map[directory.GroupRef]directory.Group // groups that only the policy in force names
}

// The method "force" loads the policy in force. The parameter "text" is empty if that policy is unknown. A restore and
// a rollback do not need the policy in force.
func (j *job) force(text string) error {
	if text == "" || text == j.run.Begin.Policy || j.onlyGivesBack() {
		return nil
	}
	p, err := policy.Load("the policy in force", []byte(text))
	if err != nil {
		return err
	}
	f := &inForce{groups: map[directory.GroupRef]directory.Group{}}
	run := *j.run
	run.Policy, f.run = p, &run
	if f.judge, err = run.Judge(j.Now()); err != nil {
		return fmt.Errorf("ask the policy in force: %w", err)
	}
	j.inForce = f
	return nil
}

// memberQueries returns the member queries of the run's policy and of the policy in force.
func (j *job) memberQueries() []directory.Question {
	queries := j.run.Policy.MemberQueries()
	if j.inForce == nil {
		return queries
	}
	for _, q := range j.inForce.run.Policy.MemberQueries() {
		known := func(o directory.Question) bool { return o.Key() == q.Key() }
		if !slices.ContainsFunc(queries, known) {
			queries = append(queries, q)
		}
	}
	return queries
}

// entraGroup returns an Entra group as the run read it. The run did not read a group that only the policy in force
// names: entraGroup looks for such a group in Entra ID, once per call. A group that does not exist, or whose name is
// ambiguous, is returned as unreadable.
func (j *job) entraGroup(ctx context.Context, ref directory.GroupRef) (directory.Group, error) {
	same := func(g directory.Group) bool { return g.Ref.Key(false) == ref.Key(false) }
	if j.inForce == nil || slices.ContainsFunc(j.run.Begin.Groups, same) {
		return j.run.Begin.Group(ref), nil
	}
	g, known := j.inForce.groups[ref]
	if known {
		return g, nil
	}
	g, err := j.Entra.FindGroup(ctx, ref.Name)
	if errors.Is(err, directory.ErrNoGroup) || errors.Is(err, directory.ErrAmbiguousGroup) {
		g, err = directory.Group{Unreadable: err.Error()}, nil
	}
	if err != nil {
		return g, fmt.Errorf("find group %q of the policy in force: %w", ref.String(), err)
	}
	g.Ref = ref
	j.inForce.groups[ref] = g
	return g, nil
}

// keptInForce returns the reason why the policy in force keeps a license that a rule of the run's policy takes. It
// returns "" if the policy in force takes the license too, is unknown, or is the run's own policy.
func (m *move) keptInForce(rule *policy.Rule) string {
	f := m.inForce
	if f == nil {
		return ""
	}
	now := f.run.Policy.RuleNamed(rule.Name)
	switch {
	case f.run.Policy.Mode == policy.Review && m.run.Policy.Mode == policy.Enforce:
		return "the policy in force is in mode review, and nobody approved this change"
	case now == nil:
		return "the policy in force has no rule " + rule.Name
	case !sameLicense(now.License, rule.License), !sameLicense(now.ChangeTo, rule.ChangeTo):
		return "by the policy in force the rule " + rule.Name + " changes other licenses"
	}
	if _, _, keep := m.askBy(f.run, f.judge); keep != "" {
		return "by the policy in force: " + keep
	}
	return ""
}

func sameLicense(a, b *policy.License) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Name == b.Name && a.SKU == b.SKU && slices.Equal(a.Groups(), b.Groups())
}

const auditInForce = "the policy in force is in mode audit, in which nothing is written; what is begun waits: set mode to review or enforce, or restore what was taken with `idleseat restore`"

func (f *inForce) forbidden(p *plan.Plan) string {
	switch {
	case f == nil:
		return ""
	case f.run.Policy.Mode == policy.Audit:
		return auditInForce
	case f.run.Policy.Tenant != p.Tenant:
		return "the policy in force is for tenant " + f.run.Policy.Tenant
	}
	return ""
}
