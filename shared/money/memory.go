package money

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/store"
)

// subject has the facts about one license of one person. A subject is one line of the object that Remember stores.
type subject struct {
	Person  string `json:"person"`
	SID     string `json:"sid,omitempty"` // the person's SID in the newest entry that has one
	License string `json:"license"`
	// Objects is the number of objects that the ledger had about the license. If the ledger has another number now, the
	// entries are read again.
	Objects int    `json:"objects"`
	Facts   []fact `json:"facts,omitempty"`
	// Version is subjectVersion. Older versions wrote lines without the SID and without Version. These lines are
	// ignored, and the entries are read again.
	Version int `json:"version,omitempty"`

	damaged bool // an entry is damaged; Remember does not store the subject
}

const subjectVersion = 1

// rememberTime is the maximum time for which Remember reads the ledger. A longer reading would delay the run.
const rememberTime = 3 * time.Minute

// Remember copies the facts from the entries of the ledger into one object, a memory, and returns its key for the
// manifest of the run. Later runs read this object, and from the ledger only newer entries. The key is empty if the
// ledger has no entries. If the reading takes too long, Remember stores the facts that it has read, and the next run
// reads the rest.
func Remember(ctx context.Context, s store.Store, run string, now time.Time) (key string, err error) {
	m, err := newestMemory(ctx, s, run, now)
	if err != nil {
		return "", err
	}
	defer m.close()
	for page, err := range ledger.In(s).Pages(ctx) {
		if err != nil {
			return "", err
		}
		if page != nil {
			key = layout.Freed(run, layout.Attempt()) // a repetition of the step makes another key
			break
		}
	}
	if key == "" {
		return "", nil
	}
	most := rememberTime
	if end, ends := ctx.Deadline(); ends { // a quarter of the time, so that the call can do its other work
		most = min(most, time.Until(end)/4)
	}
	soon, stop := context.WithTimeout(ctx, most)
	defer stop()
	return key, store.PutLines(ctx, s, key, func(emit func(any) error) error {
		err := eachSubject(soon, s, m, func(of *subject) error {
			if of.damaged {
				return nil
			}
			return emit(of)
		})
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return nil
		}
		return err
	})
}

// Limits of the reading: people in one batch, and licenses that are read at the same time. Batches are read one after
// the other, to keep the order of the keys.
const (
	batch       = 256
	readsAtOnce = 16
)

// eachSubject calls the function "each" for every license of every person in the ledger, in the order of the people's
// keys. It reads the entries of a license only if the memory does not have all ledger objects about the license.
func eachSubject(ctx context.Context, s store.Store, m *memory, each func(*subject) error) error {
	var people [][]*subject
	all, inner := errgroup.WithContext(ctx)
	all.SetLimit(readsAtOnce)
	flush := func() error {
		if err := all.Wait(); err != nil {
			return err
		}
		for _, list := range people {
			for _, of := range list {
				if err := each(of); err != nil {
					return err
				}
			}
		}
		people = people[:0]
		all, inner = errgroup.WithContext(ctx)
		all.SetLimit(readsAtOnce)
		return nil
	}
	for page, err := range ledger.In(s).Pages(ctx) {
		if err != nil {
			return errors.Join(err, all.Wait())
		}
		known, err := m.of(page.Person())
		if err != nil {
			return errors.Join(err, all.Wait())
		}
		list := make([]*subject, len(page.Licenses()))
		for i, license := range page.Licenses() {
			if of := known[license]; of != nil && of.Version == subjectVersion && of.Objects == page.Objects(license) {
				list[i] = of
				continue
			}
			ctx := inner
			all.Go(func() (err error) {
				list[i], err = readSubject(ctx, page, license)
				return err
			})
		}
		if people = append(people, list); len(people) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// readSubject reads the entries of one license of one person. After a damaged entry, the result has no facts, and its
// field "damaged" is set.
func readSubject(ctx context.Context, page *ledger.Page, license string) (*subject, error) {
	of := &subject{Person: page.Person(), License: license, Objects: page.Objects(license), Version: subjectVersion}
	for e, err := range page.Entries(ctx, license) {
		if errors.Is(err, ledger.ErrDamaged) {
			return &subject{Person: of.Person, License: license, damaged: true}, nil
		}
		if err != nil {
			return nil, err
		}
		of.Facts = append(of.Facts, factOf(e))
		of.SID = cmp.Or(e.SID, of.SID)
	}
	return of, nil
}

// The type "memory" is the object that an earlier run stored with Remember. Its lines have the order of the ledger, so
// both are read side by side, with only a few lines in RAM.
type memory struct {
	next func() (*subject, error, bool)
	stop func()
	// The line that was read last, if no call of the method "of" has used it yet. It is about a later person than the
	// person of the last call.
	held *subject
}

// newestMemory opens the newest complete memory of a run for everybody. If the argument "run" is not empty, only runs
// that are older than it count. If each memory is missing or damaged, the result has no lines, and the facts come from
// the ledger.
func newestMemory(ctx context.Context, s store.Store, run string, now time.Time) (*memory, error) {
	if run == "" {
		run = afterAll
	}
	names, err := history.Before(ctx, s, run, now)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		m, err := manifest(ctx, s, name)
		if errors.Is(err, store.ErrDamaged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m == nil { // the data of this run and of all older runs have expired
			break
		}
		if m.Freed == "" {
			continue
		}
		// Damage may show only at the end of the object, so the whole object is read before a line is used.
		switch err := store.GetLines(ctx, s, m.Freed, func(*subject) error { return nil }); {
		case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged):
			continue
		case err != nil:
			return nil, err
		}
		return openMemory(ctx, s, m.Freed), nil
	}
	return &memory{}, nil
}

// The text afterAll sorts after the name of every run.
const afterAll = "~"

func openMemory(ctx context.Context, s store.Store, key string) *memory {
	m := &memory{}
	errStopped := errors.New("stopped")
	m.next, m.stop = iter.Pull2(func(yield func(*subject, error) bool) {
		err := store.GetLines(ctx, s, key, func(of *subject) error {
			if !yield(of, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	})
	return m
}

func (m *memory) close() {
	if m.stop != nil {
		m.stop()
	}
}

// The method "of" returns the subjects that the memory has about a person, by license. Calls must be in the order of
// the people's keys, because the memory is read only once.
func (m *memory) of(person string) (map[string]*subject, error) {
	known := map[string]*subject{}
	for m.next != nil {
		if m.held == nil {
			of, err, more := m.next()
			if err != nil {
				return nil, err
			}
			if !more {
				m.next = nil
				return known, nil
			}
			m.held = of
		}
		switch order := strings.Compare(layout.Person(m.held.Person), layout.Person(person)); {
		case order > 0:
			return known, nil
		case order == 0:
			known[m.held.License] = m.held
		}
		m.held = nil
	}
	return known, nil
}
