package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type record struct{ Name string }

func TestLinesComeBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a", "", "line\nbreak", "ö\u2028"}
	put := func(names []string, fail error) error {
		return PutLines(ctx, s, "x/y.jsonl.gz", func(emit func(any) error) error {
			for _, n := range names {
				if err := emit(record{n}); err != nil {
					return err
				}
			}
			return fail
		})
	}
	if err := put(want, nil); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := put([]string{"other"}, broken); !errors.Is(err, broken) {
		t.Errorf("a writer that fails: %v", err)
	}
	var got []string
	err = GetLines(ctx, s, "x/y.jsonl.gz", func(r *record) error {
		got = append(got, r.Name)
		return nil
	})
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("lines: %v (-want +got):\n%s", err, d)
	}
	if err := GetLines(ctx, s, "x/y.jsonl.gz", func(*record) error { return broken }); !errors.Is(err, broken) || errors.Is(err, ErrDamaged) {
		t.Errorf("a reader that stops: %v", err)
	}
}

func TestDamagedLines(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	err = PutLines(ctx, s, "good", func(emit func(any) error) error { return errors.Join(emit(record{"a"}), emit(record{"b"})) })
	if err != nil {
		t.Fatal(err)
	}
	good, err := GetBytes(ctx, s, "good", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"no gzip":   []byte("{}\n"),
		"empty":     nil,
		"truncated": good[:len(good)-9],
		"altered":   append(bytes.Clone(good[:len(good)-6]), 1, 2, 3, 4, 5, 6),
	} {
		if err := PutBytes(ctx, s, "bad", raw); err != nil {
			t.Fatal(err)
		}
		if err := GetLines(ctx, s, "bad", func(*record) error { return nil }); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := GetLines(ctx, s, "gone", func(*record) error { return nil }); !errors.Is(err, ErrNotFound) {
		t.Errorf("no object: %v", err)
	}
}

// TestSpooled: an object larger than spoolInMemory is stored whole. No temporary file remains.
func TestSpooled(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	for _, size := range []int{0, 1, spoolInMemory, spoolInMemory + 1, 5*spoolInMemory/2 + 7} {
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(i * i >> 7)
		}
		var s Memory
		err := PutSpooled(t.Context(), &s, "k", func(w io.Writer) error {
			for rest := want; len(rest) > 0; {
				n, err := w.Write(rest[:min(len(rest), 100_003)])
				if err != nil {
					return err
				}
				rest = rest[n:]
			}
			return nil
		})
		if got := s.Objects()["k"]; err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d are stored, error %v", size, len(got), err)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("%d bytes: files are left: %v, error %v", size, left, err)
		}
	}
}

// cutStore is a store in which each read of an object breaks off after "size" bytes, with the error "err".
type cutStore struct {
	Store
	size int
	err  error
}

func (s cutStore) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	body, err := s.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	whole, err := io.ReadAll(body)
	return io.NopCloser(io.MultiReader(bytes.NewReader(whole[:s.size]), iotest.ErrReader(s.err))), err
}

// TestInterruptedLines: a read that breaks off is not damage, because a later read may succeed. Package net/http
// returns io.ErrUnexpectedEOF for a body that is shorter than its announced length.
func TestInterruptedLines(t *testing.T) {
	t.Parallel()
	s := &Memory{}
	err := PutLines(t.Context(), s, "k", func(emit func(any) error) error { return errors.Join(emit(record{"a"}), emit(record{"b"})) })
	if err != nil {
		t.Fatal(err)
	}
	for size := range s.Objects()["k"] {
		for _, broken := range []error{io.ErrUnexpectedEOF, syscall.ECONNRESET} {
			err := GetLines(t.Context(), cutStore{s, size, broken}, "k", func(*record) error { return nil })
			if !errors.Is(err, broken) || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `"k"`) {
				t.Errorf("after %d bytes: %v", size, err)
			}
		}
	}
}
