package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pattern is a body of any size that takes no memory.
type pattern struct{ *io.SectionReader }

type patternBytes struct{}

func (patternBytes) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		p[i] = byte((off + int64(i)) * 31 >> 3)
	}
	return len(p), nil
}

func newPattern(size int64) pattern {
	return pattern{io.NewSectionReader(patternBytes{}, 0, size)}
}

func TestLargeObject(t *testing.T) {
	const size = 20<<20 + 1
	eachStore(t, func(t *testing.T, s Store) {
		if err := s.Put(t.Context(), "large", newPattern(size)); err != nil {
			t.Fatal(err)
		}
		r, err := s.Get(t.Context(), "large")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		want, got := sha256.New(), sha256.New()
		if _, err := io.Copy(want, newPattern(size)); err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(got, r)
		wantErr(t, nil, err)
		if n != size || !bytes.Equal(want.Sum(nil), got.Sum(nil)) {
			t.Errorf("read %d bytes, not the %d written", n, size)
		}
	})
}

func TestCanceled(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		mustPut(t, s, "there", "x")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Get(ctx, "there")
		wantErr(t, context.Canceled, err, "there")
		wantErr(t, context.Canceled, s.Put(ctx, "new", body("x")), "new")
		wantErr(t, context.Canceled, s.PutIfAbsent(ctx, "new", body("x")), "new")
		_, err = collect(s.List(ctx, ""))
		wantErr(t, context.Canceled, err)
		_, err = s.Get(t.Context(), "new")
		wantErr(t, ErrNotFound, err)
	})
}

func TestCanceledWhileReading(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		if err := s.Put(t.Context(), "k", newPattern(8<<20)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		r, err := s.Get(ctx, "k")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		cancel()
		_, err = io.Copy(io.Discard, r)
		wantErr(t, context.Canceled, err)
	})
}

// tripwire is a body that calls the function "trip" at each read in its second half. An error of trip becomes the error
// of the read.
type tripwire struct {
	pattern
	trip func() error
}

func (w tripwire) Read(p []byte) (int, error) {
	at, err := w.Seek(0, io.SeekCurrent)
	if err == nil && at > w.Size()/2 {
		err = w.trip()
	}
	if err != nil {
		return 0, err
	}
	return w.pattern.Read(p[:min(len(p), 1<<10)])
}

func TestFailureWhileWriting(t *testing.T) {
	broken := errors.New("the body broke")
	eachStore(t, func(t *testing.T, s Store) {
		mustPut(t, s, "k", "old")
		failing := func() tripwire { return tripwire{newPattern(1 << 20), func() error { return broken }} }
		wantErr(t, broken, s.Put(t.Context(), "k", failing()), `k`)
		wantErr(t, broken, s.PutIfAbsent(t.Context(), "new", failing()), `new`)

		ctx, cancel := context.WithCancel(t.Context())
		canceling := tripwire{newPattern(1 << 20), func() error { cancel(); return nil }}
		wantErr(t, context.Canceled, s.Put(ctx, "k", canceling))

		wantObject(t, s, "k", "old")
		got, err := collect(s.List(t.Context(), ""))
		wantErr(t, nil, err)
		if diff := cmp.Diff([]string{"k"}, got); diff != "" {
			t.Errorf("a failed write left an object (-want +got):\n%s", diff)
		}
	})
}
