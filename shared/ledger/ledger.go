// Package ledger keeps what was ever changed. Every change has an intent,
// written before the directory is touched, and a completion, written after the
// directory was read again. Between them lie marks: leaving, before what the
// person has is taken, and back, before a change is undone. All are create-only
// objects. An intent without completion is open and blocks everybody but the run
// that wrote it.
package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrBlocked is returned when another run has an open intent for the same
// person and license.
var ErrBlocked = errors.New("another run's change is still open")

// Outcome of a completed change.
type Outcome string

// The outcomes. RolledBack and Failed mean that the person has what they had, and
// Noticed that a change was announced and nothing changed yet. GivenBack means that
// they have it because somebody wants that. The license then cools down before a rule
// may take it again.
const (
	Done       Outcome = "done"
	Noticed    Outcome = "noticed"
	RolledBack Outcome = "rolled back"
	Failed     Outcome = "failed"
	GivenBack  Outcome = "given back"
)

// stands tells whether a license stands by a change that ended so.
func (o Outcome) stands() bool { return o == Done || o == Noticed || o == GivenBack }

// Holding is how a person held the license and its successor at one moment.
type Holding struct {
	Assignments []directory.Assignment `json:"assignments,omitempty"` // of the two products
	InGroups    []string               `json:"inGroups,omitempty"`    // of the change's two groups, those the person is in
}

// Intent is what is about to be done, and why.
type Intent struct {
	Person  string `json:"person"`
	License string `json:"license"`
	// SID and UserPrincipalName are the person's at that time.
	SID               string `json:"sid,omitempty"`
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	Run               string `json:"run"`
	PlanHash          string `json:"planHash"`
	Rule              string `json:"rule"`
	To                string `json:"to,omitempty"`
	Via               string `json:"via"`
	Source            string `json:"source,omitempty"` // group to leave: object id or DN
	Target            string `json:"target,omitempty"` // group to join
	// SourceGUID and TargetGUID are the objectGUIDs of groups of Active Directory, by
	// which they are written; their DNs are for people. Empty in entries of versions
	// before that.
	SourceGUID string `json:"sourceGuid,omitempty"`
	TargetGUID string `json:"targetGuid,omitempty"`
	// InTarget: the person was a member of the target group already, so going
	// back must not take that away.
	InTarget  bool      `json:"inTarget,omitempty"`
	SKU       string    `json:"sku,omitempty"`       // skuId to free
	TargetSKU string    `json:"targetSku,omitempty"` // skuId to give
	Reason    string    `json:"reason"`
	Before    Holding   `json:"before"`
	At        time.Time `json:"at"`
	// IdleSince is the last activity that the plan rests on; nil: never.
	IdleSince     *time.Time `json:"idleSince,omitempty"`
	MonthlySaving float64    `json:"monthlySaving,omitempty"`
	// Back is the run whose change this one puts back; empty for one that takes.
	Back string `json:"back,omitempty"`
	// Note says how the way back differs from the way on which the license was taken.
	Note string `json:"note,omitempty"`
	// TakenAt is when the change that this one puts back was over.
	TakenAt time.Time `json:"takenAt,omitzero"`
	// ApprovedBy is who had the plan applied: a person at a terminal, or the
	// execution of the state machine, whose starter CloudTrail knows.
	ApprovedBy string `json:"approvedBy,omitempty"`
	// Bound: whatever is written about this intent names its hash. Intents of
	// versions before that are not bound.
	Bound bool `json:"bound,omitempty"`
}

// Completion is what came of an intent, as read from the directory.
type Completion struct {
	Outcome Outcome   `json:"outcome"`
	Note    string    `json:"note,omitempty"`
	After   Holding   `json:"after"`
	At      time.Time `json:"at"`
	// Intent is the SHA-256, in hex, of the intent that it closes.
	Intent string `json:"intent,omitempty"`
}

// Entry is one change in the ledger. Completion is nil while it is open.
type Entry struct {
	Seq int
	Sum string // SHA-256 of the intent as it is stored, in hex
	Intent
	Completion *Completion
}

// Ledger is the ledger in a store.
type Ledger struct{ store store.Store }

// In opens the ledger of a store.
func In(s store.Store) *Ledger { return &Ledger{store: s} }

// maxIntent bounds an intent in bytes: some hundred for each path of two products.
const maxIntent = 1 << 20

// What is written about an intent beside it, by the ending of its key.
const (
	doneSuffix    = ".done.json"
	leavingSuffix = ".leaving.json"
	backSuffix    = ".back.json"
)

// Key is where the intent lies in the store.
func (e *Entry) Key() string { return layout.Entry(e.Person, e.License, e.Seq) }

func (e *Entry) beside(suffix string) string { return strings.TrimSuffix(e.Key(), ".json") + suffix }

// Latest is the newest entry for a person and license, or nil when there is none.
func (l *Ledger) Latest(ctx context.Context, person, license string) (*Entry, error) {
	page, err := l.list(ctx, person, layout.License(person, license))
	if err != nil {
		return nil, err
	}
	return page.Latest(ctx, license)
}

// Standing is the newest entry that says how things stand: an open one, or one
// that was done, announced or given back. Those that were rolled back or failed left
// everything as it was. Nil when nothing ever came of any.
func (l *Ledger) Standing(ctx context.Context, person, license string) (*Entry, error) {
	page, err := l.list(ctx, person, layout.License(person, license))
	if err != nil {
		return nil, err
	}
	return page.Standing(ctx, license)
}

// All yields every person and license that has entries, by listing the whole
// ledger. An error is the last thing yielded.
func (l *Ledger) All(ctx context.Context) iter.Seq2[Subject, error] {
	return func(yield func(Subject, error) bool) {
		var last Subject
		for key, err := range l.store.List(ctx, layout.Ledger) {
			if err != nil {
				yield(Subject{}, fmt.Errorf("list the ledger: %w", err))
				return
			}
			parts := strings.Split(key, "/")
			if len(parts) != 4 {
				continue
			}
			if s := (Subject{parts[1], parts[2]}); s != last {
				if last = s; !yield(s, nil) {
					return
				}
			}
		}
	}
}

// Subject is one person's license.
type Subject struct{ Person, License string }

func (l *Ledger) read(ctx context.Context, person, license, key string) (*Entry, error) {
	raw, err := store.GetBytes(ctx, l.store, key, maxIntent)
	if errors.Is(err, store.ErrDamaged) {
		return nil, damaged(key, "is larger than any intent")
	}
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	e := &Entry{Sum: sumOf(raw)}
	if err := store.Decode(key, raw, &e.Intent); err != nil {
		return nil, damaged(key, "is no intent as it was written")
	}
	if _, err := fmt.Sscanf(strings.TrimPrefix(key, layout.License(person, license)), "%d.json", &e.Seq); err != nil || e.Person != person || e.License != license || e.Key() != key {
		return nil, damaged(key, "is about another person, license or number than its name")
	}
	if _, err := l.Completed(ctx, e); err != nil {
		return nil, err
	}
	return e, nil
}

// Begin writes an intent after the latest entry that the caller has seen (nil:
// none), or takes up the open one of the same run. It fails with ErrBlocked when
// another run is at it, or came first since the caller looked: whatever was
// decided before that is not to be carried out.
func (l *Ledger) Begin(ctx context.Context, in Intent, last *Entry) (*Entry, error) {
	in.Bound = true
	e := &Entry{Seq: 1, Intent: in}
	switch {
	case last == nil:
	case last.Completion != nil:
		e.Seq = last.Seq + 1
	case last.Run == in.Run:
		return last, nil
	default:
		return nil, Blocked(last)
	}
	raw, err := store.Encode(e.Key(), e.Intent)
	if err != nil {
		return nil, fmt.Errorf("write the intent into the ledger (nothing was changed): %w", err)
	}
	e.Sum = sumOf(raw)
	if err = l.store.PutIfAbsent(ctx, e.Key(), bytes.NewReader(raw)); err == nil {
		return e, nil
	}
	if !errors.Is(err, store.ErrExists) {
		return nil, fmt.Errorf("write the intent into the ledger (nothing was changed): %w", err)
	}
	there, err := l.read(ctx, in.Person, in.License, e.Key())
	switch {
	case err != nil:
		return nil, err
	case there.Run == in.Run: // two calls of one run began at the same moment
		return there, nil
	default:
		return nil, Blocked(there)
	}
}

// Blocked is the ErrBlocked that an open entry gives to other changes.
func Blocked(by *Entry) error {
	return fmt.Errorf("%w: run %s since %s; `idleseat apply %s` finishes it", ErrBlocked, by.Run, by.At.Format(time.RFC3339), by.Run)
}

// Complete closes an entry. The first completion stands, and is the entry's
// afterwards: another call of the run may have closed it meanwhile, in another way.
func (l *Ledger) Complete(ctx context.Context, e *Entry, c Completion) error {
	c.Intent = e.Sum
	err := store.PutJSONIfAbsent(ctx, l.store, e.beside(doneSuffix), c)
	if errors.Is(err, store.ErrExists) {
		_, err = l.Completed(ctx, e)
		return err
	}
	if err != nil {
		return fmt.Errorf("write the completion into the ledger (the change itself was made; run apply again): %w", err)
	}
	e.Completion = &c
	return nil
}

// Completed looks whether an entry was closed by now.
func (l *Ledger) Completed(ctx context.Context, e *Entry) (bool, error) {
	var c Completion
	found, err := l.get(ctx, e.beside(doneSuffix), &c)
	if err == nil && found {
		err = e.fits(doneSuffix, c.Intent)
	}
	if err != nil || !found {
		return false, err
	}
	e.Completion = &c
	return true, nil
}

// get reads an object that need not be there.
func (l *Ledger) get(ctx context.Context, key string, v any) (found bool, err error) {
	switch err := store.GetJSON(ctx, l.store, key, v); {
	case errors.Is(err, store.ErrNotFound):
		return false, nil
	case errors.Is(err, store.ErrDamaged):
		return false, damaged(key, "is not as it was written")
	case err != nil:
		return false, fmt.Errorf("read the ledger: %w", err)
	}
	return true, nil
}
