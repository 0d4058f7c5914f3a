// Package ledger keeps everything that was ever changed. Every change has an intent, written before the directory is
// changed, and a completion, written after the directory was read again. Between them lie marks: "leaving" before the
// person's license is taken, and "back" before a change is rolled back. All are create-only objects. An intent without
// a completion is open. It blocks every run but the one that wrote it.
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

// ErrBlocked is returned when another run has an open intent for the same person and license.
var ErrBlocked = errors.New("another run's change is still open")

// Outcome is how a change ended.
type Outcome string

// These are the outcomes. After RolledBack and Failed the person has what they had before. Announced means that a
// change was announced and nothing has changed yet. Restored means that the license was restored. It then cools down
// before a rule may take it again.
const (
	Done       Outcome = "done"
	Announced  Outcome = "noticed"
	RolledBack Outcome = "rolled back"
	Failed     Outcome = "failed"
	Restored   Outcome = "given back"
)

// stands reports whether the outcome says how the license stands now.
func (o Outcome) stands() bool { return o == Done || o == Announced || o == Restored }

// Holding is how a person held the license and its successor at one moment.
type Holding struct {
	Assignments []directory.Assignment `json:"assignments,omitempty"` // assignments of the two products
	InGroups    []string               `json:"inGroups,omitempty"`    // those of the change's two groups that the person is in
}

// Intent is what is about to be done, and why.
type Intent struct {
	Person  string `json:"person"`
	License string `json:"license"`
	// SID and UserPrincipalName are the person's at the time when the change began.
	SID               string `json:"sid,omitempty"`
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	Run               string `json:"run"`
	PlanHash          string `json:"planHash"`
	Rule              string `json:"rule"`
	To                string `json:"to,omitempty"`
	Via               string `json:"via"`
	Source            string `json:"source,omitempty"` // group to leave: object id or DN
	Target            string `json:"target,omitempty"` // group to join
	// SourceGUID and TargetGUID are the objectGUIDs of groups of Active Directory. Writes use them, and the DNs are for
	// people who read the entry. Entries of older versions have none.
	SourceGUID string `json:"sourceGuid,omitempty"`
	TargetGUID string `json:"targetGuid,omitempty"`
	// SourceEntra and TargetEntra are the object ids of the groups' counterparts in Entra ID, where the groups give
	// products. The license counts as taken or given when Entra ID shows it.
	SourceEntra string `json:"sourceEntra,omitempty"`
	TargetEntra string `json:"targetEntra,omitempty"`
	// InTarget is true when the person was a member of the target group before. A rollback must then not remove the
	// person.
	InTarget  bool      `json:"inTarget,omitempty"`
	SKU       string    `json:"sku,omitempty"`       // skuId to free
	TargetSKU string    `json:"targetSku,omitempty"` // skuId to give
	Reason    string    `json:"reason"`
	Before    Holding   `json:"before"`
	At        time.Time `json:"at"`
	// IdleSince is the last activity that the plan rests on. It is nil for a person who was never active.
	IdleSince     *time.Time `json:"idleSince,omitempty"`
	MonthlySaving float64    `json:"monthlySaving,omitempty"`
	// RestoreOf is the run whose change this entry restores. It is empty for an entry that takes.
	RestoreOf string `json:"back,omitempty"`
	// Note says how the restore differs from the way in which the license was taken.
	Note string `json:"note,omitempty"`
	// TakenAt is when the restored change ended.
	TakenAt time.Time `json:"takenAt,omitzero"`
	// ApprovedBy is the person at a terminal who applied the plan, or the execution of the state machine. CloudTrail
	// knows who started an execution.
	ApprovedBy string `json:"approvedBy,omitempty"`
	// Bound is true when every object about this intent has its hash. Intents of versions before the binding are not
	// bound.
	Bound bool `json:"bound,omitempty"`
}

// Completion is the outcome of an intent, as read from the directory.
type Completion struct {
	Outcome Outcome   `json:"outcome"`
	Note    string    `json:"note,omitempty"`
	After   Holding   `json:"after"`
	At      time.Time `json:"at"`
	// Intent is the SHA-256, in hex, of the intent that the completion closes.
	Intent string `json:"intent,omitempty"`
}

// Entry is one change in the ledger. Completion is nil while the change is open.
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

// maxIntent bounds an intent, in bytes. Two products with some hundred paths each fit.
const maxIntent = 1 << 20

// These are the endings of the keys of objects about an intent.
const (
	doneSuffix    = ".done.json"
	leavingSuffix = ".leaving.json"
	backSuffix    = ".back.json"
)

// Key returns the intent's key in the store.
func (e *Entry) Key() string { return layout.Entry(e.Person, e.License, e.Seq) }

func (e *Entry) beside(suffix string) string { return strings.TrimSuffix(e.Key(), ".json") + suffix }

// Latest returns the newest entry for a person and license, or nil when there is none.
func (l *Ledger) Latest(ctx context.Context, person, license string) (*Entry, error) {
	page, err := l.list(ctx, person, layout.License(person, license))
	if err != nil {
		return nil, err
	}
	return page.Latest(ctx, license)
}

// Standing returns the newest entry that says how a license stands. It is an open entry, or one that was done,
// announced or restored. An entry that was rolled back or failed changed nothing. Standing returns nil when there is no
// entry of the first kinds.
func (l *Ledger) Standing(ctx context.Context, person, license string) (*Entry, error) {
	page, err := l.list(ctx, person, layout.License(person, license))
	if err != nil {
		return nil, err
	}
	return page.Standing(ctx, license)
}

// All yields every person and license with entries. It lists the whole ledger. An error is the last thing yielded.
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

// Begin writes an intent after the latest entry that the caller has seen (nil: none). It continues the open entry of
// the same run. It fails with ErrBlocked when another run has an open entry, or wrote one since the caller looked. The
// caller must then drop what it decided.
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

// Blocked returns the ErrBlocked of a change that an open entry blocks.
func Blocked(by *Entry) error {
	return fmt.Errorf("%w: run %s since %s; `idleseat apply %s` finishes it", ErrBlocked, by.Run, by.At.Format(time.RFC3339), by.Run)
}

// Complete closes an entry. The first completion stands. Another call of the run may have closed the entry with another
// outcome. Complete then sets the entry's completion to that outcome.
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

// Completed reads from the store whether an entry is closed.
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

// get reads an object that may be missing.
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
