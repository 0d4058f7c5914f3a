package policy

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// Judge evaluates the rules of a policy as of one time. It is not safe for concurrent use, because it keeps buffers.
type Judge struct {
	policy *Policy
	skus   []string // skuId by License.index; empty for a license that is a group
	now    time.Time

	programs []cel.Program // by condition.index

	// The programs read the time from the field "nowValue" and the person from the field "person". The field "turn" is a
	// counter that every change of the time increases. By this counter, a program recognizes a stale cached value.
	nowValue ref.Val
	turn     uint
	person   *directory.Person
	worlds
	// The field "lead" is how far the time of evaluation lies after the planning time. Newer reports will have come by
	// then. A Judge assumes that the end of each report has also moved by "lead".
	lead time.Duration

	names      *Names
	exemptLost bool // see DoubtExempt
	instants   []time.Time
	until      time.Time // later times are not added to instants; zero sets no limit
}

// NewJudge returns a Judge that evaluates the rules as of now. The parameter skuIDs is the result of directory.SKUIDs.
// It has the tenant's skuIds, by the names that a policy may use. NewJudge fails if the tenant lacks a license of the
// policy, or if two licenses are the same product. The error names all these licenses.
func (p *Policy) NewJudge(skuIDs map[string]string, now time.Time) (*Judge, error) {
	j := &Judge{policy: p, skus: make([]string, len(p.Licenses)), names: p.Names(nil)}
	j.setNow(now.UTC())
	var faults []error
	for i, l := range p.Licenses {
		if l.SKU == "" {
			continue
		}
		if j.skus[i] = skuIDs[l.SKU]; j.skus[i] == "" {
			faults = append(faults, missingSKU(l, skuIDs))
		} else if twin := slices.Index(j.skus[:i], j.skus[i]); twin >= 0 {
			faults = append(faults, fmt.Errorf("licenses %s and %s are the same product %s; name it once", p.Licenses[twin].Name, l.Name, j.skus[i]))
		}
	}
	for _, c := range p.conditions {
		program, err := j.plan(c)
		if err != nil {
			faults = append(faults, fmt.Errorf("plan the condition %q: %w", c.source, err))
		}
		j.programs = append(j.programs, program)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return j, nil
}

func missingSKU(l *License, skuIDs map[string]string) error {
	known := slices.Sorted(maps.Keys(skuIDs))
	return fmt.Errorf("license %s: the tenant has no SKU with part number or skuId %q%s", l.Name, l.SKU, cmp.Or(didYouMean(l.SKU, known), theProducts(known)))
}

// theProducts lists the products of a tenant by part number, without their ids.
func theProducts(known []string) string {
	parts := slices.DeleteFunc(slices.Clone(known), guid.MatchString)
	switch {
	case len(parts) == 0:
		return ""
	case len(parts) > mostListed:
		parts = append(parts[:mostListed], "…")
	}
	return "; it has " + strings.Join(parts, ", ")
}

func (j *Judge) setNow(now time.Time) {
	j.now, j.nowValue = now, types.Timestamp{Time: now}
	j.turn++
}

// Now returns the time as of which the rules are evaluated.
func (j *Judge) Now() time.Time { return j.now }

// Ask returns the verdict of a rule on a person.
func (j *Judge) Ask(r *Rule, p *directory.Person) Verdict {
	return j.worded(r, p, j.decide(r, p, new(exempted)))
}

// AskAll returns the verdicts of all rules on a person, in the order of the file. A verdict to keep has no IdleSince
// and no Reason, because computing them for a million people takes too long.
func (j *Judge) AskAll(p *directory.Person) iter.Seq2[*Rule, Verdict] {
	return func(yield func(*Rule, Verdict) bool) {
		var once exempted
		for _, r := range j.policy.Rules {
			d := j.decide(r, p, &once)
			v := d.verdict()
			if d.outcome != Keep {
				v = j.worded(r, p, d)
			}
			if !yield(r, v) {
				return
			}
		}
	}
}

// Reclaims returns the verdict of a rule on a person from whom the rule reclaims, according to Screen. It finds the
// reason, but does not evaluate the rule again. AskAll would return the same verdict.
func (j *Judge) Reclaims(r *Rule, p *directory.Person) Verdict {
	j.about(r, p)
	return j.worded(r, p, decision{outcome: Reclaim, holder: directory.Yes, scope: answer{flag: directory.Yes}})
}

// The type "exempted" is the exemption of one person. It is computed when the first rule needs it.
type exempted struct {
	known bool
	exemption
}

func (e *exempted) of(j *Judge, p *directory.Person) exemption {
	if !e.known {
		e.known, e.exemption = true, j.exemption(p)
	}
	return e.exemption
}

// The method "worded" turns a decision into a verdict with a reason.
func (j *Judge) worded(r *Rule, p *directory.Person, d decision) Verdict {
	v := d.verdict()
	if d.outcome == NotHolder {
		return v
	}
	v.IdleSince = lastSeen(r.when.activity, p)
	switch {
	case d.outcome == Reclaim:
		v.Reason = j.reclaimReason(r, p)
		v.NoDate = slices.ContainsFunc(r.when.activity, func(a *attribute) bool { return a.of(p).State == directory.None })
	case d.outcome == Exempt:
		v.Reason = j.exemptReason(d.exempt)
	case d.outcome == Undecided:
		v.Unknowns, v.Reason = j.undecidedReason(r, p, d)
	case d.grace.flag == directory.Yes:
		v.Reason = d.grace.reason
	}
	return v
}

// The type "decision" is a verdict without a reason. It holds the results of the operands in holder && !exempt && for
// && when && !inGrace. The rule reclaims if the whole expression is true.
type decision struct {
	outcome Outcome
	holder  directory.Flag
	exempt  exemption
	scope   answer
	when    answer
	grace   grace
}

// The method "verdict" returns the decision as a Verdict without a reason.
func (d *decision) verdict() Verdict {
	v := Verdict{Outcome: d.outcome, Holder: d.holder, InGrace: d.grace.flag == directory.Yes}
	if d.outcome != NotHolder && d.outcome != Exempt {
		v.Asked = d.scope.flag
	}
	v.ByAccount = d.outcome == Exempt && d.exempt.user == "" && d.exempt.leave == nil && d.exempt.group == nil
	return v
}

// Empty returns the names of the attributes that the rule's conditions read and that have no value in the person's
// account. Dates of use are left out, because people who never signed in have none.
func (j *Judge) Empty(r *Rule, p *directory.Person) iter.Seq[string] {
	return func(yield func(string) bool) {
		j.about(r, p)
		for _, a := range r.fills {
			v := a.of(p)
			if (v.State == directory.None || a.kind == directory.Text && v.State == directory.Known && v.Text == "") && !yield(a.name) {
				return
			}
		}
	}
}

// The type "answer" is the result of a condition. If the flag is Unset, the value is the unknown or the error that CEL
// returned.
type answer struct {
	flag  directory.Flag
	value ref.Val
}

// The method "about" sets p.License to the product of the rule's license. Fields about this license, such as
// licenseChanged, read p.License.
func (j *Judge) about(r *Rule, p *directory.Person) { p.License = j.skus[r.License.index] }

// The method "decide" evaluates the operands from the cheapest to the most expensive. A single false operand settles
// the verdict, even if other operands are unknown.
func (j *Judge) decide(r *Rule, p *directory.Person, once *exempted) decision {
	j.about(r, p)
	d := decision{outcome: Keep, scope: answer{flag: directory.Yes}}
	if d.holder = j.holds(r.License, p); d.holder == directory.No {
		d.outcome = NotHolder
		return d
	}
	if d.exempt = once.of(j, p); d.exempt.flag == directory.Yes {
		d.outcome = Exempt
		return d
	}
	if r.scope != nil {
		if d.scope.flag, d.scope.value = j.eval(r.scope, p); d.scope.flag == directory.No {
			return d
		}
	}
	if d.when.flag, d.when.value = j.eval(r.when, p); d.when.flag == directory.No {
		return d
	}
	if d.grace = j.inGrace(r, p); d.grace.flag == directory.Yes {
		return d
	}
	known := d.holder == directory.Yes && d.exempt.flag == directory.No && d.scope.flag == directory.Yes &&
		d.when.flag == directory.Yes && d.grace.flag == directory.No
	d.outcome = Undecided
	if known {
		d.outcome = Reclaim
	}
	return d
}

// newestOf returns the newest known date of several attributes. The result "never" says whether all attributes were
// read and have no date.
func newestOf(list []*attribute, p *directory.Person) (newest time.Time, never directory.Flag) {
	never = directory.Yes
	for _, a := range list {
		switch v := a.of(p); {
		case v.State == directory.Known:
			never = directory.No
			if v.Time.After(newest) {
				newest = v.Time
			}
		case v.State != directory.None && never == directory.Yes: // the person may have an earlier date
			never = directory.Unset
		}
	}
	return newest, never
}

// The method "eval" evaluates a condition for a person. If the flag is Unset, the value is the unknown or the error
// that CEL returned.
func (j *Judge) eval(c *condition, p *directory.Person) (directory.Flag, ref.Val) {
	return j.run(j.programs[c.index], p)
}

// The method "run" evaluates the program of a condition, or of a part of a condition.
func (j *Judge) run(program cel.Program, p *directory.Person) (directory.Flag, ref.Val) {
	j.person = p
	return j.inAll(func() (directory.Flag, ref.Val) {
		value, _, err := program.Eval(cel.NoVars())
		if holds, ok := value.(types.Bool); ok {
			return directory.FlagOf(bool(holds)), nil
		}
		if value == nil {
			value = types.WrapErr(err)
		}
		return directory.Unset, value
	})
}
