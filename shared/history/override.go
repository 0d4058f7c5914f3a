package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// Override is history/overrides/<run>.json. It records that an operator set the limits aside for the plan with the hash
// PlanHash. In later runs, the override accepts the people whom the rules of this plan matched, and nobody else.
type Override struct {
	Run      string    `json:"run"`
	PlanHash string    `json:"planHash"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// OverrideLasts is how long the people of an overridden plan stay accepted.
const OverrideLasts = 30 * 24 * time.Hour

// Holds reports whether the override is in force at the given time.
func (o *Override) Holds(at time.Time) bool {
	return !at.Before(o.At) && at.Sub(o.At) <= OverrideLasts
}

// PutOverride stores an override. The first override of a run stays.
func PutOverride(ctx context.Context, s store.Store, o *Override) error {
	err := store.PutJSONIfAbsent(ctx, s, layout.Noted(layout.Overrides, o.Run), o)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("note that the limits of run %s are set aside: %w", o.Run, err)
	}
	return nil
}

// OverrideOf returns the hash of the plan if an operator set its limits aside, or "". A damaged override has no effect.
// Package apply stores an override before the first change, so it is found even if the process died later.
func OverrideOf(ctx context.Context, s store.Store, p *plan.Plan) (hash string, err error) {
	o, err := overrideOf(ctx, s, p.Run)
	switch {
	case errors.Is(err, store.ErrDamaged):
		return "", nil
	case err != nil, o == nil, o.PlanHash != p.PlanHash:
		return "", err
	}
	return o.PlanHash, nil
}

// overrideOf returns the override of a run, or nil.
func overrideOf(ctx context.Context, s store.Store, run string) (*Override, error) {
	o := &Override{}
	err := store.GetJSON(ctx, s, layout.Noted(layout.Overrides, run), o)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look whether the limits of run %s were set aside: %w", run, err)
	}
	return o, nil
}

// Overrides returns the overrides that operators made between two times, in the order of their runs. It skips damaged
// objects.
func Overrides(ctx context.Context, s store.Store, from, to time.Time) (all []Override, err error) {
	names, err := runs(ctx, s, layout.Overrides)
	if err != nil {
		return nil, err
	}
	for _, run := range names {
		if tooOld(run, from) {
			continue
		}
		var o Override
		err := store.GetJSON(ctx, s, layout.Noted(layout.Overrides, run), &o)
		if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) {
			continue // an override that is damaged, or has the key of another run, accepts nobody
		}
		if err != nil {
			return nil, fmt.Errorf("read an override: %w", err)
		}
		if o.Run == run && !o.At.Before(from) && !o.At.After(to) {
			all = append(all, o)
		}
	}
	return all, nil
}
