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

// Judge evaluates the rules of a policy as of one time. It is not safe for concurrent use, because it has buffers.
type Judge struct {
	policy *Policy
	skus   []string // skuId by License.index; empty for a license that is a group
	now    time.Time

	programs []cel.Program // by condition.index

	// The compiled conditions (programs) read nowValue and person. Each change of the time increases "turn", so that a
	// program does not use a value that it computed for another time.
	nowValue ref.Val
	turn     uint
	person   *directory.Person
	worlds
	// The field "lead" is how far the time of evaluation is after the planning time. The Judge assumes that the end of
	// each usage report is later by the same span.
	lead time.Duration

	names      *Names
	exemptLost bool // see DoubtExempt
	instants   []time.Time
	until      time.Time // later times are not added to instants; zero sets no limit
}

// NewJudge returns a Judge as of now. The parameter skuIDs is the result of directory.SKUIDs. NewJudge fails if the
// tenant lacks a license of the policy, or if two licenses are the same product. The error names all these licenses.
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

// Ask returns the verdict of a rule on a person, with its reason.
func (j *Judge) Ask(r *Rule, p *directory.Person) Verdict {
	return j.worded(r, p, j.decide(r, p, new(exempted)))
}

// AskAll returns the verdicts of all rules, in the order of the file. A verdict to keep has no IdleSince and no Reason,
// because these take too long for a million people.
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

// Reclaims returns the same verdict as AskAll, for a person from whom the rule reclaims according to Screen. It does
// not evaluate the rule again, and only finds the reason.
func (j *Judge) Reclaims(r *Rule, p *directory.Person) Verdict {
	j.about(r, p)
	return j.worded(r, p, decision{outcome: Reclaim, holder: directory.Yes, exempt: exemption{flag: directory.No}, scope: answer{flag: directory.Yes}})
}

// The type "exempted" caches the exemption of one person for all rules.
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

// The type "decision" is a verdict without a reason. A rule reclaims if holder && !exempt && for && when && !inGrace.
type decision struct {
	outcome Outcome
	holder  directory.Flag
	exempt  exemption
	scope   answer
	when    answer
	grace   grace
}

func (d *decision) verdict() Verdict {
	v := Verdict{Outcome: d.outcome, Holder: d.holder, InGrace: d.grace.flag == directory.Yes}
	if d.outcome != NotHolder && d.outcome != Exempt {
		v.Asked = d.scope.flag
	}
	v.ExemptOpen = d.outcome != NotHolder && d.exempt.flag == directory.Unset
	v.ByAccount = d.outcome == Exempt && d.exempt.user == "" && d.exempt.leave == nil && d.exempt.group == nil
	return v
}

// Empty returns the names of attributes in the rule's conditions without a value in the person's account. It omits
// attributes that are true or false. It also omits dates of use, because people who never signed in have none.
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

// The type "answer" is the result of a condition. If the flag is Unset, the value is CEL's unknown or error.
type answer struct {
	flag  directory.Flag
	value ref.Val
}

// The method "about" sets p.License to the product of the rule. Fields about a license, such as licenseChanged, need
// it.
func (j *Judge) about(r *Rule, p *directory.Person) { p.License = j.skus[r.License.index] }

// The method "decide" evaluates the parts of a decision from the cheapest to the most expensive. A single false part
// settles the verdict, even if others are unknown.
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

// newestOf returns the newest known date. The result "never" is Yes if all attributes were read and have no date. It is
// Unset if no date is known, but one is possible.
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

func (j *Judge) eval(c *condition, p *directory.Person) (directory.Flag, ref.Val) {
	return j.run(j.programs[c.index], p)
}

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
