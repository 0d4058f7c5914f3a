package story

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/policy/words"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Question asks for the story of a person.
type Question struct {
	Run  string // empty for the newest run that read everybody, or only this person
	User string // userPrincipalName, object id, SID or account name
	Now  time.Time
	// Store is the value of --store in commands. It is empty if commands need no such option.
	Store string
	// Deployment is the deployment in AWS that the commands of the story name. If it is empty, the commands name the
	// deployment that made the run. If a machine made the run, they name none.
	Deployment string
}

func (q *Question) flags() []string {
	switch {
	case q.Deployment != "":
		return []string{"--aws", q.Deployment}
	case q.Store != "":
		return []string{"--store", q.Store}
	}
	return nil
}

// Of returns the story of each person whom the snapshot of a run has under the name q.User. If there is none, Of looks
// for the name in the ledger, as an object id or SID, and the story has only the past. If the ledger does not have it
// either, the error is decision.ErrUnknownUser or snapshot.ErrUnknownRun.
func Of(ctx context.Context, s store.Store, q Question) ([]*Story, error) {
	run, err := q.run(ctx, s)
	if err != nil {
		return q.gone(ctx, s, err)
	}
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	q.Deployment = cmp.Or(q.Deployment, r.Begin.Deployment)
	var all []*Story
	err = r.Find(ctx, q.User, func(p *directory.Person) error {
		one, err := q.tell(ctx, s, r, p)
		all = append(all, one)
		return err
	})
	if errors.Is(err, decision.ErrUnknownUser) {
		return q.gone(ctx, s, err)
	}
	return all, err
}

// findTwins finds the names of all Entra accounts with the SID of the person, and stores them in the field "twins". If
// an answer says that several accounts have one SID, the story adds these names.
func (s *Story) findTwins(ctx context.Context, r *decision.Run) error {
	var names []string
	err := r.Find(ctx, s.SID, func(p *directory.Person) error {
		if p.Entra != nil {
			names = append(names, p.Entra.UserPrincipalName)
		}
		return nil
	})
	s.twins = " (" + strings.Join(names, " and ") + ")"
	return err
}

func (q *Question) run(ctx context.Context, s store.Store) (string, error) {
	if q.Run != "" {
		return q.Run, nil
	}
	return snapshot.Latest(ctx, s, func(b *snapshot.Begin) bool {
		return b.Copy == "" && !snapshot.Ahead(b.Run, q.Now) && (b.User == "" || strings.EqualFold(b.User, q.User))
	})
}

// The method "gone" makes the story of a person whom no snapshot has. It reads only the ledger. If the ledger does not
// have the person either, it returns an error that wraps the argument "unknown".
func (q *Question) gone(ctx context.Context, s store.Store, unknown error) ([]*Story, error) {
	if strings.Contains(q.User, "@") { // the ledger has people only by object id and SID
		return nil, unknown
	}
	known := errors.Is(unknown, decision.ErrUnknownUser) || errors.Is(unknown, snapshot.ErrUnknownRun)
	if !known || strings.Contains(q.User, "/") || store.CheckKey(q.User) != nil {
		return nil, unknown
	}
	one := &Story{Now: q.Now, User: q.User, Profile: []Value{}, Answers: []Answer{}}
	if err := q.past(ctx, s, one, nil); err != nil {
		return nil, err
	}
	if len(one.Ledger) == 0 {
		return nil, fmt.Errorf("%w; nor has the ledger this object id or SID", unknown)
	}
	q.undo(one)
	return []*Story{one}, nil
}

func (q *Question) tell(ctx context.Context, s store.Store, r *decision.Run, p *directory.Person) (*Story, error) {
	e, err := r.Explain(p, r.Begin.AsOf)
	if err != nil {
		return nil, err
	}
	one := &Story{
		Run: e.Run, AsOf: e.AsOf, Read: r.Begin.Read, Now: q.Now, User: e.User, SID: p.SID(), UserPrincipalName: e.UserPrincipalName,
		Doubt: e.Doubt, Answers: make([]Answer, len(e.Answers)),
	}
	one.mode = r.Policy.Mode
	if r.Policy.Exempt.When != "" {
		one.exempted, _ = words.Exemption(words.English, r.Policy, r.Policy.Exempt.When)
	}
	one.Kind, one.KindEvidence = p.Kind()
	one.DisplayName, one.Department = name(p), department(p)
	for _, f := range e.Profile {
		one.Profile = append(one.Profile, valueOf(f, r.Begin))
	}
	if err := q.past(ctx, s, one, &snapshotOf{r, p}); err != nil {
		return nil, err
	}
	for _, a := range e.Answers {
		l := one.pastOf(a.License)
		if l == nil {
			continue
		}
		if l.State == history.Taken && a.HeldAgain == l.Run {
			l.HeldAgain, l.undo = true, nil
		}
		if l.State == history.Restored || l.HeldAgain {
			l.coolUntil(a.Cools)
		}
	}
	q.undo(one)
	if e.Doubt == sameSID {
		if err := one.findTwins(ctx, r); err != nil {
			return nil, err
		}
	}
	for i, a := range e.Answers {
		spoken(r.Policy, a.Tree, words.Condition)
		one.Answers[i] = answerOf(one, r.Policy.RuleNamed(a.Rule), a)
	}
	return one, q.planned(ctx, s, one)
}

// The function "spoken" sets the field Words of a part of a rule, and of the parts below it. If a part cannot be put
// into words, Words stays empty, and readers see the text of the part.
func spoken(p *policy.Policy, n *policy.Node, say func(words.Language, *policy.Policy, string) (string, error)) {
	if n.Name == "exempt" {
		say = words.Exemption // words.Exemption has its own words for the conditions of exemptions
	}
	if !n.Spoken() {
		n.Words, _ = say(words.English, p, n.Text)
		if n.Says == policy.False && allKnown(n) {
			n.Denial, _ = words.Denial(words.English, p, n.Text)
		}
	}
	for _, part := range n.Parts {
		spoken(p, part, say)
	}
}

func allKnown(n *policy.Node) bool {
	without := func(v policy.Evidence) bool { return slices.Contains(noValues, v.Value) }
	return len(n.Parts) == 0 && len(n.Values) > 0 && !slices.ContainsFunc(n.Values, without)
}

var noValues = []string{"", "no value", "not read", "no account"}

func name(p *directory.Person) string {
	if p.Entra != nil {
		return p.Entra.DisplayName
	}
	if p.AD != nil {
		return p.AD.DisplayName
	}
	return ""
}

func department(p *directory.Person) string {
	if p.Entra != nil && p.Entra.Department != "" {
		return p.Entra.Department
	}
	if p.AD != nil {
		return p.AD.Department
	}
	return ""
}

// valueOf adds to a fact its source and the time at which this source was read. For a date, it also adds the age in
// days at the time of the run.
func valueOf(f policy.Fact, b *snapshot.Begin) Value {
	v := Value{Fact: f}
	var sources []string
	for _, s := range f.Sources {
		sources = append(sources, map[directory.Source]string{directory.Entra: "Entra ID", directory.AD: "Active Directory"}[s])
	}
	for _, s := range f.Signals {
		if s.Reported() {
			sources = []string{"usage report of " + s.String()}
		}
	}
	v.Source = strings.Join(slices.Compact(sources), " and ")
	switch f.Value {
	case "not read", "no account":
	default:
		v.Read = b.Read
		if !f.Through.IsZero() {
			v.Read = f.Through
		}
	}
	if !f.Date.IsZero() {
		days := clock.Days(f.Date, b.AsOf)
		v.Days = &days
	}
	return v
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Command returns a command line of idleseat, with quotes around the arguments that need them.
func Command(words ...string) string {
	line := "idleseat"
	for _, w := range words {
		line += " " + plain.Word(w)
	}
	return line
}

// The function "ago" returns the time between t and "now" in words. It counts days from 48 hours on.
func ago(now, t time.Time) string {
	n, unit := int(now.Sub(t)/time.Hour), "hour"
	if n >= 48 {
		n, unit = clock.Days(t, now), "day"
	}
	switch {
	case n < 1:
		return "less than an hour ago"
	case n > 1:
		unit += "s"
	}
	return fmt.Sprintf("%d %s ago", n, unit)
}
