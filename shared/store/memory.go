package store

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
)

// Memory is a store in the memory of the process, for simulations and tests. It can return to an earlier content. The
// zero value is an empty store.
type Memory struct {
	mu      sync.RWMutex
	objects map[string][]byte
}

// Objects returns the objects by key. Later writes do not change the returned bytes.
func (m *Memory) Objects() map[string][]byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.objects)
}

// Become replaces the content of the store with the given objects.
func (m *Memory) Become(objects map[string][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects = maps.Clone(objects)
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	err := ready(ctx, key)
	m.mu.RLock()
	object, found := m.objects[key]
	m.mu.RUnlock()
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return nil, m.fail("read", key, err)
	}
	return io.NopCloser(contextReader{ctx, bytes.NewReader(object)}), nil
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	return m.put(ctx, key, body, false)
}

// PutIfAbsent implements Store.
func (m *Memory) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	return m.put(ctx, key, body, true)
}

func (m *Memory) put(ctx context.Context, key string, body io.ReadSeeker, absent bool) error {
	if err := ready(ctx, key); err != nil {
		return m.fail("write", key, err)
	}
	object, err := io.ReadAll(contextReader{ctx, body})
	if err != nil {
		return m.fail("write", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.objects[key]; taken && absent {
		return m.fail("write", key, ErrExists)
	}
	if m.objects == nil {
		m.objects = map[string][]byte{}
	}
	m.objects[key] = object
	return nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield("", m.fail("list", prefix, err))
			return
		}
		var keys []string
		m.mu.RLock()
		for key := range m.objects {
			if strings.HasPrefix(key, prefix) {
				keys = append(keys, key)
			}
		}
		m.mu.RUnlock()
		slices.Sort(keys)
		for _, key := range keys {
			if err := ctx.Err(); err != nil {
				yield("", m.fail("list", prefix, err))
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

func (m *Memory) fail(doing, key string, err error) error {
	return fmt.Errorf("%s object %q in memory: %w", doing, key, err)
}
