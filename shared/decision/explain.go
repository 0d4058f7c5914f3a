package decision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// ErrUnknownUser means that nobody in the snapshot has the name.
var ErrUnknownUser = errors.New("unknown user")

// Answer is the verdict of one rule on one person, with its facts.
type Answer struct {
	plan.Decision
	// Turns is when the rule would take a license that it keeps now, if the person stays away. It is zero if no such
	// time is known, and if the rule takes the license now.
	Turns time.Time `json:"turns,omitzero"`
	// Cools is when the license stops cooling down, if the person stays away. It is set only if the license was given
	// lately, and if cooling down protects the license for longer than the person's last activity does.
	Cools time.Time `json:"cools,omitzero"`
	// Given says how the license was given, as in "restored on 2026-11-02". It is empty if Cools is zero.
	Given string `json:"given,omitempty"`
	// Due is the time from which an announced change may be made. It is zero without a valid announcement, and for a
	// change that is refused for another reason.
	Due time.Time `json:"due,omitzero"`
	// Holder is empty if it is unknown whether the person holds the license.
	Holder string `json:"holder,omitempty"`
	// Noun is the word for the activity that the rule reads, such as "sign-in", or empty.
	Noun string `json:"noun,omitempty"`
	// Unknowns names the values that made the verdict undecided.
	Unknowns []string     `json:"unknowns,omitempty"`
	Tree     *policy.Node `json:"tree"`
}

// Explanation has the verdict of each rule on one person.
type Explanation struct {
	Run               string        `json:"run"`
	AsOf              time.Time     `json:"asOf"`
	User              string        `json:"user"`
	UserPrincipalName string        `json:"userPrincipalName"`
	Doubt             string        `json:"doubt,omitempty"`
	Profile           []policy.Fact `json:"profile"`
	Answers           []Answer      `json:"answers"`
}

// Explain evaluates each rule for one person as of now. Verdicts to keep have a reason, too.
func (r *Run) Explain(p *directory.Person, now time.Time) (*Explanation, error) {
	judge, err := r.Judge(now)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Run: r.Begin.Run, AsOf: now, User: p.ID(), UserPrincipalName: p.UserPrincipalName(), Doubt: p.Doubt, Profile: judge.Profile(p)}
	var taken Conflicts
	for _, rule := range r.Policy.Rules {
		a, err := r.answer(judge, rule, p, taken)
		if err != nil {
			return nil, fmt.Errorf("run %s, rule %s: %w", r.Begin.Run, rule.Name, err)
		}
		taken.Add(&a.Decision)
		e.Answers = append(e.Answers, *a)
	}
	return e, nil
}

func (r *Run) answer(judge *policy.Judge, rule *policy.Rule, p *directory.Person, taken Conflicts) (*Answer, error) {
	v := judge.Ask(rule, p)
	past := r.Past(p.ID(), p.SID(), rule.License.Name)
	a := &Answer{Decision: r.Decide(judge, rule, p, v, past, taken), Holder: v.Holder.String(), Unknowns: v.Unknowns}
	if rule.ReadsActivity() {
		a.Noun = judge.Noun(rule)
	}
	a.Evidence = judge.Evidence(rule, p)
	if a.Reason == "" { // Judge.Ask gives no reason for most verdicts to keep
		a.Reason = judge.Reason(rule, p, v)
	}
	if past != nil && past.State == history.Announced && a.Outcome == policy.Reclaim && !a.Notice {
		if due := dueOf(rule, past); a.Refused == "" && rule.Notice > 0 || a.Refused == waits(past, due, false) {
			a.Due = due
		}
	}
	r.turns(a, judge, rule, p, v, r.allGiven(&a.Decision, v.Holder, past, judge.Now()))
	var err error
	a.Tree, err = judge.Tree(rule, p)
	return a, err
}

// The method "turns" sets Turns, Cools and Given. The parameter "all" has the times at which the license was given.
func (r *Run) turns(a *Answer, judge *policy.Judge, rule *policy.Rule, p *directory.Person, v policy.Verdict, all []given) {
	if a.Outcome != policy.Keep && a.Outcome != policy.Exempt {
		return
	}
	times := make([]time.Time, len(all))
	for i, g := range all {
		times[i] = g.at
	}
	a.Turns, _ = judge.Turns(rule, p, times...)
	alone, turns := judge.Turns(rule, p)
	if v.Outcome != policy.Reclaim && (!turns || alone.Equal(a.Turns)) {
		return // the person's activity keeps the license at least as long as the cooling down does
	}
	for _, g := range all {
		if until, ends := judge.CoolsUntil(rule, p, g.at); ends && until.After(a.Cools) {
			a.Cools, a.Given = until, g.how
		}
	}
}

// Find passes the people with the given name to the function. The name may be the userPrincipalName of either account,
// the Entra id, the SID or the sAMAccountName. Find returns ErrUnknownUser if there is nobody. If a partition cannot be
// read, Find reads the other ones and then returns the error.
func (r *Run) Find(ctx context.Context, name string, found func(*directory.Person) error) error {
	var h directory.Accounts
	var memory snapshot.Memory
	hits := 0
	var failed error
	for n := range r.Begin.Partitions {
		there, err := r.names(ctx, n, &memory, name)
		if err == nil && there {
			err = r.Read(ctx, n, &h)
		}
		if err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		if !there {
			continue
		}
		for p := range h.Join() {
			if !named(p, name) {
				continue
			}
			hits++
			if err := found(p); err != nil {
				return err
			}
		}
	}
	if hits > 0 || failed != nil {
		return failed
	}
	like, err := r.nearest(ctx, &memory, name)
	if err != nil {
		return err
	}
	hint := ""
	if like != "" {
		hint = fmt.Sprintf("; did you mean %q?", like)
	}
	return fmt.Errorf("%w %q: run %s read nobody with this userPrincipalName, object id, SID or account name%s", ErrUnknownUser, name, r.Begin.Run, hint)
}

// The method "nearest" returns the most similar name in the snapshot, or "".
func (r *Run) nearest(ctx context.Context, memory *snapshot.Memory, name string) (like string, err error) {
	fewest, folded := 0, strings.ToLower(name)
	for n := range r.Begin.Partitions {
		err := r.Manifest.EachNamed(ctx, r.store, n, memory, func(one snapshot.Named) {
			own, letters := policy.Nearest(folded, &directory.Person{
				Entra: &directory.EntraUser{ID: one.ID, UserPrincipalName: one.UserPrincipalName, SID: one.EntraSID},
				AD:    &directory.ADUser{SID: one.SID, UserPrincipalName: one.ADName, SAMAccount: one.SAMAccountName},
			})
			if own != "" && (like == "" || letters < fewest) {
				like, fewest = own, letters
			}
		})
		if err != nil {
			return "", err
		}
	}
	return like, nil
}

// The method "names" reports whether an account of a partition has the name. It reads only the names, which is much
// faster than reading the people.
func (r *Run) names(ctx context.Context, partition int, memory *snapshot.Memory, name string) (there bool, err error) {
	err = r.Manifest.EachNamed(ctx, r.store, partition, memory, func(p snapshot.Named) {
		for _, n := range [...]string{p.UserPrincipalName, p.ID, p.EntraSID, p.ADName, p.SID, p.SAMAccountName} {
			there = there || n != "" && strings.EqualFold(n, name)
		}
	})
	return there, err
}

func named(p *directory.Person, name string) bool {
	if name == "" {
		return false // a person without a name must not match
	}
	if p.Entra != nil && (strings.EqualFold(p.Entra.UserPrincipalName, name) || strings.EqualFold(p.Entra.ID, name) || strings.EqualFold(p.Entra.SID, name)) {
		return true
	}
	return p.AD != nil && (strings.EqualFold(p.AD.UserPrincipalName, name) || strings.EqualFold(p.AD.SID, name) || strings.EqualFold(p.AD.SAMAccount, name))
}
