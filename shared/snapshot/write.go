package snapshot

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
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

// Writer distributes the people of one source over the partitions of a run. It collects rows in a temporary folder, so
// that memory does not grow. Finish turns them into tables, one partition at a time, so a process that dies earlier
// leaves nothing in the store. The name of the attempt is part of every key, so a late process cannot overwrite the
// parts of a newer attempt.
type Writer struct {
	store      store.Store
	run        string
	attempt    string
	partitions int
	folder     string
	zip        *gzip.Writer // shared by all parts, because one gzip.Writer takes almost a megabyte
	parts      map[int]*growing
	reading    Reading
	notAfter   time.Time
}

// The type "growing" is a part that is being written to disk, as a sequence of gzip members (RFC 1952, section 2.2) of
// about memberSize bytes of gob.
type growing struct {
	file *os.File
	rows bytes.Buffer // not compressed yet
	gob  *gob.Encoder // writes to the field "rows"
	Part
}

// memberSize is the number of bytes that a part collects before it compresses them. A run over 1,000,000 people has 125
// parts per source, so the rows that wait for compression take less than 20 MB of memory.
const memberSize = 32 << 10

// NewWriter returns a Writer for one source. Dates after notAfter do not count as the newest activity. The caller must
// call Close.
func NewWriter(s store.Store, b *Begin, src directory.Source, attempt string, notAfter time.Time) (*Writer, error) {
	folder, err := os.MkdirTemp("", "idleseat-parts-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the parts of run %s: %w", b.Run, err)
	}
	zip, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
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
	return w.addPerson(u.PartitionKey(), row{Entra: u})
}

// AddAD adds one Active Directory account.
func (w *Writer) AddAD(u *directory.ADUser) error {
	w.SampleAD(u)
	return w.addPerson(u.SID, row{AD: u})
}

func (w *Writer) addPerson(key string, r row) error {
	g, err := w.part(key)
	if err != nil {
		return err
	}
	g.People++
	w.reading.People++
	return w.add(g, &r)
}

// SampleEntra counts an account in directory.Freshness, from which a run judges whether the source is complete.
// AddEntra does so for every account that it adds. A run for one person also counts accounts that it does not add.
func (w *Writer) SampleEntra(u *directory.EntraUser) { w.reading.SampleEntra(u, w.notAfter) }

// SampleAD counts an Active Directory account like SampleEntra.
func (w *Writer) SampleAD(u *directory.ADUser) { w.reading.SampleAD(u, w.notAfter) }

// People returns the number of people added so far.
func (w *Writer) People() int { return w.reading.People }

// AddMember adds a member of the group whose GroupRef.Key is "key". The parameter "id" is the Entra id or the SID of
// the member, and "partitionKey" determines the partition.
func (w *Writer) AddMember(key, id, partitionKey string) error {
	g, err := w.part(partitionKey)
	if err != nil {
		return err
	}
	g.Members++
	set(&w.reading.Members, key, w.reading.Members[key]+1)
	return w.add(g, &row{Member: id, Group: key})
}

// Unreadable records that the members of the group with this key could not be read.
func (w *Writer) Unreadable(key string) {
	w.reading.Unreadable = append(w.reading.Unreadable, key)
}

// Hide records that the group with this key hides its members, but not from this run.
func (w *Writer) Hide(key string) {
	if !slices.Contains(w.reading.Hidden, key) {
		w.reading.Hidden = append(w.reading.Hidden, key)
	}
}

// Withheld records that the members of the group with this key could not be read, and why.
func (w *Writer) Withheld(key string, why error) {
	w.Unreadable(key)
	set(&w.reading.Why, key, why.Error())
}

// PartialLogon records why the activity dates of the source are unknown.
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
	g := &growing{file: f}
	g.gob = gob.NewEncoder(&g.rows)
	g.Part = Part{Partition: n, Key: layout.Part(w.run, w.reading.Source.String(), n, w.attempt)}
	w.parts[n] = g
	return g, nil
}

func (w *Writer) add(g *growing, r *row) error {
	if err := g.gob.Encode(r); err != nil {
		return fmt.Errorf("encode a row for %s: %w", g.Key, err)
	}
	if g.rows.Len() < memberSize {
		return nil
	}
	return w.flush(g)
}

func (w *Writer) flush(g *growing) error {
	w.zip.Reset(g.file)
	_, err := w.zip.Write(g.rows.Bytes())
	if err = errors.Join(err, w.zip.Close()); err != nil {
		return fmt.Errorf("write to %s: %w", g.file.Name(), err)
	}
	g.rows.Reset()
	return nil
}

// Finish puts the parts into the store and returns what was read.
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
	g.rows, g.gob = bytes.Buffer{}, nil // free the memory for the table
	if _, err := g.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	zip, err := gzip.NewReader(g.file)
	if err != nil {
		return err
	}
	rows := gob.NewDecoder(zip)
	object, err := encodePart(w.reading.Source, func(r *row) error { return rows.Decode(r) })
	if err = errors.Join(err, zip.Close()); err != nil {
		return err
	}
	g.Bytes, g.SHA256 = len(object), hexSum(object)
	return w.store.PutIfAbsent(ctx, g.Key, bytes.NewReader(object))
}

// Close removes the temporary folder. Without Finish, everything that was added is lost.
func (w *Writer) Close() error {
	var errs []error
	for _, g := range w.parts {
		errs = append(errs, g.file.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Clean(w.folder)))...)
}
