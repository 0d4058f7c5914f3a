// Package failing simulates a store that fails. With it, tests prove that an error of the store reaches the caller, and
// that no caller treats an unreadable object as a missing object.
package failing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	cuts  func(n int) bool

	mu    sync.Mutex
	keys  []string // the keys and prefixes of all calls, in order
	broke bool
}

// Nth returns a store whose nth call fails, counted from 1. If n is 0, no call fails.
func Nth(s store.Store, n int) *Store {
	return &Store{Store: s, fails: func(call int, _ string) bool { return call == n }}
}

// Key returns a store in which every call for one key fails.
func Key(s store.Store, key string) *Store {
	return &Store{Store: s, fails: func(_ int, of string) bool { return of == key }}
}

// Cut returns a store whose nth call, if it reads an object, returns only the first half of the object. The next read
// of the body then fails with io.ErrUnexpectedEOF, as in package net/http when the connection breaks.
func Cut(s store.Store, n int) *Store {
	return &Store{Store: s, cuts: func(call int) bool { return call == n }}
}

// Broke reports whether a caller has read up to the break that Cut makes. A caller that only asks whether the object
// exists does not read so far.
func (s *Store) Broke() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broke
}

// Keys returns the keys and the prefixes of all calls so far, in order.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys
}

func (s *Store) failed(key string) error {
	_, err := s.call(key)
	return err
}

// The method "call" counts a call. It returns Err if the call must fail. The result "cut" says that the call must
// return only half of the object.
func (s *Store) call(key string) (cut bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, key)
	if s.fails != nil && s.fails(len(s.keys), key) {
		return false, Err
	}
	return s.cuts != nil && s.cuts(len(s.keys)), nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	cut, err := s.call(key)
	if err != nil {
		return nil, err
	}
	body, err := s.Store.Get(ctx, key)
	if err != nil || !cut {
		return body, err
	}
	defer body.Close()
	whole, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), brokenOff{s})), nil
}

type brokenOff struct{ store *Store }

func (b brokenOff) Read([]byte) (int, error) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.store.broke = true
	return 0, fmt.Errorf("%w: %w", Err, io.ErrUnexpectedEOF)
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
