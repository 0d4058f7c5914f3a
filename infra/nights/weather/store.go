package weather

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/aws/smithy-go"

	"github.com/idleseat/idleseat/shared/store"
)

// Store passes operations to another store. The faults of the weather happen to them on the way.
type Store struct {
	w      *Weather
	behind store.Store
}

// Store returns a store that passes operations to the store "behind", with the faults of the weather.
func (w *Weather) Store(behind store.Store) *Store { return &Store{w, behind} }

var errKilled = errors.New("the process was killed")

func failed(doing, key string, err error) error {
	return fmt.Errorf("%s object %q: %w", doing, key, err)
}

// The method "pass" carries out an operation, or returns the error of a fault in its place. If the fault changes the
// result of the operation, such as a body that is cut off, the method returns the kind of fault, and the caller must
// change the result.
func (s *Store) pass(doing, key string, kinds []Kind, do func() error) (Kind, dice, error) {
	f := s.w.Process.next(false)
	if f.fails {
		return "", 0, failed(doing, key, errKilled)
	}
	var k Kind
	var d dice
	if n := s.w.tonight(storeKinds); n != nil {
		k, d = s.w.meets(n, n.operation(doing+" "+shape(key)), kinds)
	}
	switch k {
	case StoreSlow:
		s.w.sleep(time.Duration(1+d.below(60)) * time.Second)
	case StoreThrottled:
		return "", 0, failed(doing, key, &smithy.GenericAPIError{Code: "SlowDown", Message: "Please reduce your request rate."})
	case StoreFailed:
		return "", 0, failed(doing, key, syscall.ECONNRESET)
	}
	err := do()
	switch {
	case f.lost:
		return "", 0, failed(doing, key, errKilled)
	case k == StoreAnswerLost:
		return "", 0, failed(doing, key, fmt.Errorf("its answer was lost: %w", syscall.ECONNRESET))
	}
	s.w.sleep(f.late)
	return k, d, err
}

// The function "shape" returns a key without its random parts, such as the name of the run. A repeated run has other
// random parts, and must meet the same faults.
func shape(key string) string {
	parts := strings.Split(key, "/")
	if parts[0] != "runs" || len(parts) < 2 {
		return key
	}
	parts[1] = "-"
	if len(parts) > 3 { // the last part is the name of the attempt
		parts[len(parts)-1] = path.Ext(key)
	}
	return strings.Join(parts, "/")
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (body io.ReadCloser, err error) {
	k, d, err := s.pass("read", key, storeReads, func() (err error) {
		body, err = s.behind.Get(ctx, key)
		return err
	})
	switch {
	case err != nil && body != nil:
		return nil, errors.Join(err, body.Close())
	case err != nil:
		return nil, err
	case k == StoreBodyCut:
		return cutShort(body, d)
	}
	return body, nil
}

// cutShort returns a body that ends at a random position.
func cutShort(body io.ReadCloser, d dice) (io.ReadCloser, error) {
	whole, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	part := whole[:d.below(len(whole)+1)]
	return io.NopCloser(io.MultiReader(bytes.NewReader(part), brokenOff{})), nil
}

// brokenOff is the end of a body when the connection breaks before the announced length.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Put implements store.Store.
func (s *Store) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	_, _, err := s.pass("write", key, storeWrites, func() error { return s.behind.Put(ctx, key, body) })
	return err
}

// PutIfAbsent implements store.Store.
func (s *Store) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	_, _, err := s.pass("create", key, storeWrites, func() error { return s.behind.PutIfAbsent(ctx, key, body) })
	return err
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var keys iter.Seq2[string, error]
		k, d, err := s.pass("list", prefix, storeLists, func() error {
			keys = s.behind.List(ctx, prefix)
			return nil
		})
		if err != nil {
			yield("", err)
			return
		}
		left := -1
		if k == StoreListCut {
			left = pick(d, 0, 1, 5, 50, 1000)
		}
		for key, err := range keys {
			if left == 0 {
				break
			}
			if left--; !yield(key, err) || err != nil {
				return
			}
		}
		if k == StoreListCut {
			yield("", failed("list", prefix, io.ErrUnexpectedEOF))
		}
	}
}
