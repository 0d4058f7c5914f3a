package history

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
)

const lookupsAtOnce = 16

// The method "look" completes the licenses that the method "mark" has added to the digest without a state. It reads
// their states from the ledger. If the ledger has no state of a license, the method removes the license from the
// digest.
func (st *Digest) look(ctx context.Context, book *ledger.Ledger) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(lookupsAtOnce)
	var mu sync.Mutex
	found := map[Touch]*Item{}
	for t, i := range st.items {
		if i != nil {
			continue
		}
		all.Go(func() error {
			e, err := book.Standing(ctx, t.User, t.License)
			item := ItemOf(e)
			if errors.Is(err, ledger.ErrDamaged) { // only the ledger of this person is damaged
				item, err = &Item{User: t.User, License: t.License, State: Unreadable, Why: err.Error()}, nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			found[t] = item
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	for t, i := range found {
		i = i.With(st.restored[t])
		if st.items[t] = i; i == nil {
			delete(st.items, t)
		}
	}
	return nil
}

// Begun returns an item for a ledger entry. The item has the state Open, as if the run were still making the change,
// whatever the outcome of the entry is.
func Begun(e *ledger.Entry) *Item {
	return &Item{
		User: e.Person, SID: e.SID, License: e.License, Run: e.Run, Rule: e.Rule, To: e.To, Via: plan.Via(e.Via), Began: e.At, At: e.At, IdleSince: e.IdleSince, State: Open,
		ID: LicenseID{e.SKU, e.Source, e.SourceGUID}, ToID: LicenseID{e.TargetSKU, e.Target, e.TargetGUID},
	}
}

// ItemOf returns the item of an entry that describes the present state of a license (ledger.Ledger.Standing). It
// returns nil if e is nil, or if the outcome of e leaves the license as it was.
func ItemOf(e *ledger.Entry) *Item {
	if e == nil {
		return nil
	}
	i := Begun(e)
	if e.Completion == nil {
		i.UserPrincipalName = e.UserPrincipalName
		return i
	}
	i.At = e.Completion.At
	switch {
	case e.Completion.Outcome == ledger.Announced, e.Completion.Outcome == ledger.Unsure:
		i.State, i.HeldSince, i.ByMail = Announced, e.HeldSince, e.ByMail
		if e.Completion.Outcome == ledger.Unsure {
			i.State = Unsure
		}
		if e.Notice > 0 {
			i.Due = i.At.Add(time.Duration(e.Notice) * 24 * time.Hour)
		}
	case e.Completion.Outcome == ledger.Restored:
		i.State, i.TakenBy, i.TakenAt = Restored, e.Run, e.At
	case e.Completion.Outcome != ledger.Done:
		return nil
	case e.Rule == plan.RestoreRule:
		i.State, i.TakenBy, i.TakenAt = Restored, e.RestoreOf, e.TakenAt
	default:
		i.State = Taken
	}
	return i
}
