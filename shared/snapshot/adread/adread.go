// Package adread reads everybody in Active Directory, and the members of named groups, into the partitions of a run. If
// an earlier run's reading is usable, it reads only what has changed since (a delta reading). Otherwise, it reads
// everything (a full reading).
package adread

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// AD has the methods of Active Directory that a Reader needs.
type AD interface {
	CheckClock(ctx context.Context, now func() time.Time) error
	ListFull(ctx context.Context, rests []string, each func(directory.ADUser) error) (*directory.Watermark, error)
	ListChanges(ctx context.Context, since directory.Watermark, rests []string, present func(sid, dn string) error, changed func(directory.ADUser) error) (directory.Watermark, error)
	ListPrimary(ctx context.Context, groupDN string, each func(sid string) error) error
	ListNested(ctx context.Context, groupDN string, each func(sid string) error) error
	ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error
	FindGroup(ctx context.Context, name string) (directory.Group, error)
}

// Reader reads Active Directory for one run.
type Reader struct {
	Store   store.Store
	Run     *snapshot.Begin // only Run, Partitions and AsOf are used
	AD      AD
	Groups  []protocol.Group // the groups whose members are read
	Rests   []string         // LDAP names of the attributes on which the policy relies (policy.Policy.Rests)
	Attempt string           // a part of every key, so that the keys of two attempts differ
	Now     func() time.Time
	// Progress is called with the number of people read so far. It may be nil.
	Progress func(people int)
	// Leased is called before parts are written, to check that the relay still has the lease on its task. If it returns
	// an error, nothing is written. It may be nil.
	Leased func() error

	guids, sids map[string]string // the objectGUIDs and objectSids of the groups; a key is GroupRef.Key(false)
}

// Read makes a delta reading that starts from the earlier reading "before". If the delta reading fails, or if "before"
// is nil, it makes a full reading. The parameter "why" is the reason why "before" is nil, and goes into the field
// WhyFull of the result. After an error, nothing in Active Directory counts as read.
func (c *Reader) Read(ctx context.Context, before *snapshot.Reading, why error) (snapshot.Reading, error) {
	if err := c.AD.CheckClock(ctx, c.Now); err != nil {
		return snapshot.Reading{}, err
	}
	if before != nil {
		var reading snapshot.Reading
		if reading, why = c.changes(ctx, before); why == nil || ctx.Err() != nil {
			return reading, why
		}
	}
	reading, err := c.everybody(ctx)
	if err != nil {
		return snapshot.Reading{}, err
	}
	reading.WhyFull = why.Error()
	return reading, nil
}

func (c *Reader) everybody(ctx context.Context) (snapshot.Reading, error) {
	var mark *directory.Watermark
	began := c.Now().UTC()
	reading, err := c.write(ctx, c.Attempt, func(w *snapshot.Writer) (err error) {
		mark, err = c.AD.ListFull(ctx, c.Rests, func(u directory.ADUser) error { return c.add(w, &u) })
		if unasked, ok := errors.AsType[*directory.PartialLogonError](err); ok {
			w.PartialLogon(unasked.Error()) // everybody was read, but without the dates of logons
		} else if err != nil {
			return err
		}
		return c.members(ctx, w)
	})
	reading.Watermark, reading.Full = mark, began
	return reading, err
}

// The method "write" passes a Writer to the function "fill". It then puts the parts of the Writer into the store.
func (c *Reader) write(ctx context.Context, attempt string, fill func(*snapshot.Writer) error) (snapshot.Reading, error) {
	w, err := snapshot.NewWriter(c.Store, c.Run, directory.AD, attempt, c.Run.AsOf)
	if err != nil {
		return snapshot.Reading{}, err
	}
	if err = fill(w); err == nil && c.Leased != nil {
		err = c.Leased()
	}
	if err != nil {
		return snapshot.Reading{}, errors.Join(fmt.Errorf("read %s: %w", directory.AD, err), w.Close())
	}
	reading, err := w.Finish(ctx)
	reading.Groups, reading.GroupSIDs = c.guids, c.sids
	return reading, errors.Join(err, w.Close())
}

func (c *Reader) add(w *snapshot.Writer, u *directory.ADUser) error {
	if err := w.AddAD(u); err != nil {
		return err
	}
	if w.People()%1000 == 0 && c.Progress != nil {
		c.Progress(w.People())
	}
	return nil
}

// The method "members" reads the members of the groups. If a group does not exist or hides its members, membership in
// it is unknown. If a list cannot be read to its end, the whole reading fails.
func (c *Reader) members(ctx context.Context, w *snapshot.Writer) error {
	c.guids, c.sids = map[string]string{}, nil
	for _, g := range c.Groups {
		err := c.AD.ListMembers(ctx, g.DN, g.Direct, func(sid string) error { return w.AddMember(g.Key(), sid, sid) })
		if err == nil && g.Direct {
			err = c.otherwise(ctx, w, g)
		}
		var found directory.Group
		if err == nil {
			found, err = c.AD.FindGroup(ctx, g.DN)
		}
		if errors.Is(err, directory.ErrNoGroup) {
			w.Withheld(g.Key(), err)
			continue
		}
		if err != nil {
			return fmt.Errorf("members of %q: %w", g.DN, err)
		}
		key := directory.GroupRef{Source: directory.AD, Name: g.DN}.Key(false)
		c.guids[key] = found.GUID
		if found.SID == "" {
			continue
		}
		if c.sids == nil {
			c.sids = map[string]string{}
		}
		c.sids[key] = found.SID
	}
	return nil
}

// The method "otherwise" reads who is in a group through a nested group, or because it is the primary group. These
// people remain in the group after they are removed from its list of members.
func (c *Reader) otherwise(ctx context.Context, w *snapshot.Writer, g protocol.Group) error {
	ref := directory.GroupRef{Source: directory.AD, Name: g.DN}
	err := c.AD.ListPrimary(ctx, g.DN, func(sid string) error { return w.AddMember(ref.PrimaryKey(), sid, sid) })
	if err != nil {
		return err
	}
	err = c.AD.ListNested(ctx, g.DN, func(sid string) error { return w.AddMember(ref.NestedKey(), sid, sid) })
	if errors.Is(err, directory.ErrNoGroup) { // the members on the list are known nevertheless
		w.Unreadable(ref.NestedKey())
		err = nil
	}
	return err
}
