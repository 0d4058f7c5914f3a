package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Runs returns the names of all runs in the store, newest first, including runs without a manifest. The cost does not
// depend on the number of objects in the runs.
func Runs(ctx context.Context, s store.Store) (names []string, err error) {
	for folder, err := range store.Folders(ctx, s, layout.Runs) {
		if err != nil {
			return nil, fmt.Errorf("look for runs: %w", err)
		}
		if layout.IsRun(folder) {
			names = append(names, folder)
		}
	}
	slices.Sort(names) // the names of runs sort by time
	slices.Reverse(names)
	return names, nil
}

// Sealed reports whether a run has a manifest. It does not check the manifest.
func Sealed(ctx context.Context, s store.Store, run string) (bool, error) {
	body, err := s.Get(ctx, layout.Manifest(run))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look whether run %s has a snapshot: %w", run, err)
	}
	return true, body.Close()
}

// notYetError is an ErrUnknownRun: no run in the store has read the requested data.
type notYetError struct{}

// Error implements error.
func (notYetError) Error() string { return "no run has read this yet; `idleseat plan` makes one" }

// Is makes the error an ErrUnknownRun.
func (notYetError) Is(target error) bool { return target == ErrUnknownRun }

// Latest returns the newest sealed run that the function "fits" accepts. If it accepts none, the error is an
// ErrUnknownRun.
func Latest(ctx context.Context, s store.Store, fits func(*Begin) bool) (run string, err error) {
	names, err := Runs(ctx, s)
	if err != nil {
		return "", err
	}
	for _, run := range names {
		switch sealed, err := Sealed(ctx, s, run); {
		case err != nil:
			return "", err
		case !sealed:
			continue
		}
		b, err := GetBegin(ctx, s, run)
		if err != nil {
			return "", err
		}
		if fits(b) {
			return run, nil
		}
	}
	return "", notYetError{}
}
