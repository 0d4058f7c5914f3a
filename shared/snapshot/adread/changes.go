package adread

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The keys of a delta reading have ofChanges after the name of the attempt. If the delta reading fails, a full reading
// follows in the same attempt, and its keys must differ.
const ofChanges = "-changes"

// The method "changes" makes this run's reading from an earlier reading and from the changes in the directory since
// then. If it fails, the caller must read everybody.
func (c *Reader) changes(ctx context.Context, before *snapshot.Reading) (reading snapshot.Reading, err error) {
	if before.Watermark == nil {
		return reading, errors.New("the earlier reading has no mark from which to go on")
	}
	folder, err := os.MkdirTemp("", "idleseat-changes-")
	if err != nil {
		return reading, fmt.Errorf("make a folder for changes: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(filepath.Clean(folder))) }()
	now := &since{before: manifestOf(before), partitions: c.Run.Partitions, old: c.Store}
	if now.store, err = store.Open(ctx, folder); err != nil {
		return reading, fmt.Errorf("open a folder for changes: %w", err)
	}
	mark, err := c.listChanges(ctx, now, *before.Watermark)
	if err != nil {
		return reading, err
	}
	reading, err = c.write(ctx, c.Attempt+ofChanges, func(w *snapshot.Writer) error {
		if err := now.each(ctx, func(u *directory.ADUser) error { return c.add(w, u) }); err != nil {
			return err
		}
		return c.members(ctx, w)
	})
	reading.Watermark, reading.Full, reading.Changed = &mark, before.Full, now.changed.Readings[directory.AD].People
	return reading, err
}

// The type "since" is the input of a delta reading. The store "old" has the accounts of an earlier run ("before"). The
// store "store" is a folder on local disk. It has the people who exist now ("present"), and the accounts that have
// changed ("changed"). All three have the same partitions.
type since struct {
	before, present, changed *snapshot.Manifest
	old, store               store.Store
	partitions               int
}

func manifestOf(r *snapshot.Reading) *snapshot.Manifest {
	return &snapshot.Manifest{Readings: [2]snapshot.Reading{directory.Entra: {}, directory.AD: *r}}
}

// listChanges asks the directory who exists now and who changed, and stores the answers on local disk. The result
// "now" is the new watermark.
func (c *Reader) listChanges(ctx context.Context, s *since, mark directory.Watermark) (now directory.Watermark, err error) {
	present, err := snapshot.NewWriter(s.store, c.Run, directory.AD, "present", c.Run.AsOf)
	if err != nil {
		return now, err
	}
	defer func() { err = errors.Join(err, present.Close()) }()
	changed, err := snapshot.NewWriter(s.store, c.Run, directory.AD, "changed", c.Run.AsOf)
	if err != nil {
		return now, err
	}
	defer func() { err = errors.Join(err, changed.Close()) }()
	now, err = c.AD.ListChanges(ctx, mark, c.Rests,
		func(sid, dn string) error { return present.AddAD(&directory.ADUser{SID: sid, DN: dn}) },
		func(u directory.ADUser) error { return changed.AddAD(&u) })
	if err != nil {
		return now, fmt.Errorf("read changes: %w", err)
	}
	var errs [2]error
	var read [2]snapshot.Reading
	read[0], errs[0] = present.Finish(ctx)
	read[1], errs[1] = changed.Finish(ctx)
	s.present, s.changed = manifestOf(&read[0]), manifestOf(&read[1])
	return now, errors.Join(errs[:]...)
}

// The method "each" calls the function "each" for everybody whom a full reading would return. It keeps one partition
// at a time in memory.
func (s *since) each(ctx context.Context, each func(*directory.ADUser) error) error {
	var before, present, changed directory.Accounts
	for n := range s.partitions {
		err := errors.Join(s.before.Read(ctx, s.old, n, &before),
			s.present.Read(ctx, s.store, n, &present), s.changed.Read(ctx, s.store, n, &changed))
		if err != nil {
			return err
		}
		people, err := merge(before.AD, present.AD, changed.AD)
		if err != nil {
			return err
		}
		for i := range people {
			if err := each(&people[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// The function "merge" returns the people who exist now: those in "present", and those in "changed" who were created
// after "present" was read. The values of a person come from "changed", or else from "before". It fails with
// directory.ErrNoWatermark if only a full reading gives the right values. It overwrites "present".
func merge(before, present, changed []directory.ADUser) ([]directory.ADUser, error) {
	old, now := bySID(before), bySID(changed)
	for i, here := range present {
		was, known := old[here.SID]
		is, has := now[here.SID]
		switch {
		case !known && !has:
			return nil, fmt.Errorf("%w: somebody is new without having changed", directory.ErrNoWatermark)
		case known && has && is.LastLogonTimestamp.IsZero() && !is.DatesInDoubt && !was.LastLogonTimestamp.IsZero():
			// The directory never removes a date. The account of idleseat has probably lost the right to read the
			// attribute, also of other people, so everybody must be read.
			return nil, fmt.Errorf("%w: somebody's lastLogonTimestamp is gone", directory.ErrNoWatermark)
		case !has && len(was.Unreadable) > 0:
			// The earlier reading lacks some attributes of this person, because the account of idleseat had no right to
			// read them. It may have the right now. The directory does not list a person as changed when only a right
			// changes, so everybody must be read.
			return nil, fmt.Errorf("%w: of somebody unchanged not everything could be read before", directory.ErrNoWatermark)
		case has:
			present[i] = *is
		default:
			present[i] = *was
			present[i].DN = here.DN // the DN also changes when an organizational unit above it is moved
		}
	}
	there := bySID(present)
	for i := range changed { // add people who were created after the list "present" was read
		if there[changed[i].SID] == nil {
			present = append(present, changed[i])
		}
	}
	return present, nil
}

func bySID(people []directory.ADUser) map[string]*directory.ADUser {
	all := make(map[string]*directory.ADUser, len(people))
	for i := range people {
		all[people[i].SID] = &people[i]
	}
	return all
}
