package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// ErrReadOnly is the error of a write through a read-only view.
var ErrReadOnly = errors.New("this view of the store only reads")

// ReadOnly returns a read-only view of the store s. A write fails with ErrReadOnly and does not reach s.
func ReadOnly(s Store) Store { return readOnly{s} }

// OpenReadOnly opens a read-only view of the store at a location, as Open takes it. It changes nothing in the store.
// The error is ErrNotFound if the location is a folder that does not exist.
func OpenReadOnly(ctx context.Context, location string) (Store, error) {
	if strings.Contains(location, "://") || location == "" {
		s, err := Open(ctx, location)
		if err != nil {
			return nil, err
		}
		return ReadOnly(s), nil
	}
	f, err := viewFolder(location)
	if err != nil {
		return nil, fmt.Errorf("open store %q: %w", location, err)
	}
	return ReadOnly(f), nil
}

// readOnly has no exported field and no embedded store, so a caller cannot reach the writable store by a type
// assertion.
type readOnly struct{ behind Store }

func (r readOnly) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	return r.behind.Get(ctx, key)
}

func (r readOnly) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return r.behind.List(ctx, prefix)
}

// Folders lists the folders of the store behind the view, for the function Folders.
func (r readOnly) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return Folders(ctx, r.behind, prefix)
}

func (r readOnly) Put(_ context.Context, key string, _ io.ReadSeeker) error { return refuse(key) }

func (r readOnly) PutIfAbsent(_ context.Context, key string, _ io.ReadSeeker) error {
	return refuse(key)
}

func refuse(key string) error { return fmt.Errorf("write object %q: %w", key, ErrReadOnly) }
