package memory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/store"
)

func TestStore(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), new(Store)
	if _, err := s.Get(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	for _, key := range []string{"b/c", "a", "b/a"} {
		if err := s.PutIfAbsent(ctx, key, strings.NewReader("first "+key)); err != nil {
			t.Fatal(err)
		}
	}
	before := s.Objects()
	if err := s.PutIfAbsent(ctx, "a", strings.NewReader("second")); !errors.Is(err, store.ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	if err := store.PutBytes(ctx, s, "a", []byte("over")); err != nil {
		t.Fatal(err)
	}
	if b, err := store.GetBytes(ctx, s, "a", 10); string(b) != "over" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	s.Become(before)
	if b, err := store.GetBytes(ctx, s, "a", 10); string(b) != "first a" || err != nil {
		t.Errorf("taken back: %q, %v", b, err)
	}
	list := func(prefix string) (keys []string) {
		for key, err := range s.List(ctx, prefix) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key)
		}
		return keys
	}
	if d := cmp.Diff([]string{"a", "b/a", "b/c"}, list("")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"b/a", "b/c"}, list("b/")); d != "" {
		t.Error(d)
	}
	ended, end := context.WithCancel(ctx)
	end()
	for _, err := range s.List(ended, "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ended: %v", err)
		}
	}
	for _, err := range []error{s.Put(ctx, "../a", strings.NewReader("")), s.Put(ended, "c", strings.NewReader(""))} {
		if err == nil {
			t.Error("stored all the same")
		}
	}
}

func TestOneWinner(t *testing.T) {
	t.Parallel()
	var s Store
	won := make([]bool, 50)
	var all sync.WaitGroup
	for i := range won {
		all.Go(func() { won[i] = s.PutIfAbsent(t.Context(), "k", strings.NewReader("x")) == nil })
	}
	all.Wait()
	if n := len(slices.DeleteFunc(won, func(w bool) bool { return !w })); n != 1 {
		t.Errorf("%d won", n)
	}
}
