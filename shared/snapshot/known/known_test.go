package known

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

func partition() *Partition {
	return &Partition{
		Accounts: [2][]Account{
			{{Key: 1, Newest: [3]Second{5, 0, 7}, Regressed: 1, Lost: 9, Seen: 3, Enabled: Always, Joined: 11}, {Key: 1<<64 - 1, Seen: 1<<32 - 1, Regressed: 7, Contradicted: directory.Disagreed | directory.Shared}},
			{{Key: 2}},
		},
		Groups:  []string{"ad-direct:cn=citrix"},
		Members: []Member{{Key: 4, Since: Always}},
	}
}

// The function "wide" returns a table with accounts that need the columns of newer versions.
func wide() *Partition {
	p := partition()
	p.Accounts[directory.AD] = append(p.Accounts[directory.AD], Account{Key: 6, Newest: [3]Second{5}, Missed: 8}, Account{Key: 7, Forgotten: 9, Late: 10})
	return p
}

// The function "varied" returns a table with at most "words" different values in each column, apart from keys.
func varied(words int) *Partition {
	p := &Partition{Accounts: [2][]Account{{}, {}}}
	for i := range 600 {
		v := func(n int) Second { return Second(1_700_000_000 + (i*n)%words) }
		p.Accounts[i%2] = append(p.Accounts[i%2], Account{
			Key: uint64(i) << 40, Newest: [3]Second{v(1), v(2), v(3)}, Regressed: uint8(i % min(words, 8)), Lost: v(5), Seen: v(7), Enabled: v(0), Joined: v(11),
			Contradicted: directory.Contradiction(i % min(words, 4)),
		})
		p.Members = append(p.Members, Member{Key: uint64(i), Since: v(13)})
	}
	return p
}

// TestSmall: a column with few different values takes one byte per row, and a column with a single value takes none.
func TestSmall(t *testing.T) {
	t.Parallel()
	var sizes []int
	for _, words := range []int{1, 256, 257} {
		object, err := encode("k", varied(words))
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(object))
	}
	const columns = 5 // of eight columns: Regressed and Contradicted share one column, and Enabled has a single value
	if one, many := sizes[0], sizes[2]; one > 1200*keySize+1000 || many < one+4*600*columns || sizes[1] > many-600 {
		t.Errorf("tables of 1, 256 and 257 values have %v bytes", sizes)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, want := range []*Partition{partition(), wide(), {Accounts: [2][]Account{{}, {}}, Members: []Member{}}, varied(1), varied(2), varied(256), varied(257)} {
		var s store.Memory
		if err := Put(t.Context(), &s, "run", 3, want); err != nil {
			t.Fatal(err)
		}
		got, err := Get(t.Context(), &s, "run", 3)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v (-put +got):\n%s", err, d)
		}
		if _, err := Get(t.Context(), &s, "run", 4); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another partition: %v", err)
		}
	}
}

// TestOlderTable reads a table from a version that stored no contradictions. Its seal covers the key "k".
func TestOlderTable(t *testing.T) {
	t.Parallel()
	const older = "H4sIAAAJbogE/4SJwUr0MBRGv/l/B1Hf4q4rNGlycxPwScRFmptowelIWkUQ310U93I2h3M+6K32bTmvlMxAdd17pmQGyvoTHvv59WWjdE9Zb3XpteyprHdl2fvyTg8Dnepprn2jZAba8/xcN0rUvI5NhXn2MecxRGYfJ3EsUw7NiRZpJXpTfJyiSHFihK1yDd6GOVoaaHvK1jMlcoan0WdWw9WxyhRta9ZJcFW9aVnEmtFEGz23PMYw6zibUtkZaRpCps/rAwAAOB5/5RLAFYD/AA4AbgD8+x5/cQEAAA4AvgYAJnZhrDoBAAA="
	object, err := base64.StdEncoding.DecodeString(older)
	if err != nil {
		t.Fatal(err)
	}
	want := &Partition{
		Accounts: [2][]Account{{{Key: 1, Newest: [3]Second{5, 0, 7}, Regressed: 5, Lost: 9, Seen: 3, Enabled: Always, Joined: 11}}, {{Key: 2}}},
		Groups:   []string{"ad-direct:cn=citrix"},
		Members:  []Member{{Key: 4, Since: Always}},
	}
	got, err := decode("k", object)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

// TestManyInstants: a table may have columns of a newer version. This version does not read such a table, because it
// does not know what the columns mean.
func TestManyInstants(t *testing.T) {
	t.Parallel()
	for _, instants := range []int{-1, 1, leastInstants - 1, mostInstants + 1} {
		first, err := store.Encode("k", header{Version: version, Instants: instants})
		if err != nil {
			t.Fatal(err)
		}
		var object bytes.Buffer
		zip := gzip.NewWriter(&object)
		_, _ = zip.Write(append(first, '\n'))
		_ = zip.Close()
		if p, err := decode("k", object.Bytes()); err == nil || !strings.Contains(err.Error(), "first line") {
			t.Errorf("%d columns: %+v, %v", instants, p, err)
		}
	}
}

// TestSecondOfMicro: SecondOfMicro and SecondOf agree about the same instant.
func TestSecondOfMicro(t *testing.T) {
	t.Parallel()
	for _, micros := range []int64{-1 << 62, -1, 0, 1, 999_999, 1_000_000, 1_700_000_000_999_999, 1_700_000_001_000_000, (1<<32 - 1) * 1e6, 1 << 62} {
		if got, want := SecondOfMicro(micros), SecondOf(time.UnixMicro(micros)); got != want {
			t.Errorf("%d µs are second %d, want %d", micros, got, want)
		}
	}
}

// TestPrintOf: PrintOf ignores letter case and never returns zero.
func TestPrintOf(t *testing.T) {
	t.Parallel()
	if PrintOf("Jürgen@X.example") != PrintOf("jürgen@x.EXAMPLE") || PrintOf("anna") == PrintOf("anne") {
		t.Error("fingerprints do not tell names apart as they should")
	}
	for i := range 1 << 18 {
		if PrintOf(strconv.Itoa(i)) == 0 {
			t.Fatalf("the print of %d is zero", i)
		}
	}
}

// TestEveryByte alters each byte of a table in turn. A read of the table fails or returns the original content. A read
// of a table that was copied to another key fails.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	object, err := encode("k", partition())
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	zipped := func(text []byte) []byte {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		_, _ = zip.Write(text)
		_ = zip.Close()
		return b.Bytes()
	}
	if _, err := decode("k", zipped(text)); err != nil {
		t.Fatal(err)
	}
	if _, err := decode("l", zipped(text)); err == nil {
		t.Error("at another key: read all the same")
	}
	for i := range text {
		altered := bytes.Clone(text)
		altered[i] ^= 1
		p, err := decode("k", zipped(altered))
		if d := cmp.Diff(partition(), p); err == nil && d != "" { // a table without a seal is read as a table of an older version
			t.Errorf("byte %d (-put +got):\n%s", i, d)
		}
	}
}

// FuzzTable reads any objects. An object is rejected, or its content stays equal when it is written and read again.
func FuzzTable(f *testing.F) {
	for _, p := range []*Partition{partition(), wide()} {
		object, err := encode("k", p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(object)
		f.Add(object[:len(object)/2])
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := decode("k", raw)
		if err != nil {
			return
		}
		again, err := encode("k", p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := decode("k", again)
		if d := cmp.Diff(p, q); d != "" || err != nil {
			t.Errorf("%v (-read +again):\n%s", err, d)
		}
	})
}
