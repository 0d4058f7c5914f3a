// Package memory is a store without a disk, for simulations and tests that run
// thousands of times. It can be taken back to what it held before.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/idleseat/idleseat/shared/store"
)

// Store is a store.Store in memory. The zero value is empty and ready. What it holds is
// never altered in place.
type Store struct {
	mu      sync.Mutex
	objects map[string][]byte
}

// Objects are what the store holds, by key.
func (m *Store) Objects() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.objects)
}

// Become makes the store hold these objects and nothing else.
func (m *Store) Become(objects map[string][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects = maps.Clone(objects)
}

// Get implements store.Store.
func (m *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := ready(ctx, key); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b, some := m.objects[key]
	if !some {
		return nil, fmt.Errorf("%w %q", store.ErrNotFound, key)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Put implements store.Store.
func (m *Store) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	return m.put(ctx, key, body, false)
}

// PutIfAbsent implements store.Store.
func (m *Store) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	return m.put(ctx, key, body, true)
}

func (m *Store) put(ctx context.Context, key string, body io.Reader, absent bool) error {
	if err := ready(ctx, key); err != nil {
		return err
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read the body of object %q: %w", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, some := m.objects[key]; some && absent {
		return fmt.Errorf("%w: %q", store.ErrExists, key)
	}
	if m.objects == nil {
		m.objects = map[string][]byte{}
	}
	m.objects[key] = b
	return nil
}

// List implements store.Store. It yields the keys of the moment at which it begins.
func (m *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(m.Objects())) {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if strings.HasPrefix(key, prefix) && !yield(key, nil) {
				return
			}
		}
	}
}

func ready(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return store.CheckKey(key)
}
