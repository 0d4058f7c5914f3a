package table

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRoundTrip writes columns of every kind, with few and with many different strings, and with rows without a value.
// It reads all rows back, and then only some chosen rows.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 123456000, time.UTC)
	for _, rows := range []int{0, 1, 3, 8000} {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		number := &Column{Name: "number", Kind: Number}
		few, many, none := &Column{Name: "few"}, &Column{Name: "many"}, &Column{Name: "none"}
		when, flag, full := &Column{Name: "when", Kind: Instant}, &Column{Name: "flag", Kind: Flag}, &Column{Name: "a_full"}
		for i := range rows {
			none.AddNone()
			full.AddText("x" + fmt.Sprint(i%3))
			if r.IntN(4) == 0 {
				few.AddNone()
				many.AddNone()
				when.AddNone()
				flag.AddNone()
				number.AddNone()
				continue
			}
			number.AddNumber(int64(r.Uint64()) & -r.Int64N(2))
			few.AddText([]string{"", "Sales", "Größe\u2028"}[r.IntN(3)])
			many.AddText(fmt.Sprint("word ", i, r.Uint64()))
			when.AddInstant(noon.Add(-time.Duration(r.Int64N(1e18)) / 1000 * 1000))
			flag.AddFlag(r.IntN(2) == 0)
		}
		want := []*Column{when, few, full, many, flag, none, number}
		var file bytes.Buffer
		if err := Write(&file, "people", append([]*Column{{Name: "unread", Rows: make([]int64, rows), Words: []string{"x"}}}, want...)); err != nil {
			t.Fatal(err)
		}
		got := read(t, file.Bytes(), Names(want), nil)
		var picked []int
		for row := range rows {
			if r.IntN(3) == 0 {
				picked = append(picked, row)
			}
		}
		some := read(t, file.Bytes(), Names(want), picked)
		for i, w := range want {
			if got[i].Kind != w.Kind || len(got[i].Rows) != rows {
				t.Fatalf("seed %d: column %s has kind %d and %d rows", seed, w.Name, got[i].Kind, len(got[i].Rows))
			}
			for row := range rows {
				a, b := [2]any{w.value(row), w.Rows[row] == None}, [2]any{got[i].value(row), got[i].Rows[row] == None}
				if a != b {
					t.Fatalf("seed %d: row %d of %s is %v, want %v", seed, row, w.Name, b, a)
				}
			}
			ofMemory := got[i].Pick(picked)
			for n, row := range picked {
				for _, c := range []*Column{some[i], ofMemory} {
					if c.Kind != w.Kind || len(c.Rows) != len(picked) || c.value(n) != w.value(row) || (c.Rows[n] == None) != (w.Rows[row] == None) {
						t.Fatalf("seed %d: row %d of %s, which is picked, is %v, want %v", seed, row, w.Name, c.value(n), w.value(row))
					}
				}
			}
		}
	}
}

func read(t *testing.T, raw []byte, names []string, picked []int) []*Column {
	t.Helper()
	f, err := Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := f.Read(names)
	if picked != nil {
		columns, err = f.Pick(names, picked)
	}
	if err != nil {
		t.Fatal(err)
	}
	return columns
}

func open(raw []byte, names ...string) error {
	f, err := Open(raw)
	if err == nil {
		_, err = f.Read(names)
	}
	return err
}

// The method "value" returns the value of a row, for any kind of column.
func (c *Column) value(row int) any {
	switch c.Kind {
	case Text:
		return c.Text(row)
	case Instant:
		return c.Instant(row)
	}
	return c.Rows[row]
}

// TestInstants: an instant between two microseconds is stored as the later one.
func TestInstants(t *testing.T) {
	t.Parallel()
	c := &Column{Kind: Instant}
	second := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, ns := range []int{0, 1, 999, 1000, 999_999_900} {
		c.AddInstant(second.Add(time.Duration(ns)))
	}
	var got []time.Duration
	for row := range c.Rows {
		got = append(got, c.Instant(row).Sub(second))
	}
	want := []time.Duration{0, time.Microsecond, time.Microsecond, time.Microsecond, time.Second}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("instants (-want +got):\n%s", d)
	}
}

// TestDamage truncates a file at every length, and alters every byte of it. A truncated file is rejected. An altered
// file does not cause a panic.
func TestDamage(t *testing.T) {
	t.Parallel()
	c, d := &Column{Name: "text"}, &Column{Name: "when", Kind: Instant}
	for i := range 50 {
		c.AddText(fmt.Sprint(i % 7))
		d.AddInstant(time.Unix(int64(i), 0))
	}
	var file bytes.Buffer
	if err := Write(&file, "people", []*Column{c, d}); err != nil {
		t.Fatal(err)
	}
	if err := open(file.Bytes(), "text", "other"); !cmp.Equal(err, error(errNoColumn("other")), cmpopts.EquateErrors()) {
		t.Errorf("a column that is not there: %v", err)
	}
	for n := range file.Len() {
		if err := open(file.Bytes()[:n], "text"); err == nil {
			t.Fatalf("a file of %d bytes passes when it is cut to %d", file.Len(), n)
		}
		other := bytes.Clone(file.Bytes())
		other[n] ^= 0x55
		_ = open(other, "text", "when") // may fail, but must not panic
	}
}
