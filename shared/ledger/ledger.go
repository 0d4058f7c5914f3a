// Package ledger records every change. A run writes an intent before it changes the directory, and a completion after
// it has read the directory again. Between the two, it may write marks: "leaving" before it takes the license, "back"
// before it rolls the change back, "sending" before it sends the mail that announces a change, and one mark for each
// fact that a later call must know. Intents, completions and marks are objects that are created once and never changed.
// A change without a completion is open, and until it is closed, no other run can change the same license of the same
// person.
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

// ErrBlocked is returned when another run has an open change of the same license of the same person, or has begun one
// since the caller read the ledger.
var ErrBlocked = errors.New("another run's change is still open")

// Outcome is the way in which a change ended.
type Outcome string

// The outcomes. After RolledBack and Failed, the person has the same licenses as before the change. Announced means
// that a change was announced and is not made yet. Unsure means that nobody knows whether the mail with the
// announcement was sent. Restored means that somebody restored the license, or asked for a restore, while the change
// was open. The change was then rolled back, and for some time no rule takes the license again.
const (
	Done       Outcome = "done"
	Announced  Outcome = "noticed"
	Unsure     Outcome = "perhaps noticed"
	RolledBack Outcome = "rolled back"
	Failed     Outcome = "failed"
	Restored   Outcome = "given back"
)

// The method "stands" reports whether an entry with this outcome describes the present state of the license. After
// RolledBack and Failed, an earlier entry describes it.
func (o Outcome) stands() bool {
	return o == Done || o == Announced || o == Unsure || o == Restored
}

// Holding is how a person held two licenses at one moment: the license that a change takes, and the license that the
// person gets in exchange.
type Holding struct {
	Assignments []directory.Assignment `json:"assignments,omitempty"` // assignments of the two products
	InGroups    []string               `json:"inGroups,omitempty"`    // the groups Source and Target, if the person belongs to them
}

// Intent describes a change before it is made, with the reason.
type Intent struct {
	Person  string `json:"person"`
	License string `json:"license"`
	// SID and UserPrincipalName are the values of the person's account when the change began.
	SID               string `json:"sid,omitempty"`
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	Run               string `json:"run"`
	PlanHash          string `json:"planHash"`
	Rule              string `json:"rule"`
	To                string `json:"to,omitempty"`
	Via               string `json:"via"`
	Source            string `json:"source,omitempty"` // group to leave: object id or DN; empty for a direct assignment
	Target            string `json:"target,omitempty"` // group to join; empty if there is none
	// SourceGUID and TargetGUID are the objectGUIDs of the Active Directory groups Source and Target. Writes use them.
	// The DNs are for people who read the entry. Both fields are empty in entries of older versions.
	SourceGUID string `json:"sourceGuid,omitempty"`
	TargetGUID string `json:"targetGuid,omitempty"`
	// SourceEntra and TargetEntra are the object ids of the Entra groups that are synced from Source and Target, if those
	// Entra groups assign products. The change is then done only when Entra ID shows it, too.
	SourceEntra string `json:"sourceEntra,omitempty"`
	TargetEntra string `json:"targetEntra,omitempty"`
	// InTarget is set if the person was in the group Target before the change. A rollback then leaves the person in
	// this group.
	InTarget  bool      `json:"inTarget,omitempty"`
	SKU       string    `json:"sku,omitempty"`       // skuId to free
	TargetSKU string    `json:"targetSku,omitempty"` // skuId to give
	Reason    string    `json:"reason"`
	Before    Holding   `json:"before"`
	At        time.Time `json:"at"`
	// IdleSince is the last activity of the person according to the plan. It is nil for a person who was never active,
	// or whose last activity is unknown.
	IdleSince     *time.Time `json:"idleSince,omitempty"`
	MonthlySaving float64    `json:"monthlySaving,omitempty"`
	// SavesNothing is the reason why the change frees no paid seat. It is empty if the change frees a seat.
	SavesNothing string `json:"savesNothing,omitempty"`
	// Payer is the payer of the license when the change was planned. It is nil for a restore, and in entries of older
	// versions.
	Payer *directory.Payer `json:"payer,omitempty"`
	// HeldSince is when idleseat restored the license, or when a run first saw that somebody else had restored it. It
	// is zero if no run took the license before.
	HeldSince time.Time `json:"heldSince,omitzero"`
	// The field Notice is set in an announcement. It is the number of days from the announcement to the change. ByMail is
	// set if the announcement is a mail to the person. Entries of older versions lack both.
	Notice int  `json:"notice,omitempty"`
	ByMail bool `json:"byMail,omitempty"`
	// RestoreOf is the run that took the license which this entry restores. It is empty in every other entry.
	RestoreOf string `json:"back,omitempty"`
	// Note is a sentence if a restore gives the license in another way than it was taken, for example through another
	// group. Otherwise it is empty.
	Note string `json:"note,omitempty"`
	// TakenAt is set in a restore. It is the time at which the change that took the license ended.
	TakenAt time.Time `json:"takenAt,omitzero"`
	// ApprovedBy is the operator who applied the plan at a terminal, or the execution of the state machine that
	// applied it. CloudTrail records the person who started an execution.
	ApprovedBy string `json:"approvedBy,omitempty"`
	// Bound is set if every completion and mark of this intent must have the hash of this intent. It is not set in
	// intents of older versions.
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
	Sum string // SHA-256, in hex, of the intent as stored
	Intent
	Completion *Completion
}

// Ledger is the ledger in a store.
type Ledger struct{ store store.Store }

// In returns the ledger in a store.
func In(s store.Store) *Ledger { return &Ledger{store: s} }

// maxIntent is the maximum size of an intent, in bytes. This is enough for several hundred assignments of each of the
// two products in Intent.Before.
const maxIntent = 1 << 20

// Key returns the key of the intent in the store.
func (e *Entry) Key() string { return layout.Entry(e.Person, e.License, e.Seq) }

func (e *Entry) beside(about string) string { return layout.Beside(e.Person, e.License, e.Seq, about) }

// Latest returns the newest entry for a person and license, or nil if there is none.
func (l *Ledger) Latest(ctx context.Context, person, license string) (*Entry, error) {
	page, err := l.list(ctx, person, layout.License(person, license))
	if err != nil {
		return nil, err
	}
	return page.Latest(ctx, license)
}

// Standing returns the entry that describes the present state of a license: the newest entry that is open or has the
// outcome Done, Announced, Unsure or Restored. It skips RolledBack and Failed, because the person then has the same
// licenses as before. It returns nil if no entry is left.
func (l *Ledger) Standing(ctx context.Context, person, license string) (*Entry, error) {
	page, err := l.list(ctx, person, layout.License(person, license))
	if err != nil {
		return nil, err
	}
	return page.Standing(ctx, license)
}

// All yields every person and license with entries. It lists the whole ledger, and stops after yielding an error.
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

// Pages yields one Page for each person in the ledger, in the order of the keys. It lists the whole ledger once, and
// stops after yielding an error.
func (l *Ledger) Pages(ctx context.Context) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		var page *Page
		for key, err := range l.store.List(ctx, layout.Ledger) {
			if err != nil {
				yield(nil, fmt.Errorf("list the ledger: %w", err))
				return
			}
			parts := strings.Split(key, "/")
			if len(parts) != 4 {
				continue
			}
			if page == nil || page.person != parts[1] {
				if page != nil && !yield(page, nil) {
					return
				}
				page = l.empty(parts[1])
			}
			page.add(key, parts[2], parts[3])
		}
		if page != nil {
			yield(page, nil)
		}
	}
}

// Subject is one license of one person.
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
	if e.Seq, _, _ = layout.SeqIn(strings.TrimPrefix(key, layout.License(person, license))); e.Person != person || e.License != license || e.Key() != key {
		return nil, damaged(key, "is about another person, license or number than its name")
	}
	if _, err := l.Completed(ctx, e); err != nil {
		return nil, err
	}
	return e, nil
}

// Begin writes an intent with the next number. The parameter "last" is the latest entry that the caller has seen, or
// nil. If this entry is open and of the same run, Begin returns it. Begin fails with ErrBlocked if another run has an
// open entry, or has written an entry that the caller has not seen. The caller must then discard its decision.
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

// Blocked returns an ErrBlocked that names the open entry which blocks a change.
func Blocked(by *Entry) error {
	return fmt.Errorf("%w: run %s since %s; `idleseat apply %s` finishes it", ErrBlocked, by.Run, by.At.Format(time.RFC3339), by.Run)
}

// Complete closes an entry. If another call of the run has already closed it, Complete keeps the first completion and
// sets e.Completion to it.
func (l *Ledger) Complete(ctx context.Context, e *Entry, c Completion) error {
	c.Intent = e.Sum
	err := store.PutJSONIfAbsent(ctx, l.store, e.beside(layout.Done), c)
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

// Completed reads from the store whether an entry is closed. If it is, Completed sets e.Completion.
func (l *Ledger) Completed(ctx context.Context, e *Entry) (bool, error) {
	var c Completion
	found, err := l.get(ctx, e.beside(layout.Done), &c)
	if err == nil && found {
		err = e.fits(layout.Done, c.Intent)
	}
	if err != nil || !found {
		return false, err
	}
	e.Completion = &c
	return true, nil
}

// The method "get" reads an object. The result "found" is false if the object does not exist.
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
