package snapshot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Writer spreads the people of one source over the partitions of a run. Parts
// grow in a local temporary folder, so memory does not, and reach the store
// together in Finish, one object per partition: a writer that dies leaves
// nothing there. The name of its attempt is in every key, so a late worker
// cannot touch its successor's parts.
type Writer struct {
	store      store.Store
	run        string
	attempt    string
	partitions int
	folder     string
	zip        *gzip.Writer // one for all parts: each of its own costs most of a megabyte
	line       []byte
	parts      map[int]*growing
	reading    Reading
	notAfter   time.Time
}

// growing is a part that is being written: a chain of gzip members (RFC 1952,
// section 2.2), each of about memberSize bytes of lines.
type growing struct {
	file  *os.File
	lines bytes.Buffer // not yet compressed
	sum   hash.Hash
	Part
}

const (
	memberSize = 128 << 10
	// level 7 costs 6 s of compressing at 1,000,000 people, in a step that
	// waits for Graph an hour, and inflates an eighth faster than the fastest.
	level = 7
)

// NewWriter begins the parts of one source. Dates after notAfter do not count
// as the newest activity. Call Close when done with it.
func NewWriter(s store.Store, b *Begin, src directory.Source, attempt string, notAfter time.Time) (*Writer, error) {
	folder, err := os.MkdirTemp("", "idleseat-parts-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the parts of run %s: %w", b.Run, err)
	}
	zip, err := gzip.NewWriterLevel(io.Discard, level)
	if err != nil {
		return nil, fmt.Errorf("compress the parts of run %s: %w", b.Run, err)
	}
	return &Writer{
		store: s, zip: zip, run: b.Run, attempt: attempt, partitions: b.Partitions, folder: folder,
		parts: map[int]*growing{}, reading: Reading{Source: src}, notAfter: notAfter,
	}, nil
}

// AddEntra adds one Entra account.
func (w *Writer) AddEntra(u *directory.EntraUser) error {
	if u.SID == "" && u.ImmutableID != "" && w.partitions > 1 {
		w.reading.loosen(0, u.ImmutableID)
	}
	w.SampleEntra(u)
	return addPerson(w, u.PartitionKey(), entraColumns, u)
}

// AddAD adds one Active Directory account.
func (w *Writer) AddAD(u *directory.ADUser) error {
	w.SampleAD(u)
	return addPerson(w, u.SID, adColumns, u)
}

func addPerson[T any](w *Writer, key string, columns []column[T], record *T) error {
	g, err := w.part(key)
	if err != nil {
		return err
	}
	g.People++
	w.reading.People++
	return w.add(g, encode(w.line[:0], columns, record))
}

// SampleEntra counts one account for the health of the feed. AddEntra does it; only a
// run for one person samples others besides.
func (w *Writer) SampleEntra(u *directory.EntraUser) { w.reading.SampleEntra(u, w.notAfter) }

// SampleAD counts one account, as SampleEntra does.
func (w *Writer) SampleAD(u *directory.ADUser) { w.reading.SampleAD(u, w.notAfter) }

// People is how many people were added so far.
func (w *Writer) People() int { return w.reading.People }

// AddMember adds one member of a named group: key is GroupRef.Key, id the
// Entra id or the SID of the member, partitionKey where the person lies.
func (w *Writer) AddMember(key, id, partitionKey string) error {
	g, err := w.part(partitionKey)
	if err != nil {
		return err
	}
	g.Members++
	set(&w.reading.Members, key, w.reading.Members[key]+1)
	line, err := json.Marshal(membership{Member: id, Group: key})
	if err != nil {
		return fmt.Errorf("encode a member for %s: %w", g.Key, err)
	}
	return w.add(g, append(line, '\n'))
}

// Unreadable notes that the members of a named group could not be read.
func (w *Writer) Unreadable(key string) {
	w.reading.Unreadable = append(w.reading.Unreadable, key)
}

// Hide notes that a named group has hidden members, and that they can be seen.
func (w *Writer) Hide(key string) {
	if !slices.Contains(w.reading.Hidden, key) {
		w.reading.Hidden = append(w.reading.Hidden, key)
	}
}

// Withheld notes that the members of a named group could not be read, and why.
func (w *Writer) Withheld(key string, why error) {
	w.Unreadable(key)
	set(&w.reading.Why, key, why.Error())
}

// PartialLogon notes why activity dates of the source are not known.
func (w *Writer) PartialLogon(why string) { w.reading.PartialLogon = why }

func (w *Writer) part(key string) (*growing, error) {
	n := directory.Partition(key, w.partitions)
	if g := w.parts[n]; g != nil {
		return g, nil
	}
	f, err := os.CreateTemp(w.folder, "part-")
	if err != nil {
		return nil, fmt.Errorf("make a part of run %s: %w", w.run, err)
	}
	g := &growing{file: f, sum: sha256.New()}
	g.Part = Part{Partition: n, Key: layout.Part(w.run, w.reading.Source.String(), n, w.attempt)}
	w.parts[n] = g
	return g, w.add(g, w.header())
}

// header is the first line of every part.
func (w *Writer) header() []byte {
	h := headerOf(entraColumns)
	if w.reading.Source == directory.AD {
		h = headerOf(adColumns)
	}
	line, err := json.Marshal(h)
	if err != nil {
		panic(fmt.Sprintf("column names cannot be encoded: %v", err)) // unreachable
	}
	return append(line, '\n')
}

// add appends whole lines to a part.
func (w *Writer) add(g *growing, line []byte) error {
	w.line = line // its memory serves the next one
	g.lines.Write(line)
	g.Size += len(line)
	if g.lines.Len() < memberSize {
		return nil
	}
	return w.flush(g)
}

// flush compresses the waiting lines of a part into a member of their own.
func (w *Writer) flush(g *growing) error {
	w.zip.Reset(io.MultiWriter(g.file, g.sum))
	_, err := w.zip.Write(g.lines.Bytes())
	if err = errors.Join(err, w.zip.Close()); err != nil {
		return fmt.Errorf("write to %s: %w", g.file.Name(), err)
	}
	g.lines.Reset()
	return nil
}

// Finish puts the parts into the store and tells what was read.
func (w *Writer) Finish(ctx context.Context) (Reading, error) {
	for _, n := range slices.Sorted(maps.Keys(w.parts)) {
		g := w.parts[n]
		if err := w.put(ctx, g); err != nil {
			return Reading{}, fmt.Errorf("put %s: %w", g.Key, err)
		}
		w.reading.Parts = append(w.reading.Parts, g.Part)
	}
	return w.reading, nil
}

func (w *Writer) put(ctx context.Context, g *growing) error {
	if err := w.flush(g); err != nil {
		return err
	}
	end, err := g.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := g.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	g.Bytes = int(end)
	g.SHA256 = hex.EncodeToString(g.sum.Sum(nil))
	return w.store.PutIfAbsent(ctx, g.Key, g.file)
}

// Close removes the temporary folder. Parts that were not finished are lost.
func (w *Writer) Close() error {
	var errs []error
	for _, g := range w.parts {
		errs = append(errs, g.file.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Clean(w.folder)))...)
}
