package story

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

type snapshotOf struct {
	run    *decision.Run
	person *directory.Person
}

// The method "past" reads the ledger of a person. The argument "seen" is nil if no snapshot has the person. The ledger
// may have the person under two keys: the object id, and the SID from the time when only Active Directory had the
// person.
func (q *Question) past(ctx context.Context, s store.Store, one *Story, seen *snapshotOf) error {
	one.Ledger = []License{}
	keys := []string{one.User}
	if one.SID != "" && one.SID != one.User {
		keys = append(keys, one.SID)
	}
	for _, key := range keys {
		page, err := ledger.In(s).Of(ctx, key)
		if err != nil {
			return err
		}
		for _, name := range page.Licenses() {
			i := slices.IndexFunc(one.Ledger, func(l License) bool { return l.License == name })
			if i < 0 {
				i = len(one.Ledger)
				one.Ledger = append(one.Ledger, License{License: name, Entries: []Entry{}})
			}
			l := &one.Ledger[i]
			if err := l.read(ctx, page); err != nil {
				return err
			}
			if err := q.stands(ctx, page, key, one, l); err != nil {
				return err
			}
		}
	}
	for i := range one.Ledger {
		l := &one.Ledger[i]
		slices.SortStableFunc(l.Entries, func(a, b Entry) int { return a.Began.Compare(b.Began) })
		if seen != nil {
			if l.named = l.License; l.item != nil {
				l.named = seen.run.Present(l.item).License
			}
			if err := l.cool(seen); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *License) read(ctx context.Context, page *ledger.Page) error {
	for e, err := range page.Entries(ctx, l.License) {
		if errors.Is(err, ledger.ErrDamaged) {
			l.Entries = append(l.Entries, Entry{Damaged: err.Error()})
			l.Damaged, l.State = err.Error(), history.Unreadable
			continue
		}
		if err != nil {
			return err
		}
		l.Entries = append(l.Entries, entryOf(e))
	}
	return nil
}

func entryOf(e *ledger.Entry) Entry {
	n := Entry{
		Seq: e.Seq, Run: e.Run, Rule: e.Rule, To: e.To, Via: e.Via, Reason: e.Reason, Began: e.At, ApprovedBy: e.ApprovedBy,
		RestoreOf: e.RestoreOf, Note: e.Note, Saving: e.MonthlySaving,
	}
	if e.IdleSince != nil {
		n.IdleSince = *e.IdleSince
	}
	if c := e.Completion; c != nil {
		n.Outcome, n.Ended = string(c.Outcome), c.At
		if c.Note != "" {
			n.Note = c.Note
		}
	}
	return n
}

func (q *Question) stands(ctx context.Context, page *ledger.Page, key string, one *Story, l *License) error {
	if l.State != "" { // an entry is damaged, or the entries under the object id have already set the state
		return nil
	}
	e, err := page.Standing(ctx, l.License)
	if err != nil {
		return err
	}
	i := history.ItemOf(e)
	if i == nil {
		return nil
	}
	l.State, l.Since, l.Run, l.item = i.State, i.At, i.Run, i
	restoring := e.Rule == plan.RestoreRule || e.RestoreOf != ""
	if i.State == history.Open && q.Deployment == "" { // a deployment finishes the change in its next run
		l.Finish = Command(slices.Concat([]string{"apply", i.Run}, q.flags())...)
	}
	if i.State == history.Taken || i.State == history.Open && !restoring {
		l.undo = []string{"restore", nameOf(one, key)}
	}
	return nil
}

// The method "undo" sets the commands that restore licenses. A command names the run only if several runs took
// licenses.
func (q *Question) undo(one *Story) {
	several := false
	for _, l := range one.Ledger {
		for _, other := range one.Ledger {
			several = several || l.undo != nil && other.undo != nil && l.Run != other.Run
		}
	}
	for i := range one.Ledger {
		l := &one.Ledger[i]
		if l.undo == nil {
			continue
		}
		words := l.undo
		if several {
			words = append(words, "--run", l.Run)
		}
		l.Undo = Command(slices.Concat(words, q.flags())...)
	}
}

// nameOf returns the name of the person for a command. The argument "key" is the person's key in the ledger. If it is
// the object id, nameOf returns the userPrincipalName, unless a shell needs quotes for this name. Otherwise it returns
// "key".
func nameOf(one *Story, key string) string {
	if upn := one.UserPrincipalName; key == one.User && key != one.SID && upn != "" && plain.Word(upn) == upn && upn[0] != '-' {
		return upn
	}
	return key
}

// The method "cool" is for a license that was restored after the run read its data. For an earlier restore, the answers
// of the rules say until when the license cools down. For this one, the method sets CoolsUntil. If somebody restored
// the license outside idleseat, only the digest of the run shows it, and the method also sets State, Since and
// HeldAgain.
func (l *License) cool(seen *snapshotOf) error {
	r, p := seen.run, seen.person
	known := r.Past(p.ID(), p.SID(), l.named)
	if l.State == history.Taken && known != nil && known.State == history.Restored && known.Run == l.Run {
		l.State, l.Since, l.HeldAgain, l.undo = known.State, known.At, true, nil
	}
	if l.State != history.Restored || !l.Since.After(r.Begin.Read) {
		return nil
	}
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		return err
	}
	for _, rule := range r.Policy.Rules {
		if rule.License.Name != l.named {
			continue
		}
		if until, ends := judge.CoolsUntil(rule, p, l.Since); ends {
			l.coolUntil(until)
		}
	}
	return nil
}

// coolUntil sets the field CoolsUntil to t, unless it has an earlier time. A rule may take the license from the
// earliest of these times on.
func (l *License) coolUntil(t time.Time) {
	if !t.IsZero() && (l.CoolsUntil.IsZero() || t.Before(l.CoolsUntil)) {
		l.CoolsUntil = t
	}
}

// pastOf returns the past of a license of the run's policy, or nil if the ledger has none. If the license had other
// names in earlier policies, the ledger has entries under each name. The result is then the name with the latest event.
func (s *Story) pastOf(license string) (past *License) {
	for i := range s.Ledger {
		l := &s.Ledger[i]
		if cmp.Or(l.named, l.License) == license && (past == nil || l.Since.After(past.Since)) {
			past = l
		}
	}
	return past
}

// The method "newest" returns the newest entry that is not damaged, or nil.
func (l *License) newest() *Entry {
	for i := range slices.Backward(l.Entries) {
		if l.Entries[i].Damaged == "" {
			return &l.Entries[i]
		}
	}
	return nil
}
