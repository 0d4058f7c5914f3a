package collect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// errEnough ends a listing before its last page.
var errEnough = errors.New("enough")

// mostRestarts is how often a run may read a list from the start again after Graph lost the position.
const mostRestarts = 2

// entraCall is runs/<run>/entra/calls/<n>.json: the part of Entra ID that a call read, and the position where the next
// call continues. A call reads for a limited time, such as one invocation of a Lambda function. It writes this object
// last, so the parts of a call that died do not count.
type entraCall struct {
	Reading snapshot.Reading `json:"reading"`
	// Group is the index of the group whose members are read next. It is negative while people are listed.
	Group  int    `json:"group"`
	Cursor string `json:"cursor,omitempty"` // position in the list of people or of the group's members
	People int    `json:"people"`           // number of people listed from the call From on
	Done   bool   `json:"done"`
	// From is the number of the first call that counts. Earlier calls do not count, because the list had to be read
	// from the start again.
	From     int `json:"from"`
	Restarts int `json:"restarts,omitempty"`
}

// ReadEntra reads everybody in Entra ID. If ReadEntra fails, the run has no people from Entra ID.
func (c *Collector) ReadEntra(ctx context.Context, b *snapshot.Begin, p *policy.Policy) (snapshot.Reading, error) {
	for call := 0; ; call++ {
		if done, err := c.ReadEntraUntil(ctx, b, p, call, time.Time{}); err != nil {
			return snapshot.Reading{}, err
		} else if done {
			return c.EntraReading(ctx, b)
		}
	}
}

// ReadEntraUntil makes one call, which continues where the previous call stopped. After the time "until", it starts no
// new page; the zero time means no limit. The result "done" reports whether everything has been read. A repeated call
// returns the result of the first call, even in another process.
func (c *Collector) ReadEntraUntil(ctx context.Context, b *snapshot.Begin, p *policy.Policy, call int, until time.Time) (done bool, err error) {
	if known, err := c.entraCall(ctx, b.Run, call); err == nil || !errors.Is(err, store.ErrNotFound) {
		return known.Done, err
	}
	at := entraCall{Group: -1}
	if call > 0 {
		if at, err = c.entraCall(ctx, b.Run, call-1); err != nil {
			return false, err
		}
	}
	reader := &entraReader{Collector: c, begin: b, groups: entraQueries(p), until: until, at: at}
	reading, err := c.read(ctx, b, directory.Entra, fmt.Sprintf("%d-%s", call, rand.Text()[:10]), func(w *snapshot.Writer) error {
		return reader.read(ctx, w)
	})
	switch {
	case errors.Is(err, directory.ErrCursor) && at.Restarts < mostRestarts:
		reader.at = entraCall{Group: -1, From: call + 1, Restarts: at.Restarts + 1}
	case err != nil:
		return false, err
	default:
		reader.at.Reading = reading
	}
	err = store.PutJSONIfAbsent(ctx, c.Store, layout.EntraCall(b.Run, call), &reader.at)
	if errors.Is(err, store.ErrExists) {
		reader.at, err = c.entraCall(ctx, b.Run, call)
	}
	return reader.at.Done, err
}

func (c *Collector) entraCall(ctx context.Context, run string, call int) (at entraCall, err error) {
	if err = store.GetJSON(ctx, c.Store, layout.EntraCall(run, call), &at); err != nil {
		err = fmt.Errorf("read what call %d of reading %s came to: %w", call, directory.Entra, err)
	}
	return at, err
}

func (c *Collector) EntraReading(ctx context.Context, b *snapshot.Begin) (all snapshot.Reading, err error) {
	for call := 0; ; call++ {
		at, err := c.entraCall(ctx, b.Run, call)
		if err != nil {
			return snapshot.Reading{}, err
		}
		if at.From > call {
			all = snapshot.Reading{}
			continue
		}
		all.Join(&at.Reading)
		if at.Done {
			return all, nil
		}
	}
}

func entraQueries(p *policy.Policy) (queries []directory.Question) {
	for _, q := range p.MemberQueries() {
		if q.Ref.Source == directory.Entra {
			queries = append(queries, q)
		}
	}
	return queries
}

type entraReader struct {
	*Collector
	begin  *snapshot.Begin
	groups []directory.Question
	until  time.Time
	at     entraCall
}

// The method "enough" stores "next", the cursor of the following page, for the next call. It returns errEnough if the
// time of this call is over and another page follows.
func (r *entraReader) enough(next string) error {
	if r.at.Cursor = next; next != "" && !r.until.IsZero() && r.Now().After(r.until) {
		return errEnough
	}
	return nil
}

func (r *entraReader) read(ctx context.Context, w *snapshot.Writer) error {
	if r.at.Group < 0 {
		err := r.people(ctx, w)
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
		r.at.Group = 0
	}
	for ; r.at.Group < len(r.groups); r.at.Group++ {
		err := r.members(ctx, w, r.groups[r.at.Group])
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("members of %s: %w", r.groups[r.at.Group].Ref, err)
		}
	}
	r.at.Done = true
	return nil
}

func (r *entraReader) people(ctx context.Context, w *snapshot.Writer) error {
	err := r.Entra.ListPeople(ctx, r.at.Cursor, func(page []directory.EntraUser, next string) error {
		for i := range page {
			if err := w.AddEntra(&page[i]); err != nil {
				return err
			}
		}
		r.at.People += len(page)
		r.progress(directory.Entra, r.at.People, r.begin.People)
		if r.at.People > 2*r.begin.People+1000 { // the limit allows for people listed twice and for new people
			return &directory.UnreadError{Err: fmt.Errorf("the list of people does not end: Graph counted %d and listed %d", r.begin.People, r.at.People)}
		}
		return r.enough(next)
	})
	if err != nil {
		return err
	}
	if missing := r.begin.People - r.at.People; missing > tolerance(r.begin.People) {
		return &directory.UnreadError{Err: fmt.Errorf("the list of people is short: Graph counted %d and listed %d", r.begin.People, r.at.People)}
	}
	return nil
}

// The method "members" reads the members of one group. If the group is missing or in doubt, or hides its members, its
// membership is unknown. Any other error makes the reading of Entra ID fail.
func (r *entraReader) members(ctx context.Context, w *snapshot.Writer, q directory.Question) error {
	key, g := q.Key(), r.begin.Group(q.Ref)
	if g.Unreadable != "" {
		w.Unreadable(key)
		return nil
	}
	err := r.Entra.ListMembers(ctx, g, r.at.Cursor, func(page []directory.Member, next string) error {
		for _, m := range page {
			if q.Direct && !m.Direct {
				continue
			}
			if m.Hidden {
				w.Hide(key)
			}
			at := directory.EntraUser{ID: m.ID, SID: m.SID}
			if err := w.AddMember(key, m.ID, at.PartitionKey()); err != nil {
				return err
			}
		}
		return r.enough(next)
	})
	if errors.Is(err, directory.ErrHidden) {
		w.Withheld(key, fmt.Errorf("%s: %w", q.Ref, err))
		return nil
	}
	return err
}
