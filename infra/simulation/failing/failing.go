// Package failing simulates a store that fails. Tests use it to prove that an error of the store reaches the caller, and
// that no caller takes an object that cannot be read for an object that does not exist.
package failing

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	"github.com/idleseat/idleseat/shared/store"
)

// Err is the error of a call that fails.
var Err = errors.New("the store is down")

// Store is a store of which some calls fail.
type Store struct {
	store.Store
	fails func(n int, key string) bool

	mu   sync.Mutex
	keys []string // the keys and prefixes of all calls, in order
}

// Nth returns a store whose nth call fails. The calls are counted from 1. If n is 0, no call fails.
func Nth(s store.Store, n int) *Store {
	return &Store{Store: s, fails: func(call int, _ string) bool { return call == n }}
}

// Key returns a store in which every call for one key fails.
func Key(s store.Store, key string) *Store {
	return &Store{Store: s, fails: func(_ int, of string) bool { return of == key }}
}

// Keys returns the keys and the prefixes of all calls so far, in order.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys
}

func (s *Store) failed(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, key)
	if s.fails(len(s.keys), key) {
		return Err
	}
	return nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := s.failed(key); err != nil {
		return nil, err
	}
	return s.Store.Get(ctx, key)
}

// Put implements store.Store.
func (s *Store) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := s.failed(key); err != nil {
		return err
	}
	return s.Store.Put(ctx, key, body)
}

// PutIfAbsent implements store.Store.
func (s *Store) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := s.failed(key); err != nil {
		return err
	}
	return s.Store.PutIfAbsent(ctx, key, body)
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	if err := s.failed(prefix); err != nil {
		return func(yield func(string, error) bool) { yield("", err) }
	}
	return s.Store.List(ctx, prefix)
}
